"""What a migration needs to know of the VM that moves: its memory, what it writes, and the rules of what moves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.memory import UP, memory_of_run
from simvirt.lowering.arrange import INTERNAL, Instance
from simvirt.memory.boxes import Box, Replica, follow_guest
from simvirt.memory.boxes import Guest as Memory
from simvirt.memory.host_memory import HostMemory
from simvirt.migration.coding import Coding
from simvirt.migration.rules import Pace, Rules, Throttle
from simvirt.migration.writes import PAGE, Together, Writes

S = 1e9


def host_named(cluster: Cluster, name: str) -> int:
    """The host of a name."""
    return next(host.row for host in cluster.plane.lowered.arrangement.hosts if host.site.named.name == name)


def rules_of(entry: MigratorEntry) -> Rules:
    """What an entry says of pre-copy, in bytes and seconds."""
    throttle = None
    if entry.trigger is not None:
        assert entry.first is not None and entry.step is not None and entry.most is not None and entry.strikes is not None
        throttle = Throttle(entry.trigger, entry.first, entry.step, entry.most, entry.strikes)
    pace = None
    if entry.pace is not None:
        assert entry.above is not None and entry.fastest is not None
        pace = Pace(entry.pace, entry.above, entry.fastest)
    return Rules(
        bandwidth=entry.bandwidth, downtime=None if entry.downtime is None else entry.downtime / S, least=entry.least, rounds=entry.rounds,
        factor=entry.factor, patience=None if entry.patience is None else entry.patience / S, throttle=throttle, pace=pace, stun=entry.stun,
        grows=entry.grows, progress=None if entry.progress is None else entry.progress / S, cancels=entry.cancels,
    )


def coding_of(entry: MigratorEntry) -> Coding:
    """What an entry says of how pages are sent."""
    return Coding(entry.ratio, entry.cache, float(entry.delta or 0.0), float(entry.pack or 0.0), float(entry.unpack or 0.0))


@dataclass(frozen=True)
class Seen:
    """What there was at an instant [ns]: answered requests of each service, CPU time of each instance [ns]."""

    at: int
    answered: np.ndarray
    used: np.ndarray


@dataclass
class Guest:
    """A VM with its instances, as a migration sees it."""

    cluster: Cluster
    machine: int
    entry: MigratorEntry

    @cached_property
    def instances(self) -> list[Instance]:
        """Replicas in it."""
        plan = self.cluster.plane.lowered.arrangement
        return [one for one in plan.instances if one.machine == self.machine and one.service not in INTERNAL]

    @property
    def is_up(self) -> bool:
        """Whether anything in it runs."""
        return any(int(self.cluster.plane.read("instances", "life")[one.row]) in UP for one in self.instances)

    @property
    def box(self) -> Box:
        """Its memory as it is now: as it is followed, else as at the mean load."""
        return box_of(self.cluster, self.instances[0].row)

    def look(self) -> Seen:
        """What there is now."""
        plane = self.cluster.plane
        return Seen(int(self.cluster.clock.now), plane.read("services", "completed").copy(), plane.read("instances", "cpu_time").copy())

    def writes(self, since: Seen) -> Together:
        """How it has written to its memory since a look: its own system, and each replica as far as it has answered requests.

        A service's answers are divided among its instances as the CPU time that each has used.
        """
        now, box = self.look(), self.box
        seconds, most = max((now.at - since.at) / S, 1.0 / S), max(_guest_of(box).touched, float(PAGE))
        rates = [dirty_of(one) * self._answered(one, since, now) / seconds for one in box.replicas]
        replicas = (Writes(rate, min(writable_of(one), most)) for one, rate in zip(box.replicas, rates, strict=True))
        return Together((Writes(self.entry.idle, min(_guest_of(box).os, most)), *replicas))

    def touched(self, since: Seen) -> float:
        """Pages that requests have touched since a look."""
        now = self.look()
        return sum(replica.needs.touch / PAGE * self._answered(replica, since, now) for replica in self.box.replicas)

    def _answered(self, replica: Replica, since: Seen, now: Seen) -> float:
        """Requests that a replica has answered between two looks."""
        plane = self.cluster.plane
        service, rows = plane.lowered.services.index(replica.service), plane.instances_of(replica.service)
        used, all_used = now.used - since.used, float((now.used - since.used)[rows].sum())
        share = float(used[replica.row]) / all_used if all_used > 0 else 1.0 / len(rows)
        return float(now.answered[service] - since.answered[service]) * share


def _guest_of(box: Box) -> Memory:
    """The VM's own part of a box."""
    assert box.guest is not None
    return box.guest


