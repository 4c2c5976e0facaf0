"""The loop: events in the order of their instants, until a horizon or until the control plane is needed.

At one instant: group refills first, then CPUs, fluid machines, links and frames, each in the order of their rows, then
the arrival; after every event the frames that can go on do so, first come, first served, and only then does a CPU whose
task has left choose its next one.
"""

from simvirt.kernel.boundary import boundary
from simvirt.kernel.calendar import next_instant, pop_timer
from simvirt.kernel.constants import (
    DONE,
    ENTERING,
    IN_VAIN,
    MOST_SIGNALS,
    NEEDS_DEMAND,
    NEEDS_ROOM,
    NEVER,
    NONE,
    NOTHING,
    OP_ARRIVE,
    OP_DELIVER,
    OP_DISK,
    OP_FLUSH,
    OP_IO,
    OP_RETRY,
    OP_TRY,
    PAUSED,
    PAUSE_EVERY,
    REPEATS,
    REPEATS_OF_A_FRAME,
    REQUEST,
    SIGNALS,
    SIGNALS_OF_A_FRAME,
    STANDS_STILL,
    THINKING,
    TRACE_FULL,
)
from simvirt.kernel.cpu import finish_cpuidle_exit, resched
from simvirt.kernel.devices import goes_to_backend
from simvirt.kernel.hierarchy import charge
from simvirt.kernel.idling import end_disk_wait
from simvirt.kernel.ticks import review
from simvirt.kernel.unthrottling import change_quota, on_group_timer
from simvirt.kernel.running import burst_is_done, spread_speeds
from simvirt.kernel.fluid import fluid_finished, on_fluid_group_timer
from simvirt.kernel.guarding import on_guard_timer
from simvirt.kernel.looking import has_room_for_a_look, look
from simvirt.kernel.arrivals import arrive, enter_service, knock_again, take_luck, think
from simvirt.kernel.doors import is_clients
from simvirt.kernel.itinerary import finish, on_burst_end, on_fluid_end, proceed
from simvirt.kernel.crossing import arrive_from_away, pass_link, send_again
from simvirt.kernel.losing import change_ready, lose_instance
from simvirt.kernel.marks import rare
from simvirt.kernel.messages import on_message_timer
from simvirt.kernel.network import link_end, share_link
from simvirt.kernel.pausing import pause_guest, resume_guest
from simvirt.kernel.requests import (
    body_on,
    clear_account,
    append_todo,
    new_frame,
    take_thread,
)
from simvirt.kernel.storage import disk_end, disk_of
from simvirt.kernel.tables import Plane

# --- events -----------------------------------------------------------------------------------------------------------


def has_room(p: Plane) -> bool:
    """Whether the frame and entity tables can hold whatever one event may start."""
    spare: int = p.run.spare[0]
    return p.run.free_frames[0] >= spare and p.run.fresh_entity[0] + spare <= p.run.entities[0]


def settle_instant(p: Plane, now: int) -> bool:
    """Carry on all frames that can go on now, then let the CPU that is between two tasks choose; false without room."""
    while p.run.todo_head[0] != NONE:
        if not has_room(p):
            return False
        if p.run.pending[0] > MOST_SIGNALS - SIGNALS_OF_A_FRAME:
            return True
        f: int = p.run.todo_head[0]
        p.run.todo_head[0] = p.frames.next[f]
        proceed(p, f, now)
    c: int = p.run.decider[0]
    if c != NONE:
        p.run.decider[0] = NONE
        p.cpus.deciding[c] = 0
        resched(p, c, now)
    return True


def on_cpu_timer(p: Plane, c: int, now: int) -> None:
    """A burst is done, the current task is up for review, or the CPU has left its idle state."""
    charge(p, c, now)
    if p.cpus.current[c] == NONE:
        resched(p, c, now)
    elif p.cpus.ready_at[c] > 0:
        finish_cpuidle_exit(p, c, now)
    elif burst_is_done(p, c):
        on_burst_end(p, c, now)
    else:
        review(p, c, now)


def on_machine_timer(p: Plane, m: int, now: int) -> None:
    """Bursts end on a fluid machine, or a group is out of quota."""
    t: int = fluid_finished(p, m, now)
    while t != NONE:
        on_fluid_end(p, t, now)
        t = fluid_finished(p, m, now)
    spread_speeds(p, m, now)


def on_link_timer(p: Plane, k: int, now: int) -> None:
    """A transfer has ended."""
    f: int = link_end(p, k, now)
    if f != NONE:
        pass_link(p, f, now)


