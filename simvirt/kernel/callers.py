"""What a caller knows of those whom it calls: the budget of its retries, its breaker, its pool of connections."""

from simvirt.kernel.accounting import enter
from simvirt.kernel.constants import (
    BUDGET_SLICES,
    HOLDS_CONNECTION,
    NEVER,
    NO_CONNECTION,
    NONE,
    QUEUE,
    WAITING,
    WAITS_FOR_CONNECTION,
)
from simvirt.kernel.requests import append_todo
from simvirt.kernel.tables import Plane

# --- budget of retries ------------------------------------------------------------------------------------------------


def expire_deposits(p: Plane, g: int, w: int, now: int) -> None:
    """Forget what the slices of time that have passed have brought."""
    current: int = now // p.guards.slice[g]
    passed: int = min(current - p.callers.slice_at[w], BUDGET_SLICES)
    for back in range(passed):
        at: int = w * BUDGET_SLICES + (current - back) % BUDGET_SLICES
        p.callers.balance[w] -= p.callers.slices[at]
        p.callers.slices[at] = 0
    p.callers.slice_at[w] = current


def deposit(p: Plane, g: int, w: int, amount: int, now: int) -> None:
    """Put something into a budget, or take it where it is negative."""
    expire_deposits(p, g, w, now)
    p.callers.balance[w] += amount
    p.callers.slices[w * BUDGET_SLICES + p.callers.slice_at[w] % BUDGET_SLICES] += amount


def affords(p: Plane, g: int, w: int, now: int) -> bool:
    """Whether a budget has enough for a retry, which then takes it."""
    need: int = p.guards.withdrawal[g]
    if need == 0:
        return True
    expire_deposits(p, g, w, now)
    if p.callers.balance[w] + p.guards.reserve[g] < need:
        p.guards.spared[g] += 1
        return False
    deposit(p, g, w, -need, now)
    return True


# --- breaker ----------------------------------------------------------------------------------------------------------


def refuses(p: Plane, g: int, w: int, now: int) -> bool:
    """Whether a breaker lets nobody through: it is open, or half open and already looks."""
    opened: int = p.callers.opened[w]
    return opened != NEVER and (now < opened + p.guards.open[g] or p.callers.probe[w] != NONE)


def note_failure(p: Plane, g: int, w: int, a: int, now: int) -> None:
    """A try has failed: enough of them in a row open the breaker, and so does the one that it let through to look."""
    if p.guards.failures[g] == 0:
        return
    if p.callers.opened[w] != NEVER:
        if a != NONE and p.callers.probe[w] == a:
            p.callers.opened[w] = now
            p.callers.probe[w] = NONE
        return
    p.callers.failures[w] += 1
    if p.callers.failures[w] >= p.guards.failures[g]:
        p.callers.opened[w] = now
        p.callers.probe[w] = NONE


def note_success(p: Plane, g: int, w: int, a: int) -> None:
    """A try was answered: failures are no longer in a row; the one that was let through to look closes the breaker."""
    if p.guards.failures[g] == 0:
        return
    p.callers.failures[w] = 0
    if p.callers.probe[w] == a:
        p.callers.opened[w] = NEVER
        p.callers.probe[w] = NONE


def forget_probe(p: Plane, w: int, a: int) -> None:
    """A try that was let through to look has no outcome: the next one looks."""
    if p.callers.probe[w] == a:
        p.callers.probe[w] = NONE


# --- pool of connections ----------------------------------------------------------------------------------------------


def take_connection(p: Plane, g: int, w: int, a: int, now: int) -> bool:
    """A try takes a free connection, or a place in line where there is one left; false where there is none."""
    if p.callers.taken[w] < p.guards.connections[g]:
        p.callers.taken[w] += 1
        p.frames.connection[a] = HOLDS_CONNECTION
        return True
    if p.callers.waiting[w] >= p.guards.line[g]:
        return False
    enter(p, a, QUEUE, now)
    p.frames.connection[a] = WAITS_FOR_CONNECTION
    p.frames.beside[a] = NONE
    p.frames.before[a] = p.callers.tail[w]
    if p.callers.waiting[w] > 0:
        p.frames.beside[p.callers.tail[w]] = a
    else:
        p.callers.head[w] = a
    p.callers.tail[w] = a
    p.callers.waiting[w] += 1
    return True


def leave_pool(p: Plane, w: int, a: int) -> None:
    """A try waits for a connection no longer."""
    after: int = p.frames.beside[a]
    before: int = p.frames.before[a]
    p.callers.waiting[w] -= 1
    if before != NONE:
        p.frames.beside[before] = after
    else:
        p.callers.head[w] = after
    if after != NONE:
        p.frames.before[after] = before
    else:
        p.callers.tail[w] = before


def return_connection(p: Plane, w: int, a: int, now: int) -> None:
    """A try gives up its connection, if it holds one; the first in line gets it."""
    if p.frames.connection[a] != HOLDS_CONNECTION:
        return
    p.frames.connection[a] = NO_CONNECTION
    b: int = p.callers.head[w] if p.callers.waiting[w] > 0 else NONE
    if b == NONE:
        p.callers.taken[w] -= 1
        return
    leave_pool(p, w, b)
    p.frames.connection[b] = HOLDS_CONNECTION
    enter(p, b, WAITING, now)
    append_todo(p, b)
