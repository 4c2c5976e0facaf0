"""Devices of VMs: backends that sleep until they are kicked, interrupts that are coalesced.

*Model*: a device's work is done by a backend, an instance of its own: a thread of the host or of dom0. A backend with
    work in flight, or that had some within its polling time, is awake and needs no kick; else the instance pays for a
    kick and the request waits for the wake-up. An interrupt within the moderation time of the last one is coalesced.
    What kicks and interrupts cost is a debt of the instance, taken up by its next burst.
*Ignores*: the delay of a coalesced interrupt (the driver is
    taken to poll meanwhile, as NAPI does); a backend that polls yields to any other task at once.
*Source*: Virtual I/O Device (VIRTIO) 1.2, section 2.7 (notification suppression); Linux drivers/vhost/net.c
    (busyloop_timeout) and Documentation/networking/napi.rst.
"""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.accounting import enter
from simvirt.kernel.constants import CALLEE, NET, NONE, WAITING, WRITE_BACK
from simvirt.kernel.idling import exit_latency
from simvirt.kernel.requests import admit, clear_account, append_todo, new_frame
from simvirt.kernel.tables import Plane


def device_of(p: Plane, i: int, role: int) -> int:
    """An instance's path to the network or to the disk."""
    return p.instances.net_device[i] if role == NET else p.instances.disk_device[i]


def ring_bell(p: Plane, f: int, pc: int, now: int) -> None:
    """A message passes a device without waiting for it: the backend is kicked, the instance interrupted."""
    i: int = p.frames.instance[f]
    d: int = device_of(p, i, p.program.target[pc])
    p.devices.operations[d] += p.program.operations[pc]
    if p.program.kicks[pc] > 0:
        kick(p, i, d, pc, now + int(p.program.amount[pc]), now)
    if p.program.interrupts[pc] > 0:
        interrupt(p, i, d, pc, now)


def kick(p: Plane, i: int, d: int, pc: int, until: int, now: int) -> bool:
    """Tell a backend of work that keeps it awake until an instant; whether it slept."""
    b: int = p.devices.backend[d]
    if b == NONE or p.instances.in_flight[b] > 0:
        return False
    slept: bool = now >= p.instances.awake_until[b]
    if slept:
        p.devices.notifications[d] += p.program.kicks[pc]
        p.instances.debt[i] += p.program.kicks[pc] * p.program.notify[pc]
    keep_awake(p, b, until, now)
    return slept


def keep_awake(p: Plane, b: int, until: int, now: int) -> None:
    """An idle backend has work until an instant and looks for more after it; what looking has cost so far is booked."""
    poll: int = p.instances.poll[b]
    ends: int = p.instances.awake_until[b]
    if ends > 0:
        p.instances.polled[b] += max(min(now, ends) - (ends - poll), 0)
    p.instances.awake_until[b] = max(until + poll, ends)


def interrupt(p: Plane, i: int, d: int, pc: int, now: int) -> None:
    """Interrupt an instance, unless the last interrupt of its device is recent."""
    due: int = p.program.interrupts[pc]
    if now - p.devices.interrupted_at[d] < p.devices.moderation[d]:
        due -= 1
    if due > 0:
        p.devices.interrupts[d] += due
        p.devices.interrupted_at[d] = now
        p.instances.debt[i] += due * p.program.interrupt[pc]


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
    enter(p, f, WAITING, now)
    g: int = new_frame(p, CALLEE, i, pc, now)
    p.frames.root[g] = p.frames.root[f]
    p.frames.parent[g] = f
    p.frames.account[g] = p.frames.account[f]
    admit(p, g, now)


def detach(p: Plane, f: int, pc: int, now: int) -> None:
    """Start instructions that nobody waits for: a write-back through a device's path."""
    w: int = new_frame(p, WRITE_BACK, p.frames.instance[f], p.program.entry[pc], now)
    clear_account(p, w)
    append_todo(p, w)
