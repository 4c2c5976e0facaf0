"""Records of what acts are of one size, however long a run: the first of them stay whole, of the others what they add up to."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control import levels, lives, outages, records
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.records import Measured, Scaled
from simvirt.gauges import snapshot
from simvirt.metrics.availability import course
from simvirt.metrics.events import happened, happening
from simvirt.metrics.lifecycle import lifecycle
from simvirt.metrics.scaling import ServiceCourse, courses, scaling
from simvirt.runs.replicate import make_plane

MINUTES = 8
S = 1_000_000_000


def scenario(minutes: float) -> dict[str, Any]:
    """A service that is scaled up and down all the time, and whose processes crash."""
    return {
        "simvirt": 1, "name": "kept", "hosts": {"node": {"count": 2, "cores": 4, "memory": "16GiB"}},
        "platforms": [{"name": "x", "stack": ["containerd"], "orchestrator": "swarm"}],
        "services": {"web": {
            "image": "nginx:1.27", "threads": 8, "deploy": {"replicas": 2, "restart_policy": {"condition": "any", "delay": "1s"}, "resources": {"reservations": {"cpus": 0.2}}},
            "operations": {"get": [{"cpu": {"exponential": "16ms"}}]}}},
        "state": {"images": "present", "instances": "up"},
        "workload": {"open": {"rate": "2/s"}, "mix": {"web.get": 1}},
        "failures": {"random": [{"fail": "web", "how": "process", "mtbf": "8s"}]},
        "timeline": [{"at": f"{20 * number + 10}s", "scale": "web", "replicas": 2 if number % 2 else 4} for number in range(int(3 * minutes))],
        "run": {"duration": f"{minutes}min", "replications": 1, "warmup": "0s", "seed": 3},
    }


def ran(minutes: float) -> Cluster:
    """The cluster at the end of a run."""
    spec = simvirt.Scenario.model_validate(scenario(minutes))
    catalog = Catalog.of(spec)
    plane = make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=spec.run.duration)
    return cluster


def keep(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Keep few records of each kind."""
    for module in (levels, lives, outages, records):
        monkeypatch.setattr(module, "KEPT", few)


def rows_of(cluster: Cluster) -> dict[str, int]:
    """How many records of each kind a cluster holds."""
    found = cluster.steps.courses()["web"]
    return {
        "lives": len(cluster.lives), "spans": sum(len(life.spans) for life in cluster.lives), "outages": len(cluster.outages),
        "events": len(cluster.story.events), "levels": len(found.levels), "changes": len(cluster.scaled)}


def told_of(cluster: Cluster) -> dict[str, Any]:
    """What results say of it."""
    end = snapshot(cluster.plane, int(cluster.clock.now))
    seen = course(cluster.plane, [], end, cluster)
    document = scaling([courses(cluster, end.at)]).document()["services"]["web"]
    return {"life": lifecycle([cluster.lives]).document(), "scaling": document, "ready": seen.ready, "failures": seen.failures}


def numbers(of: Any, path: str = "") -> dict[str, float]:
    """All numbers of a document by their path."""
    pairs = of.items() if isinstance(of, dict) else enumerate(of) if isinstance(of, list) else ()
    found = {key: value for name, part in pairs for key, value in numbers(part, f"{path}/{name}").items()}
    return found | ({path: float(of)} if isinstance(of, int | float) else {})


def test_a_run_four_times_as_long_keeps_as_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(monkeypatch, 12)
    short, long = ran(MINUTES), ran(4 * MINUTES)
    assert long.lives.started > 3 * short.lives.started > 90 and long.outages.happened > 3 * short.outages.happened > 90
    few = rows_of(short)
    for kind, many in rows_of(long).items():
        assert many <= max(few[kind] + 30, 60), kind
    assert len(long.steps._steps) <= 12 and long.story.events.told > 3 * short.story.events.told


def test_what_is_not_kept_is_in_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Means, sums and counts are those of all records; quantiles are within a bucket of the histogram."""
    whole = numbers(told_of(ran(MINUTES)))
    keep(monkeypatch, 12)
    few = ran(MINUTES)
    assert few.lives.folded["web"].started > 50 and few.steps.courses()["web"].past is not None and few.outages.folded["web"] > 0
    found = numbers(told_of(few))
    assert found.keys() == whole.keys()
    for path, value in whole.items():
        about = 1 / 64 if "/readiness_s/" in path or "/ready_s/" in path else 1e-9
        assert found[path] == pytest.approx(value, rel=about, abs=1e-9), path


def test_events_beyond_those_that_are_shown_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = ran(MINUTES)
    seen = happening(cluster)
    assert seen is not None
    assert not {"last", "counted"} & happened([seen]).document().keys(), "nothing is said where all are shown"
    monkeypatch.setattr("simvirt.metrics.events.MOST", 40)
    found = happened([seen])
    assert len(found.events) == 40 and sum(found.counted.values()) == found.told == len(cluster.story.events) > 140
    assert [event.at_s for event in found.last] == [event.at / 1e9 for event in cluster.story.events][-100:]
    monkeypatch.setattr("simvirt.metrics.events.MOST", found.told - 7)
    assert len(happened([replace(seen)]).last) == 7, "those that are shown first are not shown again"


def test_changes_of_an_autoscaler_that_are_not_kept_are_in_the_means() -> None:
    """Two changes in thirty want more; each is met after two seconds, but the last, which is taken back before."""
    def fed(kept: float) -> tuple[Any, int]:
        changes: list[Scaled] = []
        steps = levels.Steps(lambda: {"web": levels.Course(1, {0}, {0}, [levels.Level(0, 1, 1, 1)])}, changes, lambda: False, kept)
        for number in range(30):
            at, more = (10 + 10 * number) * S, number % 2 == 0
            steps.wants(Scaled(at, "web", *((1, 2) if more else (2, 1)), "cpu", Measured(0.9, 10.0, 5.0, 2, None)))
            if more and number < 28:
                steps.told(at + 2 * S, "web", 1, "ready")
            elif not more:
                steps.told(at + S, "web", 1, "stop")
        of = steps.courses()["web"]
        return scaling([{"web": ServiceCourse(tuple(of.levels), tuple(changes), 400 * S, of.past or levels.Past())}]), len(changes)

    (whole, all_), (few, left) = fed(math.inf), fed(7)
    assert numbers(few.document()) == pytest.approx(numbers(whole.document())) and left < 8 < all_
    found = few.services["web"]
    assert (found.ready_after_s.value, found.seen_s.value, found.grown.value) == (2.0, 10.0, 15)
