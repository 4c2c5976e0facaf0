"""Relaxed co-scheduling, as ESXi holds back a vCPU that has got ahead of its siblings.

Model: a vCPU makes progress while it runs. One that is ahead of the slowest runnable sibling by the co-stop threshold
    is held back, and goes on when the slowest is within the co-start threshold; each vCPU by itself. Idle vCPUs count
    as making progress: one that wakes stands where the slowest runnable sibling does. Being held back is steal (ESXi's
    %CSTP beside %RDY), and counted on its own as `costop`. Skew is looked at when it reaches a threshold, which costs
    an event only while some vCPU of the VM waits.
Ignores: the rhythm of 1 ms in which ESXi looks; time in the hypervisor, which is no progress there; handing a pCPU over
    to the one that lags.
Source: "The CPU Scheduler in VMware vSphere 5.1", VMware technical paper, 2013, Relaxed Co-Scheduling; advanced
    settings Cpu.CoschedCostopThreshold 3000 us, Cpu.CoschedCostartThreshold 2000 us, Cpu.CoschedPollUsec 1000.
"""

from simvirt.kernel.constants import HELD, NEVER, OFF
from simvirt.kernel.marks import rare
from simvirt.kernel.tables import Plane


def progress_of(p: Plane, e: int, now: int) -> int:
    """How far a runnable vCPU has got [ns]."""
    c: int = p.entities.cpu[e]
    if p.cpus.current[c] == e:
        return p.entities.progress[e] + now - p.cpus.since[c]
    return p.entities.progress[e]


def slowest_vcpu(p: Plane, g: int, but: int, now: int) -> int:
    """Progress of the slowest vCPU of a guest that is runnable and not held back, except one; NEVER if none [ns]."""
    least: int = NEVER
    for c in range(p.machines.first_cpu[g], p.machines.first_cpu[g] + p.machines.cpus[g]):
        e: int = p.cpus.vcpu[c]
        if e != but and p.entities.state[e] != OFF and p.entities.state[e] != HELD:
            least = min(least, progress_of(p, e, now))
    return least


@rare
def level_with_siblings(p: Plane, e: int, now: int) -> None:
    """A vCPU that wakes stands where its slowest runnable sibling does."""
    least: int = slowest_vcpu(p, p.cpus.machine[p.entities.carries[e]], e, now)
    if least != NEVER:
        p.entities.progress[e] = least


def must_costop(p: Plane, e: int, now: int) -> bool:
    """Whether a vCPU has to be held back."""
    least: int = slowest_vcpu(p, p.cpus.machine[p.entities.carries[e]], e, now)
    return least != NEVER and progress_of(p, e, now) - least >= p.machines.costop[p.entities.machine[e]]


def may_costart(p: Plane, e: int, now: int) -> bool:
    """Whether a vCPU that is held back may go on: its siblings have caught up, or rest."""
    least: int = slowest_vcpu(p, p.cpus.machine[p.entities.carries[e]], e, now)
    return p.entities.progress[e] - least <= p.machines.costart[p.entities.machine[e]]


@rare
def skew_check_at(p: Plane, e: int, now: int) -> int:
    """Instant at which a running vCPU will be too far ahead of one that waits, or near enough to one held back [ns]."""
    m: int = p.entities.machine[e]
    g: int = p.cpus.machine[p.entities.carries[e]]
    own: int = progress_of(p, e, now)
    last: bool = own <= slowest_vcpu(p, g, e, now)
    at: int = NEVER
    for c in range(p.machines.first_cpu[g], p.machines.first_cpu[g] + p.machines.cpus[g]):
        x: int = p.cpus.vcpu[c]
        if x == e or p.entities.state[x] == OFF:
            continue
        if p.entities.state[x] == HELD:
            behind: int = p.entities.progress[x] - own - p.machines.costart[m]
            if behind > 0 or last:
                at = min(at, now + max(behind, 0))
        elif p.cpus.current[p.entities.cpu[x]] != x:
            at = min(at, now + max(p.machines.costop[m] - own + p.entities.progress[x], 1))
    return at
