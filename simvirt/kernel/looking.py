"""Looking at a run that is traced: what stands at the end of an instant, as far as it has changed since the last look.

*Model*: a traced run is carried out one instant at a time, by the functions that carry out any other. After each of these instants all
    that is traced is compared with what it was, and what has changed is recorded. A look writes to nothing but the table `trace`, so
    that no event knows of it; where nothing is traced there is none, and it costs nothing.
*Ignores*: what begins and ends within one instant; frames in rows beyond those that are looked at.
"""

from simvirt.kernel.accounting import waiting_queue
from simvirt.kernel.constants import (
    CPU,
    CPU_HELD,
    CPU_IDLE,
    CPU_POLLS,
    CPU_RUNS,
    CPU_STOPPED,
    CPU_WAITS,
    CPU_WAKES,
    DISK,
    HELD,
    NONE,
    OP_DISK,
    RECORD_COLUMNS,
    REQUEST,
    RUN_QUEUE,
    SEEN_CALL,
    SEEN_DISK,
    SEEN_END,
    SEEN_LINK,
    SEEN_ORIGIN,
    SEEN_PCPU,
    SEEN_PLACE,
    SEEN_QUEUE,
    SEEN_SHARES,
    SEEN_STATE,
    SEEN_SYSTEM,
    SEEN_VCPU,
    SPINNING,
    STEAL,
    THINKING,
    THROTTLED,
)
from simvirt.kernel.storage import disk_of
from simvirt.kernel.tables import Plane

BUFFERED = 1  # flag of a write that does not reach the disk itself


def has_room_for_a_look(p: Plane) -> bool:
    """Whether all that one look may record has room."""
    return p.trace.count[0] + p.trace.room[0] <= p.trace.capacity[0]


def note(p: Plane, now: int, what: int, row: int, state: int, value: int) -> None:
    """Record a change."""
    at: int = p.trace.count[0] * RECORD_COLUMNS
    p.trace.records[at] = now
    p.trace.records[at + 1] = what
    p.trace.records[at + 2] = row
    p.trace.records[at + 3] = state
    p.trace.records[at + 4] = value
    p.trace.count[0] += 1


def look(p: Plane, now: int) -> None:
    """Record all that differs from the last look."""
    look_at_cpus(p, now)
    look_at_frames(p, now)
    look_at_queues(p, now)
    look_at_disks(p, now)
    look_at_links(p, now)
    if p.tallies.in_system[0] != p.trace.in_system[0]:
        p.trace.in_system[0] = p.tallies.in_system[0]
        note(p, now, SEEN_SYSTEM, 0, p.tallies.in_system[0], 0)


# --- CPUs -------------------------------------------------------------------------------------------------------------


def look_at_cpus(p: Plane, now: int) -> None:
    """What each CPU runs, machine by machine; of a fluid one, what its tasks have together."""
    last: int = p.run.first_link_timer[0] - p.run.first_machine_timer[0]
    for m in range(last):
        if p.machines.fluid[m] != 0:
            look_at_shares(p, m, now)
        for c in range(p.machines.first_cpu[m], p.machines.first_cpu[m] + p.machines.cpus[m]):
            look_at_cpu(p, c, now)


def look_at_cpu(p: Plane, c: int, now: int) -> None:
    """One CPU."""
    guest: bool = p.cpus.vcpu[c] != NONE
    state: int = vcpu_state(p, c) if guest else pcpu_state(p, c, now)
    value: int = p.cpus.poll_ends[c] if state == CPU_POLLS else p.cpus.current[c]
    if state != p.trace.cpu_state[c] or value != p.trace.cpu_value[c]:
        p.trace.cpu_state[c] = state
        p.trace.cpu_value[c] = value
        note(p, now, SEEN_VCPU if guest else SEEN_PCPU, c, state, value)


def pcpu_state(p: Plane, c: int, now: int) -> int:
    """What a hardware thread does."""
    if p.cpus.idle_slot[c] == NONE:
        return CPU_WAKES if p.cpus.ready_at[c] > 0 else CPU_RUNS
    if p.cpus.polls_for[c] != NONE and p.cpus.poll_ends[c] > now:
        return CPU_POLLS
    return CPU_IDLE


def vcpu_state(p: Plane, v: int) -> int:
    """What a vCPU does, or why it does not run."""
    e: int = p.cpus.vcpu[v]
    c: int = p.entities.cpu[e]
    if p.cpus.idle_slot[v] != NONE:
        return CPU_IDLE
    if p.cpus.speed[v] > 0.0:
        return CPU_RUNS
    if p.entities.state[e] == HELD:
        return CPU_HELD
    if is_stopped(p, p.entities.queue[e]):
        return CPU_STOPPED
    return CPU_WAKES if p.cpus.current[c] == e and p.cpus.ready_at[c] > 0 else CPU_WAITS


def is_stopped(p: Plane, q: int) -> bool:
    """Whether a queue, or one above it, is throttled."""
    while p.run.limited[0] != 0 and q != NONE:
        if p.queues.throttled[q] != 0:
            return True
        q = p.queues.parent[q]
    return False


