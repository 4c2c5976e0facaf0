"""What pydantic found wrong, in the words of the other messages."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Final, Mapping

from simvirt.units import shown

_EXPECTED: Final[Mapping[str, str]] = {
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "too_short": "at least one entry",
    "string_too_short": "text that is not empty",
}


def sentence(detail: Mapping[str, Any], example: str | None = None) -> str:
    """One line of a ValidationError as a message: what was expected, an example, what came."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return _choice(str(context["expected"]), detail["input"])
    if kind == "string_too_long":
        return f"expected text of at most {context['max_length']} characters; got {len(str(detail['input']))}"
    if kind == "too_long":
        return f"expected a list of at most {context['max_length']} entries"
    expected = _EXPECTED.get(kind, _limit(context))
    shape = f", for example {example}" if example else ""
    return f"expected {expected}{shape}; got {shown(detail['input'])}"


def choose(options: list[str], given: object) -> str:
    """The message for a word that is none of `options`."""
    close = get_close_matches(str(given).lower()[:64], options, n=1)
    guess = f'; did you mean "{close[0]}"?' if close else ""
    return f"expected {_one_of(options)}; got {shown(given)}{guess}"


def _one_of(options: list[str]) -> str:
    return f"one of {', '.join(options)}" if len(options) > 1 else options[0]


def _choice(expected: str, given: object) -> str:
    """The message for a Literal."""
    return choose(re.findall(r"'([^']*)'", expected) or [expected], given)


def _limit(context: Mapping[str, Any]) -> str:
    """What a bound requires."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    bounds = [f"{word} {context[key]}" for key, word in words.items() if key in context]
    return f"a number of {' and '.join(bounds)}" if bounds else "something else"
