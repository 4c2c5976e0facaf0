"""What runs on a CPU, how fast, and until when.

A guest's CPU is an entity of the machine below: it runs when that entity does. While a CPU has one task, nothing
happens until the task is done; slices and ticks cost events only under contention.
"""

from simvirt.kernel.accounting import enter, mark_wait
from simvirt.kernel.calendar import clear_timer, set_timer
from simvirt.kernel.constants import CPU, EPSILON, NEVER, NONE, NOTICEABLE, RUN_QUEUE, STEAL
from simvirt.kernel.cores import thread_speed
from simvirt.kernel.hierarchy import charge
from simvirt.kernel.interference import (
    claim_cache,
    count_class,
    leaf_of,
    latency_of,
    lock_wait,
    misses_of,
    note_preemption,
    pace,
    pcpu_under,
    preempted_vcpus,
    run_class,
    shootdown_wait,
    spinning,
)
from simvirt.kernel.marks import apart, rare
from simvirt.kernel.numa import far_latency
from simvirt.kernel.policy import check_at
from simvirt.kernel.runqueue import tick_at_or_after
from simvirt.kernel.schedulers.esxi import skew_check_at
from simvirt.kernel.switching import take_over
from simvirt.kernel.tables import Plane


def start(p: Plane, c: int, now: int) -> None:
    """The current entity of a CPU begins to run, if the CPU itself does."""
    e: int = p.cpus.current[c]
    v: int = p.entities.carries[e]
    if v != NONE:
        p.entities.wait[e] += now - p.entities.waits_since[e]
        if p.hosts.interference[p.cpus.host[c]] != 0:
            note_preemption(p, p.cpus.machine[v], now - p.entities.waits_since[e])
    run_on(p, c, now)


def run_on(p: Plane, c: int, now: int) -> None:
    """What a CPU has been given runs, if the CPU itself does."""
    e: int = p.cpus.current[c]
    v: int = p.entities.carries[e]
    if p.hosts.interference[p.cpus.host[c]] != 0 and p.cpus.speed[c] > 0.0:
        occupy(p, c, now)
    if p.hosts.switches[p.cpus.host[c]] != 0 and p.cpus.speed[c] > 0.0:
        take_over(p, c, now)
    if v != NONE:
        set_speed(p, v, p.cpus.speed[c], p.cpus.portion[c], now)
    elif p.cpus.speed[c] > 0.0:
        enter(p, p.entities.frame[e], CPU, now)
    else:
        mark_wait(p, p.entities.frame[e], RUN_QUEUE if is_leaving_idle_state(p, c) else STEAL, now)
    arm(p, c, now)


def is_leaving_idle_state(p: Plane, c: int) -> bool:
    """Whether a CPU stands still because the pCPU below it still leaves its idle state."""
    if p.hosts.cstates[p.cpus.host[c]] == 0:
        return False
    e: int = p.cpus.vcpu[c]
    while e != NONE:
        c = p.entities.cpu[e]
        if p.cpus.current[c] != e:
            return False
        e = p.cpus.vcpu[c]
    return p.cpus.ready_at[c] > 0


def stop(p: Plane, c: int, now: int) -> None:
    """The current entity loses its CPU but stays runnable."""
    e: int = p.cpus.current[c]
    v: int = p.entities.carries[e]
    p.cpus.current[c] = NONE
    if v != NONE:
        p.entities.waits_since[e] = now
        set_speed(p, v, 0.0, 1.0, now)
        if p.hosts.coscheduled[p.cpus.host[c]] != 0:
            p.entities.progress[e] += now - p.cpus.since[c]
            watch_siblings(p, e, now)
    else:
        mark_wait(p, p.entities.frame[e], RUN_QUEUE, now)


def set_speed(p: Plane, c: int, speed: float, portion: float, now: int) -> None:
    """A CPU computes at another speed from now on, unless it still leaves its idle state."""
    if p.cpus.ready_at[c] > 0:
        return
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


