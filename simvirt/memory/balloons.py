"""Balloons: memory that VMs give up while the host is short of it, and get back while it is not.

*Model*: the VM whose memory is cheapest gives first, idle memory being dearer to hold; a guest that lacks memory gets
    it back first.
*Source*: Waldspurger, Memory Resource Management in VMware ESX Server, OSDI 2002, sections 3 and 5; Virtual I/O
    Device 1.2, section 5.5.
"""

from __future__ import annotations

from simvirt.memory.boxes import Box, follow_guest
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.working_set import PAGE

LEAST_BYTES = 1.0  # below which nothing is moved
BALLOON_STEPS = 16  # parts in which balloons take what is short, so that several VMs share it


def adjust(memory: HostMemory) -> float:
    """Inflate balloons while memory is short, the cheapest first; deflate them while there is plenty; bytes inflated."""
    inflated = 0.0
    if memory.excess < 0:
        _deflate(memory)
        return inflated
    step, most = memory.excess / BALLOON_STEPS, memory.costs.balloon_most
    for _ in range(2 * BALLOON_STEPS):
        vms = [box for box in memory.boxes if box.live and _room(box, most) > LEAST_BYTES]
        if memory.excess <= LEAST_BYTES or not vms:
            break
        inflated += _inflate(min(vms, key=lambda box: price(box, memory.costs.idle_tax)), step, most)
    return inflated


def price(box: Box, tax: float) -> float:
    """Shares of a VM for each page, idle ones counted dearer: the VM with the lowest price gives memory first.

    Source: Waldspurger, OSDI 2002, section 5.2: rho = S / (P (f + k (1 - f))), k = 1 / (1 - tax); shares as the VM's
        size.
    """
    assert box.guest is not None
    pages = max(box.resident, float(PAGE))
    active = min(1.0, (box.hot + box.guest.os) / pages)
    return box.guest.size / (pages * (active + (1.0 - active) / (1.0 - tax)))


def deflate_on_oom(box: Box, lacking: float) -> float:
    """A balloon gives back what its guest lacks before the guest kills; what is still lacking [bytes].

    Source: Virtual I/O Device (VIRTIO) 1.2, section 5.5.3, VIRTIO_BALLOON_F_DEFLATE_ON_OOM.
    """
    assert box.guest is not None
    box.guest.balloon -= min(box.guest.balloon, lacking)
    return follow_guest(box)


def _deflate(memory: HostMemory) -> None:
    """Give half of what is free back to the VMs with balloons, in proportion."""
    held = sum(box.guest.balloon for box in memory.boxes if box.guest is not None)
    share = min(1.0, -memory.excess / 2 / held) if held > 0 else 0.0
    for box in memory.boxes:
        if box.guest is not None and share > 0:
            box.guest.balloon -= share * box.guest.balloon
            follow_guest(box)


def _room(box: Box, most: float) -> float:
    """What a VM's balloon may still take: a share of its memory, and no more than its guest can do without [bytes]."""
    guest = box.guest
    if guest is None:
        return 0.0
    return min(most * guest.size - guest.balloon, guest.usable - max(0.0, box.used - guest.swap))


def _inflate(box: Box, amount: float, most: float) -> float:
    """Inflate a VM's balloon until the host has so much more, as far as it goes; by how much it was inflated [bytes]."""
    assert box.guest is not None
    untouched = max(0.0, box.guest.usable - box.guest.backed)
    take = min(_room(box, most), amount + untouched)
    box.guest.balloon += take
    follow_guest(box)
    box.forget()
    return take
