"""Which replica of a service gets a request.

Load balancing: `round-robin` takes the ready replicas in turn, `least-connections` the one with the fewest requests
under way (a heap), `random` any, `two-choices` the less busy of two random ones (Mitzenmacher 2001). Where tenants have
replicas of their own, each balances among its own.

Whose turn it is is known to the one that balances: requests of the workload come over one balancer, each instance that calls a service
has its own, as clients that balance by themselves have (gRPC, Envoy beside each process).
"""

from simvirt.kernel.constants import (
    BALANCE_LEAST_AT_HOME,
    BALANCE_LEAST_CONNECTIONS,
    BALANCE_RANDOM,
    BALANCE_TWO_CHOICES,
    NONE,
)
from simvirt.kernel.marks import rare
from simvirt.kernel.tables import Plane


def choose_entry(p: Plane, s: int, root: int, column: int) -> int:
    """Replica of a service that gets the next request of the workload; NONE when no replica is ready."""
    return choose_instance(p, s, root, column, p.services.first[s] + p.frames.home[root] * p.services.per_home[s])


def choose_callee(p: Plane, f: int, pc: int) -> int:
    """Replica of a service that gets the next call of a frame's instance; NONE when no replica is ready."""
    s: int = p.program.target[pc]
    i: int = p.frames.instance[f]
    at: int = p.instances.first_turn[i] + p.program.turn[pc]
    if p.services.per_home[s] > 0 and p.services.per_home[p.instances.service[i]] == 0:
        at += p.frames.home[p.frames.root[f]]
    return choose_instance(p, s, p.frames.root[f], p.program.column[pc], at)


def choose_instance(p: Plane, s: int, root: int, column: int, at: int) -> int:
    """Replica of a service that is next for the balancer whose turns are in row `at`; NONE when no replica is ready."""
    if p.services.per_home[s] > 0:
        return choose_at_home(p, s, root, column, at)
    n: int = p.services.ready_count[s]
    if n == 0:
        return NONE
    first: int = p.services.first[s]
    balance: int = p.services.balance[s]
    if balance == BALANCE_RANDOM:
        return p.services.ready[first + any_of(p, n, root, column)]
    if balance == BALANCE_TWO_CHOICES:
        a: int = p.services.ready[first + any_of(p, n, root, column)]
        b: int = p.services.ready[first + any_of(p, n, root, column + 1)]
        return b if p.instances.in_flight[b] < p.instances.in_flight[a] else a
    if balance == BALANCE_LEAST_CONNECTIONS:
        return p.services.ready[first]
    k: int = p.services.turns[at]
    if k >= n:
        k = 0
    p.services.turns[at] = k + 1
    return p.services.ready[first + k]


@rare
def choose_at_home(p: Plane, s: int, root: int, column: int, at: int) -> int:
    """The same among the replicas of the request's tenant; the next one in line where the chosen one is not ready."""
    n: int = p.services.per_home[s]
    first: int = p.services.first[s] + p.frames.home[root] * n
    k: int = place_at_home(p, s, first, n, root, column, at)
    for j in range(n):
        i: int = p.services.members[first + (k + j) % n]
        if p.instances.ready_slot[i] != NONE:
            return i
    return NONE


def place_at_home(p: Plane, s: int, first: int, n: int, root: int, column: int, at: int) -> int:
    """Place among the n replicas of a tenant that load balancing chooses."""
    balance: int = p.services.balance[s]
    if balance == BALANCE_RANDOM:
        return any_of(p, n, root, column)
    if balance == BALANCE_TWO_CHOICES:
        a: int = any_of(p, n, root, column)
        b: int = any_of(p, n, root, column + 1)
        return b if in_flight_of(p, first + b) < in_flight_of(p, first + a) else a
    if balance == BALANCE_LEAST_AT_HOME:
        return least_at_home(p, first, n)
    k: int = p.services.turns[at]
    p.services.turns[at] = (k + 1) % n
    return k


def least_at_home(p: Plane, first: int, n: int) -> int:
    """Place of the replica with the fewest requests under way; the first of equals."""
    best: int = 0
    for j in range(1, n):
        if in_flight_of(p, first + j) < in_flight_of(p, first + best):
            best = j
    return best


def in_flight_of(p: Plane, member: int) -> int:
    """Requests under way at a member of a service."""
    return p.instances.in_flight[p.services.members[member]]


def any_of(p: Plane, n: int, root: int, column: int) -> int:
    """One of n, by the request's own draw."""
    return min(int(p.frames.draws[root * p.source.width[0] + column] * n), n - 1)


def busier(p: Plane, a: int, b: int) -> bool:
    """Whether replica a has more requests under way than b; equals in order of their rows."""
    x: int = p.instances.in_flight[a]
    y: int = p.instances.in_flight[b]
    return x > y or (x == y and a > b)


def place_ready(p: Plane, first: int, k: int, i: int) -> None:
    """Write a replica into the service's stretch of ready ones."""
    p.services.ready[first + k] = i
    p.instances.ready_slot[i] = k


def change_in_flight(p: Plane, i: int, change: int) -> None:
    """Count a request in or out, and keep the heap of `least-connections` in order."""
    p.instances.in_flight[i] += change
    s: int = p.instances.service[i]
    if p.services.balance[s] != BALANCE_LEAST_CONNECTIONS or p.instances.ready_slot[i] == NONE:
        return
    if change > 0:
        sink_ready(p, s, p.instances.ready_slot[i])
    else:
        rise_ready(p, s, p.instances.ready_slot[i])


def rise_ready(p: Plane, s: int, k: int) -> None:
    """Move a replica with fewer requests towards the top of the heap."""
    first: int = p.services.first[s]
    i: int = p.services.ready[first + k]
    while k > 0:
        above: int = (k - 1) >> 1
        other: int = p.services.ready[first + above]
        if not busier(p, other, i):
            break
        place_ready(p, first, k, other)
        k = above
    place_ready(p, first, k, i)


def sink_ready(p: Plane, s: int, k: int) -> None:
    """Move a replica with more requests towards the bottom of the heap."""
    first: int = p.services.first[s]
    n: int = p.services.ready_count[s]
    i: int = p.services.ready[first + k]
    below: int = 2 * k + 1
    while below < n:
        if below + 1 < n and busier(p, p.services.ready[first + below], p.services.ready[first + below + 1]):
            below += 1
        other: int = p.services.ready[first + below]
        if not busier(p, i, other):
            break
        place_ready(p, first, k, other)
        k = below
        below = 2 * k + 1
    place_ready(p, first, k, i)


def admit_instance(p: Plane, i: int) -> None:
    """A replica begins to take requests."""
    s: int = p.instances.service[i]
    k: int = p.services.ready_count[s]
    p.services.ready_count[s] = k + 1
    place_ready(p, p.services.first[s], k, i)
    if p.services.balance[s] == BALANCE_LEAST_CONNECTIONS:
        rise_ready(p, s, k)


def withdraw_instance(p: Plane, i: int) -> None:
    """A replica takes no more requests; the order of the others stays."""
    k: int = p.instances.ready_slot[i]
    if k == NONE:
        return
    s: int = p.instances.service[i]
    first: int = p.services.first[s]
    n: int = p.services.ready_count[s] - 1
    p.services.ready_count[s] = n
    p.instances.ready_slot[i] = NONE
    if p.services.balance[s] == BALANCE_LEAST_CONNECTIONS and k < n:
        place_ready(p, first, k, p.services.ready[first + n])
        rise_ready(p, s, k)
        sink_ready(p, s, k)
        return
    for j in range(k, n):
        place_ready(p, first, j, p.services.ready[first + j + 1])
