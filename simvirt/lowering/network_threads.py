"""The threads that handle what passes the network beside those of services: of hosts, containers and guests."""

from dataclasses import replace
from typing import Final

from simvirt.catalog.entries.software import DeviceEntry
from simvirt.catalog.records import Platform
from simvirt.lowering.arrange import INTERNAL, NETWORK_SERVICE, Arrangement, Device, Host, Instance, Place
from simvirt.lowering.container_paths import has_network_threads, network_path, received_beside
from simvirt.scenario.spec.models import Scenario

RING = 256
"""Packets that a NIC or a virtual one holds for a CPU before it drops them. Source: QEMU, virtio-net rx_queue_size; Linux, ethtool -g."""

AWAKE_NS: Final = 1
"""For how long a softirq's CPU counts as awake when a packet comes: just so long that no idle state is left for it [ns]."""


def add_network_threads(plan: Arrangement, scenario: Scenario, platform: Platform) -> None:
    """Add all of them: of kernels that may have to reject requests, of guests, and of replicas on a host's own kernel."""
    _add_receivers(plan, scenario)
    _add_softirqs(plan, platform)
    _add_paths(plan, scenario, platform)


def _add_receivers(plan: Arrangement, scenario: Scenario) -> None:
    """The network stack of each kernel that may have to reject requests: it receives them nevertheless."""
    bounded = {name for name, service in scenario.services.items() if service.queue != "unlimited"}
    rows = {instance.machine for instance in plan.instances if instance.service in bounded}
    for row in sorted(rows | ({machine.row for machine in plan.machines} if plan.moves and rows else set())):
        cpus = plan.machines[row].cpus
        plan.receivers[row] = _softirqs(plan, row, Place(row), cpus)
        plan.receivers[row].queue = RING * cpus


def _add_softirqs(plan: Arrangement, platform: Platform) -> None:
    """The thread of each guest that takes interrupts on another CPU while a service computes which has fewer threads than CPUs.

    Threads that could compute on all CPUs have the same to do wherever interrupts are taken. Where the monitor emulates an adapter
    on the vCPU that asks, its registers and the driver are work of one vCPU. In a guest that sees the threads of cores, a thread of a
    busy core is no free CPU.
    """
    few: dict[int, list[Instance]] = {}
    for instance in plan.instances:
        seen = plan.host_of(instance).entry.smt if platform.topology == "exposed" else 1
        if instance.service not in INTERNAL and leaves_cpus(instance, plan.machines[instance.machine].cpus // seen):
            few.setdefault(instance.machine, []).append(instance)
    for machine in plan.machines:
        device, served = machine.net.entry if machine.net is not None else None, few.get(machine.row)
        if device is not None and served and device.backend != "vcpu":
            thread = _softirqs(plan, machine.row, Place(machine.row), 1)
            plan.beside.update({i.row: thread for i in served})


def leaves_cpus(instance: Instance, cpus: int) -> bool:
    """Whether a replica has fewer threads than its kernel has CPUs."""
    return isinstance(instance.threads, int) and instance.threads < cpus


def _add_paths(plan: Arrangement, scenario: Scenario, platform: Platform) -> None:
    """Give replicas the threads of their network paths: receive softirqs of the host, a stack in their cgroup, a proxy outside.

    *Model*: a NIC with stated queues has a receive softirq for each, which all replicas share; else what a replica receives comes in
        flows, each received on one CPU: as many as its service states, or as it has threads. A stack in user space is in the cgroup
        of its container, a proxy in none. The interrupt of a packet wakes one CPU, as without containers: that of the thread that it is
        for; a softirq begins at once.
    """
    _add_beside(plan, scenario, platform)
    served = [has_network_threads(scenario, platform, entry) for entry in plan.kinds]
    path = network_path(platform)
    own = path is not None and path.backend in ("netstack", "proxy")
    stated = [host for host in plan.hosts if served[host.kind] and not own and host.entry.nic.queues is not None]
    queues = plan.nic_queues = {host.row: _queues(plan, host) for host in stated}
    for instance in [i for i in plan.instances if i.service not in INTERNAL and served[plan.host_of(i).kind]]:
        host = plan.host_of(instance).row
        backend = queues.get(host) or _own_threads(plan, scenario, path, instance)
        plan.devices.append(Device(len(plan.devices), path, backend, host))
        instance.place = replace(instance.place, net=plan.devices[-1])


def _add_beside(plan: Arrangement, scenario: Scenario, platform: Platform) -> None:
    """Give replicas a softirq on another CPU, where their packets are received beside their workers."""
    services = [received_beside(scenario, platform, entry) for entry in plan.kinds]
    for instance in [i for i in plan.instances if i.service in services[plan.host_of(i).kind]]:
        plan.devices.append(Device(len(plan.devices), network_path(platform), None, plan.host_of(instance).row))
        instance.place = replace(instance.place, net=plan.devices[-1])
        plan.beside[instance.row] = _softirqs(plan, len(plan.instances), Place(instance.machine), 1)


def _queues(plan: Arrangement, host: Host) -> Instance:
    """The receive softirqs of a host whose NIC has a stated number of queues."""
    count = min(host.entry.nic.queues or host.entry.pcpus, host.entry.pcpus)
    return _waking(_softirqs(plan, len(plan.instances), Place(host.machine), count))


def _own_threads(plan: Arrangement, scenario: Scenario, path: DeviceEntry | None, instance: Instance) -> Instance:
    """The threads that a replica's path has for it alone."""
    cpus, outside = plan.host_of(instance).entry.pcpus, Place(instance.machine)
    if path is not None and path.backend in ("netstack", "proxy"):
        place = instance.place if path.backend == "netstack" else outside
        return plan.add_instance(NETWORK_SERVICE, len(plan.instances), place, threads=int(path.threads or cpus))
    flows = scenario.services[instance.service].flows
    known = flows if flows is not None or instance.loops else instance.threads
    return _waking(_softirqs(plan, len(plan.instances), outside, min(known, cpus) if isinstance(known, int) else cpus))


def _softirqs(plan: Arrangement, replica: int, place: Place, count: int) -> Instance:
    """So many receive softirqs."""
    instance = plan.add_instance(NETWORK_SERVICE, replica, place, threads=count)
    instance.softirqs = True
    return instance


def _waking(instance: Instance) -> Instance:
    """Softirqs that begin at once on a CPU which the packet's interrupt finds awake."""
    instance.poll = AWAKE_NS
    return instance
