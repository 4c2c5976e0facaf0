"""Compose's own schema, where a package that carries it is installed: what it refuses is a mistake with file, line and reason.

*Ignores*: nothing of the schema; without the package nothing is validated by it, and that is said.
*Source*: compose-spec/schema/compose-spec.json, as the package check-jsonschema carries it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.bounds import MOST_ISSUES
from simvirt.scenario.reading.tree import Marks, Node, dotted, plain
from simvirt.units import shown

PACKAGE: Final = "check_jsonschema"
CARRIED: Final = ("builtin_schemas", "vendor", "compose-spec.json")
MISSING: Final = "not validated by Compose's schema: the package check-jsonschema is not there; pip install 'simvirt[compose]' brings it"


def validated(root: Node) -> str | None:
    """Holds a project against the schema. Why it was not held against it, None where it was; ScenarioError with what the schema refuses."""
    try:
        from jsonschema import Draft202012Validator

        schema = json.loads(files(PACKAGE).joinpath(*CARRIED).read_text(encoding="utf-8"))
    except (ImportError, OSError):
        return MISSING
    found = Draft202012Validator(schema).iter_errors(plain(root, lambda path, scalar: scalar.value))
    deepest = list(_deepest(found))
    apart = [error for error in deepest if error.validator != "unevaluatedProperties"] or deepest  # it says again what another one says
    issues = [_issue(root, error) for error in apart]
    if issues:
        raise ScenarioError(issues[:MOST_ISSUES])
    return None


def _deepest(found: Iterable[Any]) -> Iterator[Any]:
    """Of each mistake what says most: in alternatives, what is wrong in the one that fits best."""
    from jsonschema.exceptions import best_match

    for error in found:
        yield best_match([error])


def _issue(root: Node, error: Any) -> Issue:
    """A mistake at its place; that of what holds it where it has none of its own."""
    path = tuple(error.absolute_path)
    place = next((place for end in range(len(path), 0, -1) if (place := Marks(root).place(path[:end]))), root.place)
    return Issue(place.file, place.line, place.column, dotted(path), f"Compose's schema: {_said(error)}")


def _said(error: Any) -> str:
    """What a mistake is, in words."""
    got = f"; got {shown(error.instance)}"
    if error.validator == "type":
        return f"expected {_either(error.validator_value)}{got}"
    if error.validator == "enum":
        return f"expected one of {', '.join(map(str, error.validator_value))}{got}"
    if error.validator == "required":
        return f"expected {_either(key for key in error.validator_value if key not in error.instance)} beside what is there"
    if error.validator == "additionalProperties":
        return f"unknown key; {error.message[:200]}"
    if error.validator in ("oneOf", "anyOf"):
        return f"expected one of the forms that Compose knows here{got}"
    if error.validator in ("pattern", "format"):
        return f"expected {error.validator} {error.validator_value}{got}"
    return f"{error.validator}: {error.message[:200]}"


def _either(words: Any) -> str:
    """A word, or one of some."""
    return words if isinstance(words, str) else " or ".join(map(str, words))
