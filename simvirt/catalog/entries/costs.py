"""What an operation costs, as written in YAML, part by part, and which parts a simulation charges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, model_validator

from simvirt.catalog.entries.entry import Part, Source
from simvirt.catalog.operations import DISK_OPERATIONS, OPERATIONS, RATE_OPERATIONS
from simvirt.catalog.sourced import SourcedRate, SourcedWork


def _terms(raw: Any) -> Any:
    """A part given as one number is a sum of one term."""
    if isinstance(raw, (list, tuple)) and not raw:
        raise ValueError("expected at least one term, for example [{value: 2us, source: ...}, {value: 3 entries, source: ...}]")
    return raw if raw is None or isinstance(raw, (list, tuple)) else (raw,)


Terms = Annotated[tuple[SourcedWork, ...] | None, BeforeValidator(_terms)]
"""A part of a cost: one number, or a sum of numbers in different units, each with a source of its own."""


class CostSpec(Part):
    """What one operation costs on a platform, part by part; `none` says why it costs nothing.

    A part may be a list of numbers, which add up: what takes the same time on each host, and what each host's exits or entries make of it.
    """

    cpu: Terms = None
    spared: Terms = None
    latency: Terms = None
    host_cpu: Terms = None
    drive: Terms = None
    kick: Terms = None
    notify: Terms = None
    interrupt: Terms = None
    wake: Terms = None
    host_wake: Terms = None
    host_interrupt: Terms = None
    none: Source | None = None

    @model_validator(mode="after")
    def _complete(self) -> CostSpec:
        if (self.none is None) == all(getattr(self, part) is None for part in PARTS):
            raise ValueError(f'expected {", ".join(PARTS)}, or else none: "why it costs nothing", with its source')
        return self


PARTS: Final[Mapping[str, str]] = {
    "cpu": "CPU work in the instance", "spared": "CPU work of the instance's own that falls away", "latency": "latency without CPU",
    "host_cpu": "CPU work of the backend's thread", "drive": "CPU work of the backend's thread beyond that where it waits for a drive",
    "kick": "CPU work in the instance to notify a backend that does not look for its work",
    "notify": "CPU work in the instance to wake a sleeping backend", "interrupt": "CPU work in the instance to take an interrupt",
    "wake": "latency until a sleeping backend runs",
    "host_wake": "CPU work of the backend's thread each time that it slept, whatever it finds then",
    "host_interrupt": "CPU work of the backend's thread to raise an interrupt",
}
"""Part of a cost -> what it is."""


def _operations(costs: Any) -> Any:
    """Refuses unknown operations, all at once."""
    if isinstance(costs, Mapping) and (unknown := sorted(set(costs) - set(OPERATIONS))):
        raise ValueError(f"expected costs of {', '.join(OPERATIONS)}; unknown: {unknown}")
    return costs


def _rates(rates: Any) -> Any:
    """Refuses unknown rates, all at once."""
    if isinstance(rates, Mapping) and (unknown := sorted(set(rates) - set(RATE_OPERATIONS))):
        raise ValueError(f"expected rates of {', '.join(RATE_OPERATIONS)}; unknown: {unknown}")
    return rates


Costs = Annotated[dict[str, CostSpec], BeforeValidator(_operations)]
Rates = Annotated[dict[str, SourcedRate], BeforeValidator(_rates)]


def acting_parts(operation: str, vm: bool, served: bool = False) -> tuple[str, ...]:
    """The parts of an operation's cost that a simulation charges, in a VM or a container; `served`: one whose network has threads."""
    if operation == "call_hop":
        return ("latency",)
    if operation == "idle_wakeup":
        return ("cpu", "latency") if vm else ()
    if operation in RATE_OPERATIONS:
        return ("cpu", "spared", "latency")
    if not vm:
        threads = () if not served else ("host_cpu",) if operation.startswith("kib_") else ("host_cpu", "wake")
        return ("cpu", *threads) if operation.startswith("kib_") else ("cpu", "latency", *threads)
    drive = ("drive",) if operation in DISK_OPERATIONS else ()
    messages = () if operation.startswith("kib_") else ("latency", "kick", "notify", "interrupt", "wake", "host_wake", "host_interrupt")
    return ("cpu", "host_cpu", *drive, *messages)


def check_costs(costs: Mapping[str, CostSpec], expected: tuple[str, ...], vm: bool, served: bool = False) -> None:
    """ValueError where an expected operation has no cost, another one has, or a cost has a part that nothing would charge."""
    missing, foreign = [name for name in expected if name not in costs], sorted(set(costs) - set(expected))
    if missing or foreign:
        raise ValueError(f"expected a cost for each of {', '.join(expected)}; not its own: {foreign}; missing: {missing}")
    refuse_idle_parts(costs, vm, served)


def refuse_idle_parts(costs: Mapping[str, CostSpec], vm: bool, served: bool = False) -> None:
    """ValueError where a cost has a part that nothing would charge."""
    for operation, cost in costs.items():
        refuse_parts(f"costs.{operation}", cost, acting_parts(operation, vm, served))


def refuse_parts(where: str, cost: CostSpec, known: tuple[str, ...]) -> None:
    """ValueError where a cost has a part that is not among those known."""
    idle = [part for part in PARTS if getattr(cost, part) is not None and part not in known]
    if idle:
        raise ValueError(f"{where}.{idle[0]}: has no effect; expected {' or '.join(known) or 'none'}")
