"""Variables in values, by the rules of the Compose specification.

*Source*: compose-spec, 12-interpolation.md: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`,
`${NAME?message}`, `${NAME:+replacement}`, `${NAME+replacement}`, nested ones among them, and `$$` for a dollar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPERATOR: Final = re.compile(r":?[-?+]")
DEEPEST: Final = 50


class Uninterpolable(ValueError):
    """A value whose variables cannot be filled in; the message says why."""


def interpolated(text: str, variables: Mapping[str, str], unset: Callable[[str], None] = lambda name: None, depth: int = 0) -> str:
    """A text with its variables filled in; `unset` is told of those that have no value and become nothing."""
    if depth > DEEPEST:
        raise Uninterpolable(f"expected at most {DEEPEST} variables inside one another")
    parts, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        value, at = _variable(text, dollar, variables, unset, depth)
        parts.append(value)
    return "".join([*parts, text[at:]])


def _variable(text: str, dollar: int, variables: Mapping[str, str], unset: Callable[[str], None], depth: int) -> tuple[str, int]:
    """What stands for the variable at a dollar, and where the text goes on."""
    if text.startswith("$$", dollar):
        return "$", dollar + 2
    if text.startswith("${", dollar):
        end = _closing(text, dollar)
        return _braced(text[dollar + 2 : end], variables, unset, depth), end + 1
    name = NAME.match(text, dollar + 1)
    if name is None:
        raise Uninterpolable(f'expected a name after "$", for example ${{NAME}}, or $$ for a dollar; got "{text[dollar : dollar + 20]}"')
    return _value(name.group(), variables, unset), name.end()


def _closing(text: str, dollar: int) -> int:
    """Where the brace closes that opens after a dollar."""
    depth, at = 0, dollar + 1
    while at < len(text):
        if text[at] == "{" and text[at - 1] == "$":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise Uninterpolable(f'expected "}}" after "{text[dollar : dollar + 20]}"')


def _braced(inside: str, variables: Mapping[str, str], unset: Callable[[str], None], depth: int) -> str:
    """What stands for the inside of `${...}`."""
    name = NAME.match(inside)
    operator = OPERATOR.match(inside, name.end()) if name else None
    if name is None or (operator is None and name.end() < len(inside)):
        raise Uninterpolable(f'expected a name and perhaps a default, for example ${{NAME:-8080}}; got "${{{inside[:40]}}}"')
    if operator is None:
        return _value(name.group(), variables, unset)
    value = variables.get(name.group())
    there = value is not None and (value != "" or not operator.group().startswith(":"))
    word = inside[operator.end() :]
    if operator.group().endswith("+"):
        return interpolated(word, variables, unset, depth + 1) if there else ""
    if there:
        return value or ""
    if operator.group().endswith("?"):
        said = interpolated(word, variables, unset, depth + 1)
        raise Uninterpolable(f"the variable {name.group()} has to be set{': ' + said if said else ''}; for example in .env")
    return interpolated(word, variables, unset, depth + 1)


def _value(name: str, variables: Mapping[str, str], unset: Callable[[str], None]) -> str:
    if name not in variables:
        unset(name)
    return variables.get(name, "")
