"""Who runs where: the machines (host and guests), groups and instances that a platform makes of a scenario's services."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from simvirt.catalog.entries.software import DeviceEntry, GuestEntry
from simvirt.catalog.records import HostEntry, Layer, Platform
from simvirt.kernel.constants import NONE
from simvirt.lowering.fences import LINUX, Fence, bounded, cgroup, slices_expire
from simvirt.lowering.paths import has_thread
from simvirt.lowering.schedulers import SchedulerRow, scheduler_row
from simvirt.lowering.sites import Replicas, Site, dealt, spares
from simvirt.lowering.topology import cores_of, pins
from simvirt.memory.visible import own_vcpus
from simvirt.scenario.order import service_keys
from simvirt.scenario.slots import acted_on
from simvirt.scenario.spec.host import SchedulerSpec
from simvirt.scenario.spec.models import Scenario, ServiceSpec
from simvirt.workload.streams import DEVICE_DOMAIN, HOST, OWN_VM, REPLICA, SHARED_VM

NO_FENCE = Fence()
"""What limits nothing."""
GUEST_SERVICE = "(guest OS)"
IO_SERVICE = "(I/O threads)"
LOAD_SERVICE = "(hypervisor)"
MEMORY_SERVICE = "(memory)"
NETWORK_SERVICE = "(network stack)"
MANAGEMENT_SERVICE = "(management)"
STORAGE_SERVICE = "(storage)"
INTERNAL = (GUEST_SERVICE, IO_SERVICE, LOAD_SERVICE, MEMORY_SERVICE, NETWORK_SERVICE, MANAGEMENT_SERVICE, STORAGE_SERVICE)
Key = tuple[int, ...]  # whose the phase of a period is


@dataclass(frozen=True)
class Group:
    """A cgroup, a VM as the host sees it, or processes that are bound to CPUs (`affinity`), whose tasks weigh as if in no group."""

    row: int
    machine: int
    fence: Fence = NO_FENCE
    per_task_weight: bool = False
    affinity: bool = False
    key: Key = ()


@dataclass
class Machine:
    """A host's own kernel, or a guest: CPUs and a scheduler; `expires`: whether slices of its quotas end with their period."""

    row: int
    host: int
    cpus: int
    scheduler: SchedulerRow
    guest: GuestEntry | None = None
    vm: Group | None = None
    halt_poll: int = 0
    polls_itself: bool = False
    spin_wait: float = 1.0
    pins: tuple[int, ...] = ()
    key: Key = ()
    expires: bool = False
    net: "Device | None" = None
    disk: "Device | None" = None


@dataclass
class Host:
    """A host: where it is, its own kernel, the domain that owns its devices; vCPUs that its VMs want, and have so far; its replicas."""

    row: int
    site: Site
    machine: int
    replicas: Replicas
    kind: int
    dom0: Machine | None = None
    wanted_vcpus: int = 0
    vcpus: int = 0

    @property
    def entry(self) -> HostEntry:
        """Its entry in the catalogue."""
        return self.site.entry

    @property
    def counts(self) -> dict[str, int]:
        """How many replicas of each service stand on it."""
        return dict(Counter(name for name, _ in self.replicas))


