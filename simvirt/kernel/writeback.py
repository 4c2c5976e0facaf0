"""Write-back: the page cache gathers writes that nobody waits for, and a flusher writes them later, in few large requests.

*Model*: what an instance writes without sync is appended to one file of its own: dirty bytes, and the instant at which
    the file became dirty. The flusher of a disk looks at intervals; it writes all that is dirty of files that became so
    longer ago than the expiry, oldest first, whole pages in requests of at most a chunk, one after the other. Beyond
    the background limit of dirty memory it begins at once, with the oldest; beyond the limit writers wait until it has
    brought dirty memory below it.
    A flush of a VM whose disk is a file in the page cache of the host (`writeback`) writes all that is dirty of that file before it
    is done: what the VM wrote before, whoever wrote it there, side by side.
*Ignores*: writes to other places of a file (they would be pages of their own); that dirty pages take memory; limits by
    cgroup and by the bandwidth of a disk; the gradual pauses of balance_dirty_pages below the limit; that a guest gathers
    in front of its device: each of its writes passes that; that instances of one VM share the file of its disk; that
    what the VM wrote to scattered places is as many requests; that a flush waits for what the flusher has taken already.
*Source*: Linux mm/page-writeback.c, fs/fs-writeback.c (wb_writeback, move_expired_inodes), fs/sync.c with mm/filemap.c
    (file_write_and_wait_range: all dirty pages of the file are sent, then waited for); QEMU block/file-posix.c (a flush is fdatasync);
    Documentation/admin-guide/sysctl/vm.rst.
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import DISK, NONE, WRITE_BACK
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import append_todo, clear_account, free_frame, new_frame
from simvirt.kernel.storage import disk_of
from simvirt.kernel.tables import Plane

PAGE = 4096.0


@rare
def buffer_write(p: Plane, f: int, pc: int, now: int) -> bool:
    """Leave a write to the page cache; whether its frame can go on at once."""
    d: int = disk_of(p, f, pc)
    dirty_file(p, p.frames.instance[f], d, p.program.ratio[pc], now)
    if p.disks.flusher[d] == NONE:
        w: int = new_frame(p, WRITE_BACK, p.frames.instance[f], p.run.flush[0], now)
        clear_account(p, w)
        p.disks.flusher[d] = w
        append_todo(p, w)
    elif p.disks.flush_at[d] > now and p.disks.dirty[d] > p.disks.background_limit[d]:
        p.disks.flush_at[d] = now
        set_timer(p.calendar, p.run.first_frame_timer[0] + p.disks.flusher[d], now)
    if p.disks.dirty[d] <= p.disks.dirty_limit[d]:
        return True
    wait_for_flusher(p, f, d, now)
    return False


def dirty_file(p: Plane, i: int, d: int, size: float, now: int) -> None:
    """An instance's file has so many dirty bytes more; one that was clean is now the youngest dirty one."""
    if p.instances.dirty[i] <= 0.0:
        p.instances.dirty_since[i] = now
        p.instances.next_dirty[i] = NONE
        if p.disks.first_dirty[d] == NONE:
            p.disks.first_dirty[d] = i
            p.instances.previous_dirty[i] = NONE
        else:
            p.instances.next_dirty[p.disks.last_dirty[d]] = i
            p.instances.previous_dirty[i] = p.disks.last_dirty[d]
        p.disks.last_dirty[d] = i
    p.instances.dirty[i] += size
    p.disks.dirty[d] += size


def wait_for_flusher(p: Plane, f: int, d: int, now: int) -> None:
    """A writer beyond the limit of dirty memory waits, after those that wait already."""
    enter(p, f, DISK, now)
    p.frames.next[f] = NONE
    if p.disks.first_writer[d] == NONE:
        p.disks.first_writer[d] = f
    else:
        p.frames.next[p.disks.last_writer[d]] = f
    p.disks.last_writer[d] = f


@rare
def flush(p: Plane, f: int, pc: int, now: int) -> bool:
    """The flusher takes its next request, sleeps until it has to look again, or ends; whether it goes on to write."""
    d: int = disk_of(p, f, pc)
    release_writers(p, d)
    i: int = p.disks.first_dirty[d]
    if i == NONE:
        p.disks.flusher[d] = NONE
        free_frame(p, f)
        return False
    due: int = p.instances.dirty_since[i] + p.disks.expiry[d]
    if due > now and p.disks.dirty[d] <= p.disks.background_limit[d]:
        looks: int = (due - now + p.disks.interval[d] - 1) // p.disks.interval[d]
        p.disks.flush_at[d] = now + looks * p.disks.interval[d]
        set_timer(p.calendar, p.run.first_frame_timer[0] + f, p.disks.flush_at[d])
        return False
    p.disks.flush_at[d] = 0
    take_chunk(p, f, i, d)
    return True


def take_chunk(p: Plane, f: int, i: int, d: int) -> None:
    """The flusher's next request: whole pages of the oldest file, at most a chunk."""
    taken: float = min(p.instances.dirty[i], p.disks.chunk[d])
    p.instances.dirty[i] -= taken
    p.disks.dirty[d] -= taken
    p.frames.work[f] = PAGE * (int((taken - 1.0) / PAGE) + 1)
    if p.instances.dirty[i] <= 0.0:
        leave_dirty(p, i, d)


def leave_dirty(p: Plane, i: int, d: int) -> None:
    """An instance's file is clean: it leaves the line of dirty ones."""
    before: int = p.instances.previous_dirty[i]
    after: int = p.instances.next_dirty[i]
    if before == NONE:
        p.disks.first_dirty[d] = after
    else:
        p.instances.next_dirty[before] = after
    if after == NONE:
        p.disks.last_dirty[d] = before
    else:
        p.instances.previous_dirty[after] = before


def take_file(p: Plane, f: int, d: int) -> None:
    """A flush takes all that is dirty of its instance's file: `work` of its frame is what it writes beside its own [bytes]."""
    i: int = p.frames.instance[f]
    taken: float = p.instances.dirty[i]
    p.frames.work[f] = taken
    if taken > 0.0:
        p.instances.dirty[i] = 0.0
        p.disks.dirty[d] -= taken
        leave_dirty(p, i, d)
        release_writers(p, d)


def release_writers(p: Plane, d: int) -> None:
    """Writers go on once dirty memory is within its limit."""
    while p.disks.first_writer[d] != NONE and p.disks.dirty[d] <= p.disks.dirty_limit[d]:
        f: int = p.disks.first_writer[d]
        p.disks.first_writer[d] = p.frames.next[f]
        append_todo(p, f)
