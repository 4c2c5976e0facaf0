"""Locks that one thread at a time can hold: of a replica, or of a kernel, for all replicas in it.

*Model*: who finds a lock held first computes, as long as it is said to spin, and looks whether it is free; then it sleeps in line.
    A release ends the spin of the first that spins on a CPU, and wakes the first in line, which needs a CPU before it
    can try again, so that others may take the lock meanwhile; to one that was too late once it is handed over. A holder keeps the
    lock while it is preempted, throttled or waits.
    In replicas with event loops a request waits in line without a loop.
*Ignores*: what a release costs the holder; priority inheritance; readers that share a lock; that who spins takes the cache line.
*Source*: Drepper, "Futexes are tricky", 2011 (who is woken competes again); glibc nptl/pthread_mutex_lock.c (adaptive mutexes);
    Linux kernel/locking/mutex.c (handoff to a waiter that was too late).
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.constants import CURRENT, KERNEL_LOCK, LOCK, NONE, OFF, OP_LOCK, OP_PARK, SLEEPERS, SPINNERS, SPINS
from simvirt.kernel.cpu import block_task
from simvirt.kernel.eventloops import compute
from simvirt.kernel.hierarchy import charge
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import append_todo
from simvirt.kernel.running import arm
from simvirt.kernel.tables import Plane

AFTER_LOCK = 4  # instructions from OP_LOCK to what is done while it is held
AFTER_PARK = 3


def lock_of(p: Plane, f: int, pc: int) -> int:
    """The lock that an instruction names, as the frame's instance or its kernel has it."""
    i: int = p.frames.instance[f]
    if p.program.flag[pc] == KERNEL_LOCK:
        return p.machines.first_lock[p.instances.machine[i]] + p.program.target[pc]
    return p.instances.first_lock[i] + p.program.target[pc]


def take_lock(p: Plane, f: int, n: int, now: int) -> None:
    """A frame holds a free lock."""
    p.locks.holder[n] = f
    p.locks.below[n] = p.frames.held_lock[f]
    p.locks.taken_at[n] = now
    p.frames.held_lock[f] = n


@rare
def run_lock_instruction(p: Plane, f: int, pc: int, now: int) -> bool:
    """Carry out an instruction about a lock; whether the frame can go on at once."""
    op: int = p.program.op[pc]
    if op == OP_LOCK:
        return acquire(p, f, pc, now)
    if op == OP_PARK:
        return park(p, f, pc, now)
    unlock(p, f, now)
    return True


def may_pass(p: Plane, f: int, pc: int) -> bool:
    """Whether a frame that computes need not give up its CPU at a lock: it is free, or to be spun for."""
    n: int = lock_of(p, f, pc)
    free: bool = p.locks.holder[n] == NONE or p.locks.holder[n] == f
    return free or (p.program.amount[pc] > 0.0 and p.frames.lock[f] == NONE)


def acquire(p: Plane, f: int, pc: int, now: int) -> bool:
    """Take a lock, spin for it, or sleep until it may be free; whether the frame can go on at once."""
    if takes_or_spins(p, f, pc, now):
        if p.frames.lock_line[f] == NONE:
            return True
        compute(p, f, now)
    else:
        enter(p, f, LOCK, now)
    return False


@rare
def takes_or_spins(p: Plane, f: int, pc: int, now: int) -> bool:
    """Whether a frame holds a lock now, or has a burst of spinning for it; else it is in line and is to sleep."""
    n: int = lock_of(p, f, pc)
    late: bool = p.frames.lock[f] == n
    p.frames.lock[f] = NONE
    if p.locks.holder[n] == NONE:
        take_lock(p, f, n, now)
    if p.locks.holder[n] == f:
        p.frames.pc[f] = pc + AFTER_LOCK
        return True
    p.frames.lock[f] = n
    if late:
        stand_first(p, f)
        p.frames.pc[f] = pc + 2
        return False
    if p.program.amount[pc] <= 0.0:
        join_line(p, f, SLEEPERS)
        p.frames.pc[f] = pc + 2
        return False
    join_line(p, f, SPINNERS)
    p.frames.work[f] = p.program.amount[pc]
    p.frames.overhead[f] = SPINS
    p.frames.pc[f] = pc + 1
    return True


def park(p: Plane, f: int, pc: int, now: int) -> bool:
    """A frame has spun: it takes the lock if that is free, or sleeps in line; whether it can go on at once."""
    if takes_after_spin(p, f, pc, now):
        return True
    n: int = p.frames.lock[f]
    late: bool = p.frames.lock_line[f] == NONE
    leave_line(p, f)
    p.frames.lock[f] = n
    if late:
        stand_first(p, f)
    else:
        join_line(p, f, SLEEPERS)
    p.frames.pc[f] = pc + 1
    enter(p, f, LOCK, now)
    return False


@rare
def takes_after_spin(p: Plane, f: int, pc: int, now: int) -> bool:
    """Whether a frame that has spun holds the lock now."""
    n: int = p.frames.lock[f]
    if p.locks.holder[n] != NONE:
        return False
    leave_line(p, f)
    take_lock(p, f, n, now)
    p.frames.pc[f] = pc + AFTER_PARK
    return True


