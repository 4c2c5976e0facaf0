"""How a Deployment replaces its pods: one sync from the sizes of its replica sets to the next ones.

*Model*: a sync grows the new set as far as the surge allows, or else shrinks old ones as far as availability allows, broken pods first;
    oldest sets shrink first, and what a set loses is unavailable as long as something of it is. A change of the count during a
    rollout is shared in proportion.
*Ignores*: histories of revisions, hashes, paused Deployments.
*Source*: kubernetes/kubernetes pkg/controller/deployment/{rolling,recreate,sync}.go and util/deployment_util.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

Amount = int | str | None
"""A count, a share of the replicas (`25%`), or nothing, which is none."""
MOST_SYNCS: Final = 10_000
"""Syncs of a story at most: a rollout that needs more does not end."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a Deployment is updated."""

    kind: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    max_surge: Amount = "25%"
    max_unavailable: Amount = "25%"


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """The pods of one version: how many there shall be, how many are available, and the most of the Deployment when it was last scaled."""

    replicas: int
    available: int = 0
    most: int | None = None

    def sized(self, replicas: int) -> ReplicaSet:
        """The set with another size: pods that are not available go first."""
        return replace(self, replicas=replicas, available=min(self.available, replicas))


@dataclass(frozen=True, slots=True)
class Sets:
    """The replica sets of a Deployment: the new one, and the old ones from the oldest."""

    new: ReplicaSet
    old: tuple[ReplicaSet, ...] = ()

    @property
    def replicas(self) -> int:
        """All pods that there shall be."""
        return self.new.replicas + sum(old.replicas for old in self.old)

    @property
    def available(self) -> int:
        """All pods that are available."""
        return self.new.available + sum(old.available for old in self.old)


# --- bounds ----------------------------------------------------------------------------------------------------------------


def amount(value: Amount, of: int, up: bool) -> int:
    """A count, or a share rounded up or down; ValueError of a text that is neither."""
    if value is None or isinstance(value, int):
        return value or 0
    share = Fraction(value.removesuffix("%")) * of / (100 if value.endswith("%") else of or 1)
    return math.ceil(share) if up else math.floor(share)


def fenceposts(max_surge: Amount, max_unavailable: Amount, replicas: int) -> tuple[int, int]:
    """How many pods may be too many, rounded up, and too few, rounded down: not both none, or nothing could ever move."""
    surge, unavailable = amount(max_surge, replicas, up=True), amount(max_unavailable, replicas, up=False)
    return surge, unavailable if surge or unavailable else 1


def unavailable_of(strategy: Strategy, replicas: int) -> int:
    """How many pods may be unavailable during an update, not more than there are."""
    if strategy.kind != "RollingUpdate" or not replicas:
        return 0
    return min(fenceposts(strategy.max_surge, strategy.max_unavailable, replicas)[1], replicas)


def available_of(strategy: Strategy, replicas: int) -> int:
    """How many pods have to be available during an update."""
    return replicas - unavailable_of(strategy, replicas) if strategy.kind == "RollingUpdate" else 0


def surge_of(strategy: Strategy, replicas: int) -> int:
    """How many pods there may be too many during an update."""
    return fenceposts(strategy.max_surge, strategy.max_unavailable, replicas)[0] if strategy.kind == "RollingUpdate" else 0


# --- one sync --------------------------------------------------------------------------------------------------------------


def new_size(strategy: Strategy, replicas: int, new: int, total: int) -> int:
    """The size of the new set: as many more as the surge leaves."""
    if strategy.kind == "Recreate":
        return replicas
    room = replicas + amount(strategy.max_surge, replicas, up=True) - total
    return new + min(room, replicas - new) if room > 0 else new


def grown(strategy: Strategy, replicas: int, sets: Sets) -> Sets:
    """The sets with the new one at its next size, which is smaller where there are too many."""
    new = sets.new.replicas
    wanted = replicas if new >= replicas else new_size(strategy, replicas, new, sets.replicas)
    return replace(sets, new=sets.new.sized(wanted))


def cleaned(old: Sequence[ReplicaSet], most: int) -> tuple[ReplicaSet, ...]:
    """Old sets without pods that are not available, at most so many in all, the oldest set first."""
    found = []
    for one in old:
        gone = max(0, min(most, one.replicas - one.available))
        most -= gone
        found.append(one.sized(one.replicas - gone))
    return tuple(found)


