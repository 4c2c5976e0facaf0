"""Packing: items into bins of one size, requests into holes that are there.

*Model*: next fit looks at the open bin alone, first fit at all from the first, best fit takes the fullest that suffices, worst fit the
    emptiest; with `-decreasing` the largest items come first.
*Ignores*: more than one resource.
*Source*: D. S. Johnson, Near-optimal bin packing algorithms, MIT 1973; Silberschatz, Galvin, Gagne, Operating System Concepts, on holes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from simvirt.placement.hosts import Asked, Hosts, Mask

Pick = Callable[[Sequence[float], float], int | None]
"""Which of some rooms takes a size; None where none does."""
TIGHT: Final = 1e-9
"""How far beyond its room a size may be, of what floating point adds."""


def _next(rooms: Sequence[float], size: float) -> int | None:
    return len(rooms) - 1 if rooms and size <= rooms[-1] + TIGHT else None


def _first(rooms: Sequence[float], size: float) -> int | None:
    return next((place for place, room in enumerate(rooms) if size <= room + TIGHT), None)


def _best(rooms: Sequence[float], size: float) -> int | None:
    return min((place for place, room in enumerate(rooms) if size <= room + TIGHT), key=lambda place: rooms[place], default=None)


def _worst(rooms: Sequence[float], size: float) -> int | None:
    return max((place for place, room in enumerate(rooms) if size <= room + TIGHT), key=lambda place: rooms[place], default=None)


PICKS: Final[Mapping[str, Pick]] = {"next-fit": _next, "first-fit": _first, "best-fit": _best, "worst-fit": _worst}
DECREASING: Final = "-decreasing"


def packed(items: Sequence[float], capacity: float, strategy: str = "first-fit") -> list[list[float]]:
    """The items of each bin; ValueError for an item that no bin holds."""
    pick = PICKS[strategy.removesuffix(DECREASING)]
    bins: list[list[float]] = []
    rooms: list[float] = []
    for item in sorted(items, reverse=True) if strategy.endswith(DECREASING) else items:
        if item > capacity + TIGHT:
            raise ValueError(f"an item of {item:g} is in no bin of {capacity:g}")
        place = pick(rooms, item)
        if place is None:
            place = len(bins)
            bins.append([])
            rooms.append(capacity)
        bins[place].append(item)
        rooms[place] -= item
    return bins


def filled(holes: Sequence[float], requests: Sequence[float], strategy: str = "first-fit") -> list[int | None]:
    """The hole that each request goes into, one after the other; None where none is large enough."""
    pick, rooms = PICKS[strategy], list(holes)
    found: list[int | None] = []
    for request in requests:
        place = pick(rooms, request)
        found.append(place)
        if place is not None:
            rooms[place] -= request
    return found


def tightest(hosts: Hosts, asked: Asked, able: Mask) -> int:
    """Policy: of the hosts that are able the one with the least free of its scarcest resource."""
    return _by_free(hosts, able, lowest=True)


def roomiest(hosts: Hosts, asked: Asked, able: Mask) -> int:
    """Policy: of the hosts that are able the one with the most free of its scarcest resource."""
    return _by_free(hosts, able, lowest=False)


def first(hosts: Hosts, asked: Asked, able: Mask) -> int:
    """Policy: the first host that is able."""
    return int(np.flatnonzero(able)[0])


def _by_free(hosts: Hosts, able: Mask, *, lowest: bool) -> int:
    free = np.min([1 - hosts.taken_of(name) / np.maximum(hosts.room_of(name), 1) for name in ("cpu", "memory")], axis=0)
    rows = np.flatnonzero(able)
    return int(rows[np.argmin(free[rows] if lowest else -free[rows])])
