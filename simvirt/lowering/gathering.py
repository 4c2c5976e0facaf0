"""Passes over the instructions of a body before it is placed: added work is gathered, a thread is taken late and freed early."""

from bisect import bisect_left
from itertools import accumulate

from simvirt.kernel import constants as k
from simvirt.lowering.instructions import Instruction

SKIPPING = (k.OP_SKIP, k.OP_REPEAT, k.OP_JUMP)  # instructions that may leave out what follows, up to their target

# --- what the platform adds ------------------------------------------------------------------------------------------------


def gathered(rows: list[Instruction]) -> list[Instruction]:
    """A body with what the platform adds gathered: one visit to the network's backend, added CPU work at the nearest CPU step.

    *Model*: the packets of one execution are handled in one batch by the backend when the first of them passes, and in the instance
        together with the CPU step before them (or the first one); each message has its own kick and interrupt at its own time.
    *Ignores*: the wait for the backend between the packets of one execution; steps with a probability, and what is done
        while a lock is held, keep their own work and visit.
    """
    certain = carried_out_always(rows)
    steps, emptied = gather_work(rows, certain)
    gather_visits(rows, certain)
    silent = {i for i, row in enumerate(rows) if row.op == k.OP_IO and becomes_bell(row)}
    return settled(without(rows, emptied | silent), bool(steps))


def carried_out_always(rows: list[Instruction]) -> list[int]:
    """Places of the instructions that no other may leave out, and during which no lock is waited for or held."""
    uncertain = {i for at, row in enumerate(rows) if row.op in SKIPPING for i in range(at + 1, row.target)}
    held = list(accumulate((row.op == k.OP_LOCK) - (row.op == k.OP_UNLOCK) for row in rows))
    return [i for i in range(len(rows)) if i not in uncertain and held[i] == 0]


def gather_work(rows: list[Instruction], certain: list[int]) -> tuple[list[int], set[int]]:
    """Move added CPU work to the step before it, or to the first: steps that have it now, and instructions with nothing left to do.

    Where a body has no CPU step, its first added work is one.
    """
    added = [i for i in certain if rows[i].added]
    steps = [i for i in certain if rows[i].op == k.OP_CPU and not rows[i].added] or added[:1]
    emptied = sorted(set(added) - set(steps))
    for i in emptied:
        rows[steps[max(bisect_left(steps, i) - 1, 0)]].fixed += rows[i].fixed
    return steps, set(emptied)


def gather_visits(rows: list[Instruction], certain: list[int]) -> None:
    """Let the network's backend do the work of all visits when the first comes; later ones know for how long theirs needs no other kick."""
    visits = [rows[i] for i in certain if rows[i].op == k.OP_IO and rows[i].target == k.NET and rows[i].work + rows[i].own > 0]
    for row in visits[1:]:
        visits[0].work, visits[0].own = visits[0].work + row.work, visits[0].own + row.own
        row.fixed, row.work, row.own = row.work + row.own, 0.0, 0.0


def without(rows: list[Instruction], removed: set[int]) -> list[Instruction]:
    """A body without some instructions; a jump to one of them goes to what follows it."""
    gone = sorted(removed)
    for row in rows:
        row.target -= bisect_left(gone, row.target) if row.local else 0
    return [row for i, row in enumerate(rows) if i not in removed]


def becomes_bell(row: Instruction) -> bool:
    """Turn a path that takes no time into a bell, whose work its backend does elsewhere; whether it does nothing at all."""
    if row.amount > 0 or row.wake > 0 or row.work + row.own > 0 or row.held is not None:
        row.fixed = 0.0
        return False
    row.op, row.amount, row.fixed = k.OP_BELL, row.fixed, 0.0
    return row.kicks + row.operations + row.interrupts == 0 and row.host_wake == 0


def settled(rows: list[Instruction], computes: bool) -> list[Instruction]:
    """A body in which somebody pays for kicks and interrupts: before the return, where there is no other CPU step."""
    if not computes and any(row.owes for row in rows):
        return [*rows[:-1], Instruction(k.OP_CPU, added=True), rows[-1]]
    return rows


# --- when a call occupies a thread -----------------------------------------------------------------------------------------


def admit_arrived(rows: list[Instruction]) -> None:
    """Let a call whose arrival takes time, or another CPU's, pass before a thread takes it."""
    if rows[0].op == k.OP_BELL and rows[0].received > 0:
        insert(rows, 0, Instruction(k.OP_IO, target=k.NET))
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
    """Put an instruction before another one: who jumped forward to that comes to the new one, who jumped back to it still to it."""
    for place, other in enumerate(rows):
        if other.local and (other.target > at or (other.target == at and place >= at)):
            other.target += 1
    rows.insert(at, row)
