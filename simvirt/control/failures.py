"""Failures while time passes: what each takes with it, when it is repaired, and what comes back by itself.

*Model*: a host without power is gone with all on it: instances, VMs, what they work on, transfers to and from it. Disks keep what is on
    them: images, layers that had come whole, VMs' own disks. Once power is back it boots in the phases of the catalogue; then its daemon
    starts every instance that was up and whose restart policy is not `no`, all at once, and VMs are set to start with their host.
    A host whose kernel panics dumps it and boots; a guest whose kernel panics takes the instances in it alone, and its VM starts anew.
    A process that ends is started again as its restart policy says, after a delay that doubles each time unless it ran for long.
    Until a failure is detected load balancing goes on sending requests to what has failed.
*Ignores*: file systems that have to be checked or repaired; page caches, which are as full after a boot as before; that a panicked
    guest keeps its monitor, which starts anew here.
*Source*: moby daemon/daemon.go (restore: containers are restarted together once the daemon is up), daemon/internal/restartmanager; libvirt,
    virsh autostart; Linux Documentation/admin-guide/kdump/kdump.rst.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import simpy

from simvirt.catalog.resolve.startups import Phase, boot_of_host
from simvirt.control.cluster import Cluster
from simvirt.control.detection import Detection
from simvirt.control.lifecycle import Process, crash, start
from simvirt.control.outages import Outage
from simvirt.control.start import Starts
from simvirt.control.work import perform
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL, STORAGE_SERVICE, Instance
from simvirt.plane import UP

FIRST_RESTART_NS: Final = 100_000_000
LAST_RESTART_NS: Final = 60_000_000_000
LONG_RUN_NS: Final = 10_000_000_000
"""Delay of the first restart, doubled by each further one up to a minute; after a run of so long it is as at first [ns].

