"""The CPUs of host and guests: charging, run queues at every level, switching, idling, speed.

A machine (the host, a guest) has CPUs and a policy; a queue per CPU, and one per (group, CPU), hold entities: threads, vCPUs and group entities.
A guest's CPU is an entity of the machine below, so that the same moves schedule tasks on vCPUs and vCPUs on pCPUs.
While a CPU has one task, nothing happens until the task is done; slices and ticks cost events only under contention.
"""

from simvirt.kernel.accounting import enter, mark_wait
from simvirt.kernel.calendar import clear_timer, set_timer
from simvirt.kernel.constants import CPU, CURRENT, EPSILON, GPS, NEVER, NONE, OFF, RUN_QUEUE, STEAL, WEIGHT_ONE
from simvirt.kernel.fluid import fluid_sleep, fluid_wake
from simvirt.kernel.placement import list_idle, list_overloaded, may_run_on, next_in_rotation, select_cpu, unlist_idle
from simvirt.kernel.policy import charged, check_at, finish_delayed, join, leave, join_current, pick, put_on, refresh_ranks, reweigh, set_aside, wake_delayed
from simvirt.kernel.quota import give_back, has_runtime, mark_throttled, refill, set_group_timer, settle_debt, unmark_throttled
from simvirt.kernel.runqueue import tick_at_or_after, total_load
from simvirt.kernel.tables import Plane

BALANCE_EVERY = 16000000  # periodic balancing of a busy CPU, per CPU of the machine [ns]; Linux busy_factor 16 x 1 ms
BALANCE_AT_MOST = 128000000  # [ns]
ANY_LOAD = 1e300
ROUNDING_LOAD = 1e-6
IMBALANCE = 1.17  # how much more loaded a CPU must be to be relieved
MOST_FAILURES = 6


# --- charging -------------------------------------------------------------------------------------------------------


def charge(p: Plane, c: int, now: int) -> None:
    """Book the current entity's time on a CPU since the last look: work, vruntimes, runtime of its groups."""
    since: int = p.cpus.charged_at[c]
    e: int = p.cpus.current[c]
    if e == NONE or now <= since:
        return
    p.cpus.charged_at[c] = now
    speed: float = p.cpus.speed[c]
    if speed <= 0.0:
        return
    elapsed: int = now - since
    if p.entities.carries[e] == NONE:
        used: int = elapsed
        if p.cpus.portion[c] < 1.0:
            used = int(elapsed * p.cpus.portion[c])
        p.frames.work[p.entities.frame[e]] -= elapsed * speed
        p.instances.cpu_time[p.entities.instance[e]] += used
    if p.cpus.lone[c] != 0:
        p.cpus.ran[c] += elapsed
        charge_quota(p, p.entities.group[e], p.entities.queue[e], elapsed)
    else:
        charge_queues(p, e, since, now)


def charge_quota(p: Plane, g: int, q: int, elapsed: int) -> None:
    """Let the runtime of a limited group's queue shrink."""
    if g != NONE and p.groups.quota[g] > 0:
        p.queues.runtime[q] -= elapsed


def charge_queues(p: Plane, e: int, since: int, now: int) -> None:
    """Let the vruntime of an entity and of its group entities grow, and the groups' runtime shrink."""
    elapsed: int = now - since
    q: int = p.entities.queue[e]
    while q != NONE:
        p.entities.vruntime[e] += elapsed * WEIGHT_ONE / p.entities.weight[e]
        charged(p, q, e, since, now)
        charge_quota(p, p.queues.group[q], q, elapsed)
        e = q
        q = p.queues.parent[q]


# --- run queues ------------------------------------------------------------------------------------------------------


def home_queue(p: Plane, e: int, c: int) -> int:
    """Queue of an entity on a CPU: its group's, or the root."""
    g: int = p.entities.group[e]
    if g == NONE:
        return c
    return p.groups.first_queue[g] + c - p.machines.first_cpu[p.groups.machine[g]]


def group_weight(p: Plane, q: int) -> float:
    """Weight of a group's entity on a CPU: the group's shares, divided over its runnable tasks."""
    g: int = p.queues.group[q]
    tasks: int = p.groups.tasks[g]
    if tasks <= 1 or p.queues.tasks[q] == tasks:
        return p.groups.shares[g]
    return max(p.groups.shares[g] * p.queues.tasks[q] / tasks, 2.0)


