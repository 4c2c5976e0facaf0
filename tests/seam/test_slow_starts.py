"""Starts that take longer than their checks allow: unhealthy, ended and started again, or left alone, as each product does."""

from __future__ import annotations

from typing import Any

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.orchestration.health import Health, HealthCheck, given_up_s, probe_starts
from simvirt.runs.replicate import make_plane

S = 1_000_000_000
CHECK = {"interval": "10s", "timeout": "1s", "retries": 3}


def after(orchestrator: str | None, takes: str, seconds: int = 200, **check: Any) -> Cluster:
    """A service whose start takes so long after its process is there, with checks that count as unhealthy what fails for 30 s."""
    platform = {"name": "x", "stack": ["docker"]} | ({} if orchestrator is None else {"orchestrator": orchestrator})
    spec = simvirt.Scenario.model_validate({
        "simvirt": 1, "name": "slow", "host": {"cores": 4, "memory": "16GiB"}, "platforms": [platform], "state": {"images": "present", "instances": "none"},
        "services": {"web": {"restart": "always", "startup": [{"delay": takes}], "healthcheck": CHECK | check, "operations": {"get": [{"cpu": "1ms"}]}}},
        "workload": {"open": {"rate": "1/s"}, "mix": {"web.get": 1}}, "run": {"duration": f"{seconds}s", "replications": 1, "warmup": "0s"}})
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0))
    cluster = begin(clock, spec, catalog)
    clock.run(until=seconds * S - 1)
    return cluster


def told(cluster: Cluster, *whats: str) -> list[tuple[str, float]]:
    """What happened of some kinds, and when [s]."""
    return [(one.what, one.at / S) for one in cluster.story.events if one.what in whats]


@pytest.mark.parametrize("period", [0.0, 0.5, 4.0, 5.0, 31.0])
@pytest.mark.parametrize("retries", [1, 3])
def test_what_never_answers_is_unhealthy_when_as_many_checks_have_failed(period: float, retries: int) -> None:
    """Against Docker's rule, check by check."""
    check, health = HealthCheck(interval_s=7.0, retries=retries, start_period_s=period, start_interval_s=2.0), Health()
    for at in probe_starts(check, lambda _: False):
        health = health.probed(check, ok=False, began_s=at)
        if health.status == "unhealthy":
            break
    assert given_up_s(check) == pytest.approx(at)


def test_the_kubelet_ends_what_does_not_start_in_time_and_backs_off() -> None:
    """Killed 30 s after each start: again at the kubelet's next look after the first, 10, 20 and 40 s after the next ones."""
    cluster = after("kubernetes", "45s")
    ends = [at for what, at in told(cluster, "failed")]
    again = [at for what, at in told(cluster, "restart")]
    waits = [b - a for a, b in zip(ends, again, strict=False)]
    assert 0.05 <= waits[0] <= 1.05, "seen within a second, noticed 50 ms later"
    assert waits[1:] == pytest.approx([10, 20, 40], abs=0.1)
    assert [b - a for a, b in zip(again, ends[1:], strict=False)] == pytest.approx([30.5] * (len(ends) - 1), abs=1.5)
    assert not told(cluster, "ready") and not [life for life in cluster.lives if life.ready is not None]


@pytest.mark.parametrize(("orchestrator", "ends"), [("swarm", True), ("mesos", True), ("compose", False), ("none", False), (None, False)])
def test_who_ends_what_fails_its_checks(orchestrator: str | None, ends: bool) -> None:
    """The engine only says so, and it is well with the first check that finds it so: at 50 s after the start of its process."""
    cluster = after(orchestrator, "45s", seconds=100)
    assert bool(told(cluster, "failed")) == ends
    if not ends:
        ((_, at),) = told(cluster, "unhealthy")
        (life,) = cluster.lives
        assert life.ready is not None and life.ready / S - at == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("check", [{"start_period": "20s", "start_interval": "5s"}, {"retries": 5}])
def test_a_start_within_its_period_or_its_retries_is_let_be(check: dict[str, Any]) -> None:
    cluster = after("kubernetes", "35s" if "start_period" in check else "45s", **check)
    assert not told(cluster, "failed", "unhealthy") and len(told(cluster, "ready")) == 1


def test_what_ends_before_is_not_ended_again() -> None:
    """A start that was given up with a stop or a crash leaves no check behind."""
    cluster = after("kubernetes", "45s", seconds=45)
    (first,) = [at for what, at in told(cluster, "failed")]
    assert first == pytest.approx(31, abs=1.5)
