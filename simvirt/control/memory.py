"""Memory while time passes: working sets follow their load, page caches give way, balloons, swap and OOM killers do their work.

*Model*: ten times a second (less often where there are many boxes) needs are read off the data plane, and the host
    reacts as `simvirt.memory.reclaim` says; not while the load and everything in memory stay as they are, where only KSM
    goes on, in parts of what it merges. Reclaim is work on the host's CPUs and writes to its disk, performed in
    the data plane; what is gone is read back by the requests that touch it; OOM killers end replicas, which start
    again where their service says so.
*Ignores*: what happens between two looks; the warm-up of a page cache; a vCPU that waits for a page of the host's
    swap is taken to halt.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import simpy

from simvirt.clock import Clock
from simvirt.control import lifecycle
from simvirt.control.pressure import Kubelet
from simvirt.control.waiting import next_change
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import MEMORY_SERVICE
from simvirt.lowering.lower import Lowered
from simvirt.memory.account import MemoryAccount
from simvirt.memory.boxes import follow_guest
from simvirt.memory.caching import hits
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.killers import Kill
from simvirt.memory.missing import met, read_back
from simvirt.memory.populate import host_memory
from simvirt.memory.reclaim import Moved, bytes_to_merge, lean_on_applications, scan, scan_time, step
from simvirt.memory.working_set import PAGE, Load, Needs
from simvirt.scenario.bounds import LATEST_NS
from simvirt.scenario.spec.host import HostSpec

Process = Generator[simpy.Event, Any, None]
PERIOD_NS, BOXES = 100_000_000, 50
"""Time between two looks at memory [ns], for every so many boxes: long against a request, short against what fills a gigabyte."""
HOST: Final = "beneath guests"
"""Name of the host's page cache among those of guests."""
UP: Final = (k.STARTING, k.READY, k.DRAINING)
"""The lives of replicas that hold memory."""
GROWN: Final = 40_000.0
"""Answered requests of a replica that runs long, where no heap bounds what they leave."""
FIRST_RESTART_NS, LAST_RESTART_NS = 100_000_000, 60_000_000_000
"""Delay of the first restart, doubled by each further one up to a minute. Source: Docker Engine documentation, restart policies."""


