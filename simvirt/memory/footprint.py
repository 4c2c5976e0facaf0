"""The static part of the memory model: what each instance, guest and monitor takes at a load, summed up into the host's ledger.

*Model*: containers and processes share the kernel and the file pages of their image with all others on the same kernel; a VM has its own
    kernel, user space, page structs and file pages, a monitor beside it, and keeps what it once touched. KSM merges what is alike in VMs.
*Ignores*: fragmentation, slab of open files, huge pages that are only partly used.
*Source*: see the entries of the catalogue; Linux Documentation/mm; Intel SDM vol. 3C, chapter 29.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import GuestEntry, HostEntry, Layer, Platform
from simvirt.memory.ledger import Ledger, settle
from simvirt.memory.working_set import IDLE, Load, Needs, WorkingSet, expected_loads, needs
from simvirt.scenario.spec.models import Scenario, ServiceSpec

PAGE_STRUCT: Final = 64 / 4096
"""Bytes that a kernel keeps for each byte that it manages. Source: Linux, include/linux/mm_types.h, struct page."""
BOUNCE_ABOVE: Final = 3 * 2**30
"""Memory of a VM beyond which some of it lies above 4 GiB [bytes]. Source: QEMU, hw/i386/pc.c, the hole of the PCI devices."""


@dataclass
class Sums:
    """What has been counted so far [bytes]; `inside` is what guests and cgroups have swapped out within limits of their own."""

    parts: dict[str, float] = field(default_factory=dict)
    inside: float = 0.0
    shared: float = 0.0
    committed: float = 0.0

    def add(self, part: str, amount: float, times: float = 1.0) -> None:
        """Count an amount, several times."""
        self.parts[part] = self.parts.get(part, 0.0) + amount * times


@dataclass(frozen=True, slots=True)
class Tenants:
    """Replicas that share a kernel: their anonymous memory, file pages (each image once), what is swapped out for their limits [bytes].

    `data` is what they read from disk again and again, once for all replicas of a service, and as far as their limits let them keep it.
    """

    anonymous: float = 0.0
    files: float = 0.0
    spared: float = 0.0
    swapped: float = 0.0
    same: float = 0.0
    count: int = 0
    data: float = 0.0


@dataclass(frozen=True, slots=True)
class Vm:
    """The bytes of one VM: its guest's, its replicas', its monitor's. `size` is what was promised, `alike` what KSM finds in others.

    `cached` is the part of the page cache that is left for data, `reserved` what the monitor takes when all memory is touched.
    """

    size: int
    guest_os: float
    page_cache: float
    held: float
    application: float
    runtime: float
    vmm: float
    swapped: float
    alike: float
    cached: float
    reserved: float

    @property
    def resident(self) -> float:
        """Memory of the guest that the host has to back [bytes]."""
        return self.guest_os + self.page_cache + self.held + self.application + self.runtime - self.swapped


def footprint(
    scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, replicas: Mapping[str, int] | None = None,
    load: Mapping[str, Load] | None = None, merged: bool = False,
) -> Ledger:
    """The ledger of a host that runs so many replicas of each service, each at a load; the load that Little's law expects by default.

    Services left out keep the replicas that the scenario gives them. `merged` says that KSM has found all pages that are alike.
    """
    counts = {name: service.replicas for name, service in scenario.services.items()} | dict(replicas or {})
    loads = expected_loads(scenario, host, counts) if load is None else load
    wanted = {name: needs(catalog, service) for name, service in scenario.services.items()}
    return ledger(scenario, platform, host, wanted, counts, loads, merged)


def ledger(
    scenario: Scenario, platform: Platform, host: HostEntry, wanted: Mapping[str, Needs], counts: Mapping[str, int],
    loads: Mapping[str, Load], merged: bool = False,
) -> Ledger:
    """The ledger of a host from what its replicas need, how many there are of each service, and what they have to do."""
    sums, data = Sums(), 0.0
    _count_host(sums, platform, host)
    if platform.hypervisors:
        _count_vms(sums, scenario, platform, host, counts, loads, wanted, merged)
    else:
        everyone = tenants(scenario, platform.runtimes, counts, loads, wanted)
        _count_tenants(sums, everyone)
        _count_runtimes(sums, platform.runtimes, everyone.count, kernels=1)
        sums.committed += sum(counts[name] * promised(service, wanted[name]) for name, service in scenario.services.items())
        data = everyone.data
    return settle(host.memory, sums.parts, swapped=sums.inside, shared=sums.shared, committed=sums.committed, data=data)


def promised(service: ServiceSpec, wanted: Needs) -> float:
    """What a replica may use: its limit, or what it needs when idle where it has none [bytes]."""
    return float(service.memory_limit if service.memory_limit is not None else wanted.anonymous() + wanted.files)


def _count_host(sums: Sums, platform: Platform, host: HostEntry) -> None:
    """The host's own kernel and services, its page structs, the hypervisor and its domain 0."""
    sums.add("kernel", host.system_memory + PAGE_STRUCT * host.memory)
    for layer in platform.hypervisors[:1]:
        sums.add("kernel", layer.monitor.host + (layer.dom0.memory_bytes if layer.dom0 else 0))
        sums.add("vmm", layer.monitor.shared)


