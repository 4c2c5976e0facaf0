"""Services whose checks end them before they are ready: a deployment says so, and following it takes no more work than one that ends."""

from __future__ import annotations

from typing import Any

import pytest
import simvirt
from simvirt.control.cluster import Cluster
from simvirt.runs import until_ready

SLOW = """
simvirt: 1
name: never ready
host: {cores: 4, memory: 16GiB}
platforms: [{name: docker, orchestrator: ORCHESTRATOR}]
services:
  db: {operations: {get: [{cpu: 1ms}]}, startup: [{delay: 1s}], healthcheck: {interval: 2ms, timeout: 5ms, retries: 2}}
  web: {operations: {get: [{cpu: 1ms}]}, deploy: {replicas: 2}}
workload: {open: {rate: 10/s}, mix: {web.get: 1}}
state: {instances: none}
run: {duration: 2s, replications: 1}
"""


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployments are not followed for long."""
    monkeypatch.setattr(until_ready, "STEPS", 1_000)
    monkeypatch.setattr(until_ready, "STEPS_EACH", 100)


@pytest.mark.parametrize("orchestrator", ["swarm", "kubernetes", "mesos"])
def test_a_service_whose_checks_end_it_is_never_ready(orchestrator: str, few_steps: None) -> None:
    """It was left out of what was asked for once no start of it was under way: all others were ready."""
    found = simvirt.deploy(simvirt.loads(SLOW.replace("ORCHESTRATOR", orchestrator)))
    assert [one.down for one in found.answers["docker"].of_state["warm"]] == [1]
    document = found.typed()
    warm = document.deployments["docker"].warm
    assert warm is not None
    assert warm.ready_s.value is None
    assert "not all are ever ready" in document.answer
    assert any("1 instance never becomes ready" in said for said in document.warnings)


def test_a_run_of_it_says_so_after_bounded_work(few_steps: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Swarm starts it again and again, for six hours if it were followed as long."""
    followed = until_ready.until_ready
    instants: list[float] = []

    def watched(*asked: Any) -> Cluster:
        cluster = followed(*asked)
        instants.append(cluster.clock.now)
        return cluster

    monkeypatch.setattr(until_ready, "until_ready", watched)
    found = simvirt.run(simvirt.loads(SLOW.replace("ORCHESTRATOR", "swarm").replace("2s, rep", "300ms, rep")), maximum=False)
    assert 0 < instants[0] < until_ready.WATCHED_NS
    assert any("checks end them again and again" in note for note in found.notes)
