"""Autoscalers in a cluster: what they see, when, and what they make of a spike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml

from simvirt import loads
from simvirt.catalog import Catalog
from simvirt.catalog.entries.autoscalers import AutoscalerEntry
from simvirt.clock import Clock
from simvirt.control.autoscale import pod_of
from simvirt.control.deploy import begin
from simvirt.control.memory import follow_all
from simvirt.control.metrics_server import MetricsServer
from simvirt.control.orchestrators.interface import Task
from simvirt.errors import ScenarioError
from simvirt.orchestration import hpa
from simvirt.runs.admission import catalog_of
from simvirt.runs.replicate import make_plane

SECOND = 1_000_000_000
TASK = Task(7, "web", 0, 0, 0, "ready", asked_at=0, since=2 * SECOND, ready_at=2 * SECOND)


def scraped(server: MetricsServer, at: int, used: int, task: Task = TASK) -> None:
    """A sample at an instant [s], and a scrape that takes it in."""
    server.sample(at * SECOND, np.array([used]))
    server.scrape([(task, 0)])


def test_usage_is_the_difference_of_the_last_two_samples() -> None:
    server = MetricsServer()
    scraped(server, 10, SECOND)
    assert server.usage(TASK, 10 * SECOND) is None
    scraped(server, 20, 6 * SECOND)
    server.scrape([(TASK, 0)])  # nothing new was sampled
    assert server.usage(TASK, 23 * SECOND) == hpa.Sample(500, 3.0, 10.0)
    scraped(server, 40, 26 * SECOND)
    assert server.usage(TASK, 40 * SECOND) == hpa.Sample(1000, 0.0, 20.0)


def test_a_restart_and_a_new_task_begin_anew() -> None:
    server = MetricsServer()
    for at in (10, 20):
        scraped(server, at, at)
    again = replace(TASK, restarts=1, since=25 * SECOND, ready_at=26 * SECOND)
    scraped(server, 30, 30, again)
    assert server.usage(again, 30 * SECOND) is None
    server.scrape([])
    assert server.usage(TASK, 30 * SECOND) is None


def test_working_sets_are_told_with_a_usage_and_are_the_last_ones() -> None:
    server = MetricsServer()
    for at, held in ((10, 5.0), (20, 7.4)):
        server.sample(at * SECOND, np.array([at]), {0: held})
        assert server.working_set(TASK, at * SECOND) is None
        server.scrape([(TASK, 0)])
    assert server.working_set(TASK, 23 * SECOND) == hpa.Sample(7, 3.0, 10.0)
    scraped(server, 30, 30)
    assert server.working_set(TASK, 30 * SECOND) is None


@pytest.mark.parametrize(("phase", "found"), [("starting", "unready"), ("ready", "missing"), ("failed", "missing"), ("stopping", "ignored")])
def test_tasks_as_pods(phase: Any, found: str) -> None:
    assert hpa.classify(pod_of(replace(TASK, phase=phase), 1000, None, 60 * SECOND), True) == found


SPIKE = """
simvirt: 1
name: spike
host: {cores: 16, memory: 64GiB}
platforms: [docker, kvm]
services:
  web:
    cpus: 1
    threads: 16
    autoscale: {min: 1, max: 6, target: {cpu: 60%}, scale_down: {stabilization: 0s}}
    operations: {get: [{cpu: {exponential: 10ms}}]}
