"""Event loops: threads that compute for any number of requests, one segment at a time.

*Model*: a request of an event loop has no thread of its own. When it is to compute it takes a loop that is free, or waits in
    line, first come, first served; when it waits for a call, a device or a delay, the loop turns to the next in line without
    sleeping. What follows the wait queues again. All loops of a replica serve one line.
*Ignores*: that a connection stays with the loop that accepted it; that a page fault stops the whole loop; what looking for
    events costs.
*Source*: libuv, "Design overview" (the I/O loop); Schmidt et al., Pattern-Oriented Software Architecture 2 (Reactor).
"""

from simvirt.kernel.constants import BRANCH, NONE, OFF, QUEUE
from simvirt.kernel.accounting import enter
from simvirt.kernel.cpu import try_to_wake_up
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import append_todo, count_threads, drop_thread, join_queue, next_in_queue, take_thread
from simvirt.kernel.tables import Plane


def compute(p: Plane, f: int, now: int) -> None:
    """Let a frame's burst begin: on its own thread, or on an event loop as soon as one is free."""
    if p.frames.thread[f] == NONE and not take_loop(p, f, now):
        return
    try_to_wake_up(p, p.frames.thread[f], now)


@rare
def take_loop(p: Plane, f: int, now: int) -> bool:
    """Give a frame a free loop of its instance, or a place in line; whether it has a loop."""
    i: int = p.frames.instance[f]
    if p.instances.busy_threads[i] < p.instances.threads[i]:
        count_threads(p, i, 1, now)
        take_thread(p, f, i)
        return True
    enter(p, f, QUEUE, now)
    join_queue(p, f, i)
    return False


def holds_loop(p: Plane, f: int) -> bool:
    """Whether a frame's thread is an event loop, which serves others while the frame waits."""
    if p.run.loops[0] == 0 or p.frames.thread[f] == NONE or p.frames.kind[f] > BRANCH:
        return False
    return p.instances.loops[p.frames.instance[f]] != 0


def yield_loop(p: Plane, f: int, now: int) -> None:
    """A frame that no longer computes gives up its loop, if it holds one."""
    if p.run.loops[0] == 0:
        return
    t: int = p.frames.thread[f]
    if holds_loop(p, f) and (p.entities.state[t] == OFF or p.entities.delayed[t] != 0):
        leave_loop(p, f, now)


@rare
def leave_loop(p: Plane, f: int, now: int) -> None:
    """A loop turns from a frame to the next one in line, or sleeps."""
    i: int = p.frames.instance[f]
    drop_thread(p, f)
    while p.instances.queue_length[i] > 0:
        g: int = next_in_queue(p, i, now)
        if p.frames.failed[p.frames.root[g]] == 0:
            take_thread(p, g, i)
            try_to_wake_up(p, p.frames.thread[g], now)
            return
        append_todo(p, g)
    count_threads(p, i, -1, now)
