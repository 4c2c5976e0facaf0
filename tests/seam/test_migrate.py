"""VMs that move while they run: requests see the downtime that is reported, the network carries the bytes that are, nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from simvirt import run
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.errors import ScenarioError
from simvirt.metrics.migrations import migrations
from simvirt.result.migrations import MigrationResult
from simvirt.result.run_document import PlatformResult
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

S = 10**9
VM = "kvm"
WAYS = ("pre-copy", "post-copy", "hybrid", "stop-and-copy", "checkpoint")
TEXT = """
simvirt: 1
name: moving
hosts: {{node: {{count: 3, cores: 4, memory: 16GiB, nic: 10gbe, disk: nvme}}}}
platforms: [{platform}]
services:
  db: {{mem_limit: 256MiB, scale: {scale}, cpus: 1, threads: unlimited, memory: {{base: 100MiB, dirty: {dirty}, touch: 0B}}, operations: {{get: [{step}]}}}}
workload: {workload}
run: {{duration: {duration}, warmup: 0s, replications: 1, seed: 1}}
timeline: [{events}]
"""
ASKED = "{closed: {clients: 1, think: 100us}, mix: {db.get: 1}}"
OFFERED = "{open: {rate: 300/s}, mix: {db.get: 1}}"


def moving(
    events: str, platform: str = VM, workload: str = OFFERED, duration: str = "6s", dirty: str = "50KiB", scale: int = 1, step: str = "{cpu: 1ms}",
) -> Scenario:
    """A service in VMs on three hosts, of which the timeline moves some."""
    return loads(TEXT.format(platform=platform, events=events, workload=workload, duration=duration, dirty=dirty, scale=scale, step=step))


def result(scenario: Scenario) -> PlatformResult:
    """What came of its only platform."""
    return next(iter(run(scenario, maximum=False).typed().platforms.values()))


def only(found: PlatformResult) -> MigrationResult:
    """The one migration that there was."""
    (move,) = found.migrations
    assert move.ended == 1
    return move


def followed(scenario: Scenario) -> Cluster:
    """The cluster of a replication that has run to its end."""
    catalog = Catalog.of(scenario)
    plane = make_plane(scenario, catalog, catalog.platform(scenario.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=int(scenario.run.duration or 0))
    return cluster


@pytest.mark.parametrize("way", WAYS)
def test_the_request_that_meets_the_switch_waits_as_long_as_the_report_says(way: str) -> None:
    """One client: its slowest request is the one under way when the guest stopped, of which at most a service time was still to be done."""
    found = result(moving(f"{{at: 1s, migrate: db, how: {way}}}", workload=ASKED))
    move, slowest = only(found), found.latency_s.max.value
    assert move.downtime_s.value is not None and slowest is not None
    assert move.downtime_s.value == pytest.approx(slowest, abs=1.3e-3)
    assert found.failed.value == found.rejected.value == 0


def test_after_the_switch_it_runs_on_the_other_host() -> None:
    here, there = (result(moving(events)) for events in ("", '{at: 2s, migrate: db, to: "node[2]"}'))
    assert here.hosts["node[2]"].cpu == 0 and there.hosts["node[2]"].cpu is not None
    busy = [sum(host.cpu or 0 for host in found.hosts.values()) for found in (here, there)]
    assert there.hosts["node[2]"].cpu > 0.5 * busy[0]
    assert only(there).source == "node[0]" and only(there).to == "node[2]"


def test_the_network_carries_what_the_report_says() -> None:
    cluster = followed(moving('{at: 1s, migrate: db, to: "node[1]"}'))
    (move,) = cluster.moves
    assert cluster.network is not None and move.ended is not None
    links = cluster.network.topology.route("node[0]", "node[1]").links
    carried = [cluster.network.carried()[link] for link in links]
    assert carried == pytest.approx([move.sent] * len(links), rel=1e-6)
    rounds = [one.dirtied for one in move.rounds]
    assert [one.sent for one in move.rounds[1:]] == rounds[:-1]
    assert move.sent == pytest.approx(sum(one.sent for one in move.rounds) + rounds[-1] + 2**20, rel=1e-6)


def test_more_is_dirtied_and_sent_where_more_is_asked() -> None:
    idle, busy = (only(result(moving("{at: 1s, migrate: db}", workload=OFFERED.replace("300", rate)))) for rate in ("20", "600"))
    assert busy.sent_bytes > idle.sent_bytes and (busy.downtime_s.value or 0) > (idle.downtime_s.value or 0)
    written = only(result(moving("{at: 1s, migrate: db}", dirty="500KiB")))
    assert written.sent_bytes > busy.sent_bytes > written.memory_bytes / 2


def test_it_shares_the_network_with_others() -> None:
    alone, beside = (
        max(move.total_s.value or 0 for move in result(moving(events, scale=3, step="{cpu: 100us}")).migrations)
        for events in ('{at: 1s, migrate: db, replica: 0, to: "node[2]"}', '{at: 1s, migrate: db, to: "node[2]"}'))
    assert beside > 1.1 * alone


@pytest.mark.parametrize("platform", ["kvm", "xen-pv", "esxi", "hyperv", "docker-on-kvm"])
def test_no_request_is_lost_on_any_hypervisor(platform: str) -> None:
    events = '{at: 1s, drain: "node[0]", how: hybrid}, {at: 2s, migrate: db, how: stop-and-copy, to: "node[1]"}'
    step = "{cpu: 500us}, {disk: {write: 16KiB}}, {disk: {read: 4KiB}}, {net: {out: 8KiB}}"
    found = result(moving(events, platform, scale=3, step=step))
    assert found.failed.value == found.rejected.value == 0 and set(dict(found.checks).values()) - {None} == {"ok"}
    assert found.throughput_per_s.value == pytest.approx(300, rel=0.1)


def test_its_page_cache_moves_along() -> None:
    """What its memory holds of its files is not read from the disk of the other host."""
    step = "{cpu: 100us}, {disk: {read: 4KiB, working_set: 64MiB}}"
    here, there = (result(moving(events, step=step, dirty="4KiB")) for events in ("", "{at: 500ms, migrate: db}"))
    assert there.migrations[0].ended and there.breakdown_s.disk == pytest.approx(here.breakdown_s.disk, rel=0.5, abs=2e-6)


def test_a_drained_host_is_empty_and_stays_so() -> None:
    cluster = followed(moving('{at: 1s, drain: "node[0]"}, {at: 3s, migrate: db, replica: 1}', scale=4))
    assert not [row for row in cluster.plane.instances_of("db") if cluster.host_of(row) == 0]
    assert {move.source for move in cluster.moves[:2]} == {0} and cluster.moves[-1].to == 2


def test_where_a_host_is_lost_the_migration_ends_and_the_vm_goes_on() -> None:
    cluster = followed(moving('{at: 1s, migrate: db, to: "node[1]"}, {at: 1.3s, fail: "node[1]"}'))
    (move,) = cluster.moves
    assert move.ended is None and "node[1] was lost" in move.why and cluster.host_of(cluster.plane.instances_of("db")[0]) == 0
    assert int(cluster.plane.read("services", "completed")[0]) > 300 * 5
    assert migrations([cluster.moves], ["a", "b", "c"])[0].ended == 0
    lost = result(moving('{at: 1s, migrate: db, how: post-copy, to: "node[1]"}, {at: 1.3s, fail: "node[0]"}'))
    assert lost.requests < 300 * 2 and not lost.migrations[0].ended


@pytest.mark.parametrize(("events", "platform", "said"), [
    ("{at: 1s, migrate: db, how: post-copy}", "docker", "containers do not run before all of their memory has come"),
    ("{at: 1s, migrate: db}", "gvisor", "nothing that freezes and restores"), ("{at: 1s, migrate: db, how: restart}", "docker", "how a host is drained"),
    ('{at: 1s, drain: "node[0]", how: restart, to: "node[1]"}', "docker", "means nothing where an orchestrator"),
    ("{at: 1s, migrate: db}", "firecracker", "how: checkpoint"),
    ('{at: 1s, migrate: db, to: "node[7]"}', VM, "there is no host"), ('{at: 1s, drain: "node[0]", to: "node[0]"}', VM, "the host that is drained"),
    ("{at: 1s, migrate: db, how: power}", VM, "how something fails"), ("{at: 1s, stop: db, storage: copy}", VM, "says how something moves"),
    ('{at: 1s, drain: "node[0]", replica: 0}', VM, "about a host"), ("{at: 1s, migrate: dbx}", VM, "unknown service"),
])
def test_what_cannot_move_is_refused_with_advice(events: str, platform: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said.replace("[", r"\[")):
        run(moving(events, platform), maximum=False)


def test_moves_are_told_and_a_vm_that_is_not_up_does_not_move() -> None:
    cluster = followed(moving('{at: 500ms, crash: db}, {at: 1s, migrate: db}'))
    assert cluster.moves[0].why == "it was not up"
    told: list[Any] = [(one.what, one.who, one.where) for one in followed(moving('{at: 1s, migrate: db, to: "node[1]"}')).story.events]
    assert [one for one in told if one[1] == "db-0"] == [
        ("begins to move", "db-0", "node[0]"), ("stands still", "db-0", "node[0]"), ("goes on", "db-0", "node[1]")]


def test_an_orchestrator_knows_where_its_vms_have_gone() -> None:
    """A host that was drained is lost without anybody's noticing; nothing is started anew for it."""
    cluster = followed(moving('{at: 1s, drain: "node[0]"}, {at: 3s, fail: "node[0]"}', "{name: kvm, orchestrator: vm-cluster}", duration="30s", scale=3))
    assert cluster.orchestration is not None and cluster.moves[0].ended is not None
    assert not cluster.orchestration.rows_on(0) and cluster.orchestration.counted()[0] == 3
