"""What a cgroup or a VM may have of CPUs: limits of services, caps and credits of VMs, quotas of old kernels."""

from dataclasses import dataclass, replace

from simvirt.catalog.records import Platform
from simvirt.lowering.schedulers import SchedulerRow
from simvirt.scenario.spec.host import SLICES_LAST_SINCE
from simvirt.scenario.spec.models import ServiceSpec

SHARES = 1024.0  # default cpu.shares; cpu.weight 100
SHARES_PER_WEIGHT = 10.24  # cgroup v2 weight 100 = v1 shares 1024
LINUX = ("eevdf", "cfs", "round-robin")
"""Policies of Linux kernels."""
CAP_PERIODS = {"credit": 30_000_000, "credit2": 10_000_000}
"""Time in which a cap counts where it is not 100 ms [ns].

Source: Xen xen/common/sched/credit.c, CSCHED_DEFAULT_TSLICE_MS; credit2.c, BUDGET_REPL_PERIOD.
"""


@dataclass(frozen=True)
class Fence:
    """What a cgroup or a VM may have of a machine's CPUs."""

    shares: float = SHARES
    reserve: float = 0.0
    quota: int = 0
    period: int = 100_000_000
    burst: int = 0
    cpuset: tuple[int, ...] = ()
    start: int | None = None  # of the quota and what is saved up, at the start [ns]; the quota by default


def bounded(fence: Fence, platform: Platform, vcpus: int, scheduler: SchedulerRow) -> Fence:
    """What a VM may have where its platform caps it apart from its vCPUs, or gives it credits.

    *Model*: credits are a quota, the baseline, of which what is not used is saved up.
    *Ignores*: that clouds lower the speed over some minutes when credits run out; I/O threads count as the VM.
    """
    if platform.credits is not None:
        quota = round(platform.credits.rate * fence.period)
        return replace(fence, quota=quota, burst=round(platform.credits.most), start=quota + round(platform.credits.balance))
    if platform.cap is None or platform.cap >= vcpus:
        return fence
    if fence.quota and fence.quota / fence.period <= platform.cap:
        return fence
    period = CAP_PERIODS.get(scheduler.policy, fence.period)
    return replace(fence, quota=round(platform.cap * period), period=period)


def slices_expire(linux: tuple[int, int] | None) -> bool:
    """Whether slices of quotas expire in a kernel: before 5.4."""
    return linux is not None and linux < SLICES_LAST_SINCE


def shares_of(service: ServiceSpec) -> float:
    """Weight of a service's cgroup in units of cpu.shares."""
    if service.cpu_shares is not None:
        return float(service.cpu_shares)
    return service.cpu_weight * SHARES_PER_WEIGHT if service.cpu_weight is not None else SHARES


def cgroup(service: ServiceSpec, cpus: int) -> Fence:
    """The limits that a container runtime gives a replica on a machine of so many CPUs."""
    return Fence(
        shares_of(service),
        reserve=service.cpu_reservation or 0.0,
        quota=service.quota_ns or 0,
        period=service.period_ns,
        burst=service.cpu_burst or 0,
        cpuset=tuple(c for c in service.cpuset or () if c < cpus),
    )
