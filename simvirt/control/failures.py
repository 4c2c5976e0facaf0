"""Failures while time passes: what each takes with it, when it is repaired, and what comes back by itself.

*Model*: a host without power is gone with all on it: instances, VMs, what they work on, transfers to and from it. Disks keep what is on
    them: images, layers that had come whole, VMs' own disks. Once power is back it boots in the phases of the catalogue; then its daemon
    starts every instance that was up and whose restart policy is not `no`, all at once, and VMs are set to start with their host.
    Until a failure is detected load balancing goes on sending requests to what has failed.
*Ignores*: that a container's daemon gives up after several restarts; file systems that have to be checked or repaired; page caches, which
    are as full after a boot as before.
*Source*: moby daemon/daemon.go (restore: containers are restarted together once the daemon is up); libvirt, virsh autostart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import simpy

from simvirt.catalog.resolve.startups import boot_of_host
from simvirt.control.cluster import Cluster
from simvirt.control.detection import Detection
from simvirt.control.lifecycle import Process, start
from simvirt.control.outages import Outage
from simvirt.control.start import Starts
from simvirt.control.work import perform
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL, MEMORY_SERVICE
from simvirt.scenario.spec.models import Scenario, TimelineEvent
from simvirt.scenario.targets import hosts_of


@dataclass
class Failures:
    """What has failed in a cluster and is not repaired: hosts by their rows, with how many causes keep each down, and how each boots."""

    cluster: Cluster
    starts: Starts
    detection: Detection
    _down: Counter[int] = field(default_factory=Counter)
    _boots: dict[int, simpy.Process] = field(default_factory=dict)
    _were_up: dict[int, set[int]] = field(default_factory=dict)  # host: instances that its daemon starts

    # --- hosts ---------------------------------------------------------------------------------------------------------

    def power(self, host: int, lasts: int | None) -> Process:
        """A host loses power, and boots once it is back after so long [ns], never where that is not said."""
        self.lose_host(host, "power")
        if lasts is None:
            return
        yield self.cluster.clock.timeout(lasts)
        self._down[host] -= 1
        if self._down[host] == 0:
            self._boots[host] = self.cluster.clock.process(self._boot(host))

    def lose_host(self, host: int, how: str) -> None:
        """All on a host is gone; where it boots already, that is over."""
        self._down[host] += 1
        if (booting := self._boots.pop(host, None)) is not None and booting.is_alive:
            booting.interrupt()
        rows = [one.row for one in self.cluster.plane.lowered.arrangement.instances
                if self.cluster.host_of(one.row) == host and one.service != MEMORY_SERVICE]
        outage = self._lost(how, self.cluster.name_of(host), rows)
        self._were_up.setdefault(host, set()).update(outage.rows)
        self.cluster.lose_host(host)
        self.cluster.clock.process(self.detection.of_host(host, outage))

    def _lost(self, how: str, where: str, rows: Iterable[int]) -> Outage:
        """End instances whose kernel is gone; what was lost."""
        cluster, lost, up = self.cluster, 0, list[int]()
        for row in rows:
            was = int(cluster.plane.read("instances", "life")[row])
            self.starts.abandon(row)
            lost += cluster.plane.crash(row, k.GONE, seen=False)
            if cluster.instance(row).service not in INTERNAL and was != k.STOPPED:
                up.append(row)
        outage = Outage(int(cluster.clock.now), how, where, tuple(up), lost)
        cluster.outages.append(outage)
        return outage

    def _boot(self, host: int) -> Process:
        """A host boots, and its daemon starts what was up."""
        cluster, lowered = self.cluster, self.cluster.plane.lowered
        inside = [one for one in lowered.arrangement.instances if one.service in INTERNAL and cluster.host_of(one.row) == host]
        for one in inside:
            cluster.plane.admit(one.row)
        try:
            for phase in boot_of_host(cluster.catalog, lowered.hosts[host]):
                hands = cluster.host_hands(host)
                yield from perform(cluster, hands, phase.cpu_ns, phase.read, phase.write, phase.wait_ns, flushes=phase.flushes)
        except simpy.Interrupt:
            return
        for one in inside:
            if one.service != GUEST_SERVICE or one.machine not in lowered.arrangement.hands:
                cluster.plane.start_background(one.row)
        cluster.host_is_up(host)
        self._start_again(self._were_up.pop(host, set()))

    def _start_again(self, rows: Iterable[int]) -> None:
        """The daemon of a host starts what its restart policy says."""
        for row in sorted(rows):
            service = self.cluster.instance(row).service
            if self.cluster.scenario.services[service].restart != "no":
                self.cluster.clock.process(start(self.cluster.clock, service, row))


def follow_failures(failures: Failures, scenario: Scenario) -> None:
    """Let the failures of the timeline happen."""
    for event in scenario.timeline:
        if event.fail is not None:
            failures.cluster.clock.process(_happen(failures, scenario, event))


def _happen(failures: Failures, scenario: Scenario, event: TimelineEvent) -> Generator[simpy.Event, Any, None]:
    """A failure of the timeline, at its instant."""
    clock = failures.cluster.clock
    yield clock.timeout(event.at)
    for host in hosts_of(scenario, event.fail or ""):
        clock.process(failures.power(host, event.for_))