def sizes_of(box: Box, entry: MigratorEntry) -> tuple[float, float]:
    """What of a VM's memory has content, and what is sent for all of it: pages that were never written are nearly nothing [bytes]."""
    guest = _guest_of(box)
    written = min(guest.touched, guest.size)
    return written, written + (guest.size - written) / PAGE * entry.empty


def writable(box: Box) -> float:
    """The writable working set of a VM [bytes]."""
    return min(sum(writable_of(one) for one in box.replicas if one.live) + _guest_of(box).os, max(_guest_of(box).touched, float(PAGE)))


def writable_of(replica: Replica) -> float:
    """That of a replica: what requests keep touching and take, and files to be written [bytes]."""
    return float(replica.hot + replica.needs.per_request * replica.load.requests + replica.dirty + replica.written)


def dirty_of(replica: Replica) -> float:
    """What a request writes to pages of memory [bytes]: as stated, else all that it touches, takes and leaves; what it writes to files."""
    needs = replica.needs
    stated = needs.touch + needs.per_request + needs.growth if needs.dirty is None else needs.dirty
    return float(stated + needs.written)


def box_of(cluster: Cluster, row: int, known: dict[int, HostMemory] | None = None) -> Box:
    """The memory of what an instance is in: as it is followed, else as at the mean load; that of one like it where it came later.

    `known` is filled with the memory of hosts, for those who ask for many.
    """
    service, alike = cluster.instance(row).service, None
    first = cluster.plane.lowered.arrangement.machines[cluster.instance(row).machine].host
    for memory in _memories(cluster, first, {} if known is None else known):
        for box in memory.boxes:
            if any(replica.row == row for replica in box.replicas):
                return box
            if alike is None and len(box.replicas) == 1 and box.replicas[0].service == service:
                alike = replace(box, replicas=[replace(box.replicas[0], row=row, live=True)])
    if alike is None:
        raise LookupError(f"nothing is known of the memory of {service}")
    return alike


def _memories(cluster: Cluster, first: int, known: dict[int, HostMemory]) -> Iterator[HostMemory]:
    """The memory of all hosts, one of them first: as it is followed, else as at the mean load."""
    for host in sorted(range(len(cluster.plane.lowered.hosts)), key=lambda host: host != first):
        if host not in known:
            followed = cluster.plane.memories.get(host)
            known[host] = at_mean_load(cluster, host) if followed is None else followed.memory
        yield known[host]


def at_mean_load(cluster: Cluster, host: int) -> HostMemory:
    """The memory of what began on a host, as at the mean load."""
    lowered = cluster.plane.lowered
    memory, loads = memory_of_run(lowered, host=host), lowered.memories[host].there.loads
    for box in memory.boxes:
        for replica in box.replicas:
            replica.load = loads.get(replica.service, replica.load)
    memory.follow_data()
    for box in memory.boxes:
        if box.guest is not None:
            follow_guest(box)
    return memory


def vm_sizes(cluster: Cluster) -> dict[int, float]:
    """The memory of each VM, by the row of its kernel [bytes]."""
    lowered, found = cluster.plane.lowered, dict[int, float]()
    for host in range(len(lowered.hosts)):
        for box in memory_of_run(lowered, host=host).boxes:
            if box.guest is not None and box.replicas:
                found[cluster.instance(box.replicas[0].row).machine] = box.guest.size
    return found
