"""Itineraries as instructions: what each request class does, step by step, with what the platform adds to each step.

A call is expanded at its place, so that every step of a class has draws of its own. Overhead is cost x rate: an
operation that a step performs n times adds n costs; operations that CPU work performs by itself add rate x cost per unit of work.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simvirt.catalog.operations import PLURALS
from simvirt.catalog.resolved import HostEntry, PlatformCosts
from simvirt.demand.luck import CHANCE, CHOICE, Variables
from simvirt.kernel import constants as k
from simvirt.scenario.models import Scenario

OUT, IN = 0, 1  # links of the host's NIC


@dataclass
class Instruction:
    """One row of the program; `target` of a local jump counts from the start of its body until the body is placed."""

    op: int
    target: int = 0
    entry: int = 0
    column: int = k.NONE
    amount: float = 0.0
    fixed: float = 0.0
    ratio: float = 0.0
    flag: int = 0
    local: bool = False


@dataclass
class Program:
    """Instructions and branch tables."""

    rows: list[Instruction] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)

    def place(self, body: list[Instruction]) -> int:
        """Append a body; its first row."""
        base = len(self.rows)
        for row in body:
            if row.local:
                row.target += base
                row.local = False
        self.rows.extend(body)
        return base


def is_extra_work(row: Instruction) -> bool:
    """Whether an instruction computes nothing but what the platform adds."""
    return row.op == k.OP_CPU and row.column == k.NONE and row.amount == 0.0 and row.ratio == 0.0


class Writer:
    """Writes the itineraries of one platform."""

    def __init__(
        self,
        scenario: Scenario,
        services: dict[str, int],
        costs: PlatformCosts,
        host: HostEntry,
        rates: Mapping[str, Mapping[str, float]],
        io_threads: bool,
    ) -> None:
        self.scenario = scenario
        self.services = services  # name: row
        self.costs = costs
        self.host = host
        self.rates = rates  # service: operation -> times per CPU second
        self.io_threads = io_threads
        self.program = Program()

    def operation(self, service: str, operation: str, variables: Variables, messages: int = 1) -> int:
        """The instructions of an operation as a caller of this class meets it; their first row. `messages` each way reach it."""
        steps = self.scenario.services[service].operations[operation]
        return self.program.place(self.body(service, steps, variables, messages))

    def body(self, service: str, steps: Any, variables: Variables, messages: int = 0) -> list[Instruction]:
        """Steps in sequence, ended by a return; with `messages` the packets of a request and its answer."""
        rows: list[Instruction] = []
        self.packets(rows, messages, messages)
        for step in steps:
            for _ in range(step.times):
                self.step(rows, service, step, variables)
        rows.append(Instruction(k.OP_RETURN))
        return self.gathered(rows)

    def gathered(self, rows: list[Instruction]) -> list[Instruction]:
        """The body with what the platform adds gathered: one visit to the I/O thread, added CPU work at the nearest CPU step.

        *Model*: the packets of one execution are handled in one batch by the I/O thread when the request comes in, and in the
            instance together with the CPU step before them (or the first one).
        *Ignores*: the wake-ups between the packets of one execution; steps with a probability keep their own work and visit.
        """
        certain = set(range(len(rows))) - {i for at, row in enumerate(rows) if row.op == k.OP_SKIP for i in range(at + 1, row.target)}
        extra = [i for i in sorted(certain) if is_extra_work(rows[i])]
        steps = [i for i in sorted(certain - set(extra)) if rows[i].op == k.OP_CPU] or extra[:1]
        visits = [i for i in sorted(certain) if rows[i].op == k.OP_IO]
        gone = set(extra) - set(steps) | set(visits[1:])
        for i in sorted(set(extra) - set(steps)):
            rows[steps[max(bisect_left(steps, i) - 1, 0)]].fixed += rows[i].fixed
        for i in visits[1:]:
            self.program.rows[rows[visits[0]].entry].fixed += rows[i].fixed
        removed = sorted(gone)
        for row in rows:
            row.target -= bisect_left(removed, row.target) if row.local else 0
        return [row for i, row in enumerate(rows) if i not in gone]

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
            self.call(rows, step, variables)
        elif hasattr(step, "disk"):
            self.disk(rows, step.disk, variables)
        elif hasattr(step, "net"):
            self.net(rows, step.net)
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
            row.fixed = math.fsum(count * (self.costs.cpu_ns[op] + self.costs.latency_ns[op]) for op, count in named)
        else:
            row.ratio = math.fsum(
                rate * (self.costs.cpu_ns[op] + self.costs.latency_ns[op]) / 1e9 for op, rate in self.rates[service].items()
            )
        self.amount(rows, row, step.cpu, variables)

    def call(self, rows: list[Instruction], step: Any, variables: Variables) -> None:
        """Send a request to another service and take its answer."""
        column = self.balance_column(step.service, variables)
        self.packets(rows, 1, 1)
        self.pause(rows, 2 * self.costs.latency_ns["call_hop"], k.NETWORK)
        entry = self.operation(step.service, step.operation, variables)
        rows.append(Instruction(k.OP_CALL, target=self.services[step.service], entry=entry, column=column))

    def balance_column(self, service: str, variables: Variables) -> int:
        """Column of the draws that choose a replica, where the policy draws."""
        balance = self.scenario.services[service].balance
        if balance not in ("random", "two-choices"):
            return k.NONE
        column = variables.column(family=CHOICE)
        if balance == "two-choices":
            variables.column(family=CHOICE)
        return column

    def packets(self, rows: list[Instruction], sent: int, received: int) -> None:
        """Work per packet: on the I/O thread of the instance's VM, and in the instance."""
        self.io_work(rows, sent * self.costs.host_cpu_ns["packet_out"] + received * self.costs.host_cpu_ns["packet_in"])
        self.extra_work(rows, sent * self.vcpu_work("packet_out") + received * self.vcpu_work("packet_in"))

    def vcpu_work(self, operation: str) -> float:
        """Work of one operation in the instance [ns]."""
        return self.costs.cpu_ns[operation] + self.costs.notify_ns[operation] + self.costs.interrupt_ns[operation]

    def extra_work(self, rows: list[Instruction], work: float) -> None:
        """CPU work that exists because of the platform."""
        if work > 0:
            rows.append(Instruction(k.OP_CPU, fixed=work))

    def io_work(self, rows: list[Instruction], work: float) -> None:
        """Device work on the thread that the VM's devices share (vhost, QEMU's I/O thread)."""
        if work > 0 and self.io_threads:
            rows.append(Instruction(k.OP_IO, entry=len(self.program.rows), fixed=work))
            self.program.place([Instruction(k.OP_CPU, fixed=work), Instruction(k.OP_RETURN)])

    def pause(self, rows: list[Instruction], time: float, state: int) -> None:
        """Time that passes without CPU."""
        if time > 0:
            rows.append(Instruction(k.OP_DELAY, amount=time, flag=state))

    def disk(self, rows: list[Instruction], disk: Any, variables: Variables) -> None:
        """Read unless the page cache has it; write and wait for the flush, or leave it to write-back."""
        device = self.host.disk
        skip = None
        if disk.read is not None and disk.hit > 0:
            skip = Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=1.0 - disk.hit, local=True)
            rows.append(skip)
        ops = ["disk_read"] if disk.read is not None else ["disk_write", "disk_flush"] if disk.sync else ["disk_write"]
        payload, amount = ("kib_read", disk.read / 1024) if disk.read is not None else ("kib_written", disk.write / 1024)
        self.extra_work(rows, math.fsum(self.vcpu_work(op) for op in ops) + amount * self.costs.cpu_ns[payload])
        self.io_work(rows, math.fsum(self.costs.host_cpu_ns[op] for op in ops) + amount * self.costs.host_cpu_ns[payload])
        self.pause(rows, math.fsum(self.costs.latency_ns[op] + self.costs.wake_ns[op] for op in ops), k.DISK)
        if disk.read is not None:
            service = device.read_latency_ns + disk.read / device.read_bytes_per_s * 1e9
        else:
            service = device.write_latency_ns + disk.write / device.write_bytes_per_s * 1e9 + (device.flush_latency_ns if disk.sync else 0)
        rows.append(Instruction(k.OP_DISK, fixed=float(round(service)), flag=int(disk.read is None and not disk.sync)))
        if skip is not None:
            skip.target = len(rows)

    def net(self, rows: list[Instruction], net: Any) -> None:
        """Transfer bytes over the host's NIC, packet costs included."""
        segment = self.host.nic.segment_bytes
        self.packets(rows, math.ceil(net.out / segment), math.ceil(net.in_ / segment))
        for part, charge in ((self.costs.host_cpu_ns, self.io_work), (self.costs.cpu_ns, self.extra_work)):
            charge(rows, (net.out * part["kib_out"] + net.in_ * part["kib_in"]) / 1024)
        for link, amount in ((OUT, net.out), (IN, net.in_)):
            if amount > 0:
                rows.append(Instruction(k.OP_NET, target=link, amount=float(amount)))

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
