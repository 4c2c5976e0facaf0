"""What ticks bring: groups out of runtime are throttled, weights brought up to date, load is balanced between busy CPUs."""

from simvirt.kernel.balancing import ANY_LOAD, busiest, cpu_load, move_from
from simvirt.kernel.coasting import begin_coasting
from simvirt.kernel.constants import NEVER, NONE
from simvirt.kernel.cpu import costop_vcpu, costart_siblings, wakeup_preempt, resched
from simvirt.kernel.hierarchy import group_weight, settle
from simvirt.kernel.placement import next_in_rotation
from simvirt.kernel.policy import on_tick, reweigh
from simvirt.kernel.quota import has_runtime
from simvirt.kernel.running import arm
from simvirt.kernel.schedulers.esxi import must_costop
from simvirt.kernel.tables import Plane
from simvirt.kernel.throttling import throttle

BALANCE_EVERY = 16000000  # periodic balancing of a busy CPU, per CPU of the machine [ns]; Linux busy_factor 16 x 1 ms
BALANCE_AT_MOST = 128000000  # [ns]
IMBALANCE = 1.17  # how much more loaded a CPU must be to be relieved
MOST_FAILURES = 6
MOST_LOOKED_AT = 8  # idle CPUs that are looked at for one that a task may run on
ROUNDING_LOAD = 1e-6


def review(p: Plane, c: int, now: int) -> None:
    """A tick that matters: throttle groups out of runtime, bring weights up to date, balance, choose again."""
    p.cpus.review_at[c] = NEVER
    if p.hosts.coscheduled[p.cpus.host[c]] != 0 and p.entities.carries[p.cpus.current[c]] != NONE and check_skew(p, c, now):
        return
    q: int = p.entities.queue[p.cpus.current[c]]
    if p.cpus.lone[c] != 0:
        if has_runtime(p, q, now):
            begin_coasting(p, c, now)
            arm(p, c, now)
            return
        settle(p, c, now)
    while q != c:
        on_tick(p, q, now)
        parent: int = p.queues.parent[q]
        if p.queues.throttled[q] == 0 and not has_runtime(p, q, now):
            throttle(p, q, now)
        elif p.queues.throttled[q] == 0:
            reweigh(p, parent, q, group_weight(p, q))
        q = parent
    on_tick(p, c, now)
    kick_idle(p, c, now)
    balance(p, c, now)
    resched(p, c, now)
    if begin_coasting(p, c, now):
        arm(p, c, now)


def check_skew(p: Plane, c: int, now: int) -> bool:
    """Let siblings that a pCPU's vCPU has caught up with go on, or hold it back; whether the pCPU has chosen anew."""
    e: int = p.cpus.current[c]
    costart_siblings(p, p.cpus.machine[p.entities.carries[e]], now)
    if p.cpus.current[c] != e:
        return True
    if not must_costop(p, e, now):
        return False
    costop_vcpu(p, c, now)
    return True


def kick_idle(p: Plane, c: int, now: int) -> None:
    """An idle CPU takes over what waits on a busy one at its tick, as after a refill that several queues of a CPU were throttled until.

    Source: Linux kernel/sched/fair.c, nohz_balancer_kick.
    """
    m: int = p.cpus.machine[c]
    if p.machines.idle_cpus[m] == 0 or p.queues.tasks[c] < 2:
        return
    top: int = p.machines.first_cpu[m] + p.machines.idle_cpus[m] - 1
    for i in range(min(p.machines.idle_cpus[m], MOST_LOOKED_AT)):
        d: int = p.stacks.cpus[top - i]
        if move_from(p, c, d, ANY_LOAD, now) != NONE:
            wakeup_preempt(p, d, now)
            return


def balance(p: Plane, c: int, now: int) -> None:
    """Once in a while a busy CPU takes a task from a more loaded one, and hands one to a less loaded one.

    Model: the task must be light enough to bring the two nearer to each other; after failures heavier ones may move
    too, so that the shares of groups hold on average where no placement is even. A CPU with one task has no ticks here,
    so that its neighbours look after it, one at a time. Source: Linux kernel/sched/fair.c, load_balance, detach_tasks
    (imbalance_pct 117, nr_balance_failed).
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
        wakeup_preempt(p, c, now)