def shrunk(strategy: Strategy, replicas: int, sets: Sets) -> Sets:
    """The sets with old ones smaller by what is available beyond what has to be, the oldest first."""
    spare, found = sets.available - (replicas - unavailable_of(strategy, replicas)), []
    for one in sets.old:
        gone = max(0, min(spare, one.replicas))
        spare -= gone
        found.append(one.sized(one.replicas - gone))
    return replace(sets, old=tuple(found))


def retired(strategy: Strategy, replicas: int, sets: Sets) -> Sets:
    """The sets with old ones at their next sizes: broken pods go first, and new ones that are not up yet hold others back."""
    waiting = sets.new.replicas - sets.new.available
    most = sets.replicas - (replicas - unavailable_of(strategy, replicas)) - waiting
    if most <= 0 or not any(old.replicas for old in sets.old):
        return sets
    return shrunk(strategy, replicas, replace(sets, old=cleaned(sets.old, most)))


def synced(strategy: Strategy, replicas: int, sets: Sets) -> Sets:
    """The sets after one sync of the controller; the same where nothing can move."""
    if strategy.kind == "Recreate":
        none = replace(sets, old=tuple(old.sized(0) for old in sets.old))
        return none if none != sets else replace(sets, new=sets.new.sized(replicas))
    after = grown(strategy, replicas, sets)
    return after if after.new.replicas != sets.new.replicas else retired(strategy, replicas, sets)


# --- scaling during a rollout ----------------------------------------------------------------------------------------------


def fraction(one: ReplicaSet, replicas: int, surge: int, current: int) -> int:
    """By how much a set changes when the count does: in proportion to the most pods when it was last scaled, rounded."""
    if not replicas:
        return -one.replicas
    share = Fraction(one.replicas * (replicas + surge), one.most or current or 1)
    return math.floor(share + Fraction(1, 2)) - one.replicas


def scaled(strategy: Strategy, replicas: int, sets: Sets) -> Sets:
    """The sets after a change of the count: the only active one takes all, several share it from the largest."""
    active = [old for old in (*sets.old, sets.new) if old.replicas]
    if len(active) <= 1:
        return _only(replicas, sets, active)
    if sets.new.replicas == sets.new.available == replicas:
        return replace(sets, old=tuple(old.sized(0) for old in sets.old))
    surge = surge_of(strategy, replicas)
    return _shared(replicas, surge, sets) if strategy.kind == "RollingUpdate" else sets


def _only(replicas: int, sets: Sets, active: Sequence[ReplicaSet]) -> Sets:
    """The sets where at most one has pods: that, or the new one, gets all."""
    if not active or active[0] is sets.new:
        return replace(sets, new=sets.new.sized(replicas))
    return replace(sets, old=tuple(old.sized(replicas) if old.replicas else old for old in sets.old))


def _shared(replicas: int, surge: int, sets: Sets) -> Sets:
    """The sets where several have pods; what rounding leaves goes to the largest.

    Of like sizes, newer ones come first when growing, and older ones when shrinking.
    """
    every, added = [*sets.old, sets.new], 0
    more = (replicas + surge if replicas else 0) - sets.replicas
    order = sorted((place for place, one in enumerate(every) if one.replicas), key=lambda place: (
        -every[place].replicas, -place if more > 0 else place,
    ))
    sizes = [one.replicas for one in every]
    for place in order:
        change = fraction(every[place], replicas, surge, sets.replicas)
        change = min(change, more - added) if more > 0 else max(change, more - added)
        sizes[place], added = sizes[place] + change, added + change
    sizes[order[0]] = max(0, sizes[order[0]] + more - added)
    most = replicas + surge
    found = [replace(one.sized(size), most=most) if one.replicas else one for one, size in zip(every, sizes, strict=True)]
    return Sets(found[-1], tuple(found[:-1]))


# --- how it goes -----------------------------------------------------------------------------------------------------------


def complete(replicas: int, current: int, updated: int, available: int) -> bool:
    """Whether a Deployment is up to date: all pods are new and available, none is old."""
    return updated == replicas and current == replicas and available == replicas


def timed_out(deadline_s: float | None, since_progress_s: float) -> bool:
    """Whether a rollout has made no progress for too long; never without a deadline."""
    return deadline_s is not None and since_progress_s > deadline_s


def story(strategy: Strategy, replicas: int, sets: Sets, ready: bool = True) -> Iterator[Sets]:
    """The sets after each sync of a rollout, until nothing moves.

    Syncs are far faster than starts: new pods become available (with `ready`) when nothing else can move.
    """
    for _ in range(MOST_SYNCS):
        after = synced(strategy, replicas, sets)
        if after == sets and ready:
            after = replace(sets, new=replace(sets.new, available=sets.new.replicas))
        if after == sets:
            return
        sets = after
        yield sets
