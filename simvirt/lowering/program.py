"""Itineraries as instructions: what each request class does, step by step, with what the platform adds to each step.

A call is expanded at its place, so that every step of a class has draws of its own. Overhead is cost x rate: an
operation that a step performs n times adds n costs; operations that CPU work performs by itself add rate x cost per unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

from simvirt.catalog.operations import PLURALS
from simvirt.catalog.records import HostEntry, Platform, PlatformCosts
from simvirt.catalog.resolve.files import FileCosts, Habits
from simvirt.kernel import constants as k
from simvirt.lowering.balancers import Balancers
from simvirt.lowering.files import work_and_requests
from simvirt.lowering.gathering import admit_arrived, free_thread, gathered, insert
from simvirt.lowering.guards import Guard, guarded_call, tries_of
from simvirt.lowering.instructions import Instruction, taking
from simvirt.lowering.locks import Locks
from simvirt.lowering.memory_needs import Memory
from simvirt.lowering.paths import Paths, Routes
from simvirt.lowering.teams import member
from simvirt.lowering.text import Text, Written
from simvirt.lowering.topics import first_of
from simvirt.lowering.volumes import Volume, VolumeSteps
from simvirt.memory.visible import team_size
from simvirt.memory.working_set import PAGE
from simvirt.scenario.spec.distributions import Constant
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.resilience import Guarded
from simvirt.scenario.spec.steps import (
    AnyStep,
    CallStep,
    CpuStep,
    DelayStep,
    DiskStep,
    FilesStep,
    LockStep,
    NetStep,
    ParallelStep,
    PublishStep,
    RepeatStep,
)
from simvirt.scenario.spec.teams import TeamSpec
from simvirt.workload.draws import CHANCE, CHOICE, FAULTS, FILES, Variables
from simvirt.workload.intensity import multiplied

NO_DEMAND = Constant.model_construct(kind="constant", mean=0.0)  # of a column that the control plane fills in


def sends_last(steps: Sequence[AnyStep]) -> bool:
    """Whether the last step of an operation sends something over the NIC, which then is its answer to a client."""
    return any(isinstance(last, NetStep) and last.net.out > 0 and last.probability >= 1.0 for last in steps[-1:])


class Writer(VolumeSteps):
    """Writes the itineraries of one platform on one kind of host."""

    def __init__(
        self,
        scenario: Scenario,
        services: dict[str, int],
        software: Mapping[str, PlatformCosts],
        host: HostEntry,
        rates: Mapping[str, Mapping[str, float]],
        routes: Routes,
        memory: Memory,
        locks: Locks,
        balancers: Balancers,
        files: FileCosts,
        habits: Mapping[str, Habits],
        platform: Platform,
        text: Text,
        pace: float = 1.0,
    ) -> None:
        self.text, self.kind = text, len(text.writers)
        text.writers.append(self)
        self.pace = pace  # time that a unit of demand takes on its host, over that on the first kind
        self.scenario = scenario
        self.services = services  # name: row
        self.software = software  # service: what the platform charges it
        self.host = host
        self.rates = rates  # service: operation -> times per CPU second
        self.routes = routes
        self.paths = routes.outer  # to clients, and to the disk
        self.memory = memory
        self.locks, self.balancers, self.platform = locks, balancers, platform
        self.file_costs = files
        self.volumes: dict[str, Volume] = {}
        self.habits = habits  # service: what its profile does with files
        self.program = text.program

    def everywhere(self, write: Callable[[Writer], int], variables: Variables) -> int:
        """A body for every kind of host; the first row of that for the first kind, from which the others are found."""
        return self.chained(self.for_each_kind(write, variables), variables)[0]

    def for_each_kind(self, write: Callable[[Writer], int], variables: Variables) -> list[Written]:
        """The same body for every kind of host, which all ask for the same variables."""
        begun, found = variables.place(), []
        for writer in self.text.writers:
            variables.go_back(begun, writer.kind)
            found.append(Written(write(writer), variables.place()))
        for body, other in pairwise(found):
            self.program.rows[body.first].other = other.first
        return found

    def chained(self, bodies: list[Written], variables: Variables) -> list[int]:
        """First rows of bodies for all kinds of hosts; what is asked of variables goes on as on this kind."""
        variables.go_back(bodies[self.kind].end, self.kind)
        return [body.first for body in bodies]

    def operation(self, service: str, operation: str, variables: Variables, path: Paths | None) -> int:
        """The instructions of an operation as a caller of this class meets it; their first row."""
        steps = self.scenario.services[service].operations[operation]
        return self.program.place(self.body(service, steps, variables, path, touches=True), f"{service}.{operation}")

    def entry(self, service: str, operation: str, variables: Variables, path: Paths | None, connects: bool) -> int:
        """The same as a client meets it, which `connects` for each request; their first row."""
        steps = self.scenario.services[service].operations[operation]
        body = self.body(service, steps, variables, path, touches=True, answers=not sends_last(steps), connects=connects)
        return self.program.place(body, f"{service}.{operation}")

    def body(
        self, service: str, steps: Sequence[AnyStep], variables: Variables, path: Paths | None = None, touches: bool = False,
        answers: bool = True, connects: bool = False,
    ) -> list[Instruction]:
        """Steps in sequence, ended by a return; a request and its answer take a path, where one is given, and touch the working set.

        A call occupies a thread from the end of its arrival to the beginning of its answer's way, as a socket's buffers let it.
        `answers`: whether the answer is a message of its own, and not what the last step sends. `connects`: over a connection of its own.
        """
        rows: list[Instruction] = []
        path = path.of(service) if path is not None else None
        if path is not None and connects:
            path.connect(rows)
        if path is not None:
            path.arrive(rows, answers)
        if touches:
            self.faults(rows, variables)
        self.sequence(rows, service, steps, variables)
        if path is not None and answers:
            path.depart(rows)
        rows.append(Instruction(k.OP_RETURN))
        rows = gathered(rows)
        if path is not None:
            admit_arrived(rows)
        if touches:
            self.shed(rows, service)
            free_thread(rows)
            self.adapt(rows, service)
        return rows

    def shed(self, rows: list[Instruction], service: str) -> None:
        """Drop a call that has waited too long, as soon as a thread has taken it up."""
        spec = self.scenario.services[service].shed
        if spec is not None:
            at = next((i + 1 for i, row in enumerate(rows) if row.op == k.OP_ADMIT), 0)
            insert(rows, at, Instruction(k.OP_SHED, amount=float(spec.target), fixed=float(spec.interval)))

    def adapt(self, rows: list[Instruction], service: str) -> None:
        """Learn from a call that has been carried out, before its answer leaves."""
        if self.scenario.services[service].limit is not None:
            at = next((i for i, row in enumerate(rows) if row.op == k.OP_FREE), len(rows) - 1)
            insert(rows, at, Instruction(k.OP_ADAPT))

    def sequence(self, rows: list[Instruction], service: str, steps: Sequence[AnyStep], variables: Variables) -> None:
        """Steps one after another, each as often as it is repeated: every execution has draws of its own."""
        for step in steps:
            for _ in range(step.times):
                self.step(rows, service, step, variables)

    def faults(self, rows: list[Instruction], variables: Variables) -> None:
        """What memory management may add to a request, where memory is followed: a wait, work, and pages to be read from swap."""
        costs = self.memory.followed
        if costs is not None or self.scenario.moves or self.platform.balances:
            rows += [Instruction(k.OP_STALL), Instruction(k.OP_SPIN)]
        if costs is None:
            return
        fault = Instruction(k.OP_REPEAT, column=variables.column(family=FAULTS), flag=1, local=True)
        rows += [fault, Instruction(k.OP_CPU, amount=costs.swap_fault), self.swap_in()]
        rows.append(Instruction(k.OP_AGAIN, target=len(rows) - 2, local=True))
        fault.target = len(rows)

    def swap_in(self) -> Instruction:
        """A page read from swap."""
        return self.plain_access(PAGE, write=False)

    def reclaim(self, variables: Variables) -> int:
        """What reclaim does for the control plane: compute, then write clusters of pages to swap; its first row."""
        variables.column(NO_DEMAND)
        rows = [
            Instruction(k.OP_CPU, column=0), Instruction(k.OP_REPEAT, column=variables.column(NO_DEMAND), target=4, local=True),
            self.plain_access(self.memory.costs.cluster, write=True), Instruction(k.OP_AGAIN, target=2, local=True),
            Instruction(k.OP_RETURN),
        ]
        return self.program.place(rows)

    def step(self, rows: list[Instruction], service: str, step: AnyStep, variables: Variables) -> None:
        """One execution of a step, which its probability may leave out."""
        if step.probability >= 1.0:
            self.act(rows, service, step, variables)
            return
        rows.append(Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=step.probability, local=True))
        skip = rows[-1]
        self.act(rows, service, step, variables)
        skip.target = len(rows)

    def act(self, rows: list[Instruction], service: str, step: AnyStep, variables: Variables) -> None:
        """What a step does."""
        match step:
            case CpuStep():
                self.cpu(rows, service, step, variables)
            case CallStep():
                self.call(rows, service, step, variables)
            case DiskStep():
                self.disk_or_volume(rows, service, step.disk, variables)
            case FilesStep():
                self.files(rows, service, step.files, variables)
            case NetStep():
                self.paths.transfer(rows, step.net.out, step.net.in_)
            case DelayStep():
                self.amount(rows, Instruction(k.OP_DELAY, flag=k.DELAY), step.delay, variables)
            case ParallelStep():
                self.parallel(rows, service, step, variables)
            case LockStep():
                self.lock(rows, service, step, variables)
            case RepeatStep():
                self.sequence(rows, service, step.repeat, variables)
            case PublishStep():
                self.publish(rows, step, variables)

    def amount(self, rows: list[Instruction], row: Instruction, distribution: Any, variables: Variables) -> None:
        """A demand: a constant in the instruction, or a column of the request's draws; of CPU time at the pace of its host."""
        row.pace = self.pace if row.demand else 1.0
        if distribution.kind == "constant":
            row.amount = float(distribution.mean)
        else:
            row.column = variables.column(distribution)
        rows.append(row)

    def cpu(self, rows: list[Instruction], service: str, step: CpuStep, variables: Variables) -> None:
        """Compute: stated operations cost per execution, those of the image per CPU second."""
        row = Instruction(k.OP_CPU, demand=True)
        if step.ops:
            named = [(PLURALS.get(name, name), float(count)) for name, count in step.ops.items()]
            row.fixed = self.software[service].charged(named)
            row.ratio = 0.0 - self.software[service].spared(named, step.cpu.mean)
        else:
            row.ratio = self.added(service)
        if step.team is None:
            self.amount(rows, row, step.cpu, variables)
        else:
            self.team(rows, service, step, step.team, row, variables)
        served = () if step.ops else self.habits[service].served
        if served:
            asked = [one.times(step.cpu.mean) for one in served]
            work_and_requests(rows, 0.0, 0.0, asked, partial(variables.column, family=FILES))

    def team(
        self, rows: list[Instruction], service: str, step: CpuStep, team: TeamSpec, cost: Instruction, variables: Variables,
    ) -> None:
        """Let a team compute a step, each member its share of what is not done alone; the demands of both are drawn apart."""
        size = team_size(team, self.scenario.services[service], self.platform, self.host)
        parts: list[Instruction] = []
        for part in ((1.0 - team.serial) / (size * team.regions), team.serial / team.regions):
            self.amount(parts, replace(cost, fixed=cost.fixed * part), multiplied(step.cpu, part), variables)
        serial = parts[1] if team.serial > 0 else None
        wake = self.host.thread_switch_ns
        first, other = (
            self.program.place(member(replace(parts[0]), serial, team, leads, wake)) for leads in (True, False)
        )
        rows.append(Instruction(k.OP_FORK, target=len(self.program.branches), entry=size))
        self.program.branches += [first, *[other] * (size - 1)]

    def added(self, service: str) -> float:
        """Work that the platform adds to a unit of a service's own, less what it spares."""
        return self.software[service].added(list(self.rates[service].items())) + self.habits[service].added

    def call(self, rows: list[Instruction], service: str, step: CallStep, variables: Variables) -> None:
        """Send a request to another service and take its answer."""
        path, guard = self.routes.between(service, step.service), step.guard
        if guard is None:
            column = self.balance_column(step.service, variables)
            path.leave_for(rows)
            rows.append(self.sent(service, step, path, self.called(service, step, variables), column))
        else:
            self.guarded(rows, service, step, guard, path, variables)
        path.come_back(rows)

    def sent(self, service: str, step: CallStep, path: Paths, bodies: list[int], column: int) -> Instruction:
        """The call itself, met by bodies on every kind of host."""
        here, there, sent = bodies[self.kind], bodies[0], path.message()
        return Instruction(
            k.OP_CALL, target=self.services[step.service], entry=here, inside=here, beyond=there, column=column, amount=sent, fixed=sent,
            turn=self.balancers.place(service, step.service))

    def guarded(
        self, rows: list[Instruction], service: str, step: CallStep, guard: Guarded, path: Paths, variables: Variables,
    ) -> None:
        """A call that its caller guards: each try has draws of its own, and chooses its replica."""
        columns = [self.balance_column(step.service, variables) for _ in range(guard.tries)]
        bodies = [self.called(service, step, variables) for _ in columns]
        sends = [[self.sent(service, step, path, body, column)] for body, column in zip(bodies, columns, strict=True)]
        tries, stride = tries_of(guard, sends)
        row = self.text.guards.place(Guard(service, step.service, guard, client=False))
        guarded_call(rows, row, guard, self.program.place(tries), stride, path.leave_for, variables)

    def called(self, service: str, step: CallStep, variables: Variables) -> list[int]:
        """What a call is met by on every kind of host; the first rows.

        Callers on different kinds of hosts that ask for the same variables find the same bodies.
        """
        def write(writer: Writer) -> int:
            return writer.operation(step.service, step.operation, variables, writer.routes.between(service, step.service))

        return self.met(write, variables, (id(step), service))

    def met(self, write: Callable[[Writer], int], variables: Variables, of: tuple[Any, ...]) -> list[int]:
        """A body that others of different kinds of hosts come to, each asking for it where it has come to `of`; the first rows."""
        if len(self.text.writers) == 1:
            return [write(self)]
        key = (id(variables), *of, variables.place())
        if key not in self.text.calls:
            self.text.calls[key] = self.for_each_kind(write, variables)
        return self.chained(self.text.calls[key], variables)

    def publish(self, rows: list[Instruction], step: PublishStep, variables: Variables) -> None:
        """Leave a message for each operation that subscribes, which is carried out as if a client had asked for it."""
        scripts = []
        for name in self.scenario.topics[step.publish].subscribers:
            service, _, operation = name.partition(".")

            def write(writer: Writer, service: str = service, operation: str = operation) -> int:
                return writer.entry(service, operation, variables, writer.paths, connects=False)

            first = self.met(write, variables, (id(step), name))[0]
            scripts.append(self.program.place([Instruction(k.OP_DELIVER, entry=first), Instruction(k.OP_ACKNOWLEDGE)]))
        rows.append(Instruction(
            k.OP_PUBLISH, target=len(self.program.branches), entry=len(scripts), inside=first_of(self.scenario, step.publish)))
        self.program.branches += scripts

    def balance_column(self, service: str, variables: Variables) -> int:
        """Column of the draws that choose a replica, where the policy draws."""
        balance = self.scenario.services[service].balance
        if balance not in ("random", "two-choices"):
            return k.NONE
        column = variables.column(family=CHOICE)
        if balance == "two-choices":
            variables.column(family=CHOICE)
        return column

    def lock(self, rows: list[Instruction], service: str, step: LockStep, variables: Variables) -> None:
        """Take a lock, do what is done while it is held, and give it up; a thread that slept first computes what waking it takes."""
        target, flag = self.locks.place(service, step)
        rows += taking(target, flag, step.spin, self.host.thread_switch_ns, len(rows))
        self.sequence(rows, service, step.hold, variables)
        rows.append(Instruction(k.OP_UNLOCK))

    def parallel(self, rows: list[Instruction], service: str, step: ParallelStep, variables: Variables) -> None:
        """Start all branches and wait for the last."""
        starts = [self.program.place(self.body(service, branch, variables)) for branch in step.parallel]
        rows.append(Instruction(k.OP_FORK, target=len(self.program.branches), entry=len(starts)))
        self.program.branches.extend(starts)

    def background(self, duty: float, period: float, offset: float) -> int:
        """A thread that wants a CPU for ever, or for a part of each period from an offset on; its first row."""
        if duty >= 1.0:
            return self.program.place([Instruction(k.OP_CPU, amount=k.ENDLESS), Instruction(k.OP_JUMP, target=0, local=True)])
        return self.program.place(
            [
                Instruction(k.OP_DELAY, amount=offset * period, flag=k.DELAY),
                Instruction(k.OP_CPU, amount=duty * period),
                Instruction(k.OP_DELAY, amount=(1.0 - duty) * period, flag=k.DELAY),
                Instruction(k.OP_JUMP, target=1, local=True),
            ]
        )

    def flusher(self) -> int:
        """What writes back: choose or sleep, write, again; its first row."""
        return self.program.place([
            Instruction(k.OP_FLUSH), Instruction(k.OP_DISK, flag=2), Instruction(k.OP_JUMP, target=0, local=True),
        ])

    def receive(self, work: float) -> int:
        """What a kernel does for a message before anything can reject it; its first row."""
        return self.program.place([Instruction(k.OP_CPU, amount=work), Instruction(k.OP_RETURN)])

    def softirq(self) -> int:
        """What a kernel does with what interrupts have left to do: all of it, and nothing of its own; its first row."""
        return self.program.place([Instruction(k.OP_CPU, added=True), Instruction(k.OP_RETURN)])

    def startup(self, service: str, variables: Variables) -> int:
        """The work that a replica does before it is ready; its first row."""
        return self.program.place(self.body(service, self.scenario.services[service].startup, variables))
