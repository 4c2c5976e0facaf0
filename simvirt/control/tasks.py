"""The tasks of all services under an orchestrator: which there are, in which rows, which hosts they stand on, how many ended of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import simpy

from simvirt.control.orchestrators.interface import Failure, Seen, Task, Version, Wanted
from simvirt.control.records import Waits
from simvirt.placement import Hosts, Reserves, reserved_by
from simvirt.scenario.spec.services import ServiceSpec


@dataclass
class Managed:
    """A service under an orchestrator.

    What is wanted, its tasks and their rows, rows that are free, what failed of the wanted version, when it is looked at next [ns],
    why a replica waits for a host, how many do, on which hosts room is being made for which slots, which slots were lost with their
    host and are empty since, when jobs were done, which version's update is stalled, which is the newest one's number, and which rows
    have come how far.
    """

    wanted: Wanted
    free: list[int]
    tasks: dict[int, Task] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    due: int | None = None
    pending: str | None = None
    waiting: int = 0
    nominated: dict[int, int] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    stalled: int | None = None
    newest: int = 0
    completed: list[int] = field(default_factory=list)
    milestones: dict[str, tuple[simpy.Event, set[int]]] = field(default_factory=dict)

    @property
    def down(self) -> int:
        """How many of those that are wanted are not ready; none of jobs, which come and go."""
        ready = sum(task.phase == "ready" for task in self.tasks.values())
        return 0 if self.wanted.version.spec.is_job else max(0, self.wanted.replicas - ready)

    def stalls(self) -> bool:
        """Takes in that the update to the wanted version is stalled; whether that is new."""
        known, self.stalled = self.stalled, self.wanted.version.number
        return known != self.stalled

    def looked_at(self, waiting: Collection[int]) -> None:
        """Takes in that what is wanted was looked at, and which slots wait."""
        self.nominated = {slot: host for slot, host in self.nominated.items() if slot in waiting}
        self.wanted = replace(self.wanted, scaled_from=None)

    @property
    def lacking(self) -> int:
        """How many replicas have no host: those that no task stands for, at least one where one is known to wait.

        None of a service with one on each host, which no further host would help.
        """
        if self.pending is None or self.wanted.version.spec.is_global:
            return 0
        return max(1, self.wanted.replicas - sum(task.alive for task in self.tasks.values()))

    def note_waiting(self, now: int) -> list[Waits]:
        """Take in how many replicas have no host; that, where it has changed."""
        if self.lacking == self.waiting:
            return []
        self.waiting = self.lacking
        return [Waits(now, self.wanted.service, self.waiting)]


@dataclass
class Ledger:
    """All tasks; `started` counts those that began, `ended` those that ended by service and cause; `able` hosts take new ones.

    `reserves` is what hosts keep free for them.
    """

    hosts: Hosts
    able: list[bool]
    reserves: Reserves | None = None
    services: dict[str, Managed] = field(default_factory=dict)
    started: Counter[str] = field(default_factory=Counter)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    _tasks: dict[int, tuple[str, int]] = field(default_factory=dict)  # row: service, number of the task in it
    _kept: dict[int, dict[str, int]] = field(default_factory=dict)  # number of a task: what is reserved for it
    _numbers: int = 0

    def __getitem__(self, service: str) -> Managed:
        """What there is of a service."""
        return self.services[service]

    @property
    def down(self) -> int:
        """How many instances that are wanted are not ready."""
        return sum(of.down for of in self.services.values())

    def milestone(self, service: str, how: str, clock: simpy.Environment) -> tuple[simpy.Event, set[int]]:
        """The event at which as many instances of a service as are wanted are so far, and the rows that are."""
        return self[service].milestones.setdefault(how, (clock.event(), set()))

    def task_in(self, row: int) -> Task | None:
        """The task whose instance has a row; None where it is free."""
        found = self._tasks.get(row)
        return None if found is None else self[found[0]].tasks[found[1]]

    def row_of(self, task: Task) -> int:
        """The row of a task's instance."""
        return self[task.service].rows[task.number]

    def rows_on(self, host: int) -> list[int]:
        """The rows of all tasks on a host."""
        return sorted(self.row_of(task) for of in self.services.values() for task in of.tasks.values() if task.host == host)

    def kept_on(self, host: int) -> list[tuple[Task, Mapping[str, int]]]:
        """The tasks on a host that are there to stay and that others may have, with what is reserved for each."""
        services = (of for of in self.services.values() if not of.wanted.version.spec.is_global)
        found = [task for of in services for task in of.tasks.values() if task.host == host and task.phase != "stopping"]
        return [(task, self._kept[task.number]) for task in found]

    def standing(self, service: str) -> dict[int, int]:
        """The rows of a service's instances that are up or being started, by their slots."""
        return {task.slot: self.row_of(task) for task in self[service].tasks.values() if task.alive}

    def seen(self, service: str, now: int) -> Seen:
        """What there is to see for the orchestrator of a service."""
        of = self[service]
        wants = {name: other.wanted for name, other in self.services.items()}
        nominated = {name: dict(other.nominated) for name, other in self.services.items() if other.nominated}
        return Seen(
            now, tuple(of.tasks.values()), self.hosts, self.able, tuple(of.failures), _Others(self.services), wants, nominated, self._kept,
            frozenset(of.lost), tuple(of.completed))

    @property
    def by_priority(self) -> list[str]:
        """The services, the most important ones first, else in their order."""
        return sorted(self.services, key=lambda name: -self[name].wanted.priority)

    def begin(self, service: str, row: int, slot: int, version: Version, host: int, now: int) -> Task:
        """A task begins in a row that was free."""
        of = self[service]
        of.free.remove(row)
        task = Task(self._numbers, service, slot, version.number, host, "starting", now, now)
        self._numbers += 1
        of.tasks[task.number], of.rows[task.number] = task, row
        of.nominated.pop(slot, None)
        of.lost.discard(slot)
        self._tasks[row] = service, task.number
        self._kept[task.number] = reserved_by(version.spec, self.reserves)
        self.hosts.add(service, host, self._kept[task.number])
        self.started[service] += 1
        return task

    def change(self, task: Task) -> None:
        """A task is otherwise from now on."""
        self[task.service].tasks[task.number] = task

    def move(self, row: int, host: int) -> None:
        """The task whose instance has a row stands on another host from now on."""
        task = self.task_in(row)
        if task is not None and task.host != host:
            self.hosts.remove(task.service, task.host, self._kept[task.number])
            self.hosts.add(task.service, host, self._kept[task.number])
            self.change(replace(task, host=host))

    def keep(self, task: Task, spec: ServiceSpec) -> bool:
        """Keep for a task what a version of its service reserves; false where its host has not left as much more."""
        kept, needed = self._kept[task.number], reserved_by(spec, self.reserves)
        free = {name: int(self.hosts.room_of(name)[task.host] - self.hosts.taken_of(name)[task.host]) for name in needed}
        if any(amount - kept.get(name, 0) > free[name] for name, amount in needed.items()):
            return False
        self.hosts.remove(task.service, task.host, kept)
        self.hosts.add(task.service, task.host, needed)
        self._kept[task.number] = needed
        return True

    def end(self, task: Task, cause: str) -> None:
        """A task has ended; its row is free."""
        of = self[task.service]
        row = of.rows.pop(task.number)
        del of.tasks[task.number], self._tasks[row]
        of.free = sorted([*of.free, row])
        self.hosts.remove(task.service, task.host, self._kept.pop(task.number))
        self.ended[task.service, cause] += 1

    def counted(self) -> tuple[int, dict[str, int]]:
        """How many tasks began, and how many of them have ended, by cause."""
        ended: Counter[str] = Counter()
        for (_, cause), many in self.ended.items():
            ended[cause] += many
        return sum(self.started.values()), dict(ended)

    def fail(self, task: Task, why: str, now: int, lasted: bool) -> Task:
        """A task is down, against the will of all; `lasted` sets its back-off back."""
        of = self[task.service]
        if task.version == of.wanted.version.number:
            ran = None if task.ready_at is None else now - task.ready_at
            of.failures.append(Failure(now, task.number, why, task.slot, task.host, ran))
        failed = replace(task, phase="failed", since=now, cause=why, tries=0 if lasted else task.tries)
        self.change(failed)
        return failed


class _Others(Mapping[str, tuple[Task, ...]]):
    """The tasks of all services, made when they are looked at."""

    def __init__(self, services: Mapping[str, Managed]) -> None:
        self._services = services

    def __getitem__(self, service: str) -> tuple[Task, ...]:
        return tuple(self._services[service].tasks.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)
