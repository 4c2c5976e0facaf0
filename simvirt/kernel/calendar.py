"""The calendar: a binary heap of timers, ordered by instant and then by timer.

A timer belongs to one thing and has at most one next instant, so that nothing is ever stale: `set_timer` moves it,
`clear_timer` takes it out, both in O(log n). Equal instants ring in the order of the timers' numbers.

A timer that has rung leaves the root open, NONE, for the next one that is set: most events set one. Slots of an open
heap begin at 1; whatever else needs the root closes it first.
"""

from simvirt.kernel.constants import NEVER, NONE
from simvirt.kernel.tables import Calendar


def rings_before(cal: Calendar, a: int, b: int) -> bool:
    """Whether timer a comes before timer b."""
    return cal.at[a] < cal.at[b] or (cal.at[a] == cal.at[b] and a < b)


def sift_up(cal: Calendar, slot: int) -> None:
    """Move the timer at a slot towards the root until its parent rings before it."""
    timer: int = cal.heap[slot]
    while slot > 0:
        above: int = (slot - 1) >> 1
        parent: int = cal.heap[above]
        if rings_before(cal, parent, timer):
            break
        cal.heap[slot] = parent
        cal.slot[parent] = slot
        slot = above
    cal.heap[slot] = timer
    cal.slot[timer] = slot


def sift_down(cal: Calendar, slot: int) -> None:
    """Move the timer at a slot away from the root until both children ring after it."""
    timer: int = cal.heap[slot]
    size: int = cal.size[0]
    below: int = 2 * slot + 1
    while below < size:
        if below + 1 < size and rings_before(cal, cal.heap[below + 1], cal.heap[below]):
            below += 1
        child: int = cal.heap[below]
        if rings_before(cal, timer, child):
            break
        cal.heap[slot] = child
        cal.slot[child] = slot
        slot = below
        below = 2 * slot + 1
    cal.heap[slot] = timer
    cal.slot[timer] = slot


def set_timer(cal: Calendar, timer: int, at: int) -> None:
    """Let a timer ring at an instant, in place of any earlier setting."""
    if at >= NEVER:
        clear_timer(cal, timer)
        return
    if cal.slot[timer] == NONE:
        cal.at[timer] = at
        insert_timer(cal, timer)
        return
    if cal.heap[0] == NONE:
        close_root(cal)
    if at < cal.at[timer]:
        cal.at[timer] = at
        sift_up(cal, cal.slot[timer])
    elif at > cal.at[timer]:
        cal.at[timer] = at
        sift_down(cal, cal.slot[timer])


def insert_timer(cal: Calendar, timer: int) -> None:
    """Put a timer whose instant is set into the heap: at the root where that is open, else at the end."""
    end: int = cal.size[0]
    cal.size[0] = end + 1
    if cal.heap[0] == NONE:
        cal.heap[0] = timer
        sift_down(cal, 0)
    else:
        cal.heap[end] = timer
        sift_up(cal, end)


def close_root(cal: Calendar) -> None:
    """Let the last timer take the open root, if there is one."""
    if cal.size[0] > 0:
        cal.heap[0] = cal.heap[cal.size[0]]
        sift_down(cal, 0)


def clear_timer(cal: Calendar, timer: int) -> None:
    """Switch a timer off."""
    if cal.slot[timer] == NONE:
        return
    if cal.heap[0] == NONE:
        close_root(cal)
    slot: int = cal.slot[timer]
    cal.slot[timer] = NONE
    cal.at[timer] = NEVER
    last: int = cal.size[0] - 1
    cal.size[0] = last
    if slot == last:
        return
    moved: int = cal.heap[last]
    cal.heap[slot] = moved
    cal.slot[moved] = slot
    sift_up(cal, slot)
    sift_down(cal, cal.slot[moved])


def pop_timer(cal: Calendar) -> int:
    """Take the earliest timer out, after `next_instant`; which one it was."""
    timer: int = cal.heap[0]
    cal.slot[timer] = NONE
    cal.at[timer] = NEVER
    cal.size[0] -= 1
    cal.heap[0] = NONE
    return timer


def next_instant(cal: Calendar) -> int:
    """Instant of the earliest timer, NEVER when all are off [ns]."""
    if cal.size[0] == 0:
        return NEVER
    if cal.heap[0] == NONE:
        close_root(cal)
    return cal.at[cal.heap[0]]