@dataclass
class Follower:
    """What the process remembers between two looks: requests completed, restarts, what it reported."""

    lowered: Lowered
    memory: HostMemory
    host: int = 0
    completed: dict[str, int] = field(default_factory=dict)
    restarts: dict[int, int] = field(default_factory=dict)
    cached: dict[str, float] = field(default_factory=dict)
    reported: dict[int, tuple[float, float, int]] = field(default_factory=dict)
    seen: tuple[Any, ...] = ()
    kubelet: Kubelet | None = None

    def __post_init__(self) -> None:
        if self.spec.eviction is not None:
            self.kubelet = Kubelet(self.spec.eviction, self.host)

    @property
    def spec(self) -> HostSpec:
        """What the scenario says of the host."""
        return self.lowered.arrangement.hosts[self.host].site.view.host

    def look(self, clock: Clock) -> dict[int, float]:
        """Read the load of every replica off the data plane; how many requests each has answered since then."""
        plane = clock.plane
        life, inside, busy, loops = (plane.read("instances", name) for name in ("life", "in_flight", "busy_threads", "loops"))
        answered, dirty = self._answered(clock), plane.read("instances", "dirty")
        for replica in self.memory.replicas:
            replica.live = life[replica.row] in UP
            before = replica.load.answered if replica.live else 0.0
            now = before + answered.get(replica.row, 0.0)
            replica.dirty = float(dirty[replica.row])
            replica.load = Load(float(inside[replica.row]), float((inside if loops[replica.row] else busy)[replica.row]), now)
        return answered

    def _answered(self, clock: Clock) -> dict[int, float]:
        """Requests that each replica answered since the last look: an even part of those of its service."""
        total, life = clock.plane.read("services", "completed"), clock.plane.read("instances", "life")
        live = [replica for replica in self.memory.replicas if replica.live]
        each: dict[str, float] = {}
        up = Counter(replica.service for replica in self.memory.replicas if life[replica.row] in UP)
        for name, n in Counter(replica.service for replica in live).items():
            elsewhere = int(np.isin(life[clock.plane.instances_of(name)], UP).sum()) - up[name]
            each[name] = (int(total[self.lowered.services.index(name)]) - self.completed.get(name, 0)) / (n + elsewhere)
        counted = dict(zip(self.lowered.services, map(int, total), strict=True))
        self.completed |= {name: n for name, n in counted.items() if name in each or not up[name]}
        return {replica.row: each[replica.service] for replica in live}

    def report(self, clock: Clock) -> None:
        """Let the data plane meet what is missing: faults, work and waits of requests, misses of page caches."""
        for box in self.memory.boxes:
            for replica in box.replicas:
                now = met(self.memory, box, replica)
                if now != self.reported.get(replica.row, (0.0, 0.0, 0)):
                    self.reported[replica.row] = now
                    faults, spin, stall = now
                    clock.plane.set_condition("instances", replica.row, faults=faults, spin=spin, stall=stall)
        self._report_misses(clock)

    def _report_misses(self, clock: Clock) -> None:
        """Hit ratios with the room that page caches have now, where one has changed by more than a hundredth."""
        reads = self.lowered.asks
        caches = list(self.memory.page_caches()) if reads else []
        beneath = self.memory.beneath if reads else None
        now = {cache.name: cache.size for cache in caches} | ({} if beneath is None else {HOST: beneath})
        if all(abs(size - self.cached.get(name, -1.0)) <= 0.01 * size for name, size in now.items()):
            return
        self.cached = now
        for key, hit in hits(self.lowered.scenario, self.lowered.memories[self.host].there.needs, caches, beneath).items():
            if key in reads:
                clock.plane.set_misses(self.host, reads[key], 1.0 - hit)

    def at_rest(self, killed: bool) -> bool:
        """Whether a further look would change nothing: this one, under the same load, has left everything as the one before had.

        What KSM merges meanwhile does not count; `settled_until` bounds it.
        """
        boxes, merging = self.memory.boxes, self.memory.merging
        inside = [box.guest and (box.guest.touched, box.guest.swapped, box.guest.balloon) for box in boxes]
        loads = [(replica.live, replica.load) for replica in self.memory.replicas]
        state = ([(box.out, box.packed, merging or box.merged) for box in boxes], inside, loads)
        same, self.seen = self.seen == state, state
        return same and not killed

    def settled_until(self, clock: Clock) -> float:
        """Instant up to which load and memory stay as they are, as far as that is known now [ns]."""
        known, scenario = min(next_change(clock.plane), self._next_merged(int(clock.now))), self.lowered.scenario
        if self.memory.merging or self.restarts or scenario.changes or scenario.followed:
            known = min(known, clock.peek())
        if self.kubelet is not None and self.kubelet.waits(self.memory):
            known = min(known, self.kubelet.next)
        return known

    def _next_merged(self, now: int) -> float:
        """Instant at which KSM will have gone through another part of the guests' memory, once it has seen all of it [ns]."""
        spec, left = self.spec.ksm, bytes_to_merge(self.memory) if self.memory.merging else math.inf
        return now + scan_time(self.memory, spec, left) if spec is not None and math.isfinite(left) else math.inf

    def evict(self, clock: Clock) -> list[str]:
        """End the pod that the kubelet ends now, where it looks and finds memory short; this in words."""
        told = []
        for decision in self.kubelet.look(clock, self.memory) if self.kubelet is not None else ():
            rows = [replica.row for replica in decision.replicas]
            if clock.starts is not None and all(clock.starts.evicted(row, decision.why) for row in rows):
                for replica in decision.replicas:
                    replica.live = False
                told.append(self._told(clock, decision, "evicted"))
            else:
                told.append(self.kill(clock, decision, "evicted"))
        return told

    def kill(self, clock: Clock, decision: Kill, how: str = "killed") -> str:
        """End the replicas that an OOM killer chose, to start again later where their service says so; this in words."""
        for replica in decision.replicas:
            again = self.lowered.scenario.services[replica.service].restart != "no"
            tries = self.restarts[replica.row] = self.restarts.get(replica.row, 0) + 1
            delay = min(FIRST_RESTART_NS << min(tries - 1, 20), LAST_RESTART_NS) if again else None
            clock.process(lifecycle.crash(clock, replica.service, replica.row, delay))
            replica.live = False
        return self._told(clock, decision, how)

    def _told(self, clock: Clock, decision: Kill, how: str) -> str:
        """A decision in words."""
        names = ", ".join(replica.name for replica in decision.replicas)
        return f"at {clock.now / 1e9:.3f} s, {names}: {decision.why}; {how}"


