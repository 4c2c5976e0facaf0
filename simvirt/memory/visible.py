"""Which limits hold a replica, how many CPUs its software sees, and how many threads runtimes start that size themselves by it.

*Model*: software that asks its kernel (sched_getaffinity, /proc/cpuinfo) sees all CPUs of the host whatever its quota, or those of
    its cpuset; in a VM the vCPUs. Runtimes that know containers read cpu.max too, and round the quota up.
*Ignores*: lxcfs and sentries of gVisor that show fewer CPUs; runtimes that take cpu.shares for a limit, as the JVM did up to 18.
*Source*: sched_getaffinity(2); OpenJDK os_linux.cpp and cgroupSubsystem_linux.cpp (JDK-8146115: 10, 8u191; the quota rounded up);
    Go 1.25 release notes (GOMAXPROCS follows cpu.max); .NET, PAL_GetCpuLimit.
"""

from __future__ import annotations

import math

from simvirt.catalog.records import HostEntry, Platform
from simvirt.scenario.spec.models import ServiceSpec
from simvirt.scenario.spec.teams import TeamSpec


def has_cgroups(platform: Platform) -> bool:
    """Whether limits of services are those of cgroups: of containers, or of the services (systemd slices) of a guest that several share."""
    return bool(platform.runtimes) or (bool(platform.hypervisors) and platform.vms is not None)


def own_vcpus(service: ServiceSpec, host: HostEntry) -> int:
    """vCPUs of a replica's own VM: as many as its limit needs; without one as many as threads, at most the pCPUs."""
    if service.cpu_limit is not None:
        return max(1, math.ceil(service.cpu_limit - 1e-9))
    return max(1, min(host.pcpus, service.workers)) if isinstance(service.workers, int) else host.pcpus


def visible_cpus(service: ServiceSpec, platform: Platform, host: HostEntry) -> int:
    """CPUs that the kernel of a replica shows it."""
    if platform.hypervisors and platform.vms is None:
        return own_vcpus(service, host)
    cpus = platform.vms.on(host).vcpus if platform.hypervisors and platform.vms is not None else host.pcpus
    return len([c for c in service.cpuset if c < cpus]) or cpus if service.cpuset is not None else cpus


def team_size(team: TeamSpec, service: ServiceSpec, platform: Platform, host: HostEntry) -> int:
    """Threads of a team in a replica of a service."""
    if isinstance(team.threads, int):
        return team.threads
    visible = visible_cpus(service, platform, host)
    if team.threads == "visible" or service.cpu_limit is None or not has_cgroups(platform):
        return visible
    return max(1, min(visible, math.ceil(service.cpu_limit - 1e-9)))


def critical_part(team: TeamSpec | None, service: ServiceSpec, platform: Platform, host: HostEntry) -> float:
    """Part of a step's CPU time that passes until it is done where nothing contends: what one thread does, and its share of the rest."""
    if team is None:
        return 1.0
    return team.serial + (1.0 - team.serial) / min(team_size(team, service, platform, host), host.pcpus)
