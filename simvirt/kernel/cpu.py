"""The CPUs of host and guests: switching, waking, blocking, idling.

The same moves schedule tasks on vCPUs and vCPUs on pCPUs. Of two things that call each other in turn, a guest's CPU
that falls idle and the host's CPU that it leaves, both are here. Moves that Linux has are named like its functions.

Invariant: while `cpus.lone[c]` is 1, the current task of a CPU is the only one that is runnable there, and no run
queue holds it; only the counts of tasks of the CPU's root queue and of the task's group do. Every move that changes a
run queue of a CPU therefore calls `settle` first, which charges the CPU and lets a lone task join as if it always had.
"""

from simvirt.kernel.balancing import pull
from simvirt.kernel.calendar import clear_timer, set_timer
from simvirt.kernel.choosing import pick_task, put_back
from simvirt.kernel.marks import rare
from simvirt.kernel.throttling import put_back_below, set_all_aside
from simvirt.kernel.constants import CURRENT, HELD, NONE, OFF
from simvirt.kernel.cores import busy_beside, busy_siblings, thread_speed, threads_of_core
from simvirt.kernel.fluid import fluid_sleep, fluid_wake
from simvirt.kernel.hierarchy import charge, dequeue_task, enqueue_task, home_queue, raise_groups, settle, settle_core
from simvirt.kernel.idling import add_wake_work, begin_polling, end_polling, is_caught_polling, start_cpuidle_exit
from simvirt.kernel.placement import list_idle, may_run_on, select_cpu, unlist_idle
from simvirt.kernel.policy import leave_alone, put_on, wake_delayed
from simvirt.kernel.quota import give_back, has_runtime
from simvirt.kernel.running import (
    arm, hand_to, mark_entity_waiting, pace_siblings, refresh_machine, run_on, spread_speeds, start, stop, watch_siblings,
)
from simvirt.kernel.schedulers.esxi import level_with_siblings, may_costart
from simvirt.kernel.schedulers.hyperv import (
    begin_core_turn,
    core_check_at,
    core_turn_is_over,
    in_cores,
    least_on,
    running_beside,
    vm_beside,
    waiting_beside,
)
from simvirt.kernel.tables import Plane


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
        cpuidle_exit(p, c, now)
    start(p, c, now)


def resched(p: Plane, c: int, now: int) -> None:
    """Choose what a CPU runs next, after its task has left or its slice is up; the current task is charged."""
    if in_cores(p, c):
        resched_core(p, c, now)
        return
    new: int = pick_task(p, c, now, False)
    if new == NONE:
        new = pull(p, c, now)
    if new == NONE:
        new = take_from_crowded(p, c, now)
    run_picked(p, c, new, now)


def run_picked(p: Plane, c: int, new: int, now: int) -> None:
    """Let a CPU run what has been picked for it: nothing, another task, or the same one."""
    if new == NONE:
        cpuidle_enter(p, c, now)
    elif new != p.cpus.current[c]:
        switch_to(p, c, new, now)
    else:
        arm(p, c, now)


@rare
def resched_core(p: Plane, c: int, now: int) -> None:
    """Choose what a thread of a core runs next, where the other thread has a say; then the other one looks too."""
    settle_core(p, c, now)
    if p.cpus.current[c] == NONE and running_beside(p, c) == NONE:
        begin_core_turn(p, c, now)
    elif core_turn_is_over(p, c, now):
        empty_core(p, c, now)
    new: int = pick_task(p, c, now, False)
    if new == NONE and running_beside(p, c) == NONE and waiting_beside(p, c) == 0:
        new = pull(p, c, now)
    run_picked(p, c, new, now)
    s: int = p.cpus.sibling[c]
    while s != c:
        fill_thread(p, s, now)
        s = p.cpus.sibling[s]


def empty_core(p: Plane, c: int, now: int) -> None:
    """A core changes hands: what its threads run waits again, and whoever has had least begins the new turn."""
    first: int = c
    d: int = c
    for _ in range(threads_of_core(p, c)):
        if p.cpus.current[d] != NONE:
            put_back_below(p, d, d, now)
        if least_on(p, d, True) < least_on(p, first, True):
            first = d
        d = p.cpus.sibling[d]
    begin_core_turn(p, c, now)
    if first != c:
        fill_thread(p, first, now)


def fill_thread(p: Plane, c: int, now: int) -> None:
    """A thread without work looks whether it may run something beside the other one of its core."""
    if p.cpus.current[c] != NONE or p.cpus.deciding[c] != 0:
        return
    new: int = pick_task(p, c, now, False)
    if new == NONE:
        cpuidle_enter(p, c, now)
    else:
        switch_to(p, c, new, now)


@rare
def may_start_in_core(p: Plane, e: int, c: int, now: int) -> bool:
    """Whether a task may begin on a thread at once: its core is idle, or belongs to its VM."""
    if running_beside(p, c) != NONE:
        return vm_beside(p, c) == NONE or vm_beside(p, c) == p.entities.group[e]
    begin_core_turn(p, c, now)
    return waiting_beside(p, c) == 0


