"""Guarded calls as instructions, and the tables of guards and of what each caller knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.instructions import Instruction, Program
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.scenario.spec.resilience import Guarded, RetrySpec
from simvirt.workload.draws import JITTER, Variables

JITTERS = {"none": k.NO_JITTER, "full": k.FULL_JITTER, "equal": k.EQUAL_JITTER}
Rows = list[Instruction]
FRAME_COLUMNS: Final = (
    "tries", "attempt", "hedge", "tried_at", "expires", "until", "below", "enrolled", "beside", "before", "connection", "guard",
)
"""Columns of frames that are about guarded calls alone: as long as the others where something is guarded, a row where nothing is."""


@dataclass(frozen=True)
class Guard:
    """A way in which a caller guards its calls to a service; the same words about the same two are the same guard."""

    caller: str  # service, or workload
    callee: str
    of: Guarded
    client: bool  # whether the caller is a workload


@dataclass
class Guards:
    """The guards that a program refers to, with their rows."""

    rows: dict[Guard, int] = field(default_factory=dict)

    def place(self, guard: Guard) -> int:
        """Row of a guard."""
        return self.rows.setdefault(guard, len(self.rows))


def guarded_call(
    rows: Rows, guard: int, of: Guarded, tries: int, stride: int, leave: Callable[[Rows], None], variables: Variables
) -> None:
    """Send a request and wait; where it may be sent again, do what sending takes once more.

    `tries`: first row of the bodies of its tries, which have `stride` rows each; `leave`: what sending takes.
    """
    column = _jitter(of.retry, variables)
    leave(rows)
    first = Instruction(k.OP_TRY, entry=tries, inside=guard, flag=stride, column=column)
    rows.append(first)
    if of.retry is None:
        return
    past = Instruction(k.OP_JUMP, local=True)
    rows.append(past)
    again = len(rows)
    leave(rows)
    rows.append(Instruction(k.OP_RETRY, target=again, entry=tries, inside=guard, flag=stride, column=column, local=True))
    first.target, first.local = again, True
    past.target = len(rows)


def guarding_client(program: Program, guards: Guards, guard: Guard, sends: Sequence[Rows], variables: Variables) -> int:
    """What a client does that guards its requests; its first row."""
    tries, stride = tries_of(guard.of, sends)
    rows: Rows = []
    guarded_call(rows, guards.place(guard), guard.of, program.place(tries), stride, lambda rows: None, variables)
    return program.place([*rows, Instruction(k.OP_RETURN)])


def sending(service: int, entry: int, column: int, hop: int) -> Rows:
    """A client sends a request, which reaches the service after a time [ns]."""
    way = [Instruction(k.OP_DELAY, amount=float(hop), flag=k.NETWORK)] if hop > 0 else []
    return [*way, Instruction(k.OP_SEND, target=service, entry=entry, column=column)]


def _jitter(retry: RetrySpec | None, variables: Variables) -> int:
    """The first of the columns of what is drawn of back-offs; NONE where nothing is."""
    if retry is None or retry.backoff is None or retry.jitter == "none":
        return k.NONE
    return min(variables.column(family=JITTER) for _ in range(retry.attempts - 1))


def tries_of(of: Guarded, sends: Sequence[Rows]) -> tuple[Rows, int]:
    """The bodies of all tries, of what sends each of them; their rows each."""
    connect = [Instruction(k.OP_CONNECT)] if of.pool is not None else []
    bodies = [[*map(_same, connect), *send, Instruction(k.OP_SETTLE)] for send in sends]
    return [row for body in bodies for row in body], len(bodies[0])


def _same(row: Instruction) -> Instruction:
    """Another instruction of the same kind."""
    return Instruction(row.op)


def guard_tables(guards: Guards, plan_services: Sequence[str]) -> tuple[Columns, Columns]:
    """The guards, and a row for each replica of their callers; `plan_services`: the service of each instance, in their order."""
    found = list(guards.rows)
    spans = [_span(guard, plan_services) for guard in found]
    lengths = [last - least + 1 for least, last in spans]
    table, rows = blank(t.Guards, rows=max(len(found), 1)), max(sum(lengths), 1)
    if found:
        fill(table, first=np.cumsum([0, *lengths])[:-1], least=[least for least, _ in spans], **_words([guard.of for guard in found]))
    return table, blank(t.Callers, rows=rows, slices=rows * k.BUDGET_SLICES)


def _span(guard: Guard, services: Sequence[str]) -> tuple[int, int]:
    """The first and the last instance of a guard's caller."""
    if guard.client:
        return k.NONE, k.NONE
    rows = [row for row, name in enumerate(services) if name == guard.caller]
    return (rows[0], rows[-1]) if rows else (0, 0)


def _words(of: list[Guarded]) -> dict[str, list[float]]:
    """What guards say, as columns."""
    words = [_word(one) for one in of]
    return {name: [word[name] for word in words] for name in words[0]}


def _word(of: Guarded) -> dict[str, float]:
    """What one guard says."""
    retry, breaker, pool = of.retry, of.breaker, of.pool
    backoff = retry.backoff if retry is not None else None
    return {
        "timeout": of.timeout or k.NEVER, "deadline": of.deadline or k.NEVER, "cancels": int(of.on_timeout == "cancel"),
        "attempts": retry.attempts if retry is not None else 1,
        "backoff": backoff.base if backoff is not None else 0, "growth": backoff.growth if backoff is not None else 1.0,
        "longest": (backoff.max or k.LONGEST) if backoff is not None else 0.0,
        "jitter": JITTERS[retry.jitter] if retry is not None and backoff is not None else k.NO_JITTER,
        "hedge": of.hedge or 0,
        "failures": breaker.failures if breaker is not None else 0, "open": breaker.open if breaker is not None else 0,
        "connections": pool.connections if pool is not None else 0,
        "line": k.NEVER if pool is None or pool.queue is None else pool.queue,
        **_budget(retry),
    }


def _budget(retry: RetrySpec | None) -> dict[str, float]:
    """What a retry takes, what is always there, and the slices of a budget."""
    budget = retry.budget if retry is not None else None
    if budget is None:
        return {"withdrawal": 0, "reserve": 0, "slice": 1}
    need = round(k.BUDGET_UNIT / budget.ratio)
    reserve = budget.reserve * budget.window / 1e9 * need
    return {"withdrawal": need, "reserve": round(reserve), "slice": max(budget.window // k.BUDGET_SLICES, 1)}
