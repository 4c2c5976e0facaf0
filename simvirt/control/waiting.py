"""What requests wait for, read off the data plane: until when none of them can move."""

from __future__ import annotations

from typing import Final

import numpy as np

from simvirt.kernel import constants as k
from simvirt.plane import DataPlane

STILL: Final = (k.DELAY, k.WAITING, k.QUEUE)
"""States that only the end of a delay ends: its own, or that of a request waited for."""


def next_change(plane: DataPlane) -> float:
    """Instant before which no request arrives, moves on or ends; 0 where it is not known, infinite where there is none [ns].

    *Model*: known while every request is in a stated delay, or waits for one that is, and nothing is performed for the control plane.
    """
    kind, pc, state = (plane.read("frames", name) for name in ("kind", "pc", "state"))
    if (kind == k.WORK).any() or _goes_on(plane):
        return 0
    requests = (kind >= k.REQUEST) & (kind <= k.BRANCH)
    if (requests & (pc != k.THINKING) & ~np.isin(state, STILL)).any():
        return 0
    first = int(plane.read("run", "first_frame_timer")[0])
    rings = plane.read("calendar", "at")[first:first + len(kind)][requests]
    return min(_next_arrival(plane), float(rings.min(initial=k.NEVER)))


def _goes_on(plane: DataPlane) -> bool:
    """Whether something moves at this instant: frames that can go on, clients that a new block of draws lets think."""
    waiting = (plane.read("source", "parked") != k.NONE) & (plane.read("source", "last") == 0)
    return int(plane.read("run", "todo_head")[0]) != k.NONE or bool(waiting.any())


def _next_arrival(plane: DataPlane) -> float:
    """Instant of the next request of an open workload; 0 where it has not been drawn yet [ns]."""
    cursor, end, clients, last = (int(plane.read("source", name)[0]) for name in ("cursor", "end", "clients", "last"))
    if clients > 0:
        return k.NEVER
    return float(plane.read("source", "at")[cursor]) if cursor < end else k.NEVER if last else 0
