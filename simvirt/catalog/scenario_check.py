"""What only the catalogue can see wrong in a scenario: names that do not exist, limits beyond the host's model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simvirt.catalog.entries.autoscalers import AutoscalerEntry
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.catalog.entries.volumes import VolumeDriverEntry
from simvirt.catalog.heeded import idle_words
from simvirt.catalog.images import GENERIC
from simvirt.catalog.operations import OPERATIONS, PLURALS
from simvirt.catalog.problems import Path, Problems, unknown
from simvirt.catalog.records import HostEntry, Platform
from simvirt.catalog.resolve import economy, hosts, layers
from simvirt.catalog.store import Store
from simvirt.scenario.checks.possible import best_of_pools
from simvirt.scenario.spec.autoscale import AutoscaleSpec
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.migration import OF_CONTAINERS
from simvirt.scenario.spec.models import HostSpec, MeasuredSpec, PlatformSpec, Scenario, ServiceSpec
from simvirt.scenario.spec.network import named
from simvirt.scenario.spec.steps import CpuStep
from simvirt.scenario.spec.volumes import LOCAL, VolumeSpec
from simvirt.scenario.walk import walk
from simvirt.units import format_size

Mistake = tuple[Path, str]
"""The path of a value and the message about it."""
ADVICE = (
    "expected a platform with VMs that move, for example kvm, or a runtime with CRIU, for example docker; else it starts anew on another "
    "host: {at: 10s, start: web, replica: 1} and then {at: 20s, stop: web, replica: 0}, or {at: 10s, drain: \"node[0]\", how: restart}")
"""What to do instead of moving what does not move."""


def check(store: Store, scenario: Scenario) -> None:
    """ScenarioError with every name and limit of `scenario` that does not fit the catalogue; nothing where all fit."""
    problems = Problems(scenario.locate)
    for name, pool in scenario.pools.items():
        _check_host(store, pool, scenario.path_of_pool(name), problems)
    _check_machines(store, scenario, problems)
    _check_plan(store, scenario, problems)
    _check_measured(store, scenario.measured_on, (), problems)
    for name, registry in scenario.registries.items():
        if registry.entry is not None:
            _check_name(store, "registries", registry.entry, ("registries", name, "entry"), problems)
        if registry.mirror_of is not None and registry.mirror_of not in scenario.registries:
            _check_name(store, "registries", registry.mirror_of, ("registries", name, "mirror_of"), problems)
    for name, volume in scenario.volumes.items():
        hosts_of = [host for end in volume.host for host in named(end, dict.fromkeys((one.name for one in scenario.each_host), 0))]
        _check_volume(store, volume, len(hosts_of), ("volumes", name), problems)
    for index, platform in enumerate(scenario.platforms):
        _check_platform(store, platform, ("platforms", index), problems)
    for name, service in scenario.services.items():
        _check_steps(store, service, ("services", name), problems)
        _check_measured(store, service.measured_on, ("services", name), problems)
        if service.profile is not None and service.profile not in store.names("profiles"):
            problems.add(("services", name, "profile"), unknown("profiles", service.profile, store.names("profiles")))
        if service.autoscale is not None:
            _check_autoscaler(store, service.autoscale, ("services", name, "autoscale"), problems)
        if service.vertical is not None:
            _check_name(store, "vertical_autoscalers", service.vertical.by, ("services", name, "vertical", "by"), problems)
        if isinstance(service.deploy.priority, str):
            _check_name(store, "priorities", service.deploy.priority, ("services", name, "deploy", "priority"), problems)
    problems.settle()
    _check_moves(store, scenario, problems)
    for path, message in _without_containers(scenario, [layers.platform(store, spec, ("platforms",)) for spec in scenario.platforms]):
        problems.add(path, message)
    for path, message in idle_words(scenario.services, [layers.platform(store, spec, ("platforms",)) for spec in scenario.platforms]):
        problems.add(path, message)
    for path, message in best_of_pools({name: _beyond_host(store, scenario, name, view) for name, view in scenario.by_pool.items()}):
        problems.add(path, message)
    problems.settle()


def _check_autoscaler(store: Store, asked: AutoscaleSpec, path: Path, problems: Problems) -> None:
    """The autoscaler that a service names, and what is said of it that it does not do."""
    if asked.by not in store.names("autoscalers"):
        _check_name(store, "autoscalers", asked.by, (*path, "by"), problems)
        return
    entry = store.typed("autoscalers", asked.by, AutoscalerEntry)
    if asked.min == 0 and entry.buffer is None:
        said = "has no buffer in which requests could wait for a replica; expected by: keda or by: knative"
        problems.add((*path, "min"), f"{asked.by} {said}")
    if entry.acts != "kpa":
        return
    if asked.target.cpu is not None or asked.target.of_memory or asked.target.queue is not None or len(asked.target.by_demand) != 1:
        said = "looks at one of requests and concurrency; expected one, for example {concurrency: 10}"
        problems.add((*path, "target"), f"{asked.by} {said}")
    for word in ("scale_up", "scale_down", "tolerance", "predict", "schedule"):
        if word in asked.model_fields_set:
            problems.add((*path, word), f"has no effect, for {asked.by} has rules of its own; expected by: hpa beside it")


def _without_containers(scenario: Scenario, platforms: Sequence[Platform]) -> Iterator[Mistake]:
    """Services whose CPUs are to change, on platforms on which replicas have no limit of their own."""
    bare = next((platform.name for platform in platforms if not platform.runtimes), None)
    for name, service in scenario.services.items():
        if service.vertical is not None and bare is not None:
            said = "has no containers whose CPUs could change; expected a platform that has, for example docker"
            yield ("services", name, "vertical"), f"{bare} {said}"


def _check_machines(store: Store, scenario: Scenario, problems: Problems) -> None:
    """Pools that autoscale: the entries that they name, and platforms on which nothing ever waits for a host."""
    for name, pool in scenario.hosts.items():
        if pool.autoscale is None:
            continue
        path = ("hosts", name, "autoscale")
        _check_name(store, "machine_autoscalers", pool.autoscale.by, (*path, "by"), problems)
        _check_name(store, "startups", pool.autoscale.boot, (*path, "boot"), problems)
        for spec in scenario.platforms:
            if spec.orchestrator not in store.names("orchestrators") and spec.orchestrator is not None:
                continue
            if spec.orchestrator is None or store.typed("orchestrators", spec.orchestrator, OrchestratorEntry).reserves is None:
                problems.add(path, f"nothing waits for a host on {spec.name}; expected an orchestrator that keeps room for what replicas "
                                   f"request, for example {{name: {spec.name}, orchestrator: kubernetes}}")


def _check_moves(store: Store, scenario: Scenario, problems: Problems) -> None:
    """What is to move and does not: containers and processes, and VMs of what cannot move them while they run."""
    for at, spec in enumerate(scenario.platforms):
        found = layers.platform(store, spec, ("platforms", at))
        if found.balances and (found.migrator is None or not found.hypervisors):
            why = f"{found.orchestrator} moves VMs while they run, and {found.name} does not; expected one that does, for example kvm"
            problems.add(("platforms", at, "orchestrator"), why)
    for at, event in enumerate(scenario.timeline):
        for spec in scenario.platforms if event.moves and not event.restarts else ():
            found = layers.platform(store, spec, ("platforms",))
            if (said := _does_not_move(found, event)) is not None:
                problems.add(("timeline", at, event.verb), said)


def _does_not_move(platform: Platform, event: TimelineEvent) -> str | None:
    """Why a platform does not move what an event says is to move; None where it does."""
    if platform.hypervisors:
        said = "expected a platform whose VMs do, for example kvm, or how: checkpoint, through a disk while it stands still"
        left = platform.migrator is None and event.way != "checkpoint"
        return f"{platform.name} does not move VMs while they run; {said}" if left else None
    if platform.migrator is None:
        return f"{platform.name} has nothing that freezes and restores what runs there; {ADVICE}"
    if event.way not in OF_CONTAINERS:
        return f"containers do not run before all of their memory has come; expected how: {', '.join(OF_CONTAINERS[:-1])}; got {event.way}"
    return None


def _beyond_host(store: Store, scenario: Scenario, pool: str, view: Scenario) -> list[Mistake]:
    """What services ask for that a host of a pool does not have."""
    host = hosts.resolve_host(store, view.host, scenario.path_of_pool(pool))
    found = list(_beyond_limits(view, host)) if view.host.model is not None else []
    found += _beyond_nodes(view, host.sockets, "of the host")
    for spec in view.platforms:
        found += _beyond_vms(view, layers.platform(store, spec, ("platforms",)), host)
    return found


def _check_host(store: Store, spec: HostSpec, path: Path, problems: Problems) -> None:
    """Model, disk and NIC, each for itself, so that all are told."""
    problems.attempt((*path, "model"), lambda: hosts.host_model(store, spec.model or GENERIC, (*path, "model")))
    problems.attempt((*path, "disk"), lambda: spec.disk is None or store.entry("disks", spec.disk, (*path, "disk")))
    problems.attempt((*path, "nic"), lambda: spec.nic is None or hosts.nic(store, spec.nic, (*path, "nic")))


def _check_measured(store: Store, measured: MeasuredSpec | None, path: Path, problems: Problems) -> None:
    """The host on which demands were measured."""
    if measured is not None and measured.host is not None:
        name, where = measured.host, (*path, "measured_on", "host")
        problems.attempt(where, lambda: hosts.host_model(store, name, where))


def _check_name(store: Store, kind: str, name: str, path: Path, problems: Problems) -> None:
    """An entry that is named."""
    problems.attempt(path, lambda: store.entry(kind, name, path))


def _check_volume(store: Store, volume: VolumeSpec, hosts: int, path: Path, problems: Problems) -> None:
    """The driver of a volume, and what is said of one that does not replicate."""
    if volume.driver == LOCAL:
        return
    if volume.driver not in store.names("volume_drivers"):
        problems.add((*path, "driver"), unknown("volume_drivers", volume.driver, (LOCAL, *store.names("volume_drivers"))))
        return
    if store.typed("volume_drivers", volume.driver, VolumeDriverEntry).replicates:
        return
    if volume.replicas is not None:
        problems.add((*path, "replicas"), f"has no effect, for {volume.driver} does not replicate; expected a driver that does: ceph")
    if hosts != 1:
        problems.add((*path, "host"), f'{volume.driver} serves a volume from one host; expected one, for example "nas[0]"; got {hosts}')


def _check_plan(store: Store, scenario: Scenario, problems: Problems) -> None:
    """The hosts that a plan may choose from, and its site."""
    if scenario.plan is None:
        return
    for index, spec in enumerate(scenario.plan.hosts):
        _check_host(store, spec, ("plan", "hosts", index), problems)
    site = scenario.plan.site
    problems.attempt(("plan", "site"), lambda: economy.site(store, site))


def _check_platform(store: Store, spec: PlatformSpec, path: Path, problems: Problems) -> None:
    """The name of a platform, or each layer of the stack that it states; words of VMs where there are none."""
    if spec.stack is None:
        return problems.attempt(path, lambda: _check_words_of_vms(layers.platform(store, spec, path), spec, path, problems))
    known = (*store.names("hypervisors"), *store.names("runtimes"))
    wrong = [(index, name) for index, name in enumerate(spec.stack) if name not in known]
    for index, name in wrong:
        problems.add((*path, "stack", index), unknown("layers", name, known))
    if not wrong:
        problems.attempt(path, lambda: _check_words_of_vms(layers.platform(store, spec, path), spec, path, problems))


def _check_words_of_vms(platform: Platform, spec: PlatformSpec, path: Path, problems: Problems) -> None:
    """What is said of VMs means nothing where there are none."""
    for word in ("vms", "pin", "topology", "balloon", "free_page_reporting", "guest_swap", "cap", "credits", "disk_cache", "disk_image",
                 "migrator"):
        if word in spec.model_fields_set and not platform.hypervisors and not (word == "migrator" and platform.runtimes):
            problems.add((*path, word), f"has no effect, for {platform.name} has no VMs")
    if spec.puller is not None and not platform.runtimes:
        problems.add((*path, "puller"), f"has no effect, for {platform.name} has no containers")


def _beyond_vms(scenario: Scenario, platform: Platform, host: HostEntry) -> Iterator[Mistake]:
    """CPUs that bind a service in a VM that it shares and that the VM does not have."""
    if platform.vms is None or not platform.hypervisors:
        return
    vcpus = platform.vms.on(host).vcpus
    yield from _beyond_nodes(scenario, 1, f"of the VMs of {platform.name}")
    for name, service in scenario.services.items():
        if service.cpuset and max(service.cpuset) >= vcpus:
            sentence = f"expected CPUs from 0 to {vcpus - 1}, those of the VMs of {platform.name}; got {max(service.cpuset)}"
            yield ("services", name, "cpuset"), sentence


def _beyond_nodes(scenario: Scenario, nodes: int, whose: str) -> Iterator[Mistake]:
    """NUMA nodes that memory is bound to and that are not there."""
    for name, service in scenario.services.items():
        if service.cpuset_mems and max(service.cpuset_mems) >= nodes:
            sentence = f"expected NUMA nodes from 0 to {nodes - 1}, the sockets {whose}; got {max(service.cpuset_mems)}"
            yield ("services", name, "cpuset_mems"), sentence


def _check_steps(store: Store, service: ServiceSpec, path: Path, problems: Problems) -> None:
    """The operations that CPU steps name, and the hosts on which they were measured."""
    bodies = [((*path, "operations", name), steps) for name, steps in service.operations.items()]
    for where, steps in [((*path, "startup"), service.startup), *bodies]:
        for visit in walk(steps, where):
            if not isinstance(visit.step, CpuStep):
                continue
            _check_measured(store, visit.step.measured_on, visit.path, problems)
            for operation in sorted(set(visit.step.ops) - set(OPERATIONS) - set(PLURALS)):
                problems.add((*visit.path, "ops", operation), unknown("operations", operation, OPERATIONS))


def _beyond_limits(scenario: Scenario, host: HostEntry) -> Iterator[Mistake]:
    """Limits of services against a host that a model describes; those of inline hosts are checked where they are read."""
    for name, service in scenario.services.items():
        path = ("services", name)
        if scenario.host.cpus is None and service.cpu_limit is not None and service.cpu_limit > host.pcpus:
            yield path, f"a limit of {service.cpu_limit:g} CPUs on a host of {host.pcpus}"
        if scenario.host.memory is None and service.memory_limit is not None and service.memory_limit > host.memory:
            yield path, f"a memory limit of {format_size(service.memory_limit)} on a host of {format_size(host.memory)}"
        if scenario.host.cpus is None and service.cpuset and max(service.cpuset) >= host.pcpus:
            yield (*path, "cpuset"), f"expected CPU numbers up to {host.pcpus - 1}; got {max(service.cpuset)}"