Source: moby daemon/internal/restartmanager/restartmanager.go.
"""


@dataclass
class Failures:
    """What has failed in a cluster and is not repaired: hosts by their rows, with how many causes keep each down, and how each boots."""

    cluster: Cluster
    starts: Starts
    detection: Detection
    _down: Counter[int] = field(default_factory=Counter)
    _off: set[int] = field(default_factory=set)  # hosts that are switched off
    _boots: dict[int, simpy.Process] = field(default_factory=dict)
    _were_up: dict[int, set[int]] = field(default_factory=dict)  # host: instances that its daemon starts
    _tries: dict[int, tuple[int, int]] = field(default_factory=dict)  # instance: restarts in a row, and when the last began [ns]

    # --- hosts ---------------------------------------------------------------------------------------------------------

    def power(self, host: int, lasts: int | None) -> Process:
        """A host loses power, and boots once it is back after so long [ns], never where that is not said."""
        if host in self._off:
            return
        self._lose_host(host, "power")
        if lasts is not None:
            yield self.cluster.clock.timeout(lasts)
            self._repaired(host, boot_of_host(self.cluster.catalog, self.cluster.plane.lowered.hosts[host]))

    def panic(self, host: int, lasts: int | None) -> Process:
        """The kernel of a host panics; it is dumped and the host boots, or is reset after so long [ns]."""
        if host in self._off:
            return
        self._lose_host(host, "kernel-panic")
        if lasts is not None:
            yield self.cluster.clock.timeout(lasts)
        self._repaired(host, boot_of_host(self.cluster.catalog, self.cluster.plane.lowered.hosts[host], lasts is None))

    def switch_off(self, host: int) -> None:
        """A host on which nothing is wanted is switched off, and stays so until it is switched on; meanwhile it cannot fail."""
        self._off.add(host)
        for one in self._cut(host):
            self.starts.abandon(one.row)
            self.cluster.plane.crash(one.row, k.GONE)
        self._were_up.pop(host, None)
        self.cluster.lose_host(host)
        self.cluster.forget_host(host)

    def switch_on(self, host: int, phases: Sequence[Phase]) -> simpy.Process:
        """A host that was switched off boots in some phases; the end of that."""
        self._off.remove(host)
        self._boots[host] = self.cluster.clock.process(self._boot(host, phases))
        return self._boots[host]

    def fails(self, host: int) -> bool:
        """Whether something that has failed keeps a host down."""
        return self._down[host] > 0

    def _cut(self, host: int) -> list[Instance]:
        """A host gets no power from now on; the instances on it. Where it boots, that is over."""
        if (booting := self._boots.pop(host, None)) is not None and booting.is_alive:
            booting.interrupt()
        return [one for one in self.cluster.plane.lowered.arrangement.instances if self.cluster.host_of(one.row) == host]

    def _lose_host(self, host: int, how: str) -> None:
        """All on a host is gone."""
        self._down[host] += 1
        outage = self._lost(how, self.cluster.name_of(host), self._cut(host))
        self._were_up.setdefault(host, set()).update(outage.rows)
        self.cluster.lose_host(host)
        self.cluster.clock.process(self.detection.of_host(host, outage))

    def _lost(self, how: str, where: str, instances: Iterable[Instance]) -> Outage:
        """End instances whose kernel is gone; what was lost."""
        cluster, outage = self.cluster, Outage(int(self.cluster.clock.now), how, where)
        for one in instances:
            was = int(cluster.plane.read("instances", "life")[one.row])
            self.starts.abandon(one.row)
            outage.requests += cluster.plane.crash(one.row, k.GONE, seen=False)
            if one.service not in INTERNAL and was != k.STOPPED:
                outage.rows.append(one.row)
        return cluster.record(outage)

    def _repaired(self, host: int, phases: Sequence[Phase]) -> None:
        """A cause that keeps a host down is over: without another one it boots."""
        self._down[host] -= 1
        if self._down[host] == 0 and host not in self._off:
            self._boots[host] = self.cluster.clock.process(self._boot(host, phases))

    def _boot(self, host: int, phases: Sequence[Phase]) -> Process:
        """A host boots, and its daemon starts what was up."""
        cluster, plan = self.cluster, self.cluster.plane.lowered.arrangement
        inside = [one for one in plan.instances if one.service in INTERNAL and cluster.host_of(one.row) == host]
        for one in inside:
            if one.service != STORAGE_SERVICE:
                cluster.plane.admit(one.row)
        try:
            for phase in phases:
                hands = cluster.host_hands(host)
                yield from perform(cluster, hands, phase.cpu_ns, phase.read, phase.write, phase.wait_ns, flushes=phase.flushes)
        except simpy.Interrupt:
            return
        for one in inside:
            if one.service == STORAGE_SERVICE:
                cluster.plane.admit(one.row)
            if one.service != GUEST_SERVICE or one.machine not in plan.hands:
                cluster.plane.start_background(one.row)
        cluster.host_is_up(host)
        rows = self._were_up.pop(host, set())
        if not self.detection.came_back(host):
            self._start_again(rows)

    def _start_again(self, rows: Iterable[int]) -> None:
        """The daemon of a host starts what its restart policy says."""
        for row in sorted(rows):
            if self._restarts(row):
                self.cluster.clock.process(start(self.cluster.clock, self.cluster.instance(row).service, row))

    def _restarts(self, row: int) -> bool:
        """Whether an instance that failed is started again."""
        return self.cluster.scenario.services[self.cluster.instance(row).service].restart != "no"

    # --- kernels and processes -----------------------------------------------------------------------------------------

    def kernel_of(self, row: int, lasts: int | None) -> Process:
        """The kernel beneath an instance panics: that of its host, or of its guest, which is reset after so long [ns], else at once."""
        plan, machine = self.cluster.plane.lowered.arrangement, self.cluster.instance(row).machine
        if int(self.cluster.plane.read("instances", "life")[row]) not in UP:
            return
        if plan.machines[machine].vm is None:
            yield from self.panic(self.cluster.host_of(row), lasts)
            return
        backends = [device.backend for device in (plan.machines[machine].net, plan.machines[machine].disk) if device is not None]
        served = {one.row for one in backends if one is not None}
        instances = [one for one in plan.instances if one.machine == machine or one.row in served]
        outage = self._lost("kernel-panic", f"VM of {self.cluster.called(row)}", instances)
        self.cluster.lose_kernels({machine})
        self.cluster.clock.process(self.detection.of_guest(outage))
        yield self.cluster.clock.timeout(lasts or 0)
        if not self.cluster.is_down(self.cluster.host_of(row)):
            for one in instances:
                if one.service in INTERNAL:
                    self.cluster.plane.admit(one.row)
            if not self.detection.failed(outage.rows):
                self._start_again(outage.rows)

    def process(self, row: int) -> Process:
        """An instance ends; it is started again as its restart policy says."""
        now, plane = int(self.cluster.clock.now), self.cluster.plane
        if int(plane.read("instances", "life")[row]) in UP:
            self.cluster.record(Outage(now, "process", self.cluster.called(row), [row], plane.crash(row), noticed=now))
            delay = self._delay(row) if self._restarts(row) else None
            yield from crash(self.cluster.clock, self.cluster.instance(row).service, row, delay)

    def _delay(self, row: int) -> int:
        """After how long an instance that has ended is started again [ns]."""
        tries, began = self._tries.get(row, (0, 0))
        tries = 0 if self.cluster.clock.now - began > LONG_RUN_NS else tries
        delay = min(FIRST_RESTART_NS << min(tries, 20), LAST_RESTART_NS)
        self._tries[row] = (tries + 1, int(self.cluster.clock.now) + delay)
        return delay
