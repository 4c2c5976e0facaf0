"""The credit scheduler's ticks against a twin that looks at everybody's credits, and what a tick costs where many wait."""

from __future__ import annotations

import random
from typing import Any, Final

import pytest
from helpers.effort import effort
from helpers.twins import plane, table

from simvirt.kernel import tables as t
from simvirt.kernel.constants import NONE
from simvirt.kernel.runqueue import tree_add
from simvirt.kernel.schedulers import credit
from simvirt.kernel.tree import leftmost, tree_remove

MS: Final = 1_000_000
SLICE: Final = 30 * MS


def line(n: int, seed: int) -> Any:
    """A CPU's queue in which n entities of random weights wait, with random credits and priorities."""
    rng = random.Random(seed)
    weights = [rng.choice([256.0, 1024.0, 4096.0]) for _ in range(n)]
    entities = table(t.Entities, n, weight=weights, credits=[rng.uniform(-SLICE, SLICE) for _ in range(n)])
    machines = table(t.Machines, 1, cpus=[1], timeslice=[SLICE], active_weight=[sum(weights)])
    p = plane(
        entities=entities, machines=machines, cpus=table(t.Cpus, 1), queues=table(t.Queues, 1, tree=[NONE], current=[NONE]))
    for row in range(n):
        p.entities.priority[row] = rng.choice([credit.BOOST, credit.UNDER, credit.OVER])
        credit.credit_line_up(p, 0, row)
        tree_add(p, 0, row)
    return p


def waiting(p: Any) -> list[int]:
    """Those that wait, in order; the tree is used up."""
    found, root = [], p.queues.tree[0]
    while (e := leftmost(p.entities, root)) != NONE:
        found.append(e)
        root = tree_remove(p.entities, root, e)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_a_tick_ranks_everybody_though_it_looks_at_few(seed: int) -> None:
    """The order after some ticks is that of ranking all anew at each tick: by priority, and in each line as they waited."""
    n = 60
    p, twin = line(n, seed), line(n, seed)
    order = waiting(twin)
    credits = list(twin.entities.credits)
    weight, total = list(twin.entities.weight), sum(twin.entities.weight)
    for tick in range(1, 12):
        now = tick * 10 * MS
        credit.credit_advance(p, 0, now)
        credit.credit_tick(p, 0, now)
        credits = [min(c + w * 10 * MS / total, SLICE) for c, w in zip(credits, weight, strict=True)]
        order.sort(key=lambda e: credits[e] < 0)
    assert waiting(p) == order


def test_a_tick_costs_what_it_changes() -> None:
    """Where nobody changes priority, a tick is as much work beside fifty times as many that wait."""
    work = {}
    for n in (200, 10_000):
        p = line(n, 1)
        for row in range(n):
            p.entities.credits[row] = 0.0
        credit.credit_advance(p, 0, 10 * MS)
        credit.credit_tick(p, 0, 10 * MS)
        for tick in range(2, 6):
            credit.credit_advance(p, 0, tick * 10 * MS)
            credit.credit_tick(p, 0, tick * 10 * MS)
        work[n] = effort(credit.credit_tick, p, 0, 60 * MS)[0]
    assert work[10_000] < 3 * work[200]
