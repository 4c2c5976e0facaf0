"""How important the replicas of a service are: a number, or the name of a class."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from simvirt.scenario.fields import word
from simvirt.units import UnitError, shown

LOWEST: Final = -(2**31)
HIGHEST: Final = 2**31 - 1
"""Priorities are whole numbers of 32 bits (kubernetes/kubernetes staging/src/k8s.io/api/core/v1/types.go, PodSpec.Priority)."""
MOST_STATED: Final = 1_000_000_000
"""The highest that users may state; only classes of the system lie above (pkg/apis/scheduling/types.go, HighestUserDefinablePriority)."""


def _priority(value: object) -> int | str:
    """A number or a name."""
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, int) and not isinstance(number, bool):
        if not LOWEST <= number <= MOST_STATED:
            raise UnitError(f"expected a whole number from {LOWEST} to {MOST_STATED}, for example 1000; got {shown(value)}")
        return number
    if not isinstance(number, str):
        raise UnitError(f"expected a number or the name of a class, for example 1000 or system-cluster-critical; got {shown(value)}")
    return word(number)


Priority = Annotated[
    int | str, BeforeValidator(_priority),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": LOWEST, "maximum": MOST_STATED}, {"type": "string"}], "examples": [1000]}),
]
