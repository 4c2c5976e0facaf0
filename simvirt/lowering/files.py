"""Operations on files as instructions: work, round trips to servers, accesses to the disk.

*Model*: the work and the requests of a step are spread evenly over visits to each server, one for each request and at most `MOST_VISITS`;
    what a fraction of a request takes is that fraction. Accesses to the disk are whole: the last one happens with the probability of
    what is left.
"""

import math
from collections.abc import Callable

from simvirt.catalog.resolve.files import FileWork, Served
from simvirt.kernel import constants as k
from simvirt.lowering.instructions import Instruction
from simvirt.lowering.paths import Rows

MOST_VISITS = 64
"""Visits to a server that one step makes at most: further requests are part of these."""


def work_and_requests(rows: Rows, work: FileWork) -> None:
    """The CPU work of a step's operations, and their requests between."""
    visits = [visit for one in work.served for visit in _visits(one)]
    turns = max(1, len(visits))
    for turn in range(turns):
        served = 0.0 if not visits else visits[turn][0].cost.cpu_ns * visits[turn][1]
        if work.own_ns + work.added_ns + served > 0:
            rows.append(Instruction(k.OP_CPU, amount=work.own_ns / turns, fixed=work.added_ns / turns + served, of_files=True))
        if visits:
            rows.extend(_request(*visits[turn]))


def _visits(served: Served) -> list[tuple[Served, float]]:
    """Visits to a server, with the requests of each."""
    count = min(MOST_VISITS, math.ceil(served.requests))
    return [(served, served.requests / count)] * count


def _request(served: Served, requests: float) -> Rows:
    """So many requests in a row, to a thread of the host or to a process."""
    cost = served.cost
    if not served.backend:
        return [Instruction(k.OP_DELAY, amount=cost.latency_ns * requests, flag=k.DISK)] if cost.latency_ns > 0 else []
    whole = max(1, round(requests))
    row = Instruction(
        k.OP_IO, target=k.BLOCK, flag=k.DISK, amount=cost.latency_ns * requests, wake=cost.wake_ns * requests, operations=whole,
        work=cost.host_cpu_ns * requests,
    )
    row.notify = cost.notify_ns * requests / whole
    row.kicks = whole if row.notify > 0 else 0
    work = cost.interrupt_ns * requests / whole
    return [row, Instruction(k.OP_BELL, target=k.BLOCK, interrupts=whole if work > 0 else 0, interrupt=work)]


def often(rows: Rows, count: float, chance: Callable[[], int], act: Callable[[Rows], None]) -> None:
    """Do something so often on the average: as often as is whole, and once more with the probability of what is left.

    `chance`: makes the column of a draw.
    """
    for _ in range(math.floor(count)):
        act(rows)
    left = count - math.floor(count)
    if left > 1e-9:
        skip = Instruction(k.OP_SKIP, column=chance(), amount=left, local=True)
        rows.append(skip)
        act(rows)
        skip.target = len(rows)