def pace_siblings(p: Plane, c: int, busy: int, now: int) -> None:
    """The other busy threads of a pCPU's core go on at the speed that so many have."""
    s: int = p.cpus.sibling[c]
    while s != c:
        if p.cpus.idle_slot[s] == NONE:
            set_speed(p, s, thread_speed(p.cpus.smt_share[s], busy), 1.0, now)
        s = p.cpus.sibling[s]


def occupy(p: Plane, c: int, now: int) -> None:
    """Something begins on a CPU that runs: its hardware thread takes the new software's speed."""
    e: int = leaf_of(p, c)
    if e == NONE:
        return
    x: int = pcpu_under(p, c)
    k: int = p.instances.profile[p.entities.instance[e]]
    m: int = p.entities.machine[e]
    if p.cpus.profile[x] != k or p.cpus.running_machine[x] != m or is_other_process(p, x, k, p.entities.instance[e]):
        hand_to(p, x, k, m, p.entities.instance[e], now)
    speed: float = pace(p, x)
    p.cpus.spin[p.entities.cpu[e]] = spinning(p, x)
    p.cpus.speed[x] = speed
    while c != x:
        p.cpus.speed[c] = speed
        c = p.entities.cpu[p.cpus.vcpu[c]]


def is_other_process(p: Plane, x: int, k: int, i: int) -> bool:
    """Whether an instance of the class that computes on a hardware thread brings a cache content of its own."""
    different: bool = p.cpus.process[x] != i and p.classes.process_cache[k] > 0.0
    return different


def hand_to(p: Plane, x: int, k: int, m: int, i: int, now: int) -> None:
    """A hardware thread computes for another class, machine or instance, or none: its siblings, socket and kernels take note."""
    old: int = p.cpus.running_machine[x]
    beside: bool = computes_beside(p, x)
    count_class(p, x, -1)
    claim_cache(p, x, -1)
    run_class(p, x, -1)
    if beside:
        count_beside(p, x, -1)
    p.cpus.profile[x] = k
    p.cpus.running_machine[x] = m
    p.cpus.process[x] = i
    count_class(p, x, 1)
    claim_cache(p, x, 1)
    run_class(p, x, 1)
    if beside:
        count_beside(p, x, 1)
    if old != NONE and old != m:
        refresh_machine(p, old, x, now)
    if m != NONE:
        refresh_machine(p, m, x, now)
    refresh_memory(p, p.cpus.socket[x], x, now)
    if beside:
        repace_beside(p, x, now)


def computes_beside(p: Plane, x: int) -> bool:
    """Whether something computes on a sibling of a hardware thread."""
    s: int = p.cpus.sibling[x]
    while s != NONE and s != x:
        if p.cpus.profile[s] != NONE:
            return True
        s = p.cpus.sibling[s]
    return False


def repace_beside(p: Plane, x: int, now: int) -> None:
    """What computes on the siblings of a hardware thread takes its new speed."""
    s: int = p.cpus.sibling[x]
    while s != x:
        if p.cpus.profile[s] != NONE:
            repace(p, s, now)
        s = p.cpus.sibling[s]


def count_beside(p: Plane, x: int, sign: int) -> None:
    """Add what computes on the siblings of a hardware thread to the loads of its socket, or take it out."""
    s: int = p.cpus.sibling[x]
    while s != NONE and s != x:
        count_class(p, s, sign)
        s = p.cpus.sibling[s]


def refresh_memory(p: Plane, n: int, x: int, now: int) -> None:
    """The demand on a socket's caches has changed, and on its memory, or on other sockets' where that is used too."""
    if p.sockets.far_used[n] == 0:
        refresh_socket(p, n, x, now)
        return
    for m in range(p.sockets.first[n], p.sockets.first[n] + p.sockets.of_host[n]):
        refresh_socket(p, m, x, now)