workload: {open: {piecewise: [{for: 60s, rate: 20/s}, {for: 120s, rate: 240/s}, {for: 120s, rate: 20/s}]}, mix: {web.get: 1}}
run: {duration: 5min, warmup: 0s, replications: 1}
"""


@pytest.fixture(scope="module")
def told() -> dict[str, list[tuple[float, str, str | None]]]:
    """What happened on each platform: when [s], what, why."""
    scenario = loads(SPIKE)
    catalog = catalog_of(scenario)
    found = {}
    for platform in map(catalog.platform, scenario.platforms):
        clock = Clock(make_plane(scenario, catalog, platform, 1, 0))
        cluster = begin(clock, clock.plane.lowered.scenario, catalog)
        clock.run(until=300 * SECOND)
        found[platform.name] = [(event.at / SECOND, event.what, event.why) for event in cluster.story.events]
    return found


def test_a_spike_is_followed_by_what_it_takes(told: Any) -> None:
    """No growth before the load has grown, the first one within a sample, a scrape and a sync; then down again."""
    entry = Catalog.load(None).typed("autoscalers", "hpa", AutoscalerEntry)
    slowest = (2 * entry.sampling + entry.resolution + entry.sync) / SECOND
    for events in told.values():
        scales = [(at, why) for at, what, why in events if what == "scale"]
        assert 60.0 < scales[0][0] <= 60.0 + slowest
        assert scales[0][1].startswith("1 to 2 replicas: cpu at")
        wanted = [int(why.split()[2]) for _, why in scales]
        assert max(wanted) > 3
        assert wanted[-1] == 1


def test_vms_follow_later_by_their_start(told: Any) -> None:
    """What differs between platforms is the time from the decision to a replica that is ready."""
    waits = {name: next(at for at, what, _ in events if what == "ready") - next(at for at, what, _ in events if what == "start") for name, events in told.items()}
    assert waits["docker"] < 2.0 < waits["kvm"]


@pytest.mark.parametrize(("autoscale", "said"), [
    ({"target": {"cpu": "60%"}}, "max: missing"), ({"max": 2, "min": 4, "target": {"cpu": "60%"}}, "expected at least min, which is 4"),
    ({"max": 2, "target": {"cpu": "60%"}, "by": "hqa"}, "hpa"), ({"max": 2, "target": {"cpu": "60%"}, "scale_up": {"policies": [{"period": "1s"}]}}, "either replicas or share"),
])
def test_mistakes(autoscale: dict[str, Any], said: str) -> None:
    content = yaml.safe_load(SPIKE)
    content["services"]["web"]["autoscale"] = autoscale
    with pytest.raises(ScenarioError, match=said):
        catalog_of(loads(yaml.safe_dump(content)))


HELD = """
simvirt: 1
name: held
host: {cores: 16, memory: 64GiB}
platforms: [%s]
services:
  web:
    deploy: {resources: {reservations: {memory: 400MiB}, limits: {memory: 2GiB}}}
    threads: 200
    memory: {base: 100MiB, per_request: 10MiB}
    autoscale: {min: 1, max: 20, target: %s, scale_down: {stabilization: 0s}}
    operations: {get: [{delay: 1s}]}
workload: {open: {piecewise: [{for: 60s, rate: 1/s}, {for: 240s, rate: 100/s}]}, mix: {web.get: 1}}
run: {duration: 5min, warmup: 0s, replications: 1}
"""


@pytest.mark.parametrize(("platform", "target", "each_mib"), [("docker", "{memory: 50%}", 200), ("docker", "{memory_average: 150MiB}", 150), ("kata-qemu", "{memory: 50%}", None)])
def test_replicas_follow_what_they_hold(platform: str, target: str, each_mib: int | None) -> None:
    """100 requests in flight of 10 MiB: with n replicas each holds 100 + 1000 / n MiB, so that n - 1 would hold more than the target."""
    scenario = loads(HELD % (platform, target))
    catalog = catalog_of(scenario)
    clock = Clock(make_plane(scenario, catalog, catalog.platform(scenario.platforms[0]), 1, 0))
    cluster = begin(clock, clock.plane.lowered.scenario, catalog)
    follow_all(clock)
    clock.run(until=(120 if each_mib is None else 240) * SECOND)
    wanted = [one.after for one in cluster.scaled]
    assert wanted and max(wanted) > 1
    assert all("of memory" in one.why or "memory at" in one.why for one in cluster.scaled if one.after > one.before)
    if each_mib is not None:
        assert 0.7 <= wanted[-1] / (1000 / (each_mib - 100)) <= 1.45


def test_usage_of_memory_needs_something_that_it_is_a_share_of() -> None:
    content = yaml.safe_load(HELD % ("docker", "{memory: 50%}"))
    del content["services"]["web"]["deploy"]
    with pytest.raises(ScenarioError, match="memory that a replica requests"):
        loads(yaml.safe_dump(content))


def test_usage_needs_something_that_it_is_a_share_of() -> None:
    content = yaml.safe_load(SPIKE)
    del content["services"]["web"]["cpus"]
    with pytest.raises(ScenarioError, match="CPUs that a replica requests"):
        loads(yaml.safe_dump(content))