def look_at_shares(p: Plane, m: int, now: int) -> None:
    """CPUs that the tasks of a fluid machine have together."""
    first: int = p.groups.fluid_first[m]
    total: float = 0.0
    for k in range(first, first + p.groups.fluid_count[m]):
        g: int = p.groups.fluid_active[k]
        total += p.groups.fluid_rate[g] * p.groups.tasks[g]
    shares: int = int(total * 1e9 + 0.5)
    if shares != p.trace.shares[m]:
        p.trace.shares[m] = shares
        note(p, now, SEEN_SHARES, m, shares, 0)


# --- frames -----------------------------------------------------------------------------------------------------------


def look_at_frames(p: Plane, now: int) -> None:
    """Calls in progress: rows up to the last one that is taken now or was at the last look."""
    taken: int = p.run.frames[0] - p.run.free_frames[0]
    before: int = p.trace.top[0]
    found: int = 0
    f: int = 0
    p.trace.top[0] = 0
    while f < p.trace.most_frames[0] and (found < taken or f < before):
        if p.frames.kind[f] != NONE:
            found += 1
            p.trace.top[0] = f + 1
        look_at_frame(p, f, is_under_way(p, f), now)
        f += 1


def is_under_way(p: Plane, f: int) -> bool:
    """Whether a row holds a call in progress; a client that thinks is none."""
    if p.frames.kind[f] == NONE:
        return False
    return p.frames.kind[f] != REQUEST or p.frames.pc[f] != THINKING


def look_at_frame(p: Plane, f: int, there: bool, now: int) -> None:
    """One frame: whether it is another call than before, what it waits for, which thread it has."""
    began: int = NONE
    if there:
        began = p.frames.arrived[f] if p.frames.kind[f] == REQUEST else p.frames.began[f]
    if began != p.trace.began[f]:
        if p.trace.began[f] != NONE:
            note(p, now, SEEN_END, f, NONE if there else p.frames.failed[f], 0)
        if there:
            begin_call(p, f, began, now)
        p.trace.began[f] = began
        p.trace.state[f] = NONE
    if there:
        look_at_state(p, f, now)


def begin_call(p: Plane, f: int, began: int, now: int) -> None:
    """Record what is constant of a frame."""
    note(p, now, SEEN_CALL, f, p.frames.kind[f], p.frames.instance[f])
    note(p, now, SEEN_ORIGIN, f, p.frames.parent[f], began)
    note(p, now, SEEN_PLACE, f, p.frames.pc[f], p.frames.category[f])


def look_at_state(p: Plane, f: int, now: int) -> None:
    """What a frame waits for."""
    state: int = frame_state(p, f)
    if state != p.trace.state[f] or p.frames.thread[f] != p.trace.thread[f]:
        p.trace.state[f] = state
        p.trace.thread[f] = p.frames.thread[f]
        note(p, now, SEEN_STATE, f, state, p.frames.thread[f])
    pc: int = p.frames.pc[f] - 1
    if state == DISK and p.program.op[pc] == OP_DISK and p.program.flag[pc] != BUFFERED:
        p.trace.at_disk[disk_of(p, f, pc)] += 1


def frame_state(p: Plane, f: int) -> int:
    """What a frame waits for, throttled and spinning ones apart."""
    state: int = p.frames.state[f]
    if (state == RUN_QUEUE or state == STEAL) and is_stopped(p, waiting_queue(p, f)):
        return THROTTLED
    if state == CPU and p.frames.overhead[f] < 0.0:
        return SPINNING
    return state


# --- lines and devices ------------------------------------------------------------------------------------------------


def look_at_queues(p: Plane, now: int) -> None:
    """Calls that wait for threads of instances, and those that these have."""
    for i in range(p.trace.instances[0]):
        if p.instances.queue_length[i] != p.trace.waiting[i] or p.instances.in_flight[i] != p.trace.in_flight[i]:
            p.trace.waiting[i] = p.instances.queue_length[i]
            p.trace.in_flight[i] = p.instances.in_flight[i]
            note(p, now, SEEN_QUEUE, i, p.instances.queue_length[i], p.instances.in_flight[i])


def look_at_disks(p: Plane, now: int) -> None:
    """Requests at disks, which `look_at_state` has counted."""
    for d in range(p.trace.disks[0]):
        if p.trace.at_disk[d] != p.trace.at_disk_before[d] or p.disks.in_service[d] != p.trace.served[d]:
            p.trace.at_disk_before[d] = p.trace.at_disk[d]
            p.trace.served[d] = p.disks.in_service[d]
            note(p, now, SEEN_DISK, d, p.disks.in_service[d], max(p.trace.at_disk[d] - p.disks.in_service[d], 0))
        p.trace.at_disk[d] = 0


def look_at_links(p: Plane, now: int) -> None:
    """Transfers under way."""
    for k in range(p.run.first_frame_timer[0] - p.run.first_link_timer[0]):
        if p.links.transfers[k] != p.trace.transfers[k]:
            p.trace.transfers[k] = p.links.transfers[k]
            note(p, now, SEEN_LINK, k, p.links.transfers[k], 0)
