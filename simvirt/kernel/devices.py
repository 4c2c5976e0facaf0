"""Devices of VMs: backends that sleep until they are kicked, kernels that poll for what comes in until there is no more.

*Model*: a device's work is done by a backend, an instance of its own: a thread of the host or of dom0. A backend with
    work in flight, or that had some within its polling time, is awake and needs no kick; else the instance pays for a
    kick, the backend for waking up, and the request waits for that. What is sent while it is awake needs a kick too (an
    exit, nobody is woken), unless the backend polls or has not done with what was sent before. So a backend's busy
    period is a batch: its fixed work is one for each, and there are the fewer of them the higher the load.
    An interrupt makes the instance's kernel poll for as long as it handles packets; what comes in meanwhile needs none,
    nor what comes within the device's moderation, nor packets that others follow in the backend's line, up to its
    budget. A device that suppresses nothing is kicked for all that is sent, and interrupts a kernel that polls. What
    kicks and interrupts cost is a debt: of the instance, taken up by its next burst, or of a thread of its kernel, which
    works it off on another CPU while the instance's own threads compute, as far as one CPU suffices.
*Ignores*: the delay of a coalesced interrupt; more than one queue: a VM takes interrupts on one CPU at a time; what is
    received beside busy threads delays nobody but by the CPU that it takes; a backend that polls yields to any other
    task at once.
*Source*: Virtual I/O Device (VIRTIO) 1.2, section 2.7 (notification suppression); Linux drivers/vhost/net.c
    (busyloop_timeout), net/core/dev.c (napi_schedule_prep: no interrupt while a poll is under way), drivers/net/virtio_net.c.
"""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.accounting import enter
from simvirt.kernel.constants import CALLEE, NET, NONE, WAITING, WRITE_BACK
from simvirt.kernel.idling import exit_latency
from simvirt.kernel.requests import admit, clear_account, append_todo, new_frame
from simvirt.kernel.tables import Plane

BUDGET = 64  # packets that a backend passes on before it interrupts; Linux drivers/vhost/net.c, VHOST_NET_BATCH


def device_of(p: Plane, i: int, role: int) -> int:
    """An instance's path to the network or to the disk."""
    return p.instances.net_device[i] if role == NET else p.instances.disk_device[i]


def ring_bell(p: Plane, f: int, pc: int, now: int) -> None:
    """A message passes a device without waiting for it: the backend is kicked, the instance interrupted."""
    i: int = p.frames.instance[f]
    d: int = device_of(p, i, p.program.target[pc])
    p.devices.operations[d] += p.program.operations[pc]
    if p.program.kicks[pc] > 0 or p.program.host_wake[pc] > 0.0:
        send(p, i, d, pc, now)
    if p.program.interrupts[pc] > 0 or p.program.received[pc] > 0.0:
        work: float = p.program.received[pc] + interrupt(p, d, pc, now)
        if p.program.target[pc] == NET:
            take_beside(p, i, work, now)
        else:
            p.instances.debt[i] += work


def kick(p: Plane, i: int, d: int, pc: int, until: int, now: int) -> bool:
    """Tell a backend of work that keeps it awake until an instant; whether it slept."""
    b: int = p.devices.backend[d]
    if b == NONE:
        return False
    busy: bool = p.instances.in_flight[b] > 0
    slept: bool = not busy and now >= p.instances.awake_until[b]
    if slept:
        p.devices.notifications[d] += p.program.kicks[pc]
        rouse(p, i, d, pc)
    elif p.devices.suppresses[d] == 0:
        disturb(p, i, d, pc)
    if not busy:
        keep_awake(p, b, until, now)
    return slept


def disturb(p: Plane, i: int, d: int, pc: int) -> None:
    """A kick that wakes nobody: an exit of the instance."""
    p.devices.notifications[d] += p.program.kicks[pc]
    p.instances.debt[i] += p.program.kicks[pc] * p.program.kick[pc]


def rouse(p: Plane, i: int, d: int, pc: int) -> None:
    """What waking a backend costs: a kick and the wake-up itself where the instance does it, and the backend's own part."""
    p.instances.debt[i] += p.program.kicks[pc] * (p.program.kick[pc] + p.program.notify[pc])
    p.instances.debt[p.devices.backend[d]] += p.program.host_wake[pc]


def send(p: Plane, i: int, d: int, pc: int, now: int) -> None:
    """What an instance sends needs a kick, unless the backend polls or still takes what was sent before; to sleep is another matter."""
    b: int = p.devices.backend[d]
    if b == NONE:
        return
    if now >= p.devices.sends_until[d]:
        if p.instances.in_flight[b] == 0 and now >= p.instances.awake_until[b]:
            p.devices.notifications[d] += p.program.kicks[pc]
            rouse(p, i, d, pc)
            keep_awake(p, b, now, now)
        elif p.instances.poll[b] == 0 and p.program.kick[pc] > 0.0:
            disturb(p, i, d, pc)
    elif p.devices.suppresses[d] == 0 and p.program.kick[pc] > 0.0:
        disturb(p, i, d, pc)
    p.devices.sends_until[d] = max(p.devices.sends_until[d], now) + int(p.program.amount[pc])