def follow_all(clock: Clock, pace: int = 1, grown: bool = False) -> None:
    """Follow the memory of every host for the whole run.

    With a `pace` above 1 so many times less often, for runs that must not take long.
    Where working sets are `grown`, what answered requests leave is there from the start.
    """
    lowered, reported = clock.plane.lowered, dict[int, tuple[float, float, int]]()
    for host in range(len(lowered.arrangement.hosts)):
        clock.plane.memories[host] = MemoryAccount(memory_of_run(lowered, grown, host))
        clock.process(follow(clock, Follower(lowered, clock.plane.memories[host].memory, host, reported=reported), pace))


def follow(clock: Clock, follower: Follower, pace: int = 1) -> Process:
    """Follow a host's memory for the whole run, where anything is on it or may come."""
    lowered, memory, host = follower.lowered, follower.memory, follower.host
    account, ksm = clock.plane.memories[host], follower.spec.ksm
    scan(memory, ksm, ksm.since if ksm is not None else 0)
    account.book(_done(clock, host, up_for_long(memory)))
    since = 0
    while memory.boxes or lowered.arrangement.moves or lowered.scenario.followed:
        period = pace * PERIOD_NS * max(1, math.ceil(len(memory.boxes) / BOXES))
        read_back(account, follower.look(clock))
        scan(memory, ksm, int(clock.now) - since)
        since = int(clock.now)
        memory.follow_data()
        moved = _done(clock, host, step(memory))
        account.kills += [follower.kill(clock, decision) for decision in moved.kills]
        account.evictions += (evicted := follower.evict(clock))
        account.book(moved)
        follower.report(clock)
        yield from reclaim(clock, memory, moved, host)
        due = since + period
        if follower.at_rest(bool(moved.kills or evicted)):
            due += int(max(0, min(follower.settled_until(clock), LATEST_NS) - due - 1)) // period * period
        yield clock.timeout(max(1, due - int(clock.now)))


def _done(clock: Clock, host: int, moved: Moved) -> Moved:
    """What a host's kernel does of what a step has decided: nothing while the host is off or down."""
    return Moved() if clock.starts is not None and clock.starts.is_down(host) else moved


def up_for_long(memory: HostMemory) -> Moved:
    """What a kernel has swapped out for its page cache before a run begins."""
    moved = Moved()
    memory.follow_data()
    for box in memory.boxes:
        follow_guest(box)
    memory.add_up()
    lean_on_applications(memory, moved)
    return moved


def memory_of_run(lowered: Lowered, grown: bool = False, host: int = 0) -> HostMemory:
    """The memory of a host at the start of a run: replicas with the rows of their instances and without a load.

    With heaps `grown` to their end, and where they have none to what `GROWN` answered requests leave.
    """
    memory = host_memory(lowered.memories[host].there, each=True)
    standing = lowered.arrangement.on_host(host)
    for replica in memory.replicas:
        instance = standing[replica.service][replica.row]
        replica.row, replica.name = instance.row, f"{replica.service}-{instance.replica}"
        replica.load = Load(answered=_answered_when_grown(replica.needs) if grown else 0.0)
    if lowered.memories[host].there.shared_vms is not None:
        for box, guest in zip(memory.boxes, lowered.arrangement.shared_vms_of(host), strict=True):
            box.machine = guest.row
    return memory


def _answered_when_grown(needs: Needs) -> float:
    """How many requests have filled a heap, at most."""
    return needs.heap / needs.growth if needs.growth > 0 and math.isfinite(needs.heap) else GROWN


def reclaim(clock: Clock, memory: HostMemory, moved: Moved, host: int = 0) -> Process:
    """Perform what a step has decided: work for each page, writes of clusters."""
    costs = memory.costs
    work = (moved.swapped_out + moved.packed) / PAGE * costs.evict + moved.inflated / PAGE * costs.inflate
    writes = math.ceil(moved.swapped_out / costs.cluster)
    if work > 0 or writes > 0:
        plane = clock.plane
        row = plane.instances_of(MEMORY_SERVICE)[host]
        assert plane.lowered.reclaim is not None
        with plane.perform(plane.lowered.reclaim, row, work, float(writes)) as done:
            yield done
