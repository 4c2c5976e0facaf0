"""How failures are noticed, and what follows: load balancing leaves out what is gone, orchestrators replace it.

*Model*: what looks after hosts takes one for lost that has not answered for so long (`lost` of the orchestrator's entry; without an
    orchestrator that is what checks of load balancers take). From then on its instances get no requests, and it no new tasks; after
    `evict` more its tasks are given up, and the orchestrator starts others elsewhere. A host that is back in time keeps its tasks: they
    have failed, and the orchestrator says whether they start again where they stood. What runs on hosts that are cut off ends when it is
    given up.
*Ignores*: the phase of heartbeats and looks, which come at regular instants; that what is cut off runs on until it learns that it was
    given up; that orchestrators stop evicting where many hosts are lost at once.
*Source*: the sources of the entries (data/orchestrators.yaml).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.control.outages import Outage
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import INTERNAL
from simvirt.units import format_time

SILENT = "its host does not answer"


@dataclass
class Detection:
    """Who notices what, and when."""

    cluster: Cluster

    @cached_property
    def entry(self) -> OrchestratorEntry:
        """What looks after the hosts."""
        name = self.cluster.plane.lowered.platform.orchestrator or "none"
        return self.cluster.catalog.typed("orchestrators", name, OrchestratorEntry)

    # --- hosts and kernels that are gone -------------------------------------------------------------------------------

    def of_host(self, host: int, outage: Outage) -> Process:
        """Those who look after a host that is gone notice that, unless it is back before."""
        boots = self.cluster.boots(host)
        if self.entry.lost is None:
            return
        yield self.cluster.clock.timeout(round(self.entry.lost))
        if self.cluster.boots(host) == boots:
            outage.noticed = int(self.cluster.clock.now)
            self._leave_out(host, outage.rows)
            if self.entry.evict is not None:
                yield self.cluster.clock.timeout(round(self.entry.evict))
                if self.cluster.boots(host) == boots:
                    self._give_up(host, f"{self.cluster.name_of(host)} is lost")

    def of_guest(self, outage: Outage) -> Process:
        """Those who send requests to what ran in a VM notice that it does not answer, unless it is back before.

        Health checks of a service notice it, where there are any; those of others what looks after the hosts.
        """
        checks = [spec.noticed for row in outage.rows if (spec := self.cluster.spec_of(row).healthcheck) is not None]
        within = max(checks) if checks else self.entry.lost
        if within is not None:
            yield self.cluster.clock.timeout(round(within))
            if not all(self.cluster.plane.is_ready(row) for row in outage.rows):
                outage.noticed = int(self.cluster.clock.now)
                self._withdraw(outage.rows)

    def came_back(self, host: int) -> bool:
        """A host has booted: it takes tasks again, and those that it had have failed; whether an orchestrator decides about them."""
        orchestration, reached = self.cluster.orchestration, not self.cluster.contact.is_cut_off(host)
        if reached:
            self.cluster.contact.lost.discard(host)
        if orchestration is None:
            return False
        if reached:
            orchestration.host_changed(host, True)
            self.failed(self._tasks_on(host))
        return orchestration.watches

    def failed(self, rows: Iterable[int]) -> bool:
        """Kernels are back without the instances that ran on them; whether an orchestrator decides about these."""
        orchestration = self.cluster.orchestration
        if orchestration is None or not orchestration.watches:
            return False
        for row in sorted(rows):
            if int(self.cluster.plane.read("instances", "life")[row]) == k.GONE:
                orchestration.failed(row, "its kernel is gone")
        return True

    # --- hosts that are cut off ----------------------------------------------------------------------------------------

    def of_cut(self, hosts: Sequence[int], outage: Outage, lasts: int | None, clients: bool | None) -> Process:
        """Those who look after hosts that are cut off take them for lost, unless they are reached again before.

        `clients`: the side of clients, that of the hosts, of the rest, or both. Where nobody looks after hosts, checks of what balances
        requests do, which is where the clients are.
        """
        watched = self.cluster.orchestration is not None and self.cluster.orchestration.watches
        for host in hosts if watched else ():
            self.cluster.contact.cut_off(host)
        if self.entry.lost is None or (lasts is not None and lasts <= self.entry.lost):
            if lasts is not None:
                yield self.cluster.clock.timeout(lasts)
                self._reach_again(hosts if watched else ())
            return
        lost = round(self.entry.lost)
        yield self.cluster.clock.timeout(lost)
        shut = self._beyond(hosts, watched, clients)
        if shut or watched:
            outage.noticed = int(self.cluster.clock.now)
        for host in hosts if watched else ():
            self._leave_out(host, ())
        self._shut(shut, 1)
        if watched and self.entry.evict is not None and (lasts is None or lasts > lost + self.entry.evict):
            yield self.cluster.clock.timeout(round(self.entry.evict))
            for host in hosts:
                self._give_up(host, f"{self.cluster.name_of(host)} is cut off")
        if lasts is not None:
            yield self.cluster.clock.timeout(outage.at + lasts - self.cluster.clock.now)
            self._shut(shut, -1)
            self._reach_again(hosts if watched else ())

    def _beyond(self, hosts: Sequence[int], watched: bool, clients: bool | None) -> list[int]:
        """The hosts whose instances get no requests while a partition lasts: those out of reach of what balances these."""
        mine = set(hosts)
        if clients:
            return [host for host in range(len(self.cluster.plane.lowered.hosts)) if host not in mine]
        return list(hosts) if watched or clients is False else []

    def _shut(self, hosts: Sequence[int], more: int) -> None:
        """What balances requests leaves out hosts that it does not reach, and sends to those that it reaches again."""
        plane = self.cluster.plane
        for host in hosts:
            self.cluster.contact.left_out[host] += more
        for one in plane.lowered.arrangement.instances:
            host = self.cluster.host_of(one.row)
            if one.service not in INTERNAL and host in hosts and plane.is_ready(one.row):
                self.cluster.take_in(one.row)

    def _reach_again(self, hosts: Sequence[int]) -> None:
        """Hosts are reached again, unless another cut keeps them away: they take tasks, and what is ready there counts as such."""
        for host in hosts:
            self.cluster.contact.reach_again(host)
            if not self.cluster.contact.is_cut_off(host) and not self.cluster.is_down(host):
                self._take_back(host)

    def _take_back(self, host: int) -> None:
        """A host takes tasks again; what ended there meanwhile is seen to have failed."""
        orchestration = self.cluster.orchestration
        assert orchestration is not None
        self.cluster.contact.lost.discard(host)
        orchestration.host_changed(host, True)
        rows = self._tasks_on(host)
        self.failed(rows)
        for row in rows:
            if self.cluster.plane.is_ready(row):
                orchestration.became_ready(row)

    # --- what follows --------------------------------------------------------------------------------------------------

    def _leave_out(self, host: int, rows: Iterable[int]) -> None:
        """A host counts as lost."""
        silent = format_time(float(self.entry.lost or 0.0) / 1e9)
        if not self.cluster.contact.is_lost(host):
            self.cluster.story.tell("lost", self.cluster.name_of(host), None, f"no answer for {silent}")
        self.cluster.contact.lost.add(host)
        tasks = self._tasks_on(host)
        orchestration = self.cluster.orchestration
        if orchestration is not None and orchestration.watches:
            orchestration.host_changed(host, False)
            for row in tasks:
                orchestration.became_unhealthy(row, SILENT)
        self._withdraw([*rows, *tasks])

    def _withdraw(self, rows: Iterable[int]) -> None:
        """What does not answer gets no more requests."""
        for row in rows:
            if not self.cluster.plane.is_ready(row):
                self.cluster.plane.withdraw(row)

    def _give_up(self, host: int, why: str) -> None:
        """The tasks of a host are given up; others take their slots."""
        for row in self._tasks_on(host):
            self.cluster.plane.crash(row, k.GONE)
            if self.cluster.orchestration is not None:
                self.cluster.orchestration.lost(row, why)

    def _tasks_on(self, host: int) -> list[int]:
        """The rows of the tasks that an orchestrator has on a host."""
        return [] if self.cluster.orchestration is None else self.cluster.orchestration.rows_on(host)
