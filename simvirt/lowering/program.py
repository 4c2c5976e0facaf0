"""Itineraries as instructions: what each request class does, step by step, with what the platform adds to each step.

A call is expanded at its place, so that every step of a class has draws of its own. Overhead is cost x rate: an
operation that a step performs n times adds n costs; operations that CPU work performs by itself add rate x cost per unit of work.
"""

import math
from collections.abc import Mapping
from typing import Any

from simvirt.catalog.operations import PLURALS
from simvirt.catalog.resolved import HostEntry, PlatformCosts
from simvirt.demand.luck import CHANCE, CHOICE, Variables
from simvirt.kernel import constants as k
from simvirt.lowering.instructions import Instruction, Program, gathered
from simvirt.lowering.paths import Paths, Routes
from simvirt.scenario.models import Scenario


class Writer:
    """Writes the itineraries of one platform."""

    def __init__(
        self,
        scenario: Scenario,
        services: dict[str, int],
        costs: PlatformCosts,
        host: HostEntry,
        rates: Mapping[str, Mapping[str, float]],
        routes: Routes,
        walks: Mapping[str, float],
    ) -> None:
        self.scenario = scenario
        self.services = services  # name: row
        self.costs = costs
        self.host = host
        self.rates = rates  # service: operation -> times per CPU second
        self.routes = routes
        self.paths = routes.outer  # to clients, and to the disk
        self.walks = walks  # service: what its page tables out of the caches add to a TLB miss [ns]
        self.program = Program()

    def operation(self, service: str, operation: str, variables: Variables, path: Paths | None) -> int:
        """The instructions of an operation as a caller of this class meets it; their first row."""
        steps = self.scenario.services[service].operations[operation]
        return self.program.place(self.body(service, steps, variables, path))

    def body(self, service: str, steps: Any, variables: Variables, path: Paths | None = None) -> list[Instruction]:
        """Steps in sequence, ended by a return; a request and its answer take a path, where one is given."""
        rows: list[Instruction] = []
        if path is not None:
            path.arrive(rows)
        for step in steps:
            for _ in range(step.times):
                self.step(rows, service, step, variables)
        if path is not None:
            path.depart(rows)
        rows.append(Instruction(k.OP_RETURN))
        return gathered(rows)

    def step(self, rows: list[Instruction], service: str, step: Any, variables: Variables) -> None:
        """One execution of a step, which its probability may leave out."""
        if step.probability >= 1.0:
            self.act(rows, service, step, variables)
            return
        rows.append(Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=step.probability, local=True))
        skip = rows[-1]
        self.act(rows, service, step, variables)
        skip.target = len(rows)

    def act(self, rows: list[Instruction], service: str, step: Any, variables: Variables) -> None:
        """What a step does."""
        if hasattr(step, "cpu"):
            self.cpu(rows, service, step, variables)
        elif hasattr(step, "call"):
            self.call(rows, service, step, variables)
        elif hasattr(step, "disk"):
            self.disk(rows, step.disk, variables)
        elif hasattr(step, "net"):
            self.paths.transfer(rows, step.net.out, step.net.in_)
        elif hasattr(step, "delay"):
            self.amount(rows, Instruction(k.OP_DELAY, flag=k.DELAY), step.delay, variables)
        else:
            self.parallel(rows, service, step, variables)

    def amount(self, rows: list[Instruction], row: Instruction, distribution: Any, variables: Variables) -> None:
        """A demand: a constant in the instruction, or a column of the request's luck."""
        if distribution.kind == "constant":
            row.amount = float(distribution.mean)
        else:
            row.column = variables.column(distribution)
        rows.append(row)

    def cpu(self, rows: list[Instruction], service: str, step: Any, variables: Variables) -> None:
        """Compute: stated operations cost per execution, those of the image per CPU second."""
        row = Instruction(k.OP_CPU)
        if step.ops:
            named = [(PLURALS.get(name, name), count) for name, count in step.ops.items()]
            row.fixed = math.fsum(count * self.operation_ns(service, op) for op, count in named)
        else:
            row.ratio = self.added(service)
        self.amount(rows, row, step.cpu, variables)

    def operation_ns(self, service: str, operation: str) -> float:
        """What one operation of a service's software costs it on the platform [ns]."""
        walk = self.walks[service] if operation == "tlb_miss" else 0.0
        return self.costs.cpu_ns[operation] + self.costs.latency_ns[operation] + walk

    def added(self, service: str) -> float:
        """Work that the platform adds to a unit of a service's own."""
        return math.fsum(rate * self.operation_ns(service, op) / 1e9 for op, rate in self.rates[service].items())

    def call(self, rows: list[Instruction], service: str, step: Any, variables: Variables) -> None:
        """Send a request to another service and take its answer."""
        column = self.balance_column(step.service, variables)
        path = self.routes.between(service, step.service)
        path.leave_for(rows)
        entry = self.operation(step.service, step.operation, variables, path)
        rows.append(Instruction(k.OP_CALL, target=self.services[step.service], entry=entry, column=column))
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

    def disk(self, rows: list[Instruction], disk: Any, variables: Variables) -> None:
        """Read unless the page cache has it; write and wait for the flush, or leave it to write-back."""
        device = self.host.disk
        skip = None
        if disk.read is not None and disk.hit > 0:
            skip = Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=1.0 - disk.hit, local=True)
            rows.append(skip)
        if disk.read is not None:
            operations, payload, size = ["disk_read"], "kib_read", disk.read
            time = device.read_latency_ns + size / device.read_bytes_per_s * 1e9
        else:
            operations, payload, size = ["disk_write", "disk_flush"] if disk.sync else ["disk_write"], "kib_written", disk.write
            time = device.write_latency_ns + size / device.write_bytes_per_s * 1e9 + (device.flush_latency_ns if disk.sync else 0)
        access = Instruction(k.OP_DISK, fixed=float(round(time)), flag=int(disk.read is None and not disk.sync))
        written_back = self.paths.use_disk(rows, operations, payload, size, access)
        if written_back:
            rows.append(Instruction(k.OP_DETACH, entry=self.program.place(written_back)))
        if skip is not None:
            skip.target = len(rows)

    def parallel(self, rows: list[Instruction], service: str, step: Any, variables: Variables) -> None:
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

    def startup(self, service: str, variables: Variables) -> int:
        """The work that a replica does before it is ready; its first row."""
        return self.program.place(self.body(service, self.scenario.services[service].startup, variables))