# --- replicas on one kernel ----------------------------------------------------------------------------------------------


def tenants(
    scenario: Scenario, runtimes: tuple[Layer, ...], counts: Mapping[str, int], loads: Mapping[str, Load], wanted: Mapping[str, Needs]
) -> Tenants:
    """The replicas that share a kernel, as many of each service as `counts` says."""
    anonymous = swapped = same = data = 0.0
    copies: dict[str, tuple[float, int]] = {}
    for name, n in counts.items():
        service, need = scenario.services[name], wanted[name].at(loads.get(name, IDLE))
        anonymous += n * need.anonymous
        same += n * need.same
        swapped += n * excess(service, need, fenced=bool(runtimes))
        data += cacheable(service, wanted[name], need, n, fenced=bool(runtimes))
        image = service.image or name
        copies[image] = (max(need.files, copies.get(image, (0.0, 0))[0]), copies.get(image, (0.0, 0))[1] + n)
    shares = all(layer.container.shares_files for layer in runtimes)
    files = sum(size * (min(n, 1) if shares else n) for size, n in copies.values())
    spared = sum(size * n for size, n in copies.values()) - files
    return Tenants(anonymous, files, spared, swapped, same, sum(counts.values()), data)


def cacheable(service: ServiceSpec, wanted: Needs, need: WorkingSet, n: int, fenced: bool) -> float:
    """Data of a service that n replicas on one kernel may keep in the page cache: all of it, or what their limits leave [bytes].

    Source: Linux Documentation/admin-guide/cgroup-v2.rst: page cache is charged to the cgroup that first touches it.
    """
    data = float(sum(part.bytes for part in wanted.data))
    if n == 0 or service.memory_limit is None or not fenced:
        return data if n else 0.0
    return min(data, n * max(0.0, service.memory_limit - need.anonymous))


def excess(service: ServiceSpec, need: WorkingSet, fenced: bool) -> float:
    """Anonymous memory of a replica beyond its limit, where something fences it [bytes]."""
    if service.memory_limit is None or not fenced:
        return 0.0
    return max(0.0, need.anonymous - service.memory_limit)


def _count_tenants(sums: Sums, everyone: Tenants) -> None:
    sums.add("application", everyone.anonymous)
    sums.add("page_cache", everyone.files)
    sums.inside += everyone.swapped
    sums.shared += everyone.spared


def _count_runtimes(sums: Sums, runtimes: tuple[Layer, ...], containers: int, kernels: int) -> None:
    """Shims and sentries, what the kernel keeps for each container, and a daemon on each kernel."""
    for layer in runtimes:
        sums.add("runtime", layer.memory_bytes + layer.container.kernel, containers)
        sums.add("kernel", layer.container.daemon, kernels)


# --- VMs -----------------------------------------------------------------------------------------------------------------


def _count_vms(
    sums: Sums, scenario: Scenario, platform: Platform, host: HostEntry, counts: Mapping[str, int], loads: Mapping[str, Load],
    wanted: Mapping[str, Needs], merged: bool,
) -> None:
    """All VMs with what is in them; then what KSM merges of them."""
    first = True
    outside, _ = runtimes_around(platform)
    for machine, n, _ in machines(scenario, platform, host, counts, loads, wanted):
        for part in ("guest_os", "page_cache", "held", "application", "runtime", "vmm"):
            sums.add(part, getattr(machine, part), n)
        sums.inside += n * machine.swapped
        sums.committed += n * (machine.size + machine.reserved)
        _count_runtimes(sums, outside, n, kernels=int(first))
        if merged:
            _merge(sums, machine, n - 1 if first else n)
        first = False
    vms = sum(counts.values()) if platform.vms is None else platform.vms.count
    sums.shared += platform.hypervisors[-1].monitor.shared * max(0, vms - 1)


def _merge(sums: Sums, machine: Vm, n: int) -> None:
    """What n VMs have alike with others is there once: KSM when it has caught up."""
    share = min(1.0, machine.alike / max(1.0, machine.guest_os + machine.page_cache + machine.held + machine.application))
    for part in ("guest_os", "page_cache", "held", "application"):
        sums.add(part, -share * getattr(machine, part), n)
        sums.shared += share * getattr(machine, part) * n


def runtimes_around(platform: Platform) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """The runtimes outside the VMs (a VM in a container) and those inside (containers in a VM)."""
    kinds = [layer.kind for layer in platform.layers]
    at = kinds.index("hypervisor") if "hypervisor" in kinds else 0
    return (
        tuple(layer for layer in platform.layers[:at] if layer.kind == "runtime"),
        tuple(layer for layer in platform.layers[at:] if layer.kind == "runtime"),
    )


