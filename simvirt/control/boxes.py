"""From the arrangement of a host to the boxes that its memory management sees."""

from simvirt.lowering.arrange import INTERNAL, Instance
from simvirt.lowering.lower import Lowered
from simvirt.memory.boxes import UNBOUNDED, Box, Guest, Tenant
from simvirt.memory.footprint import PAGE_STRUCT, guest_os, own_size, runtimes_around
from simvirt.memory.reclaim import HostMemory
from simvirt.memory.working_set import Load, expected_loads


def host_memory(lowered: Lowered) -> HostMemory:
    """The memory of a host at the start of a run."""
    spec, host, platform = lowered.scenario.host, lowered.host, lowered.platform
    hypervisor = platform.hypervisors[0] if platform.hypervisors else None
    outside, _ = runtimes_around(platform)
    daemons = sum(layer.container.daemon for layer in (outside if hypervisor else platform.runtimes))
    own = hypervisor.monitor.host + (hypervisor.dom0.memory_bytes if hypervisor.dom0 else 0) if hypervisor else 0
    shares = all(layer.container.shares_files for layer in platform.runtimes)
    return HostMemory(
        capacity=host.memory, kernel=host.system_memory + PAGE_STRUCT * host.memory + daemons + own, boxes=boxes(lowered),
        costs=lowered.memory.costs, swap=float(spec.swap or 0), pool=spec.zswap * host.memory, auto_balloon=platform.balloon == "auto",
        fenced=bool(platform.runtimes), text=float(hypervisor.monitor.shared) if hypervisor else 0.0, merging=spec.ksm is not None,
        image_files={} if hypervisor else {name: (float(need.files), shares) for name, need in lowered.memory.needs.items()},
        images={name: service.image or name for name, service in lowered.scenario.services.items()},
    )


def boxes(lowered: Lowered) -> list[Box]:
    """A box for each container, process or VM."""
    mine = [instance for instance in lowered.arrangement.instances if instance.service not in INTERNAL]
    if not lowered.platform.hypervisors:
        runtime = sum(layer.memory_bytes + layer.container.kernel for layer in lowered.platform.runtimes)
        return [Box(f"{i.service}-{i.replica}", [tenant(lowered, i)], runtime=runtime) for i in mine]
    return [vm_box(lowered, row, [i for i in mine if i.machine == row]) for row in dict.fromkeys(i.machine for i in mine)]


def tenant(lowered: Lowered, instance: Instance) -> Tenant:
    """A replica with the limits of its cgroup; a bare process has none, in a VM of its own the VM is the limit."""
    service = lowered.scenario.services[instance.service]
    fenced = bool(lowered.platform.runtimes)
    limit = service.memory_limit if fenced and service.memory_limit is not None else UNBOUNDED
    swap = service.memswap_limit - service.memory_limit if service.memswap_limit is not None and service.memory_limit is not None else None
    return Tenant(
        f"{instance.service}-{instance.replica}", instance.row, instance.service, lowered.memory.needs[instance.service], limit=limit,
        high=service.mem_high if fenced and service.mem_high is not None else UNBOUNDED, low=float(service.mem_reservation or 0),
        swap_most=UNBOUNDED if swap is None else float(swap), bias=service.oom_score_adj,
    )


def vm_box(lowered: Lowered, machine: int, instances: list[Instance]) -> Box:
    """A VM with the replicas in it."""
    platform = lowered.platform
    layer, (outside, inside) = platform.hypervisors[-1], runtimes_around(platform)
    assert layer.guest is not None
    tenants = [tenant(lowered, instance) for instance in instances]
    size, vcpus = vm_size(lowered, instances[0]), lowered.arrangement.machines[machine].cpus
    static = platform.balloon if isinstance(platform.balloon, int) else 0
    guest = Guest(
        size=size, os=guest_os(layer.guest, size) + sum(runtime.container.daemon for runtime in inside),
        file_cache=layer.guest.file_cache, boot=layer.guest.boot_memory, same=layer.guest.same, swap=float(platform.guest_swap),
        preallocated=layer.monitor.preallocated, reports=platform.free_page_reporting,
        balloon=min(float(static), lowered.memory.costs.balloon_most * size),
    )
    own = layer.monitor
    vmm = layer.memory_bytes + own.per_vcpu * vcpus + own.video + sum(shim.memory_bytes + shim.container.kernel for shim in outside)
    name = tenants[0].name if platform.vms is None else f"vm-{machine}"
    runtime = sum(shim.memory_bytes + shim.container.kernel for shim in inside)
    return Box(name, tenants, guest, runtime=runtime, vmm=vmm, per_memory=own.per_memory)


def vm_size(lowered: Lowered, instance: Instance) -> int:
    """Memory that a VM was promised [bytes]."""
    if lowered.platform.vms is not None:
        return lowered.platform.vms.on(lowered.host).memory
    scenario = lowered.scenario
    counts = {name: service.replicas for name, service in scenario.services.items()}
    load = expected_loads(scenario, lowered.host, counts).get(instance.service, Load())
    return own_size(scenario.services[instance.service], lowered.platform, lowered.memory.needs[instance.service], load)
