"""GPS, the ideal fluid scheduler: every runnable task progresses at once, by weight; the reference of fairness.

Model: a machine's capacity is divided among its groups by shares, no task getting more than one CPU (weighted max-min,
    water-filling); tasks of one group share equally. Each group keeps the work that an always-runnable task would have
    got (virtual time), so that a task ends when that reaches its tag. With no more tasks than CPUs every task has one.
    One pass over the runnable groups (never over all) per arrival or departure. cpu.max empties the pool at the group's
    rate and stops the group until the refill; what is left of a period is worth no more than the burst in the next.
    Shares are those of CPUs; busy SMT siblings slow all tasks alike, as if all cores had equally many.
Ignores: cache and placement effects; that a task with a core to itself is faster than one that shares it.
Source: Parekh, Gallager, "A generalized processor sharing approach to flow control", IEEE/ACM ToN 1(3), 1993.
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import (
    CPU,
    ENDLESS,
    EPSILON,
    INTERFERENCE,
    N_CATEGORIES,
    NEVER,
    NONE,
    OFF,
    QUEUED,
    RUN_QUEUE,
    THROTTLED,
)
from simvirt.kernel.cores import thread_speed, threads_of_core
from simvirt.kernel.marks import rare
from simvirt.kernel.pool import refill, set_group_timer
from simvirt.kernel.quota import mark_throttled, settle_debt, unmark_throttled
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost, tree_insert, tree_remove


def fluid_group(p: Plane, e: int) -> int:
    """Group of an entity; the machine's root group for one in no cgroup."""
    g: int = p.entities.group[e]
    return g if g != NONE else p.machines.root_group[p.entities.machine[e]]


def fluid_settle(p: Plane, m: int, now: int) -> None:
    """Let the work of all runnable groups grow up to now."""
    elapsed: int = now - p.machines.fluid_at[m]
    p.machines.fluid_at[m] = now
    if elapsed <= 0:
        return
    first: int = p.groups.fluid_first[m]
    for k in range(first, first + p.groups.fluid_count[m]):
        g: int = p.groups.fluid_active[k]
        used: float = elapsed * p.groups.fluid_rate[g]
        p.groups.fluid_used[g] += used
        p.groups.fluid_time[g] += used * p.machines.fluid_speed[m]
        if p.groups.quota[g] > 0 and p.queues.throttled[p.groups.first_queue[g]] == 0:
            fluid_use(p, g, now - elapsed, now)


def fluid_use(p: Plane, g: int, since: int, now: int) -> None:
    """A group has used CPU time of its quota, in one period or in several."""
    q: int = p.groups.first_queue[g]
    rate: float = p.groups.fluid_rate[g] * p.groups.tasks[g]
    periods: int = (now - p.groups.refilled_at[g]) // p.groups.period[g]
    if periods > 0:
        full: int = p.groups.quota[g] + p.groups.burst[g]
        first: int = p.groups.refilled_at[g] + p.groups.period[g]
        left: int = p.queues.runtime[q] - int((first - since) * rate + 0.5)
        left = min(left + p.groups.quota[g], full)
        if periods > 1:
            spared: int = p.groups.quota[g] - int(p.groups.period[g] * rate + 0.5)
            left = full if p.groups.burst[g] == 0 else min(left + (periods - 1) * spared, full)
        p.queues.runtime[q] = left
        since = first + (periods - 1) * p.groups.period[g]
        p.groups.refilled_at[g] = since
        p.groups.nr_periods[g] += periods
    p.queues.runtime[q] -= int((now - since) * rate + 0.5)


def fluid_pace(p: Plane, m: int, busy: int) -> float:
    """Work per CPU time where so many CPUs are busy, spread evenly over the cores."""
    c: int = p.machines.first_cpu[m]
    smt: int = threads_of_core(p, c)
    cores: int = p.machines.cpus[m] // smt
    each: int = busy // cores
    more: int = busy - each * cores
    if busy <= cores:
        return 1.0
    total: float = (cores - more) * each * thread_speed(p.cpus.smt_share[c], each)
    if more > 0:
        total += more * (each + 1) * thread_speed(p.cpus.smt_share[c], each + 1)
    return total / busy


def fluid_share(p: Plane, m: int) -> None:
    """Divide the machine among its runnable groups: water-filling."""
    first: int = p.groups.fluid_first[m]
    last: int = first + p.groups.fluid_count[m]
    tasks: int = 0
    weight: float = 0.0
    for k in range(first, last):
        g: int = p.groups.fluid_active[k]
        p.groups.fluid_rate[g] = 0.0
        if p.queues.throttled[p.groups.first_queue[g]] == 0:
            tasks += p.groups.tasks[g]
            weight += fluid_weight(p, m, g)
    left: float = float(min(tasks, p.machines.cpus[m]))
    p.machines.fluid_speed[m] = fluid_pace(p, m, min(tasks, p.machines.cpus[m]))
    capped: bool = True
    while capped and weight > 0.0:
        capped = False
        level: float = left / weight
        for k in range(first, last):
            g = p.groups.fluid_active[k]
            most: float = fluid_most(p, m, g)
            if p.groups.fluid_rate[g] == 0.0 and 0.0 < most <= fluid_weight(p, m, g) * level:
                p.groups.fluid_rate[g] = most / p.groups.tasks[g]
                left -= most
                weight -= fluid_weight(p, m, g)
                capped = True
    for k in range(first, last):
        g = p.groups.fluid_active[k]
        if p.groups.fluid_rate[g] == 0.0 and fluid_most(p, m, g) > 0.0 and weight > 0.0:
            p.groups.fluid_rate[g] = max(fluid_weight(p, m, g) * left / weight / p.groups.tasks[g], 0.0)


