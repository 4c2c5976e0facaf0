"""What a frame does next: compute, call, fan out, join, wait for a device, return.

A frame that can go on is put on the list of the instant (`later`) and goes on when the event at hand is settled, first
come, first served; so an event has no depth, and the order of what happens at one instant is written down in one place
(`settle_instant`).
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.arrivals import end_request
from simvirt.kernel.buffering import find_none
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import (
    BACKGROUND,
    BRANCH,
    CALLEE,
    CPU,
    FLUSHES,
    LONGEST,
    NETWORK,
    NONE,
    OP_ADAPT,
    OP_ADMIT,
    OP_ARRIVE,
    OP_ASK,
    OP_BARRIER,
    OP_BELL,
    OP_CALL,
    OP_CPU,
    OP_DELAY,
    OP_DETACH,
    OP_DISK,
    OP_FLUSH,
    OP_FORK,
    OP_FREE,
    OP_IO,
    OP_JUMP,
    OP_LOCK,
    OP_NET,
    OP_PARK,
    OP_REPEAT,
    OP_REST,
    OP_RETURN,
    OP_ROUND,
    OP_SHED,
    OP_SKIP,
    OP_STALL,
    OP_TRY,
    OP_UNLOCK,
    REQUEST,
    WAITING,
    WORK,
    WORK_DONE,
)
from simvirt.kernel.cpu import block_current
from simvirt.kernel.crossing import answer_away, call_away, goes_back
from simvirt.kernel.doors import holds_answer
from simvirt.kernel.devices import begin_io, call_instance, detach, ring_bell
from simvirt.kernel.eventloops import compute, holds_loop, leave_loop, yield_loop
from simvirt.kernel.faults import first_instruction, past_idle_faults, run_memory_instruction
from simvirt.kernel.guarding import run_guard_instruction
from simvirt.kernel.idling import begin_disk_wait
from simvirt.kernel.running import arm
from simvirt.kernel.fluid import fluid_sleep, fluid_wake
from simvirt.kernel.locks import abandon_locks, may_pass, run_lock_instruction, takes_after_spin, takes_or_spins, unlock
from simvirt.kernel.network import link_begin
from simvirt.kernel.replicas import choose_callee
from simvirt.kernel.requests import (
    clear_account,
    draw,
    drop_thread,
    end_in_flight,
    free_frame,
    host_of,
    is_worker,
    append_todo,
    leave_instance,
    merge_branch,
    new_frame,
    next_in_queue,
    assign_thread,
    body_on,
    signal,
    take_thread,
    tally_call,
)
from simvirt.kernel.silence import waits_in_vain
from simvirt.kernel.storage import disk_begin, disk_of
from simvirt.kernel.tables import Plane
from simvirt.kernel.teams import end_round, goes_on_computing, release_team, run_team_instruction
from simvirt.kernel.volumes import ask_server
from simvirt.kernel.writeback import buffer_write, flush, take_file


# --- steps ------------------------------------------------------------------------------------------------------------


def set_burst(p: Plane, f: int, pc: int) -> bool:
    """Take a CPU step's work: the demand and what the platform adds, kicks and interrupts too; whether there is any."""
    demand: float = draw(p, f, p.program.column[pc], p.program.amount[pc]) * p.program.pace[pc]
    extra: float = p.program.fixed[pc] + p.program.ratio[pc] * demand
    i: int = p.frames.instance[f]
    if p.instances.debt[i] > 0.0 and p.frames.kind[f] != BACKGROUND:
        extra += p.instances.debt[i]
        p.instances.debt[i] = 0.0
    work: float = demand + extra
    p.frames.work[f] = work
    p.frames.overhead[f] = extra / work if extra > 0.0 else 0.0
    return work > 0.0


def skips(p: Plane, f: int, pc: int) -> bool:
    """Whether a step with a probability is left out this time, or one that a page cache saves."""
    often: float = p.program.amount[pc]
    if p.program.asked[pc] != NONE:
        often = p.misses.ratio[host_of(p, f) * p.misses.asked[0] + p.program.asked[pc]]
    return draw(p, f, p.program.column[pc], 0.0) >= often


def proceed(p: Plane, f: int, now: int) -> None:
    """Carry a frame on until it has to wait."""
    going: bool = True
    while going:
        if p.frames.failed[p.frames.root[f]] != 0 and (p.frames.kind[f] <= BRANCH or p.frames.kind[f] == WORK):
            if not waits_in_vain(p, f, now):
                finish(p, f, now)
            return
        pc: int = p.frames.pc[f]
        p.frames.pc[f] = pc + 1
        going = perform(p, f, pc, now)
    yield_loop(p, f, now)