@dataclass(frozen=True)
class Device:
    """A VM's path to the network or to the disk, or a container's to the network, the instance that does its work, its host."""

    row: int
    entry: DeviceEntry | None
    backend: "Instance | None"
    host: int


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

    row: int
    service: str
    replica: int
    place: Place
    threads: int | str = "unlimited"
    queue: int | str = "unlimited"
    loops: bool = False
    poll: int = 0
    softirqs: bool = False

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
    keys: dict[str, int] = field(default_factory=dict)  # service: its number where numbers are drawn
    hosts: list[Host] = field(default_factory=list)
    kinds: list[HostEntry] = field(default_factory=list)  # the hosts that differ, in the order of the first of each
    machines: list[Machine] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    receivers: dict[int, Instance] = field(default_factory=dict)
    beside: dict[int, Instance] = field(default_factory=dict)
    nodes: dict[str, tuple[int, ...]] = field(default_factory=dict)  # service: NUMA nodes that its memory is bound to
    nic_queues: dict[int, Instance] = field(default_factory=dict)  # host: receive softirqs of its NIC, which all replicas there share
    moves: bool = False  # whether what runs may come to stand on other hosts
    hands: dict[int, Instance] = field(default_factory=dict)  # host's own kernel or guest: what manages instances there

    def kind_of(self, entry: HostEntry) -> int:
        """The number of a kind of host, which is a new one where none of those that there are is like it."""
        if entry not in self.kinds:
            self.kinds.append(entry)
        return self.kinds.index(entry)

    def add_group(
        self, machine: int, fence: Fence = NO_FENCE, per_task_weight: bool = False, affinity: bool = False, key: Key = ()
    ) -> Group:
        """A group on a machine, in the next row."""
        self.groups.append(Group(len(self.groups), machine, fence, per_task_weight, affinity, key))
        return self.groups[-1]

    def add_instance(
        self, service: str, replica: int, place: Place, threads: int | str = "unlimited", queue: int | str = "unlimited",
        loops: bool = False,
    ) -> Instance:
        """An instance at a place, in the next row."""
        self.instances.append(Instance(len(self.instances), service, replica, place, threads, queue, loops))
        return self.instances[-1]

    def guests_of(self, host: Host) -> list[Machine]:
        """The guests of a host, which follow its own kernel."""
        after = self.hosts[host.row + 1].machine if host.row + 1 < len(self.hosts) else len(self.machines)
        return self.machines[host.machine + 1 : after]

    def shared_vms_of(self, host: int) -> list[Machine]:
        """The VMs of a host that several replicas share."""
        return [guest for guest in self.guests_of(self.hosts[host]) if guest.key[0] == SHARED_VM]

    @cached_property
    def _standing(self) -> list[dict[str, list[Instance]]]:
        """Replicas on each host, by service and in the order of their numbers."""
        found: list[dict[str, list[Instance]]] = [{} for _ in self.hosts]
        for instance in self.instances:
            if instance.service not in INTERNAL:
                found[self.machines[instance.machine].host].setdefault(instance.service, []).append(instance)
        return found

    def on_host(self, host: int) -> dict[str, list[Instance]]:
        """Replicas on a host, by service."""
        return self._standing[host]

    def host_of(self, instance: Instance) -> Host:
        """The host that an instance stands on."""
        return self.hosts[self.machines[instance.machine].host]


def host_scheduler(scenario: Scenario, platform: Platform) -> SchedulerSpec:
    """The scheduler of the host: as the scenario says, else that of the outermost hypervisor, else Linux's."""
    own = platform.hypervisors[0].scheduler if platform.hypervisors else None
    if own is None or "scheduler" in scenario.host.model_fields_set:
        return scenario.host.own_scheduler
    return SchedulerSpec.model_validate(own)


def arrange(scenario: Scenario, platform: Platform, sites: Sequence[Site], reclaims: bool = False) -> Arrangement:
    """Machines, groups and instances of a scenario on a platform; with `reclaims` the memory management of a host is one of them."""
    keys = service_keys(scenario)
    plan = Arrangement(list(keys), keys, moves=may_move(scenario, platform, len(sites)))
    if not platform.hypervisors or platform.vms is None:
        plan.nodes.update({name: service.cpuset_mems for name, service in scenario.services.items() if service.cpuset_mems})
    later = spares(scenario, platform, plan.services, sites)
    for site, replicas, spare in zip(sites, dealt(scenario, plan.services, sites, platform), later, strict=True):
        host = _add_host(plan, platform, site, replicas)
        (_arrange_vms if platform.hypervisors else _arrange_processes)(scenario, platform, host, plan, [*replicas, *spare])
        if reclaims:
            plan.add_instance(MEMORY_SERVICE, host.row, Place(host.machine))
    if scenario.followed:
        _add_hands(plan)
    return plan


def may_move(scenario: Scenario, platform: Platform, hosts: int) -> bool:
    """Whether what runs may come to stand on another host: VMs and containers that move, and what is put where it starts."""
    moved = platform.hypervisors or platform.migrator is not None
    return (scenario.moves and bool(moved)) or (hosts > 1 and acted_on(scenario, platform))


def _add_hands(plan: Arrangement) -> None:
    """What manages instances: daemons and tools on a host's own kernel, or in the domain that stands for it, and in each guest."""
    for host in plan.hosts:
        own = host.machine if host.dom0 is None else host.dom0.row
        plan.hands[host.machine] = plan.add_instance(MANAGEMENT_SERVICE, own, Place(own))
    for machine in plan.machines:
        if machine.vm is not None and machine.net is not None:
            place = Place(machine.row, None, machine.net, machine.disk)
            plan.hands[machine.row] = plan.add_instance(MANAGEMENT_SERVICE, machine.row, place)


