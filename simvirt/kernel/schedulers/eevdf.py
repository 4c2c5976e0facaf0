"""EEVDF, the Linux scheduler since 6.6: earliest virtual deadline among the eligible.

Model: each entity has a vruntime (CPU time x 1024 / weight) and a virtual deadline one slice later. The queue's virtual
    time V is the weighted mean of the vruntimes; who is not ahead of V is eligible. The scheduler runs the eligible
    entity with the earliest deadline and lets it finish its slice (RUN_TO_PARITY). Slices are checked at ticks and when
    something wakes. Who leaves keeps its lag V - vruntime; who leaves with a debt goes on competing until the debt is
    worked off (DELAY_DEQUEUE), and gets no credit for it (DELAY_ZERO).
Ignores: per-task slices (sched_setattr), SCHED_IDLE and SCHED_BATCH, next-buddy hints, the smoothing of group weights
    over time (PELT): a group's weight follows its runnable tasks at once.
Source: Stoica, Abdel-Wahab, "Earliest Eligible Virtual Deadline First", TR-95-22, Old Dominion University 1995;
    Linux kernel/sched/fair.c, 6.12 to 6.18: place_entity, update_deadline, pick_eevdf, dequeue_entity.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.runqueue import real, tick_at_or_after, total_load, tree_add, tree_drop, virtual
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import earliest_eligible, leftmost

ROUNDING = 0.5  # virtual times closer than this are equal [ns]


def eevdf_average(p: Plane, q: int) -> float:
    """Virtual time of a queue: the weighted mean of its vruntimes [ns]."""
    load: float = p.queues.load[q]
    moment: float = p.queues.moment[q]
    current: int = p.queues.current[q]
    if current != NONE:
        if load <= 0.0:
            return p.entities.vruntime[current]
        load += p.entities.weight[current]
        moment += p.entities.weight[current] * (p.entities.vruntime[current] - p.queues.origin[q])
    if load <= 0.0:
        return p.queues.origin[q]
    return p.queues.origin[q] + moment / load


def eevdf_slice(p: Plane, q: int, e: int) -> float:
    """Base slice in the entity's virtual time [ns]."""
    return virtual(p, e, p.queues.base_slice[q])


def eevdf_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Give a joining entity its vruntime and a deadline."""
    eevdf_position(p, q, e)


def eevdf_position(p: Plane, q: int, e: int) -> None:
    """The vruntime of a joining entity, from its lag, and its deadline."""
    lag: float = p.entities.lag[e]
    average: float = eevdf_average(p, q)
    if lag != 0.0 and p.queues.entities[q] > 0:
        load: float = total_load(p, q)
        lag = lag * (load + p.entities.weight[e]) / load
    else:
        lag = 0.0
    p.entities.vruntime[e] = average - lag
    p.entities.deadline[e] = p.entities.vruntime[e] + eevdf_slice(p, q, e)
    p.entities.key[e] = p.entities.deadline[e]


def eevdf_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Join an empty queue as its current entity, with a whole slice."""
    p.entities.vruntime[e] = p.queues.origin[q]
    p.entities.deadline[e] = p.queues.origin[q] + eevdf_slice(p, q, e)
    eevdf_begin(p, q, e)


def eevdf_line_up(p: Plane, q: int, e: int) -> None:
    """Wait again, by deadline."""
    p.entities.key[e] = p.entities.deadline[e]


def eevdf_begin(p: Plane, q: int, e: int) -> None:
    """Let an entity finish its slice."""
    p.entities.protect[e] = p.entities.deadline[e]


def eevdf_lag(p: Plane, q: int, e: int) -> float:
    """Lag of an entity, within two slices or a tick of zero [ns]; none for an entity that is alone."""
    if p.queues.entities[q] == 1:
        return 0.0
    tick: float = float(p.machines.tick[p.cpus.machine[p.queues.cpu[q]]])
    bound: float = virtual(p, e, max(2.0 * p.queues.base_slice[q], tick))
    lag: float = eevdf_average(p, q) - p.entities.vruntime[e]
    return min(max(lag, -bound), bound)


