"""Hosts as placement sees them, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from simvirt.catalog.records import HostEntry
from simvirt.scenario.spec.cluster import Constraint, NamedHost
from simvirt.scenario.spec.services import ServiceSpec

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass
class Hosts:
    """All hosts, one place each in every array: what is said of them, how large they are, and how many replicas they have."""

    names: Sequence[str]
    said: Mapping[str, NDArray[np.object_]]  # key of a constraint: its value on each host, None where a host has none
    cpus: Counts  # hardware threads
    sockets: Counts
    memory: Counts  # [bytes]
    total: Counts
    of: dict[str, Counts] = field(default_factory=dict)  # service: its replicas
    room: dict[str, Counts] = field(default_factory=dict)  # resource: what a host has for replicas; CPU in thousandths
    taken: dict[str, Counts] = field(default_factory=dict)  # resource: what replicas there have reserved
    failures: dict[str, Counts] = field(default_factory=dict)  # service: its recent failures

    def of_service(self, name: str) -> Counts:
        """Replicas of a service on each host."""
        return self.of.setdefault(name, np.zeros(len(self.names), np.int64))

    def room_of(self, resource: str) -> Counts:
        """What each host has of a resource: thousandths of a CPU, bytes, pieces."""
        if resource not in self.room:
            own = {"cpu": self.cpus * 1000, "memory": self.memory}
            self.room[resource] = own.get(resource, np.zeros(len(self.names), np.int64))
        return self.room[resource]

    def taken_of(self, resource: str) -> Counts:
        """What is reserved of a resource on each host."""
        return self.taken.setdefault(resource, np.zeros(len(self.names), np.int64))

    def failures_of(self, service: str) -> Counts:
        """Recent failures of a service on each host."""
        return self.failures.setdefault(service, np.zeros(len(self.names), np.int64))

    def add(self, service: str, host: int, reserves: Mapping[str, int] | None = None) -> None:
        """A replica of a service now stands on a host, and reserves something of it."""
        self._change(service, host, reserves or {}, 1)

    def remove(self, service: str, host: int, reserves: Mapping[str, int] | None = None) -> None:
        """A replica of a service no longer stands on a host."""
        self._change(service, host, reserves or {}, -1)

    def _change(self, service: str, host: int, reserves: Mapping[str, int], sign: int) -> None:
        self.of_service(service)[host] += sign
        self.total[host] += sign
        for resource, amount in reserves.items():
            self.taken_of(resource)[host] += sign * amount

    def only(self, able: Sequence[bool]) -> Hosts:
        """A copy to count in, in which hosts that take nothing new have no CPUs."""
        cpus = np.where(np.asarray(able, bool), self.cpus, -1)
        return replace(self, cpus=cpus, total=self.total.copy(), of={name: counts.copy() for name, counts in self.of.items()})


@dataclass(frozen=True)
class Asked:
    """What one replica needs of its host."""

    service: str
    constraints: tuple[Constraint, ...] = ()
    spread: str | None = None  # what is said of hosts over whose values replicas are spread first
    most: int | None = None  # replicas of the service on a host
    cpus: float = 0.0  # the host must have at least
    sockets: int = 0
    memory: int = 0  # [bytes]
    reserves: Mapping[str, int] = field(default_factory=dict)  # resource: what is kept for it alone


def hosts_of(named: Sequence[NamedHost], entries: Sequence[HostEntry]) -> Hosts:
    """The hosts of a scenario, with nothing on them."""
    keys = dict.fromkeys(["zone", "pool", "host", *(key for host in named for key in host.labels)])
    said = {key: np.array([host.said(key) for host in named], object) for key in keys}
    cpus, sockets, memory = (np.array([getattr(entry, name) for entry in entries], np.int64) for name in ("pcpus", "sockets", "memory"))
    return Hosts([host.name for host in named], said, cpus, sockets, memory, np.zeros(len(named), np.int64))


def asked_by(name: str, spec: ServiceSpec) -> Asked:
    """What a replica of a service asks: what is said of its placement, and a host that has what it is limited and bound to."""
    placement = spec.placement
    bound, nodes = max(spec.cpuset or (-1,)) + 1, max(spec.cpuset_mems or (-1,)) + 1
    return Asked(
        name, placement.constraints, placement.spread, placement.max_replicas_per_node, max(spec.cpu_limit or 0.0, float(bound)), nodes,
        spec.memory_limit or 0,
    )
