"""What a hardware thread loses when it changes its process or vCPU: the switch, and the caches that others have used since.

*Model*: a change from one process straight to another, or from one vCPU to another, is work of what comes; after idleness it is none, as
    software whose demand was measured alone sleeps and wakes there too. A process that has computed for t has touched W (t / T)^(2/3) of
    the W bytes that it claims of a last-level cache; this is the growth of a footprint whose misses fall with the root of the cache (the
    power law that `interference` has), and T = 2 W / 3 b is what its traffic b at W bytes says. The core's own cache and that of the socket
    keep what was touched last: a process that was away finds of what it held as much as others have left by touching theirs. Of what it
    lost it fetches what its turn touches again, beyond what it misses there in any case: r - 2/3 r^(3/2) of the loss, where it touches r of
    what it held; a third where it touches all. A byte that memory has to bring costs what the process waits for a byte of its own
    traffic, one that the socket's cache still has as much less as that is nearer. A turn that is too short to touch much evicts little,
    and pays little. Threads of one process change places at no cost, unless they are on different vCPUs; softirqs run in whatever
    process was there.
*Ignores*: that siblings share their core's cache; the first turn of a process on a core, or on a socket; TLBs and branch predictors beyond
    what the direct cost has of them; processes beyond the last `WAYS` of a core and `SOCKET_WAYS` of a socket, which pay nothing for what
    they lost; that one replica may be several processes. A fluid host never switches.
*Source*: Thiebaut and Stone, Footprints in the cache, ACM TOCS 5(4), 1987 (reload transients of two processes); Xiang, Ding, Luo and Bao,
    HOTL: a higher order theory of locality, ASPLOS 2013 (the miss ratio is the slope of the footprint); Li, Ding and Shen, Quantifying the
    cost of context switch, ExpCS 2007 (direct and indirect cost, by working set); Liu, Guo and Solihin, Characterizing and modeling the
    behavior of context switch misses, PACT 2008.
"""

from simvirt.kernel.constants import NONE, SOCKET_WAYS, WAYS
from simvirt.kernel.interference import leaf_of, pcpu_under, root
from simvirt.kernel.tables import Plane


def take_over(p: Plane, c: int, now: int) -> None:
    """Something begins on a CPU that runs: what its hardware thread loses by the change is work of what begins."""
    e: int = leaf_of(p, c)
    if e == NONE:
        return
    x: int = pcpu_under(p, c)
    top: int = p.cpus.current[x]
    i: int = p.entities.instance[e]
    if p.instances.softirqs[i] != 0:
        if p.entities.carries[top] == NONE:
            return
        i = p.cpus.holder[x]
    before: int = p.cpus.ran_last[x]
    if before == top and p.cpus.holder[x] == i:
        return
    work: float = 0.0
    if before != NONE and p.cpus.busy_since[x] < now:
        work = switch_work(p, x, before, top, i)
    if p.cpus.holder[x] != i:
        if p.hosts.reloads[p.cpus.host[x]] != 0:
            end_turn(p, x, now)
            work += reload_work(p, x, i, p.frames.work[p.entities.frame[e]], now)
        p.cpus.holder[x] = i
        p.cpus.turn_at[x] = now
    p.cpus.ran_last[x] = top
    f: int = p.entities.frame[e]
    if work > 0.0 and p.frames.overhead[f] >= 0.0:
        p.frames.work[f] += work
        p.frames.switching[f] += work


def switch_work(p: Plane, x: int, before: int, top: int, i: int) -> float:
    """Work of the change itself on a hardware thread: of vCPUs, of processes, or none between threads of one [ns]."""
    h: int = p.cpus.host[x]
    if top != before and (p.entities.carries[top] != NONE or p.entities.carries[before] != NONE):
        return p.hosts.vcpu_switch[h]
    if p.cpus.holder[x] != i:
        return p.hosts.process_switch[h]
    return 0.0


def end_turn(p: Plane, x: int, now: int) -> None:
    """What a process has touched while it had a hardware thread is in the caches now."""
    i: int = p.cpus.holder[x]
    if i == NONE:
        return
    ran: int = now - p.cpus.turn_at[x]
    if p.cpus.halted_at[x] > p.cpus.turn_at[x]:
        ran = p.cpus.halted_at[x] - p.cpus.turn_at[x]
    k: int = p.instances.profile[i]
    n: int = p.cpus.socket[x]
    touched: float = footprint(p, k, float(ran))
    note_use(p, i, first_of_core(x), WAYS, min(touched, p.hosts.core_cache[p.cpus.host[x]]), now)
    note_use(p, i, first_of_socket(p, n), SOCKET_WAYS, min(touched, share_of_cache(p, n, k)), now)