def enqueue(p: Plane, e: int, c: int, now: int, waking: bool) -> bool:
    """Make an entity runnable on a CPU; false when a throttled group holds it back."""
    q: int = home_queue(p, e, c)
    p.entities.cpu[e] = c
    join(p, q, e, now, waking)
    if p.queues.group[q] != NONE:
        p.groups.tasks[p.queues.group[q]] += 1
    return raise_groups(p, q, c, 1, now, waking)


def raise_groups(p: Plane, q: int, c: int, tasks: int, now: int, waking: bool) -> bool:
    """Tasks have become runnable in a queue: the group entities above compete, unless one is throttled."""
    p.queues.tasks[q] += tasks
    while q != c:
        if p.queues.throttled[q] != 0:
            return False
        if p.entities.state[q] == OFF and not has_runtime(p, q, now):
            mark_throttled(p, q, now)
            return False
        raise_entity(p, q, now, waking)
        q = p.queues.parent[q]
        p.queues.tasks[q] += tasks
    list_overloaded(p, c)
    return True


def raise_entity(p: Plane, q: int, now: int, waking: bool) -> None:
    """Let the entity of a group's queue compete, with the weight that its tasks give it."""
    parent: int = p.queues.parent[q]
    weight: float = group_weight(p, q)
    if p.entities.state[q] == OFF:
        p.entities.weight[q] = weight
        join(p, parent, q, now, waking)
        return
    if p.entities.delayed[q] != 0:
        wake_delayed(p, parent, q)
    reweigh(p, parent, q, weight)


def dequeue(p: Plane, e: int, now: int, sleeping: bool) -> None:
    """An entity is no longer runnable; its groups follow when they fall empty."""
    q: int = p.entities.queue[e]
    leave(p, q, e, now, sleeping)
    if p.queues.group[q] != NONE:
        p.groups.tasks[p.queues.group[q]] -= 1
    lower_groups(p, q, 1, now)


def lower_groups(p: Plane, q: int, tasks: int, now: int) -> None:
    """Tasks have gone from a queue: group entities above leave or lose weight."""
    c: int = p.queues.cpu[q]
    p.queues.tasks[q] -= tasks
    while q != c:
        if p.queues.throttled[q] != 0:
            return
        parent: int = p.queues.parent[q]
        if p.queues.entities[q] == 0:
            give_back(p, q, now)
            if p.entities.state[q] != OFF and p.entities.delayed[q] == 0:
                leave(p, parent, q, now, True)
        elif p.queues.tasks[q] > 0:
            reweigh(p, parent, q, group_weight(p, q))
        q = parent
        p.queues.tasks[q] -= tasks
    list_overloaded(p, c)


def drop_delayed(p: Plane, q: int, e: int, now: int) -> None:
    """A delayed sleeper is picked: it leaves for good, and so do groups that fall empty by it."""
    finish_delayed(p, q, e)
    while p.queues.parent[q] != NONE and p.queues.entities[q] == 0 and p.entities.state[q] != OFF:
        give_back(p, q, now)
        if not leave(p, p.queues.parent[q], q, now, True):
            return
        q = p.queues.parent[q]


# --- throttling ------------------------------------------------------------------------------------------------------


def throttle(p: Plane, q: int, now: int) -> None:
    """A group's queue has used up its runtime: it leaves its CPU, tasks and all."""
    c: int = p.queues.cpu[q]
    if p.queues.current[q] != NONE:
        put_back_below(p, q, c, now)
    parent: int = p.queues.parent[q]
    p.entities.delayed[q] = 0
    leave(p, parent, q, now, False)
    tasks: int = p.queues.tasks[q]
    lower_groups(p, parent, tasks, now)
    mark_throttled(p, q, now)


def put_back_below(p: Plane, q: int, c: int, now: int) -> None:
    """Stop the task that runs inside a queue; it waits there."""
    stop(p, c, now)
    while q != NONE and p.queues.current[q] != NONE:
        e: int = p.queues.current[q]
        set_aside(p, q, e)
        q = e if e < p.run.first_vcpu[0] else NONE


def unthrottle(p: Plane, q: int, now: int) -> None:
    """A group's queue competes again."""
    c: int = p.queues.cpu[q]
    if p.queues.tasks[q] == 0:
        return
    settle(p, c, now)
    tasks: int = p.queues.tasks[q]
    p.queues.tasks[q] = 0
    if raise_groups(p, q, c, tasks, now, False):
        reconsider(p, c, now)