def on_frame_timer(p: Plane, f: int, now: int) -> None:
    """A frame's disk access, way to a backend or to another host, delay, time to think or time for an answer is over."""
    if p.frames.way[f] != 0:
        on_way_timer(p, f, now)
        return
    pc: int = p.frames.pc[f]
    if pc == THINKING:
        arrive(p, f, now)
        return
    if pc == ENTERING:
        enter_service(p, f, now)
        return
    op: int = p.program.op[pc - 1]
    if op == OP_DISK:
        disk_end(p, disk_of(p, f, pc - 1), now)
        end_disk_wait(p, f)
    elif op == OP_FLUSH:
        p.frames.pc[f] = pc - 1
    elif op >= OP_TRY:
        on_late_timer(p, f, op, now)
        return
    elif (op == OP_IO or op == OP_ARRIVE) and goes_to_backend(p, f, pc - 1, now):
        return
    append_todo(p, f)


@rare
def on_late_timer(p: Plane, f: int, op: int, now: int) -> None:
    """A guarded call or a message has waited."""
    if op == OP_TRY or op == OP_RETRY:
        on_guard_timer(p, f, now)
    elif op == OP_DELIVER:
        on_message_timer(p, f, now)
    else:
        append_todo(p, f)


def on_way_timer(p: Plane, f: int, now: int) -> None:
    """A message between hosts has passed, is to be sent again, or its caller has waited in vain."""
    if p.frames.way[f] < IN_VAIN:
        arrive_from_away(p, f, now)
    elif p.frames.way[f] > IN_VAIN:
        if is_clients(p, f):
            knock_again(p, f, now)
        else:
            send_again(p, f, now)
    else:
        p.frames.way[f] = 0
        finish(p, f, now)


def fire_timer(p: Plane, timer: int, now: int) -> None:
    """Whose timer it is."""
    if timer >= p.run.first_frame_timer[0]:
        on_frame_timer(p, timer - p.run.first_frame_timer[0], now)
    elif timer >= p.run.first_link_timer[0]:
        on_link_timer(p, timer - p.run.first_link_timer[0], now)
    elif timer >= p.run.first_machine_timer[0]:
        on_machine_timer(p, timer - p.run.first_machine_timer[0], now)
    elif timer >= p.run.first_cpu_timer[0]:
        on_cpu_timer(p, timer - p.run.first_cpu_timer[0], now)
    else:
        m: int = p.groups.machine[timer]
        if p.machines.fluid[m] != 0:
            on_fluid_group_timer(p, timer, now)
            spread_speeds(p, m, now)
        else:
            on_group_timer(p, timer, now)


def on_arrival(p: Plane, now: int) -> None:
    """The next request of an open workload arrives."""
    f: int = new_frame(p, REQUEST, NONE, 0, now)
    take_luck(p, f, 0)
    arrive(p, f, now)


def next_arrival(p: Plane) -> int:
    """Instant of the next arrival of an open workload [ns]."""
    if p.source.clients[0] > 0 or p.source.cursor[0] >= p.source.end[0]:
        return NEVER
    return p.source.at[p.source.cursor[0]]


def release_parked(p: Plane, s: int, now: int) -> None:
    """Clients that waited for the next block of a stream think now."""
    f: int = p.source.parked[s]
    while f != NONE and p.source.cursor[s] < p.source.end[s]:
        p.source.parked[s] = p.frames.next[f]
        think(p, f, now)
        f = p.source.parked[s]


def release_clients(p: Plane, now: int) -> None:
    """Clients of all streams that waited for blocks think, after these have come."""
    p.source.fresh[0] = 0
    for s in range(p.source.streams[0]):
        release_parked(p, s, now)


def is_over(p: Plane) -> bool:
    """Whether a run that ends with its requests has answered them all."""
    if p.source.bounded[0] == 0 or p.source.ended[0] < p.source.streams[0]:
        return False
    return p.source.issued[0] == p.source.handed[0] and p.tallies.in_system[0] == 0


# --- the loop ---------------------------------------------------------------------------------------------------------


def step(p: Plane, until: int) -> int:
    """Carry out the next event before the horizon; NOTHING when there is none, NONE after one, else what is needed."""
    if p.source.lacking[0] != 0:
        return NEEDS_DEMAND
    if not has_room(p):
        return NEEDS_ROOM
    if p.source.fresh[0] != 0:
        release_clients(p, p.run.now[0])
    arrival: int = next_arrival(p)
    at: int = next_instant(p.calendar)
    if at <= arrival:
        if at >= until:
            return NOTHING
        timer: int = pop_timer(p.calendar)
        still: bool = at == p.run.now[0]
        p.run.now[0] = at
        p.run.timer[0] = timer
        fire_timer(p, timer, at)
        return after_event(p, still)
    if arrival >= until:
        return NOTHING
    p.run.now[0] = arrival
    p.run.timer[0] = NEVER
    on_arrival(p, arrival)
    return after_event(p, False)