def _add_host(plan: Arrangement, platform: Platform, site: Site, replicas: Replicas) -> Host:
    """A host with its own kernel, and nothing on it."""
    spec, entry = host_scheduler(site.view, platform), site.entry
    host = Host(len(plan.hosts), site, len(plan.machines), replicas, plan.kind_of(entry))
    plan.hosts.append(host)
    scheduler = scheduler_row(spec.policy, entry.pcpus, entry.tick_ns, spec)
    expires = slices_expire(site.view.host.linux) and spec.policy in LINUX
    plan.machines.append(Machine(host.machine, host.row, entry.pcpus, scheduler, key=(HOST, host.row), expires=expires))
    plan.add_group(host.machine, per_task_weight=True)
    return host


def worker_threads(service: ServiceSpec, host: HostEntry, machine: Machine, seen: bool) -> int | str:
    """Threads or event loops of a replica; `cores`: as many as it sees and may run on; where topology is hidden each vCPU is one."""
    if service.workers != "cores":
        return service.workers
    allowed = cgroup(service, machine.cpus).cpuset or range(machine.cpus)
    places = machine.pins or (range(host.pcpus) if machine.vm is None else ())
    return len(cores_of(host, tuple(places[c] for c in allowed))) if seen and places else len(allowed)


def _arrange_processes(scenario: Scenario, platform: Platform, host: Host, plan: Arrangement, replicas: Replicas) -> None:
    """Replicas on the host's own kernel: bare processes, or containers."""
    machine = plan.machines[host.machine]
    for name, replica in replicas:
        service = scenario.services[name]
        key = (REPLICA, plan.keys[name], replica)
        contained = bool(platform.runtimes)
        group = plan.add_group(machine.row, cgroup(service, machine.cpus), key=key) if contained else _bound(plan, machine, service, key)
        threads = worker_threads(service, host.entry, machine, True)
        plan.add_instance(name, replica, Place(machine.row, group), threads, service.queue, service.event_loops is not None)
        if replica < service.replicas:
            _remember(plan, "application", service.memory_limit or 0)
            _remember(plan, "runtime", sum(layer.memory_bytes for layer in platform.runtimes))


def _arrange_vms(scenario: Scenario, platform: Platform, host: Host, plan: Arrangement, replicas: Replicas) -> None:
    """Replicas inside VMs: one VM each, or a few large ones that they share."""
    _add_hypervisor(plan, platform.hypervisors[-1], host)
    vms = platform.vms.on(host.entry) if platform.vms is not None else None
    own = sum(own_vcpus(scenario.services[name], host.entry) for name, replica in replicas if replica < scenario.services[name].replicas)
    host.wanted_vcpus = host.vcpus + (vms.count * vms.vcpus if vms is not None else own)
    numbers = range(vms.count) if vms is not None else ()
    shared = [_add_vm(plan, platform, host, vms.vcpus, NO_FENCE, vms.memory, (SHARED_VM, host.row, n)) for n in numbers if vms is not None]
    for number, (name, replica) in enumerate(replicas):
        service, before = scenario.services[name], dict(plan.memory)
        guest = shared[number % len(shared)] if shared else _own_vm(plan, platform, host, service, (OWN_VM, plan.keys[name], replica))
        group = _group_in_guest(plan, platform, guest, service, (REPLICA, plan.keys[name], replica))
        threads = worker_threads(service, host.entry, guest, platform.topology == "exposed")
        place = Place(guest.row, group, guest.net, guest.disk)
        plan.add_instance(name, replica, place, threads, service.queue, service.event_loops is not None)
        _remember(plan, "runtime", sum(layer.memory_bytes for layer in platform.runtimes))
        plan.memory = before if replica >= service.replicas else plan.memory


def _bound(plan: Arrangement, machine: Machine, service: ServiceSpec, key: Key) -> Group | None:
    """What binds bare processes to CPUs, as taskset does; None where nothing does."""
    if service.cpuset is None:
        return None
    return plan.add_group(machine.row, Fence(cpuset=tuple(c for c in service.cpuset if c < machine.cpus)), affinity=True, key=key)


def _group_in_guest(plan: Arrangement, platform: Platform, guest: Machine, service: ServiceSpec, key: Key) -> Group | None:
    """The cgroup of a replica in a guest: its container's, or a slice of the guest's systemd where services share the VM and state limits.

    The CPUs that bind a VM of its own are the host's and bind its vCPUs; those in a VM that is shared are the guest's.
    """
    fence = replace(cgroup(service, guest.cpus), reserve=0.0)
    if platform.vms is None:
        fence = replace(fence, cpuset=())
    elif not platform.runtimes and fence == NO_FENCE:
        return None
    return plan.add_group(guest.row, fence, key=key) if platform.runtimes or platform.vms is not None else None