def eevdf_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Renew the deadline of the current entity once its vruntime has passed it, at the ticks in between and now."""
    if p.entities.vruntime[e] + ROUNDING < p.entities.deadline[e]:
        return
    if p.queues.entities[q] == 1:
        eevdf_silent_ticks(p, q, e, since, now)
    if p.entities.vruntime[e] + ROUNDING >= p.entities.deadline[e]:
        p.entities.deadline[e] = p.entities.vruntime[e] + eevdf_slice(p, q, e)


def eevdf_silent_ticks(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Renew the deadline at ticks that were not simulated, because the entity was alone."""
    c: int = p.queues.cpu[q]
    m: int = p.cpus.machine[c]
    started: float = p.entities.vruntime[e] - virtual(p, e, float(now - since))
    expires: int = since + max(real(p, e, p.entities.deadline[e] - started), 0)
    first: int = tick_at_or_after(p, c, expires, since)
    if first >= now:
        return
    tick: int = p.machines.tick[m]
    every: int = (p.machines.base_slice[m] + tick - 1) // tick * tick
    last: int = first + (now - 1 - first) // every * every
    p.entities.deadline[e] = started + virtual(p, e, float(last - since)) + eevdf_slice(p, q, e)


def eevdf_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """Entity that should run next; the current one keeps its slice while it is eligible."""
    current: int = p.queues.current[q]
    tree: int = p.queues.tree[q]
    if p.queues.entities[q] == 1:
        return current if current != NONE else tree
    average: float = eevdf_average(p, q)
    if current != NONE and p.entities.vruntime[current] > average:
        current = NONE
    if current != NONE and p.entities.protect[current] > p.entities.vruntime[current] + ROUNDING:
        return current
    best: int = earliest_eligible(p.entities, tree, average)
    if best == NONE or (current != NONE and p.entities.deadline[current] < p.entities.deadline[best]):
        best = current
    if best == NONE:  # only rounding can leave nobody eligible
        best = leftmost(p.entities, tree) if tree != NONE else p.queues.current[q]
    return best


def eevdf_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """Tick at which the current entity of a contended queue is up for replacement [ns]."""
    left: float = p.entities.deadline[e] - p.entities.vruntime[e]
    if p.entities.protect[e] <= p.entities.vruntime[e] + ROUNDING:
        left = 0.0
    return tick_at_or_after(p, p.queues.cpu[q], now + real(p, e, left), now)


def eevdf_owes(p: Plane, q: int, e: int) -> bool:
    """Whether an entity is ahead of its share, so that it has to go on competing when it sleeps."""
    return p.queues.entities[q] > 1 and p.entities.vruntime[e] > eevdf_average(p, q)


def eevdf_left(p: Plane, q: int, e: int, now: int) -> None:
    """Whoever leaves keeps its lag."""
    p.entities.lag[e] = eevdf_lag(p, q, e)


def eevdf_left_alone(p: Plane, q: int, e: int) -> None:
    """An entity that nobody competed with has no lag."""
    p.entities.lag[e] = 0.0


def eevdf_leave_delayed(p: Plane, q: int, e: int) -> None:
    """Whoever has worked off its lag leaves without credit."""
    p.entities.lag[e] = min(eevdf_lag(p, q, e), 0.0)


def eevdf_wake_delayed(p: Plane, q: int, e: int) -> None:
    """A sleeper that still competed wakes: what it was owed is forgotten."""
    if eevdf_lag(p, q, e) > 0.0:
        tree_drop(p, q, e)
        p.entities.lag[e] = 0.0
        p.queues.entities[q] -= 1
        eevdf_position(p, q, e)
        p.queues.entities[q] += 1
        tree_add(p, q, e)


def eevdf_reweigh(p: Plane, q: int, e: int, weight: float) -> None:
    """Change an entity's weight; lag and remaining slice keep their size in CPU time (Stoica 1995, section 4)."""
    scale: float = p.entities.weight[e] / weight
    average: float = eevdf_average(p, q)
    lag: float = (average - p.entities.vruntime[e]) * scale
    left: float = (p.entities.deadline[e] - p.entities.vruntime[e]) * scale
    protected: float = (p.entities.protect[e] - p.entities.vruntime[e]) * scale
    p.entities.weight[e] = weight
    p.entities.vruntime[e] = average - lag
    p.entities.deadline[e] = p.entities.vruntime[e] + left
    p.entities.protect[e] = p.entities.vruntime[e] + protected
    p.entities.key[e] = p.entities.deadline[e]