def on_group_timer(p: Plane, g: int, now: int) -> None:
    """The period of a group with throttled queues is over, or runtime was given back: hand out what there is."""
    before: int = p.groups.nr_periods[g]
    refill(p, g, now)
    if p.groups.nr_periods[g] > before:
        p.groups.nr_throttled[g] += 1
    if p.groups.slack_at[g] <= now:
        p.groups.slack_at[g] = NEVER
    turns: int = p.machines.cpus[p.groups.machine[g]]
    while turns > 0 and p.groups.first_throttled[g] != NONE and settle_debt(p, p.groups.first_throttled[g]):
        unthrottle(p, unmark_throttled(p, g, now), now)
        turns -= 1
    set_group_timer(p, g)


# --- what runs -------------------------------------------------------------------------------------------------------


def pick_task(p: Plane, c: int, now: int, waking: bool) -> int:
    """Task that should have a CPU: one pick a level, from the root down; NONE when nothing is runnable."""
    q: int = c
    while p.queues.entities[q] > 0:
        e: int = pick(p, q, now, waking)
        if p.entities.delayed[e] != 0:
            drop_delayed(p, q, e, now)
            q = c
        elif e >= p.run.first_vcpu[0]:
            return e
        elif not has_runtime(p, e, now):
            throttle(p, e, now)
            q = c
        else:
            q = e
    return NONE


def lies_above(p: Plane, group_entity: int, e: int) -> bool:
    """Whether an entity runs inside a group's queue."""
    q: int = p.entities.queue[e]
    while q != NONE:
        if q == group_entity:
            return True
        q = p.queues.parent[q]
    return False


def put_back(p: Plane, c: int, new: int) -> None:
    """Entities that were current on a CPU wait again, but for the groups that the new task shares."""
    q: int = c
    while q != NONE and p.queues.current[q] != NONE:
        e: int = p.queues.current[q]
        grouped: bool = e < p.run.first_vcpu[0]
        if not grouped or not lies_above(p, e, new):
            set_aside(p, q, e)
        q = e if grouped else NONE


def switch_to(p: Plane, c: int, new: int, now: int) -> None:
    """Give a CPU to a task."""
    if p.cpus.current[c] != NONE:
        stop(p, c, now)
    put_back(p, c, new)
    e: int = new
    q: int = p.entities.queue[e]
    while q != NONE:
        if p.queues.current[q] != e:
            put_on(p, q, e)
        e = q
        q = p.queues.parent[q]
    p.cpus.current[c] = new
    p.cpus.since[c] = now
    p.cpus.charged_at[c] = now
    p.cpus.switches[c] += 1
    if p.cpus.idle_slot[c] != NONE:
        leave_idle(p, c, now)
    start(p, c, now)


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


# --- idling ----------------------------------------------------------------------------------------------------------


def leave_idle(p: Plane, c: int, now: int) -> None:
    """A CPU has work again: a pCPU slows its sibling, a vCPU asks for a pCPU."""
    unlist_idle(p, c)
    p.cpus.busy_since[c] = now
    vcpu: int = p.cpus.vcpu[c]
    if vcpu != NONE:
        p.cpus.idle_exits[c] += 1
        add_wake_work(p, c)
        p.cpus.speed[c] = 0.0
        rouse(p, vcpu, now)
        return
    p.cpus.speed[c] = 1.0
    s: int = p.cpus.sibling[c]
    if s != NONE and p.cpus.idle_slot[s] == NONE:
        p.cpus.speed[c] = p.cpus.smt_share[c]
        set_speed(p, s, p.cpus.smt_share[s], 1.0, now)


def add_wake_work(p: Plane, c: int) -> None:
    """Leaving HLT costs the task that ends the idleness."""
    extra: float = p.cpus.wake_work[c]
    e: int = p.cpus.current[c]
    if extra <= 0.0 or p.entities.carries[e] != NONE:
        return
    f: int = p.entities.frame[e]
    work: float = p.frames.work[f]
    p.frames.overhead[f] = (p.frames.overhead[f] * work + extra) / (work + extra)
    p.frames.work[f] = work + extra