def fluid_weight(p: Plane, m: int, g: int) -> float:
    """Shares of a group; threads in no cgroup count one by one."""
    if g == p.machines.root_group[m]:
        return p.groups.shares[g] * p.groups.tasks[g]
    return p.groups.shares[g]


def fluid_most(p: Plane, m: int, g: int) -> float:
    """CPUs that a group can use at most: one a task, no more than its cpuset, none while throttled."""
    if p.queues.throttled[p.groups.first_queue[g]] != 0:
        return 0.0
    most: int = p.groups.tasks[g]
    if p.groups.mask_cpus[g] > 0:
        most = min(most, p.groups.mask_cpus[g])
    return float(min(most, p.machines.cpus[m]))


def fluid_enter(p: Plane, m: int, g: int) -> None:
    """A group becomes runnable."""
    if p.groups.fluid_slot[g] == NONE:
        k: int = p.groups.fluid_first[m] + p.groups.fluid_count[m]
        p.groups.fluid_active[k] = g
        p.groups.fluid_slot[g] = k
        p.groups.fluid_count[m] += 1


def fluid_exit(p: Plane, m: int, g: int) -> None:
    """A group is no longer runnable: its last task has left."""
    k: int = p.groups.fluid_slot[g]
    if k != NONE:
        p.groups.fluid_count[m] -= 1
        top: int = p.groups.fluid_active[p.groups.fluid_first[m] + p.groups.fluid_count[m]]
        p.groups.fluid_active[k] = top
        p.groups.fluid_slot[top] = k
        p.groups.fluid_slot[g] = NONE


def fluid_wake(p: Plane, e: int, now: int) -> None:
    """A task becomes runnable."""
    m: int = p.entities.machine[e]
    g: int = fluid_group(p, e)
    q: int = p.groups.first_queue[g]
    fluid_settle(p, m, now)
    p.entities.queue[e] = q
    p.entities.cpu[e] = p.machines.first_cpu[m]
    p.entities.state[e] = QUEUED
    p.entities.vruntime[e] = p.groups.fluid_used[g]
    p.entities.fluid_mark[e] = p.groups.fluid_time[g]
    work: float = ENDLESS if p.entities.carries[e] != NONE else p.frames.work[p.entities.frame[e]]
    p.entities.key[e] = p.groups.fluid_time[g] + work
    p.queues.tree[q] = tree_insert(p.entities, p.queues.tree[q], e)
    p.groups.tasks[g] += 1
    p.queues.tasks[q] += 1
    p.entities.waits_since[e] = now
    if p.entities.carries[e] == NONE:
        enter(p, p.entities.frame[e], CPU if p.queues.throttled[q] == 0 else THROTTLED, now)
    fluid_enter(p, m, g)
    fluid_check_quota(p, g, now)
    fluid_update(p, m, now)


def fluid_check_quota(p: Plane, g: int, now: int) -> None:
    """Throttle a group whose quota is used up."""
    q: int = p.groups.first_queue[g]
    if p.groups.quota[g] == 0 or p.queues.throttled[q] != 0:
        return
    fluid_fill(p, g, now)
    if p.queues.runtime[q] <= 0:
        fluid_state(p, p.queues.tree[q], THROTTLED, now)
        mark_throttled(p, q, now)


def fluid_fill(p: Plane, g: int, now: int) -> None:
    """The fluid scheduler hands out a group's whole pool at once."""
    refill(p, g, now)
    q: int = p.groups.first_queue[g]
    p.queues.runtime[q] += p.groups.pool[g]
    p.groups.pool[g] = 0
    limit: int = p.groups.quota[g] + p.groups.burst[g]
    p.queues.runtime[q] = min(p.queues.runtime[q], limit)


def fluid_state(p: Plane, node: int, state: int, now: int) -> None:
    """Put all tasks of a group into a state."""
    if node == NONE:
        return
    fluid_state(p, p.entities.left[node], state, now)
    fluid_book(p, node, state, now)
    fluid_state(p, p.entities.right[node], state, now)


