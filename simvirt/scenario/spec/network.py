"""The network between hosts: switches, and links with a bandwidth and a latency."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from simvirt import units
from simvirt.scenario.fields import WRITTEN_BANDWIDTH, Nanoseconds, Word
from simvirt.scenario.spec.base import Spec
from simvirt.units import UnitError, shown

SWITCH_NS: Final = 1_000
"""Time that a switch takes to forward a packet [ns]; estimated.

Source: data sheets of data-centre switches, 0.3 us (cut-through) to 3 us (store and forward, deep buffers); Rumble et al., It's Time for
Low Latency, HotOS 2011, table 1: 10 to 30 us then, 1 us to be expected.
"""
CABLE_NS: Final = 100
"""Time of light in 20 m of cable, 5 ns a metre [ns]."""
MOST_SWITCHES: Final = 10_000
MOST_LINKS: Final = 100_000
_END: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_+-]*)(\[(?P<which>\*|\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*)\])?")

Bandwidth = Annotated[
    float, BeforeValidator(units.parse_bandwidth), WithJsonSchema({"type": "string", "examples": ["100Gbps"]}), WRITTEN_BANDWIDTH]
"""A bandwidth above 0 [bit/s]."""


def _ends(value: object) -> tuple[str, ...]:
    """The ends of links: a name, or a list of names; hosts of a pool as `node[0-1]`."""
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []
    if not names or len(names) > MOST_LINKS or not all(isinstance(name, str) and _END.fullmatch(name[:200]) for name in names):
        raise UnitError(f'expected a switch, a host as "node[0]", hosts as "node[0-1]" or a list of these; got {shown(value)}')
    return tuple(names)


Ends = Annotated[
    tuple[str, ...], BeforeValidator(_ends),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class SwitchSpec(Spec):
    """A switch: how long it takes to forward a packet. It forwards as fast as its links are. Times in ns."""

    example = "{latency: 1us}"
    latency: Nanoseconds = Field(default=SWITCH_NS, description="time that it takes to forward a packet", examples=["1us"])


class LinkSpec(Spec):
    """Links from each of some ends to each of others, each with its bandwidth in both directions apart. Times in ns."""

    example = '{from: "node[0-1]", to: tor-a, bandwidth: 25Gbps, latency: 100ns}'
    from_: Ends = Field(alias="from", description="one end: a switch, a host, hosts of a pool, or a list", examples=['"node[0-1]"'])
    to: Ends = Field(description="the other end", examples=["tor-a"])
    bandwidth: Bandwidth | None = Field(
        default=None, examples=["100Gbps"],
        description="bandwidth of each direction; by default that of the host's NIC, and between switches as much as is asked for")
    latency: Nanoseconds = Field(default=CABLE_NS, description="time of a packet on it, one way", examples=["5us"])


class NetworkSpec(Spec):
    """Switches and links between hosts."""

    example = '{switches: {tor: {}}, links: [{from: "node[*]", to: tor}]}'
    switches: Mapping[Word, SwitchSpec] = Field(
        min_length=1, max_length=MOST_SWITCHES, description="the switches, by name", examples=["{tor-a: {}, spine: {}}"])
    links: tuple[LinkSpec, ...] = Field(
        min_length=1, max_length=MOST_LINKS, description="what connects hosts and switches", examples=[f"[{LinkSpec.example}]"])

    @model_validator(mode="before")
    @classmethod
    def _switches_alone(cls, data: Any) -> Any:
        """`[tor-a, tor-b]` for switches without a word about them."""
        if isinstance(data, Mapping) and isinstance(data.get("switches"), list) and all(isinstance(s, str) for s in data["switches"]):
            return {**data, "switches": {name: {} for name in data["switches"]}}
        return data


def named(end: str, names: Mapping[str, int]) -> list[str]:
    """The names that an end stands for: a switch, a host, or those hosts of a pool; none where there is no such.

    `names`: of all hosts, as `node[0]`, and of all switches.
    """
    match = _END.fullmatch(end)
    if match is None or end in names:
        return [end] if end in names else []
    pool, which = match["name"], match["which"]
    if which is None or which == "*":
        return [name for name in names if name.startswith(f"{pool}[")]
    found = [f"{pool}[{n}]" for part in which.split(",") for n in _numbers(part)]
    return found if all(name in names for name in found) else []


def _numbers(part: str) -> range:
    """`3` or `0-2` as numbers; those of a range that runs backwards are none."""
    first, _, last = part.partition("-")
    return range(int(first), min(int(last or first), 10**6) + 1)


def pairs(link: LinkSpec, names: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The ends of all links that an entry stands for, among the `names` that there are."""
    ends = [[name for end in side for name in named(end, names)] for side in (link.from_, link.to)]
    return ((source, to) for source in ends[0] for to in ends[1] if source != to)
