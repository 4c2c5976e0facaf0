"""How fast a hardware thread computes beside the others: SMT, memory, last-level cache, kernel locks, preempted vCPUs.

Time per work of class k on socket n in the kernel of machine m, over that of a lone task:

    (steady_k + stall_k x misses_n x latency_n)
        x (1 + kernel_share_k x lock_wait_m + shootdowns_k x shootdown_wait_m) / smt_share

Model: *SMT*: two busy siblings each run at half the yield of their classes, of two different ones at half the mean of
    both yields, more as `cores` says.
    *Cache*: a process claims what its threads share once a socket, and each of its running threads what is its own.
    Where the claims of all that runs on a socket exceed its last-level cache, each keeps a part in proportion,
    and its misses grow with the root of what it lost (the power law of misses at exponent 1/2); what does not fit
    streams: it fills the cache and has nothing to lose. *Memory*: the latency of a socket's memory rises with the
    utilisation of its bandwidth, f = 1 + u^4, until that is full; from there on it rises until the traffic is the
    bandwidth.
    *Kernel locks*: the serial sections of one kernel are one station, its running tasks a closed population
    (Schweitzer's approximation of mean value analysis). *Preempted vCPUs*: each stands before the running ones in the
    line for the locks, and a TLB shootdown waits for the last of them to run again; how long that takes is learnt from
    how long they have waited so far, and is at most one turn of the host's scheduler. A hypervisor that notices
    spinning lets who spins yield to those it waits for (directed yield, calls of the guest), which leaves a part of it.
    *Other sockets*: see `numa`.
Ignores: what idle tasks leave in caches; prefetching and traffic of devices; that tasks which wait for locks use less
    memory; several independent locks; under the fluid scheduler everything here.
Source: Jacob, "The Memory System", Morgan & Claypool 2009 (latency flat to 40 % of the bandwidth, linear to 80 %, twice
    and more near 100 %); Hartstein et al., "Cache miss behavior: is it sqrt 2?", CF 2006; Schweitzer 1979 in Lazowska
    et al., "Quantitative System Performance", 1984, chapter 6; Uhlig et al., "Towards scalable multiprocessor virtual
    machines", VM 2004; W. Li, Linux commit d73eb57b80b9, 2019.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.cores import thread_speed
from simvirt.kernel.numa import load_column, placed_time, settled_latency
from simvirt.kernel.tables import Plane

LOADED_LATENCY = 1.0  # what full use of the bandwidth adds to the latency, over the idle latency
QUIET = 0.1  # utilisation of the bandwidth below which the latency is that of idle memory
SURELY_QUIET = 0.099  # the same, less what rounding could make of it
HALVINGS = 12  # of the interval in which the utilisation lies
STEPS = 40  # at most, towards the latency at which the traffic is the bandwidth
EXACT = 1e-12


def leaf_of(p: Plane, c: int) -> int:
    """Thread that computes when a CPU runs: its current entity, or that of the vCPU that it runs; NONE without one."""
    e: int = p.cpus.current[c]
    while e != NONE and p.entities.carries[e] != NONE:
        e = p.cpus.current[p.entities.carries[e]]
    return e


def pcpu_under(p: Plane, c: int) -> int:
    """Hardware thread on which a CPU that runs lies."""
    while p.cpus.vcpu[c] != NONE:
        c = p.entities.cpu[p.cpus.vcpu[c]]
    return c


def smt_speed(p: Plane, x: int) -> float:
    """Speed of a busy hardware thread by SMT alone: that of as many threads of the mean class."""
    busy: int = 1
    total: float = p.classes.smt_share[p.cpus.profile[x]]
    s: int = p.cpus.sibling[x]
    while s != NONE and s != x:
        if p.cpus.profile[s] != NONE:
            busy += 1
            total += p.classes.smt_share[p.cpus.profile[s]]
        s = p.cpus.sibling[s]
    return thread_speed(total / busy, busy)


def kernel_stretch(p: Plane, k: int, m: int) -> float:
    """Time per work of a class in a kernel, over that without others."""
    locks: float = p.classes.kernel_share[k] * p.machines.lock_wait[m]
    return 1.0 + locks + p.classes.shootdowns[k] * p.machines.shootdown_wait[m]


def pace(p: Plane, x: int) -> float:
    """Speed of what computes on a busy hardware thread."""
    k: int = p.cpus.profile[x]
    stretch: float = kernel_stretch(p, k, p.cpus.running_machine[x])
    n: int = p.cpus.socket[x]
    if p.sockets.far_used[n] != 0:
        return p.cpus.counted[x] / (placed_time(p, k, n) * stretch)
    return p.cpus.counted[x] / (memory_time(p, k, p.sockets.misses[n], p.sockets.latency[n]) * stretch)


def spinning(p: Plane, x: int) -> float:
    """Share of its time that what computes on a busy hardware thread spins because vCPUs of its guest are preempted."""
    m: int = p.cpus.running_machine[x]
    gone: int = preempted_vcpus(p, m)
    if gone == 0:
        return 0.0
    k: int = p.cpus.profile[x]
    locks: float = p.classes.kernel_share[k] * min(float(gone), p.machines.lock_wait[m])
    lost: float = locks + p.classes.shootdowns[k] * p.machines.shootdown_wait[m]
    return lost / kernel_stretch(p, k, m)


def count_class(p: Plane, x: int, sign: int) -> None:
    """Add what computes on a hardware thread to the loads of its socket, or take it out; nothing on an idle one."""
    k: int = p.cpus.profile[x]
    if k == NONE:
        return
    n: int = p.cpus.socket[x]
    if sign > 0:
        p.cpus.counted[x] = smt_speed(p, x)
    p.sockets.load[load_column(p, k, n)] += sign * p.cpus.counted[x]


def claim_cache(p: Plane, x: int, sign: int) -> None:
    """Add what computes on a hardware thread to the claims on its socket's cache, or take it out; its process counts once."""
    k: int = p.cpus.profile[x]
    if k == NONE:
        return
    n: int = p.cpus.socket[x]
    p.sockets.wanted[n] += sign * p.classes.thread_cache[k]
    if p.classes.process_cache[k] > 0.0:
        i: int = p.cpus.process[x] * p.sockets.most[0] + n - p.sockets.first[n]
        beside: int = p.sockets.threads[i] + (sign if sign < 0 else 0)
        p.sockets.threads[i] += sign
        if beside == 0:
            p.sockets.wanted[n] += sign * p.classes.process_cache[k]


