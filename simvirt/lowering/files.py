"""Operations on files as instructions: work, round trips to servers, accesses to the disk.

*Model*: the work of a step is spread evenly over visits to servers, one for each request and at most `MOST_VISITS`. Requests and accesses
    to the disk are whole: the last one happens with the probability of what is left.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

from simvirt.catalog.records import Cost
from simvirt.catalog.resolve.files import Served
from simvirt.kernel import constants as k
from simvirt.lowering.instructions import Instruction
from simvirt.lowering.paths import Rows

MOST_VISITS = 64
"""Visits to a server that one step makes at most: further requests are part of these."""


def work_and_requests(rows: Rows, own_ns: float, added_ns: float, served: Sequence[Served], chance: Callable[[], int]) -> None:
    """The CPU work of operations, their own and what a platform adds, and their requests between; `chance` makes the column of a draw."""
    visits = [(one.cost, one.backend, count) for one in served for count in _visits(math.floor(one.requests))]
    turns = max(1, len(visits))
    for turn in range(turns):
        _work(rows, own_ns / turns, added_ns / turns + (visits[turn][0].cpu_ns * visits[turn][2] if visits else 0.0))
        if visits:
            rows.extend(_request(*visits[turn]))
    for one in served:
        sometimes(rows, one.requests - math.floor(one.requests), chance, partial(_ask, one))


def _ask(one: Served, rows: Rows) -> None:
    """One request to a server."""
    _work(rows, 0.0, one.cost.cpu_ns)
    rows.extend(_request(one.cost, one.backend, 1))


def _work(rows: Rows, own_ns: float, added_ns: float) -> None:
    """CPU work for files."""
    if own_ns + added_ns > 0:
        rows.append(Instruction(k.OP_CPU, amount=own_ns, fixed=added_ns))


def _visits(requests: int) -> list[int]:
    """How many of some requests each visit to a server has."""
    count = min(MOST_VISITS, requests)
    return [requests // count + (number < requests % count) for number in range(count)]


def _request(cost: Cost, backend: bool, requests: int) -> Rows:
    """So many requests in a row, to a thread of the host or to a process."""
    if not backend:
        return [Instruction(k.OP_DELAY, amount=cost.latency_ns * requests, flag=k.DISK)] if cost.latency_ns > 0 else []
    row = Instruction(
        k.OP_IO, target=k.BLOCK, flag=k.DISK, amount=cost.latency_ns * requests, wake=cost.wake_ns * requests, operations=requests,
        work=cost.host_cpu_ns * requests, kick=cost.kick_ns, notify=cost.notify_ns, host_wake=cost.host_wake_ns * requests,
    )
    row.kicks = requests if row.kick + row.notify > 0 else 0
    done = Instruction(k.OP_BELL, target=k.BLOCK, interrupt=cost.interrupt_ns, host_interrupt=cost.host_interrupt_ns)
    done.interrupts = requests if done.interrupt + done.host_interrupt > 0 else 0
    return [row, done]


def often(rows: Rows, count: float, chance: Callable[[], int], act: Callable[[Rows], None]) -> None:
    """Do something so often on the average: as often as is whole, and once more with the probability of what is left."""
    for _ in range(math.floor(count)):
        act(rows)
    sometimes(rows, count - math.floor(count), chance, act)


def sometimes(rows: Rows, probability: float, chance: Callable[[], int], act: Callable[[Rows], None]) -> None:
    """Do something with a probability."""
    if probability > 1e-9:
        skip = Instruction(k.OP_SKIP, column=chance(), amount=probability, local=True)
        rows.append(skip)
        act(rows)
        skip.target = len(rows)