def note_use(p: Plane, i: int, first: int, ways: int, touched: float, now: int) -> None:
    """A process has just used so much of a cache."""
    row: int = row_of(p, i, first, ways)
    if row != NONE:
        p.caches.held[row] = max(p.caches.held[row], touched)
        p.caches.touched[row] = touched
        p.caches.used_at[row] = now


def reload_work(p: Plane, x: int, i: int, burst: float, now: int) -> float:
    """Work of fetching again what a process lost of the caches while others ran there [ns]."""
    k: int = p.instances.profile[i]
    h: int = p.cpus.host[x]
    n: int = p.cpus.socket[x]
    touches: float = footprint(p, k, min(burst, float(p.machines.turn[p.hosts.machine[h]])))
    near: float = fetch(p, i, first_of_core(x), WAYS, p.hosts.core_cache[h], touches, now)
    far: float = fetch(p, i, first_of_socket(p, n), SOCKET_WAYS, p.sockets.llc[n], touches, now)
    return far * p.classes.refill[k] + max(near - far, 0.0) * p.classes.reload[k]


def fetch(p: Plane, i: int, first: int, ways: int, size: float, touches: float, now: int) -> float:
    """Bytes that a process fetches into a cache beyond those that it misses there anyway: of what others have pushed out."""
    row: int = row_of(p, i, first, ways)
    if row == NONE:
        take_row(p, i, first, ways, now)
        return 0.0
    held: float = p.caches.held[row]
    lost: float = min(touched_since(p, row, first, ways) - (size - held), held)
    p.caches.used_at[row] = now
    p.caches.touched[row] = min(touches, held)
    if lost <= 0.0 or held <= 0.0:
        return 0.0
    again: float = min(touches / held, 1.0)
    p.caches.held[row] = held - lost * (1.0 - again)
    return lost * again * (1.0 - root(again, 1.0) * 2.0 / 3.0)


def touched_since(p: Plane, row: int, first: int, ways: int) -> float:
    """What others have touched of a cache since a process was there [bytes]."""
    total: float = 0.0
    r: int = first
    while r < first + ways and p.caches.owner[r] != NONE:
        if p.caches.used_at[r] > p.caches.used_at[row]:
            total += p.caches.touched[r]
        r += 1
    return total


def footprint(p: Plane, k: int, time: float) -> float:
    """Bytes of its claim that a class touches in so long [ns]."""
    full: float = p.classes.touched_in[k]
    if full <= 0.0 or time <= 0.0:
        return 0.0
    if time >= full:
        return p.classes.claimed[k]
    side: float = cube_root(time / full)
    return p.classes.claimed[k] * side * side


def cube_root(x: float) -> float:
    """Cube root of a number of 0 to 1: Newton's steps from above until they no longer fall."""
    y: float = 1.0
    while y * y * y > 8.0 * x:
        y = 0.5 * y
    z: float = (2.0 * y + x / (y * y)) / 3.0
    while z < y:
        y = z
        z = (2.0 * y + x / (y * y)) / 3.0
    return y


def share_of_cache(p: Plane, n: int, k: int) -> float:
    """Bytes of a socket's cache that a class keeps beside all that runs there now."""
    if p.sockets.wanted[n] <= p.sockets.llc[n]:
        return p.classes.claimed[k]
    return p.classes.claimed[k] * p.sockets.llc[n] / p.sockets.wanted[n]


def first_of_core(x: int) -> int:
    """First row of the processes in a core's own cache."""
    return x * WAYS


def first_of_socket(p: Plane, n: int) -> int:
    """First row of the processes in a socket's cache."""
    return p.caches.first_of_sockets[0] + n * SOCKET_WAYS


def row_of(p: Plane, i: int, first: int, ways: int) -> int:
    """Row of a process in a cache, NONE where it is not among the last that were there; rows are taken from the first on."""
    row: int = first
    while row < first + ways and p.caches.owner[row] != NONE:
        if p.caches.owner[row] == i:
            return row
        row += 1
    return NONE


def take_row(p: Plane, i: int, first: int, ways: int, now: int) -> None:
    """A process that a cache does not know takes the row of the one that was there longest ago."""
    oldest: int = first
    for row in range(first + 1, first + ways):
        if p.caches.used_at[row] < p.caches.used_at[oldest]:
            oldest = row
    p.caches.owner[oldest] = i
    p.caches.held[oldest] = 0.0
    p.caches.touched[oldest] = 0.0
    p.caches.used_at[oldest] = now