def refresh_socket(p: Plane, n: int, x: int, now: int) -> None:
    """The demand on a socket has changed: what runs there, x apart, takes its new speed, if that differs noticeably."""
    if p.sockets.shared[n] == 0:
        return
    misses: float = misses_of(p, n)
    far: float = far_latency(p, n, misses)
    changed: bool = abs(far - p.sockets.far[n]) > NOTICEABLE * p.sockets.far[n]
    if changed:
        p.sockets.far[n] = far
    latency: float = latency_of(p, n, misses)
    both: float = misses * latency
    old: float = p.sockets.misses[n] * p.sockets.latency[n]
    if abs(both - old) > NOTICEABLE * old or abs(latency - p.sockets.latency[n]) > NOTICEABLE * p.sockets.latency[n]:
        changed = True
        p.sockets.misses[n] = misses
        p.sockets.latency[n] = latency
    if changed:
        repace_users(p, n, x, now)


def repace_users(p: Plane, n: int, x: int, now: int) -> None:
    """What uses a socket's memory, x apart, takes its new speed; that may run on any socket of the host."""
    first: int = p.sockets.first_member[n]
    count: int = p.sockets.member_count[n]
    if p.sockets.far_used[n] != 0:
        first = p.sockets.first_member[p.sockets.first[n]]
        count = p.sockets.of_host[n] * count
    for i in range(first, first + count):
        c: int = p.sockets.members[i]
        if c != x and p.cpus.profile[c] != NONE:
            repace(p, c, now)


def refresh_machine(p: Plane, m: int, x: int, now: int) -> None:
    """What runs in a kernel has changed: all there, x apart, take their new speed, if that differs noticeably."""
    kernel: float = p.machines.most_kernel[m]
    shootdowns: float = p.machines.most_shootdowns[m]
    if kernel <= 0.0 and shootdowns <= 0.0:
        return
    gone: int = preempted_vcpus(p, m)
    lock: float = lock_wait(p, m) + gone
    wait: float = shootdown_wait(p, m, gone)
    change: float = kernel * abs(lock - p.machines.lock_wait[m]) + shootdowns * abs(wait - p.machines.shootdown_wait[m])
    if change <= NOTICEABLE * (1.0 + kernel * p.machines.lock_wait[m] + shootdowns * p.machines.shootdown_wait[m]):
        return
    p.machines.lock_wait[m] = lock
    p.machines.shootdown_wait[m] = wait
    for c in range(p.machines.first_cpu[m], p.machines.first_cpu[m] + p.machines.cpus[m]):
        if p.cpus.vcpu[c] == NONE or p.cpus.speed[c] > 0.0:
            y: int = pcpu_under(p, c)
            if y != x and p.cpus.running_machine[y] == m:
                repace(p, y, now)


def repace(p: Plane, x: int, now: int) -> None:
    """What computes on a hardware thread goes on at the speed that it has beside the others now."""
    speed: float = pace(p, x)
    if speed == p.cpus.speed[x]:
        return
    set_speed(p, x, speed, 1.0, now)
    e: int = leaf_of(p, x)
    if e != NONE:
        p.cpus.spin[p.entities.cpu[e]] = spinning(p, x)


def spread_speeds(p: Plane, m: int, now: int) -> None:
    """Give the vCPUs of a fluid machine the speeds that their groups' rates say."""
    if p.run.first_vcpu[0] == p.run.first_thread[0]:
        return
    first: int = p.groups.fluid_first[m]
    for k in range(first, first + p.groups.fluid_count[m]):
        g: int = p.groups.fluid_active[k]
        spread_in_tree(p, p.queues.tree[p.groups.first_queue[g]], p.groups.fluid_rate[g], p.machines.fluid_speed[m], now)


def spread_in_tree(p: Plane, node: int, rate: float, speed: float, now: int) -> None:
    """Set share and speed of every vCPU in a subtree, where threads of the host may stand too."""
    if node == NONE:
        return
    spread_in_tree(p, p.entities.left[node], rate, speed, now)
    v: int = p.entities.carries[node]
    if v != NONE and (p.cpus.speed[v] != rate * speed or p.cpus.portion[v] != rate):
        set_speed(p, v, rate * speed, rate, now)
    spread_in_tree(p, p.entities.right[node], rate, speed, now)


