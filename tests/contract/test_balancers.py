"""Every balancing policy spreads requests as its name says, and gives none to replicas that are not there."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import typing
from typing import Any

import numpy as np
import pytest
from helpers import shortened
import yaml
from helpers.field_bases import REPLICATED
from helpers.fields import patched
from helpers.support import after

from simvirt import load, loads, run
from simvirt.scenario.spec.models import ServiceSpec

BALANCERS = typing.get_args(ServiceSpec.model_fields["balance"].annotation)
COUNTED = patched(REPLICATED, {"services/server/operations/job/0/cpu": "1ms", "services/server/scale": 4, "workload/open/rate": "400/s", "run": {"duration": "20s", "replications": 1, "warmup": "0s"}})
"""Four replicas; a request is 1 ms of CPU, so that CPU time counts requests."""
SECONDS = 4.0


def counts(balance: str, **patch: Any) -> np.ndarray:
    """Requests that each replica has worked on after some seconds."""
    document = patched(COUNTED, {"services/server/balance": balance} | {path.replace("__", "/"): value for path, value in patch.items()})
    clock, totals = after(loads(yaml.safe_dump(document)), SECONDS)
    return typing.cast("np.ndarray", totals.cpu_time[clock.plane.instances_of("server")] / 1e6)


@pytest.mark.parametrize("balance", BALANCERS)
def test_it_runs_the_web_shop(balance: str) -> None:
    sets = ["run.duration=500ms", "run.replications=1", f"services.web.balance={balance}", "services.db.scale=2", f"services.db.balance={balance}"]
    for platform in run(load(shortened.CONFIGS / "web.yaml", sets=sets), maximum=False).document()["platforms"].values():
        assert platform["requests"] > 0
        assert set(platform["checks"].values()) == {"ok"}


@pytest.mark.parametrize("balance", BALANCERS)
def test_no_replica_is_left_out(balance: str) -> None:
    """Equal replicas get equal shares in the long run; round robin to the request, the others within chance."""
    found = counts(balance)
    expected = found.sum() / 4
    if balance == "round-robin":
        assert found.max() - found.min() <= 2
    elif balance in ("random", "two-choices"):
        assert np.abs(found - expected).max() < 5 * np.sqrt(expected)
    else:
        assert found.min() > 0


@pytest.mark.parametrize("balance", BALANCERS)
def test_a_replica_that_has_stopped_gets_nothing(balance: str) -> None:
    found = counts(balance, timeline=[{"at": "0ms", "stop": "server", "replica": 2}])
    assert found[2] == 0
    assert min(found[[0, 1, 3]]) > 0


@pytest.mark.parametrize("balance", BALANCERS)
def test_one_replica_is_balanced_by_all_policies_alike(balance: str) -> None:
    single = {"services/server/scale": 1, "workload/open/rate": "60/s", "run": {"requests": 500, "replications": 1, "warmup": "0s"}}
    found = [run(loads(yaml.safe_dump(patched(REPLICATED, single | {"services/server/balance": name}))), maximum=False).document()["platforms"] for name in (balance, "round-robin")]
    assert found[0]["bare-metal"]["latency_s"] == found[1]["bare-metal"]["latency_s"]


def test_the_better_a_policy_knows_the_queues_the_shorter_they_are() -> None:
    """Random, round robin and two choices, all of them. Source: Mitzenmacher, The Power of Two Choices, IEEE TPDS 12(10), 2001."""
    def queue(balance: str) -> float:
        document = run(loads(yaml.safe_dump(patched(REPLICATED, {"services/server/balance": balance, "workload/open/rate": "250/s"}))), maximum=False).document()
        return float(document["platforms"]["bare-metal"]["breakdown_s"]["queue"])

    found = {balance: queue(balance) for balance in BALANCERS}
    assert found["least-connections"] < found["two-choices"] < found["random"]
    assert found["least-connections"] < found["round-robin"] < found["random"]
