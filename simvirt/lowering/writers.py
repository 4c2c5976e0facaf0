"""A writer for each kind of host: what the platform charges there, its ways, the pace of its processors."""

from __future__ import annotations

from dataclasses import replace

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry, Platform
from simvirt.catalog.resolve.files import file_habits
from simvirt.catalog.resolve.layers import software_costs
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import Arrangement
from simvirt.lowering.balancers import Balancers
from simvirt.lowering.container_paths import CONNTRACK, ContainerPaths, has_network_threads, received_beside
from simvirt.lowering.locks import Locks
from simvirt.lowering.memory_needs import Memory
from simvirt.lowering.paths import Paths, Routes
from simvirt.lowering.program import Writer
from simvirt.lowering.text import Text
from simvirt.lowering.volumes import Volume
from simvirt.scenario.spec.models import Scenario


def writers_of(
    scenario: Scenario, catalog: Catalog, platform: Platform, plan: Arrangement, services: list[str], memory: Memory, locks: Locks,
    balancers: Balancers, volumes: dict[str, Volume],
) -> list[Writer]:
    """A writer for each kind of host, which all write one text; demands are those on the first of them.

    *Model*: a core does clock x work per cycle of its family; CPU time of a demand is in inverse proportion to that, what the platform adds
        is what the catalogue has of that host.
    *Ignores*: as `simvirt.workload.processors` does; that a client's packets take another time to a host of another kind.
    """
    text, first = Text(), plan.kinds[0]
    for host in plan.kinds:
        writer = _writer(text, scenario, catalog, platform, host, plan, services, memory, locks, balancers, first.speed / host.speed)
        writer.volumes = volumes
    return text.writers


def _writer(
    text: Text, scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, plan: Arrangement, services: list[str],
    memory: Memory, locks: Locks, balancers: Balancers, pace: float,
) -> Writer:
    """The writer for one kind of host."""
    costs, rows = catalog.platform_costs(platform, host), {name: row for row, name in enumerate(services)}
    profiles = {name: catalog.profile(scenario.services[name]) for name in plan.services}
    software = {name: software_costs(costs, platform, host, profile) for name, profile in profiles.items()}
    rates = {name: profile.rates for name, profile in profiles.items()}
    files = catalog.file_costs(platform, host, costs)
    habits = {name: files.habits(file_habits(scenario.services[name], profile)) for name, profile in profiles.items()}
    routes = _routes(scenario, catalog, platform, host, plan, locks)
    return Writer(scenario, rows, software, host, rates, routes, memory, locks, balancers, files, habits, platform, text, pace)


def _routes(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, plan: Arrangement, locks: Locks) -> Routes:
    """The ways of messages on one kind of host."""
    costs, inside = catalog.platform_costs(platform, host), replace(platform, layers=platform.runtimes)
    threads = has_network_threads(scenario, platform, host)
    contained = ContainerPaths(platform, costs, host, threads, _conntrack(locks), received_beside(scenario, platform, host))
    outer = Paths(platform, costs, host) if platform.hypervisors else contained
    machines: dict[str, set[int]] = {name: set() for name in plan.services}
    for instance in plan.instances:
        if instance.service in machines:
            machines[instance.service].add(instance.machine)
    guests = {machine.row for machine in plan.machines if machine.vm is not None}
    alone = replace(platform, layers=platform.hypervisors)
    mounts = Paths(alone, catalog.platform_costs(alone, host), host)
    return Routes(outer, Paths(inside, catalog.platform_costs(inside, host), host), mounts, machines, guests)


def _conntrack(locks: Locks) -> int:
    """The lock under which a kernel enters connections, among those of kernels; NONE where nothing takes it."""
    return locks.of_kernel.index(CONNTRACK) if CONNTRACK in locks.of_kernel else k.NONE
