"""Requests and their frames: rows taken and given back, threads assigned, results booked."""

from simvirt.kernel.accounting import enter
from simvirt.kernel.constants import (
    BRANCH,
    CALLEE,
    CAUSES,
    CLOCK_MASK,
    DRAINED,
    DRAINING,
    GONE,
    LOST,
    MESSAGE,
    N_BUCKETS,
    N_CATEGORIES,
    NONE,
    OFF,
    OP_ARRIVE,
    QUEUE,
    REJECTED,
    REQUEST,
    STARTING,
    UNANSWERED,
    MOST_SIGNALS,
    WAITING,
    WEIGHT_ONE,
)
from simvirt.kernel.batches import batch_latency
from simvirt.kernel.histogram import record
from simvirt.kernel.marks import rare
from simvirt.kernel.placement import birthplace
from simvirt.kernel.ranks import give_way, is_ranked, join_by_rank, leave_by_rank
from simvirt.kernel.replicas import change_in_flight
from simvirt.kernel.tables import Plane

# --- rows ------------------------------------------------------------------------------------------------------------


@rare
def signal(p: Plane, reason: int, row: int) -> None:
    """Tell the control plane that something has happened."""
    at: int = p.run.pending[0]
    if at < MOST_SIGNALS:
        p.run.signals[2 * at] = reason
        p.run.signals[2 * at + 1] = row
        p.run.pending[0] = at + 1


def append_todo(p: Plane, f: int) -> None:
    """Let a frame go on at this instant, after those that are already to go on."""
    p.frames.next[f] = NONE
    if p.run.todo_head[0] == NONE:
        p.run.todo_head[0] = f
    else:
        p.frames.next[p.run.todo_tail[0]] = f
    p.run.todo_tail[0] = f


def draw(p: Plane, f: int, column: int, constant: float) -> float:
    """The request's own draw for a step, or the step's constant."""
    if column == NONE:
        return constant
    return p.frames.draws[p.frames.root[f] * p.source.width[0] + column]


def new_frame(p: Plane, kind: int, i: int, pc: int, now: int) -> int:
    """Take a frame; it is its own root and keeps its own account."""
    f: int = p.run.free_frame[0]
    p.run.free_frame[0] = p.frames.next[f]
    p.run.free_frames[0] -= 1
    p.frames.kind[f] = kind
    p.frames.instance[f] = i
    p.frames.pc[f] = pc
    p.frames.root[f] = f
    p.frames.parent[f] = NONE
    p.frames.pending[f] = 0
    p.frames.way[f] = 0
    p.frames.account[f] = f
    p.frames.thread[f] = NONE
    p.frames.state[f] = WAITING
    p.frames.since[f] = now
    p.frames.began[f] = now
    p.frames.failed[f] = 0
    p.frames.counted[f] = 0
    p.frames.overhead[f] = 0.0
    p.frames.switching[f] = 0.0
    p.frames.lock[f] = NONE
    p.frames.lock_line[f] = NONE
    p.frames.held_lock[f] = NONE
    p.frames.team_first[f] = NONE
    p.frames.team_waits[f] = 0
    return f


def clear_account(p: Plane, f: int) -> None:
    """A fresh account for what a frame and its calls will spend."""
    for k in range(f * N_CATEGORIES, f * N_CATEGORIES + N_CATEGORIES):
        p.frames.spent[k] = 0


def free_frame(p: Plane, f: int) -> None:
    """Give a frame back."""
    p.frames.kind[f] = NONE
    p.frames.next[f] = p.run.free_frame[0]
    p.run.free_frame[0] = f
    p.run.free_frames[0] += 1


def host_of(p: Plane, f: int) -> int:
    """Host that a frame's instance stands on."""
    return p.machines.host[p.instances.machine[p.frames.instance[f]]]


