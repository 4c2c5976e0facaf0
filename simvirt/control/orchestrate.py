"""The loop of orchestration, written once: what is wanted, what is there, what to do next, for each service.

*Model*: a service is looked at when something happened to it or to a host, `notice` later, and every `sync`; its orchestrator (a pure
    function) says what to do, and that is done by the verbs of the data plane and the start of `control/start.py`. An instance takes a
    row of its service that is free, which is put on the host chosen; it keeps the row until it has ended.
*Ignores*: that orchestrators run on machines of their own, which may be busy; that their messages may be lost.
*Source*: the reconciling controllers of Kubernetes and SwarmKit; constants by entry (data/orchestrators.yaml).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatchmethod

import simpy

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control import lifecycle
from simvirt.control.cluster import Cluster
from simvirt.control.evicting import Pressed
from simvirt.control.lifecycle import Process
from simvirt.control.looks import next_look
from simvirt.control.orchestrators.interface import (
    OF_TASKS,
    PREEMPTED,
    STOPPED,
    WAITING,
    Action,
    Kill,
    Look,
    Move,
    Orchestrator,
    Pending,
    Preempt,
    Remove,
    Restart,
    Revert,
    Stalled,
    Start,
    Stop,
    Task,
    Version,
)
from simvirt.control.places import AGAIN_NS, become, put, rows_for
from simvirt.control.records import Measured, Scaled
from simvirt.control.tasks import Ledger, Managed
from simvirt.control.wanted import wanted_of
from simvirt.scenario.spec.services import ServiceSpec


@dataclass
class Orchestration(Pressed):
    """All services of a cluster under one orchestrator; `settled` happens when all that is wanted is ready for the first time."""

    cluster: Cluster
    entry: OrchestratorEntry
    decide: Orchestrator
    ledger: Ledger

    def __post_init__(self) -> None:
        self.settled = self.cluster.clock.event()

    @property
    def watches(self) -> bool:
        """Whether somebody decides what becomes of what failed."""
        return self.entry.acts != "none"

    @property
    def ends_unhealthy(self) -> bool:
        """Whether what fails its checks is ended, and has failed."""
        return self.entry.unhealthy == "ends"

    @property
    def waits_for_others(self) -> bool:
        """Whether starts wait for the services that theirs depends on."""
        return self.entry.depends_on

    @property
    def now(self) -> int:
        """The present instant [ns]."""
        return int(self.cluster.clock.now)

    # --- what is asked for ---------------------------------------------------------------------------------------------

    def manage(self, service: str, rows: Sequence[int], replicas: int) -> None:
        """Take a service over, of which nothing is there and so many replicas are wanted."""
        spec = self.cluster.scenario.services[service]
        wanted = wanted_of(service, replicas, spec, self.entry, self.cluster.catalog)
        self.ledger.services[service] = Managed(wanted, sorted(rows))
        self.look(service)

    def adopt(self, rows: Sequence[int]) -> None:
        """Take over the instances of services among those that are up at the beginning."""
        for one in map(self.cluster.instance, rows):
            if one.service in self.ledger.services:
                version = self.ledger[one.service].wanted.version
                task = self.ledger.begin(one.service, one.row, one.replica, version, self.cluster.host_of(one.row), self.now)
                self._change(replace(task, phase="ready", ready_at=self.now))
        self._settle()

    def scale(self, service: str, replicas: int, why: str = "timeline", saw: Measured | None = None) -> None:
        """Another number of replicas is wanted; `saw` is what an autoscaler saw."""
        of = self.ledger[service]
        self.cluster.steps.wants(Scaled(self.now, service, of.wanted.replicas, replicas, why, saw))
        self.cluster.story.tell("scale", service, None, f"{of.wanted.replicas} to {replicas} replicas: {why}")
        of.wanted = of.wanted.scaled(replicas)
        self.look(service)

    def update(self, service: str, spec: ServiceSpec, why: str = "timeline", *, back: bool = False) -> None:
        """Another version is wanted."""
        of = self.ledger[service]
        version = Version(of.wanted.version.number + 1, spec, self.now, back)
        self.cluster.story.tell("update", service, None, why)
        of.failures.clear()
        of.wanted = replace(of.wanted, version=version, before=of.wanted.version)
        self.look(service)

    def revert(self, service: str, why: str) -> None:
        """The version before the present one is wanted again, where there is one."""
        if (before := self.ledger[service].wanted.before) is not None:
            self.update(service, before.spec, f"back: {why}", back=True)

    # --- what has happened ---------------------------------------------------------------------------------------------

    def slot_of(self, row: int) -> int | None:
        """Which of the replicas that are wanted an instance is; None where it is none of them."""
        task = self.ledger.task_in(row)
        return None if task is None else task.slot

    def became_ready(self, row: int) -> None:
        """Takes in that an instance takes requests."""
        if (task := self.ledger.task_in(row)) is not None and task.phase in ("starting", "unhealthy", "failed"):
            self._change(replace(task, phase="ready", since=self.now, ready_at=self.now, cause=None))
            self._tell("ready", task)
            self._settle()

    def became_unhealthy(self, row: int, why: str) -> None:
        """Takes in that an instance is up and fails its checks; requests go to others."""
        if (task := self.ledger.task_in(row)) is not None and task.phase == "ready":
            self._change(replace(task, phase="unhealthy", since=self.now, cause=why))
            self._tell("unhealthy", task, why)

    def failed(self, row: int, why: str) -> None:
        """Takes in that an instance is down, and nobody wanted that."""
        task = self.ledger.task_in(row)
        if task is None or task.phase == "failed":
            return
        if task.phase == "stopping":
            self._end(task, why)
            return
        lasted = task.ready_at is not None and self.entry.backoff_reset is not None and self.now - task.ready_at >= self.entry.backoff_reset
        self.ledger.fail(task, why, self.now, lasted)
        self._tell("failed", task, why)
        self.look(task.service, next_look(self.cluster, self.entry, task.host) + round(self.entry.notice or 0.0))

    def completed(self, row: int) -> None:
        """Takes in that the instance of a job has done its work: it is gone."""
        if (task := self.ledger.task_in(row)) is not None and task.alive:
            self.ledger[task.service].completed.append(self.now)
            self.cluster.plane.stop(row)
            if self.cluster.clock.starts is not None:
                self.cluster.clock.starts.stopped(row)
            self._end(task, "completed")

    def lost(self, row: int, why: str) -> None:
        """Takes in that an instance is given up with its host; its slot is free."""
        if (task := self.ledger.task_in(row)) is not None:
            self.ledger[task.service].lost.add(task.slot)
            self._end(task, "lost", why)

    def moved(self, row: int, host: int) -> None:
        """Takes in that an instance stands on another host, as its VM has moved there."""
        self.ledger.move(row, host)

    def rows_on(self, host: int) -> list[int]:
        """The rows of the instances that it has on a host."""
        return self.ledger.rows_on(host)

    def host_changed(self, host: int, able: bool) -> None:
        """Takes in that a host is gone, closed or back, so that it takes new tasks or takes none."""
        self.ledger.able[host] = able and host not in self.cluster.closed
        for service in self.ledger.by_priority:
            self.look(service)

    def reach(self, row: int, how: str) -> None:
        """Takes in that an instance is so far: started, or healthy."""
        service = self.cluster.instance(row).service
        event, rows = self.ledger.milestone(service, how, self.cluster.clock)
        rows.add(row)
        if not event.triggered and len(rows) >= self.ledger[service].wanted.replicas:
            event.succeed()

    def reached(self, service: str, how: str) -> simpy.Event:
        """The event at which as many instances of a service as are wanted are so far."""
        return self.ledger.milestone(service, how, self.cluster.clock)[0]

    def _settle(self) -> None:
        """All that is wanted may be ready for the first time."""
        if not self.settled.triggered and all(of.is_complete for of in self.ledger.services.values()):
            self.settled.succeed()

    def standing(self, service: str) -> dict[int, int]:
        """The rows of a service's instances that are up or being started, by their slots."""
        return self.ledger.standing(service)

    def placed(self) -> dict[str, list[int]]:
        """The host of each instance of a service that there is."""
        return {name: [task.host for task in of.tasks.values()] for name, of in self.ledger.services.items()}

    def counted(self) -> tuple[int, dict[str, int]]:
        """How many instances were started, and how many of them have ended, by cause."""
        return self.ledger.counted()

    # --- the loop ------------------------------------------------------------------------------------------------------

    def look(self, service: str, at: int | None = None) -> None:
        """Look at a service at an instant [ns], or once what has just happened to it is noticed."""
        of, at = self.ledger[service], self.now + round(self.entry.notice or 0.0) if at is None else at
        if of.due is None or at < of.due:
            of.due = at
            self.cluster.clock.process(self._later(service, at))

    def _later(self, service: str, at: int) -> Process:
        yield self.cluster.clock.timeout(at - self.now)
        if self.ledger[service].due == at:
            self._reconcile(service)

    def _reconcile(self, service: str) -> None:
        """Ask what is to be done for a service, and do it."""
        of = self.ledger[service]
        before = of.pending
        of.due, of.pending = None, None
        waiting = self.carry_out(service, self.decide(of.wanted, self.ledger.seen(service, self.now), self.entry))
        of.looked_at(waiting)
        self._tell_waiting(of, before)
        if self.entry.sync:
            self.look(service, self.now + round(self.entry.sync))

    def carry_out(self, service: str, actions: Iterable[Action]) -> set[int]:
        """Do what is to be done for a service, not with a task that an action before has ended; the slots that wait."""
        waiting = set()
        for action in actions:
            waiting |= {action.slot} if isinstance(action, WAITING) else set()
            if not isinstance(action, OF_TASKS) or action.task in self.ledger[service].tasks:
                self._do(action, service)
        return waiting

    def _tell_waiting(self, of: Managed, before: str | None) -> None:
        """A replica waits for a host, unless that is known."""
        if of.pending is not None and of.pending != before:
            self.cluster.story.tell("waits", of.wanted.service, None, of.pending)
        self.cluster.waits += of.note_waiting(self.now)

    @singledispatchmethod
    def _do(self, action: Action, service: str) -> None:
        raise TypeError(f"no action: {action!r}")

    @_do.register
    def _(self, action: Look, service: str) -> None:
        self.look(service, max(action.at, self.now))

    @_do.register
    def _(self, action: Pending, service: str) -> None:
        self.ledger[service].pending = action.why

    @_do.register
    def _(self, action: Preempt, service: str) -> None:
        of = self.ledger[service]
        of.nominated[action.slot], of.pending = action.host, action.why
        for name, number in action.victims:
            task = self.ledger[name].tasks.get(number)
            if task is not None and task.phase != "stopping":
                self.stop(task, f"preempted for {service}-{action.slot}", PREEMPTED)

    @_do.register
    def _(self, action: Stalled, service: str) -> None:
        if self.ledger[service].stalls():
            self.cluster.story.tell("stalled", service, None, action.why)

    @_do.register
    def _(self, action: Revert, service: str) -> None:
        self.revert(service, action.why)

    @_do.register
    def _(self, action: Start, service: str) -> None:
        of = self.ledger[service]
        own = action.slot if action.version.spec.is_stateful else None
        row = next((row for row in rows_for(self.cluster, of.free, action.host, own) if put(self.cluster, row, action.host)), None)
        if row is None:
            of.pending = "all rows of its instances are taken by those that have not ended yet"
            self.look(service, self.now + AGAIN_NS)
            return
        become(self.cluster, row, action.version.spec)
        task = self.ledger.begin(service, row, action.slot, action.version, action.host, self.now)
        self._tell("start", task, action.why)
        self.cluster.clock.process(self._bring_up(task))

    @_do.register
    def _(self, action: Restart, service: str) -> None:
        task = self.ledger[service].tasks[action.task]
        task = replace(task, phase="starting", since=self.now, restarts=task.restarts + 1, tries=task.tries + 1, cause=None, ready_at=None)
        self._change(task)
        self._tell("restart", task, action.why)
        self.cluster.clock.process(self._bring_up(task))

    @_do.register
    def _(self, action: Stop, service: str) -> None:
        self.stop(self.ledger[service].tasks[action.task], action.why)

    def stop(self, task: Task, why: str, cause: str = STOPPED) -> None:
        """Stop a task gracefully; where that is for the sake of others it counts as ended by that cause, in time or not."""
        if task.phase == "failed":
            self._end(task, cause, None if cause == STOPPED else why)
            return
        self._change(replace(task, phase="stopping", since=self.now, cause=why))
        self._tell("stop" if cause == STOPPED else cause, task, why)
        self.cluster.clock.process(self._shut_down(task, cause))

    @_do.register
    def _(self, action: Kill, service: str) -> None:
        task = self.ledger[service].tasks[action.task]
        row = self.ledger.row_of(task)
        self.cluster.plane.crash(row)
        self._abandon(row)
        self._end(task, action.cause, action.why)

    @_do.register
    def _(self, action: Remove, service: str) -> None:
        self._end(self.ledger[service].tasks[action.task], "failed", action.why, told="given up")

    @_do.register
    def _(self, action: Move, service: str) -> None:
        task = self.ledger[service].tasks[action.task]
        self._tell("move", task, f"to {self.ledger.hosts.names[action.host]}: {action.why}")
        self.cluster.move(self.ledger.row_of(task), action.host)

    # --- carrying out --------------------------------------------------------------------------------------------------

    def publishing(self, row: int) -> Process:
        """What passes between an instance's being ready and the first request to it: its host's agent sees it, balancers learn of it."""
        yield self.cluster.clock.timeout(next_look(self.cluster, self.entry, self.cluster.host_of(row)) - self.now)
        if self.entry.publish:
            yield self.cluster.clock.timeout(round(self.entry.publish))
        yield from self.cluster.contact.until_reached(self.cluster.host_of(row))

    def _bring_up(self, task: Task) -> Process:
        """Start a task's instance; it may be stopped or fail meanwhile."""
        row, clock = self.ledger.row_of(task), self.cluster.clock
        if self.entry.start_delay:
            yield clock.timeout(round(self.entry.start_delay))
        yield from self.cluster.contact.until_reached(task.host)
        if self._still(task, row):
            yield from lifecycle.start(clock, task.service, row)

    def _still(self, task: Task, row: int) -> bool:
        """Whether a task is being started in a row, as it was."""
        now = self.ledger.task_in(row)
        return now is not None and (now.number, now.restarts, now.phase) == (task.number, task.restarts, "starting")

    def _shut_down(self, task: Task, cause: str) -> Process:
        """End a task's instance: it answers what it has within its time of grace; what it has not answered by then is lost."""
        row, clock, plane = self.ledger.row_of(task), self.cluster.clock, self.cluster.plane
        if clock.starts is not None:
            clock.starts.abandon(row)
        drained = plane.drain(row)
        yield drained if self.entry.grace is None else clock.any_of([drained, clock.timeout(round(self.entry.grace))])
        if (now := self.ledger.task_in(row)) is None or now.number != task.number:
            return
        within = plane.is_idle(row)
        lost = plane.stop(row)
        self._abandon(row)
        over = "its time of grace is over" if cause == STOPPED else f"its time of grace is over; {lost} requests lost"
        self._end(task, "killed" if cause == STOPPED and not within else cause, None if within else over)

    def _abandon(self, row: int) -> None:
        """Nothing of an instance goes on."""
        if (starts := self.cluster.clock.starts) is not None:
            starts.abandon(row)
            starts.stopped(row)

    def _end(self, task: Task, cause: str, why: str | None = None, told: str | None = None) -> None:
        """A task has ended; those who wait for room are asked again."""
        row = self.ledger.row_of(task)
        self.ledger.end(task, cause)
        self._tell(told or cause, task, why, row)
        for service in self.ledger.by_priority:
            if service == task.service or self.ledger[service].pending is not None:
                self.look(service)

    def _change(self, task: Task) -> None:
        """A task is otherwise from now on."""
        self.ledger.change(task)
        self.look(task.service)

    def _tell(self, what: str, task: Task, why: str | None = None, row: int | None = None) -> None:
        at = self.ledger.row_of(task) if row is None else row
        self.cluster.story.tell(what, f"{task.service}-{task.slot}", self.ledger.hosts.names[task.host], why, at)
