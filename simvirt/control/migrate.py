"""Which VMs and containers move, as the timeline or an orchestrator says, how many at a time, and what ends a migration before its end.

*Model*: each host takes part in so many migrations at a time as its migrator lets it; others wait for their turn. Without a host to go to
    a VM goes to the one with the most memory left. What a migration does is that of `simvirt.control.moving` and `checkpoint`.
*Source*: QEMU docs/devel/migration; vSphere documentation, limits on simultaneous migrations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, Protocol

import simpy

from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.checkpoint import Carried
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process, rows_of
from simvirt.control.memory import UP
from simvirt.control.moves import Guest, S, host_named, rules_of, vm_sizes
from simvirt.control.moving import Dead, Moving
from simvirt.control.pulling import transfers_of
from simvirt.control.records import Move
from simvirt.control.transfers import Transfers
from simvirt.lowering.arrange import INTERNAL
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.workload.streams import OWN_VM

UNMOVED: Final = "snapshot"
"""The entry that says what the checkpoint of a VM takes which nothing moves while it runs."""


def follow_moves(cluster: Cluster) -> None:
    """Let the migrations of the timeline happen."""
    events = [event for event in cluster.scenario.timeline if event.moves and not event.restarts]
    if events and (migrations := migrations_of(cluster)) is not None:
        for event in events:
            cluster.clock.process(_move(migrations, event))


def migrations_of(cluster: Cluster) -> Migrations | None:
    """The migrations of a cluster, the same whoever asks; None where nothing moves."""
    platform, found = cluster.plane.lowered.platform, cluster.migrations
    if isinstance(found, Migrations) or not (platform.hypervisors or platform.migrator):
        return found if isinstance(found, Migrations) else None
    entry = cluster.catalog.typed("migrators", platform.migrator or UNMOVED, MigratorEntry)
    cluster.migrations = made = Migrations(cluster, transfers_of(cluster), entry)
    return made


def _move(migrations: Migrations, event: TimelineEvent) -> Process:
    """The VMs or containers of a service, or all that are on a host, move, at the instant of the event."""
    cluster = migrations.cluster
    yield cluster.clock.timeout(event.at)
    to = host_named(cluster, event.to) if event.to is not None else None
    if event.drain is not None:
        keys = migrations.empty(host_named(cluster, event.drain))
    else:
        keys = migrations.keys_of(rows_of(cluster.clock, event, event.service))
    for key in keys:
        cluster.clock.process(migrations.moved(key, to, event.way, event.storage == "copy"))


Key = tuple[Literal["vm", "container"], int]
"""What moves: a VM by the row of its kernel, a container by that of its instance."""


class Way(Protocol):
    """A migration under way."""

    move: Move

    def run(self, copies_disk: bool) -> Process:
        """All of it."""

    def give_up(self, why: str) -> None:
        """It ends before its end."""


@dataclass
class Migrations:
    """The migrations of a cluster, and places for those of each host at a time."""

    cluster: Cluster
    transfers: Transfers
    entry: MigratorEntry
    _places: dict[int, simpy.Resource] = field(default_factory=dict)
    _setups: dict[int, simpy.Resource] = field(default_factory=dict)
    _under_way: dict[Key, tuple[Move, simpy.Process]] = field(default_factory=dict)

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
        return guest.vm is not None and guest.key[0] == OWN_VM and ("vm", machine) not in self._under_way

    @cached_property
    def bandwidth(self) -> float:
        """What a migration alone has at most: its own limit, and the slowest link between hosts [bytes/s]."""
        inner = self.transfers.capacities[: self.transfers.topology.inner]
        return min(float(inner.min(initial=math.inf)) * S, float(self.entry.bandwidth or math.inf))

    # --- what moves ----------------------------------------------------------------------------------------------------

    def keys_of(self, rows: Iterable[int]) -> list[Key]:
        """What has to move so that some instances do: their VMs, each once, or they themselves."""
        vms = bool(self.cluster.plane.lowered.platform.hypervisors)
        return list(dict.fromkeys(("vm", self.cluster.instance(row).machine) if vms else ("container", row) for row in rows))

    def migrate(self, machine: int, to: int | None, how: str = "pre-copy", copies_disk: bool = False) -> Process:
        """Move a VM to a host."""
        yield from self.moved(("vm", machine), to, how, copies_disk)

    def moved(self, key: Key, to: int | None, how: str, copies_disk: bool) -> Process:
        """Move something to a host, by default the one with the most memory left; nothing where it stands there, or moves already."""
        cluster, source = self.cluster, self._host(key)
        to = self.roomiest(key) if to is None else to
        if source == to or key in self._under_way or to is None:
            return
        way = self._way(key, to, how)
        cluster.moves.append(way.move)
        assert cluster.clock.active_process is not None
        self._under_way[key] = way.move, cluster.clock.active_process
        try:
            yield from self._in_turn(key, way, copies_disk)
        except simpy.Interrupt as lost:
            way.give_up(str(lost.cause))
        except Dead as dead:
            way.give_up(str(dead))
        finally:
            del self._under_way[key]

    def _way(self, key: Key, to: int, how: str) -> Way:
        """The migration of something, before it begins."""
        cluster, row = self.cluster, self._row(key)
        move = Move(cluster.instance(row).service, cluster.number_of(row), self._host(key), to, how, int(cluster.clock.now))
        if key[0] == "container":
            return Carried(cluster, self.transfers, self.entry, rules_of(self.entry), row, move)
        return Moving(cluster, self.transfers, self.entry, Guest(cluster, key[1], self.entry), move, rules_of(self.entry))

    def _row(self, key: Key) -> int:
        """The row of an instance that moves so: the first one in a VM."""
        return key[1] if key[0] == "container" else Guest(self.cluster, key[1], self.entry).instances[0].row

    def _host(self, key: Key) -> int:
        """The host that something stands on."""
        return self.cluster.host_of(key[1]) if key[0] == "container" else self.cluster.plane.host_of_machine(key[1])

    def _is_up(self, key: Key) -> bool:
        """Whether anything of it runs."""
        rows = [key[1]] if key[0] == "container" else [one.row for one in Guest(self.cluster, key[1], self.entry).instances]
        life = self.cluster.plane.read("instances", "life")
        return any(int(life[row]) in UP for row in rows)

    def _in_turn(self, key: Key, way: Way, copies_disk: bool) -> Process:
        """A migration, once both hosts have a place for it."""
        ends = sorted((way.move.source, way.move.to))
        with self.place(ends[0]).request() as one, self.place(ends[1]).request() as other:
            yield one
            yield other
            if self.cluster.is_down(way.move.to) or not self._is_up(key):
                way.give_up(f"{self.cluster.name_of(way.move.to)} is down" if self.cluster.is_down(way.move.to) else "it was not up")
                return
            yield from self._set_up(way.move.source)
            yield from way.run(copies_disk)

    # --- what ends them ------------------------------------------------------------------------------------------------

    def lose(self, host: int) -> None:
        """Takes in that a host is gone: migrations from and to it end."""
        for key, (move, _) in list(self._under_way.items()):
            if host in (move.source, move.to):
                self._interrupt(key, f"{self.cluster.name_of(host)} was lost")

    def forget(self, row: int) -> None:
        """Takes in that an instance is gone: neither it nor a VM that was there for it alone moves any more."""
        for key in (("container", row), ("vm", self.cluster.instance(row).machine)):
            self._interrupt(key, "it was ended")

    def _interrupt(self, key: Key, why: str) -> None:
        """End a migration, unless it is the one that says so."""
        if key in self._under_way:
            _, process = self._under_way[key]
            if process.is_alive and process is not self.cluster.clock.active_process:
                process.interrupt(why)

    # --- where to ------------------------------------------------------------------------------------------------------

    def roomiest(self, key: Key) -> int | None:
        """The other host that is up with the most memory left, by what is promised; None where there is none."""
        cluster, plan = self.cluster, self.cluster.plane.lowered.arrangement
        here, left = self._host(key), {host.row: float(host.entry.memory) for host in plan.hosts}
        for one, size in self._sizes.items():
            left[self._bound_for(one)] -= size
        others = [host for host in left if host != here and not cluster.is_down(host)]
        return max([host for host in others if host not in cluster.closed] or others, key=lambda host: left[host], default=None)

    @cached_property
    def _sizes(self) -> dict[Key, float]:
        """The memory that each VM or container is promised [bytes]."""
        if self.cluster.plane.lowered.platform.hypervisors:
            return {("vm", machine): size for machine, size in vm_sizes(self.cluster).items()}
        limits = ((one.row, self.cluster.scenario.services[one.service].memory_limit) for one in self.cluster.replicas)
        return {("container", row): float(limit or 0) for row, limit in limits}

    def empty(self, host: int) -> list[Key]:
        """What stands on a host, or is on its way to it, and is up; nothing comes there from now on unless it is said."""
        self.cluster.close(host)
        rows = [one.row for one in self.cluster.plane.lowered.arrangement.instances if one.service not in INTERNAL]
        return [key for key in self.keys_of(rows) if self._bound_for(key) == host and self._is_up(key)]

    def _bound_for(self, key: Key) -> int:
        """The host that something stands on, or is on its way to."""
        return self._under_way[key][0].to if key in self._under_way else self._host(key)

    def _set_up(self, source: int) -> Process:
        """Prepare the other side; a part of that is done for one after the other."""
        clock = self.cluster.clock
        if self.entry.serial is not None:
            with self._setups[source].request() as turn:
                yield turn
                yield clock.timeout(round(self.entry.serial))
        yield clock.timeout(round(self.entry.setup))