def go_idle(p: Plane, c: int, now: int) -> None:
    """A CPU has nothing to run: a pCPU speeds its sibling up, a vCPU halts."""
    clear_timer(p.calendar, p.run.first_cpu_timer[0] + c)
    if p.cpus.idle_slot[c] != NONE:
        return
    p.cpus.busy[c] += now - p.cpus.busy_since[c]
    list_idle(p, c)
    vcpu: int = p.cpus.vcpu[c]
    if vcpu != NONE:
        doze(p, vcpu, now)
        return
    s: int = p.cpus.sibling[c]
    if s != NONE and p.cpus.idle_slot[s] == NONE:
        set_speed(p, s, 1.0, 1.0, now)


def rouse(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU becomes runnable on its machine, whatever schedules there."""
    m: int = p.entities.machine[e]
    if p.machines.policy[m] == GPS:
        fluid_wake(p, e, now)
        spread_speeds(p, m, now)
    else:
        wake(p, e, now)


def doze(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU is no longer runnable on its machine, whatever schedules there."""
    m: int = p.entities.machine[e]
    if p.machines.policy[m] == GPS:
        fluid_sleep(p, e, now)
        if p.entities.carries[e] != NONE:
            p.cpus.speed[p.entities.carries[e]] = 0.0
        spread_speeds(p, m, now)
    else:
        sleep(p, e, now)


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


def resched(p: Plane, c: int, now: int) -> None:
    """Choose what a CPU runs next, after its task has left or its slice is up; the current task is charged."""
    new: int = pick_task(p, c, now, False)
    if new == NONE:
        new = pull(p, c, now)
    if new == NONE:
        go_idle(p, c, now)
    elif new != p.cpus.current[c]:
        switch_to(p, c, new, now)
    else:
        arm(p, c, now)


def reconsider(p: Plane, c: int, now: int) -> None:
    """Something has become runnable on a CPU: run it if the CPU is free or the policy lets it preempt."""
    if p.cpus.deciding[c] != 0:
        return
    current: int = p.cpus.current[c]
    if current == NONE:
        resched(p, c, now)
        return
    new: int = pick_task(p, c, now, True)
    if new == NONE:
        resched(p, c, now)
    elif new != p.cpus.current[c]:
        switch_to(p, c, new, now)
    else:
        arm(p, c, now)


def wake(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU becomes runnable."""
    p.entities.waits_since[e] = now
    if p.entities.delayed[e] != 0:
        wake_in_place(p, e, now)
        return
    c: int = select_cpu(p, e)
    if p.cpus.idle_slot[c] != NONE and p.queues.entities[c] == 0 and run_alone(p, e, c, now):
        return
    settle(p, c, now)
    competes: bool = enqueue(p, e, c, now, True)
    remark(p, e, now)
    if competes:
        reconsider(p, c, now)


def run_alone(p: Plane, e: int, c: int, now: int) -> bool:
    """An idle CPU runs the only task that it has, and leaves its run queues alone; false when the task's group is out of runtime."""
    q: int = home_queue(p, e, c)
    g: int = p.entities.group[e]
    if g != NONE:
        if p.groups.quota[g] > 0 and not can_run_alone(p, q, now):
            return False
        p.groups.tasks[g] += 1
    p.entities.cpu[e] = c
    p.entities.queue[e] = q
    p.entities.state[e] = CURRENT
    p.queues.tasks[c] = 1
    p.cpus.lone[c] = 1
    p.cpus.ran[c] = 0
    p.cpus.current[c] = e
    p.cpus.since[c] = now
    p.cpus.charged_at[c] = now
    p.cpus.switches[c] += 1
    leave_idle(p, c, now)
    start(p, c, now)
    return True


def can_run_alone(p: Plane, q: int, now: int) -> bool:
    """Whether a limited group's queue holds nobody (sleepers outlast a throttling there) and has runtime."""
    return p.queues.throttled[q] == 0 and p.queues.entities[q] == 0 and has_runtime(p, q, now)


def leave_alone(p: Plane, e: int, c: int, now: int) -> None:
    """The only task of a CPU sleeps; its run queues have not noticed it."""
    g: int = p.entities.group[e]
    p.entities.state[e] = OFF
    p.entities.lag[e] = 0.0
    p.queues.tasks[c] = 0
    p.cpus.lone[c] = 0
    if g != NONE:
        p.groups.tasks[g] -= 1
        if p.groups.quota[g] > 0:
            give_back(p, p.entities.queue[e], now)


def settle(p: Plane, c: int, now: int) -> None:
    """Charge a CPU before its run queues change; a task that had it alone so far joins them as if it always had."""
    charge(p, c, now)
    if p.cpus.lone[c] == 0:
        return
    p.cpus.lone[c] = 0
    e: int = p.cpus.current[c]
    q: int = p.entities.queue[e]
    if q != c:
        p.queues.tasks[q] += 1
        p.entities.weight[q] = group_weight(p, q)
        catch_up(p, q, e, p.cpus.ran[c], now)
        e = q
    catch_up(p, c, e, p.cpus.ran[c], now)


def catch_up(p: Plane, q: int, e: int, ran: int, now: int) -> None:
    """An entity joins an empty queue as its current one, and is charged what it has run."""
    join_current(p, q, e, now)
    p.entities.vruntime[e] += ran * WEIGHT_ONE / p.entities.weight[e]
    charged(p, q, e, now - ran, now)


def wake_in_place(p: Plane, e: int, now: int) -> None:
    """A sleeper that still works off its lag wakes on the CPU where it does."""
    c: int = p.entities.cpu[e]
    q: int = p.entities.queue[e]
    settle(p, c, now)
    wake_delayed(p, q, e)
    if p.queues.group[q] != NONE:
        p.groups.tasks[p.queues.group[q]] += 1
    competes: bool = raise_groups(p, q, c, 1, now, True)
    remark(p, e, now)
    if competes:
        reconsider(p, c, now)


def remark(p: Plane, e: int, now: int) -> None:
    """Note the throttled clock of the queue in which a runnable entity now waits."""
    v: int = p.entities.carries[e]
    if v == NONE:
        mark_wait(p, p.entities.frame[e], RUN_QUEUE, now)
    elif p.cpus.current[v] != NONE:
        task: int = p.cpus.current[v]
        if p.entities.carries[task] == NONE:
            mark_wait(p, p.entities.frame[task], STEAL, now)


def sleep(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU is no longer runnable, whether it ran or waited; its CPU looks for other work."""
    c: int = p.entities.cpu[e]
    charge(p, c, now)
    if p.cpus.current[c] == e:
        halt(p, c, now)
        if p.cpus.deciding[c] == 0:
            resched(p, c, now)
        return
    if p.entities.carries[e] != NONE:
        p.entities.wait[e] += now - p.entities.waits_since[e]
    dequeue(p, e, now, True)
    if p.cpus.current[c] != NONE:
        arm(p, c, now)


def halt(p: Plane, c: int, now: int) -> None:
    """The current entity of a CPU sleeps; the CPU does not look for other work yet."""
    e: int = p.cpus.current[c]
    p.cpus.current[c] = NONE
    v: int = p.entities.carries[e]
    if v != NONE:
        p.cpus.speed[v] = 0.0
    if p.cpus.lone[c] != 0:
        leave_alone(p, e, c, now)
    else:
        dequeue(p, e, now, True)


# --- balancing -------------------------------------------------------------------------------------------------------


def pull(p: Plane, c: int, now: int) -> int:
    """An idle CPU takes a waiting task from an overloaded one; the task, or NONE."""
    m: int = p.cpus.machine[c]
    if p.machines.overloaded[m] == 0:
        return NONE
    if move_from(p, busiest(p, m, c), c, ANY_LOAD, now) == NONE:
        return NONE
    return pick_task(p, c, now, False)


def busiest(p: Plane, m: int, c: int) -> int:
    """The most loaded among a few overloaded CPUs other than c; NONE when there is none."""
    best: int = NONE
    heaviest: float = 0.0
    looked: int = min(p.machines.overloaded[m], 8)
    top: int = p.machines.first_cpu[m] + p.machines.overloaded[m] - 1
    for i in range(looked):
        b: int = p.stacks.overloaded[top - i]
        if b != c and cpu_load(p, b) > heaviest:
            best = b
            heaviest = cpu_load(p, b)
    return best


def cpu_load(p: Plane, c: int) -> float:
    """Weight of all that competes on a CPU, groups with the part of their shares that their tasks there have."""
    if p.cpus.lone[c] == 0:
        return total_load(p, c)
    q: int = p.entities.queue[p.cpus.current[c]]
    if q == c:
        return WEIGHT_ONE
    return p.groups.shares[p.queues.group[q]] / p.groups.tasks[p.queues.group[q]]


def task_load(p: Plane, e: int) -> float:
    """A task's part of the load of its CPU."""
    q: int = p.entities.queue[e]
    if p.queues.group[q] == NONE:
        return p.entities.weight[e]
    return p.entities.weight[q] / p.queues.tasks[q]


def move_from(p: Plane, b: int, c: int, most: float, now: int) -> int:
    """Move one waiting task of at most a load from CPU b to CPU c, which has to choose anew then; the task, or NONE."""
    if b == NONE:
        return NONE
    e: int = movable(p, b, c, most)
    if e == NONE:
        return NONE
    charge(p, b, now)
    settle(p, c, now)
    dequeue(p, e, now, False)
    enqueue(p, e, c, now, False)
    remark(p, e, now)
    if p.cpus.current[b] != NONE:
        arm(p, b, now)
    return e


def movable(p: Plane, q: int, c: int, most: float) -> int:
    """A waiting task in a queue or below it that may run on CPU c and weighs no more than `most`; NONE when there is none."""
    current: int = p.queues.current[q]
    if current != NONE and current < p.run.first_vcpu[0]:
        e: int = movable(p, current, c, most)
        if e != NONE:
            return e
    return movable_in_tree(p, p.queues.tree[q], c, most)


def movable_in_tree(p: Plane, node: int, c: int, most: float) -> int:
    """The first waiting task of a subtree that may move."""
    if node == NONE:
        return NONE
    e: int = movable_in_tree(p, p.entities.left[node], c, most)
    if e != NONE:
        return e
    if p.entities.delayed[node] == 0:
        if node < p.run.first_vcpu[0]:
            e = movable(p, node, c, most)
        elif may_run_on(p, node, c) and task_load(p, node) <= most:
            e = node
        if e != NONE:
            return e
    return movable_in_tree(p, p.entities.right[node], c, most)


def balance(p: Plane, c: int, now: int) -> None:
    """Once in a while a busy CPU takes a task from a more loaded one, and hands one to a less loaded one.

    Model: the task must be light enough to bring the two nearer to each other; after failures heavier ones may move too, so that the shares of
    groups hold on average where no placement is even. A CPU with one task has no ticks here, so that its neighbours look
    after it, one at a time. Source: Linux kernel/sched/fair.c, load_balance, detach_tasks (imbalance_pct 117, nr_balance_failed).
    """
    if now < p.cpus.next_balance[c]:
        return
    m: int = p.cpus.machine[c]
    p.cpus.next_balance[c] = now + min(BALANCE_EVERY * p.machines.cpus[m], BALANCE_AT_MOST)
    b: int = busiest(p, m, c)
    if b != NONE:
        relieve(p, b, c, now)
    r: int = next_in_rotation(p, m)
    if p.queues.tasks[c] > 1 and p.queues.tasks[r] == 1:
        relieve(p, c, r, now)


def relieve(p: Plane, b: int, c: int, now: int) -> None:
    """Move a task from CPU b to CPU c, if b is clearly more loaded."""
    if cpu_load(p, b) <= IMBALANCE * cpu_load(p, c):
        return
    failures: int = p.cpus.balance_failures[c]
    most: float = 0.5 * (cpu_load(p, b) - cpu_load(p, c)) * (1 << failures) + ROUNDING_LOAD
    moved: int = move_from(p, b, c, most, now)
    p.cpus.balance_failures[c] = min(failures + 1, MOST_FAILURES) if moved == NONE else 0
    if moved != NONE:
        reconsider(p, c, now)


# --- the CPU's timer --------------------------------------------------------------------------------------------------


def burst_is_done(p: Plane, c: int) -> bool:
    """Whether the current task of a CPU has finished its work."""
    e: int = p.cpus.current[c]
    return p.entities.carries[e] == NONE and p.frames.work[p.entities.frame[e]] <= EPSILON


def review(p: Plane, c: int, now: int) -> None:
    """A tick that matters: throttle groups out of runtime, bring weights up to date, balance, choose again."""
    q: int = p.entities.queue[p.cpus.current[c]]
    if p.cpus.lone[c] != 0:
        if has_runtime(p, q, now):
            arm(p, c, now)
            return
        settle(p, c, now)
    while q != c:
        refresh_ranks(p, q)
        parent: int = p.queues.parent[q]
        if p.queues.throttled[q] == 0 and not has_runtime(p, q, now):
            throttle(p, q, now)
        elif p.queues.throttled[q] == 0:
            reweigh(p, parent, q, group_weight(p, q))
        q = parent
    refresh_ranks(p, c)
    balance(p, c, now)
    resched(p, c, now)
