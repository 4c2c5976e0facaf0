"""The end of an instance that dies: what it was doing is lost; and who takes part in load balancing."""

from simvirt.kernel.accounting import enter
from simvirt.kernel.buffering import send_on
from simvirt.kernel.calendar import clear_timer
from simvirt.kernel.constants import (
    BACKGROUND,
    BRANCH,
    GONE,
    IN_VAIN,
    LOST,
    NONE,
    OFF,
    OP_DELAY,
    OP_STALL,
    REQUEST,
    SLEEPERS,
    UNANSWERED,
    WAITING,
    WORK,
)
from simvirt.kernel.cpu import block_task
from simvirt.kernel.locks import abandon_locks
from simvirt.kernel.replicas import admit_instance, withdraw_instance
from simvirt.kernel.requests import append_todo, drop_thread, free_frame, next_in_queue
from simvirt.kernel.subscribing import join_topics, leave_topics, lose_consumer
from simvirt.kernel.tables import Plane


def change_ready(p: Plane, i: int, ready: int, now: int) -> int:
    """Whether anything changed; what takes part in load balancing takes messages too."""
    if p.run.subscriptions[0] > 0 and ready != 0:
        join_topics(p, i, now)
    elif p.run.subscriptions[0] > 0:
        leave_topics(p, i, now)
    if ready != 0:
        if p.instances.ready_slot[i] == NONE:
            admit_instance(p, i)
            send_on(p, p.instances.service[i], now)
            return 1
    elif p.instances.ready_slot[i] != NONE:
        withdraw_instance(p, i)
        return 1
    return 0


def lose_instance(p: Plane, i: int, life: int, now: int) -> int:
    """End every frame of an instance, those that wait for a call when it returns; how many requests that fails which had not failed."""
    p.run.now[0] = now
    p.instances.life[i] = life
    p.instances.debt[i] = 0.0
    if p.run.subscriptions[0] > 0:
        lose_consumer(p, i, life, now)
    lost: int = 0
    while p.instances.queue_length[i] > 0:
        f: int = next_in_queue(p, i, now)
        lost += fail(p, p.frames.root[f], life)
        append_todo(p, f)
    for g in range(p.run.frames[0]):
        if p.frames.kind[g] != NONE and p.frames.instance[g] == i and p.frames.way[g] != IN_VAIN:
            lost += lose_frame(p, g, life, now)
    return lost


def fail(p: Plane, root: int, life: int) -> int:
    """What begins at a frame cannot succeed any more; 1 where that is a request that could until now."""
    if p.frames.failed[root] != 0:
        return 0
    p.frames.failed[root] = UNANSWERED if life == GONE else LOST
    return 1 if p.frames.kind[root] == REQUEST else 0


def lose_frame(p: Plane, f: int, life: int, now: int) -> int:
    """A frame of a dead instance: its request cannot succeed, its thread stops; whether that fails one which had not failed."""
    kind: int = p.frames.kind[f]
    lost: int = fail(p, p.frames.root[f], life) if kind <= BRANCH else 0
    sleeps: bool = p.frames.lock_line[f] == SLEEPERS
    abandon_locks(p, f, now)
    t: int = p.frames.thread[f]
    computing: bool = t != NONE and p.entities.state[t] != OFF and p.entities.delayed[t] == 0
    if computing:
        block_task(p, t, now)
        enter(p, f, WAITING, now)
    if kind == WORK:
        p.frames.failed[f] = LOST
    if kind == BACKGROUND or (kind == WORK and computing):
        clear_timer(p.calendar, p.run.first_frame_timer[0] + f)
        drop_thread(p, f)
        free_frame(p, f)
    elif computing or sleeps:
        append_todo(p, f)
    elif rests(p, f):
        clear_timer(p.calendar, p.run.first_frame_timer[0] + f)
        enter(p, f, WAITING, now)
        append_todo(p, f)
    return lost


def rests(p: Plane, f: int) -> bool:
    """Whether a frame is in a delay, its own or one that reclaim makes it take, which nobody has ended yet at this instant."""
    pc: int = p.frames.pc[f]
    if pc <= 0 or p.frames.way[f] != 0 or p.frames.state[f] == WAITING:
        return False
    op: int = p.program.op[pc - 1]
    return op == OP_DELAY or op == OP_STALL
