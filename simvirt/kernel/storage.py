"""Disks: a queue in front of a limited number of parallel channels.

Model: each request occupies one channel until it is done; others wait first come, first served. In its channel it first
    waits for the disk's one path, takes that for its size over the bandwidth (or one over the most requests per
    second), and then waits for the rest of its latency, which may vary.
Ignores: seek and rotation order, merging in the device's queue, the device's own cache, io.max; reads and writes share the path.
Source: see the disk entries of the catalogue; a channel is an NVMe die or queue, a SATA device's NCQ slot, an HDD's
    arm; the path is its bus or controller.
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import DISK, FLUSHES, NONE
from simvirt.kernel.requests import draw, host_of
from simvirt.kernel.tables import Plane

FLUSHED = 2  # a write whose size is the frame's work, for the flusher chooses it
PAGE = 4096.0


def follow_channels(p: Plane, d: int, change: int, now: int) -> None:
    """Integrate the number of busy channels over time."""
    p.disks.busy[d] += p.disks.in_service[d] * (now - p.disks.busy_at[d])
    p.disks.busy_at[d] = now
    p.disks.in_service[d] += change


def disk_of(p: Plane, f: int, pc: int) -> int:
    """The disk that an instruction names by its role on the host of a frame's instance."""
    return p.hosts.first_disk[host_of(p, f)] + p.program.target[pc]


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
    """A channel takes a request, which goes over the path as soon as that is free."""
    follow_channels(p, d, 1, now)
    pc: int = p.frames.pc[f] - 1
    passage: int = int(p.program.amount[pc])
    alone: float = p.program.amount[pc] + p.program.fixed[pc] + draw(p, f, p.program.column[pc], 0.0)
    if p.program.flag[pc] == FLUSHED:
        passage = int(max(p.frames.work[f] * p.disks.write_path[d], p.disks.write_turn[d]) + 0.5)
        alone = p.disks.write_latency[d] + max(p.frames.work[f] - PAGE, 0.0) * p.disks.write_stream[d]
    elif p.program.flag[pc] == FLUSHES:
        beside: int = int(p.frames.work[f] * p.disks.write_path[d] + 0.5)
        passage += beside
        alone += beside
    if p.disks.slow[d] != 1.0:
        passage = int(passage * p.disks.slow[d] + 0.5)
        alone *= p.disks.slow[d]
    passed: int = max(now, p.disks.free_at[d]) + passage
    p.disks.free_at[d] = passed
    p.disks.passed[d] += passage
    rest: int = int(max(alone - passage, 0.0) + 0.5)
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, passed + rest)


def disk_end(p: Plane, d: int, now: int) -> None:
    """A channel has finished a request and takes the next."""
    follow_channels(p, d, -1, now)
    p.disks.completed[d] += 1
    f: int = p.disks.head[d]
    if f != NONE:
        p.disks.head[d] = p.frames.next[f]
        disk_serve(p, f, d, now)