def take_from_crowded(p: Plane, c: int, now: int) -> int:
    """A core that falls idle takes over a task that has long shared its core with another; the task, or NONE.

    Model: the task must have run for a tick, as the balancer that moves running tasks looks no more often than that.
    Source: Linux kernel/sched/fair.c, group_smt_balance and active_load_balance_cpu_stop.
    """
    m: int = p.cpus.machine[c]
    if p.machines.crowded[m] == 0 or p.cpus.sibling[c] == NONE or busy_beside(p, c) > 0:
        return NONE
    x: int = p.stacks.crowded[p.machines.first_cpu[m] + p.machines.crowded[m] - 1]
    e: int = p.cpus.current[x]
    if e == NONE or now - p.cpus.since[x] < p.machines.tick[m] or not may_run_on(p, e, c):
        return NONE
    settle(p, x, now)
    put_back_below(p, x, x, now)
    dequeue_task(p, e, now, False)
    enqueue_task(p, e, c, now, False)
    mark_entity_waiting(p, e, now)
    resched(p, x, now)
    return pick_task(p, c, now, False)


def wakeup_preempt(p: Plane, c: int, now: int) -> None:
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
    else:
        run_picked(p, c, new, now)


def try_to_wake_up(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU becomes runnable on its machine, whatever schedules there."""
    m: int = p.entities.machine[e]
    if p.machines.fluid[m] != 0:
        fluid_wake(p, e, now)
        spread_speeds(p, m, now)
        return
    if p.hosts.coscheduled[p.machines.host[m]] != 0 and p.entities.carries[e] != NONE:
        level_with_siblings(p, e, now)
    activate_task(p, e, now)


def block_task(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU is no longer runnable on its machine, whatever schedules there."""
    m: int = p.entities.machine[e]
    if p.machines.fluid[m] != 0:
        fluid_sleep(p, e, now)
        if p.entities.carries[e] != NONE:
            p.cpus.speed[p.entities.carries[e]] = 0.0
        spread_speeds(p, m, now)
    elif p.entities.state[e] == HELD:
        end_costop(p, e, now)
    else:
        deactivate_task(p, e, now)
        if p.hosts.coscheduled[p.machines.host[m]] != 0 and p.entities.carries[e] != NONE:
            costart_siblings(p, p.cpus.machine[p.entities.carries[e]], now)


@rare
def costop_vcpu(p: Plane, c: int, now: int) -> None:
    """The vCPU that runs on a pCPU has got too far ahead of its siblings: it leaves until they have caught up."""
    e: int = p.cpus.current[c]
    settle(p, c, now)
    put_back_below(p, c, c, now)
    dequeue_task(p, e, now, False)
    p.entities.state[e] = HELD
    watch_siblings(p, e, now)
    resched(p, c, now)


@rare
def end_costop(p: Plane, e: int, now: int) -> None:
    """A vCPU is no longer held back; the time that it was is steal."""
    lost: int = now - p.entities.waits_since[e]
    p.entities.state[e] = OFF
    p.entities.wait[e] += lost
    p.entities.held[e] += lost


@rare
def costart_siblings(p: Plane, g: int, now: int) -> None:
    """Let those vCPUs of a guest go on that were held back and that their siblings have caught up with."""
    for v in range(p.machines.first_cpu[g], p.machines.first_cpu[g] + p.machines.cpus[g]):
        e: int = p.cpus.vcpu[v]
        if p.entities.state[e] == HELD and may_costart(p, e, now):
            end_costop(p, e, now)
            activate_task(p, e, now)


def activate_task(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU becomes runnable."""
    p.entities.waits_since[e] = now
    if p.entities.delayed[e] != 0:
        requeue_delayed_task(p, e, now)
        return
    c: int = select_cpu(p, e)
    free: bool = p.cpus.idle_slot[c] != NONE and p.queues.entities[c] == 0
    if free and in_cores(p, c):
        free = may_start_in_core(p, e, c, now)
    if free and run_alone(p, e, c, now):
        return
    settle(p, c, now)
    competes: bool = enqueue_task(p, e, c, now, True)
    mark_entity_waiting(p, e, now)
    if competes:
        wakeup_preempt(p, c, now)


def run_alone(p: Plane, e: int, c: int, now: int) -> bool:
    """An idle CPU runs the only task that it has, past its run queues; false when its group is out of runtime."""
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
    cpuidle_exit(p, c, now)
    start(p, c, now)
    return True


def can_run_alone(p: Plane, q: int, now: int) -> bool:
    """Whether a limited group's queue holds nobody (sleepers outlast a throttling there) and has runtime."""
    return p.queues.throttled[q] == 0 and p.queues.entities[q] == 0 and has_runtime(p, q, now)


def stop_alone(p: Plane, e: int, c: int, now: int) -> None:
    """The only task of a CPU sleeps; its run queues have not noticed it."""
    g: int = p.entities.group[e]
    leave_alone(p, p.entities.queue[e], e)
    p.queues.tasks[c] = 0
    p.cpus.lone[c] = 0
    if g != NONE:
        p.groups.tasks[g] -= 1
        if p.groups.quota[g] > 0:
            give_back(p, p.entities.queue[e], now)


def requeue_delayed_task(p: Plane, e: int, now: int) -> None:
    """A sleeper that still works off its lag wakes on the CPU where it does."""
    c: int = p.entities.cpu[e]
    q: int = p.entities.queue[e]
    settle(p, c, now)
    wake_delayed(p, q, e)
    if p.queues.group[q] != NONE:
        p.groups.tasks[p.queues.group[q]] += 1
    competes: bool = raise_groups(p, q, c, 1, now, True)
    mark_entity_waiting(p, e, now)
    if competes:
        wakeup_preempt(p, c, now)


def deactivate_task(p: Plane, e: int, now: int) -> None:
    """A thread or vCPU is no longer runnable, whether it ran or waited; its CPU looks for other work."""
    c: int = p.entities.cpu[e]
    charge(p, c, now)
    if p.cpus.current[c] == e:
        block_current(p, c, now)
        if p.cpus.deciding[c] == 0:
            resched(p, c, now)
        return
    if p.entities.carries[e] != NONE:
        p.entities.wait[e] += now - p.entities.waits_since[e]
    dequeue_task(p, e, now, True)
    if p.cpus.current[c] != NONE:
        arm(p, c, now)


def block_current(p: Plane, c: int, now: int) -> None:
    """The current entity of a CPU sleeps; the CPU does not look for other work yet."""
    e: int = p.cpus.current[c]
    p.cpus.current[c] = NONE
    v: int = p.entities.carries[e]
    if v != NONE:
        p.cpus.speed[v] = 0.0
    if p.cpus.lone[c] != 0:
        stop_alone(p, e, c, now)
    else:
        dequeue_task(p, e, now, True)


def cpuidle_exit(p: Plane, c: int, now: int) -> None:
    """A CPU has work again."""
    unlist_idle(p, c)
    p.cpus.busy_since[c] = now
    if p.cpus.vcpu[c] != NONE:
        vcpu_exits_hlt(p, c, p.cpus.vcpu[c], now)
    else:
        pcpu_exits_idle(p, c, now)


def vcpu_exits_hlt(p: Plane, c: int, vcpu: int, now: int) -> None:
    """A vCPU has work again: it asks the machine below for a CPU."""
    p.cpus.idle_exits[c] += 1
    add_wake_work(p, c, p.cpus.exit_work[c] if is_caught_polling(p, c, vcpu, now) else p.cpus.wake_work[c])
    p.cpus.speed[c] = 0.0
    if p.machines.paused[p.cpus.machine[c]] == 0:
        try_to_wake_up(p, vcpu, now)
    if p.hosts.interference[p.cpus.host[c]] != 0 and p.cpus.speed[c] <= 0.0:
        refresh_machine(p, p.cpus.machine[c], NONE, now)


def pcpu_exits_idle(p: Plane, c: int, now: int) -> None:
    """A pCPU has work again: it slows its siblings, and may have to leave an idle state first."""
    busy: int = busy_siblings(p, c)
    p.cpus.speed[c] = thread_speed(p.cpus.smt_share[c], busy + 1)
    if busy > 0:
        pace_siblings(p, c, busy + 1, now)
    if p.cpus.polls_for[c] != NONE:
        end_polling(p, c, now)
    if p.hosts.cstates[p.cpus.host[c]] > 0:
        start_cpuidle_exit(p, c, now)


def finish_cpuidle_exit(p: Plane, c: int, now: int) -> None:
    """A pCPU has left its idle state: what it has been given meanwhile runs."""
    p.cpus.ready_at[c] = 0
    p.cpus.speed[c] = thread_speed(p.cpus.smt_share[c], busy_siblings(p, c) + 1)
    run_on(p, c, now)


def cpuidle_enter(p: Plane, c: int, now: int) -> None:
    """A CPU has nothing to run: a vCPU halts, a pCPU speeds its sibling up."""
    if p.queues.entities[c] > 0 and in_cores(p, c):
        set_all_aside(p, c)
        set_timer(p.calendar, p.run.first_cpu_timer[0] + c, core_check_at(p, c, now))
    else:
        clear_timer(p.calendar, p.run.first_cpu_timer[0] + c)
    if p.cpus.idle_slot[c] != NONE:
        return
    p.cpus.busy[c] += max(now - p.cpus.busy_since[c], 0)
    p.cpus.halted_at[c] = now
    p.cpus.ready_at[c] = 0
    p.cpus.io_idle[c] = p.cpus.io_waiters[c]
    list_idle(p, c)
    if p.cpus.vcpu[c] != NONE:
        if p.machines.paused[p.cpus.machine[c]] == 0:
            block_task(p, p.cpus.vcpu[c], now)
            begin_polling(p, c, now)
    elif p.hosts.interference[p.cpus.host[c]] != 0:
        hand_to(p, c, NONE, NONE, NONE, now)
    else:
        busy: int = busy_siblings(p, c)
        if busy > 0:
            pace_siblings(p, c, busy, now)
