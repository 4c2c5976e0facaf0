"""Disks: a queue in front of a limited number of parallel channels.

Model: each request occupies one channel for the latency of its kind plus its size over the disk's bandwidth; others wait first come, first
    served. Times vary by the entry's `cv` (lognormal, drawn with the request); those of writes that nobody waits for do not. A write that nobody
    syncs is written back: it occupies the disk, the request goes on.
Ignores: seek and rotation order, merging, the device's own cache, io.max.
Source: see the disk entries of the catalogue; a channel is an NVMe die or queue, a SATA device's NCQ slot, an HDD's arm.
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import DISK, NONE
from simvirt.kernel.requests import draw
from simvirt.kernel.tables import Plane


def follow_channels(p: Plane, d: int, change: int, now: int) -> None:
    """Integrate the number of busy channels over time."""
    p.disks.busy[d] += p.disks.in_service[d] * (now - p.disks.busy_at[d])
    p.disks.busy_at[d] = now
    p.disks.in_service[d] += change


def disk_begin(p: Plane, f: int, d: int, now: int) -> None:
    """A request reaches a disk."""
    enter(p, f, DISK, now)
    p.frames.next[f] = NONE
    if p.disks.in_service[d] < p.disks.channels[d]:
        disk_serve(p, f, d, now)
    elif p.disks.head[d] == NONE:
        p.disks.head[d] = f
        p.disks.tail[d] = f
    else:
        p.frames.next[p.disks.tail[d]] = f
        p.disks.tail[d] = f


def disk_serve(p: Plane, f: int, d: int, now: int) -> None:
    """A channel takes a request."""
    follow_channels(p, d, 1, now)
    pc: int = p.frames.pc[f] - 1
    took: int = int(draw(p, f, p.program.column[pc], p.program.fixed[pc]))
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + took)


def disk_end(p: Plane, d: int, now: int) -> None:
    """A channel has finished a request and takes the next."""
    follow_channels(p, d, -1, now)
    p.disks.completed[d] += 1
    f: int = p.disks.head[d]
    if f != NONE:
        p.disks.head[d] = p.frames.next[f]
        disk_serve(p, f, d, now)
