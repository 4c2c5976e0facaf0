"""Writes docs/reference/results.md from the JSON Schemas of results: `python docs/reference/generate_results.py`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simvirt.result.schema import DOCUMENTS, result_schema

PAGE = Path(__file__).with_name("results.md")
HEAD = """# Results: every number and what it means

Made by `docs/reference/generate_results.py` from the JSON Schemas that `simvirt schema --result NAME` prints; do not edit.

`simvirt run X.yaml --format json` prints one document; `results/<name>-<digest>/result.json` keeps it. CSV has one row per platform and the
same keys joined with dots (`latency_s.p99.value`). `density` keeps its document as `density.json`, with one CSV row per point of a curve;
the CSV of `plan` has one row per alternative, that of `sweep` one row per cell and platform, those of `knee` and `compare` one row per
trial and per change.
Times are in seconds, sizes in bytes, ratios 0 to 1, money in US dollars; the unit is in the key. Keys are added, never renamed.

What is undefined (the interval of one replication, the mean of no requests) is `null`. A key that is not **always** there is left out
where it does not apply. Except where a line says otherwise, numbers are for the measured window, from the end of the warm-up to the end of
the run.

In Python, `result.typed()` is the same document as frozen pydantic models of these names, and `result.document()` the dict that JSON
is made of.
"""
TITLES = {
    "run": "`simvirt run`", "deploy": "`simvirt deploy`", "density": "`simvirt density`", "knee": "`simvirt knee`",
    "plan": "`simvirt plan`",
    "fit": "`simvirt fit`", "calibrate": "`simvirt calibrate`",
    "sweep": "`simvirt sweep`", "compare": "`simvirt compare`", "validate": "`simvirt validate`",
    "rules": "`simvirt validate FILE`",
    "error": "`simvirt check`, and mistakes", "list": "`simvirt list`", "explain": "`simvirt explain`",
}
WORDS = {"integer": "whole number", "number": "number", "boolean": "`true`, `false`", "string": "text", "null": "`null`"}
Schema = Mapping[str, Any]


def link(reference: str) -> str:
    """`#/$defs/Estimate` as a link to its table."""
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def kind(schema: Schema) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        return link(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(kind(option) for option in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}" if "items" in schema else "list"
    if schema.get("type") == "object":
        inner = schema["additionalProperties"]
        return f"{kind(inner) if isinstance(inner, dict) else 'anything'} by name"
    return WORDS[schema["type"]] if "type" in schema else "anything"


def row(key: str, schema: Schema, always: bool) -> str:
    """One key as a line of a table."""
    cells = (f"`{key}`", kind(schema), "always" if always else "", schema.get("description", ""))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table(schema: Schema) -> str:
    """What a document or a part of one is, and its keys."""
    required = schema.get("required", [])
    lines = [row(key, inner, key in required) for key, inner in schema.get("properties", {}).items()]
    if isinstance(more := schema.get("additionalProperties"), Mapping) and "$ref" in more:
        lines.append(f"| any other | {kind(more)} | | by name |")
    return "\n".join([schema.get("description", ""), "", "| key | value | | meaning |", "|---|---|---|---|", *lines, ""])


def references(schema: Any) -> Iterator[str]:
    """Definitions that a schema mentions, in order."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for key, value in schema.items():
            if key != "$defs":
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def reached(schema: Schema) -> list[str]:
    """All definitions, in the order in which a reader meets them."""
    found: list[str] = []
    waiting = list(references(schema))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting = [*references(schema["$defs"][name]), *waiting]
    return found


def document(name: str, known: set[str]) -> Iterator[str]:
    """A document's sections; parts that stand above already are not repeated."""
    schema = result_schema(name)
    yield f"## {TITLES[name]}\n"
    if "properties" in schema:
        yield table(schema)
    for part in reached(schema):
        if part not in known:
            known.add(part)
            yield f"### {part}\n\n{table(schema['$defs'][part])}"


def page() -> str:
    """The whole page."""
    known: set[str] = set()
    assert set(DOCUMENTS) == {*TITLES, "check"}
    return HEAD + "\n" + "\n".join(text for name in TITLES for text in document(name, known))


if __name__ == "__main__":
    PAGE.write_text(page())