def body_on(p: Plane, i: int, first: int) -> int:
    """First instruction of a body as the host of an instance has it, from that of the body on the first kind of host."""
    left: int = p.hosts.kind[p.machines.host[p.instances.machine[i]]]
    while left > 0 and p.program.other[first] != NONE:
        first = p.program.other[first]
        left -= 1
    return first


# --- threads ---------------------------------------------------------------------------------------------------------


def count_threads(p: Plane, i: int, change: int, now: int) -> None:
    """Follow the number of busy worker threads over time."""
    p.instances.thread_time[i] += float(p.instances.busy_threads[i]) * (now - p.instances.thread_time_at[i])
    p.instances.thread_time_at[i] = now
    p.instances.busy_threads[i] += change


def take_thread(p: Plane, f: int, i: int) -> None:
    """Give a frame a thread of its instance: one that sleeps, or a new one."""
    t: int = p.instances.free_thread[i]
    if t == NONE:
        t = new_thread(p, i)
    else:
        p.instances.free_thread[i] = p.entities.next_free[t]
    p.entities.frame[t] = f
    p.frames.thread[f] = t


@rare
def new_thread(p: Plane, i: int) -> int:
    """A thread that has never run."""
    t: int = p.run.fresh_entity[0]
    p.run.fresh_entity[0] = t + 1
    m: int = p.instances.machine[i]
    p.entities.group[t] = p.instances.group[i]
    p.entities.machine[t] = m
    p.entities.instance[t] = i
    p.entities.carries[t] = NONE
    p.entities.cpu[t] = birthplace(p, m, t)
    p.entities.queue[t] = NONE
    p.entities.state[t] = OFF
    p.entities.delayed[t] = 0
    p.entities.weight[t] = WEIGHT_ONE
    p.entities.vruntime[t] = 0.0
    p.entities.wait[t] = 0
    return t


def drop_thread(p: Plane, f: int) -> None:
    """A frame's thread goes to sleep until it is needed again."""
    t: int = p.frames.thread[f]
    if t == NONE:
        return
    i: int = p.frames.instance[f]
    p.frames.thread[f] = NONE
    p.entities.frame[t] = NONE
    p.entities.next_free[t] = p.instances.free_thread[i]
    p.instances.free_thread[i] = t


# --- admission --------------------------------------------------------------------------------------------------------


def admit(p: Plane, f: int, now: int) -> None:
    """A call is sent to a replica, and reaches it at once."""
    count_call(p, f)
    reach(p, f, now)


def count_call(p: Plane, f: int) -> None:
    """An instance counts a call among those in flight."""
    change_in_flight(p, p.frames.instance[f], 1)
    p.frames.counted[f] = 1


def reach(p: Plane, f: int, now: int) -> None:
    """A call reaches a replica: it passes a device first, or comes to its threads at once; unless that is not up."""
    if p.instances.life[p.frames.instance[f]] >= STARTING:
        p.frames.failed[p.frames.root[f]] = UNANSWERED if p.instances.life[p.frames.instance[f]] == GONE else LOST
        append_todo(p, f)
    elif p.program.op[p.frames.pc[f]] == OP_ARRIVE:
        append_todo(p, f)
    else:
        assign_thread(p, f, now)


def assign_thread(p: Plane, f: int, now: int) -> None:
    """A thread takes a call, it waits for one, or it is rejected; those of event loops take one whenever they compute."""
    i: int = p.frames.instance[f]
    if p.instances.busy_threads[i] < p.instances.threads[i]:
        if p.instances.loops[i] == 0:
            count_threads(p, i, 1, now)
            take_thread(p, f, i)
        append_todo(p, f)
    elif p.instances.queue_length[i] < p.instances.queue_limit[i] or is_in_hand(p, f):
        wait_for_thread(p, f, i, now)
    else:
        turn_away(p, f, i, now)


