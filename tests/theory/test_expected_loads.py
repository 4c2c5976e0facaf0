"""The load that memory is laid out for and the times that a plan counts with are one computation: steps, branches, calls, arrivals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import simvirt
from simvirt.analysis.demands import Analysis, analyse
from simvirt.catalog import Catalog
from simvirt.memory.working_set import expected_loads
from simvirt.runs.run import run
from simvirt.scenario.rates import mean_rate
from simvirt.scenario.spec.models import Scenario

FORK = {"parallel": [[{"delay": "30ms"}], [{"cpu": "4ms"}, {"call": "db.get", "times": 2}], [{"delay": "1ms"}]]}
OPEN = {"open": {"rate": "20/s"}}


def of(steps: Any, workload: dict[str, Any], folder: Path | None = None, **run_: Any) -> Scenario:
    """A front and a database on the bare machine, without messages from clients."""
    return simvirt.loads(yaml.safe_dump({
        "simvirt": 1, "name": "x", "host": {"cores": 16, "memory": "64GiB"}, "platforms": ["bare-metal"],
        "services": {"front": {"operations": {"page": steps}}, "db": {"scale": 2, "operations": {"get": [{"cpu": "2ms"}, {"delay": "3ms"}]}}},
        "workload": workload | {"mix": {"front.page": 1}, "local": True}, "run": {"duration": "20s", "replications": 1, "seed": 1} | run_,
    }), name=str((folder or Path()) / "x.yaml"))


def analysed(scenario: Scenario) -> Analysis:
    """Visits and demands on the bare machine."""
    catalog = Catalog.of(scenario)
    return analyse(scenario, catalog, catalog.platform(scenario.platforms[0]), catalog.resolve_host(scenario.host))


def expected(scenario: Scenario) -> dict[str, float]:
    """Requests in all replicas of each service."""
    counts = {name: service.replicas for name, service in scenario.services.items()}
    catalog = Catalog.of(scenario)
    loads = expected_loads(scenario, catalog.platform(scenario.platforms[0]), catalog.resolve_host(scenario.host), counts)
    return {name: load.connections * counts[name] for name, load in loads.items()}


def test_a_team_shares_its_work() -> None:
    """40 ms, a quarter of them of one thread, among four threads: 17.5 ms."""
    scenario = of([{"cpu": "40ms", "team": {"threads": 4, "serial": 0.25}}], OPEN)
    assert expected(scenario)["front"] == pytest.approx(20 * 0.0175)
    assert analysed(scenario).response_s == pytest.approx(0.0175, abs=100e-6)


@pytest.mark.parametrize(("steps", "front_s"), [
    ([FORK], 0.030), ([FORK | {"times": 3}], 0.090), ([FORK | {"probability": 0.5}, {"cpu": "4ms"}], 0.019),
    ([{"repeat": [FORK, {"cpu": "1ms"}], "times": 2}], 0.062), ([{"parallel": [[{"call": "db.get", "times": 8}], [{"delay": "30ms"}]]}], 0.040),
])
def test_branches_stand_side_by_side(steps: Any, front_s: float) -> None:
    """The time of a fork is that of its longest branch: in the population of Little's law, and in the response of a request alone."""
    scenario = of(steps, OPEN)
    found = analysed(scenario)
    assert expected(scenario)["front"] == pytest.approx(20 * front_s)
    assert found.response_s == pytest.approx(front_s, abs=100e-6)  # with the messages of its calls
    assert expected(scenario)["db"] == pytest.approx(20 * found.visits["db", "get"] * 0.005)


def test_a_run_that_nobody_waits_in_agrees() -> None:
    scenario = of([FORK, {"cpu": "2ms"}], OPEN)
    latency = run(scenario, maximum=False).typed().platforms["bare-metal"].latency_s.mean.value
    assert latency == pytest.approx(analysed(scenario).response_s, rel=0.02)


@pytest.mark.parametrize("workload", [
    OPEN, {"open": {"piecewise": [{"for": "1s", "rate": "10/s"}, {"for": "1s", "rate": "30/s"}]}},
    {"rates": {"file": "rates.csv", "at": "time_s", "rate": "rate_per_s"}},
])
def test_every_kind_of_arrivals_has_its_mean_rate(workload: dict[str, Any], tmp_path: Path) -> None:
    """Rates of a file make memory what the same rates in the scenario make it."""
    (tmp_path / "rates.csv").write_text("time_s,rate_per_s\n0,10\n1,30\n", encoding="utf-8")
    scenario = of([FORK], workload, tmp_path)
    assert mean_rate(scenario, 0.0) == pytest.approx(20)
    assert expected(scenario)["front"] == pytest.approx(20 * 0.030)


def test_clients_are_shared_out_by_the_time_of_the_longest_branch() -> None:
    """Ten clients that think for 70 ms and wait for 30 ms: three of them wait."""
    scenario = of([FORK], {"closed": {"clients": 10, "think": "70ms"}})
    assert expected(scenario)["front"] == pytest.approx(3.0)
    assert mean_rate(scenario, analysed(scenario).response_s) == pytest.approx(100, rel=2e-3)
