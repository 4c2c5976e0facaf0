"""Live migration: a VM moves to another host while it runs, over the network, beside all else that uses it.

*Model*: memory crosses the network as large transfers, in rounds that the rules of its migrator end; pages are looked at,
    sent and received by threads on both hosts. What is dirtied meanwhile follows from what the VM's instances answer. The
    first write of a page in a round costs the guest an exit; a guest that writes too fast has time taken away. It stands still
    while the rest crosses and its devices come to rest, then goes on as it was, on the other host. After post-copy requests
    wait for pages that have not come yet. Where nothing moves for as long as its connection bears it is given up.
*Ignores*: when the network learns of the new place; that what the other host's page
    cache has of the VM's disk is not what this one has; software keeps the numbers of caches of the host where it began.
*Source*: QEMU migration/migration.c, migration/ram.c, docs/devel/migration; C. Clark et al., NSDI 2005.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import simpy

from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.housing import rehouse
from simvirt.control.lifecycle import Process, crash
from simvirt.control.moves import Guest, S, coding_of, dirty_of, sizes_of, writable
from simvirt.control.records import Move
from simvirt.control.registries import all_came
from simvirt.control.transfers import Transfer, Transfers
from simvirt.control.work import perform
from simvirt.migration.coding import Coding
from simvirt.migration.postcopy import fault_time, missing
from simvirt.migration.precopy import Copied, copying
from simvirt.migration.rules import Round, Rules
from simvirt.migration.writes import PAGE

SLICE_NS: Final = 10_000_000
"""Time that a throttled vCPU runs between two sleeps: CPU_THROTTLE_TIMESLICE_NS, QEMU system/cpu-throttle.c [ns]."""
LOOK_NS: Final = 100_000
"""Time between two looks whether a paused VM's devices have come to rest [ns]."""
PART: Final = 50
"""Parts in which the memory of a guest comes after post-copy, between which the share that is missing is looked at."""

DEAD: Final = "its connection was lost"


class Dead(Exception):
    """What was sent does not come, or what moves is given up: why."""


def come(clock: simpy.Environment, ends: Sequence[simpy.Event]) -> Process:
    """Wait for all ends; Dead where one says that what was sent does not come."""
    if not (yield from all_came(clock, ends)):
        raise Dead(DEAD)


