"""Migrations that meet each other, failures of both hosts, partitions, and orchestrators that end what moves: who survives, and where."""

from __future__ import annotations

import pytest

from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads

S = 1e9
TEXT = """
simvirt: 1
name: broken
hosts: {{node: {{count: 3, cores: 4, memory: 16GiB, nic: 1gbe}}}}
platforms: [{{name: p, stack: [kvm]{orchestrator}}}]
services:
  db: {{mem_limit: 512MiB, scale: {scale}, cpus: 1, threads: unlimited, memory: {{base: 200MiB, dirty: 4KiB, touch: 4KiB}}, operations: {{get: [{{cpu: 1ms}}]}}}}
workload: {{open: {{rate: 100/s}}, mix: {{db.get: 1}}}}
run: {{duration: 20s, warmup: 0s, replications: 1, seed: 1}}
timeline: [{events}]
"""


def followed(events: str, scale: int = 1, orchestrator: str = "") -> Cluster:
    """The cluster of a replication that has run to its end."""
    scenario = loads(TEXT.format(events=events, scale=scale, orchestrator=orchestrator))
    catalog = Catalog.of(scenario)
    plane = make_plane(scenario, catalog, catalog.platform(scenario.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=int(scenario.run.duration or 0))
    return cluster


def is_up(cluster: Cluster) -> bool:
    """Whether the first replica takes requests."""
    return cluster.plane.is_ready(cluster.plane.instances_of("db")[0])


def test_two_over_one_link_take_as_long_as_their_bytes_together() -> None:
    def last(replicas: str) -> float:
        return max((move.ended or 0) - (move.began or 0) for move in followed(f"{replicas}", scale=2).moves) / S

    alone = last('{at: 1s, migrate: db, replica: 0, to: "node[2]"}')
    both = last('{at: 1s, migrate: db, to: "node[2]"}')
    assert both == pytest.approx(2 * alone, rel=0.1)


@pytest.mark.parametrize(("how", "lost", "survives"), [
    ("pre-copy", "node[1]", True), ("pre-copy", "node[0]", False), ("post-copy", "node[1]", False), ("post-copy", "node[0]", False),
])
def test_a_guest_survives_the_other_host_before_the_switch_and_neither_after_it(how: str, lost: str, survives: bool) -> None:
    """A memory that is not all in one place is lost with either; before it has moved nothing of it is."""
    cluster = followed(f'{{at: 1s, migrate: db, how: {how}, to: "node[1]"}}, {{at: 3s, fail: "{lost}"}}')
    (move,) = cluster.moves
    assert (move.resumed is not None) == (how == "post-copy") and move.ended is None and move.why == f"{lost} was lost"
    assert is_up(cluster) == survives
    assert cluster.host_of(cluster.plane.instances_of("db")[0]) == (1 if how == "post-copy" else 0)


def test_what_had_crossed_when_a_host_was_lost_is_what_the_network_carried() -> None:
    cluster = followed('{at: 1s, migrate: db, to: "node[1]"}, {at: 3s, fail: "node[1]"}')
    (move,) = cluster.moves
    assert cluster.network is not None and move.sent == pytest.approx(125e6 * 1.8, rel=0.02)
    assert [cluster.network.carried()[link] for link in cluster.network.topology.route("node[0]", "node[1]").links] == pytest.approx([move.sent] * 2, rel=1e-6)


def test_a_short_partition_holds_it_up_for_as_long_as_it_lasts() -> None:
    whole, parted = (followed(f'{{at: 1s, migrate: db, to: "node[1]"}}{event}').moves[0] for event in ("", ', {at: 2s, fail: "node[1]", how: partition, for: 3s}'))
    assert whole.ended is not None and parted.ended is not None
    assert (parted.ended - whole.ended) / S == pytest.approx(3.0, abs=0.3)


def test_what_an_orchestrator_ends_moves_no_further_and_what_it_adds_later_moves_too() -> None:
    ended = followed('{at: 1s, migrate: db, to: "node[1]"}, {at: 2s, scale: db, replicas: 0}', orchestrator=", orchestrator: vm-cluster")
    (move,) = ended.moves
    assert move.why == "it was ended" and ended.orchestration is not None and ended.orchestration.placed() == {"db": []}
    later = followed('{at: 100ms, scale: db, replicas: 2}, {at: 17s, migrate: db}', orchestrator=", orchestrator: none")
    assert {move.replica for move in later.moves} == {0, 1}
    assert all(move.memory > 200 * 2**20 for move in later.moves if move.began is not None)


def test_an_orchestrator_learns_of_a_guest_whose_memory_did_not_come() -> None:
    cluster = followed('{at: 1s, migrate: db, how: post-copy, to: "node[1]"}, {at: 3s, fail: "node[0]"}', orchestrator=", orchestrator: vm-cluster")
    assert ("failed", "db-0", "a part of its memory is lost") in {(event.what, event.who, event.why) for event in cluster.story.events}
