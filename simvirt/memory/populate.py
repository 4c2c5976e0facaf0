"""From who is on a host to its memory: a box for each container, process or VM, or one for all that are alike.

*Model*: containers and processes share the kernel and the file pages of their image with all others on the same
    kernel; a VM has its own kernel, user space, page structs and file pages, monitors beside it, and keeps what it
    once touched. Replicas are dealt out to shared VMs in turn; a VM that gets none runs nevertheless. What is
    promised is the size of a VM with its monitors, or the stated limit of a container or process; one without a limit
    is promised nothing.
*Ignores*: fragmentation, slab of open files, huge pages that are only partly used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simvirt.memory import guests
from simvirt.memory.boxes import UNBOUNDED, Box, Guest, Replica
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.occupancy import Occupancy
from simvirt.memory.visible import has_cgroups, own_vcpus
from simvirt.memory.working_set import IDLE
from simvirt.scenario.spec.services import ServiceSpec

Members = Mapping[str, range]
"""Service -> numbers of its replicas that are in a box."""


def host_memory(there: Occupancy, each: bool = False) -> HostMemory:
    """The memory of a host; boxes that are alike are one with its copies, unless `each` is asked for by itself."""
    spec, host, platform = there.scenario.host, there.host, there.platform
    own = sum(guests.hypervisor_memory(layer) for layer in platform.hypervisors[:1])
    own += guests.daemons(guests.runtimes_around(platform)[0])
    return HostMemory(
        capacity=host.memory, kernel=host.system_memory + guests.PAGE_STRUCT * host.memory + own, boxes=list(_boxes(there, each)),
        costs=there.costs, swap=float(spec.swap or 0), pool=spec.zswap * host.memory, auto_balloon=platform.balloon == "auto",
        fenced=has_cgroups(platform), shares_files=all(layer.container.shares_files for layer in platform.runtimes),
        text=float(sum(layer.monitor.shared for layer in platform.hypervisors[:1])), merging=spec.ksm is not None,
        swappiness=swappiness_of(there), caches_disks=any(layer.disk.cache != "none" for layer in platform.hypervisors[:1]),
    )


def swappiness_of(there: Occupancy) -> float:
    """What kernels take from applications for their page cache, in 200ths: as stated, else that of Linux."""
    stated = there.scenario.host.swappiness
    return there.costs.swappiness if stated is None else float(stated)


def _boxes(there: Occupancy, each: bool) -> Iterator[Box]:
    """The boxes in the order of their first replicas."""
    for number, (members, copies) in enumerate(_members(there, each)):
        replicas = [replica for name, those in members.items() for replica in _replicas(there, name, those, each)]
        if there.shared_vms is not None:
            yield _vm(there, replicas, f"vm-{number}", copies)
        else:
            yield box_of_one(there, replicas[0], there.scenario.services[replicas[0].service], copies)


def box_of_one(there: Occupancy, replica: Replica, service: ServiceSpec, copies: int = 1) -> Box:
    """The box that a replica of a version of its service has for itself: its container, process or VM."""
    if there.platform.hypervisors:
        return _vm(there, [replica], replica.name, copies)
    runtime = guests.container_memory(there.platform.runtimes)
    return Box(replica.name, [replica], runtime=runtime, promised=float(service.memory_limit or 0), copies=copies)


def _members(there: Occupancy, each: bool) -> Iterator[tuple[Members, int]]:
    """Who is in each box, and how many boxes are like it."""
    if there.shared_vms is not None:
        yield from _alike(list(_dealt(there.counts, there.shared_vms.count)), each)
        return
    for name, n in there.counts.items():
        if each:
            yield from (({name: range(number, number + 1)}, 1) for number in range(n))
        elif n > 0:
            yield {name: range(1)}, n


def _dealt(counts: Mapping[str, int], vms: int) -> Iterator[Members]:
    """The replicas in each of the VMs that they are dealt out to, one after the other."""
    first, placed = {}, 0
    for name, n in counts.items():
        first[name] = placed
        placed += n
    for vm in range(vms):
        yield {name: range((vm - first[name]) % vms, n, vms) for name, n in counts.items()}


def _alike(vms: list[Members], each: bool) -> Iterator[tuple[Members, int]]:
    """One of the VMs with as many replicas of each service, and their number."""
    if each:
        yield from ((vm, 1) for vm in vms)
        return
    found: dict[tuple[int, ...], list[Members]] = {}
    for vm in vms:
        found.setdefault(tuple(len(those) for those in vm.values()), []).append(vm)
    yield from ((same[0], len(same)) for same in found.values())


def _replicas(there: Occupancy, name: str, numbers: range, each: bool) -> Iterator[Replica]:
    """Replicas of a service in one box, each by itself or one with its copies."""
    for number in numbers if each else numbers[:1]:
        yield replica_of(there, name, number, there.scenario.services[name], 1 if each else len(numbers))


def replica_of(there: Occupancy, name: str, number: int, service: ServiceSpec, copies: int = 1) -> Replica:
    """A replica of a version of a service, or some that are alike; a process has no cgroup whose limits would hold."""
    fenced = has_cgroups(there.platform)
    limit, swap = service.memory_limit, service.memswap_limit if fenced else None
    low = float(service.mem_reservation or 0) if fenced or there.platform.hypervisors else 0.0
    return Replica(
        f"{name}-{number}", number, name, there.needs[name], image=service.image or name,
        limit=limit if fenced and limit is not None else UNBOUNDED,
        high=service.mem_high if fenced and service.mem_high is not None else UNBOUNDED, low=low,
        swap_most=UNBOUNDED if swap is None or limit is None else float(swap - limit), bias=service.oom_score_adj,
        load=there.loads.get(name, IDLE), copies=copies, request=float(service.mem_reservation or service.requested_memory or 0),
    )


def _vm(there: Occupancy, replicas: list[Replica], name: str, copies: int) -> Box:
    """A VM with the replicas in it."""
    platform, (outside, inside) = there.platform, guests.runtimes_around(there.platform)
    layer, (size, vcpus) = platform.hypervisors[-1], _shape(there, replicas)
    assert layer.guest is not None
    static, between = platform.balloon if isinstance(platform.balloon, int) else 0, guests.levels_between(platform, size)
    guest = Guest(
        size=size, os=guests.guest_os(layer.guest, size) + guests.daemons(inside), file_cache=layer.guest.file_cache or 0,
        boot=layer.guest.boot_memory or 0, same=layer.guest.same or 0.0, same_files=layer.guest.same_files or 0.0,
        structs=(layer.guest.page_structs or 0.0) * size, swap=float(platform.guest_swap), between=between,
        preallocated=layer.monitor.preallocated, reports=platform.free_page_reporting,
        swappiness=swappiness_of(there), balloon=min(float(static), there.costs.balloon_most * size),
    )
    vmm, tables = guests.monitors(platform, vcpus), guests.page_tables(platform)
    return Box(
        name, replicas, guest, runtime=guests.container_memory(inside), around=guests.container_memory(outside),
        vmm=vmm, per_memory=tables, promised=size * (1.0 + tables) + vmm + between, copies=copies,
    )


def _shape(there: Occupancy, replicas: list[Replica]) -> tuple[int, int]:
    """Memory [bytes] and vCPUs of a VM: as the platform says, else as its one replica needs."""
    if there.shared_vms is not None:
        return there.shared_vms.memory, there.shared_vms.vcpus
    one = replicas[0]
    service = there.scenario.services[one.service]
    return guests.own_size(service, there.platform, one.needs, one.load), own_vcpus(service, there.host)
