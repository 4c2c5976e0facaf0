"""Long runs under a quota: slices that cannot fail are booked together, without an event for each.

Model: a queue that has a CPU to itself takes a slice every so many ticks. While its group's pool surely holds out, none
    of these changes what runs; whoever asks for the pool, or changes what the CPU runs, finds all that were due booked,
    period by period. The group's timer rings before the first slice that the pool might not hold out for.
Ignores: nothing; what is used, and when it is throttled, are the same as with an event for each slice.
"""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import NEVER, NONE
from simvirt.kernel.marks import rare
from simvirt.kernel.pool import refill, set_group_timer
from simvirt.kernel.runqueue import tick_at_or_after
from simvirt.kernel.tables import Plane

WORTHWHILE = 3  # slices that are saved at least
LOOK_AHEAD = 1000  # periods that are looked at for a slice that the pool may not hold out for


def begin_coasting(p: Plane, c: int, now: int) -> bool:
    """Let a CPU's limited queue, which has just taken a slice, run on without events; whether it does."""
    q: int = limited_alone(p, c)
    if q == NONE or p.cpus.charged_at[c] != now:
        return False
    g: int = p.queues.group[q]
    every: int = slice_spacing(p, g)
    if p.groups.expires[g] != 0 or p.queues.runtime[q] != p.groups.slice[g] or p.groups.first_throttled[g] != NONE:
        return False
    if tick_at_or_after(p, c, now + p.groups.slice[g], now) != now + every:
        return False
    book_slices(p, g, now)
    p.queues.next_coasting[q] = p.groups.coasting[g]
    p.groups.coasting[g] = q
    p.queues.slice_at[q] = now
    until: int = pool_holds_until(p, g, now)
    if until <= now + WORTHWHILE * every:
        p.groups.coasting[g] = p.queues.next_coasting[q]
        return False
    p.cpus.coasting[c] = q
    p.groups.coasts_until[g] = until
    set_group_timer(p, g)
    return True


def limited_alone(p: Plane, c: int) -> int:
    """The one limited queue that a CPU runs, where nothing else competes there; NONE otherwise."""
    e: int = p.cpus.current[c]
    if e == NONE or p.cpus.speed[c] <= 0.0 or p.cpus.coasting[c] != NONE:
        return NONE
    q: int = p.entities.queue[e]
    if p.cpus.lone[c] != 0:
        return q if is_limited(p, q) else NONE
    found: int = NONE
    while q != NONE:
        if p.queues.entities[q] != 1 or (found != NONE and is_limited(p, q)):
            return NONE
        if is_limited(p, q):
            found = q
        q = p.queues.parent[q]
    return found


def is_limited(p: Plane, q: int) -> bool:
    """Whether a queue is that of a group with a quota."""
    return p.queues.group[q] != NONE and p.groups.quota[p.queues.group[q]] > 0


def slice_spacing(p: Plane, g: int) -> int:
    """Time between two slices of a queue that runs on: whole ticks [ns]."""
    tick: int = p.machines.tick[p.groups.machine[g]]
    if tick == 0:
        return p.groups.slice[g]
    return (p.groups.slice[g] + tick - 1) // tick * tick


def slices_before(p: Plane, q: int, every: int, at: int) -> int:
    """How many slices beyond those booked a coasting queue takes before an instant."""
    return max(at - 1 - p.queues.slice_at[q], 0) // every


def book_slices(p: Plane, g: int, now: int) -> None:
    """Book what the coasting queues of a group have taken up to now, and the refills between."""
    if p.groups.coasting[g] == NONE:
        return
    end: int = p.groups.refilled_at[g] + p.groups.period[g]
    if p.groups.burst[g] == 0 and end <= now:  # a refill fills the pool, whatever was left
        end += (now - end) // p.groups.period[g] * p.groups.period[g]
    while end <= now:
        take_slices(p, g, end, NONE)
        refill(p, g, end)
        end += p.groups.period[g]
    take_slices(p, g, now, p.run.timer[0] - p.run.first_cpu_timer[0])