def perform(p: Plane, f: int, pc: int, now: int) -> bool:
    """Carry out one instruction; whether the frame can go on at once."""
    op: int = p.program.op[pc]
    if op == OP_CPU:
        if not set_burst(p, f, pc):
            return True
        compute(p, f, now)
    elif op == OP_CALL:
        call(p, f, pc, now)
    elif op == OP_RETURN:
        finish(p, f, now)
    elif op == OP_SKIP:
        if skips(p, f, pc):
            p.frames.pc[f] = p.program.target[pc]
        return True
    elif op == OP_JUMP:
        p.frames.pc[f] = p.program.target[pc]
        return True
    elif op == OP_FORK:
        fork(p, f, pc, now)
    elif op == OP_DISK:
        return use_disk(p, f, pc, now)
    elif op == OP_NET:
        enter(p, f, NETWORK, now)
        link_begin(p, f, p.hosts.first_link[host_of(p, f)] + p.program.target[pc], p.program.amount[pc], now)
    elif op == OP_DELAY:
        return pause(p, f, pc, now)
    elif op == OP_IO or op == OP_ARRIVE:
        return begin_io(p, f, pc, now)
    elif op == OP_FLUSH:
        return flush(p, f, pc, now)
    elif op == OP_ADMIT:
        assign_thread(p, f, now)
    elif op == OP_FREE:
        leave_instance(p, f, now)
        return True
    elif op == OP_BELL:
        ring_bell(p, f, pc, now)
        return True
    elif op == OP_DETACH:
        detach(p, f, pc, now)
        return True
    elif op == OP_LOCK or op == OP_PARK or op == OP_UNLOCK:
        return run_lock_instruction(p, f, pc, now)
    elif op == OP_BARRIER or op == OP_REST or op == OP_ROUND:
        return run_team_instruction(p, f, pc, now)
    elif op == OP_ASK:
        ask_server(p, f, pc, now)
    elif op >= OP_TRY:
        return run_guard_instruction(p, f, pc, now)
    else:
        return run_memory_instruction(p, f, pc, now)
    return False


def pause(p: Plane, f: int, pc: int, now: int) -> bool:
    """Wait for a stated time in a stated state; whether it was none."""
    time: int = int(min(draw(p, f, p.program.column[pc], p.program.amount[pc]), LONGEST) + 0.5)
    if time <= 0:
        return True
    enter(p, f, p.program.flag[pc], now)
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + time)
    return False


def use_disk(p: Plane, f: int, pc: int, now: int) -> bool:
    """Read or write; whether the frame can go on at once."""
    if p.program.flag[pc] == 1:
        return buffer_write(p, f, pc, now)
    d: int = disk_of(p, f, pc)
    if p.program.flag[pc] == FLUSHES:
        take_file(p, f, d)
    begin_disk_wait(p, f)
    disk_begin(p, f, d, now)
    return False


def call(p: Plane, f: int, pc: int, now: int) -> None:
    """Call another service and wait for its answer."""
    root: int = p.frames.root[f]
    i: int = choose_callee(p, f, pc)
    if i == NONE:
        find_none(p, f, p.program.target[pc], root, now)
    elif host_of(p, f) != p.machines.host[p.instances.machine[i]]:
        call_away(p, f, i, body_on(p, i, p.program.beyond[pc]), pc, now)
    else:
        call_instance(p, f, i, way(p, p.frames.instance[f], i, pc), now)


def way(p: Plane, caller: int, callee: int, pc: int) -> int:
    """First instruction of a callee as it is met from where its caller stands: in the same kernel, or in another of the same host."""
    same: bool = p.instances.machine[caller] == p.instances.machine[callee]
    return p.program.inside[pc] if same else p.program.entry[pc]


def fork(p: Plane, f: int, pc: int, now: int) -> None:
    """Start all branches of a parallel step and wait for the last one."""
    enter(p, f, WAITING, now)
    i: int = p.frames.instance[f]
    first: int = p.program.target[pc]
    p.frames.pending[f] = p.program.entry[pc]
    for b in range(first, first + p.program.entry[pc]):
        g: int = new_frame(p, BRANCH, i, p.program.branches[b], now)
        clear_account(p, g)
        p.frames.root[g] = p.frames.root[f]
        p.frames.parent[g] = f
        if p.instances.loops[i] == 0:
            take_thread(p, g, i)
        append_todo(p, g)


# --- ends -------------------------------------------------------------------------------------------------------------


def finish(p: Plane, f: int, now: int) -> None:
    """A frame is over: its thread turns to the next in line, its caller goes on, its request is booked."""
    enter(p, f, WAITING, now)
    kind: int = p.frames.kind[f]
    if p.frames.held_lock[f] != NONE or p.frames.lock[f] != NONE:
        abandon_locks(p, f, now)
    if holds_loop(p, f):
        leave_loop(p, f, now)
    if is_worker(p, f):
        tally_call(p, f, now)
        leave_instance(p, f, now)
    drop_thread(p, f)
    parent: int = p.frames.parent[f]
    if p.run.shut[0] != 0 and kind <= CALLEE and holds_answer(p, f, now):
        return
    if kind == CALLEE:
        if parent != NONE and goes_back(p, f, parent):
            answer_away(p, f, parent, now)
            return
        if parent != NONE:
            append_todo(p, parent)
    elif kind == BRANCH:
        join_branches(p, f, parent, now)
    elif kind == WORK:
        signal(p, WORK_DONE, p.frames.category[f])
    elif kind == REQUEST:
        end_request(p, f, now)
        return
    free_frame(p, f)