def _own_vm(plan: Arrangement, platform: Platform, host: Host, service: ServiceSpec, key: Key) -> Machine:
    """A VM for one replica: its vCPUs, a cap for the fraction of the limit, the guest OS on top of its memory."""
    limit, vcpus = service.cpu_limit, own_vcpus(service, host.entry)
    fence = cgroup(service, host.entry.pcpus)
    if limit is None or limit >= vcpus:
        fence = Fence(fence.shares, fence.reserve, cpuset=fence.cpuset)
    guest = platform.hypervisors[-1].guest
    memory = (service.memory_limit or 0) + (guest.memory if guest else 0)
    return _add_vm(plan, platform, host, vcpus, fence, memory, key)


def _add_hypervisor(plan: Arrangement, hypervisor: Layer, host: Host) -> None:
    """What a hypervisor keeps on the host beside its VMs: the domain that owns the devices, the load of a hosted one."""
    if hypervisor.dom0 is not None:
        host.dom0 = _add_guest(plan, hypervisor, host, hypervisor.dom0.vcpus, NO_FENCE, (DEVICE_DOMAIN, host.row))
        _remember(plan, "dom0", hypervisor.dom0.memory)
    if hypervisor.host_load is not None:
        plan.add_instance(LOAD_SERVICE, host.row, Place(host.machine))


def _add_vm(plan: Arrangement, platform: Platform, host: Host, vcpus: int, fence: Fence, memory: int, key: Key) -> Machine:
    """A VM: a group on the host, a guest kernel with its background load, its devices and the threads that serve them."""
    hypervisor = platform.hypervisors[-1]
    fence = bounded(fence, platform, vcpus, plan.machines[host.machine].scheduler)
    pinned = pins(host.entry, vcpus, host.vcpus, host.wanted_vcpus, fence.cpuset) if platform.pin else ()
    guest = _add_guest(plan, hypervisor, host, vcpus, fence, key)
    guest.pins = pinned
    _add_devices(plan, hypervisor, host, guest)
    _remember(plan, "vm", memory)
    _remember(plan, "vmm", hypervisor.memory_bytes)
    return guest


def _add_guest(plan: Arrangement, hypervisor: Layer, host: Host, vcpus: int, fence: Fence, key: Key) -> Machine:
    """A guest kernel on vCPUs in a group of the host, with its background load."""
    assert hypervisor.guest is not None
    scheduler = scheduler_row(hypervisor.guest.scheduler, vcpus, hypervisor.guest.tick)
    guest = Machine(
        len(plan.machines), host.row, vcpus, scheduler, hypervisor.guest, plan.add_group(host.machine, fence, key=key),
        round(hypervisor.guest.idle_poll or hypervisor.halt_poll_ns), bool(hypervisor.guest.idle_poll), hypervisor.spin_wait, key=key,
        expires=slices_expire(hypervisor.guest.linux),
    )
    plan.machines.append(guest)
    host.vcpus += vcpus
    plan.add_group(guest.row, per_task_weight=True)
    plan.add_instance(GUEST_SERVICE, guest.row, Place(guest.row))
    return guest


def _add_devices(plan: Arrangement, hypervisor: Layer, host: Host, guest: Machine) -> None:
    """The devices of a VM; those of a monitor that has one thread share it."""
    backends: dict[str, Instance | None] = {}
    for entry in (hypervisor.net, hypervisor.disk):
        name = entry.backend if entry.backend == "vmm" else entry.role
        if backends.get(name) is None:
            backends[name] = _add_backend(plan, entry, host, guest)
        if (backend := backends[name]) is not None:
            backend.poll = max(backend.poll, round(entry.poll or 0.0))
        plan.devices.append(Device(len(plan.devices), entry, backend, host.row))
    guest.net, guest.disk = plan.devices[-2:]


def _add_backend(plan: Arrangement, entry: DeviceEntry, host: Host, guest: Machine) -> Instance | None:
    """The instance that does a device's work: a thread beside the VM or in dom0; one that only keeps its requests apart; none."""
    if entry.backend == "dom0":
        assert host.dom0 is not None
        return plan.add_instance(IO_SERVICE, guest.row, Place(host.dom0.row), threads=1)
    if has_thread(entry):
        return plan.add_instance(IO_SERVICE, guest.row, Place(host.machine, guest.vm), threads=1)
    return plan.add_instance(IO_SERVICE, guest.row, Place(guest.row), threads=1) if entry.serial else None


def row_of(thing: Group | Instance | Device | None) -> int:
    """Row of a thing in its table, NONE without one."""
    return NONE if thing is None else thing.row


def _remember(plan: Arrangement, part: str, amount: int) -> None:
    plan.memory[part] = plan.memory.get(part, 0) + amount
