"""What no file says and an import assumes: demands, calls, load, hosts, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from simvirt.catalog.entries.demands import DemandEntry
from simvirt.importers.placing import Pool


@dataclass(frozen=True, slots=True)
class Assumed:
    """A number or a call that no file says: the key in the scenario, its value, and why."""

    path: str
    value: str
    reason: str
    demand: bool = False


@dataclass(slots=True)
class Guesses:
    """What completes an application to a scenario."""

    image: dict[str, str | None] = field(default_factory=dict)
    profile: dict[str, str] = field(default_factory=dict)
    demand: dict[str, DemandEntry] = field(default_factory=dict)
    calls: dict[str, list[str]] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    rate: str = ""
    objective: str = ""
    cores: int = 0
    memory: int = 0
    pools: tuple[Pool, ...] = ()
    assumed: list[Assumed] = field(default_factory=list)