def run_class(p: Plane, x: int, sign: int) -> None:
    """Add what computes on a hardware thread to the running tasks of its kernel, or take it out; nothing if idle."""
    k: int = p.cpus.profile[x]
    if k == NONE:
        return
    m: int = p.cpus.running_machine[x]
    p.machines.running[m] += sign
    if p.classes.kernel_share[k] > 0.0:
        p.machines.kernel_load[m] += sign * p.classes.kernel_share[k]
        p.machines.kernel_tasks[m] += sign


# --- memory and last-level cache --------------------------------------------------------------------------------------


def misses_of(p: Plane, n: int) -> float:
    """Root of the claims on a socket's cache, or of the cache where that is larger: misses go with it."""
    if p.sockets.wanted[n] <= p.sockets.llc[n] or p.sockets.llc[n] <= 0.0:
        return p.sockets.floor[n]
    return root(p.sockets.wanted[n], p.sockets.wanted[n] / p.sockets.floor[n])


def memory_time(p: Plane, k: int, misses: float, latency: float) -> float:
    """Time per work of a class at so many misses and such a latency of memory."""
    if p.classes.reuses[k] != 0:
        return p.classes.steady[k] + p.classes.stall[k] * misses * latency
    return p.classes.steady[k] + p.classes.stall[k] * latency


def amount(p: Plane, n: int, k: int, misses: float) -> float:
    """Memory traffic per work and speed by SMT of all of a class on a socket, at so many misses [bytes/ns]."""
    load: float = p.sockets.load[n * p.sockets.stride[0] + k] * p.classes.traffic[k]
    if p.classes.reuses[k] != 0:
        return load * misses
    return load


def latency_of(p: Plane, n: int, misses: float) -> float:
    """Latency of a socket's memory over the idle one, for all that runs there."""
    most: float = p.sockets.bandwidth[n]
    if p.sockets.far_used[n] != 0:
        return settled_latency(p, n, misses, most, False)
    if most <= 0.0 or offered(p, n, misses) <= SURELY_QUIET * most or flow(p, n, misses, 1.0) <= QUIET * most:
        return 1.0
    if flow(p, n, misses, 1.0 + LOADED_LATENCY) >= most:
        return full_latency(p, n, misses, most)
    low: float = 0.0
    high: float = 1.0
    for _ in range(HALVINGS):
        middle: float = 0.5 * (low + high)
        if flow(p, n, misses, loaded(middle)) > middle * most:
            low = middle
        else:
            high = middle
    return loaded(0.5 * (low + high))


