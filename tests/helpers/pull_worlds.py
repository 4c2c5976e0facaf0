"""Hosts and registries in which pulls take place without a data plane: CPUs and disks that share nothing but what a test gives them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import simpy

from simvirt.catalog import Catalog
from simvirt.catalog.entries.images import RegistryEntry
from simvirt.control.pull import Pulled, Pulls, pull
from simvirt.control.registries import Registry
from simvirt.images.layers import Image, Layer
from simvirt.images.plan import Engine
from simvirt.images.resolve import named_engine


@dataclass
class Wire:
    """Transfers that do not feel each other: each at its cap, or at the rate of the wire; what moved from and to each place."""

    clock: simpy.Environment
    rate: float = 1e9
    moved: dict[tuple[str, str], int] = field(default_factory=dict)
    most: int = 0
    _now: int = 0

    def reaches(self, source: str, to: str) -> bool:
        """Nothing cuts it."""
        return True

    def break_off(self, transfer: simpy.Event) -> None:
        """What moves comes to its end."""

    def transfer(self, source: str, to: str, size: int, cap: float | None = None, patience: int | None = None) -> simpy.Event:
        """The end of a transfer, for which everybody waits."""
        return self.clock.process(self._move(source, to, size, min(cap or self.rate, self.rate)))

    def _move(self, source: str, to: str, size: int, rate: float) -> Generator[simpy.Event, Any, None]:
        self._now += 1
        self.most = max(self.most, self._now)
        yield self.clock.timeout(round(size / rate * 1e9))
        self._now -= 1
        self.moved[source, to] = self.moved.get((source, to), 0) + size


@dataclass
class Bench:
    """Work on hosts: CPU work takes its time, a write that of a disk of so many bytes a second; what each host did."""

    clock: simpy.Environment
    disk: float = 1e12
    computed: dict[int, float] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)

    def perform(self, host: int, cpu_ns: float, write: int = 0, flushes: int = 0) -> Generator[simpy.Event, Any, None]:
        """CPU work, then writes, of which flushes take no time."""
        self.computed[host] = self.computed.get(host, 0.0) + cpu_ns
        self.written[host] = self.written.get(host, 0) + write
        yield self.clock.timeout(round(cpu_ns + write / self.disk * 1e9))


@dataclass
class World:
    """A clock, pulls of hosts named `node[0]` and so on, and registries."""

    puller: str = "containerd"
    changes: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 1e9
    disk: float = 1e12
    capacity: int = 0

    def __post_init__(self) -> None:
        self.clock = simpy.Environment()
        self.catalog = Catalog.load(self.changes)
        engine = named_engine(self.catalog, self.puller, self.catalog.host_model())
        self.wire, self.bench = Wire(self.clock, self.rate), Bench(self.clock, self.disk)
        self.pulls = Pulls(self.clock, self.wire, self.bench, lambda _host: engine, "node[{}]".format, lambda _host: self.capacity)

    @property
    def engine(self) -> Engine:
        """How the hosts pull."""
        return self.pulls.engine(0)

    def registry(self, entry: str = "ghcr", **more: Any) -> Registry:
        """A registry of the catalogue."""
        return Registry(entry, entry, self.catalog.typed("registries", entry, RegistryEntry), **more)

    def pulled(self, registry: Registry, *wanted: tuple[int, Image]) -> list[Pulled]:
        """Pulls at once, and the records of all who asked."""
        asked = [self.clock.process(pull(self.pulls, host, image, registry)) for host, image in wanted]
        self.clock.run(self.clock.all_of(asked))
        return [cast("Pulled", process.value) for process in asked]


def image(name: str, *sizes: int, ratio: float = 2.0, touched: int = 0) -> Image:
    """An image of layers of its own, each one file."""
    return Image(name, tuple(Layer(f"{name}/{n}", size, round(size * ratio), 1) for n, size in enumerate(sizes)), touched)


def on_base(base: Image, name: str, *sizes: int) -> Image:
    """An image on the layers of another."""
    return Image(name, (*base.layers, *image(name, *sizes).layers))