def keep_awake(p: Plane, b: int, until: int, now: int) -> None:
    """An idle backend has work until an instant and looks for more after it; what looking has cost so far is booked."""
    poll: int = p.instances.poll[b]
    ends: int = p.instances.awake_until[b]
    if ends > 0:
        p.instances.polled[b] += max(min(now, ends) - (ends - poll), 0)
    p.instances.awake_until[b] = max(until + poll, ends)


def interrupt(p: Plane, d: int, pc: int, now: int) -> float:
    """Work of the interrupts of a device: the first is spared while the kernel still polls, or the device holds it back [ns]."""
    due: int = p.program.interrupts[pc]
    polled: bool = now < p.devices.polls_until[d] and p.devices.suppresses[d] > 0
    if polled or now - p.devices.interrupted_at[d] < p.devices.moderation[d] or goes_on(p, d):
        due -= 1
    work: float = 0.0
    if due > 0:
        p.devices.interrupts[d] += due
        p.devices.interrupted_at[d] = now
        p.devices.batch[d] = 0
        work = p.program.interrupt[pc]
        if p.devices.backend[d] != NONE:
            p.instances.debt[p.devices.backend[d]] += due * p.program.host_interrupt[pc]
    p.devices.polls_until[d] = max(p.devices.polls_until[d], now) + int(work) + p.devices.receive[d]
    return max(due, 0) * work


def goes_on(p: Plane, d: int) -> bool:
    """Whether a backend that gathers has more to do, so that it interrupts after that, or after as many as its budget."""
    b: int = p.devices.backend[d]
    if b == NONE or p.devices.gathers[d] == 0 or p.instances.in_flight[b] == 0 or p.devices.batch[d] >= BUDGET:
        return False
    p.devices.batch[d] += 1
    return True


def take_beside(p: Plane, i: int, work: float, now: int) -> None:
    """Work that a packet brings: on another CPU of its kernel while threads compute, as far as one can do it, else on theirs."""
    s: int = p.instances.softirq[i]
    if s == NONE or p.instances.busy_threads[i] == 0 or p.instances.in_flight[s] > 0:
        p.instances.debt[i] += work
        return
    p.instances.debt[s] += work
    g: int = new_frame(p, CALLEE, s, p.run.drain[0], now)
    clear_account(p, g)
    admit(p, g, now)


def begin_io(p: Plane, f: int, pc: int, now: int) -> bool:
    """A frame uses a device's path: latency, a sleeping backend's wake-up, its work; whether it need not wait."""
    i: int = p.frames.instance[f]
    d: int = device_of(p, i, p.program.target[pc])
    time: int = int(p.program.amount[pc] + 0.5)
    p.devices.operations[d] += p.program.operations[pc]
    slept_since: int = p.instances.awake_until[p.devices.backend[d]] if p.devices.backend[d] != NONE else now
    if kick(p, i, d, pc, now + time, now):
        time += int(p.program.wake[pc] + 0.5)
        h: int = p.machines.host[p.instances.machine[i]]
        if p.program.irqs[pc] > 0 and p.hosts.cstates[h] > 0:
            time += p.program.irqs[pc] * exit_latency(p, h, now - slept_since, 0)
        keep_awake(p, p.devices.backend[d], now + time, now)
    if time <= 0:
        return not goes_to_backend(p, f, pc, now)
    enter(p, f, p.program.flag[pc], now)
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + time)
    return False


def goes_to_backend(p: Plane, f: int, pc: int, now: int) -> bool:
    """Let the backend work for a frame; false where it has nothing to do."""
    if p.program.entry[pc] == NONE:
        return False
    d: int = device_of(p, p.frames.instance[f], p.program.target[pc])
    call_instance(p, f, p.devices.backend[d], p.program.entry[pc], now)
    return True


def call_instance(p: Plane, f: int, i: int, pc: int, now: int) -> None:
    """Call a certain instance and wait for its answer."""
    admit(p, new_call(p, f, i, pc, now), now)


def new_call(p: Plane, f: int, i: int, pc: int, now: int) -> int:
    """The frame of a call by another."""
    enter(p, f, WAITING, now)
    g: int = new_frame(p, CALLEE, i, pc, now)
    p.frames.root[g] = p.frames.root[f]
    p.frames.parent[g] = f
    p.frames.account[g] = p.frames.account[f]
    return g


def copy_draws(p: Plane, f: int, w: int) -> None:
    """Give a frame that is on its own the draws of the request that it comes from."""
    width: int = p.source.width[0]
    first: int = p.frames.root[f] * width
    for c in range(width):
        p.frames.draws[w * width + c] = p.frames.draws[first + c]


def detach(p: Plane, f: int, pc: int, now: int) -> None:
    """Start instructions that nobody waits for: a write-back through a device's path."""
    w: int = new_frame(p, WRITE_BACK, p.frames.instance[f], p.program.entry[pc], now)
    clear_account(p, w)
    if p.program.flag[pc] != 0:
        copy_draws(p, f, w)
    append_todo(p, w)