@dataclass
class Moving:
    """A migration under way."""

    cluster: Cluster
    transfers: Transfers
    entry: MigratorEntry
    guest: Guest
    move: Move
    rules: Rules
    share: float = 0.0  # of the vCPUs' time that is taken away
    running: bool = True
    crossing: Transfer | None = None
    copies: bool = False  # whether what crosses is of its disk

    @cached_property
    def coding(self) -> Coding:
        """How its pages are sent."""
        return coding_of(self.entry)

    @property
    def now(self) -> int:
        """The present instant [ns]."""
        return int(self.cluster.clock.now)

    def give_up(self, why: str) -> None:
        """It ends before its end: a VM that stands still goes on where it is; one of whose memory a part is lost ends."""
        plane, move = self.cluster.plane, self.move
        move.why, move.left, self.share, self.running = why, self.now, 0.0, False
        self._hinder(0.0, 0)
        self._break_off()
        plane.resume(self.guest.machine)
        self._tell("does not move", why)
        if move.resumed is not None:
            for one in self.guest.instances:
                self.cluster.clock.process(crash(self.cluster.clock, one.service, one.row, None, "a part of its memory is lost"))

    def _break_off(self) -> None:
        """What is on its way does not come; what has crossed so far counts."""
        if self.crossing is not None and self.crossing.ended_at < 0:
            if self.copies:
                self.move.copied += self.crossing.carried
            else:
                self.move.sent += self.crossing.carried
            self.crossing.cancel()

    def run(self, copies_disk: bool) -> Process:
        """All of it."""
        self.move.began = self.now
        self._tell("begins to move", self.move.how)
        if copies_disk:
            yield from self._copy_disk()
        box = self.guest.box
        self.move.memory, size = sizes_of(box, self.entry)
        left = size
        if self.move.how in ("pre-copy", "hybrid"):
            rules = Rules(bandwidth=self.rules.bandwidth, rounds=1) if self.move.how == "hybrid" else self.rules
            left = yield from self._copy(size, rules)
        if self.move.how == "checkpoint":
            yield from self._checkpoint(size)
            return
        later = left if self.move.how in ("post-copy", "hybrid") else 0.0
        yield from self._switch(left - later)
        if later:
            yield from self._follow(later)
        self.move.ended = self.now

    def _tell(self, what: str, why: str | None = None) -> None:
        """Something happens to it, where it stands."""
        here = self.cluster.name_of(self.cluster.plane.host_of_machine(self.guest.machine))
        self.cluster.story.tell(what, f"{self.move.service}-{self.move.replica}", here, why)

    # --- while it runs on this side ------------------------------------------------------------------------------------

    def _copy(self, size: float, rules: Rules) -> Generator[simpy.Event, Any, float]:
        """The rounds of pre-copy; what is left [bytes]."""
        steps, fresh = copying(size, rules), 1.0
        throttle = self.cluster.clock.process(self._throttle()) if rules.throttle is not None or rules.stun is not None else None
        send = next(steps)
        while True:
            self.share = send.throttled
            self._log(fresh)
            seen = self.guest.look()
            before = self.move.sent
            yield from self._send(send.size, send.cap, bool(self.move.rounds))
            seconds, writes = (self.now - seen.at) / S, self.guest.writes(seen)
            dirtied = writes.dirtied(seconds)
            self.move.rounds.append(Round(self.move.sent - before, seconds, dirtied, send.throttled))
            fresh = dirtied / (writes.rate * seconds) if writes.rate * seconds > 0 else 1.0
            try:
                send = steps.send((seconds, dirtied, self.move.rounds[-1].sent))
            except StopIteration as end:
                found: Copied = end.value
                break
            finally:
                self._count(fresh, writes.rate * seconds)
        self.share, self.running = 0.0, False
        self._hinder(0.0, 0)
        if throttle is not None:
            yield throttle
        if found.cancelled:
            raise Dead(f"cancelled: {found.why}")
        self.move.why = found.why
        return found.left

    def _send(self, size: float, cap: float, again: bool = False) -> Process:
        """Memory crosses the network, what was sent before `again`, while threads on both sides have work with its pages."""
        crosses = self.coding.crosses(size, again)
        crossing = self._cross(crosses, cap)
        yield from come(self.cluster.clock, [crossing, *map(self.cluster.clock.process, self._works(size, again))])
        self.move.sent += crosses

    def _works(self, size: float, again: bool) -> Iterator[Process]:
        """The work of the threads that send and receive: one on each side, or one that looks at pages, and one for each channel."""
        source, to = (self.cluster.host_hands(host) for host in (self.move.source, self.move.to))
        pages, channels, (pack, unpack) = size / PAGE, self.entry.channels, self.coding.work(size, again)
        sends, receives = pages * self.entry.send + pack, pages * self.entry.receive + unpack
        if channels is None:
            yield perform(self.cluster, source, cpu_ns=pages * self.entry.scan + sends)
            yield perform(self.cluster, to, cpu_ns=receives)
            return
        yield perform(self.cluster, source, cpu_ns=pages * self.entry.scan)
        for _ in range(channels):
            yield perform(self.cluster, source, cpu_ns=sends / channels)
            yield perform(self.cluster, to, cpu_ns=receives / channels)

    def _cross(self, size: float, cap: float) -> Transfer:
        """The arrival of bytes that are sent to the other host."""
        most, silence = cap if math.isfinite(cap) else None, round(self.entry.silence)
        self.crossing = self.transfers.transfer(*self._names, round(size), most, silence)
        return self.crossing

    @property
    def _names(self) -> tuple[str, str]:
        """The names of both hosts."""
        hosts = self.cluster.plane.lowered.arrangement.hosts
        return hosts[self.move.source].site.named.name, hosts[self.move.to].site.named.name

    def _copy_disk(self) -> Process:
        """What the VM has on its disk crosses the network, from drive to drive."""
        size = sum(replica.needs.disk + replica.needs.writable for replica in self.guest.box.replicas)
        source, to = (self.cluster.host_hands(host) for host in (self.move.source, self.move.to))
        works = [perform(self.cluster, source, read=size), perform(self.cluster, to, write=size, sync=True)]
        clock, self.copies = self.cluster.clock, True
        yield from come(clock, [self._cross(size, self.rules.last_cap()), *(clock.process(work) for work in works)])
        self.move.copied, self.copies = float(size), False

    def _log(self, fresh: float) -> None:
        """Requests pay for the pages that they are the first to write in a round: a share of those that they write."""
        for replica in self.guest.box.replicas:
            self.cluster.plane.hinder(replica.row, dirty_of(replica) / PAGE * fresh * self.entry.log)

    def _count(self, fresh: float, written: float) -> None:
        """Takes in what a round has cost the guest [ns of CPU time]."""
        self.move.logged += written * fresh / PAGE * self.entry.log

    def _hinder(self, spin: float, stall: int) -> None:
        for one in self.guest.instances:
            self.cluster.plane.hinder(one.row, spin, stall)

    def _throttle(self) -> Process:
        """Take a share of their time from the vCPUs, turn by turn, as long as it copies."""
        clock, plane = self.cluster.clock, self.cluster.plane
        while self.running:
            yield clock.timeout(SLICE_NS)
            if self.share > 0 and self.running:
                plane.pause(self.guest.machine)
                slept = round(SLICE_NS * self.share / (1.0 - self.share))
                yield clock.timeout(slept)
                self.move.throttled += slept
                plane.resume(self.guest.machine)

    # --- through a disk ------------------------------------------------------------------------------------------------

    def _checkpoint(self, size: float) -> Process:
        """It stands still while all of its memory is written to a drive, crosses the network, is written and read there."""
        cluster, to = self.cluster, self.cluster.host_hands(self.move.to)
        self._stop()
        yield from perform(cluster, cluster.host_hands(self.move.source), write=round(size), sync=True)
        yield from come(cluster.clock, [self._cross(size, self.rules.last_cap()), cluster.clock.process(
            perform(cluster, to, write=round(size), sync=True))])
        self.move.sent = size
        yield from perform(cluster, to, read=round(size))
        yield from self._go_on()
        self.move.ended = self.now

    # --- the switch ----------------------------------------------------------------------------------------------------

    def _switch(self, rest: float) -> Process:
        """The guest stands still, what is left and its state cross, and it goes on at the other side."""
        self._stop()
        yield from self._send(rest + self.entry.state, self.rules.last_cap(), bool(self.move.rounds))
        yield from self._go_on()

    def _stop(self) -> None:
        """It stands still from now on."""
        self.move.stopped = self.now
        self._tell("stands still")
        self.cluster.plane.pause(self.guest.machine)

    def _go_on(self) -> Process:
        """Once its devices have come to rest it goes on at the other side."""
        plane, machine = self.cluster.plane, self.guest.machine
        logged = self.move.memory / 2**30 if self.move.rounds else 0.0
        yield self.cluster.clock.timeout(round(self.entry.handover + self.entry.unlog * logged))
        while not plane.is_at_rest(machine):
            yield self.cluster.clock.timeout(LOOK_NS)
        self._stand()
        plane.resume(machine)
        self.move.resumed = self.now
        self._tell("goes on")

    def _stand(self) -> None:
        """It stands on the other host from now on, and so does its memory."""
        plane, machine = self.cluster.plane, self.guest.machine
        rehouse(plane, self.guest.instances[0].row, self.move.source, self.move.to)
        plane.move(machine, self.move.to)
        self.cluster.moved(machine, self.move.to)

    # --- while it runs on the other side -------------------------------------------------------------------------------

    def _follow(self, size: float) -> Process:
        """Memory comes after the guest, which waits for pages that it touches before; after a round they are ones that it wrote."""
        working = max(writable(self.guest.box), size) if self.move.how == "hybrid" else size
        for part in range(PART):
            absent, seen = missing(part * size / PART, size) * size / working, self.guest.look()
            self._wait_for(absent)
            yield from self._send(size / PART, self.rules.last_cap())
            self.move.faults += absent * self.guest.touched(seen)
        self._hinder(0.0, 0)

    def _wait_for(self, absent: float) -> None:
        """Requests wait for the pages that they touch and that have not come yet."""
        route = self.transfers.topology.route(*self._names)
        slowest = min(self.transfers.capacities[list(route.links)], default=math.inf)
        each = fault_time(2 * route.latency_ns / S, float(slowest) * S, self.entry.fault / S)
        for replica in self.guest.box.replicas:
            self.cluster.plane.hinder(replica.row, 0.0, round(absent * replica.needs.touch / PAGE * each * S))