def loaded(u: float) -> float:
    """Latency over the idle one at a utilisation of the bandwidth."""
    return 1.0 + LOADED_LATENCY * u * u * u * u


def offered(p: Plane, n: int, misses: float) -> float:
    """Memory traffic of all that runs on a socket if each computed as fast as alone, than which none is faster [bytes/ns]."""
    total: float = 0.0
    for k in range(p.sockets.classes[0]):
        total += amount(p, n, k, misses)
    return total


def flow(p: Plane, n: int, misses: float, latency: float) -> float:
    """Memory traffic of all that runs on a socket at a latency [bytes/ns]."""
    total: float = 0.0
    for k in range(p.sockets.classes[0]):
        if p.classes.traffic[k] > 0.0:
            total += amount(p, n, k, misses) / memory_time(p, k, misses, latency)
    return total


def flow_slope(p: Plane, n: int, misses: float, latency: float) -> float:
    """How fast the traffic falls with the latency [bytes/ns]."""
    total: float = 0.0
    for k in range(p.sockets.classes[0]):
        if p.classes.traffic[k] > 0.0:
            time: float = memory_time(p, k, misses, latency)
            waits: float = memory_time(p, k, misses, 1.0) - p.classes.steady[k]
            total += amount(p, n, k, misses) * waits / (time * time)
    return total


def full_latency(p: Plane, n: int, misses: float, most: float) -> float:
    """Latency at which a full socket's traffic is its bandwidth: Newton on 1 / traffic, concave: no step overshoots."""
    latency: float = 1.0 + LOADED_LATENCY
    for _ in range(STEPS):
        traffic: float = flow(p, n, misses, latency)
        if traffic <= most * (1.0 + EXACT):
            break
        latency += traffic * (traffic / most - 1.0) / flow_slope(p, n, misses, latency)
    return latency


def root(x: float, above: float) -> float:
    """Square root of x, from a number that is not below it: Newton's steps until they no longer fall."""
    y: float = max(above, 1.0)
    z: float = 0.5 * (y + x / y)
    while z < y:
        y = z
        z = 0.5 * (y + x / y)
    return y


# --- kernel locks and preempted vCPUs ---------------------------------------------------------------------------------


def preempted_vcpus(p: Plane, m: int) -> int:
    """vCPUs of a guest that have work and no hardware thread; 0 for the host."""
    if p.cpus.vcpu[p.machines.first_cpu[m]] == NONE:
        return 0
    return max(p.machines.cpus[m] - p.machines.idle_cpus[m] - p.machines.running[m], 0)


def note_preemption(p: Plane, m: int, waited: int) -> None:
    """A vCPU of a guest has a hardware thread again, after it has waited so long [ns]."""
    time: float = float(waited)
    p.machines.waited[m] += time
    p.machines.waited_squares[m] += time * time


def lock_wait(p: Plane, m: int) -> float:
    """Wait of a running task before a serial section of its kernel, over the section's length.

    With n tasks of mean share s in one section each sees (n - 1) s (1 + w) / (1 + s w) others there: a quadratic
    equation for w.
    """
    n: int = p.machines.kernel_tasks[m]
    if n <= 1:
        return 0.0
    s: float = p.machines.kernel_load[m] / n
    b: float = (n - 1) * s
    return (b - 1.0 + root((1.0 - b) * (1.0 - b) + 4.0 * s * b, 1.0 + b)) / (2.0 * s)


def shootdown_wait(p: Plane, m: int, gone: int) -> float:
    """Mean time until the last of so many preempted vCPUs has run again [ns]: residual stretches taken as uniform.

    No longer than a turn of the host's scheduler, and of that what the hypervisor leaves: it may let who spins yield to
    those it waits for.
    """
    if gone == 0 or p.machines.waited[m] <= 0.0:
        return 0.0
    below: int = p.hosts.machine[p.machines.host[m]]
    turn: float = float(p.machines.turn[below] + p.machines.tick[below])
    return p.machines.spin_wait[m] * min(p.machines.waited_squares[m] / p.machines.waited[m], turn) * gone / (gone + 1)
