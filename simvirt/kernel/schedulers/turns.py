"""Turns: how long the current entity of a queue has had the CPU since the queue gave it to it.

Model: each queue counts the turn of its own current entity, in CPU time, so that a group's turn goes on while others of
    the group take over by preemption. It ends when the task that ran has left the CPU of its own accord, as schedulers
    choose among all that wait then. A vCPU that its host has stopped uses nothing of its turn up.
Source: Linux kernel/sched/rt.c, task_tick_rt, dequeue_rt_entity (groups that stay runnable go to the end of the line) and
    kernel/sched/fair.c, set_next_entity (prev_sum_exec_runtime of each level); Xen xen/common/sched/credit2.c,
    runq_candidate (the rate limit protects a vCPU that is still runnable).
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.tables import Plane


def turn_begins(p: Plane, q: int, e: int) -> None:
    """An entity has the CPU from now on."""
    p.entities.turn[e] = 0


def turn_goes_on(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """The current entity has run."""
    p.entities.turn[e] += now - since


def turn_is_over(p: Plane, q: int, e: int, length: int) -> bool:
    """Whether the current entity of a queue has had its turn, or what ran there has left."""
    return p.entities.turn[e] >= length or p.cpus.current[p.queues.cpu[q]] == NONE


def turn_left(p: Plane, e: int, length: int) -> int:
    """CPU time until the end of a turn [ns]."""
    return max(length - p.entities.turn[e], 1)
