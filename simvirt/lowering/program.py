"""Itineraries as instructions: what each request class does, step by step, with what the platform adds to each step.

A call is expanded at its place, so that every step of a class has draws of its own. Overhead is cost x rate: an
operation that a step performs n times adds n costs; operations that CPU work performs by itself add rate x cost per unit of work.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from simvirt.catalog.operations import PLURALS
from simvirt.catalog.records import HostEntry, Platform, PlatformCosts
from simvirt.catalog.resolve.files import FileCosts, Habits, disk_accesses
from simvirt.kernel import constants as k
from simvirt.lowering.files import often, work_and_requests
from simvirt.lowering.gathering import admit_arrived, free_thread, gathered
from simvirt.lowering.instructions import Instruction, Program, taking
from simvirt.lowering.locks import Locks
from simvirt.lowering.memory_needs import Memory
from simvirt.lowering.paths import Paths, Routes
from simvirt.lowering.splitting import Split
from simvirt.lowering.teams import member
from simvirt.memory.caching import Beneath
from simvirt.memory.visible import team_size
from simvirt.memory.working_set import PAGE, data_set
from simvirt.scenario.spec.distributions import Constant, Lognormal
from simvirt.scenario.spec.files import FilesSpec
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import (
    AnyStep,
    CallStep,
    CpuStep,
    DelayStep,
    DiskSpec,
    DiskStep,
    FilesStep,
    LockStep,
    NetStep,
    ParallelStep,
    RepeatStep,
)
from simvirt.scenario.spec.teams import TeamSpec
from simvirt.workload.draws import ACCESS, CHANCE, CHOICE, FAULTS, FILES, Variables
from simvirt.workload.intensity import multiplied

NO_DEMAND = Constant.model_construct(kind="constant", mean=0.0)  # of a column that the control plane fills in


def sends_last(steps: Sequence[AnyStep]) -> bool:
    """Whether the last step of an operation sends something over the NIC, which then is its answer to a client."""
    return any(isinstance(last, NetStep) and last.net.out > 0 and last.probability >= 1.0 for last in steps[-1:])


class Writer:
    """Writes the itineraries of one platform."""

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
        files: FileCosts,
        habits: Mapping[str, Habits],
        platform: Platform,
    ) -> None:
        self.scenario = scenario
        self.services = services  # name: row
        self.software = software  # service: what the platform charges it
        self.host = host
        self.rates = rates  # service: operation -> times per CPU second
        self.routes = routes
        self.paths = routes.outer  # to clients, and to the disk
        self.memory = memory
        self.locks, self.platform = locks, platform
        self.file_costs = files
        self.habits = habits  # service: what its profile does with files
        self.program = Program()

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
            free_thread(rows)
        return rows

    def sequence(self, rows: list[Instruction], service: str, steps: Sequence[AnyStep], variables: Variables) -> None:
        """Steps one after another, each as often as it is repeated: every execution has draws of its own."""
        for step in steps:
            for _ in range(step.times):
                self.step(rows, service, step, variables)

    def faults(self, rows: list[Instruction], variables: Variables) -> None:
        """What memory management may add to a request, where memory is followed: a wait, work, and pages to be read from swap."""
        costs = self.memory.followed
        if costs is None:
            return
        rows += [Instruction(k.OP_STALL), Instruction(k.OP_SPIN)]
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
                self.disk(rows, service, step.disk, variables)
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

    def amount(self, rows: list[Instruction], row: Instruction, distribution: Any, variables: Variables) -> None:
        """A demand: a constant in the instruction, or a column of the request's draws."""
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
        column = self.balance_column(step.service, variables)
        path = self.routes.between(service, step.service)
        path.leave_for(rows)
        entry = self.operation(step.service, step.operation, variables, path)
        sent = path.message()
        rows.append(Instruction(
            k.OP_CALL, target=self.services[step.service], entry=entry, inside=entry, beyond=entry, column=column, amount=sent, fixed=sent))
        path.come_back(rows)

    def balance_column(self, service: str, variables: Variables) -> int:
        """Column of the draws that choose a replica, where the policy draws."""
        balance = self.scenario.services[service].balance
        if balance not in ("random", "two-choices"):
            return k.NONE
        column = variables.column(family=CHOICE)
        if balance == "two-choices":
            variables.column(family=CHOICE)
        return column

    def page_cache(self, service: str, disk: DiskSpec, variables: Variables) -> Instruction | None:
        """What leaves a read out where the page cache serves it: at a stated ratio, or as far as the cache holds the working set.

        Data that no operation reads, as a start-up may, is not in the cache.
        """
        asks = (service, data_set(disk)) if disk.working_set is not None else None
        if disk.read is None or (disk.hit == 0 and asks is None):
            return None
        hit = disk.hit if asks is None else self.memory.hits.get(asks, 0.0)
        return Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=1.0 - hit, local=True, asks=asks)

    def beneath(self, service: str, disk: DiskSpec, variables: Variables) -> Instruction | None:
        """What leaves the access to the drive out where the host's page cache has what a guest's has not."""
        if disk.working_set is None or not self.paths.caches_reads:
            return None
        asks = Beneath((service, data_set(disk)))
        hit = self.memory.hits.get(asks, 0.0)
        return Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=1.0 - hit, local=True, asks=asks)

    def disk(self, rows: list[Instruction], service: str, disk: DiskSpec, variables: Variables) -> None:
        """Read unless the page cache has it; write and wait for the device, perhaps for a flush, or leave it to write-back.

        Where the page cache is that of the host of a shared directory, what it has is asked for nevertheless.
        """
        skip = self.page_cache(service, disk, variables)
        kept = self.file_costs.keep_data
        if skip is not None and kept:
            rows.append(skip)
        if disk.read is not None:
            operations, payload = ["disk_read"], "kib_read"
        else:
            operations, payload = ["disk_write", "disk_flush"] if disk.sync else ["disk_write"], "kib_written"
        waited = disk.read is not None or disk.sync or disk.direct
        flushed = disk.sync and self.paths.flushes
        access = self.access(disk, waited and (disk.read is not None or flushed or not self.paths.caches_writes), variables)
        beneath = self.beneath(service, disk, variables) if kept else skip
        written_back = self.paths.use_disk(rows, operations, payload, disk.size, access, waited, beneath)
        if written_back:
            rows.append(Instruction(k.OP_DETACH, entry=self.program.place(written_back)))
        if skip is not None and kept:
            skip.target = len(rows)

    def files(self, rows: list[Instruction], service: str, spec: FilesSpec, variables: Variables) -> None:
        """Work and requests of operations on files, then what they read from the disk and write to it; of a share, as the host does it."""
        work, chance = self.file_costs.work(spec), partial(variables.column, family=FILES)
        work_and_requests(rows, work.own_ns, work.added_ns, work.served, chance)
        for count, fields in disk_accesses(work):
            disk = DiskSpec.model_validate(fields)

            def act(rows: list[Instruction], disk: DiskSpec = disk) -> None:
                if work.local:
                    self.disk(rows, service, disk, variables)
                else:
                    rows.append(self.access(disk, disk.read is not None or disk.sync, variables))

            often(rows, count, chance, act)

    def access(self, disk: DiskSpec, waited: bool, variables: Variables) -> Instruction:
        """What the drive does for a step: its latency varies where somebody waits for it."""
        device, write = self.host.disk, disk.read is None
        flush = device.flush_latency if (disk.sync and self.paths.flushes) or (write and self.paths.writes_through) else 0.0
        parts = self.paths.split(disk.size, write)
        row = self.waited_for(parts, write, flush)
        row.flag, row.ratio = int(not waited), float(disk.size)
        if device.cv(write) > 0 and waited:
            n = len(parts.waits)
            latency = Lognormal.model_construct(mean=n * device.latency_ns(write), cv=device.cv(write) / math.sqrt(n))
            row.column = variables.column(latency, ACCESS)
            row.fixed = parts.longer_ns(device, write) + flush - row.amount
        return row

    def plain_access(self, size: int, write: bool) -> Instruction:
        """What the drive does for a request that nothing splits."""
        return self.waited_for(Split(1, (size,)), write, 0.0)

    def waited_for(self, parts: Split, write: bool, flush_ns: float) -> Instruction:
        """What the drive does: its path for the size, then the rest of its latency."""
        device = self.host.disk
        passage = float(round(parts.passage_ns(device, write)))
        alone = float(round(len(parts.waits) * device.latency_ns(write) + parts.longer_ns(device, write) + flush_ns))
        return Instruction(k.OP_DISK, amount=passage, fixed=max(alone - passage, 0.0))

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