def join_branches(p: Plane, f: int, parent: int, now: int) -> None:
    """A branch is over; the last one lets the parent go on. Where it fails, others of its team need not wait for it at a barrier."""
    p.frames.pending[parent] -= 1
    if p.frames.team_first[parent] != NONE:
        release_team(p, parent, now)
    if p.frames.pending[parent] == 0:
        merge_branch(p, f)
        append_todo(p, parent)


# --- the CPU's and a fluid machine's timers ---------------------------------------------------------------------------


def next_burst(p: Plane, f: int, now: int) -> bool:
    """Whether a frame goes on computing without giving up its CPU; then its burst is set."""
    pc: int = p.frames.pc[f]
    while p.frames.failed[p.frames.root[f]] == 0:
        op: int = p.program.op[pc]
        if op == OP_CPU:
            if set_burst(p, f, pc):
                p.frames.pc[f] = pc + 1
                return True
            pc += 1
        elif op == OP_SKIP:
            pc = p.program.target[pc] if skips(p, f, pc) else pc + 1
        elif op == OP_JUMP:
            pc = p.program.target[pc]
        elif op == OP_BELL:
            ring_bell(p, f, pc, now)
            pc += 1
        elif op == OP_UNLOCK:
            unlock(p, f, now)
            pc += 1
        elif op == OP_LOCK or op == OP_PARK:
            p.frames.pc[f] = pc
            if not passes_lock(p, f, pc, now):
                return False
            if p.frames.lock_line[f] != NONE:
                return True
            pc = p.frames.pc[f]
        elif op == OP_BARRIER:
            p.frames.pc[f] = pc
            if not goes_on_computing(p, f, pc, now):
                return False
            if p.program.op[p.frames.pc[f]] == OP_REST:
                return True
            pc = p.frames.pc[f]
        elif op == OP_ROUND:
            p.frames.pc[f] = pc + 1
            end_round(p, f, pc)
            pc = p.frames.pc[f]
        elif OP_STALL <= op <= OP_REPEAT and past_idle_faults(p, f, pc) != pc:
            pc = past_idle_faults(p, f, pc)
        elif op == OP_ADAPT or op == OP_SHED:
            run_guard_instruction(p, f, pc, now)
            pc += 1
        else:
            p.frames.pc[f] = pc
            return False
    return False


def passes_lock(p: Plane, f: int, pc: int, now: int) -> bool:
    """Whether a frame goes on at a lock, or spins, without giving up its CPU."""
    if p.program.op[pc] == OP_PARK:
        return takes_after_spin(p, f, pc, now)
    return may_pass(p, f, pc) and takes_or_spins(p, f, pc, now)


def on_burst_end(p: Plane, c: int, now: int) -> None:
    """The current thread of a CPU has done its burst: it computes on, takes the next call in line, or sleeps."""
    t: int = p.cpus.current[c]
    f: int = p.entities.frame[t]
    enter(p, f, CPU, now)
    if next_burst(p, f, now):
        arm(p, c, now)
        return
    i: int = p.frames.instance[f]
    op: int = p.program.op[p.frames.pc[f]]
    ends: bool = (op == OP_RETURN or op == OP_FREE) and is_worker(p, f) and p.instances.loops[i] == 0
    if ends and p.instances.queue_length[i] > 0 and p.program.op[first_instruction(p, i)] == OP_CPU:
        hand_over(p, t, f, i, c, now)
        return
    p.cpus.deciding[c] = 1
    p.run.decider[0] = c
    block_current(p, c, now)
    append_todo(p, f)


def hand_over(p: Plane, t: int, f: int, i: int, c: int, now: int) -> None:
    """A worker thread finishes one call and computes on with the next, without sleeping."""
    g: int = next_in_queue(p, i, now)
    p.frames.thread[f] = NONE
    p.frames.thread[g] = t
    p.entities.frame[t] = g
    end_in_flight(p, f)
    append_todo(p, f)
    if next_burst(p, g, now):
        enter(p, g, CPU, now)
        arm(p, c, now)
        return
    p.cpus.deciding[c] = 1
    p.run.decider[0] = c
    block_current(p, c, now)
    append_todo(p, g)


def on_fluid_end(p: Plane, t: int, now: int) -> None:
    """A thread of a fluid machine has done its burst."""
    f: int = p.entities.frame[t]
    fluid_sleep(p, t, now)
    if next_burst(p, f, now):
        fluid_wake(p, t, now)
    else:
        append_todo(p, f)
