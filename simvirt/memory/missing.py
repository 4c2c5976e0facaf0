"""What requests meet where memory is missing: faults, work and waits; and what they read back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simvirt.memory.account import MemoryAccount
from simvirt.memory.boxes import Box, Replica
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.working_set import PAGE

HIGH_SECONDS, MOST_HIGH_NS, BATCH = 64.0, 2_000_000_000, 64
"""An allocation of 64 pages beyond memory.high waits 64 s x (overage / high)^2, at most 2 s. Source: Linux mm/memcontrol.c."""


def hot_absent(box: Box) -> float:
    """Share of the memory that requests touch which is not resident.

    *Model*: a kernel that sees its processes evicts what is cold first; a host cannot know what is cold in a guest,
        so that hot pages are as likely to be gone as others.
    """
    if box.absent <= 0 or box.hot <= 0:
        return 0.0
    if box.guest is None:
        return _hot_part(box, box.absent)
    return min(1.0, box.absent / max(box.wanted, 1.0))


def hot_swapped(box: Box) -> float:
    """Share of the hot memory that the guest itself has swapped out."""
    return _hot_part(box, box.guest.swapped) if box.guest is not None and box.guest.swapped > 0 and box.hot > 0 else 0.0


def _hot_part(box: Box, gone: float) -> float:
    """Share of the hot memory that is gone where everything cold goes first."""
    return min(1.0, max(0.0, gone - (box.anonymous - box.hot)) / box.hot)


def met(memory: HostMemory, box: Box, replica: Replica) -> tuple[float, float, int]:
    """What a request of a replica meets: pages that it reads from a disk, work [ns], a wait [ns]."""
    return _faults(box, replica), _work(memory, box, replica), _stall(memory, box, replica)


def _faults(box: Box, replica: Replica) -> float:
    """Pages that a request has to read from a disk, on average."""
    on_disk = box.out / box.absent if box.absent > 0 else 0.0
    missing = hot_absent(box) * on_disk
    return replica.needs.touch / PAGE * (missing + (1.0 - missing) * hot_swapped(box))


def _work(memory: HostMemory, box: Box, replica: Replica) -> float:
    """Work of a request's faults that need no disk: compressed pages, pages shared by KSM that it writes [ns]."""
    costs, pages = memory.costs, replica.needs.touch / PAGE
    packed = box.packed / box.absent if box.absent > 0 else 0.0
    shared = replica.needs.same * box.merged / box.wanted if box.merged > 0 and box.wanted > 0 else 0.0
    return pages * (hot_absent(box) * packed * costs.unpack + shared * costs.unshare)


def _stall(memory: HostMemory, box: Box, replica: Replica) -> int:
    """How long a request's allocations wait beyond memory.high [ns]."""
    if not memory.fenced or math.isinf(replica.high):
        return 0
    out = box.absent if box.guest is None else min(replica.pressed, box.guest.swapped)
    over = (replica.anonymous - out) / replica.high - 1.0
    if over <= 0:
        return 0
    pages = (replica.needs.per_connection + replica.needs.per_request + replica.needs.growth) / PAGE
    return min(MOST_HIGH_NS, int(HIGH_SECONDS * over * over * max(1.0, pages) / BATCH * 1e9))


def read_back(account: MemoryAccount, answered: Mapping[int, float]) -> None:
    """Make resident again what the answered requests of each replica (by its row) have read back from swap."""
    for box in account.memory.boxes:
        for replica in box.replicas if box.moved > 0 else ():
            pages = answered.get(replica.row, 0.0) * replica.needs.touch / PAGE
            back = min(box.absent, pages * hot_absent(box) * PAGE)
            share = box.out / box.absent if box.absent > 0 else 0.0
            box.out -= back * share
            box.packed -= back * (1.0 - share)
            own = pages * hot_swapped(box) * PAGE if box.guest is not None else 0.0
            account.swapped_in += back * share + own
            account.swapped_out += own