def take_slices(p: Plane, g: int, at: int, last_cpu: int) -> None:
    """Take from the pool the slices before an instant, and those at it of the CPUs before `last_cpu`, which come first."""
    every: int = slice_spacing(p, g)
    q: int = p.groups.coasting[g]
    while q != NONE:
        n: int = slices_before(p, q, every, at + 1 if p.queues.cpu[q] < last_cpu else at)
        p.queues.slice_at[q] += n * every
        p.queues.runtime[q] += n * every
        p.groups.pool[g] -= n * every
        q = p.queues.next_coasting[q]


def pool_holds_until(p: Plane, g: int, now: int) -> int:
    """Instant before which the pool surely holds out for the coasting queues, if nobody else asks for it [ns]."""
    refill(p, g, now)
    every: int = slice_spacing(p, g)
    period: int = p.groups.period[g]
    count: int = coasting_queues(p, g)
    pool: int = p.groups.pool[g]
    start: int = now
    end: int = p.groups.refilled_at[g] + period
    for _ in range(LOOK_AHEAD):
        used: int = slices_between(p, g, start, end) * every
        if used > pool:
            return start + pool // (count * every) * every
        if count * ((period + every - 1) // every) * every <= p.groups.quota[g]:
            return NEVER
        pool = min(pool - used + p.groups.quota[g], p.groups.quota[g] + p.groups.burst[g])
        start = end
        end += period
    return start


def coasting_queues(p: Plane, g: int) -> int:
    """How many queues of a group coast."""
    count: int = 0
    q: int = p.groups.coasting[g]
    while q != NONE:
        count += 1
        q = p.queues.next_coasting[q]
    return count


def slices_between(p: Plane, g: int, start: int, end: int) -> int:
    """Slices that the coasting queues of a group take from an instant on, and before another."""
    every: int = slice_spacing(p, g)
    found: int = 0
    q: int = p.groups.coasting[g]
    while q != NONE:
        found += slices_before(p, q, every, end) - slices_before(p, q, every, start)
        q = p.queues.next_coasting[q]
    return found


@rare
def stop_coasting(p: Plane, c: int, now: int) -> None:
    """A CPU's run changes: its slices up to now are booked, and the next one is an event again."""
    q: int = p.cpus.coasting[c]
    g: int = p.queues.group[q]
    book_slices(p, g, now)
    if p.groups.coasting[g] == q:
        p.groups.coasting[g] = p.queues.next_coasting[q]
    else:
        before: int = p.groups.coasting[g]
        while p.queues.next_coasting[before] != q:
            before = p.queues.next_coasting[before]
        p.queues.next_coasting[before] = p.queues.next_coasting[q]
    expect_slice(p, q)
    if p.groups.coasting[g] == NONE:
        set_group_timer(p, g)


def end_coasting(p: Plane, g: int, now: int) -> None:
    """The pool of a group may run dry: the next slice of each of its queues is an event again."""
    if p.groups.coasting[g] == NONE:
        return
    book_slices(p, g, now)
    while p.groups.coasting[g] != NONE:
        expect_slice(p, p.groups.coasting[g])
        p.groups.coasting[g] = p.queues.next_coasting[p.groups.coasting[g]]
    set_group_timer(p, g)


def expect_slice(p: Plane, q: int) -> None:
    """Let the CPU of a queue that no longer coasts ring for its next slice; one that rings now is set anew by what follows."""
    c: int = p.queues.cpu[q]
    p.cpus.coasting[c] = NONE
    timer: int = p.run.first_cpu_timer[0] + c
    at: int = p.queues.slice_at[q] + slice_spacing(p, p.queues.group[q])
    p.cpus.review_at[c] = at
    if timer != p.run.timer[0] and at < p.calendar.at[timer]:
        set_timer(p.calendar, timer, at)


def renew_coasting(p: Plane, g: int, now: int) -> None:
    """The time is up for which a group's pool was sure to hold out: look again."""
    book_slices(p, g, now)
    until: int = pool_holds_until(p, g, now)
    if until <= now + WORTHWHILE * slice_spacing(p, g):
        end_coasting(p, g, now)
        return
    p.groups.coasts_until[g] = until
    set_group_timer(p, g)


def shorten_coasting(p: Plane, g: int, now: int) -> None:
    """Somebody else has taken from the pool: it may hold out for less time."""
    if p.groups.coasting[g] != NONE:
        p.groups.coasts_until[g] = pool_holds_until(p, g, now)
        set_group_timer(p, g)