def mark_entity_waiting(p: Plane, e: int, now: int) -> None:
    """Note the throttled clock of the queue in which a runnable entity now waits."""
    v: int = p.entities.carries[e]
    if v == NONE:
        mark_wait(p, p.entities.frame[e], RUN_QUEUE, now)
        return
    if p.cpus.current[v] != NONE:
        task: int = p.cpus.current[v]
        if p.entities.carries[task] == NONE:
            mark_wait(p, p.entities.frame[task], STEAL, now)
    if p.hosts.coscheduled[p.machines.host[p.entities.machine[e]]] != 0:
        watch_siblings(p, e, now)


@rare
def watch_siblings(p: Plane, e: int, now: int) -> None:
    """A vCPU waits: its siblings that run will be looked at when they are too far ahead of it, or near if it is held."""
    g: int = p.cpus.machine[p.entities.carries[e]]
    for v in range(p.machines.first_cpu[g], p.machines.first_cpu[g] + p.machines.cpus[g]):
        x: int = p.cpus.vcpu[v]
        c: int = p.entities.cpu[x]
        if x != e and p.cpus.current[c] == x:
            charge(p, c, now)
            arm(p, c, now)


def arm(p: Plane, c: int, now: int) -> None:
    """Set a CPU's timer to the first of: the burst is done, what runs is up for review. At one instant both come, in this order."""
    timer: int = p.run.first_cpu_timer[0] + c
    e: int = p.cpus.current[c]
    if e == NONE or p.cpus.speed[c] <= 0.0:
        if e != NONE and p.cpus.ready_at[c] > 0:
            set_timer(p.calendar, timer, p.cpus.ready_at[c])
        else:
            clear_timer(p.calendar, timer)
        return
    if p.cpus.review_at[c] != now:  # else one that is due now is still to come
        p.cpus.review_at[c] = next_review(p, c, e, now)
    at: int = p.cpus.review_at[c]
    if p.entities.carries[e] == NONE:
        at = min(at, burst_end(p, c, p.frames.work[p.entities.frame[e]], now))
    set_timer(p.calendar, timer, at)


def next_review(p: Plane, c: int, e: int, now: int) -> int:
    """Instant at which what a CPU runs is looked at: a slice is up, a group's runtime ends, a vCPU is far ahead [ns]."""
    at: int = NEVER
    if p.entities.carries[e] != NONE and p.hosts.coscheduled[p.cpus.host[c]] != 0:
        at = skew_check_at(p, e, now)
    q: int = p.entities.queue[e]
    if p.cpus.lone[c] != 0:
        return min(at, quota_end(p, c, p.entities.group[e], q, now))
    return min(at, turn_end(p, c, e, q, now))


@apart
def turn_end(p: Plane, c: int, e: int, q: int, now: int) -> int:
    """Instant at which what runs in a queue, or in one above it, may have to make room for others there [ns]."""
    at: int = NEVER
    while q != NONE:
        if p.queues.entities[q] > 1:
            at = min(at, check_at(p, q, e, now))
        at = min(at, quota_end(p, c, p.queues.group[q], q, now))
        e = q
        q = p.queues.parent[q]
    return at


def quota_end(p: Plane, c: int, g: int, q: int, now: int) -> int:
    """Tick at which the kernel will notice that a limited group's queue has used up its runtime [ns]."""
    if g == NONE or p.groups.quota[g] == 0 or p.cpus.coasting[c] != NONE:
        return NEVER
    return runtime_end(p, c, g, q, now)


@apart
def runtime_end(p: Plane, c: int, g: int, q: int, now: int) -> int:
    """Tick at or after which the runtime of a limited group's queue is used up, or expires [ns]."""
    if p.groups.expires[g] != 0:
        end: int = max(p.groups.refilled_at[g] + p.groups.period[g], now)
        return tick_at_or_after(p, c, min(now + p.queues.runtime[q], end), now)
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
