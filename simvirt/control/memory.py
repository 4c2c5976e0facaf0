"""Memory while time passes: working sets follow their load, page caches give way, balloons, swap and OOM killers do their work.

*Model*: ten times a second (less often where there are many boxes) needs are read off the data plane, and the host reacts as
    `simvirt.memory.reclaim` says.
    Reclaim is work on the host's CPUs and writes to its disk, performed in the data plane; what is gone is read back by the requests
    that touch it; OOM killers end replicas, which start again where their service says so.
*Ignores*: what happens between two looks; the warm-up of a page cache; a vCPU that waits for a page of the host's swap is taken to halt.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from simvirt.clock import Clock
from simvirt.control import lifecycle
from simvirt.control.boxes import host_memory
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import MEMORY_SERVICE
from simvirt.lowering.lower import Lowered
from simvirt.memory.account import MemoryAccount
from simvirt.memory.boxes import PAGE, Box, Tenant
from simvirt.memory.caching import hits_inside
from simvirt.memory.footprint import cacheable
from simvirt.memory.reclaim import HostMemory, Kill, Moved
from simvirt.memory.working_set import Load

Process = Generator[simpy.Event, Any, None]
PERIOD_NS, BOXES = 100_000_000, 50
"""Time between two looks at memory [ns], for every so many boxes: long against a request, short against what fills a gigabyte."""
FIRST_RESTART_NS, LAST_RESTART_NS = 100_000_000, 60_000_000_000
"""Delay of the first restart, doubled by each further one up to a minute. Source: Docker Engine documentation, restart policies."""
HIGH_SECONDS, MOST_HIGH_NS, BATCH = 64.0, 2_000_000_000, 64
"""An allocation of 64 pages beyond memory.high waits 64 s x (overage / high)^2, at most 2 s. Source: Linux mm/memcontrol.c."""


@dataclass
class Follower:
    """What the process remembers between two looks: completed requests of each service, restarts and answers of each replica."""

    lowered: Lowered
    host: HostMemory
    account: MemoryAccount
    completed: dict[str, int] = field(default_factory=dict)
    restarts: dict[int, int] = field(default_factory=dict)
    cached: dict[str, float] = field(default_factory=dict)
    told: dict[int, tuple[float, float, int]] = field(default_factory=dict)

    # --- looking ---------------------------------------------------------------------------------------------------------

    def look(self, clock: Clock) -> dict[int, float]:
        """Read the load of every replica off the data plane; how many requests each has answered since the last look."""
        plane = clock.plane
        life, inside, busy = (plane.read("instances", name) for name in ("life", "in_flight", "busy_threads"))
        answered = self._answered(clock)
        for box in self.host.boxes:
            for tenant in box.tenants:
                tenant.live = life[tenant.row] in (k.STARTING, k.READY, k.DRAINING)
                before = tenant.load.answered if tenant.live else 0.0
                tenant.load = Load(float(inside[tenant.row]), float(busy[tenant.row]), before + answered.get(tenant.row, 0.0))
        return answered

    def _answered(self, clock: Clock) -> dict[int, float]:
        """Requests that each replica answered since the last look: those of its service, spread evenly over its live replicas."""
        total = clock.plane.read("services", "completed")
        tenants = [tenant for box in self.host.boxes for tenant in box.tenants if tenant.live]
        each: dict[str, float] = {}
        for name, n in _live(tenants).items():
            now = int(total[self.lowered.services.index(name)])
            each[name] = (now - self.completed.get(name, 0)) / n
            self.completed[name] = now
        return {tenant.row: each[tenant.service] for tenant in tenants}

    def read_back(self, answered: dict[int, float]) -> None:
        """What requests have read back from swap since the last look is resident again."""
        for box in self.host.boxes:
            for tenant in box.tenants:
                pages = answered.get(tenant.row, 0.0) * tenant.needs.touch / PAGE
                back = min(box.absent, pages * box.hot_absent * PAGE)
                share = box.out / box.absent if box.absent > 0 else 0.0
                box.out -= back * share
                box.packed -= back * (1.0 - share)
                own = pages * box.hot_swapped * PAGE if box.guest is not None else 0.0
                self.account.swapped_in += back * share + own
                self.account.swapped_out += own

    # --- acting ----------------------------------------------------------------------------------------------------------

    def tell(self, clock: Clock) -> None:
        """Let the data plane meet what is missing: faults, work and waits of each replica's requests, misses of page caches."""
        for box in self.host.boxes:
            for tenant in box.tenants:
                met = (self._faults(box, tenant), self._spin(box, tenant), self._stall(box, tenant))
                if met != self.told.get(tenant.row, (0.0, 0.0, 0)):
                    self.told[tenant.row] = met
                    clock.plane.set_faults(tenant.row, *met)
        self._page_caches(clock)

    def _faults(self, box: Box, tenant: Tenant) -> float:
        """Pages that a request has to read from a disk, on average."""
        on_disk = box.out / box.absent if box.absent > 0 else 0.0
        missing = box.hot_absent * on_disk
        return tenant.needs.touch / PAGE * (missing + (1.0 - missing) * box.hot_swapped)

    def _spin(self, box: Box, tenant: Tenant) -> float:
        """Work of a request's faults that need no disk: compressed pages, pages shared by KSM that it writes [ns]."""
        costs, pages = self.host.costs, tenant.needs.touch / PAGE
        packed = box.packed / box.absent if box.absent > 0 else 0.0
        shared = tenant.needs.same * box.merged / box.wanted if box.wanted > 0 else 0.0
        return pages * (box.hot_absent * packed * costs.unpack_ns + shared * costs.unshare_ns)

    def _stall(self, box: Box, tenant: Tenant) -> int:
        """How long a request's allocations wait beyond memory.high [ns]."""
        over = (tenant.anonymous - box.absent) / tenant.high - 1.0 if math.isfinite(tenant.high) else 0.0
        if over <= 0 or not self.host.fenced:
            return 0
        pages = (tenant.needs.per_connection + tenant.needs.per_request + tenant.needs.growth) / PAGE
        return min(MOST_HIGH_NS, int(HIGH_SECONDS * over * over * max(1.0, pages) / BATCH * 1e9))

    def _page_caches(self, clock: Clock) -> None:
        """Hit ratios with the room that page caches have now."""
        if not self.lowered.memory.reads:
            return
        room = self._room()
        if all(abs(size - self.cached.get(name, -1.0)) <= 0.01 * size for name, size in room.items()):
            return
        self.cached = room
        loads = {tenant.service: tenant.load for box in self.host.boxes for tenant in box.tenants if tenant.live}
        caches = {name: (_live(self._readers(name)), size) for name, size in room.items()}
        scenario, platform = self.lowered.scenario, self.lowered.platform
        for key, hit in hits_inside(scenario, platform, caches, self.lowered.memory.needs, loads).items():
            clock.plane.set_misses(self.lowered.memory.reads.get(key, []), 1.0 - hit)

    def _readers(self, cache: str) -> list[Tenant]:
        """The replicas that read through a page cache."""
        return [tenant for box in self.host.boxes for tenant in box.tenants if cache in ("host", box.name)]

    def _room(self) -> dict[str, float]:
        """Bytes of each page cache that data may take: what is free on the host, what guests have."""
        if self.lowered.platform.hypervisors:
            return {box.name: box.cached_data for box in self.host.boxes if box.live}
        return {"host": max(0.0, -self.host.excess)}

    def follow_data(self) -> None:
        """Data that replicas may keep in page caches: on the host, and in each guest."""
        for box in self.host.boxes:
            if box.guest is not None:
                box.guest.data = self._data(box.tenants)
                box.guest.files = self._files(box.tenants)
        if not self.lowered.platform.hypervisors:
            self.host.data = self._data([tenant for box in self.host.boxes for tenant in box.tenants])

    def _data(self, tenants: list[Tenant]) -> float:
        found = 0.0
        for name, n in _live(tenants).items():
            one = next(tenant for tenant in tenants if tenant.service == name and tenant.live)
            service = self.lowered.scenario.services[name]
            found += cacheable(service, one.needs, one.needs.at(one.load), n, fenced=bool(self.lowered.platform.runtimes))
        return found

    def _files(self, tenants: list[Tenant]) -> float:
        """File pages of the images inside a guest, each once where containers share them [bytes]."""
        live = _live(tenants)
        shares = all(layer.container.shares_files for layer in self.lowered.platform.runtimes)
        groups: dict[str, float] = {}
        for name, n in live.items():
            image, files = self.host.images[name], float(self.lowered.memory.needs[name].files)
            groups[image] = max(groups.get(image, 0.0), files) if shares else groups.get(image, 0.0) + files * n
        return sum(groups.values())

    def scan_before(self) -> None:
        """What KSM has looked at before the run."""
        if self.lowered.scenario.host.ksm is not None:
            self.scan(self.lowered.scenario.host.ksm.since)

    def scan(self, elapsed: int) -> None:
        """What KSM has looked at since the last look."""
        spec = self.lowered.scenario.host.ksm
        if spec is not None:
            passes = elapsed / (spec.sleep + spec.pages_to_scan * self.host.costs.scan_ns)
            self.host.scanned += passes * spec.pages_to_scan * PAGE

    def book(self, moved: Moved) -> None:
        """Add what a step did to the account."""
        self.account.swapped_out += moved.swapped_out
        self.account.compressed += moved.packed
        self.account.ballooned += moved.inflated
        self.account.merged = sum(box.merged for box in self.host.boxes)
        self.account.scanned = self.host.scanned
        self.account.peak = max(self.account.peak, self.host.resident)

    def kill(self, clock: Clock, decision: Kill) -> None:
        """End whom an OOM killer chose; their service says whether they start again, later each time."""
        names = ", ".join(tenant.name for tenant in decision.tenants)
        self.account.kills.append(f"at {clock.now / 1e9:.3f} s, {names}: {decision.why}; killed")
        for tenant in decision.tenants:
            again = self.lowered.scenario.services[tenant.service].restart != "no"
            tries = self.restarts[tenant.row] = self.restarts.get(tenant.row, 0) + 1
            delay = min(FIRST_RESTART_NS << min(tries - 1, 20), LAST_RESTART_NS) if again else None
            clock.process(lifecycle.crash(clock, tenant.service, tenant.row, delay))
            tenant.live = False


