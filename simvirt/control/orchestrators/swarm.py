"""Docker Swarm: tasks in slots, spread over hosts, replaced wherever there is room when they end, brought to new versions few at a time.

*Model*: a task that failed is replaced in its slot after the delay of the restart policy, on whatever host the scheduler chooses; one
    that is unhealthy is stopped and replaced. An update replaces `parallelism` slots at once, waits its delay after each, and pauses or
    goes back where more new tasks fail than it allows. Too many tasks end on the hosts that have most of them.
*Ignores*: global services and jobs; that the delay of an unhealthy task runs from its end.
*Source*: moby/swarmkit manager/orchestrator (replicated, restart, update) and manager/scheduler; agent/exec/dockerapi (unhealthy ones).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Final

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.every_host import on_every_host
from simvirt.control.orchestrators.interface import Action, Look, Pending, Remove, Revert, Seen, Start, Stop, Task, Wanted
from simvirt.control.orchestrators.jobs import begun, missing
from simvirt.control.orchestrators.rules import UPDATED
from simvirt.orchestration.restart import SwarmPolicy, swarm_restarts
from simvirt.orchestration.swarm_update import SwarmUpdate
from simvirt.placement import Hosts, asked_by, choose
from simvirt.placement.swarm import FAILURES_WITHIN_S, place_group
from simvirt.scenario.spec.updating import UpdateConfigSpec

NS: Final = 1e9
UNHEALTHY: Final = "unhealthy"
REPLACED: Final = (UPDATED, UNHEALTHY)
"""Why a task is stopped in whose slot another is to start once it has ended."""


def swarm(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """Tasks too many, unhealthy and failed ones, those of another version, and slots that are empty."""
    service = _Service(wanted, seen, constants, seen.hosts.only(seen.able))
    if wanted.version.spec.is_global:
        yield from service.unhealthy()
        yield from on_every_host(wanted, seen, constants, service.given_up)
        return
    if wanted.version.spec.is_job:
        yield from service.replaced()
        yield from begun(wanted, seen, constants, missing(wanted, seen, seen.tasks))
        return
    yield from service.surplus()
    yield from service.unhealthy()
    yield from service.replaced()
    yield from service.updated()
    yield from service.added()


@dataclass(frozen=True)
class _Service:
    """What is wanted of a service, what there is, the constants, and the hosts as they were before anything is done."""

    wanted: Wanted
    seen: Seen
    constants: OrchestratorEntry
    hosts: Hosts

    # --- what there is -------------------------------------------------------------------------------------------------

    @cached_property
    def slots(self) -> dict[int, list[Task]]:
        """The tasks in each slot that is taken: by those that stay, and by those in whose place others are to start."""
        found: dict[int, list[Task]] = {}
        for task in self.seen.tasks:
            if task.phase != "stopping" or task.cause in REPLACED:
                found.setdefault(task.slot, []).append(task)
        return found

    @cached_property
    def ending(self) -> set[int]:
        """The numbers of tasks that are too many."""
        return {task.number for task in self._too_many()}

    def _too_many(self) -> list[Task]:
        """Tasks of slots too many: first those that are not up, then of the hosts that have most, the highest slots first."""
        staying, found = list(self.slots.values()), list[Task]()
        while len(staying) > self.wanted.replicas:
            beside = Counter(task.host for slot in staying for task in slot)
            last = max(staying, key=lambda slot: (not _is_up(slot), max(beside[task.host] for task in slot), slot[0].slot))
            staying.remove(last)
            found += last
        return found

    @cached_property
    def policy(self) -> SwarmPolicy:
        """When a task that ended is replaced."""
        said = self.wanted.version.spec.deploy.restart_policy
        delay = float(self.constants.backoff or 0.0)
        if said is None:
            return SwarmPolicy(delay_s=delay / NS)
        return SwarmPolicy(said.condition, (delay if said.delay is None else said.delay) / NS, said.max_attempts, said.window / NS)

    @cached_property
    def update(self) -> SwarmUpdate:
        """How slots are brought to the wanted version."""
        deploy = self.wanted.version.spec.deploy
        said = (deploy.rollback_config if self.wanted.version.back else deploy.update_config) or UpdateConfigSpec.model_construct()
        known = SwarmUpdate()
        return SwarmUpdate(
            known.parallelism if said.parallelism is None else said.parallelism,
            known.delay_s if said.delay is None else said.delay / NS, said.failure_action or known.failure_action,
            known.monitor_s if said.monitor is None else said.monitor / NS,
            known.max_failure_ratio if said.max_failure_ratio is None else said.max_failure_ratio, said.order or known.order)

    # --- what to do ------------------------------------------------------------------------------------------------------

    def surplus(self) -> Iterator[Action]:
        """The end of what is too much."""
        yield from (Stop(task.number, f"{self.wanted.replicas} wanted") for task in self._too_many() if task.phase != "stopping")

    def unhealthy(self) -> Iterator[Action]:
        """The end of what fails its checks."""
        for task in self.seen.tasks:
            if task.phase == "unhealthy" and self.seen.able[task.host] and task.number not in self.ending:
                yield Stop(task.number, UNHEALTHY)

    def replaced(self) -> Iterator[Action]:
        """What failed and may be replaced is given up once its delay is over."""
        for task in self.seen.tasks:
            if task.phase == "failed" and task.number not in self.ending:
                yield from self.given_up(task)

    def given_up(self, task: Task) -> Iterator[Action]:
        """The end of a task that failed and may be replaced, once its delay is over."""
        if self._again(task):
            due = task.since + round(self.policy.delay_s * NS)
            yield Remove(task.number, f"{task.cause}; replaced") if self.seen.now >= due else Look(due)

    def _again(self, task: Task) -> bool:
        """Whether a task that failed is replaced."""
        before = [failure.at / NS for failure in self.seen.failures if failure.slot == task.slot and failure.at < task.since]
        return self.policy.again(failed=True, at_s=task.since / NS, restarted_at_s=swarm_restarts(self.policy, before))

    def _leaves(self, task: Task) -> bool:
        """Whether a task is too many, or failed and is being given up now."""
        due = task.since + round(self.policy.delay_s * NS)
        return task.number in self.ending or (task.phase == "failed" and self.seen.now >= due and self._again(task))

    def updated(self) -> Iterator[Action]:
        """Some of the slots with tasks of other versions are brought to the wanted one."""
        old = {slot: tasks for slot, tasks in sorted(self.slots.items()) if any(self._is_old(task) for task in tasks)}
        if not old:
            return
        counted = sum(self.update.counts(None if failure.ran is None else failure.ran / NS) for failure in self.seen.failures)
        action = self.update.action(counted, max(1, self.wanted.replicas))
        if action == "rollback" and not self.wanted.version.back:
            yield Revert(f"{counted} of {self.wanted.replicas} failed")
        if action is not None:
            return
        busy = self._busy()
        free = self.update.workers(len(old)) - len(busy) - len(self.empty)
        for slot, tasks in old.items():
            new = [task for task in tasks if not self._is_old(task)]
            if any(task.phase == "ready" for task in new):
                yield from self._stopped(tasks)
            elif slot not in busy and free > 0 and not any(task.number in self.ending for task in tasks):
                free -= 1
                yield from self._begun(slot, tasks)
        yield from (Look(until) for until in busy.values() if until > self.seen.now)

    def _busy(self) -> dict[int, int]:
        """The slots that workers are at, and until when they are at least [ns]."""
        found: dict[int, int] = {}
        for slot, tasks in self.slots.items():
            for task in tasks:
                until = (task.ready_at or 0) + round(self.update.delay_s * NS)
                new = not self._is_old(task)
                if task.phase == "stopping" or (new and task.phase == "starting"):
                    found.setdefault(slot, 0)
                elif new and task.asked_at >= self.wanted.version.since and until > self.seen.now:
                    found[slot] = until
        return found

    def _is_old(self, task: Task) -> bool:
        return task.version != self.wanted.version.number

    def _stopped(self, tasks: Sequence[Task]) -> Iterator[Action]:
        """The end of the old tasks of a slot."""
        yield from (Stop(task.number, UPDATED) for task in tasks if self._is_old(task) and task.phase != "stopping")

    def _begun(self, slot: int, tasks: Sequence[Task]) -> Iterator[Action]:
        """The beginning of a slot's update: its old tasks end, or a new one starts beside them."""
        if self.update.order == "stop-first":
            yield from self._stopped(tasks)
        else:
            yield from self._started([slot])

    @cached_property
    def empty(self) -> list[int]:
        """The slots in which tasks are to start, the lowest first."""
        staying = {slot for slot, tasks in self.slots.items() if not all(self._leaves(task) for task in tasks)}
        free = (slot for slot in count() if slot not in staying)
        return [next(free) for _ in range(self.wanted.replicas - len(staying))]

    def added(self) -> Iterator[Action]:
        """Starts in slots that are empty."""
        yield from self._started(self.empty)

    def _started(self, slots: Sequence[int]) -> Iterator[Action]:
        """Starts in some slots on the hosts that the scheduler chooses; those that none may take wait."""
        if not slots:
            return
        hosts = self.hosts.only(self.seen.able)
        asked = asked_by(self.wanted.service, self.wanted.version.spec, self.constants.reserves)
        for task in self.seen.tasks:
            if task.phase == "stopping" or self._leaves(task):
                hosts.remove(asked.service, task.host, asked.reserves if task.phase == "failed" else None)
        counts = hosts.of_service(asked.service).copy()
        for failure in self.seen.failures:
            if self.seen.now - failure.at <= FAILURES_WITHIN_S * NS:
                hosts.failures_of(asked.service)[failure.host] += 1
        places = place_group(hosts, asked, len(slots))
        for place, (slot, host) in enumerate(zip(slots, places, strict=False)):
            own = int(counts[host]) + places[:place].count(host)
            yield Start(slot, self.wanted.version, host, f"{hosts.names[host]} has {own} of {asked.service}")
        if len(places) < len(slots):
            yield Pending(slots[len(places)], choose(hosts, asked).reason)


def _is_up(tasks: Sequence[Task]) -> bool:
    return any(task.phase == "ready" for task in tasks)
