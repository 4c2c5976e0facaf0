"""How a run begins from a stated state: what is there is up, and all else is started at once."""

from __future__ import annotations

import simpy

from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.autoscale import autoscale
from simvirt.control.balance import follow_balance
from simvirt.control.cluster import Cluster
from simvirt.control.drain import follow_drains
from simvirt.control.failing import follow_failures
from simvirt.control.fetching import Fetching
from simvirt.control.lifecycle import follow_timeline, start, up_at_first
from simvirt.control.machines import follow_machines
from simvirt.control.migrate import follow_moves
from simvirt.control.pulling import is_new, transfers_of
from simvirt.control.start import Starts
from simvirt.control.vertical import follow_usage
from simvirt.control.wishes import follow, orchestration_of
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL
from simvirt.scenario.slots import acted_on
from simvirt.scenario.spec.models import Scenario
from simvirt.workload.streams import SHARED_VM


def begin(clock: Clock, scenario: Scenario, catalog: Catalog) -> Cluster:
    """Before the first request: what the scenario's state says is up, all else is being started; the cluster in which that goes on."""
    cluster = Cluster(clock, catalog)
    clock.starts = starts = Starts(cluster)
    _begin_hosts(cluster)
    later = any(event.update is not None and event.image is not None for event in scenario.timeline)
    if scenario.beginning.images == "none" or later or any(is_new(scenario, name) for name in scenario.images):
        cluster.fetch = Fetching(cluster, transfers_of(cluster), scenario.beginning.images == "present")
    if acted_on(scenario, clock.plane.lowered.platform):
        _orchestrate(cluster)
    elif scenario.beginning.instances == "up":
        _begin_instances(cluster, up_at_first(clock, scenario))
    else:
        cluster.deployed = _deploy(cluster, set(up_at_first(clock, scenario)))
    follow_timeline(clock, scenario)
    follow_moves(cluster)
    failures = follow_failures(cluster, starts)
    follow_machines(cluster, failures)
    return cluster


def _begin_hosts(cluster: Cluster) -> None:
    """What is internal to hosts is there; guests begin their own load once they have booted."""
    hands = cluster.plane.lowered.arrangement.hands
    plan = cluster.plane.lowered.arrangement
    for instance in plan.instances:
        if instance.service in INTERNAL and not plan.host_of(instance).site.named.spare:
            cluster.plane.admit(instance.row)
            if instance.service != GUEST_SERVICE or instance.machine not in hands:
                cluster.plane.start_background(instance.row)


def _begin_instances(cluster: Cluster, rows: list[int]) -> None:
    """Instances that are up, with their guests."""
    for row in rows:
        if cluster.instance(row).service not in INTERNAL:
            cluster.is_up(row)
            cluster.plane.start_background(row)
            cluster.plane.admit(row)


def _begin_shared(cluster: Cluster) -> None:
    """VMs that replicas share, in which there is nothing yet, are up like others."""
    hosts = cluster.plane.lowered.arrangement.hosts
    for machine in cluster.plane.lowered.arrangement.machines:
        if machine.vm is not None and machine.key[0] == SHARED_VM and not hosts[machine.host].site.named.spare:
            cluster.there |= {("host", machine.host), ("vm", machine.row)}
            cluster.begin_guest(machine.row)


def _orchestrate(cluster: Cluster) -> None:
    """Let an orchestrator have the instances that are up, or have it start all that are wanted."""
    orchestration = cluster.orchestration = orchestration_of(cluster)
    follow(orchestration, cluster.scenario.timeline)
    autoscale(orchestration)
    follow_usage(orchestration)
    follow_balance(orchestration)
    follow_drains(orchestration)
    if cluster.scenario.state is not None and cluster.scenario.state.instances == "up":
        rows = up_at_first(cluster.clock, cluster.scenario)
        _begin_instances(cluster, rows)
        _begin_shared(cluster)
        orchestration.adopt(rows)
    else:
        cluster.deployed = orchestration.settled


def _deploy(cluster: Cluster, rows: set[int]) -> simpy.Event:
    """Start instances of services, all at once; the event at which the last one is ready."""
    clock, started = cluster.clock, [one for one in cluster.replicas if one.row in rows]
    return simpy.AllOf(clock, [clock.process(start(clock, one.service, one.row)) for one in started])
