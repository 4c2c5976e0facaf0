"""Who runs where: the machines (host and guests), groups and instances that a platform makes of a scenario's services."""

from dataclasses import dataclass, field

from simvirt.catalog.records import DeviceEntry, GuestEntry, HostEntry, Layer, Platform
from simvirt.kernel.constants import NONE
from simvirt.lowering.paths import has_thread
from simvirt.lowering.schedulers import SchedulerRow, scheduler_row
from simvirt.lowering.topology import cores_of, pins
from simvirt.memory.guests import own_vcpus
from simvirt.scenario.order import canonical_services
from simvirt.scenario.spec.host import SchedulerSpec
from simvirt.scenario.spec.models import Scenario, ServiceSpec

SHARES = 1024.0  # default cpu.shares; cpu.weight 100
SHARES_PER_WEIGHT = 10.24  # cgroup v2 weight 100 = v1 shares 1024
GUEST_SERVICE = "(guest OS)"
IO_SERVICE = "(I/O threads)"
LOAD_SERVICE = "(hypervisor)"
MEMORY_SERVICE = "(memory)"
INTERNAL = (GUEST_SERVICE, IO_SERVICE, LOAD_SERVICE, MEMORY_SERVICE)


@dataclass
class Group:
    """A cgroup, or a VM as the host sees it."""

    machine: int
    shares: float = SHARES
    reserve: float = 0.0
    quota: int = 0
    period: int = 100_000_000
    burst: int = 0
    cpuset: tuple[int, ...] = ()
    per_task_weight: bool = False
    row: int = -1


@dataclass
class Machine:
    """The host, or a guest: CPUs and a scheduler."""

    cpus: int
    scheduler: SchedulerRow
    guest: GuestEntry | None = None
    vm: Group | None = None
    halt_poll: int = 0
    spin_wait: float = 1.0
    pins: tuple[int, ...] = ()
    net: "Device | None" = None
    disk: "Device | None" = None
    row: int = -1


@dataclass
class Device:
    """A VM's path to the network or to the disk, and the instance that does its work."""

    entry: DeviceEntry
    backend: "Instance | None"
    row: int = -1


@dataclass(frozen=True)
class Place:
    """Where an instance stands: the kernel that schedules it, its group there or none, the paths of its VM to network and disk."""

    machine: int
    group: Group | None = None
    net: Device | None = None
    disk: Device | None = None


@dataclass
class Instance:
    """A replica: threads that run at a place."""

    service: str
    replica: int
    place: Place
    threads: int | str = "unlimited"
    queue: int | str = "unlimited"
    poll: int = 0
    row: int = -1

    @property
    def machine(self) -> int:
        """Row of the kernel that schedules it."""
        return self.place.machine

    @property
    def group(self) -> Group | None:
        """Its group in that kernel."""
        return self.place.group


@dataclass
class Arrangement:
    """All of it, in the order of the tables' rows; services in canonical order."""

    services: list[str]
    machines: list[Machine] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    dom0: Machine | None = None
    vcpus: int = 0  # of all VMs together
    memory: dict[str, int] = field(default_factory=dict)


def host_scheduler(scenario: Scenario, platform: Platform) -> SchedulerSpec:
    """The scheduler of the host: as the scenario says, else that of the outermost hypervisor, else Linux's."""
    own = platform.hypervisors[0].scheduler if platform.hypervisors else None
    if own is None or "scheduler" in scenario.host.model_fields_set:
        return scenario.host.scheduler
    return SchedulerSpec.model_validate(own)


def arrange(scenario: Scenario, platform: Platform, host: HostEntry, reclaims: bool = False) -> Arrangement:
    """Machines, groups and instances of a scenario on a platform; with `reclaims` the host's memory management is one of them."""
    plan = Arrangement(canonical_services(scenario))
    spec = host_scheduler(scenario, platform)
    plan.machines.append(Machine(host.pcpus, scheduler_row(spec.policy, host.pcpus, host.tick_ns, spec), row=0))
    add_group(plan, Group(0, per_task_weight=True))
    if platform.hypervisors:
        _arrange_vms(scenario, platform, host, plan)
    else:
        _arrange_processes(scenario, platform, host, plan)
    if reclaims:
        plan.instances.append(Instance(MEMORY_SERVICE, 0, Place(0)))
    for row, instance in enumerate(plan.instances):
        instance.row = row
    return plan


