"""Reclaim: what a host does when memory runs short, in the order in which it does it.

*Model*: the page cache gives way first, because it is what is left; where data that is read repeatedly would need more of it, swap
    takes cold memory of applications too, by `swappiness`. Then balloons are inflated, where VMs have them.
    Then pages are compressed, while the pool has room, and swapped out, from every box in proportion to what is above
    its reservation. Then the OOM killer takes the box with the largest score. KSM merges pages that are alike once it
    has seen all memory of VMs twice. A guest that lacks memory gets it back from its balloon first.
*Ignores*: NUMA, memory.min, the order of LRU lists beyond hot and cold, swap read-ahead; the OOM killer leaves a VM
    alone that holds no replica.
*Source*: Waldspurger, Memory Resource Management in VMware ESX Server, OSDI 2002, sections 3 to 6; Linux mm/vmscan.c,
    mm/oom_kill.c, mm/ksm.c, Documentation/admin-guide/mm/zswap.rst.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simvirt.memory import balloons, killers
from simvirt.memory.boxes import Box, follow_guest, leaning_on
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.killers import Kill
from simvirt.memory.working_set import PAGE
from simvirt.scenario.spec.memory_demand import KsmSpec

LEAST_BYTES = 1.0  # below which nothing is moved
MERGED_IN = 64  # parts in which what KSM merges is followed where nothing else changes


@dataclass
class Moved:
    """Bytes that one step moved, and the kills of OOM killers."""

    swapped_out: float = 0.0
    packed: float = 0.0
    inflated: float = 0.0
    kills: list[Kill] = field(default_factory=list)


def step(memory: HostMemory) -> Moved:
    """React to what the boxes need now, each of which stands for itself."""
    moved = Moved()
    memory.add_up()
    for box in memory.boxes:
        _hold_to_limits(memory, box, moved)
    merge(memory)
    for box in memory.boxes:
        box.forget()
    memory.add_up()
    if memory.auto_balloon:
        moved.inflated = balloons.adjust(memory)
        memory.add_up()
    _evict(memory, moved)
    lean_on_applications(memory, moved)
    if memory.excess - memory.reserve > LEAST_BYTES:
        moved.kills += killers.host_kill(memory, moved.kills)
    return moved


def _hold_to_limits(memory: HostMemory, box: Box, moved: Moved) -> None:
    """Let a guest react to what is in it, and hold containers to their limits."""
    lacking = follow_guest(box)
    if lacking > LEAST_BYTES and memory.auto_balloon:
        lacking = balloons.deflate_on_oom(box, lacking)
    if lacking > LEAST_BYTES:
        moved.kills += killers.guest_kill(box, lacking)
    elif box.guest is None:
        _fence(memory, box, moved)
    else:
        moved.kills += killers.fenced_in(box)


def _fence(memory: HostMemory, box: Box, moved: Moved) -> None:
    """A container beyond its limits: reclaim down to memory.high, kill beyond memory.max with nowhere to put the rest."""
    for replica in box.replicas:
        if not replica.live or not memory.fenced:
            continue
        bound = min(replica.limit, replica.high)
        room = min(replica.swap_most, box.absent + memory.swap_left)
        leaning = leaning_on(replica.anonymous + replica.data - bound, replica.data, memory.swappiness)
        goal = min(max(0.0, replica.anonymous - bound, min(leaning, replica.cold)), room)
        if goal > box.absent + LEAST_BYTES:
            _put_out(memory, box, goal - box.absent, moved)
        if replica.anonymous - box.absent > replica.limit + LEAST_BYTES:
            moved.kills.append(killers.beyond_limit(replica, box.absent))


def scan(memory: HostMemory, spec: KsmSpec | None, elapsed: float) -> None:
    """Let KSM look at memory for some time [ns]."""
    if spec is not None:
        memory.scanned += elapsed / scan_time(memory, spec, PAGE) * PAGE


def scan_time(memory: HostMemory, spec: KsmSpec, amount: float) -> float:
    """Time that KSM takes to look at so many bytes [ns]."""
    batch = spec.pages_to_scan * PAGE
    return amount / batch * (spec.sleep + spec.pages_to_scan * memory.costs.scan)


def bytes_to_merge(memory: HostMemory) -> float:
    """Bytes that KSM looks at before another part of what is alike is merged; infinite where all is [bytes]."""
    total = sum(box.wanted * box.copies for box in _scanned(memory))
    if memory.scanned >= 2.0 * total:
        return math.inf
    return max(total, memory.scanned) + total / MERGED_IN - memory.scanned


def _scanned(memory: HostMemory) -> list[Box]:
    """The VMs whose memory KSM merges."""
    return [box for box in memory.boxes if box.guest is not None and box.live] if memory.merging else []


def merge(memory: HostMemory) -> None:
    """What KSM has merged: all that is alike in guests of a kind but one, once it has seen everything twice.

    *Model*: merged share = scanned bytes over bytes to scan, less the first pass, which only notes checksums; 0 to 1.
    """
    vms = _scanned(memory)
    n, total = sum(box.copies for box in vms), sum(box.wanted * box.copies for box in vms)
    share = min(1.0, max(0.0, memory.scanned / total - 1.0)) if total > 0 else 0.0
    for box in vms:
        box.merged = share * ((n - 1) / n) * alike(box)


def alike(box: Box) -> float:
    """Bytes of a VM that other guests of its kind have too, by kind of page.

    *Model*: file pages of the guest's system and of images, and what booting left behind, have the same content in all guests;
        of the system's own memory a part has (kernel text, zero pages, start-up data), and page structs of memory that was never
        touched; of applications what their footprint says; data that is read or written, and what applications once used, is each
        guest's own.
    """
    guest = box.guest
    if guest is None:
        return 0.0
    files = min(box.cache, guest.file_cache + guest.files)
    boot = min(guest.boot, max(0.0, guest.backed - (box.used - guest.swapped) - box.cache))
    applications = sum(replica.needs.same * replica.anonymous * replica.copies for replica in box.replicas)
    blank = guest.structs * max(0.0, 1.0 - guest.touched / guest.size)
    system = blank + guest.same * max(0.0, guest.os - guest.structs)
    return min(box.wanted, guest.same_files * (files + boot) + system + applications)


def _evict(memory: HostMemory, moved: Moved) -> None:
    """Compress and swap out what is too much, from each box in proportion to what reclaim may take of it; reservations last."""
    for reserved in (True, False):
        short = memory.excess
        if short <= LEAST_BYTES or memory.swap <= 0:
            return
        free = [max(0.0, box.resident - (box.protected if reserved else 0.0)) for box in memory.boxes]
        total = sum(free)
        for box, amount in zip(memory.boxes, free, strict=True):
            if total > 0:
                _put_out(memory, box, min(1.0, short / total) * amount, moved)


def lean_on_applications(memory: HostMemory, moved: Moved) -> None:
    """Swap out cold memory for data that is read repeatedly, from each box in proportion to what it has of it."""
    if memory.swap <= 0 or memory.data <= 0:
        return
    short = memory.data + memory.excess + memory.spared_by_swap
    more = leaning_on(short, memory.data, memory.swappiness) - memory.spared_by_swap
    cold = [max(0.0, box.cold - box.absent - box.protected) for box in memory.boxes]
    total = sum(cold)
    for box, amount in zip(memory.boxes, cold, strict=True):
        if more > LEAST_BYTES and total > 0:
            _put_out(memory, box, min(1.0, more / total) * amount, moved)


def _put_out(memory: HostMemory, box: Box, amount: float, moved: Moved) -> None:
    """Take some bytes of a box out of memory: into the pool of compressed pages, else to swap."""
    gain = 1.0 - 1.0 / memory.costs.compression
    room = max(0.0, memory.pool - memory.compressed) * memory.costs.compression
    packed = min(amount / gain, room, memory.swap_left, box.resident) if gain > 0 else 0.0
    box.packed += packed
    moved.packed += packed
    memory.packed += packed
    memory.gone += packed
    rest = max(0.0, min(amount - packed * gain, memory.swap_left, box.resident))
    box.out += rest
    moved.swapped_out += rest
    memory.gone += rest
