"""Teams: threads that compute a step together, region by region, and wait for each other at a barrier at the end of each.

*Model*: who comes to the barrier before others computes for as long as it spins, and then sleeps; the last one ends the spins
    and wakes the sleepers, which need a CPU before they go on. What is spun is CPU time like any other: it uses up quotas, and
    goes on while others of the team are throttled, preempted or wait for a CPU. The time of a region is that of its last member.
*Ignores*: that barriers of many threads are trees and take longer; work that is unequally divided; that who spins yields.
*Source*: OpenMP API 5.2, section 15.3 (barrier); libgomp, OMP_WAIT_POLICY and GOMP_SPINCOUNT; LLVM and Intel OpenMP, KMP_BLOCKTIME.
"""

from simvirt.kernel.accounting import enter, mark_wait
from simvirt.kernel.constants import CPU, LOCK, N_CATEGORIES, NONE, OFF, OP_BARRIER, OP_REST, RUN_QUEUE, SPINS, STEAL
from simvirt.kernel.eventloops import compute
from simvirt.kernel.fluid import fluid_book, fluid_settle
from simvirt.kernel.locks import cut_spin
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import append_todo
from simvirt.kernel.tables import Plane

AFTER_REST = 2  # instructions from OP_BARRIER to what waking up takes
AFTER_BARRIER = 3  # and to what follows


@rare
def run_team_instruction(p: Plane, f: int, pc: int, now: int) -> bool:
    """Carry out an instruction of a team's member; whether it can go on at once."""
    op: int = p.program.op[pc]
    if op == OP_BARRIER:
        return reach_barrier(p, f, pc, now)
    if op == OP_REST:
        p.frames.pc[f] = pc - 1 + AFTER_REST
        enter(p, f, LOCK, now)
        return False
    end_round(p, f, pc)
    return True


def reach_barrier(p: Plane, f: int, pc: int, now: int) -> bool:
    """A member has done its part of a region; whether it can go on at once."""
    if comes_last(p, f):
        pass_barrier(p, f, pc, now)
        return True
    wait_at_barrier(p, f)
    if p.program.amount[pc] > 0.0:
        begin_spin(p, f, pc)
        compute(p, f, now)
    else:
        p.frames.pc[f] = pc + AFTER_REST
        enter(p, f, LOCK, now)
    return False


@rare
def goes_on_computing(p: Plane, f: int, pc: int, now: int) -> bool:
    """Whether a member goes on at a barrier, or spins there, without giving up its CPU."""
    if comes_last(p, f):
        pass_barrier(p, f, pc, now)
        return True
    if p.program.amount[pc] <= 0.0:
        return False
    wait_at_barrier(p, f)
    begin_spin(p, f, pc)
    return True


def comes_last(p: Plane, f: int) -> bool:
    """Whether all other members of a frame's team wait at the barrier."""
    parent: int = p.frames.parent[f]
    return p.frames.team_waits[parent] + 1 >= p.frames.pending[parent]


def wait_at_barrier(p: Plane, f: int) -> None:
    """A member is noted at the barrier of its team."""
    parent: int = p.frames.parent[f]
    p.frames.team_next[f] = p.frames.team_first[parent]
    p.frames.team_first[parent] = f
    p.frames.team_waits[parent] += 1


def begin_spin(p: Plane, f: int, pc: int) -> None:
    """What a member computes at the barrier is a wait."""
    p.frames.work[f] = p.program.amount[pc]
    p.frames.overhead[f] = SPINS
    p.frames.pc[f] = pc + 1


def pass_barrier(p: Plane, f: int, pc: int, now: int) -> None:
    """The last member has come: it and all others go on, with its account, for theirs was the same wait."""
    enter(p, f, p.frames.state[f], now)
    p.frames.pc[f] = pc + AFTER_BARRIER
    g: int = p.frames.team_first[p.frames.parent[f]]
    while g != NONE:
        book_up_to(p, g, now)
        for k in range(N_CATEGORIES):
            p.frames.spent[g * N_CATEGORIES + k] = p.frames.spent[f * N_CATEGORIES + k]
        g = p.frames.team_next[g]
    release_team(p, p.frames.parent[f], now)


def book_up_to(p: Plane, f: int, now: int) -> None:
    """Book the time of a frame that stays in its state."""
    state: int = p.frames.state[f]
    t: int = p.frames.thread[f]
    if state == CPU and p.machines.fluid[p.entities.machine[t]] != 0 and p.entities.state[t] != OFF:
        fluid_settle(p, p.entities.machine[t], now)
        fluid_book(p, t, CPU, now)
    elif state == RUN_QUEUE or state == STEAL:
        mark_wait(p, f, state, now)
    else:
        enter(p, f, state, now)


@rare
def release_team(p: Plane, parent: int, now: int) -> None:
    """Let all members go on that wait at the barrier of a team: those that spin at once, those that sleep when they have a CPU."""
    g: int = p.frames.team_first[parent]
    p.frames.team_first[parent] = NONE
    p.frames.team_waits[parent] = 0
    while g != NONE:
        after: int = p.frames.team_next[g]
        if p.program.op[p.frames.pc[g]] == OP_REST:
            p.frames.pc[g] += AFTER_BARRIER - 1
            cut_spin(p, g, now)
        else:
            append_todo(p, g)
        g = after


@rare
def end_round(p: Plane, f: int, pc: int) -> None:
    """A member has passed the last barrier of a region: it begins the next one, or has done them all."""
    p.frames.pending[f] += 1
    if p.frames.pending[f] < p.program.entry[pc]:
        p.frames.pc[f] = p.program.target[pc]
    else:
        p.frames.pending[f] = 0
