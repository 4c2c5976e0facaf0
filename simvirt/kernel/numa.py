"""Memory of other sockets: where what runs has its memory, and how long it waits for it.

Model: memory is used in the node of the socket on which a thread runs, or in another one where the thread is bound to
    that; an access to it takes `farther` times as long as one to its own. A class may also reach over sockets with a
    part of all its accesses (a guest that does not see them); that part is taken to lie on the others evenly, so that
    what others use of this socket's memory makes up for it. A socket's memory serves other sockets through a link with a
    bandwidth of its own: its latency rises with the use of that as that of memory does, and a far access waits for
    the slower of both.
Ignores: routes over several links; that a link which is shared by the memory of several sockets is one; where more
    than two sockets use each other's memory, that those which use one's have different misses in their caches (they
    have those of the one that began last); accesses to caches of other sockets.
Source: Intel Memory Latency Checker on servers with two sockets, FD.io CSIT 19.01: what one socket reads of another's
    memory is 47 to 52 % of what it reads of its own; the curve of the latency as in `interference`.
"""

from simvirt.kernel.marks import rare
from simvirt.kernel.tables import Plane

CURVE = 24  # halvings of the interval of a utilisation or a latency
GROWTH = 2.0  # of a latency that is not enough yet
MOST_LATENCY = 1e6


def memory_of(p: Plane, k: int, n: int) -> int:
    """Socket whose memory a class uses that runs on a socket."""
    if p.sockets.far_used[n] == 0:
        return n
    return p.classes.memory[k * p.sockets.sockets[0] + n]


def load_column(p: Plane, k: int, n: int) -> int:
    """Where the loads count a class that runs on a socket: with the socket whose memory it uses."""
    m: int = memory_of(p, k, n)
    if m == n:
        return n * p.sockets.stride[0] + k
    p.sockets.asker[m] = n
    return m * p.sockets.stride[0] + p.sockets.classes[0] + k


def waits(p: Plane, k: int, misses: float) -> float:
    """Time per work of a class that waits for idle memory at so many misses."""
    if p.classes.reuses[k] != 0:
        return p.classes.stall[k] * misses
    return p.classes.stall[k]


def near_time(p: Plane, k: int, misses: float, latency: float, far: float) -> float:
    """Time per work of a class that uses its own socket's memory, and that of others as far as it reaches over sockets."""
    return p.classes.steady[k] + waits(p, k, misses) * (latency + p.classes.apart[k] * max(far - latency, 0.0))


def far_time(p: Plane, k: int, misses: float, latency: float, far: float) -> float:
    """Time per work of a class that uses another socket's memory."""
    return p.classes.steady[k] + waits(p, k, misses) * p.classes.farther[k] * max(latency, far)


def placed_time(p: Plane, k: int, n: int) -> float:
    """Time per work of a class that runs on a socket, at the latencies in force."""
    m: int = memory_of(p, k, n)
    if m == n:
        return near_time(p, k, p.sockets.misses[n], p.sockets.latency[n], p.sockets.far[n])
    return far_time(p, k, p.sockets.misses[n], p.sockets.latency[m], p.sockets.far[m])


def far_latency(p: Plane, n: int, misses: float) -> float:
    """Latency of a socket's memory for other sockets over the idle one, as far as the way there makes it."""
    if p.sockets.far_used[n] == 0 or p.sockets.link[n] <= 0.0:
        return 1.0
    return settled_latency(p, n, misses, p.sockets.link[n], True)


@rare
def settled_latency(p: Plane, n: int, misses: float, most: float, link: bool) -> float:
    """Latency over the idle one at which what is used of a socket's memory, or over its link, fits its bandwidth."""
    if most <= 0.0:
        return 1.0
    low: float = 0.0
    high: float = 1.0
    full: bool = drawn(p, n, misses, 2.0, link) >= most
    if full:
        low = 2.0
        high = 2.0 * GROWTH
        while drawn(p, n, misses, high, link) > most and high < MOST_LATENCY:
            low = high
            high *= GROWTH
    for _ in range(CURVE):
        middle: float = 0.5 * (low + high)
        over: bool = drawn(p, n, misses, middle, link) > most
        if not full:
            over = drawn(p, n, misses, 1.0 + middle * middle * middle * middle, link) > middle * most
        if over:
            low = middle
        else:
            high = middle
    result: float = 0.5 * (low + high)
    if full:
        return result
    return 1.0 + result * result * result * result


def drawn(p: Plane, n: int, misses: float, latency: float, link: bool) -> float:
    """What is used of a socket's memory at a latency of it, or over its link at one of that [bytes/ns]."""
    total: float = 0.0
    theirs: float = p.sockets.misses[p.sockets.asker[n]]
    first: int = n * p.sockets.stride[0]
    own: float = latency
    far: float = p.sockets.far[n]
    if link:
        own = 1.0
        far = latency
    for k in range(p.sockets.classes[0]):
        traffic: float = p.classes.traffic[k]
        if traffic > 0.0:
            used: float = traffic_of(p, k, first + k, misses) / near_time(p, k, misses, own, far)
            if link:
                used *= p.classes.crosses[k]
            total += used + traffic_of(p, k, first + p.sockets.classes[0] + k, theirs) / far_time(p, k, theirs, own, far)
    return total


def traffic_of(p: Plane, k: int, column: int, misses: float) -> float:
    """Memory traffic per speed of all of a class in a column of the loads [bytes/ns]."""
    if p.classes.reuses[k] != 0:
        return p.sockets.load[column] * p.classes.traffic[k] * misses
    return p.sockets.load[column] * p.classes.traffic[k]
