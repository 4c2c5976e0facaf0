"""Containers that are frozen on one host and restored on another, and hosts that are drained by restarts: what stands still, crosses, and is lost."""

from __future__ import annotations

from typing import Any

import pytest

from simvirt import run
from simvirt.catalog import Catalog
from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.result.run_document import PlatformResult
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

S, MIB = 1e9, 2.0**20
CRIU = Catalog.load().typed("migrators", "criu", MigratorEntry)
TEXT = """
simvirt: 1
name: carried
hosts: {{node: {{count: 3, cores: 4, memory: 16GiB, nic: 10gbe, disk: nvme}}}}
platforms: [{{name: p, stack: [{stack}]{orchestrator}}}]
services:
  db: {{mem_limit: 512MiB, scale: {scale}, cpus: 2, threads: unlimited, startup: [{{cpu: 1s}}], memory: {{base: 200MiB, dirty: {dirty}}}, operations: {{get: [{{cpu: 1ms}}]}}}}
workload: {{open: {{rate: 200/s}}, mix: {{db.get: 1}}}}
run: {{duration: 12s, warmup: 0s, replications: 1, seed: 1}}
state: {{instances: up}}
timeline: [{events}]
"""


def scenario(events: str, stack: str = "docker", scale: int = 1, dirty: str = "50KiB", orchestrator: str = "") -> Scenario:
    """Containers of a service, of which the timeline moves some."""
    return loads(TEXT.format(events=events, stack=stack, scale=scale, dirty=dirty, orchestrator=orchestrator))


def result(events: str, **more: Any) -> PlatformResult:
    """What came of its only platform."""
    return next(iter(run(scenario(events, **more), maximum=False).typed().platforms.values()))


def followed(events: str, **more: Any) -> Cluster:
    """The cluster of a replication that has run to its end."""
    of = scenario(events, **more)
    catalog = Catalog.of(of)
    plane = make_plane(of, catalog, catalog.platform(of.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=int(of.run.duration or 0))
    return cluster


def test_it_stands_still_for_its_memory_and_for_all_else() -> None:
    """Alone, with a millisecond to answer what it has: pages over a network that is faster than those who write them, then the rest."""
    (move,) = followed('{at: 2s, migrate: db, to: "node[1]", how: stop-and-copy}').moves
    assert move.memory == pytest.approx(200 * MIB, rel=1e-3) and move.sent == move.memory + CRIU.state
    pages = move.sent / 4096
    work = pages * (CRIU.scan + CRIU.send) / S
    assert (move.downtime or 0) / S == pytest.approx(work + CRIU.handover / S, abs=5e-3)


def test_memory_that_was_copied_before_is_no_part_of_it() -> None:
    (still,), (before,) = (followed(f"{{at: 2s, migrate: db, how: {how}}}").moves for how in ("stop-and-copy", "pre-copy"))
    assert (before.downtime or 0) == pytest.approx(CRIU.handover, rel=0.1) and (before.downtime or 0) < (still.downtime or 0)
    assert [one.sent for one in before.rounds[1:]] == [one.dirtied for one in before.rounds[:-1]]
    assert before.sent == pytest.approx(sum(one.sent for one in before.rounds) + before.rounds[-1].dirtied + CRIU.state, rel=1e-6)
    (busy,) = followed("{at: 2s, migrate: db}", dirty="5MiB").moves
    assert busy.sent > before.sent and len(busy.rounds) <= (CRIU.rounds or 0)


def test_through_a_checkpoint_it_stands_still_for_two_drives_too() -> None:
    through, direct = (followed(f"{{at: 2s, migrate: db, how: {how}}}").moves[0] for how in ("checkpoint", "stop-and-copy"))
    assert (through.downtime or 0) > 1.5 * (direct.downtime or 0) and through.sent == direct.sent


@pytest.mark.parametrize("how", ["pre-copy", "stop-and-copy", "checkpoint"])
def test_requests_are_refused_while_it_stands_still_and_none_is_lost(how: str) -> None:
    found = result(f'{{at: 2s, migrate: db, to: "node[2]", how: {how}}}')
    (move,) = found.migrations
    assert found.failed.value == 0 and set(dict(found.checks).values()) - {None} == {"ok"}
    assert 12.0 * (found.rejected.value or 0) == pytest.approx(move.downtime_s.value or 0, rel=0.2)
    assert (found.hosts["node[2]"].cpu or 0) > 0.01


def test_others_answer_meanwhile_and_it_keeps_what_its_start_has_made() -> None:
    """The start of the service takes 1 s of CPU time, which nobody does again."""
    found = result('{at: 2s, migrate: db, replica: 0, to: "node[2]"}', scale=2)
    assert found.failed.value == found.rejected.value == 0
    again = result('{at: 2s, drain: "node[0]", how: restart}', scale=2)
    assert again.failed.value == again.rejected.value == 0 and not again.migrations
    assert again.cpu.utilisation.value > found.cpu.utilisation.value


@pytest.mark.parametrize("name", ["none", "compose", "swarm", "kubernetes", "mesos"])
def test_a_host_is_drained_by_restarts_under_any_orchestrator(name: str) -> None:
    cluster = followed('{at: 2s, drain: "node[0]", how: restart}, {at: 6s, scale: db, replicas: 4}', scale=3, orchestrator=f", orchestrator: {name}")
    assert cluster.orchestration is not None
    placed = cluster.orchestration.placed()["db"]
    assert len(placed) == 4 and 0 not in placed
    started, ended = cluster.orchestration.counted()
    assert started == 4 + sum(ended.values()) and sum(ended.values()) == 1


def test_a_drained_host_gets_nothing_new_from_an_orchestrator_whatever_drained_it() -> None:
    events = '{at: 2s, drain: "node[0]"}, {at: 4s, scale: db, replicas: 4}'
    for stack, name in (("docker", "swarm"), ("kvm", "vm-cluster")):
        cluster = followed(events, stack=stack, scale=2, orchestrator=f", orchestrator: {name}")
        assert cluster.orchestration is not None and 0 not in cluster.orchestration.placed()["db"]


@pytest.mark.parametrize(("lost", "stands"), [("node[1]", 0), ("node[0]", None)])
@pytest.mark.parametrize("how", ["pre-copy", "stop-and-copy"])
def test_where_the_other_host_is_lost_it_goes_on_where_it_was(lost: str, stands: int | None, how: str) -> None:
    cluster = followed(f'{{at: 2s, migrate: db, to: "node[1]", how: {how}}}, {{at: 2.2s, fail: "{lost}"}}')
    (move,) = cluster.moves
    assert move.why == f"{lost} was lost" and move.ended is None
    row = cluster.plane.instances_of("db")[0]
    assert cluster.plane.is_ready(row) == (stands is not None) and (stands is None or cluster.host_of(row) == stands)
