"""The rows of a program, and how what the platform adds to a sequence of steps is gathered."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from simvirt.kernel import constants as k

SKIPPING = (k.OP_SKIP, k.OP_REPEAT)  # instructions that may leave out what follows, up to their target


@dataclass
class Instruction:
    """One row of the program; `target` of a local jump counts from the start of its body until the body is placed."""

    op: int
    target: int = 0
    entry: int = 0
    inside: int = 0
    beyond: int = 0
    column: int = k.NONE
    amount: float = 0.0
    fixed: float = 0.0
    ratio: float = 0.0
    flag: int = 0
    operations: int = 0
    kicks: int = 0
    notify: float = 0.0
    wake: float = 0.0
    irqs: int = 0
    interrupts: int = 0
    interrupt: float = 0.0
    local: bool = False
    added: bool = False  # computes nothing but what the platform adds
    work: float = 0.0  # what a backend computes for it [ns], until that has a program of its own
    asks: Any = None  # of a page cache: the service, and the data that it reads
    held: Instruction | None = None  # what the backend's thread waits for

    @property
    def owes(self) -> bool:
        """Whether it leaves kicks or interrupts to pay for."""
        return self.op == k.OP_DETACH or self.kicks * self.notify + self.interrupts * self.interrupt > 0


@dataclass
class Program:
    """Instructions and branch tables."""

    rows: list[Instruction] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)

    def place(self, body: list[Instruction]) -> int:
        """Append a body; its first row."""
        for row in body:
            if row.op in (k.OP_IO, k.OP_ARRIVE):
                row.entry = self.backend_work(row)
        base = len(self.rows)
        for row in body:
            if row.local:
                row.target += base
                row.local = False
        self.rows.extend(body)
        return base

    def backend_work(self, row: Instruction) -> int:
        """What the backend does for a device's path: compute, and wait for the disk where it serves one request at a time."""
        work = [Instruction(k.OP_CPU, fixed=row.work)] if row.work > 0 else []
        work += [row.held] if row.held is not None else []
        return self.place([*work, Instruction(k.OP_RETURN)]) if work else k.NONE


def gathered(rows: list[Instruction]) -> list[Instruction]:
    """A body with what the platform adds gathered: one visit to the network's backend, added CPU work at the nearest CPU step.

    *Model*: the packets of one execution are handled in one batch by the backend when the first of them passes, and in the instance
        together with the CPU step before them (or the first one); each message has its own kick and interrupt at its own time.
    *Ignores*: the wait for the backend between the packets of one execution; steps with a probability keep their own work and visit.
    """
    certain = set(range(len(rows))) - {i for at, row in enumerate(rows) if row.op in SKIPPING for i in range(at + 1, row.target)}
    extra = [i for i in sorted(certain) if rows[i].added]
    steps = [i for i in sorted(certain - set(extra)) if rows[i].op == k.OP_CPU] or extra[:1]
    for i in sorted(set(extra) - set(steps)):
        rows[steps[max(bisect_left(steps, i) - 1, 0)]].fixed += rows[i].fixed
    visits = [i for i in sorted(certain) if rows[i].op == k.OP_IO and rows[i].target == k.NET and rows[i].work > 0]
    for i in visits[1:]:
        rows[visits[0]].work += rows[i].work
        rows[i].fixed, rows[i].work = rows[i].work, 0.0
    silent = [i for i, row in enumerate(rows) if row.op == k.OP_IO and becomes_bell(row)]
    removed = sorted({*extra, *silent} - set(steps))
    for row in rows:
        row.target -= bisect_left(removed, row.target) if row.local else 0
    return settled([row for i, row in enumerate(rows) if i not in removed], bool(steps))


def becomes_bell(row: Instruction) -> bool:
    """Turn a path that takes no time into a bell, which keeps its backend awake for work done elsewhere; whether it does nothing at all."""
    if row.amount > 0 or row.wake > 0 or row.work > 0 or row.held is not None:
        row.fixed = 0.0
        return False
    row.op, row.amount, row.fixed = k.OP_BELL, row.fixed, 0.0
    return row.kicks + row.operations + row.interrupts == 0


def settled(rows: list[Instruction], computes: bool) -> list[Instruction]:
    """A body in which somebody pays for kicks and interrupts: before the return, where there is no other CPU step."""
    if not computes and any(row.owes for row in rows):
        return [*rows[:-1], Instruction(k.OP_CPU, added=True), rows[-1]]
    return rows


# --- when a call occupies a thread -----------------------------------------------------------------------------------------


def admit_arrived(rows: list[Instruction]) -> None:
    """Let a call whose arrival takes time pass the device before a thread takes it."""
    if rows[0].op == k.OP_IO and rows[0].target == k.NET:
        rows[0].op = k.OP_ARRIVE
        insert(rows, next(i for i in range(1, len(rows)) if rows[i].op != k.OP_BELL), Instruction(k.OP_ADMIT))


def free_thread(rows: list[Instruction]) -> None:
    """Let the thread turn to the next call when nothing is left of this one but an answer on its way."""
    skipped = {i for at, row in enumerate(rows) if row.op in SKIPPING for i in range(at, row.target)}
    at = len(rows) - 1
    while at > 0 and is_way(rows[at - 1]) and at - 1 not in skipped:
        at -= 1
    timed = [i for i in range(at, len(rows) - 1) if rows[i].op != k.OP_BELL]
    if timed:
        insert(rows, timed[0], Instruction(k.OP_FREE))


def is_way(row: Instruction) -> bool:
    """Whether an instruction is part of a message's way, on which nothing computes in the instance."""
    passes = (row.op == k.OP_IO and row.target == k.NET) or (row.op == k.OP_DELAY and row.flag == k.NETWORK)
    return passes or row.op in (k.OP_NET, k.OP_BELL)


def insert(rows: list[Instruction], at: int, row: Instruction) -> None:
    """Put an instruction before another one; who jumped to that comes to the new one."""
    for other in rows:
        if other.local and other.target > at:
            other.target += 1
    rows.insert(at, row)