@rare
def turn_away(p: Plane, f: int, i: int, now: int) -> None:
    """A call that has no place in line is rejected, or another one gives way to it."""
    v: int = give_way(p, f, i) if is_ranked(p, i) else NONE
    if v != NONE and is_in_hand(p, v):
        join_queue(p, v, i)
    elif v != NONE:
        wait_for_thread(p, f, i, now)
        enter(p, v, WAITING, now)
        f = v
    end_in_flight(p, f)
    p.instances.rejected[i] += 1
    p.frames.failed[p.frames.root[f]] = REJECTED
    p.frames.instance[f] = NONE
    append_todo(p, f)
    receive_in_vain(p, f, i, now)


def wait_for_thread(p: Plane, f: int, i: int, now: int) -> None:
    """A call waits for a thread in line, or for an event loop when it computes."""
    if p.instances.loops[i] != 0:
        append_todo(p, f)
        return
    enter(p, f, QUEUE, now)
    join_queue(p, f, i)


def is_in_hand(p: Plane, f: int) -> bool:
    """Whether a call is for a message, which its consumer has already: no line is too long for it."""
    return p.frames.kind[p.frames.root[f]] == MESSAGE and p.frames.parent[f] == p.frames.root[f]


@rare
def receive_in_vain(p: Plane, f: int, i: int, now: int) -> None:
    """What a rejected request has cost: its kernel received it, unless the device's ring was full, before a queue could reject it.

    *Model*: interrupts and the network stack are work of the instance's kernel on any of its CPUs, at most one thread a
        CPU, which competes there as ksoftirqd does; what finds all of them busy and the ring full is lost to the device
        and costs nothing. So goodput falls under overload by what the CPUs lack.
    *Ignores*: that softirqs come before all threads until ksoftirqd takes over; that the work is already done when the
        queue rejects; the receiver of what is accepted, which is part of its demand.
    *Source*: Mogul and Ramakrishnan, "Eliminating receive livelock in an interrupt-driven kernel", ACM TOCS 15(3),
        1997; Linux kernel/softirq.c, Documentation/networking/napi.rst.
    """
    r: int = p.instances.receiver[i]
    if r == NONE or (p.frames.kind[f] == REQUEST and p.source.received[p.frames.category[f]] == 0):
        return
    if p.instances.busy_threads[r] == p.instances.threads[r] and p.instances.queue_length[r] >= p.instances.queue_limit[r]:
        return
    g: int = new_frame(p, CALLEE, r, body_on(p, r, p.run.receive[0]), now)
    clear_account(p, g)
    admit(p, g, now)


def end_in_flight(p: Plane, f: int) -> None:
    """An instance no longer counts a call among those in flight."""
    change_in_flight(p, p.frames.instance[f], -1)
    p.frames.counted[f] = 0


def join_queue(p: Plane, f: int, i: int) -> None:
    """Wait in line for a thread of an instance."""
    if is_ranked(p, i):
        join_by_rank(p, f, i)
        return
    p.frames.next[f] = NONE
    if p.instances.queue_length[i] == 0:
        p.instances.queue_head[i] = f
    else:
        p.frames.next[p.instances.queue_tail[i]] = f
    p.instances.queue_tail[i] = f
    p.instances.queue_length[i] += 1


def next_in_queue(p: Plane, i: int, now: int) -> int:
    """The call that has waited longest leaves the line."""
    f: int = p.instances.queue_head[i]
    p.instances.queue_head[i] = p.frames.next[f]
    p.instances.queue_length[i] -= 1
    if is_ranked(p, i):
        leave_by_rank(p, f, i)
    p.services.queue_wait[p.instances.service[i]] += now - p.frames.since[f]
    enter(p, f, WAITING, now)
    return f


def leave_instance(p: Plane, f: int, now: int) -> None:
    """A call leaves its instance, with its thread if it has one; nothing where it has left before."""
    i: int = p.frames.instance[f]
    if p.frames.thread[f] != NONE and p.instances.loops[i] == 0:
        release(p, f, i, now)
        drop_thread(p, f)
    elif p.frames.counted[f] != 0:
        end_in_flight(p, f)
        note_drained(p, i)


