"""What a migration needs to know of the VM that moves: its memory, what it writes, and the rules of what moves it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.memory import UP, memory_of_run
from simvirt.lowering.arrange import INTERNAL, Instance
from simvirt.memory.boxes import Box, Replica, follow_guest
from simvirt.migration.rules import Pace, Rules, Throttle
from simvirt.migration.writes import PAGE, Writes

S = 1e9


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
    )


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
        plane, rows = self.cluster.plane, {one.row for one in self.instances}
        first = plane.lowered.arrangement.machines[self.machine].host
        followed = plane.memories.get(self.cluster.host_of(self.instances[0].row))
        memory = memory_of_run(plane.lowered, host=first) if followed is None else followed.memory
        box = next(box for box in memory.boxes if any(replica.row in rows for replica in box.replicas))
        if followed is None:
            for replica in box.replicas:
                replica.load = plane.lowered.memories[first].there.loads.get(replica.service, replica.load)
            memory.follow_data()
            follow_guest(box)
        return box

    def look(self) -> Seen:
        """What there is now."""
        plane = self.cluster.plane
        return Seen(int(self.cluster.clock.now), plane.read("services", "completed").copy(), plane.read("instances", "cpu_time").copy())

    def writes(self, since: Seen) -> Writes:
        """How it has written to its memory since a look: its own system, and what requests have written that its instances answered.

        A service's answers are divided among its instances as the CPU time that each has used.
        """
        now, box = self.look(), self.box
        seconds = (now.at - since.at) / S
        written = sum(dirty_of(replica) * self._answered(replica, since, now) for replica in box.replicas)
        return Writes(self.entry.idle + (written / seconds if seconds > 0 else 0.0), writable(box))

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


def sizes_of(box: Box, entry: MigratorEntry) -> tuple[float, float]:
    """What of a VM's memory has content, and what is sent for all of it: pages that were never written are nearly nothing [bytes]."""
    assert box.guest is not None
    written = min(box.guest.touched, box.guest.size)
    return written, written + (box.guest.size - written) / PAGE * entry.empty


def writable(box: Box) -> float:
    """The writable working set of a VM [bytes]: what requests keep touching and take, files to be written, its own system."""
    assert box.guest is not None
    mine = sum(one.hot + one.needs.per_request * one.load.requests for one in box.replicas if one.live)
    return float(min(mine + box.guest.written + box.guest.os, max(box.guest.touched, PAGE)))


def dirty_of(replica: Replica) -> float:
    """What a request writes to pages of memory [bytes]: as stated, else all that it touches, takes and leaves; what it writes to files."""
    needs = replica.needs
    stated = needs.touch + needs.per_request + needs.growth if needs.dirty is None else needs.dirty
    return float(stated + needs.written)


def vm_sizes(cluster: Cluster) -> dict[int, float]:
    """The memory of each VM, by the row of its kernel [bytes]."""
    lowered, found = cluster.plane.lowered, dict[int, float]()
    for host in range(len(lowered.hosts)):
        for box in memory_of_run(lowered, host=host).boxes:
            if box.guest is not None and box.replicas:
                found[cluster.instance(box.replicas[0].row).machine] = box.guest.size
    return found
