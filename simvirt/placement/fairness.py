"""Sharing several resources fairly among users whose tasks need different ones.

*Model*: dominant-resource fairness gives the next task to the user whose largest share of any resource is smallest; asset fairness makes
    the sums of shares equal; competitive equilibrium from equal incomes maximises the product of the numbers of tasks.
*Ignores*: that resources lie on different hosts: they are one pool.
*Source*: Ghodsi and others, Dominant Resource Fairness: Fair Allocation of Multiple Resource Types, NSDI 2011 (algorithm 1, section 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Demands = Mapping[str, Mapping[str, float]]
"""What one task of each user needs of each resource."""
ROUNDS: Final = 200_000
CLOSE: Final = 1e-13
"""Relative change of prices below which the market has found them."""
TIGHT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Fair:
    """Who got a task, in order, and how many tasks each user has."""

    order: tuple[str, ...]
    tasks: Mapping[str, int]


def dominant(demand: Mapping[str, float], total: Mapping[str, float], tasks: float = 1.0) -> tuple[str, float]:
    """The resource of which some tasks have the largest share, and that share."""
    shares = {name: tasks * need / total[name] for name, need in demand.items()}
    largest = max(shares, key=lambda name: shares[name])
    return largest, shares[largest]


def drf(
    demands: Demands, total: Mapping[str, float], weights: Mapping[str, float] | None = None, first: Sequence[str] = (),
    most: Mapping[str, int] | None = None,
) -> Fair:
    """Whole tasks by dominant-resource fairness, until no user's next task fits.

    Equal shares are given in the order `first`, then as the users are written; `weights` divide a user's share; `most` ends a user's tasks.
    """
    ranks = {name: place for place, name in enumerate(dict.fromkeys([*first, *demands]))}
    tasks, order, free = dict.fromkeys(demands, 0), list[str](), dict(total)
    wanting = [name for name in demands if most is None or most.get(name, 1) > 0]
    while wanting:
        user = min(wanting, key=lambda name: (_weighted_share(demands[name], total, tasks[name], name, weights), ranks[name]))
        if any(need > free[name] + TIGHT for name, need in demands[user].items()):
            wanting.remove(user)
            continue
        for name, need in demands[user].items():
            free[name] -= need
        tasks[user] += 1
        order.append(user)
        if most is not None and tasks[user] >= most.get(user, tasks[user] + 1):
            wanting.remove(user)
    return Fair(tuple(order), tasks)


def _weighted_share(
    demand: Mapping[str, float], total: Mapping[str, float], tasks: int, user: str, weights: Mapping[str, float] | None,
) -> float:
    """A user's dominant share, less where it weighs more; rounded, so that equal shares are equal."""
    return round(dominant(demand, total, tasks)[1] / (weights or {}).get(user, 1.0), 12)


def asset_fair(demands: Demands, total: Mapping[str, float]) -> dict[str, float]:
    """Tasks of each user, in fractions, where all users' sums of shares are equal and as large as the resources allow."""
    worth = {user: sum(need / total[name] for name, need in demand.items()) for user, demand in demands.items()}
    used = {name: sum(demand.get(name, 0.0) / worth[user] for user, demand in demands.items()) for name in total}
    equal = min(total[name] / used[name] for name in total if used[name] > 0)
    return {user: equal / worth[user] for user in demands}


def equal_incomes(demands: Demands, total: Mapping[str, float]) -> dict[str, float]:
    """Tasks of each user, in fractions, whose product is the largest: what a market with equal budgets ends at.

    The prices of resources are found by proportional adjustment: a resource's price follows what is spent on it.
    """
    names = list(total)
    shares = np.array([[demand.get(name, 0.0) / total[name] for name in names] for demand in demands.values()])
    price: NDArray[np.float64] = np.full(len(names), 1.0 / len(names))
    for _ in range(ROUNDS):
        found = price * (shares / (shares @ price)[:, None]).mean(0)
        if np.max(np.abs(found - price)) <= CLOSE:
            break
        price = found
    return dict(zip(demands, (1.0 / (shares @ price * len(demands))).tolist(), strict=True))
