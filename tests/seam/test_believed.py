"""What is believed and what is true: replicas that count as ready while they are gone, work divided by the time that replicas lived, one end told once."""

from __future__ import annotations

from typing import Any

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.gauges import snapshot
from simvirt.metrics.measure import utilisations
from simvirt.runs.replicate import make_plane

S = 1_000_000_000


def world(orchestrator: str, *timeline: dict[str, Any], seconds: int = 100, **web: Any) -> tuple[Clock, Cluster]:
    """Two replicas on two hosts under an orchestrator."""
    service = {"deploy": {"replicas": 2}, "restart": "always", "threads": 1, "operations": {"get": [{"cpu": "5ms"}]}} | web
    spec = simvirt.Scenario.model_validate({
        "simvirt": 1, "name": "believed", "hosts": {"node": {"count": 2, "cores": 4, "memory": "16GiB", "max_cstate": "none"}},
        "platforms": [{"name": "x", "stack": ["docker"], "orchestrator": orchestrator}], "state": {}, "services": {"web": service},
        "workload": {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"web.get": 1}},
        "run": {"duration": f"{seconds}s", "replications": 1, "warmup": "0s"}, "timeline": list(timeline)})
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0))
    return clock, begin(clock, spec, catalog)


def test_what_is_gone_serves_nobody_though_it_counts_as_ready() -> None:
    """Kubernetes learns of a host's end after 40 s."""
    clock, cluster = world("kubernetes", {"at": "10s", "fail": "node[1]"})
    clock.run(until=99 * S)
    levels = [(level.at / S, level.wanted, level.ready, level.serving) for level in cluster.steps.courses()["web"].levels]
    assert levels == [(0, 2, 2, 2), (10, 2, 2, 1), (50, 2, 1, 1)]


def test_the_work_of_replicas_that_come_and_go_is_divided_by_how_long_they_lived() -> None:
    """Eight for a tenth of the time, two all of it: 2.6 on average; half of a second's work each second on one thread each."""
    clock, cluster = world("compose", {"at": "10s", "scale": "web", "replicas": 8}, {"at": "20s", "scale": "web", "replicas": 2})
    first = snapshot(clock.plane, 0)
    clock.run(until=99 * S)
    last = snapshot(clock.plane, 99 * S)
    rows = clock.plane.instances_of("web")
    lived = (last.lived - first.lived)[rows].sum() / S
    assert lived == pytest.approx(2 * 99 + 6 * 10, abs=1)
    assert utilisations(clock.plane, first, last)["web.threads"] == pytest.approx(0.5 * 99 / lived, rel=0.02)
    assert cluster.orchestration is not None


@pytest.mark.parametrize("orchestrator", ["swarm", "mesos"])
def test_the_end_of_a_task_is_told_once(orchestrator: str) -> None:
    clock, cluster = world(orchestrator, {"at": "10s", "crash": "web", "replica": 0})
    clock.run(until=60 * S)
    told = [one.what for one in cluster.story.events if one.who == "web-0"]
    assert told.count("failed") == told.count("given up") == 1 and told.count("ready") == 1
    assert cluster.orchestration is not None
    assert cluster.orchestration.counted() == (3, {"failed": 1})  # type: ignore[attr-defined]
