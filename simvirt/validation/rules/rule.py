"""What an adapter is: the functions of a kind of cases, each from inputs to an answer in the form of what is expected.

*Model*: an adapter translates, it computes nothing that a simulation would not. What it cannot read is not known, which is no difference.
*Ignores*: keys of an answer that a case does not expect.
*Source*: own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simvirt.validation.rules.cases import Given

Answer = Mapping[str, Any]
"""What is answered, by the keys of what is expected; those that a case does not ask for are ignored."""
Adapter = Callable[[Given], Answer]
ERROR: Final = "error"
"""A key of answers: that there is an error is compared, not its words."""
CLOSE: Final = 1e-9
"""Relative difference of numbers up to which they are the same: what arithmetic in another order gives."""


class NotKnown(Exception):
    """What simvirt has no answer to; the message is the reason."""


class Near(float):
    """A magnitude: it counts as the same up to the factor of its kind, where all else has to be exact."""


@dataclass(frozen=True, slots=True)
class Open:
    """A part of an answer that is not known, beside others that are; the reason."""

    reason: str


def named(given: Given) -> str:
    """The function that a case names: `function`, or `plugin`; NotKnown where it names none."""
    found = given.get("function", given.get("plugin"))
    if not isinstance(found, str):
        raise NotKnown("given names no function")
    return found


@dataclass(frozen=True, slots=True)
class Rules:
    """The adapters of a kind by function.

    `by` finds the function of a case's inputs. `factor` is by how much answers may differ that are magnitudes (`Near`) and not exact;
    `same` compares a value with what is expected in another way, None where it leaves that to the usual comparison.
    """

    kind: str
    functions: Mapping[str, Adapter]
    by: Callable[[Given], str] = named
    factor: float = 1.0
    same: Callable[[str, Any, Any], bool | None] = lambda key, expected, got: None

    def answer(self, given: Given) -> Answer:
        """What simvirt answers; NotKnown with the reason where it cannot."""
        name = self.by(given)
        if name not in self.functions:
            raise NotKnown(f"no function {name}")
        try:
            return self.functions[name](given)
        except KeyError as error:
            raise NotKnown(f"given has no {error.args[0]}") from error
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
            raise NotKnown(f"given cannot be read: {error}") from error

    def agrees(self, key: str, expected: Any, got: Any) -> bool:
        """Whether an answer is what is expected."""
        found = self.same(key, expected, got)
        if found is not None:
            return found
        return bool(expected) == bool(got) if key == ERROR else alike(expected, got, self.factor)


def alike(expected: Any, got: Any, factor: float = 1.0) -> bool:
    """Whether two values are the same: magnitudes up to a factor, mappings in the keys that are expected, lists item by item."""
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(alike(value, _entry(got, key), factor) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(got, list | tuple) and len(expected) == len(got) and all(map(alike, expected, got, [factor] * len(expected)))
    if _number(expected) and _number(got):
        most = factor - 1.0 if isinstance(got, Near) else 0.0
        return math.isclose(expected, got, rel_tol=CLOSE, abs_tol=CLOSE) or error_of(expected, got) <= most
    return type(expected) is type(got) and bool(expected == got)


def error_of(expected: float, got: float) -> float:
    """By how much the larger of two numbers exceeds the smaller; infinite of two signs, or beside a zero."""
    if expected == got:
        return 0.0
    return max(expected / got, got / expected) - 1.0 if expected * got > 0.0 else math.inf


def magnitudes(expected: Any, got: Any) -> list[tuple[float, float]]:
    """The magnitudes of an answer and what is expected at the same place, in pairs."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return [pair for key, value in expected.items() for pair in magnitudes(value, _entry(got, key))]
    if isinstance(expected, list) and isinstance(got, list | tuple):
        return [pair for one, other in zip(expected, got, strict=False) for pair in magnitudes(one, other)]
    return [(expected, float(got))] if _number(expected) and isinstance(got, Near) else []


def answered(expected: Any, got: Any) -> Any:
    """What is expected without the parts that an answer leaves open; `Open` where nothing else is left."""
    if isinstance(got, Open):
        return got
    if not isinstance(expected, Mapping) or not isinstance(got, Mapping):
        return expected
    parts = {key: answered(value, _entry(got, key)) for key, value in expected.items()}
    left = {key: value for key, value in parts.items() if not isinstance(value, Open)}
    return left if left or not parts else next(iter(parts.values()))


def opened(expected: Any, got: Any) -> list[str]:
    """Why parts of an answer are left open, each reason once."""
    if isinstance(got, Open):
        return [got.reason]
    if not isinstance(expected, Mapping) or not isinstance(got, Mapping):
        return []
    return list(dict.fromkeys(reason for key, value in expected.items() for reason in opened(value, _entry(got, key))))


def _entry(got: Mapping[Any, Any], key: Any) -> Any:
    """An entry of a mapping whose keys may be numbers, which a file has as text; None where there is none."""
    return got[key] if key in got else {str(name): value for name, value in got.items()}.get(str(key))


def _number(value: Any) -> bool:
    """Whether a value is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)
