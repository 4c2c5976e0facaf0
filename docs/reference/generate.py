"""Writes docs/reference/scenario.md from the JSON Schema of scenarios: `python docs/reference/generate.py`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simvirt import units
from simvirt.scenario import json_schema

PAGE = Path(__file__).with_name("scenario.md")
HEAD = """# Scenario reference

Made by `docs/reference/generate.py` from the JSON Schema that `simvirt schema` prints; do not edit. Quantities are numbers with a unit:
times `1.5ms`, sizes `512MiB` (1024) or `512MB` (1000), rates `800/s`, clocks `2.6GHz`, bandwidths `25Gbps`; ratios are 0 to 1 or `30%`.

A **distribution** of times is a scalar (the constant) or a mapping with one key: `{exponential: 4ms}`, `{lognormal: {mean: 4ms, cv: 1}}`,
`{gamma: {mean: 4ms, cv: 0.5}}`, `{hyperexponential: {mean: 4ms, cv: 2}}`, `{pareto: {mean: 4ms, shape: 2.5}}`,
`{uniform: {low: 1ms, high: 3ms}}`, `{empirical: file.csv}` or `{empirical: {file: file.csv, column: demand_ms}}`.
"""
UNITS = (("GHz", "clock"), ("bps", "bandwidth"), ("iB", "size"), ("us|", "time"), ("/", "rate"), ("%", "ratio"))
Schema = Mapping[str, Any]


def name_of(reference: str) -> str:
    """`#/$defs/HostSpec` is `HostSpec`."""
    return reference.rpartition("/")[2]


def link(title: str) -> str:
    """A link to a definition on the page."""
    return f"[{title}](#{title.lower()})"


def texts(schema: Schema) -> str:
    """Pattern and examples of a string, which show its unit."""
    return str(schema.get("pattern", "")) + " ".join(str(e) for e in schema.get("examples", []))


def kind(schema: Schema) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        return link(name_of(schema["$ref"]))
    if "anyOf" in schema or "oneOf" in schema:
        return choice(schema.get("anyOf") or schema["oneOf"])
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}" if "items" in schema else "list"
    if schema.get("type") == "object":
        values = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        return f"mapping of {kind(values)}" if isinstance(values, Mapping) and values else "mapping"
    if schema.get("type") == "string":
        return next((word for mark, word in UNITS if mark in texts(schema)), "text")
    return {"integer": "whole number", "number": "number", "boolean": "`true`, `false`", "null": ""}.get(str(schema.get("type")), "any")


def choice(options: list[Schema]) -> str:
    """Alternatives; those of a distribution have one name."""
    if any("exponential" in option.get("properties", {}) for option in options):
        return "distribution"
    if any(option.get("$ref", "").endswith("Step") for option in options):
        return "steps" if any(option.get("type") == "array" for option in options) else "step"
    if [option.get("type") for option in options] == ["number", "string"]:
        return kind(options[1])
    return " or ".join(dict.fromkeys(word for option in options if (word := kind(option))))


def default(schema: Schema) -> str:
    """The default as a scenario writes it; internal nanoseconds and bytes get their unit back."""
    value = schema.get("default")
    if value is None or value in ([], {}) or isinstance(value, Mapping):
        return ""
    words = kind(schema)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if words == "time":
            return f"`{units.format_time(value / 1e9).replace(' ', '')}`"
        if words == "size":
            return f"`{units.format_size(value).replace(' ', '')}`"
    return f"`{value}`".replace("False", "false").replace("True", "true")


def bounds(schema: Schema) -> str:
    """Limits of a number."""
    low, high = schema.get("minimum"), schema.get("maximum")
    return "" if low is None and high is None else f", {'' if low is None else low} to {'' if high is None else high}".rstrip()


def row(key: str, schema: Schema, required: bool) -> str:
    """One key of a mapping as a line of a table."""
    example = next((f"`{e}`" for e in schema.get("examples", [])), "")
    cells = (
        f"`{key}`",
        kind(schema) + bounds(schema),
        "**required**" if required else default(schema),
        schema.get("description", ""),
        example,
    )
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def mapping(schema: Schema) -> Schema:
    """The form of a definition that has keys; some have a short form beside it."""
    return next((option for option in schema.get("anyOf", []) if "properties" in option), schema)


def section(title: str, schema: Schema) -> str:
    """A mapping: what it is, and its keys."""
    schema = mapping(schema)
    about = schema.get("description", "").removesuffix(" Times in ns.")
    lines = [f"## {title}", "", about, "", "| key | value | default | meaning | example |", "|---|---|---|---|---|"]
    required = schema.get("required", [])
    return "\n".join([*lines, *(row(key, inner, key in required) for key, inner in schema.get("properties", {}).items())]) + "\n"


def references(schema: Any) -> Iterator[str]:
    """Definitions that a schema mentions, in order."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield name_of(schema["$ref"])
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def reached(schema: Schema) -> list[str]:
    """All definitions, in the order in which a reader meets them."""
    definitions, found = schema["$defs"], []
    waiting = list(references(schema["properties"]))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting = [*references(definitions[name]), *waiting]
    return found


def page() -> str:
    """The whole page."""
    schema = json_schema()
    parts = [section("Scenario", schema), *(section(name, schema["$defs"][name]) for name in reached(schema))]
    return HEAD + "\n" + "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
