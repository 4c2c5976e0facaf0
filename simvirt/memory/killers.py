"""OOM killers: of a cgroup beyond its limit, of a guest without memory, of the host.

*Source*: Linux mm/oom_kill.c, mm/memcontrol.c.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simvirt.memory.boxes import Box, Replica
from simvirt.memory.host_memory import HostMemory

LEAST_BYTES = 1.0  # below which nobody is killed


@dataclass(frozen=True, slots=True)
class Kill:
    """A decision of an OOM killer: which replicas, and why in words."""

    replicas: tuple[Replica, ...]
    why: str


def host_kill(memory: HostMemory, before: Iterable[Kill]) -> list[Kill]:
    """The OOM killer of the host: the box with the largest score among those that no other has killed."""
    gone = {id(replica) for kill in before for replica in kill.replicas}
    live = [box for box in memory.boxes if box.replicas and box.live and not any(id(replica) in gone for replica in box.replicas)]
    scores = [(found, -at, box) for at, box in enumerate(live) if (found := score(memory, box)) > 0]
    if not scores:
        return []
    _, _, box = max(scores, key=lambda row: row[:2])
    why = f"the host lacks {size(memory.excess - memory.reserve)}; {size(box.resident + box.beside)} had the largest score"
    return [Kill(tuple(replica for replica in box.replicas if replica.live), why)]


def score(memory: HostMemory, box: Box) -> float:
    """Badness of a box: resident and swapped memory with page tables, and the bias in thousandths of all memory [bytes].

    Source: Linux mm/oom_kill.c, oom_badness.
    """
    bias = max((replica.bias for replica in box.replicas if replica.live), default=0)
    if bias == -1000:
        return 0.0
    return box.resident + box.absent + box.beside + bias / 1000 * (memory.capacity + memory.swap)


def guest_kill(box: Box, lacking: float) -> list[Kill]:
    """The OOM killer of a guest: its largest replica; the others and other VMs do not notice."""
    victim = max((one for one in box.replicas if one.live), key=lambda one: (one.anonymous, -one.row), default=None)
    if box.guest is None or victim is None:
        return []
    why = f"the guest of {size(box.guest.usable)} lacks {size(lacking)}; {size(victim.anonymous)} was its largest process"
    return [Kill((victim,), why)]


def fenced_in(box: Box) -> list[Kill]:
    """Containers of a guest beyond their limits that may not swap so much, or find no room in the guest's swap space."""
    assert box.guest is not None
    left, kills = box.guest.swap, []
    for replica in (replica for replica in box.replicas if replica.beyond > 0):
        room = min(replica.swap_most, left)
        if replica.beyond > room + LEAST_BYTES:
            kills.append(beyond_limit(replica, room))
        left -= min(room, replica.beyond)
    return kills


def beyond_limit(replica: Replica, swapped: float) -> Kill:
    """A container whose memory, less what is swapped out, exceeds its limit."""
    return Kill((replica,), f"{size(replica.anonymous - swapped)} exceed memory.max {size(replica.limit)}")


def size(amount: float) -> str:
    """Bytes in words."""
    return f"{amount / 2**30:.2f} GiB" if amount >= 2**30 else f"{amount / 2**20:.1f} MiB"
