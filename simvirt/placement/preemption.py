"""Which less important replicas make room for one that finds none, and on which host, as kube-scheduler chooses them.

*Model*: on each host all that is less important is taken away; where the replica then fits, as much as possible is given back: first
    what a disruption budget protects, of these the most important and oldest first. What cannot be given back is the host's price. The
    host is taken whose victims break the fewest budgets; then whose most important victim is the least; then with the least sum of
    priorities; then with the fewest victims; then whose most important victims began last; then the first.
*Ignores*: that on clusters of more than a hundred nodes only some are tried, from one drawn at random on; extenders.
*Source*: kubernetes/kubernetes pkg/scheduler/framework/preemption/preemption.go (pickOneNodeForPreemption) and
    pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go (SelectVictimsOnNode, filterPodsWithPDBViolation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from simvirt.placement.filters import filters
from simvirt.placement.hosts import Asked, Hosts, Mask

ABOVE_ALL: Final = 2**31
"""Added to priorities that are summed, so that more victims never count less: math.MaxInt32 + 1."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A replica that stands on a host: its number, its service, how important it is, since when it is there, what is reserved for it."""

    number: int
    service: str
    priority: int
    since: int
    reserves: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Price:
    """What room on a host costs: its victims, the most important first, and how many of them a disruption budget protects."""

    host: int
    victims: tuple[Standing, ...]
    broken: int


def preempted(
    hosts: Hosts, asked: Asked, priority: int, standing: Mapping[int, Sequence[Standing]], allowed: Mapping[str, int],
) -> Price | None:
    """The host where room for a replica costs least; None where no host has any however many go.

    `standing` are the replicas on each host, `allowed` how many of a service with a disruption budget may be disrupted.
    """
    found = []
    for host, there in standing.items():
        lesser = [one for one in there if one.priority < priority]
        if lesser and (price := _price(hosts, asked, host, lesser, allowed)) is not None:
            found.append(price)
    return min(found, key=_order) if found else None


def _price(hosts: Hosts, asked: Asked, host: int, lesser: Sequence[Standing], allowed: Mapping[str, int]) -> Price | None:
    """What room on a host costs; `hosts` is as before afterwards."""
    does = _fitting(hosts, asked, host)
    for one in lesser:
        hosts.remove(one.service, host, one.reserves)
    price = _given_back(hosts, host, lesser, allowed, does) if does() else None
    for one in lesser if price is None else price.victims:
        hosts.add(one.service, host, one.reserves)
    return price


def _given_back(hosts: Hosts, host: int, lesser: Sequence[Standing], allowed: Mapping[str, int], does: Callable[[], bool]) -> Price:
    """Victims, once as many as possible of what was taken away are back on a host."""
    ranked = sorted(lesser, key=lambda one: (-one.priority, one.since, one.number))
    protected, free = _by_budget(ranked, allowed)
    victims, broken = [], 0
    for one in (*protected, *free):
        hosts.add(one.service, host, one.reserves)
        if not does():
            hosts.remove(one.service, host, one.reserves)
            victims.append(one)
            broken += one in protected
    return Price(host, tuple(sorted(victims, key=ranked.index)), broken)


def _by_budget(ranked: Sequence[Standing], allowed: Mapping[str, int]) -> tuple[list[Standing], list[Standing]]:
    """Replicas whose going would break a budget, and the others: a budget lets the first ones of its service go."""
    left, protected, free = dict(allowed), list[Standing](), list[Standing]()
    for one in ranked:
        if one.service in left:
            left[one.service] -= 1
        (protected if left.get(one.service, 0) < 0 else free).append(one)
    return protected, free


def _fitting(hosts: Hosts, asked: Asked, host: int) -> Callable[[], bool]:
    """Whether a replica fits on a host as it is when this is asked: where replicas there only take room, that alone is looked at."""
    if asked.topologies or asked.affinity or asked.most is not None:
        return lambda: fits(hosts, asked, host)
    if not _able(hosts, replace(asked, reserves={}))[host]:
        return lambda: False
    return lambda: all(int(hosts.room_of(name)[host] - hosts.taken_of(name)[host]) >= amount for name, amount in asked.reserves.items())


def fits(hosts: Hosts, asked: Asked, host: int) -> bool:
    """Whether a replica fits on a host as it is."""
    return bool(_able(hosts, asked)[host])


def _able(hosts: Hosts, asked: Asked) -> Mask:
    """The hosts that may take a replica."""
    able = np.ones(len(hosts.names), bool)
    for _, mask in filters(hosts, asked):
        able &= mask
    return able


def _order(price: Price) -> tuple[int, ...]:
    """What is compared between hosts, one after the other."""
    highest = price.victims[0].priority if price.victims else -ABOVE_ALL
    since = min((one.since for one in price.victims if one.priority == highest), default=0)
    total = sum(one.priority + ABOVE_ALL for one in price.victims)
    return price.broken, highest, total, len(price.victims), -since
