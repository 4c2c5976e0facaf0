"""Hosts as placement sees them, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from simvirt.catalog.records import HostEntry
from simvirt.scenario.spec.cluster import Constraint, NamedHost
from simvirt.scenario.spec.scheduling import PRESSURE, AffinitySpec, Taint, Toleration, TopologySpreadSpec
from simvirt.scenario.spec.services import ServiceSpec

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
Reserves = Literal["reservations", "requests"]
"""What of a service is kept free for its replicas alone: what it reserves, or requests with limits in their place."""
UNSAID: Final[Mapping[str, int]] = {"cpu": 100, "memory": 200 * 1024**2}
"""What a replica that reserves nothing counts as where hosts are scored [thousandths of a CPU, bytes]: Kubernetes' GetNonzeroRequests."""


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
    counted: dict[str, Counts] = field(default_factory=dict)  # the same, where a replica that reserves nothing counts as a small one
    failures: dict[str, Counts] = field(default_factory=dict)  # service: its recent failures
    taints: Sequence[Sequence[Taint]] = ()  # of each host; none of any where it is empty

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

    def counted_of(self, resource: str) -> Counts:
        """The same where a replica that reserves nothing counts as a small one."""
        return self.counted.setdefault(resource, np.zeros(len(self.names), np.int64))

    def values_of(self, key: str) -> NDArray[np.object_]:
        """What is said of each host under a key; None where nothing is."""
        return self.said[key] if key in self.said else np.full(len(self.names), None, object)

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
        for resource, least in UNSAID.items():
            self.counted_of(resource)[host] += sign * reserves.get(resource, least)

    def only(self, able: Sequence[bool]) -> Hosts:
        """A copy to count in, in which hosts that take nothing new have no CPUs."""
        cpus = np.where(np.asarray(able, bool), self.cpus, -1)
        room = {name: self.room_of(name) for name in ("cpu", "memory")}
        return replace(
            self, cpus=cpus, total=self.total.copy(), of=_copied(self.of), room=room, taken=_copied(self.taken),
            counted=_copied(self.counted), failures=_copied(self.failures))


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
    tolerations: tuple[Toleration, ...] = ()
    topologies: tuple[TopologySpreadSpec, ...] = ()
    affinity: tuple[AffinitySpec, ...] = ()


def hosts_of(named: Sequence[NamedHost], entries: Sequence[HostEntry]) -> Hosts:
    """The hosts of a scenario, with nothing on them."""
    keys = dict.fromkeys(["zone", "pool", "host", *(key for host in named for key in host.labels)])
    said = {key: np.array([host.said(key) for host in named], object) for key in keys}
    cpus, sockets, memory = (np.array([getattr(entry, name) for entry in entries], np.int64) for name in ("pcpus", "sockets", "memory"))
    taints = [host.taints for host in named] if any(host.taints for host in named) else ()
    return Hosts([host.name for host in named], said, cpus, sockets, memory, np.zeros(len(named), np.int64), taints=taints)


def _copied(counts: Mapping[str, Counts]) -> dict[str, Counts]:
    return {name: each.copy() for name, each in counts.items()}


def asked_by(name: str, spec: ServiceSpec, reserves: Reserves | None = None) -> Asked:
    """What a replica of a service asks: what is said of its placement, and a host that has what it is limited and bound to."""
    placement = spec.placement
    bound, nodes = max(spec.cpuset or (-1,)) + 1, max(spec.cpuset_mems or (-1,)) + 1
    most = 1 if spec.is_global else placement.max_replicas_per_node
    reserved = reserved_by(spec, reserves)
    tolerated = (*placement.tolerations, Toleration(PRESSURE.key, "Exists")) if reserved else placement.tolerations
    return Asked(
        name, placement.constraints, placement.spread, most, max(spec.cpu_limit or 0.0, float(bound)), nodes,
        spec.memory_limit or 0, reserved, tolerated, placement.topology_spread, placement.affinity,
    )


def reserved_by(spec: ServiceSpec, reserves: Reserves | None) -> dict[str, int]:
    """What is kept for a replica alone: its reservations, or as requests, which are as large as its limits where only these are given."""
    if reserves is None:
        return {}
    limits = (spec.cpu_limit, spec.memory_limit) if reserves == "requests" else (None, None)
    cpu, memory = spec.cpu_reservation, spec.memory_reservation
    asked = {"cpu": limits[0] if cpu is None else cpu, "memory": limits[1] if memory is None else memory}
    return {name: round(amount * (1000 if name == "cpu" else 1)) for name, amount in asked.items() if amount}