def add_group(plan: Arrangement, group: Group) -> Group:
    """Give a group its row."""
    group.row = len(plan.groups)
    plan.groups.append(group)
    return group


def shares_of(service: ServiceSpec) -> float:
    """Weight of a service's cgroup in units of cpu.shares."""
    if service.cpu_shares is not None:
        return float(service.cpu_shares)
    return service.cpu_weight * SHARES_PER_WEIGHT if service.cpu_weight is not None else SHARES


def cgroup(service: ServiceSpec, machine: int, cpus: int) -> Group:
    """The cgroup that a container runtime makes for a replica."""
    return Group(
        machine,
        shares_of(service),
        reserve=service.cpu_reservation or 0.0,
        quota=service.quota_ns or 0,
        period=service.period_ns,
        burst=service.cpu_burst or 0,
        cpuset=tuple(c for c in service.cpuset or () if c < cpus),
    )


def worker_threads(service: ServiceSpec, host: HostEntry, machine: Machine, seen: bool) -> int | str:
    """Threads of a replica; `cores`: as many as the cores that it sees and may run on; where topology is hidden each vCPU is one."""
    if service.threads != "cores":
        return service.threads
    allowed = [c for c in service.cpuset or range(machine.cpus) if c < machine.cpus]
    places = machine.pins or (range(host.pcpus) if machine.vm is None else ())
    return len(cores_of(host, tuple(places[c] for c in allowed))) if seen and places else len(allowed)


def _arrange_processes(scenario: Scenario, platform: Platform, host: HostEntry, plan: Arrangement) -> None:
    """Replicas on the host's own kernel: bare processes, or containers."""
    for name in plan.services:
        service = scenario.services[name]
        for replica in range(service.replicas):
            group = add_group(plan, cgroup(service, 0, plan.machines[0].cpus)) if platform.runtimes else None
            threads = worker_threads(service, host, plan.machines[0], True)
            plan.instances.append(Instance(name, replica, Place(0, group), threads, service.queue))
            _remember(plan, "application", service.memory_limit or 0)
            _remember(plan, "runtime", sum(layer.memory_bytes for layer in platform.runtimes))


def _arrange_vms(scenario: Scenario, platform: Platform, host: HostEntry, plan: Arrangement) -> None:
    """Replicas inside VMs: one VM each, or a few large ones that they share."""
    _add_hypervisor(plan, platform.hypervisors[-1])
    vms = platform.vms.on(host) if platform.vms is not None else None
    own = [scenario.services[name].replicas * own_vcpus(scenario.services[name], host) for name in plan.services]
    plan.vcpus = (plan.dom0.cpus if plan.dom0 else 0) + (vms.count * vms.vcpus if vms is not None else sum(own))
    shared = [_add_vm(plan, platform, host, vms.vcpus, Group(0), vms.memory) for _ in range(vms.count)] if vms is not None else []
    placed = 0
    for name in plan.services:
        service = scenario.services[name]
        for replica in range(service.replicas):
            guest = shared[placed % len(shared)] if shared else _own_vm(plan, platform, host, service)
            placed += 1
            group = add_group(plan, cgroup(service, guest.row, guest.cpus)) if platform.runtimes else None
            threads = worker_threads(service, host, guest, platform.topology == "exposed")
            plan.instances.append(Instance(name, replica, Place(guest.row, group, guest.net, guest.disk), threads, service.queue))
            _remember(plan, "runtime", sum(layer.memory_bytes for layer in platform.runtimes))


