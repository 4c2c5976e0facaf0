"""The rows of a program."""

from __future__ import annotations

from dataclasses import dataclass, field

from simvirt.kernel import constants as k


@dataclass
class Instruction:
    """One row of the program; `target` of a local jump counts from the start of its body until the body is placed."""

    op: int
    target: int = 0
    entry: int = 0
    inside: int = 0
    beyond: int = 0
    turn: int = 0
    column: int = k.NONE
    amount: float = 0.0
    fixed: float = 0.0
    ratio: float = 0.0
    flag: int = 0
    operations: int = 0
    kicks: int = 0
    kick: float = 0.0
    notify: float = 0.0
    wake: float = 0.0
    irqs: int = 0
    interrupts: int = 0
    interrupt: float = 0.0
    received: float = 0.0
    host_wake: float = 0.0
    host_interrupt: float = 0.0
    local: bool = False
    other: int = k.NONE
    pace: float = 1.0
    asked: int = k.NONE
    added: bool = False  # computes nothing but what the platform adds
    demand: bool = False  # computes what a CPU step of an operation asks for
    work: float = 0.0  # what a backend computes for it [ns], until that has a program of its own
    own: float = 0.0  # the same, where a host without the platform would compute it too; of CPU work: that of the kernel for a connection
    held: Instruction | None = None  # what the backend's thread waits for
    found: Instruction | None = None  # what leaves that out, where a cache of the host has it

    @property
    def owes(self) -> bool:
        """Whether it leaves kicks, interrupts or receiving to pay for."""
        return self.op == k.OP_DETACH or self.kicks * (self.kick + self.notify) + self.interrupts * self.interrupt + self.received > 0


def taking(lock: int, flag: int, spin: float, switch: float, at: int) -> list[Instruction]:
    """Take a lock, from place `at` of a body on; a thread that slept first computes what waking it takes."""
    return [
        Instruction(k.OP_LOCK, target=lock, flag=flag, amount=spin), Instruction(k.OP_PARK, target=lock, flag=flag),
        Instruction(k.OP_CPU, amount=switch), Instruction(k.OP_JUMP, target=at, local=True),
    ]


@dataclass
class Program:
    """Instructions and branch tables."""

    rows: list[Instruction] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    places: list[tuple[int, str]] = field(default_factory=list)  # first row of each body, the operation that it carries out or ""

    def place(self, body: list[Instruction], operation: str = "") -> int:
        """Append a body, of an operation or of a part of one; its first row."""
        for row in body:
            if row.op in (k.OP_IO, k.OP_ARRIVE):
                row.entry = self.backend_work(row)
        base = len(self.rows)
        self.places.append((base, operation))
        for row in body:
            if row.local:
                row.target += base
                row.local = False
        self.rows.extend(body)
        return base

    def everywhere(self, first: int) -> list[int]:
        """First rows of a body for each kind of host, from that for the first one on."""
        found = [first]
        while (other := self.rows[found[-1]].other) != k.NONE:
            found.append(other)
        return found

    def backend_work(self, row: Instruction) -> int:
        """What the backend does for a device's path: compute, and wait for the disk where it serves one request at a time."""
        work = [Instruction(k.OP_CPU, amount=row.own, fixed=row.work)] if row.work + row.own > 0 else []
        if row.found is not None:
            row.found.target = len(work) + 2
            work.append(row.found)
        work += [row.held] if row.held is not None else []
        return self.place([*work, Instruction(k.OP_RETURN)]) if work else k.NONE
