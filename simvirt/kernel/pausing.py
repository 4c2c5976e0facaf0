"""Guests that are paused: their vCPUs get no time, whatever waits for them there; the world around them goes on.

*Model*: a vCPU leaves its CPU, or the line for one, at once; what it was doing stays where it was. Work that comes meanwhile waits in
    the guest. Once the guest goes on, each vCPU that has work asks for a CPU as if it had just woken.
*Ignores*: timers of the guest that would have been due meanwhile and come at once afterwards.
*Source*: QEMU system/cpus.c, vm_stop and vm_start; Xen common/domain.c, domain_pause.
"""

from simvirt.kernel.constants import NONE, OFF
from simvirt.kernel.cpu import block_task, try_to_wake_up
from simvirt.kernel.running import set_speed
from simvirt.kernel.tables import Plane


def pause_guest(p: Plane, m: int, now: int) -> int:
    """Let a guest's vCPUs have no more time; whether it was not paused before."""
    p.run.now[0] = now
    if p.machines.paused[m] != 0:
        return 0
    p.machines.paused[m] = 1
    for v in range(p.machines.first_cpu[m], p.machines.first_cpu[m] + p.machines.cpus[m]):
        e: int = p.cpus.vcpu[v]
        if p.entities.state[e] != OFF and p.entities.delayed[e] == 0:
            set_speed(p, v, 0.0, 1.0, now)
            block_task(p, e, now)
    return 1


def resume_guest(p: Plane, m: int, now: int) -> int:
    """Let a guest's vCPUs that have work ask for CPUs again; whether it was paused."""
    p.run.now[0] = now
    if p.machines.paused[m] == 0:
        return 0
    p.machines.paused[m] = 0
    for v in range(p.machines.first_cpu[m], p.machines.first_cpu[m] + p.machines.cpus[m]):
        if p.cpus.idle_slot[v] == NONE:
            try_to_wake_up(p, p.cpus.vcpu[v], now)
    return 1