def _own_vm(plan: Arrangement, platform: Platform, host: HostEntry, service: ServiceSpec) -> Machine:
    """A VM for one replica: its vCPUs, a cap for the fraction of the limit, the guest OS on top of its memory."""
    limit, vcpus = service.cpu_limit, own_vcpus(service, host)
    group = Group(0, shares_of(service), service.cpu_reservation or 0.0, cpuset=tuple(c for c in service.cpuset or () if c < host.pcpus))
    if limit is not None and limit < vcpus:
        group.quota, group.period, group.burst = service.quota_ns or 0, service.period_ns, service.cpu_burst or 0
    guest = platform.hypervisors[-1].guest
    memory = (service.memory_limit or 0) + (guest.memory_bytes if guest else 0)
    return _add_vm(plan, platform, host, vcpus, group, memory)


def _add_hypervisor(plan: Arrangement, hypervisor: Layer) -> None:
    """What a hypervisor keeps on the host beside its VMs: the domain that owns the devices, the load of a hosted one."""
    if hypervisor.dom0 is not None:
        plan.dom0 = _add_guest(plan, hypervisor, hypervisor.dom0.vcpus, Group(0))
        _remember(plan, "dom0", hypervisor.dom0.memory_bytes)
    if hypervisor.host_load is not None:
        plan.instances.append(Instance(LOAD_SERVICE, 0, Place(0)))


def _add_vm(plan: Arrangement, platform: Platform, host: HostEntry, vcpus: int, group: Group, memory: int) -> Machine:
    """A VM: a group on the host, a guest kernel with its background load, its devices and the threads that serve them."""
    hypervisor = platform.hypervisors[-1]
    pinned = pins(host, vcpus, sum(m.cpus for m in plan.machines[1:]), plan.vcpus, group.cpuset) if platform.pin else ()
    group.cpuset = tuple(sorted(set(pinned))) or group.cpuset
    guest = _add_guest(plan, hypervisor, vcpus, group)
    guest.pins = pinned
    _add_devices(plan, hypervisor, guest)
    _remember(plan, "vm", memory)
    _remember(plan, "vmm", hypervisor.memory_bytes)
    return guest


def _add_guest(plan: Arrangement, hypervisor: Layer, vcpus: int, group: Group) -> Machine:
    """A guest kernel on vCPUs in a group of the host, with its background load."""
    assert hypervisor.guest is not None
    add_group(plan, group)
    scheduler = scheduler_row(hypervisor.guest.scheduler, vcpus, hypervisor.guest.tick_ns)
    guest = Machine(
        vcpus, scheduler, hypervisor.guest, group, round(hypervisor.halt_poll_ns), hypervisor.spin_wait, row=len(plan.machines)
    )
    plan.machines.append(guest)
    add_group(plan, Group(guest.row, per_task_weight=True))
    plan.instances.append(Instance(GUEST_SERVICE, guest.row, Place(guest.row)))
    return guest


def _add_devices(plan: Arrangement, hypervisor: Layer, guest: Machine) -> None:
    """The devices of a VM; those of a monitor that has one thread share it."""
    backends: dict[str, Instance] = {}
    for entry in (hypervisor.net, hypervisor.disk):
        name = entry.backend if entry.backend == "vmm" else entry.role
        if name not in backends and (backend := _backend(plan, entry, guest)) is not None:
            backends[name] = backend
            plan.instances.append(backend)
        device = Device(entry, backends.get(name), len(plan.devices))
        if device.backend is not None:
            device.backend.poll = max(device.backend.poll, round(entry.poll_ns))
        plan.devices.append(device)
        setattr(guest, entry.role, device)


def _backend(plan: Arrangement, entry: DeviceEntry, guest: Machine) -> Instance | None:
    """The instance that does a device's work: a thread beside the VM or in dom0; one that only keeps its requests apart; none."""
    if entry.backend == "dom0":
        assert plan.dom0 is not None
        return Instance(IO_SERVICE, guest.row, Place(plan.dom0.row), threads=1)
    if has_thread(entry):
        return Instance(IO_SERVICE, guest.row, Place(0, guest.vm), threads=1)
    return Instance(IO_SERVICE, guest.row, Place(guest.row), threads=1) if entry.serial else None


def row_of(thing: Group | Instance | Device | None) -> int:
    """Row of a thing in its table, NONE without one."""
    return NONE if thing is None else thing.row


def _remember(plan: Arrangement, part: str, amount: int) -> None:
    plan.memory[part] = plan.memory.get(part, 0) + amount
