"""Several hosts: pools of like machines, and the name of each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from simvirt.scenario.fields import Whole, Word, word
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.host import HostSpec
from simvirt.scenario.spec.machines import MachineScalingSpec
from simvirt.scenario.spec.scheduling import AffinitySpec, Taint, Taints, Tolerations, TopologySpreadSpec, untolerated
from simvirt.units import UnitError, shown

MOST_HOSTS: Final = 100_000
ALONE: Final = "host"
"""Name of the pool that `host:` is, and of the only host in it."""
_COMPARED: Final = re.compile(
    r"\s*(?:node\.labels\.|engine\.labels\.)?(?P<key>[\w.-]{1,100})\s*(?P<sign>==|!=)\s*(?P<value>\S.{0,199}?)\s*")
_LONG: Final = {"node.hostname": "host"}
"""Keys of Compose's constraints for what has a name of its own here."""


def _zones(value: object) -> object:
    """Zones: a word, or a list of words."""
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else None
    if not names:
        raise UnitError(f"expected the name of a zone or a list of names, for example [a, b, c]; got {shown(value)}")
    return tuple(word(name) for name in names)


def _label(value: object) -> object:
    """The value of a label: a word, a number, or true and false, as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or not str(value).strip() or len(str(value)) > 200:
        raise UnitError(f"expected a text, for example nvme; got {shown(value)}")
    return str(value)


Zones = Annotated[
    tuple[str, ...], BeforeValidator(_zones),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Label = Annotated[str, BeforeValidator(_label), WithJsonSchema({"type": ["string", "number", "boolean"]})]


@dataclass(frozen=True)
class Constraint:
    """What a host must be, or must not be: `zone != c`, `disk == nvme`."""

    key: str
    equal: bool
    value: str

    def __str__(self) -> str:
        return f"{self.key} {'==' if self.equal else '!='} {self.value}"


def _constraints(value: object) -> object:
    """Constraints, as Compose writes them."""
    if isinstance(value, tuple):
        return value
    items = value if isinstance(value, list) else [value]
    found = [_COMPARED.fullmatch(item) if isinstance(item, str) else None for item in items]
    if not all(found):
        wrong = items[found.index(None)]
        raise UnitError(f"expected comparisons, for example [zone != c, disk == nvme]; got {shown(wrong)}")
    return tuple(_constraint(match) for match in found if match is not None)


def _constraint(match: re.Match[str]) -> Constraint:
    return Constraint(_LONG.get(match["key"], match["key"]), match["sign"] == "==", match["value"])


def constraint(text: str) -> Constraint | None:
    """A comparison as Compose writes it; None where it is none."""
    match = _COMPARED.fullmatch(text)
    return None if match is None else _constraint(match)


Constraints = Annotated[
    tuple[Constraint, ...], BeforeValidator(_constraints), PlainSerializer(lambda items: [str(item) for item in items]),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "examples": [["zone != c"]]}),
]


class PlacementSpec(Spec):
    """On which hosts replicas may stand, and over what they are spread."""

    example = "{constraints: [zone != c], spread: zone, max_replicas_per_node: 2}"
    later = ("tolerations", "topology_spread", "affinity")
    constraints: Constraints = Field(
        default=(), max_length=100, description="what a host must be or must not be: its zone, its pool, its name as `host`, its labels",
        examples=["[zone != c, disk == nvme]"])
    spread: Word | None = Field(
        default=None, description="zone or label over whose values replicas are spread, before they are over hosts", examples=["zone"])
    max_replicas_per_node: Annotated[int, Whole(1, 100_000, 2)] | None = Field(
        default=None, description="most replicas of the service on a host", examples=["2"])
    tolerations: Tolerations = Field(
        default=(), max_length=100, description="taints of hosts that replicas put up with, as kubectl writes them, or a key alone",
        examples=["[dedicated=db:NoSchedule]"])
    topology_spread: tuple[TopologySpreadSpec, ...] = Field(
        default=(), max_length=20, description="how evenly replicas are spread over zones, hosts or labels",
        examples=[f"[{TopologySpreadSpec.example}]"])
    affinity: tuple[AffinitySpec, ...] = Field(
        default=(), max_length=20, description="beside which replicas they stand, or do not", examples=[f"[{AffinitySpec.example}]"])


class HostPoolSpec(HostSpec):
    """Hosts that are alike: how many, what each is, as `host` says it, and where they stand."""

    example = "{count: 3, model: dell-r740-gold-6132, zone: [a, b, c]}"
    later = ("taints", "autoscale")
    count: Annotated[int, Whole(1, MOST_HOSTS, 3)] = Field(
        default=1, description="how many hosts; with autoscale, at first", examples=["3"])
    zone: Zones = Field(default=(), description="zone of its hosts, or several zones in which they stand in turn", examples=["[a, b, c]"])
    labels: Mapping[Word, Label] = Field(
        default={}, max_length=100, description="what placement may ask for", examples=["{disk: nvme}"])
    taints: Taints = Field(
        default=(), max_length=100, description="what keeps replicas away that do not tolerate it, as kubectl writes it",
        examples=["[dedicated=db:NoSchedule]"])
    autoscale: MachineScalingSpec | None = Field(
        default=None, description="lets the number of hosts follow what waits for room; they stay as many by default",
        examples=[MachineScalingSpec.example])

    @model_validator(mode="after")
    def _within_bounds(self) -> HostPoolSpec:
        bounds = self.autoscale
        if bounds is not None and not bounds.min <= self.count <= bounds.max:
            refuse(f"hosts at first; expected {bounds.min} to {bounds.max}, as autoscale says; got {self.count}", "count")
        return self

    @property
    def slots(self) -> int:
        """How many hosts there may ever be."""
        return self.count if self.autoscale is None else self.autoscale.max

    @property
    def host(self) -> HostSpec:
        """One of its hosts, as if it were alone."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in HostSpec.model_fields}
        return HostSpec.model_construct(_fields_set=self.model_fields_set & fields.keys(), **fields)


@dataclass(frozen=True)
class NamedHost:
    """One of the hosts: its name, that of its pool, what it is, where it stands and what is said of it."""

    name: str
    pool: str
    spec: HostSpec
    zone: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    spare: bool = False  # whether it is not there at first and may come later

    def said(self, key: str) -> str | None:
        """What is said of it under the key of a constraint."""
        own = {"zone": self.zone, "pool": self.pool, "host": self.name}
        return own[key] if key in own else self.labels.get(key)


def may_stand(host: NamedHost, placement: PlacementSpec) -> bool:
    """Whether replicas may stand on a host by what is said of it: constraints hold, and taints that keep away are tolerated."""
    held = all((host.said(one.key) == one.value) == one.equal for one in placement.constraints)
    return held and not untolerated(host.taints, placement.tolerations)


def expanded(pools: Mapping[str, HostPoolSpec]) -> tuple[NamedHost, ...]:
    """The hosts of all pools, pool by pool: `node[0]`, `node[1]` ..., in their zones in turn."""
    found: list[NamedHost] = []
    for name, pool in pools.items():
        spec, zones = pool.host, pool.zone or (None,)
        found += [
            NamedHost(f"{name}[{n}]", name, spec, zones[n % len(zones)], pool.labels, pool.taints, spare=n >= pool.count)
            for n in range(pool.slots)]
    return tuple(found)
