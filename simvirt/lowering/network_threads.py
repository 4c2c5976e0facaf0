"""The threads that handle what passes the network of processes and containers on a host's own kernel."""

from dataclasses import replace

from simvirt.catalog.entries.software import DeviceEntry
from simvirt.catalog.records import Platform
from simvirt.lowering.arrange import INTERNAL, NETWORK_SERVICE, Arrangement, Device, Host, Instance, Place
from simvirt.lowering.container_paths import has_network_threads, network_path
from simvirt.scenario.spec.models import Scenario


def add_network_threads(plan: Arrangement, scenario: Scenario, platform: Platform) -> None:
    """Give replicas the threads of their network paths: receive softirqs of the host, a stack in their cgroup, a proxy outside.

    *Model*: a NIC with stated queues has a receive softirq for each, which all replicas share; else what a replica receives comes in
        flows, each received on one CPU: as many as its service states, or as it has threads. A stack in user space is in the cgroup
        of its container, a proxy in none.
    """
    if not has_network_threads(scenario, platform, plan.hosts[0].entry):
        return
    path = network_path(platform)
    own = path is not None and path.backend in ("netstack", "proxy")
    queues = {} if own or plan.hosts[0].entry.nic.queues is None else {host.row: _queues(plan, host) for host in plan.hosts}
    for instance in [instance for instance in plan.instances if instance.service not in INTERNAL]:
        backend = queues.get(plan.host_of(instance).row) or _own_threads(plan, scenario, path, instance)
        plan.devices.append(Device(len(plan.devices), path, backend))
        instance.place = replace(instance.place, net=plan.devices[-1])


def _queues(plan: Arrangement, host: Host) -> Instance:
    """The receive softirqs of a host whose NIC has a stated number of queues."""
    count = min(host.entry.nic.queues or host.entry.pcpus, host.entry.pcpus)
    return plan.add_instance(NETWORK_SERVICE, len(plan.instances), Place(host.machine), threads=count)


def _own_threads(plan: Arrangement, scenario: Scenario, path: DeviceEntry | None, instance: Instance) -> Instance:
    """The threads that a replica's path has for it alone."""
    cpus, spec = plan.host_of(instance).entry.pcpus, scenario.services[instance.service]
    place = instance.place if path is not None and path.backend == "netstack" else Place(instance.machine)
    return plan.add_instance(NETWORK_SERVICE, len(plan.instances), place, threads=_count(path, spec.flows, instance, cpus))


def _count(path: DeviceEntry | None, flows: int | None, instance: Instance, cpus: int) -> int:
    """How many threads a replica's path has."""
    if path is not None and path.backend in ("netstack", "proxy"):
        return int(path.threads or cpus)
    known = flows if flows is not None or instance.loops else instance.threads
    return min(known, cpus) if isinstance(known, int) else cpus
