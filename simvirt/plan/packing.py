"""Placing replicas on hosts: vector bin packing, with a lower bound that says how good the count is.

*Model*: every replica of a service asks for the same amounts of each resource, all hosts are alike. Replicas are spread: each
    goes to the host with the fewest of its service, of these to the one that is then least full in its fullest resource. Where
    that fails, best fit decreasing; where that fails and the problem is small, an integer program (HiGHS by way of SciPy), whose
    answer is exact.
*Ignores*: affinities; hosts of several models in one placement.
*Source*: Panigrahy, Talwar, Uyeda and Wieder, Heuristics for vector bin packing, 2011 (decreasing order by the fullest
    dimension); Martello and Toth, Lower bounds and reduction procedures for the bin packing problem, 1990 (items above half of a
    bin).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = dict[str, int]
"""Service -> replicas."""
SMALL: Final = 600
"""Services x hosts up to which the integer program is asked."""
PATIENCE_S: Final = 2.0
TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Items:
    """Replicas to place: how many of each service, and what one of each asks of every resource, over what a host has of it."""

    counts: Counts
    shares: Mapping[str, Floats]

    @property
    def order(self) -> list[str]:
        """Services by their fullest resource, the largest first; equal ones by name."""
        return sorted((name for name, count in self.counts.items() if count), key=lambda name: (-float(self.shares[name].max()), name))

    def used(self, placed: Mapping[str, int]) -> Floats:
        """What some replicas use of each resource of a host, over what it has."""
        width = len(next(iter(self.shares.values())))
        return sum((count * self.shares[name] for name, count in placed.items()), np.zeros(width))


@dataclass(frozen=True, slots=True)
class Packing:
    """A placement, host by host, and whether no smaller number of hosts is possible."""

    hosts: tuple[Counts, ...]
    lower_bound: int
    proven: bool


def lower_bound(items: Items, limits: Floats) -> int:
    """Hosts that any placement needs: the sum over capacity, and items of which no two fit on a host."""
    total = items.used(items.counts)
    by_sum = max((math.ceil(t / limit - TOLERANCE) for t, limit in zip(total, limits, strict=True)), default=0)
    large = np.zeros(len(limits))
    for name, count in items.counts.items():
        large += count * (items.shares[name] > limits / 2 + TOLERANCE)
    return max(by_sum, int(large.max()), 1 if any(items.counts.values()) else 0)


def too_large(items: Items, limits: Floats) -> list[str]:
    """Services of which not one replica fits on an empty host."""
    return [name for name in items.order if np.any(items.shares[name] > limits + TOLERANCE)]


def smallest(items: Items, limits: Floats, most: int) -> Packing | None:
    """The placement on the fewest hosts that is found; None where `most` do not suffice."""
    if too_large(items, limits):
        return None
    bound = lower_bound(items, limits)
    proven = True
    for hosts in range(bound, most + 1):
        placed, sure = place(items, limits, hosts)
        if placed is not None:
            return Packing(placed, bound, proven)
        proven = proven and sure
    return None


def place(items: Items, limits: Floats, hosts: int) -> tuple[tuple[Counts, ...] | None, bool]:
    """A placement on so many hosts or None, and whether that answer is sure."""
    if hosts < lower_bound(items, limits):
        return None, True
    placed = spread(items, limits, hosts) or tight(items, limits, hosts)
    if placed is not None:
        return placed, True
    return exact(items, limits, hosts) if len(items.order) * hosts <= SMALL else (None, False)


def spread(items: Items, limits: Floats, hosts: int) -> tuple[Counts, ...] | None:
    """Replicas of a service on different hosts, hosts evenly full; None where a replica finds no place."""
    placed: list[Counts] = [{} for _ in range(hosts)]
    used = np.zeros((hosts, len(limits)))
    for name in items.order:
        for _ in range(items.counts[name]):
            after = (used + items.shares[name]) / limits
            fullest = after.max(axis=1)
            fits = np.flatnonzero(fullest <= 1 + TOLERANCE)
            if not fits.size:
                return None
            chosen = int(min(fits, key=lambda host: (placed[host].get(name, 0), round(float(fullest[host]), 9), host)))
            used[chosen] += items.shares[name]
            placed[chosen][name] = placed[chosen].get(name, 0) + 1
    return tuple(placed)


def tight(items: Items, limits: Floats, hosts: int) -> tuple[Counts, ...] | None:
    """Best fit decreasing: each replica on the fullest host that still takes it; None where one finds no place."""
    placed: list[Counts] = [{} for _ in range(hosts)]
    used = np.zeros((hosts, len(limits)))
    for name in items.order:
        for _ in range(items.counts[name]):
            fullest = ((used + items.shares[name]) / limits).max(axis=1)
            fits = np.flatnonzero(fullest <= 1 + TOLERANCE)
            if not fits.size:
                return None
            chosen = int(fits[np.argmax(fullest[fits])])
            used[chosen] += items.shares[name]
            placed[chosen][name] = placed[chosen].get(name, 0) + 1
    return tuple(placed)


def exact(items: Items, limits: Floats, hosts: int) -> tuple[tuple[Counts, ...] | None, bool]:
    """A placement by an integer program, or None; and whether there is none, rather than that the time ran out."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    names = items.order
    sizes = np.array([items.shares[name] for name in names])
    counts = np.array([items.counts[name] for name in names], dtype=float)
    every = np.kron(np.eye(len(names)), np.ones(hosts))
    full = np.vstack([np.kron(sizes[:, r], np.eye(hosts)) for r in range(len(limits))])
    result = milp(
        np.zeros(len(names) * hosts), integrality=np.ones(len(names) * hosts, dtype=int), bounds=Bounds(0, np.repeat(counts, hosts)),
        constraints=[LinearConstraint(every, counts, counts), LinearConstraint(full, -np.inf, np.repeat(limits + TOLERANCE, hosts))],
        options={"time_limit": PATIENCE_S},
    )
    if result.x is None:
        return None, bool(result.status == 2)
    found = np.rint(result.x).astype(int).reshape(len(names), hosts)
    return tuple({name: int(found[row, host]) for row, name in enumerate(names) if found[row, host]} for host in range(hosts)), True


def patterns(placed: Sequence[Counts]) -> list[tuple[Counts, int]]:
    """Distinct loads of hosts with the number of hosts that carry each, in the order in which they first occur; empty hosts last."""
    found: dict[tuple[tuple[str, int], ...], int] = {}
    for host in placed:
        key = tuple(sorted((name, count) for name, count in host.items() if count))
        found[key] = found.get(key, 0) + 1
    return sorted(((dict(key), hosts) for key, hosts in found.items()), key=lambda pair: not pair[0])
