"""Checkpoint and restore: a container is frozen on one host, written, and restored on another, where it goes on with what it had in memory.

*Model*: load balancing leaves it out first, and it answers what it has within its time of grace, for its address and with it its
    connections do not move. Before that its memory may be copied while it runs, in rounds that the rules of its migrator end: pages
    that were written are found by soft-dirty bits, and requests pay a fault for the first write in a round. Then it stands still: what
    is left of its memory is written, crosses the network and is read into new processes, beside the time that all else takes: files,
    sockets, namespaces, cgroups. Through a checkpoint all of it goes to a drive, over the network, to the other drive and back. It is there
    again without starting: what its service does at its start is in its memory.
*Ignores*: connections that are kept (`--tcp-established`), which needs its address there; pages that come after it (`--lazy-pages`); what
    cannot be written (devices, sockets to outside), and CPUs and kernels that differ, where CRIU refuses; heaps begin to grow anew.
*Source*: checkpoint-restore/criu Documentation; checkpoint-restore/p.haul phaul/iters.py; runc and podman, checkpoint and restore.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

import simpy

from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.control.moves import S, box_of, dirty_of, writable_of
from simvirt.control.moving import Dead, come
from simvirt.control.places import put
from simvirt.control.records import Move
from simvirt.control.transfers import Transfer, Transfers
from simvirt.control.work import perform
from simvirt.memory.boxes import Replica
from simvirt.migration.precopy import Copied, copying
from simvirt.migration.rules import Round, Rules
from simvirt.migration.writes import PAGE, Writes

LOOK_NS: Final = 1_000_000
"""Time between two looks whether a stopped container has been taken apart [ns]."""
GRACE_NS: Final = 10_000_000_000
"""How long it may take to answer what it has before it is frozen [ns]: as Docker waits before it kills (moby api, StopTimeout)."""


@dataclass
class Carried:
    """A container on its way from host to host, by the row of its instance."""

    cluster: Cluster
    transfers: Transfers
    entry: MigratorEntry
    rules: Rules
    row: int
    move: Move
    crossing: Transfer | None = None

    @property
    def now(self) -> int:
        """The present instant [ns]."""
        return int(self.cluster.clock.now)

    @property
    def replica(self) -> Replica:
        """Its memory as it is now: as it is followed, else as at the mean load."""
        return next(replica for replica in box_of(self.cluster, self.row).replicas if replica.row == self.row)

    def run(self, copies_disk: bool) -> Process:
        """All of it."""
        move, replica = self.move, self.replica
        move.began = self.now
        self._tell("begins to move", move.how)
        if copies_disk:
            yield from self._copy_disk(replica)
        move.memory = left = replica.anonymous
        if move.how == "pre-copy":
            left = yield from self._copy(replica)
        yield from self._freeze()
        yield from (self._through_disk if move.how == "checkpoint" else self._send)(left + self.entry.state)
        yield self.cluster.clock.timeout(round(self.entry.handover))
        yield from self._restore(move.to)
        move.ended = self.now

    def give_up(self, why: str) -> None:
        """It ends before its end: what was frozen goes on where it was, unless that host is gone."""
        self.move.why, self.move.left = why, self.now
        self._log(0.0)
        if self.crossing is not None and self.crossing.ended_at < 0:
            self.move.sent += self.crossing.carried
            self.crossing.cancel()
        self._tell("does not move", why)
        frozen = self.move.stopped is not None and self.move.resumed is None
        if frozen and not self.cluster.is_down(self.move.source) and self.cluster.host_of(self.row) == self.move.source:
            self._go_on()

    # --- while it runs -------------------------------------------------------------------------------------------------

    def _copy(self, replica: Replica) -> Generator[simpy.Event, Any, float]:
        """The rounds in which memory is copied before; what is left [bytes]."""
        steps = copying(replica.anonymous, self.rules)
        send, fresh = next(steps), 1.0
        while True:
            self._log(dirty_of(replica) / PAGE * fresh * self.entry.log)
            began, before = self.now, self._answered()
            yield from self._send(send.size, send.cap)
            seconds = (self.now - began) / S
            written = dirty_of(replica) * (self._answered() - before)
            rate = written / seconds if seconds > 0 else 0.0
            dirtied = Writes(rate, min(writable_of(replica), max(replica.anonymous, float(PAGE)))).dirtied(seconds)
            fresh = dirtied / written if written > 0 else 1.0
            self.move.rounds.append(Round(send.size, seconds, dirtied))
            self.move.logged += written * fresh / PAGE * self.entry.log
            try:
                send = steps.send((seconds, dirtied))
            except StopIteration as end:
                found: Copied = end.value
                break
        self._log(0.0)
        if found.cancelled:
            raise Dead(f"cancelled: {found.why}")
        self.move.why = found.why
        return found.left

    def _answered(self) -> float:
        """Requests that it has answered: an even part of those of its service."""
        plane, service = self.cluster.plane, self.move.service
        ready = sum(plane.is_ready(row) for row in plane.instances_of(service))
        return float(plane.read("services", "completed")[plane.lowered.services.index(service)]) / max(1, ready)

    def _log(self, spin: float) -> None:
        """Requests pay for pages that they are the first to write in a round [ns]."""
        self.cluster.plane.hinder(self.row, spin, 0)

    # --- what crosses --------------------------------------------------------------------------------------------------

    def _send(self, size: float, cap: float = math.inf) -> Process:
        """Bytes cross the network, while processes on both sides have work with their pages."""
        source, to = (self.cluster.host_hands(host) for host in (self.move.source, self.move.to))
        pages, clock = size / PAGE, self.cluster.clock
        works = [perform(self.cluster, source, cpu_ns=pages * (self.entry.scan + self.entry.send)), perform(
            self.cluster, to, cpu_ns=pages * self.entry.receive)]
        yield from come(clock, [self._cross(size, cap), *(clock.process(work) for work in works)])
        self.move.sent += size

    def _cross(self, size: float, cap: float = math.inf) -> simpy.Event:
        """The arrival of bytes that are sent to the other host."""
        most, silence = min(cap, self.rules.last_cap()), round(self.entry.silence)
        source, to = (self.cluster.name_of(host) for host in (self.move.source, self.move.to))
        self.crossing = self.transfers.transfer(source, to, round(size), most if math.isfinite(most) else None, silence)
        return self.crossing

    def _through_disk(self, size: float) -> Process:
        """All of its memory is written to a drive, crosses the network, is written and read there."""
        cluster = self.cluster
        source, to = (cluster.host_hands(host) for host in (self.move.source, self.move.to))
        work = size / PAGE * (self.entry.scan + self.entry.send)
        yield from perform(cluster, source, cpu_ns=work, write=round(size), sync=True)
        yield from come(cluster.clock, [self._cross(size), cluster.clock.process(perform(cluster, to, write=round(size), sync=True))])
        self.move.sent += size
        yield from perform(cluster, to, cpu_ns=size / PAGE * self.entry.receive, read=round(size))

    def _copy_disk(self, replica: Replica) -> Process:
        """What it has written to its layer and its volumes crosses the network, from drive to drive."""
        size = replica.needs.disk + replica.needs.writable
        source, to = (self.cluster.host_hands(host) for host in (self.move.source, self.move.to))
        works = [perform(self.cluster, source, read=size), perform(self.cluster, to, write=size, sync=True)]
        yield from come(self.cluster.clock, [self._cross(size), *(self.cluster.clock.process(work) for work in works)])
        self.move.copied = float(size)

    # --- while it stands still -----------------------------------------------------------------------------------------

    def _freeze(self) -> Process:
        """It gets no more requests, answers what it has, and its processes stop."""
        cluster, plane = self.cluster, self.cluster.plane
        self.move.stopped = self.now
        self._tell("stands still")
        if cluster.orchestration is not None:
            cluster.orchestration.became_unhealthy(self.row, "it is moved to another host")
        yield cluster.clock.any_of([plane.drain(self.row), cluster.clock.timeout(GRACE_NS)])
        plane.stop(self.row)

    def _restore(self, host: int) -> Process:
        """It stands on the other host and goes on there."""
        while not put(self.cluster, self.row, host):
            yield self.cluster.clock.timeout(LOOK_NS)
        if self.cluster.orchestration is not None:
            self.cluster.orchestration.moved(self.row, host)
        self._go_on()

    def _go_on(self) -> None:
        """It takes requests, where it stands."""
        cluster, plane = self.cluster, self.cluster.plane
        plane.start(self.row)
        plane.start_background(self.row)
        plane.admit(self.row)
        cluster.make(self.row)
        self.move.resumed = self.now
        self._tell("goes on")
        if cluster.orchestration is not None:
            cluster.orchestration.became_ready(self.row)

    def _tell(self, what: str, why: str | None = None) -> None:
        """Something happens to it, where it stands."""
        here = self.cluster.name_of(self.cluster.host_of(self.row))
        self.cluster.story.tell(what, f"{self.move.service}-{self.move.replica}", here, why)
