"""What is said for and against standing on a host, in Kubernetes' words: taints, tolerations, topologies, affinity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from simvirt.scenario.fields import Whole, Word
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.units import UnitError, shown

Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
EFFECTS: Final[tuple[Effect, ...]] = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SAID: Final = re.compile(r"(?P<key>[\w./-]{1,100})?(?:=(?P<value>[\w./-]{0,100}))?(?::(?P<effect>\w+))?")
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Taint:
    """What a host says against replicas."""

    key: str
    value: str = ""
    effect: Effect = "NoSchedule"

    def __str__(self) -> str:
        return f"{self.key}{'=' + self.value if self.value else ''}:{self.effect}"


@dataclass(frozen=True, slots=True)
class Toleration:
    """What a replica puts up with: an empty key or effect is every one."""

    key: str = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Effect | None = None

    def __str__(self) -> str:
        value = f"={self.value}" if self.operator == "Equal" else ""
        return f"{self.key}{value}{':' + self.effect if self.effect else ''}"

    def tolerates(self, taint: Taint) -> bool:
        """Whether it holds for a taint."""
        if self.effect is not None and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        return self.operator == "Exists" or self.value == taint.value


KEEPS_AWAY: Final[tuple[Effect, ...]] = ("NoSchedule", "NoExecute")
"""Effects that a filter looks at."""


def untolerated(taints: Iterable[Taint], tolerations: Sequence[Toleration], effects: Sequence[Effect] = KEEPS_AWAY) -> list[Taint]:
    """Taints of some effects that nothing tolerates."""
    return [taint for taint in taints if taint.effect in effects and not any(each.tolerates(taint) for each in tolerations)]


def _effect(written: str | None) -> Effect | None:
    """An effect by its name; None where there is none, or no such one."""
    return next((effect for effect in EFFECTS if effect == written), None)


def _taint(written: str) -> Taint | None:
    """A taint as kubectl writes it; None where it is none."""
    found = _SAID.fullmatch(written.strip())
    effect = None if found is None else _effect(found["effect"])
    return None if found is None or not found["key"] or effect is None else Taint(found["key"], found["value"] or "", effect)


def _toleration(written: str) -> Toleration | None:
    """A toleration in the same form, in which key, value and effect may be left out; None where it is none."""
    found = _SAID.fullmatch(written.strip())
    if found is None or not (found["key"] or found["effect"]):
        return None
    effect, value = _effect(found["effect"]), found["value"]
    if found["effect"] and effect is None:
        return None
    return Toleration(found["key"] or "", "Exists" if value is None else "Equal", value or "", effect)


def _each(read: Callable[[str], Read | None], example: str) -> Callable[[object], object]:
    """Reads a text or a list of texts."""
    def items(value: object) -> object:
        if isinstance(value, tuple):
            return value
        written = value if isinstance(value, list) else [value]
        found = [read(item) if isinstance(item, str) else None for item in written]
        if None in found:
            raise UnitError(f"expected {example}; got {shown(written[found.index(None)])}")
        return tuple(found)
    return items


_TEXTS: Final = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
Taints = Annotated[
    tuple[Taint, ...],
    BeforeValidator(_each(_taint, f"taints, for example [dedicated=db:NoSchedule], of the effects {', '.join(EFFECTS)}")),
    PlainSerializer(lambda items: [str(item) for item in items]), _TEXTS,
]
Tolerations = Annotated[
    tuple[Toleration, ...], BeforeValidator(_each(_toleration, "tolerations, for example [dedicated=db:NoSchedule] or [dedicated]")),
    PlainSerializer(lambda items: [str(item) for item in items]), _TEXTS,
]


PRESSURE: Final = Taint("node.kubernetes.io/memory-pressure", "", "NoSchedule")
"""The taint of a node that is short of memory; pods that request something are made to tolerate it.

Source: Kubernetes documentation, Taints and Tolerations.
"""


class TopologySpreadSpec(Spec):
    """How evenly replicas are spread over the values of a label."""

    example = "{topology_key: zone, max_skew: 1, when_unsatisfiable: DoNotSchedule}"
    topology_key: Word = Field(description="zone, host, pool or a label of hosts", examples=["zone"])
    max_skew: Annotated[int, Whole(1, 100_000, 1)] = Field(
        default=1, description="by how many replicas its values may differ", examples=["2"])
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = Field(
        default="DoNotSchedule", description="whether a replica waits rather than break it, or it only counts in scores",
        examples=["ScheduleAnyway"])


class AffinitySpec(Spec):
    """Near which other replicas a replica has to stand, or had better."""

    example = "{near: cache, topology_key: zone}"
    near: Word | None = Field(default=None, description="service beside whose replicas it stands", examples=["cache"])
    away_from: Word | None = Field(default=None, description="service beside whose replicas it does not stand", examples=["db"])
    topology_key: Word = Field(default="host", description="what has to be the same to be beside", examples=["zone"])
    weight: Annotated[int, Whole(1, 100, 50)] | None = Field(
        default=None, description="by how much it only counts in scores; required where it is not given", examples=["50"])

    @model_validator(mode="after")
    def _names_a_service(self) -> AffinitySpec:
        if (self.near is None) == (self.away_from is None):
            refuse(f"expected near or away_from, for example {self.example}", "near")
        return self
