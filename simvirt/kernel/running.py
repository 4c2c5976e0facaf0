"""What runs on a CPU, how fast, and until when.

A guest's CPU is an entity of the machine below: it runs when that entity does. While a CPU has one task, nothing happens
until the task is done; slices and ticks cost events only under contention.
"""

from simvirt.kernel.accounting import enter, mark_wait
from simvirt.kernel.calendar import clear_timer, set_timer
from simvirt.kernel.constants import CPU, EPSILON, NEVER, NONE, RUN_QUEUE, STEAL
from simvirt.kernel.hierarchy import charge
from simvirt.kernel.policy import check_at
from simvirt.kernel.runqueue import tick_at_or_after
from simvirt.kernel.tables import Plane


def start(p: Plane, c: int, now: int) -> None:
    """The current entity of a CPU begins to run, if the CPU itself does."""
    e: int = p.cpus.current[c]
    v: int = p.entities.carries[e]
    if v != NONE:
        p.entities.wait[e] += now - p.entities.waits_since[e]
        set_speed(p, v, p.cpus.speed[c], p.cpus.portion[c], now)
    elif p.cpus.speed[c] > 0.0:
        enter(p, p.entities.frame[e], CPU, now)
    else:
        mark_wait(p, p.entities.frame[e], STEAL, now)
    arm(p, c, now)


def stop(p: Plane, c: int, now: int) -> None:
    """The current entity loses its CPU but stays runnable."""
    e: int = p.cpus.current[c]
    v: int = p.entities.carries[e]
    p.cpus.current[c] = NONE
    if v != NONE:
        p.entities.waits_since[e] = now
        set_speed(p, v, 0.0, 1.0, now)
    else:
        mark_wait(p, p.entities.frame[e], RUN_QUEUE, now)


def set_speed(p: Plane, c: int, speed: float, portion: float, now: int) -> None:
    """A CPU computes at another speed from now on: its sibling's doing, or its vCPU has got or lost a pCPU."""
    charge(p, c, now)
    running: bool = p.cpus.speed[c] > 0.0
    e: int = p.cpus.current[c]
    if e != NONE and p.entities.carries[e] == NONE:
        f: int = p.entities.frame[e]
        if running:
            enter(p, f, CPU, now)
        p.cpus.portion[c] = portion
        if running and speed <= 0.0:
            mark_wait(p, f, STEAL, now)
        elif speed > 0.0:
            enter(p, f, CPU, now)
    p.cpus.portion[c] = portion
    p.cpus.speed[c] = speed
    p.cpus.charged_at[c] = now
    if e != NONE:
        if p.entities.carries[e] != NONE:
            set_speed(p, p.entities.carries[e], speed, portion, now)
        arm(p, c, now)


def spread_speeds(p: Plane, m: int, now: int) -> None:
    """Give the vCPUs of a fluid machine the speeds that their groups' rates say."""
    if p.run.first_vcpu[0] == p.run.first_thread[0]:
        return
    first: int = p.groups.fluid_first[m]
    for k in range(first, first + p.groups.fluid_count[m]):
        g: int = p.groups.fluid_active[k]
        spread_in_tree(p, p.queues.tree[p.groups.first_queue[g]], p.groups.fluid_rate[g], now)


def spread_in_tree(p: Plane, node: int, rate: float, now: int) -> None:
    """Set the speed of every vCPU in a subtree, where threads of the host may stand too."""
    if node == NONE:
        return
    spread_in_tree(p, p.entities.left[node], rate, now)
    v: int = p.entities.carries[node]
    if v != NONE and p.cpus.speed[v] != rate:
        set_speed(p, v, rate, min(rate, 1.0), now)
    spread_in_tree(p, p.entities.right[node], rate, now)


def remark(p: Plane, e: int, now: int) -> None:
    """Note the throttled clock of the queue in which a runnable entity now waits."""
    v: int = p.entities.carries[e]
    if v == NONE:
        mark_wait(p, p.entities.frame[e], RUN_QUEUE, now)
    elif p.cpus.current[v] != NONE:
        task: int = p.cpus.current[v]
        if p.entities.carries[task] == NONE:
            mark_wait(p, p.entities.frame[task], STEAL, now)


def arm(p: Plane, c: int, now: int) -> None:
    """Set a CPU's timer: the burst is done, the slice is up for review, or a group's runtime ends, whichever is first."""
    timer: int = p.run.first_cpu_timer[0] + c
    e: int = p.cpus.current[c]
    if e == NONE or p.cpus.speed[c] <= 0.0:
        clear_timer(p.calendar, timer)
        return
    at: int = NEVER
    if p.entities.carries[e] == NONE:
        at = burst_end(p, c, p.frames.work[p.entities.frame[e]], now)
    q: int = p.entities.queue[e]
    if p.cpus.lone[c] != 0:
        at = min(at, quota_end(p, c, p.entities.group[e], q, now))
        q = NONE
    while q != NONE:
        if p.queues.entities[q] > 1:
            at = min(at, check_at(p, q, e, now))
        at = min(at, quota_end(p, c, p.queues.group[q], q, now))
        e = q
        q = p.queues.parent[q]
    set_timer(p.calendar, timer, at)


def quota_end(p: Plane, c: int, g: int, q: int, now: int) -> int:
    """Tick at which the kernel will notice that a limited group's queue has used up its runtime [ns]."""
    if g == NONE or p.groups.quota[g] == 0:
        return NEVER
    return tick_at_or_after(p, c, now + p.queues.runtime[q], now)


def burst_end(p: Plane, c: int, work: float, now: int) -> int:
    """Instant at which work is done at a CPU's present speed, rounded up [ns]."""
    exact: float = work / p.cpus.speed[c]
    if exact >= 4e18:
        return NEVER
    whole: int = int(exact)
    if whole < exact:
        whole += 1
    return now + max(whole, 0)


def burst_is_done(p: Plane, c: int) -> bool:
    """Whether the current task of a CPU has finished its work."""
    e: int = p.cpus.current[c]
    return p.entities.carries[e] == NONE and p.frames.work[p.entities.frame[e]] <= EPSILON
