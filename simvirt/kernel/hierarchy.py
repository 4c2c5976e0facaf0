"""Run queues at every level: who competes on a CPU, with what weight, and what running costs them.

A machine (the host, a guest) has CPUs; a queue per CPU, and one per (group, CPU), hold entities: threads, vCPUs and
group entities.
"""

from simvirt.kernel.coasting import stop_coasting
from simvirt.kernel.constants import NONE, OFF, WEIGHT_ONE
from simvirt.kernel.placement import list_overloaded
from simvirt.kernel.policy import charged, finish_delayed, join, join_current, leave, reweigh, wake_delayed
from simvirt.kernel.quota import give_back, has_runtime, mark_throttled
from simvirt.kernel.tables import Plane


def charge(p: Plane, c: int, now: int) -> None:
    """Book the current entity's time on a CPU since the last look: work, vruntimes, runtime of its groups."""
    if p.cpus.coasting[c] != NONE:
        stop_coasting(p, c, now)
    since: int = p.cpus.charged_at[c]
    e: int = p.cpus.current[c]
    if e == NONE or now <= since:
        return
    p.cpus.charged_at[c] = now
    if p.cpus.speed[c] > 0.0:
        book_time(p, c, e, since, now)


def book_time(p: Plane, c: int, e: int, since: int, now: int) -> None:
    """Book what a CPU that ran all the time since has done."""
    speed: float = p.cpus.speed[c]
    elapsed: int = now - since
    if p.entities.carries[e] == NONE:
        used: int = elapsed
        if p.cpus.portion[c] < 1.0:
            exact: float = elapsed * p.cpus.portion[c] + p.cpus.rest[c]
            used = int(exact)
            p.cpus.rest[c] = exact - used
        p.frames.work[p.entities.frame[e]] -= elapsed * speed
        p.instances.cpu_time[p.entities.instance[e]] += used
    if p.cpus.lone[c] != 0:
        p.cpus.ran[c] += elapsed
        charge_quota(p, p.entities.group[e], p.entities.queue[e], elapsed)
    else:
        charge_queues(p, e, since, now)


def charge_quota(p: Plane, g: int, q: int, elapsed: int) -> None:
    """Let the runtime of a limited group's queue shrink."""
    if g != NONE and p.groups.quota[g] > 0:
        p.queues.runtime[q] -= elapsed


def charge_queues(p: Plane, e: int, since: int, now: int) -> None:
    """Let the vruntime of an entity and of its group entities grow, and the groups' runtime shrink."""
    elapsed: int = now - since
    q: int = p.entities.queue[e]
    while q != NONE:
        p.entities.vruntime[e] += elapsed * WEIGHT_ONE / p.entities.weight[e]
        charged(p, q, e, since, now)
        charge_quota(p, p.queues.group[q], q, elapsed)
        e = q
        q = p.queues.parent[q]


def settle(p: Plane, c: int, now: int) -> None:
    """Charge a CPU before its run queues change; a task that had it alone so far joins them as if it always had."""
    charge(p, c, now)
    if p.cpus.lone[c] == 0:
        return
    p.cpus.lone[c] = 0
    e: int = p.cpus.current[c]
    q: int = p.entities.queue[e]
    if q != c:
        p.queues.tasks[q] += 1
        p.entities.weight[q] = group_weight(p, q)
        catch_up(p, q, e, p.cpus.ran[c], now)
        e = q
    catch_up(p, c, e, p.cpus.ran[c], now)


def settle_core(p: Plane, c: int, now: int) -> None:
    """Charge all threads of a core."""
    settle(p, c, now)
    s: int = p.cpus.sibling[c]
    while s != c:
        settle(p, s, now)
        s = p.cpus.sibling[s]


def catch_up(p: Plane, q: int, e: int, ran: int, now: int) -> None:
    """An entity joins an empty queue as its current one, and is charged what it has run."""
    join_current(p, q, e, now)
    p.entities.vruntime[e] += ran * WEIGHT_ONE / p.entities.weight[e]
    charged(p, q, e, now - ran, now)