def after_event(p: Plane, still: bool) -> int:
    """NONE, or why the control plane should look: no time passes any more, or it has not looked for long."""
    events: int = p.run.events[0] + 1
    p.run.events[0] = events
    if not still:
        p.run.repeats[0] = 0
    elif stands_still(p):
        return STANDS_STILL
    return PAUSED if (events & PAUSE_EVERY) == 0 else NONE


def stands_still(p: Plane) -> bool:
    """Count an event without time passing; whether there have been more of them in a row than any run may have."""
    p.run.repeats[0] += 1
    return p.run.repeats[0] > REPEATS + REPEATS_OF_A_FRAME * p.run.frames[0]


def run_until(p: Plane, until: int) -> int:
    """Carry out all events before the horizon, or as many as it takes for the control plane to be needed."""
    while True:
        if not settle_instant(p, p.run.now[0]):
            return NEEDS_ROOM
        if p.run.pending[0] > 0:
            return SIGNALS
        if is_over(p):
            return DONE
        reason: int = step(p, until)
        if reason == NOTHING:
            p.run.timer[0] = NONE
        if reason != NONE:
            return reason


@boundary
def advance(p: Plane, until: int) -> int:
    """Carry out all events before `until` [ns]; why it came back."""
    return run_until(p, until)


def run_traced(p: Plane, until: int) -> int:
    """As `run_until`, one instant at a time, with a look after each of them: the same events in the same order."""
    horizon: int = min(p.run.now[0] + 1, until)
    while has_room_for_a_look(p):
        reason: int = run_until(p, horizon)
        look(p, p.run.now[0])
        if reason != NOTHING:
            return reason
        at: int = min(next_instant(p.calendar), next_arrival(p))
        if at >= until:
            return NOTHING
        horizon = at + 1
    return TRACE_FULL


@boundary
def advance_traced(p: Plane, until: int) -> int:
    """Carry out all events before `until` [ns], and record what changes; why it came back."""
    return run_traced(p, until)


# --- what the control plane does --------------------------------------------------------------------------------------


@boundary
def launch_client(p: Plane, k: int, now: int) -> int:
    """Create a client that will send requests of class k and others of its stream, and waits for its first row of luck; its frame."""
    return new_client(p, k, now)


def new_client(p: Plane, k: int, now: int) -> int:
    """A client's frame, parked."""
    s: int = p.source.stream[k]
    p.run.now[0] = now
    f: int = new_frame(p, REQUEST, NONE, THINKING, now)
    p.frames.home[f] = f % p.source.homes[0]
    p.frames.category[f] = k
    p.frames.next[f] = p.source.parked[s]
    p.source.parked[s] = f
    return f


@boundary
def launch(p: Plane, kind: int, i: int, pc: int, handle: int, now: int) -> int:
    """Let an instance carry out instructions on a thread of their own, as background or performed work; the frame."""
    return new_task(p, kind, i, pc, handle, now)


def new_task(p: Plane, kind: int, i: int, pc: int, handle: int, now: int) -> int:
    """A frame without a request."""
    p.run.now[0] = now
    f: int = new_frame(p, kind, i, body_on(p, i, pc), now)
    p.frames.category[f] = handle
    clear_account(p, f)
    take_thread(p, f, i)
    append_todo(p, f)
    return f


@boundary
def set_ready(p: Plane, i: int, ready: int, now: int) -> int:
    """Put an instance into load balancing, or take it out."""
    return change_ready(p, i, ready, now)


@boundary
def set_quota(p: Plane, g: int, quota: int, now: int) -> int:
    """Give a group that has a quota another one [ns]; whether it has one."""
    return change_quota(p, g, quota, now)


@boundary
def load_link(p: Plane, k: int, bulk: float, flows: float, now: int) -> int:
    """Large transfers take so much of a link [bytes/ns], so many of them."""
    return share_link(p, k, bulk, flows, now)


@boundary
def crash(p: Plane, i: int, life: int, now: int) -> int:
    """An instance dies with all it was doing, alone or with its kernel; the number of requests lost."""
    return lose_instance(p, i, life, now)


@boundary
def freeze(p: Plane, m: int, now: int) -> int:
    """A guest's vCPUs get no time from now on."""
    return pause_guest(p, m, now)


@boundary
def thaw(p: Plane, m: int, now: int) -> int:
    """A guest's vCPUs get time again."""
    return resume_guest(p, m, now)
