"""What idleness leaves behind: CPUs that sleep deeper the longer they idle, hosts that poll, work of waking up.

*Model*: a hardware thread that falls idle sleeps in the deepest state whose residency its idleness will reach and,
    where a thread that it ran waits for the disk, whose exit latency is small beside it; it leaves that state in its
    exit latency, and whoever woke it waits in the run queue meanwhile. A backend that polls keeps its hardware thread
    awake.
*Ignores*: that governors guess how long idleness will last, and guess wrong; that asynchronous I/O counts as no wait
    for the disk; shallow sleep of a thread whose sibling is busy; deeper sleep of whole packages; clocks that rise only
    slowly after it. A fluid host never sleeps.
*Source*: Linux drivers/cpuidle/governors/menu.c and drivers/idle/intel_idle.c (residencies and exit latencies).
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.tables import Plane

IO_MULTIPLIER = 10  # for each thread that waits for the disk; Linux menu.c, performance_multiplier


def exit_latency(p: Plane, h: int, idle: int, waiters: int) -> int:
    """Time to leave the state in which a hardware thread of a host has slept so long, while so many waited for the disk [ns]."""
    k: int = p.hosts.first_cstate[h] + p.hosts.cstates[h]
    while p.cstates.residency[k] > idle or p.cstates.exit[k] * (1 + IO_MULTIPLIER * waiters) > idle:
        k -= 1
    return p.cstates.exit[k]


def begin_disk_wait(p: Plane, f: int) -> None:
    """A frame's thread waits for the disk from now on."""
    if p.frames.thread[f] != NONE:
        p.cpus.io_waiters[p.entities.cpu[p.frames.thread[f]]] += 1


def end_disk_wait(p: Plane, f: int) -> None:
    """A frame's thread has waited for the disk."""
    if p.frames.thread[f] != NONE:
        p.cpus.io_waiters[p.entities.cpu[p.frames.thread[f]]] -= 1


def start_cpuidle_exit(p: Plane, c: int, now: int) -> None:
    """A pCPU has work again: it computes once it has left its idle state."""
    e: int = p.cpus.current[c]
    i: int = p.entities.instance[e]
    if i != NONE and p.instances.poll[i] > 0 and now < p.instances.awake_until[i]:
        return
    late: int = exit_latency(p, p.cpus.host[c], now - p.cpus.halted_at[c], p.cpus.io_idle[c])
    if late > 0:
        p.cpus.ready_at[c] = now + late
        p.cpus.busy_since[c] = now + late
        p.cpus.speed[c] = 0.0


def begin_polling(p: Plane, c: int, now: int) -> None:
    """A vCPU has halted: the host polls for its work on the pCPU that it leaves idle, if any, for a window.

    Model: the host polls while nobody else wants the CPU; a wake-up that the window missed by less than the longest one
        doubles it, a longer sleep closes it. The time polled is the host's. The guest has left by HLT in any case:
        polling spares the wake-up of the vCPU's thread and the idle state of its CPU, not the exit. A guest whose own idle
        loop polls before it halts does the same on its vCPU, and spares the exit too; its host does not poll then.
    Ignores: what polling takes from the sibling of the CPU, and from the quota of the VM; that a guest which polls gives
        way to others only as the scheduler of the host has it; a fluid host does not poll.
    Source: Linux virt/kvm/kvm_main.c, kvm_vcpu_halt, grow_halt_poll_ns, shrink_halt_poll_ns (halt_poll_ns_grow 2,
        halt_poll_ns_shrink 0); drivers/cpuidle/governors/haltpoll.c, adjust_poll_limit, and its parameters.
    """
    e: int = p.cpus.vcpu[c]
    h: int = p.entities.cpu[e]
    window: int = p.cpus.poll_window[c]
    if window == 0 or p.machines.fluid[p.entities.machine[e]] != 0 or p.cpus.idle_slot[h] == NONE or p.cpus.halted_at[h] != now:
        return
    p.cpus.polls_for[h] = c
    p.cpus.poll_ends[h] = now + window


def end_polling(p: Plane, h: int, now: int) -> None:
    """A pCPU has work, or the vCPU that the host polled for on it: polling is booked, and the pCPU was awake meanwhile."""
    ended: int = min(now, p.cpus.poll_ends[h])
    p.cpus.polled[p.cpus.polls_for[h]] += ended - p.cpus.halted_at[h]
    p.cpus.polls_for[h] = NONE
    p.cpus.halted_at[h] = ended


def is_caught_polling(p: Plane, c: int, vcpu: int, now: int) -> bool:
    """Whether the host still polls for a halted vCPU when work for it comes, so that its thread need not be woken."""
    most: int = p.machines.halt_poll[p.cpus.machine[c]]
    if most == 0 or p.machines.fluid[p.entities.machine[vcpu]] != 0:
        return False
    adapt_window(p, c, p.cpus.poll_window[c], now - p.cpus.halted_at[c], p.cpus.machine[c])
    h: int = p.entities.cpu[vcpu]
    if p.cpus.polls_for[h] != c:
        return False
    caught: bool = p.cpus.halted_at[h] < now <= p.cpus.poll_ends[h]
    end_polling(p, h, now)
    return caught


def adapt_window(p: Plane, c: int, window: int, slept: int, m: int) -> None:
    """Fit the polling window of a machine's vCPU to how long it has slept."""
    most: int = p.machines.halt_poll[m]
    if slept <= window:
        return
    if slept < most:
        p.cpus.poll_window[c] = min(max(2 * window, p.machines.poll_start[m]), most)
    elif slept > most:
        p.cpus.poll_window[c] = window // p.machines.poll_shrink[m] if p.machines.poll_shrink[m] > 0 else 0


def add_wake_work(p: Plane, c: int, extra: float) -> None:
    """Leaving HLT costs the task that ends the idleness."""
    e: int = p.cpus.current[c]
    if extra <= 0.0 or p.entities.carries[e] != NONE:
        return
    f: int = p.entities.frame[e]
    work: float = max(p.frames.work[f] - p.frames.switching[f], 0.0)
    p.frames.overhead[f] = (p.frames.overhead[f] * work + extra) / (work + extra)
    p.frames.work[f] += extra