def home_queue(p: Plane, e: int, c: int) -> int:
    """Queue of an entity on a CPU: its group's, or the root."""
    g: int = p.entities.group[e]
    if g == NONE:
        return c
    return p.groups.first_queue[g] + c - p.machines.first_cpu[p.groups.machine[g]]


def group_weight(p: Plane, q: int) -> float:
    """Weight of a group's entity on a CPU: the group's shares, divided over its runnable tasks unless each has them."""
    g: int = p.queues.group[q]
    tasks: int = p.groups.tasks[g]
    if tasks <= 1:
        return p.groups.shares[g]
    if p.groups.each[g] != 0:
        return p.groups.shares[g] * max(p.queues.tasks[q], 1)
    if p.queues.tasks[q] == tasks:
        return p.groups.shares[g]
    return max(p.groups.shares[g] * p.queues.tasks[q] / tasks, 2.0)


def enqueue_task(p: Plane, e: int, c: int, now: int, waking: bool) -> bool:
    """Make an entity runnable on a CPU; false when a throttled group holds it back."""
    q: int = home_queue(p, e, c)
    p.entities.cpu[e] = c
    join(p, q, e, now, waking)
    if p.queues.group[q] != NONE:
        p.groups.tasks[p.queues.group[q]] += 1
    return raise_groups(p, q, c, 1, now, waking)


def raise_groups(p: Plane, q: int, c: int, tasks: int, now: int, waking: bool) -> bool:
    """Tasks have become runnable in a queue: the group entities above compete, unless one is throttled."""
    p.queues.tasks[q] += tasks
    while q != c:
        if p.queues.throttled[q] != 0:
            return False
        if p.entities.state[q] == OFF and not has_runtime(p, q, now):
            mark_throttled(p, q, now)
            return False
        raise_entity(p, q, now, waking)
        q = p.queues.parent[q]
        p.queues.tasks[q] += tasks
    list_overloaded(p, c)
    return True


def raise_entity(p: Plane, q: int, now: int, waking: bool) -> None:
    """Let the entity of a group's queue compete, with the weight that its tasks give it."""
    parent: int = p.queues.parent[q]
    weight: float = group_weight(p, q)
    if p.entities.state[q] == OFF:
        p.entities.weight[q] = weight
        join(p, parent, q, now, waking)
        return
    if p.entities.delayed[q] != 0:
        wake_delayed(p, parent, q)
    reweigh(p, parent, q, weight)


def dequeue_task(p: Plane, e: int, now: int, sleeping: bool) -> None:
    """An entity is no longer runnable; its groups follow when they fall empty."""
    q: int = p.entities.queue[e]
    leave(p, q, e, now, sleeping)
    if p.queues.group[q] != NONE:
        p.groups.tasks[p.queues.group[q]] -= 1
    lower_groups(p, q, 1, now)


def lower_groups(p: Plane, q: int, tasks: int, now: int) -> None:
    """Tasks have gone from a queue: group entities above leave or lose weight."""
    c: int = p.queues.cpu[q]
    p.queues.tasks[q] -= tasks
    while q != c:
        if p.queues.throttled[q] != 0:
            return
        parent: int = p.queues.parent[q]
        if p.queues.entities[q] == 0:
            give_back(p, q, now)
            if p.entities.state[q] != OFF and p.entities.delayed[q] == 0:
                leave(p, parent, q, now, True)
        elif p.queues.tasks[q] > 0:
            reweigh(p, parent, q, group_weight(p, q))
        q = parent
        p.queues.tasks[q] -= tasks
    list_overloaded(p, c)


def drop_delayed(p: Plane, q: int, e: int, now: int) -> None:
    """A delayed sleeper is picked: it leaves for good, and so do groups that fall empty by it."""
    finish_delayed(p, q, e)
    while p.queues.parent[q] != NONE and p.queues.entities[q] == 0 and p.entities.state[q] != OFF:
        give_back(p, q, now)
        if not leave(p, p.queues.parent[q], q, now, True):
            return
        q = p.queues.parent[q]