def fluid_book(p: Plane, e: int, state: int, now: int) -> None:
    """Divide a task's time since its last change into computing, as fast as the cores, and waiting for its share."""
    g: int = fluid_group(p, e)
    got: int = int(p.groups.fluid_used[g] - p.entities.vruntime[e] + 0.5)
    got = min(max(got, 0), now - p.entities.waits_since[e])
    lost: int = now - p.entities.waits_since[e] - got
    done: int = min(int(p.groups.fluid_time[g] - p.entities.fluid_mark[e] + 0.5), got)
    p.entities.vruntime[e] += got
    p.entities.fluid_mark[e] += done
    p.entities.waits_since[e] = now
    p.entities.wait[e] += lost
    p.cpus.busy[p.machines.first_cpu[p.entities.machine[e]]] += got
    if p.entities.carries[e] == NONE:
        fluid_book_frame(p, e, state, got, done, lost, now)


def fluid_book_frame(p: Plane, e: int, state: int, got: int, done: int, lost: int, now: int) -> None:
    """Book a thread's time: what it computed, what siblings slowed of that, what it waited for its share."""
    f: int = p.entities.frame[e]
    if p.frames.state[f] == CPU:
        p.frames.since[f] += lost + got - done
        row: int = p.frames.account[f] * N_CATEGORIES
        p.frames.spent[row + RUN_QUEUE] += lost
        p.frames.spent[row + INTERFERENCE] += got - done
        p.instances.cpu_time[p.entities.instance[e]] += got
    enter(p, f, state, now)


def fluid_sleep(p: Plane, e: int, now: int) -> None:
    """A task is no longer runnable."""
    m: int = p.entities.machine[e]
    g: int = fluid_group(p, e)
    q: int = p.groups.first_queue[g]
    fluid_settle(p, m, now)
    fluid_book(p, e, CPU if p.queues.throttled[q] == 0 else THROTTLED, now)
    p.queues.tree[q] = tree_remove(p.entities, p.queues.tree[q], e)
    p.entities.state[e] = OFF
    p.groups.tasks[g] -= 1
    p.queues.tasks[q] -= 1
    if p.groups.tasks[g] == 0:
        fluid_exit(p, m, g)
    fluid_update(p, m, now)


def fluid_update(p: Plane, m: int, now: int) -> None:
    """After a change: new rates, and the machine's timer at the next end of a burst or of a quota."""
    fluid_share(p, m)
    at: int = NEVER
    first: int = p.groups.fluid_first[m]
    for k in range(first, first + p.groups.fluid_count[m]):
        g: int = p.groups.fluid_active[k]
        at = min(at, fluid_next(p, g, now))
    set_timer(p.calendar, p.run.first_machine_timer[0] + m, at)


def fluid_next(p: Plane, g: int, now: int) -> int:
    """Instant at which a group's next burst ends or its quota is used up [ns]."""
    rate: float = p.groups.fluid_rate[g]
    if rate <= 0.0:
        return NEVER
    q: int = p.groups.first_queue[g]
    e: int = leftmost(p.entities, p.queues.tree[q])
    exact: float = max(p.entities.key[e] - p.groups.fluid_time[g], 0.0) / (rate * p.machines.fluid_speed[p.groups.machine[g]])
    if p.groups.quota[g] > 0:
        exact = min(exact, fluid_quota_end(p, g, rate * p.groups.tasks[g], now))
    if exact >= 4e18:
        return NEVER
    whole: int = int(exact)
    if whole < exact:
        whole += 1
    return now + whole


def fluid_quota_end(p: Plane, g: int, rate: float, now: int) -> float:
    """Time until a group's quota is used up, or the next refill where that may be in a later period; ENDLESS if never [ns]."""
    exact: float = p.queues.runtime[p.groups.first_queue[g]] / rate
    refilled: int = p.groups.refilled_at[g] + p.groups.period[g] - now
    if exact <= refilled:
        return exact
    return float(refilled) if rate * p.groups.period[g] > p.groups.quota[g] else ENDLESS


def fluid_finished(p: Plane, m: int, now: int) -> int:
    """A task whose burst has ended by now; NONE when there is none. Groups out of quota are throttled on the way."""
    fluid_settle(p, m, now)
    k: int = p.groups.fluid_first[m]
    while k < p.groups.fluid_first[m] + p.groups.fluid_count[m]:
        g: int = p.groups.fluid_active[k]
        q: int = p.groups.first_queue[g]
        e: int = leftmost(p.entities, p.queues.tree[q])
        if p.entities.key[e] <= p.groups.fluid_time[g] + EPSILON + p.groups.fluid_time[g] * 1e-15:
            return e
        if p.groups.quota[g] > 0 and p.queues.runtime[q] <= 0:
            fluid_check_quota(p, g, now)
        k += 1
    fluid_update(p, m, now)
    return NONE


@rare
def on_fluid_group_timer(p: Plane, g: int, now: int) -> None:
    """The refill of a throttled group."""
    m: int = p.groups.machine[g]
    fluid_settle(p, m, now)
    refill(p, g, now)
    if p.groups.first_throttled[g] != NONE and settle_debt(p, p.groups.first_throttled[g]):
        q: int = unmark_throttled(p, g, now)
        fluid_state(p, p.queues.tree[q], CPU, now)
        fluid_check_quota(p, g, now)
    set_group_timer(p, g)
    fluid_update(p, m, now)