def release(p: Plane, f: int, i: int, now: int) -> None:
    """A worker thread is free: the next call in line gets it, or it sleeps."""
    end_in_flight(p, f)
    if p.instances.queue_length[i] > 0:
        g: int = next_in_queue(p, i, now)
        drop_thread(p, f)
        take_thread(p, g, i)
        append_todo(p, g)
        return
    count_threads(p, i, -1, now)
    if p.instances.poll[i] > 0:
        p.instances.awake_until[i] = now + p.instances.poll[i]
    note_drained(p, i)


def note_drained(p: Plane, i: int) -> None:
    """Tell the control plane when the last call has left an instance that takes no more."""
    if p.instances.life[i] == DRAINING and p.instances.in_flight[i] == 0:
        signal(p, DRAINED, i)


# --- results ----------------------------------------------------------------------------------------------------------


def follow_population(p: Plane, change: int, now: int) -> None:
    """Integrate the number of requests in the system over time, for Little's law."""
    area: int = p.tallies.in_system[0] * (now - p.tallies.area_at[0])
    p.tallies.area[0] = (p.tallies.area[0] + area) & CLOCK_MASK
    p.tallies.area_at[0] = now
    p.tallies.in_system[0] += change


def tally_request(p: Plane, f: int, now: int) -> None:
    """Book the end of a request."""
    k: int = p.frames.category[f]
    follow_population(p, -1, now)
    p.tallies.departure_sum[k] = (p.tallies.departure_sum[k] + now) & CLOCK_MASK
    failed: int = p.frames.failed[f]
    if failed == REJECTED:
        p.tallies.rejected[k] += 1
    elif failed != 0:
        p.tallies.failed[k] += 1
        p.tallies.causes[k * CAUSES + failed] += 1
    else:
        tally_latency(p, f, k, now - p.frames.arrived[f], now)


def tally_latency(p: Plane, f: int, k: int, latency: int, now: int) -> None:
    """Book the latency of an answered request and what it consists of."""
    p.tallies.completed[k] += 1
    p.tallies.latency_sum[k] += latency
    p.tallies.latency_min[k] = min(p.tallies.latency_min[k], latency)
    p.tallies.latency_max[k] = max(p.tallies.latency_max[k], latency)
    record(p.tallies.histogram, k * N_BUCKETS, latency)
    row: int = k * N_CATEGORIES
    spent: int = f * N_CATEGORIES
    for c in range(N_CATEGORIES):
        p.tallies.spent[row + c] += p.frames.spent[spent + c]
    batch_latency(p, 0, latency, now)
    if p.source.workloads[0] > 1:
        batch_latency(p, 1 + p.source.workload[k], latency, now)


def tally_call(p: Plane, f: int, now: int) -> None:
    """Book the end of a call at its service."""
    s: int = p.instances.service[p.frames.instance[f]]
    if p.frames.failed[p.frames.root[f]] != 0:
        p.services.failed[s] += 1
        return
    latency: int = now - p.frames.began[f]
    p.services.completed[s] += 1
    p.services.latency_sum[s] += latency
    p.services.latency_min[s] = min(p.services.latency_min[s], latency)
    p.services.latency_max[s] = max(p.services.latency_max[s], latency)
    record(p.services.histogram, s * N_BUCKETS, latency)


def merge_branch(p: Plane, f: int) -> None:
    """The last branch to end is the path that the request waited for: its time goes to the parent's account."""
    into: int = p.frames.account[p.frames.parent[f]] * N_CATEGORIES
    spent: int = f * N_CATEGORIES
    for c in range(N_CATEGORIES):
        p.frames.spent[into + c] += p.frames.spent[spent + c]


def is_worker(p: Plane, f: int) -> bool:
    """Whether a frame occupies one of its instance's counted worker threads."""
    return p.frames.kind[f] < BRANCH and p.frames.instance[f] != NONE