def machines(
    scenario: Scenario, platform: Platform, host: HostEntry, counts: Mapping[str, int], loads: Mapping[str, Load],
    wanted: Mapping[str, Needs],
) -> Iterator[tuple[Vm, int, dict[str, int]]]:
    """The VMs of a host, those that are alike together: one of them, their number, and the replicas of each service in one."""
    _, inside = runtimes_around(platform)
    if platform.vms is None:
        for name, n in counts.items():
            if n > 0:
                inner = tenants(scenario, inside, {name: 1}, loads, wanted)
                service = scenario.services[name]
                size = own_size(service, platform, wanted[name], loads.get(name, IDLE))
                yield vm(platform, size, vcpus_of(service, host), inner, inside), n, {name: 1}
        return
    shape = platform.vms.on(host)
    for share, n in _shares(counts, shape.count):
        yield vm(platform, shape.memory, shape.vcpus, tenants(scenario, inside, share, loads, wanted), inside), n, share


def _shares(counts: Mapping[str, int], vms: int) -> Iterator[tuple[dict[str, int], int]]:
    """Replicas of each service in the VMs that they are dealt out to, one after the other; VMs alike with their number."""
    alike: dict[tuple[int, ...], int] = {}
    first = {}
    placed = 0
    for name, n in counts.items():
        first[name] = placed % vms
        placed += n
    for machine in range(vms):
        share = tuple(n // vms + int((machine - first[name]) % vms < n % vms) for name, n in counts.items())
        alike[share] = alike.get(share, 0) + 1
    for share, n in alike.items():
        yield dict(zip(counts, share, strict=True)), n


def vcpus_of(service: ServiceSpec, host: HostEntry) -> int:
    """vCPUs of a replica's own VM: as many as its limit needs, or as it has threads."""
    if service.cpu_limit is not None:
        return max(1, -(-int(service.cpu_limit * 1e6) // 1_000_000))
    return max(1, min(host.pcpus, service.threads)) if isinstance(service.threads, int) else host.pcpus


def own_size(service: ServiceSpec, platform: Platform, wanted: Needs, load: Load) -> int:
    """Memory of a replica's own VM: its guest system on top of its limit, or of what it needs where it has none [bytes]."""
    guest = platform.hypervisors[-1].guest
    assert guest is not None
    if service.memory_limit is not None:
        return service.memory_limit + guest.memory_bytes
    need = wanted.at(load)
    inner = guest.memory_bytes + guest.file_cache + guest.boot_memory + need.anonymous + need.files
    return round(inner / (1.0 - guest.page_structs))


def guest_os(guest: GuestEntry, size: int) -> float:
    """Memory that a guest's kernel and user space take in a VM of some size [bytes]."""
    return guest.memory_bytes + guest.page_structs * size + (guest.bounce_buffer if size > BOUNCE_ABOVE else 0)


def monitor(layer: Layer, resident: float, vcpus: int) -> float:
    """Memory of a VM's monitor beyond the text that all share: data, stacks of vCPUs, page tables of resident memory, video [bytes]."""
    own = layer.monitor
    return layer.memory_bytes + own.per_vcpu * vcpus + own.per_memory * resident + own.video


def vm(platform: Platform, size: int, vcpus: int, inner: Tenants, runtimes: tuple[Layer, ...]) -> Vm:
    """One VM with replicas in it.

    *Model*: the guest's system and its replicas come first, then file pages as far as there is room; what the boot touched stays with
        the VM. A guest with less memory than its replicas need swaps within itself. A preallocated VM holds all that it was promised.
    """
    layer = platform.hypervisors[-1]
    assert layer.guest is not None
    os = guest_os(layer.guest, size) + sum(runtime.container.daemon for runtime in runtimes)
    runtime = inner.count * sum(layer.memory_bytes + layer.container.kernel for layer in runtimes)
    used = os + inner.anonymous + runtime
    swapped = max(0.0, used - size) + (inner.swapped if used <= size else 0.0)
    room = max(0.0, size - used + inner.swapped)
    cache = min(room, layer.guest.file_cache + inner.files + inner.data)
    held = room - cache if layer.monitor.preallocated else min(room - cache, float(layer.guest.boot_memory))
    resident = used - swapped + cache + held
    outer = [below for below in platform.hypervisors[:-1] if below.guest is not None]
    return Vm(
        size=size, guest_os=os + sum(guest_os(below.guest, size) for below in outer if below.guest), page_cache=cache, held=held,
        application=inner.anonymous, runtime=runtime, swapped=swapped,
        vmm=monitor(layer, resident, vcpus) + sum(monitor(below, resident, vcpus) for below in outer),
        reserved=sum(monitor(layer, size, vcpus) for layer in platform.hypervisors),
        cached=max(0.0, cache - layer.guest.file_cache - inner.files), alike=layer.guest.same * (os + cache + held) + inner.same,
    )