@rare
def unlock(p: Plane, f: int, now: int) -> None:
    """A frame gives up the lock that it took last."""
    n: int = p.frames.held_lock[f]
    p.frames.held_lock[f] = p.locks.below[n]
    p.locks.holder[n] = NONE
    p.locks.held[n] += now - p.locks.taken_at[n]
    pass_on(p, n, now)


def pass_on(p: Plane, n: int, now: int) -> None:
    """Let others try to take a lock that is free: the first that spins on a CPU, and the first in line; else the first preempted spinner.

    Where the first in line has been too late once, the lock is handed over to it.
    """
    if p.locks.handed[n] != 0 and p.locks.head[2 * n + SLEEPERS] != NONE:
        hand_lock_over(p, n, now)
        return
    f: int = first_on_cpu(p, n)
    if f == NONE and p.locks.head[2 * n + SLEEPERS] == NONE:
        f = p.locks.head[2 * n + SPINNERS]
    if f != NONE:
        leave_line(p, f)
        p.frames.lock[f] = n
        cut_spin(p, f, now)
    f = p.locks.head[2 * n + SLEEPERS]
    if f != NONE:
        leave_line(p, f)
        p.frames.lock[f] = n
        append_todo(p, f)


def hand_lock_over(p: Plane, n: int, now: int) -> None:
    """The first in line holds the lock from now on, and wakes up."""
    f: int = p.locks.head[2 * n + SLEEPERS]
    leave_line(p, f)
    take_lock(p, f, n, now)
    p.locks.handed[n] = 0
    append_todo(p, f)


def first_on_cpu(p: Plane, n: int) -> int:
    """The first frame that spins for a lock on a CPU which runs; NONE without any."""
    f: int = p.locks.head[2 * n + SPINNERS]
    while f != NONE:
        t: int = p.frames.thread[f]
        if t != NONE and p.machines.fluid[p.entities.machine[t]] != 0:
            return f
        if t != NONE and p.entities.state[t] == CURRENT and p.cpus.speed[p.entities.cpu[t]] > 0.0:
            return f
        f = p.frames.lock_next[f]
    return NONE


def cut_spin(p: Plane, f: int, now: int) -> None:
    """The burst of a frame that spins ends: at once where it runs, else as soon as it does."""
    t: int = p.frames.thread[f]
    if t == NONE or p.entities.state[t] == OFF:
        p.frames.work[f] = 0.0
    elif p.machines.fluid[p.entities.machine[t]] != 0:
        block_task(p, t, now)
        append_todo(p, f)
    else:
        c: int = p.entities.cpu[t]
        charge(p, c, now)
        p.frames.work[f] = 0.0
        if p.cpus.current[c] == t:
            arm(p, c, now)


@rare
def abandon_locks(p: Plane, f: int, now: int) -> None:
    """A frame ends: it gives up what it holds, and its place in line; one that was to try a free lock lets another one."""
    while p.frames.held_lock[f] != NONE:
        unlock(p, f, now)
    n: int = p.frames.lock[f]
    if n == NONE:
        return
    woken: bool = p.frames.lock_line[f] == NONE
    leave_line(p, f)
    if woken and p.locks.holder[n] == NONE:
        pass_on(p, n, now)


# --- the lines of a lock ----------------------------------------------------------------------------------------------------


def join_line(p: Plane, f: int, line: int) -> None:
    """Stand last in one of the lines of the lock that a frame waits for."""
    at: int = 2 * p.frames.lock[f] + line
    last: int = p.locks.tail[at]
    p.frames.lock_line[f] = line
    p.frames.lock_next[f] = NONE
    p.frames.lock_prev[f] = last
    p.locks.tail[at] = f
    if last == NONE:
        p.locks.head[at] = f
    else:
        p.frames.lock_next[last] = f


def stand_first(p: Plane, f: int) -> None:
    """Stand first among those that sleep in line for the lock that a frame waits for, to be handed it over."""
    n: int = p.frames.lock[f]
    at: int = 2 * n + SLEEPERS
    first: int = p.locks.head[at]
    p.frames.lock_line[f] = SLEEPERS
    p.frames.lock_prev[f] = NONE
    p.frames.lock_next[f] = first
    p.locks.head[at] = f
    p.locks.handed[n] = 1
    if first == NONE:
        p.locks.tail[at] = f
    else:
        p.frames.lock_prev[first] = f


def leave_line(p: Plane, f: int) -> None:
    """Leave the line, if the frame stands in one, and forget the lock."""
    if p.frames.lock_line[f] != NONE:
        at: int = 2 * p.frames.lock[f] + p.frames.lock_line[f]
        after: int = p.frames.lock_next[f]
        before: int = p.frames.lock_prev[f]
        if after == NONE:
            p.locks.tail[at] = before
        else:
            p.frames.lock_prev[after] = before
        if before == NONE:
            p.locks.head[at] = after
        else:
            p.frames.lock_next[before] = after
        p.frames.lock_line[f] = NONE
    p.frames.lock[f] = NONE