def _live(tenants: list[Tenant]) -> dict[str, int]:
    """Live replicas of each service."""
    found: dict[str, int] = {}
    for tenant in tenants:
        if tenant.live:
            found[tenant.service] = found.get(tenant.service, 0) + 1
    return found


def follow(clock: Clock) -> Process:
    """Follow memory for the whole run."""
    lowered = clock.plane.lowered
    host = host_memory(lowered)
    follower = Follower(lowered, host, MemoryAccount(host.ledger_at))
    clock.plane.memory = follower.account
    follower.scan_before()
    period, since = PERIOD_NS * math.ceil(len(host.boxes) / BOXES), 0
    while True:
        follower.read_back(follower.look(clock))
        follower.scan(int(clock.now) - since)
        since = int(clock.now)
        follower.follow_data()
        moved = host.step()
        for decision in moved.kills:
            follower.kill(clock, decision)
        follower.book(moved)
        follower.tell(clock)
        yield from reclaim(clock, host, moved)
        yield clock.timeout(max(1, since + period - int(clock.now)))


def reclaim(clock: Clock, host: HostMemory, moved: Moved) -> Process:
    """Perform what a step has decided: work for each page, writes of clusters."""
    costs = host.costs
    work = (moved.swapped_out + moved.packed) / PAGE * costs.evict_ns + moved.inflated / PAGE * costs.inflate_ns
    writes = math.ceil(moved.swapped_out / costs.cluster)
    if work > 0 or writes > 0:
        plane = clock.plane
        row, = plane.instances_of(MEMORY_SERVICE)
        assert plane.lowered.reclaim is not None
        with plane.perform(plane.lowered.reclaim, row, work, float(writes)) as done:
            yield done
