"""Pools of hosts that grow for what waits for room, and shrink where they are little used.

*Model*: each looks every `scan` of its entry. Replicas that no host takes, which is there or on its way, bring as many hosts of one pool
    as simulated scheduling needs; a host boots in the phases of the catalogue, joins, and takes replicas. Where none waits, hosts of which
    little is requested and whose replicas fit elsewhere are unneeded; after a time without a break the host takes no more replicas, those
    on it are stopped and start elsewhere, and it is switched off. Hosts that may ever be there have rows from the start; those that are
    off do nothing. A host that comes anew has nothing on its disks but what all hosts have.
*Ignores*: machines that do not come, and clouds that have none left; scores of hosts beyond first fit in simulated scheduling; budgets of
    disruption; replicas that may not move; that a host is looked at on a machine of its own.
*Source*: kubernetes/autoscaler cluster-autoscaler/core/static_autoscaler.go, core/scaledown, FAQ.md; constants by entry
    (data/machine_autoscalers.yaml).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import simpy
from numpy.typing import NDArray

from simvirt.catalog.entries.machine_autoscalers import MachineAutoscalerEntry
from simvirt.catalog.resolve.startups import Phase, boot_of_machine
from simvirt.control.cluster import Cluster
from simvirt.control.evicting import evict
from simvirt.control.failures import Failures
from simvirt.control.orchestrate import Orchestration
from simvirt.control.records import Hired
from simvirt.orchestration.machines import Going, leaving, since_when, stops
from simvirt.placement import Asked, Hosts, asked_by
from simvirt.placement.machines import Option, chosen, option_of, removable, requested, unplaced
from simvirt.scenario.spec.machines import MachineScalingSpec

Process = Generator[simpy.Event, Any, None]
S: Final = 1e9
LOOK_NS: Final = 5_000_000_000
"""How often it is looked whether all that was stopped on a host has ended. Source: kubernetes/autoscaler
cluster-autoscaler/core/scaledown/actuation/drain.go: 5 s [ns]."""


@dataclass
class Machines:
    """The pools that autoscale, by name; which of their hosts are hired, since when some are unneeded, and which are on their way out."""

    cluster: Cluster
    orchestration: Orchestration
    failures: Failures
    entry: MachineAutoscalerEntry
    pools: Mapping[str, MachineScalingSpec]
    hired: dict[int, Hired] = field(default_factory=dict)
    unneeded: dict[int, float] = field(default_factory=dict)  # host: since when [s]
    failed: dict[int, float] = field(default_factory=dict)  # the same of those that are down
    going: dict[int, Going] = field(default_factory=dict)
    added: float | None = None  # when hosts were asked for last [s]

    @property
    def now_s(self) -> float:
        """The present instant [s]."""
        return float(self.cluster.clock.now) / S

    @cached_property
    def slots(self) -> Mapping[str, list[int]]:
        """The hosts that each pool may have."""
        hosts = self.cluster.plane.lowered.arrangement.hosts
        return {name: [host.row for host in hosts if host.site.named.pool == name] for name in self.pools}

    @property
    def hosts(self) -> Hosts:
        """All hosts, with what stands on them."""
        return self.orchestration.ledger.hosts

    def begin(self) -> None:
        """Hosts that are not there at first are off; the others count from now on."""
        for pool, rows in self.slots.items():
            for row in rows:
                if self.cluster.plane.lowered.arrangement.hosts[row].site.named.spare:
                    self.failures.switch_off(row)
                else:
                    self._hire(row, pool).up = 0
        self.cluster.clock.process(self._every())

    def _every(self) -> Process:
        """Look, again and again."""
        while True:
            yield self.cluster.clock.timeout(round(self.entry.scan))
            self._scan()

    def _hire(self, host: int, pool: str) -> Hired:
        """A host is asked for."""
        self.hired[host] = Hired(host, pool, int(self.cluster.clock.now))
        self.cluster.hired.append(self.hired[host])
        return self.hired[host]

    def _scan(self) -> None:
        """One look at what waits and what is unneeded."""
        self.failed = since_when(self.failed, [host for host in self.hired if self._has_failed(host)], self.now_s)
        if stops(len(self.hired), len(self.failed), int(self.entry.ok_unready), self.entry.most_unready):
            return
        self._give_up()
        if not self._grow():
            self._shrink()

    def _is_up(self, host: int) -> bool:
        """Whether a host takes replicas."""
        return not self.cluster.is_down(host)

    def _has_failed(self, host: int) -> bool:
        """Whether a host is down, and not because it boots for the first time."""
        return self.cluster.is_down(host) and (self.hired[host].up is not None or self.failures.fails(host))

    # --- more ----------------------------------------------------------------------------------------------------------

    def _waiting(self) -> list[Asked]:
        """What each replica asks that no host takes."""
        found, reserves = list[Asked](), self.orchestration.entry.reserves
        for name, of in self.orchestration.ledger.services.items():
            if of.waiting:
                found += [asked_by(name, of.wanted.version.spec, reserves)] * of.waiting
        return found

    def _grow(self) -> bool:
        """Ask for the hosts that what waits needs; whether any were."""
        if not (waiting := self._waiting()):
            return False
        coming = [self._is_up(host) or (host in self.hired and host not in self.failed) for host in range(len(self.hosts.names))]
        able = [there and host not in self.going for host, there in enumerate(coming)]
        rest = unplaced(self.hosts.only(able), waiting)
        found = chosen([one for name in self.pools if (one := self._option(name, rest)) is not None], self.entry.expander)
        if found is None:
            return False
        for host in found.machines:
            self._add(host, found.pool, "a replica waits" if found.taken == 1 else f"{found.taken} replicas wait")
        self.added = self.now_s
        return True

    def _option(self, pool: str, waiting: list[Asked]) -> Option | None:
        """Hosts of a pool for what waits."""
        spare = [host for host in self.slots[pool] if host not in self.hired and not self.failures.fails(host)]
        return option_of(pool, self.hosts, spare, waiting) if waiting and spare else None

    def _add(self, host: int, pool: str, why: str) -> None:
        """A host of a pool is asked for, and boots."""
        self.cluster.story.tell("added", self.cluster.name_of(host), None, why)
        join = Phase("join", self.entry.name, "host", wait_ns=round(self.entry.join))
        boot = self.failures.switch_on(host, (*self._boot(host, pool), join))
        self.cluster.clock.process(self._come(self._hire(host, pool), boot))

    def _come(self, one: Hired, boot: simpy.Event) -> Process:
        """A host that was asked for is there once it has booted."""
        yield boot
        if one.ended is None and self._is_up(one.host):
            one.up = int(self.cluster.clock.now)

    def _boot(self, host: int, pool: str) -> tuple[Phase, ...]:
        """The phases in which a host of a pool comes."""
        return boot_of_machine(self.cluster.catalog, self.cluster.plane.lowered.hosts[host], self.pools[pool].boot)

    # --- fewer ---------------------------------------------------------------------------------------------------------

    def _above(self) -> dict[str, int]:
        """How many hosts each pool has above its least number, without those on their way out."""
        count = {name: sum(one.pool == name for one in self.hired.values()) for name in self.pools}
        return {name: count[name] - sum(one.pool == name for one in self.going.values()) - spec.min for name, spec in self.pools.items()}

    def _give_up(self) -> None:
        """Hosts that have been down for too long go."""
        above = self._above()
        for host, since in list(self.failed.items()):
            pool = self.hired[host].pool
            if self.now_s - since >= self.entry.unready / S and above[pool] > 0 and host not in self.going:
                above[pool] -= 1
                self._remove(host, "it is down")

    def _shrink(self) -> None:
        """Let hosts go that have been unneeded for long enough."""
        candidates = [host for host, one in self.hired.items() if self._is_little_used(host, one)]
        kept = {host: self.orchestration.ledger.kept_on(host) for host in candidates}
        asked = {host: [(asked_by(task.service, self._spec(task.service), self.orchestration.entry.reserves), reserved)
                        for task, reserved in tasks] for host, tasks in kept.items()}
        order = sorted(candidates, key=lambda host: (bool(kept[host]), host))
        able = [there and host not in self.going for host, there in enumerate(self.orchestration.ledger.able)]
        self.unneeded = since_when(self.unneeded, removable(self.hosts.only(able), order, asked), self.now_s)
        due = [Going(host, self.hired[host].pool, not kept[host]) for host, since in self.unneeded.items() if self._is_due(host, since)]
        for one in leaving(due, self._above(), int(self.entry.at_once), int(self.entry.drains), self.going.values()):
            self.going[one.machine] = one
            self.unneeded.pop(one.machine)
            self.cluster.clock.process(self._empty(one.machine))

    def _spec(self, service: str) -> Any:
        return self.orchestration.ledger[service].wanted.version.spec

    def _is_little_used(self, host: int, one: Hired) -> bool:
        """Whether less of a host that is up is requested than its pool says."""
        stated = self.pools[one.pool].utilisation
        least = float(self.entry.utilisation) if stated is None else stated
        return self._is_up(host) and host not in self.going and requested(self.hosts, host) < least

    def _is_due(self, host: int, since: float) -> bool:
        """Whether a host has been unneeded for long enough, and none was added lately."""
        asked = self.pools[self.hired[host].pool]
        unneeded = self.entry.unneeded if asked.unneeded is None else asked.unneeded
        settle = self.entry.after_add if asked.delay_after_add is None else asked.delay_after_add
        return self.now_s - since >= unneeded / S and (self.added is None or self.now_s - self.added >= settle / S)

    def _empty(self, host: int) -> Process:
        """A host takes no more replicas; once all on it have ended it goes."""
        orchestration = self.orchestration
        orchestration.host_changed(host, False)
        rows = orchestration.rows_on(host)
        why = f"{100 * requested(self.hosts, host):.0f} % of it requested"
        self.cluster.story.tell("drained", self.cluster.name_of(host), None, why)
        for row in rows:
            evict(orchestration, row, f"{self.cluster.name_of(host)} goes")
        while orchestration.rows_on(host):
            yield self.cluster.clock.timeout(LOOK_NS)
        self.going.pop(host)
        self._remove(host, "it is not needed")

    def _remove(self, host: int, why: str) -> None:
        """A host goes."""
        self.hired.pop(host).ended = int(self.cluster.clock.now)
        self.failed.pop(host, None)
        self.orchestration.host_changed(host, False)
        for row in self.orchestration.rows_on(host):
            self.cluster.plane.crash(row)
            self.orchestration.lost(row, f"{self.cluster.name_of(host)} is given up")
        self.failures.switch_off(host)
        self.cluster.story.tell("removed", self.cluster.name_of(host), None, why)


def follow_machines(cluster: Cluster, failures: Failures) -> None:
    """Let the pools of a scenario grow and shrink that autoscale, those of one entry of the catalogue together."""
    orchestration, by = cluster.orchestration, dict[str, dict[str, MachineScalingSpec]]()
    for name, pool in cluster.scenario.hosts.items():
        if pool.autoscale is not None:
            by.setdefault(pool.autoscale.by, {})[name] = pool.autoscale
    if by:
        cluster.plane.there = partial(there, cluster)
    for name, pools in by.items():
        assert isinstance(orchestration, Orchestration)
        entry = cluster.catalog.typed("machine_autoscalers", name, MachineAutoscalerEntry)
        Machines(cluster, orchestration, failures, entry, pools).begin()


def there(cluster: Cluster, at: int) -> NDArray[np.int64]:
    """How long each host was there up to an instant [ns]."""
    named = [host.site.named for host in cluster.plane.lowered.arrangement.hosts]
    found = np.array([0 if cluster.scenario.pools[host.pool].autoscale else at for host in named])
    for one in cluster.hired:
        found[one.host] += max(0, min(at, at if one.ended is None else one.ended) - one.asked)
    return found
