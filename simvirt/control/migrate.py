"""Which VMs move, as the timeline or an orchestrator says, how many at a time, and what ends a migration before its end.

*Model*: each host takes part in so many migrations at a time as its migrator lets it; others wait for their turn. Without a host to go to
    a VM goes to the one with the most memory left. What a migration does is that of `simvirt.control.moving`.
*Source*: QEMU docs/devel/migration; vSphere documentation, limits on simultaneous migrations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import simpy

from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process, rows_of
from simvirt.control.moves import Guest, S, rules_of, vm_sizes
from simvirt.control.moving import Moving
from simvirt.control.pulling import transfers_of
from simvirt.control.records import Move
from simvirt.control.transfers import Transfers
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.workload.streams import OWN_VM

UNMOVED: Final = "snapshot"
"""The entry that says what the checkpoint of a VM takes which nothing moves while it runs."""


def follow_moves(cluster: Cluster) -> None:
    """Let the migrations of the timeline happen."""
    events = [event for event in cluster.scenario.timeline if event.moves]
    if events and (migrations := migrations_of(cluster)) is not None:
        for event in events:
            cluster.clock.process(_move(migrations, event))


def migrations_of(cluster: Cluster) -> Migrations | None:
    """The migrations of a cluster, the same whoever asks; None where there are no VMs."""
    platform, found = cluster.plane.lowered.platform, cluster.migrations
    if not platform.hypervisors or isinstance(found, Migrations):
        return found if isinstance(found, Migrations) else None
    entry = cluster.catalog.typed("migrators", platform.migrator or UNMOVED, MigratorEntry)
    cluster.migrations = made = Migrations(cluster, transfers_of(cluster), entry)
    return made


def _move(migrations: Migrations, event: TimelineEvent) -> Process:
    """The VMs of a service, or all that are on a host, move, at the instant of the event."""
    cluster = migrations.cluster
    yield cluster.clock.timeout(event.at)
    to = host_named(cluster, event.to) if event.to is not None else None
    if event.drain is not None:
        machines = migrations.empty(host_named(cluster, event.drain))
    else:
        machines = list(dict.fromkeys(cluster.instance(row).machine for row in rows_of(cluster.clock, event, event.service)))
    for machine in machines:
        cluster.clock.process(migrations.migrate(machine, to, event.way, event.storage == "copy"))


def host_named(cluster: Cluster, name: str) -> int:
    """The host of a name."""
    return next(host.row for host in cluster.plane.lowered.arrangement.hosts if host.site.named.name == name)


@dataclass
class Migrations:
    """The migrations of a cluster, and places for those of each host at a time."""

    cluster: Cluster
    transfers: Transfers
    entry: MigratorEntry
    _places: dict[int, simpy.Resource] = field(default_factory=dict)
    _drained: set[int] = field(default_factory=set)
    _setups: dict[int, simpy.Resource] = field(default_factory=dict)
    _ways: dict[int, int] = field(default_factory=dict)  # machine: where it moves to
    _under_way: dict[int, tuple[Move, simpy.Process]] = field(default_factory=dict)  # machine: its move

    def __post_init__(self) -> None:
        self.cluster.watchers.append(self.lose)

    def place(self, host: int) -> simpy.Resource:
        """Places for the migrations from and to a host."""
        if host not in self._places:
            self._places[host] = simpy.Resource(self.cluster.clock, int(self.entry.at_once))
            self._setups[host] = simpy.Resource(self.cluster.clock)
        return self._places[host]

    def may_move(self, machine: int) -> bool:
        """Whether a kernel is that of a VM that one replica has for itself, and does not move now."""
        guest = self.cluster.plane.lowered.arrangement.machines[machine]
        return guest.vm is not None and guest.key[0] == OWN_VM and machine not in self._ways

    @cached_property
    def bandwidth(self) -> float:
        """What a migration alone has at most: its own limit, and the slowest link between hosts [bytes/s]."""
        inner = self.transfers.capacities[: self.transfers.topology.inner]
        return min(float(inner.min(initial=math.inf)) * S, float(self.entry.bandwidth or math.inf))

    def migrate(self, machine: int, to: int | None, how: str = "pre-copy", copies_disk: bool = False) -> Process:
        """Move a VM to a host, by default the one with the most memory left; nothing where it stands there, or moves already."""
        cluster, guest = self.cluster, Guest(self.cluster, machine, self.entry)
        source = cluster.plane.host_of_machine(machine)
        if source == to or machine in self._ways:
            return
        to = self.roomiest(machine) if to is None else to
        first = guest.instances[0]
        move = Move(first.service, cluster.number_of(first.row), source, to, how, int(cluster.clock.now))
        cluster.moves.append(move)
        moving = Moving(cluster, self.transfers, self.entry, guest, move, rules_of(self.entry))
        assert cluster.clock.active_process is not None
        self._ways[machine], self._under_way[machine] = to, (move, cluster.clock.active_process)
        try:
            yield from self._in_turn(moving, copies_disk)
        except simpy.Interrupt as lost:
            moving.give_up(str(lost.cause))
        finally:
            del self._ways[machine], self._under_way[machine]

    def _in_turn(self, moving: Moving, copies_disk: bool) -> Process:
        """A migration, once both hosts have a place for it."""
        ends = sorted((moving.move.source, moving.move.to))
        with self.place(ends[0]).request() as one, self.place(ends[1]).request() as other:
            yield one
            yield other
            if not moving.guest.is_up:
                moving.give_up("it was not up")
                return
            yield from self._set_up(moving.move.source)
            yield from moving.run(copies_disk)

    def lose(self, host: int) -> None:
        """Takes in that a host is gone: migrations from and to it end."""
        for move, process in list(self._under_way.values()):
            if host in (move.source, move.to) and process.is_alive:
                process.interrupt(f"{self.cluster.name_of(host)} was lost")

    def forget(self, machine: int) -> None:
        """Takes in that a VM is switched off: it does not move any more."""
        if machine in self._under_way:
            _, process = self._under_way[machine]
            if process.is_alive and process is not self.cluster.clock.active_process:
                process.interrupt("it was switched off")

    def roomiest(self, machine: int) -> int:
        """The other host with the most memory left, by what VMs are promised."""
        cluster, plan = self.cluster, self.cluster.plane.lowered.arrangement
        here, left = cluster.plane.host_of_machine(machine), {host.row: float(host.entry.memory) for host in plan.hosts}
        for one, size in self._sizes.items():
            left[self._bound_for(one)] -= size
        others = [host for host in left if host != here]
        return max([host for host in others if host not in self._drained] or others, key=lambda host: left[host])

    @cached_property
    def _sizes(self) -> dict[int, float]:
        """The memory of each VM [bytes]."""
        return vm_sizes(self.cluster)

    def empty(self, host: int) -> list[int]:
        """The VMs on a host, or on their way to it, of which none comes there from now on unless it is said."""
        self._drained.add(host)
        return [machine for machine in self._sizes if self._bound_for(machine) == host]

    def _bound_for(self, machine: int) -> int:
        """The host that a VM stands on, or is on its way to."""
        return self._ways.get(machine, self.cluster.plane.host_of_machine(machine))

    def _set_up(self, source: int) -> Process:
        """Prepare the other side; a part of that is done for one after the other."""
        clock = self.cluster.clock
        if self.entry.serial is not None:
            with self._setups[source].request() as turn:
                yield turn
                yield clock.timeout(round(self.entry.serial))
        yield clock.timeout(round(self.entry.setup))
