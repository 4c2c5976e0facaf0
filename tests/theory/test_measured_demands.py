"""Demands that say where they were measured take on another host what the ratio of the processors says, in every command alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import simvirt
from simvirt.catalog import Catalog
from simvirt.density import density
from simvirt.plan import plan
from simvirt.runs.run import run
from simvirt.scenario.spec.models import Scenario

JOB = {"cpu": "4ms"}
OLD, NEW = "ibm-x3550-m2", "dell-r740-gold-6132"


def of(folder: Path | None = None, job: Any = JOB, **more: Any) -> Scenario:
    """Rare jobs on one core."""
    base = {
        "simvirt": 1, "name": "measured", "host": {"model": NEW}, "platforms": ["bare-metal"],
        "services": {"server": {"threads": 1, "operations": {"job": [job]}}},
        "workload": {"open": {"rate": "5/s"}, "mix": {"server.job": 1}, "local": True}, "objective": {"latency_p99": "100ms"},
        "run": {"duration": "20s", "replications": 2, "seed": 1},
    }
    return simvirt.loads(yaml.safe_dump(base | more), name=str((folder or Path()) / "x.yaml"))


def cpu_s(scenario: Scenario) -> float:
    """CPU time of a request."""
    return float(run(scenario, maximum=False).typed().platforms["bare-metal"].breakdown_s.document()["cpu"])


def ratio(old: str, new: str) -> float:
    """Clock times work per cycle of one host over that of another."""
    catalog = Catalog.load(None)
    return catalog.host_model(old).speed / catalog.host_model(new).speed


def test_time_goes_with_clock_and_work_per_cycle() -> None:
    assert cpu_s(of()) == pytest.approx(4e-3, rel=1e-6)
    assert cpu_s(of(measured_on=OLD)) == pytest.approx(4e-3 * ratio(OLD, NEW), rel=1e-6)
    assert cpu_s(of(measured_on={"clock": "1.3GHz"})) == pytest.approx(2e-3, rel=1e-6)
    assert cpu_s(of(measured_on={"host": OLD, "clock": "1.465GHz"})) == pytest.approx(2e-3 * ratio(OLD, NEW), rel=1e-3)
    assert 0.3 < ratio(OLD, NEW) < 0.95


def test_the_nearest_word_is_the_one() -> None:
    """What a step says, else its service, else the scenario."""
    services: Any = {"server": {"threads": 1, "measured_on": {"clock": "1.3GHz"}, "operations": {"job": [JOB | {"measured_on": NEW}, JOB]}}}
    assert cpu_s(of(services=services, measured_on={"clock": "650MHz"})) == pytest.approx(6e-3, rel=1e-6)


def test_busy_siblings_are_taken_out() -> None:
    """With all threads busy each of two has half the yield of a core; up to half, where a thread has its core, nothing is lost."""
    family = Catalog.load(None).host_model(NEW)
    for utilisation, share in ((0.5, 1.0), (1.0, family.smt_yield / 2), (0.75, (1 + (family.smt_yield - 1) / 2) / 1.5)):
        assert cpu_s(of(measured_on={"host": NEW, "utilisation": utilisation})) == pytest.approx(4e-3 * share, rel=1e-6)


def test_a_change_of_the_host_acts_in_run_as_in_plan() -> None:
    """The same demand on two hosts: its time in a run, and the CPU time that a plan counts for each."""
    measured = of(measured_on=NEW, plan={"hosts": [OLD, NEW], "survive": 0})
    assert cpu_s(of(measured_on=NEW, host={"model": OLD})) == pytest.approx(4e-3 / ratio(OLD, NEW), rel=1e-6)
    demands = {found.case.host.name: found.case.analysis.service("server").cpu_s for found in plan(measured).alternatives}
    assert demands == pytest.approx({OLD: 4e-3 / ratio(OLD, NEW), NEW: 4e-3}, rel=1e-6)


def test_density_follows_the_host() -> None:
    """Twice the CPU time, half as many copies of a service that CPU binds."""
    hosts = [{"cores": 1, "memory": "64GiB", "clock": clock} for clock in ("2.6GHz", "1.3GHz")]
    load: dict[str, Any] = {"workload": {"open": {"rate": "20/s"}, "mix": {"server.job": 1}, "local": True}, "objective": {"latency_p50": "40ms"}}
    fast, slow = (density(of(host=host, measured_on={"clock": "2.6GHz"}, **load)).answers["bare-metal"].n for host in hosts)
    assert fast > 8
    assert slow == pytest.approx(fast / 2, abs=1)


def test_a_trace_brings_demands_that_were_measured_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("at_s,demand_ms\n" + "\n".join(f"{n},4" for n in range(1, 20)) + "\n")
    trace = {"workload": {"trace": {"file": "t.csv", "at": "at_s", "cpu": "demand_ms"}, "mix": {"server.job": 1}, "local": True}}
    assert cpu_s(of(tmp_path, **trace)) == pytest.approx(4e-3, rel=1e-6)
    assert cpu_s(of(tmp_path, measured_on={"clock": "1.3GHz"}, **trace)) == pytest.approx(2e-3, rel=1e-6)


BEFORE: dict[str, dict[str, Any]] = {
    "memory": {"memory": {"base": "10MiB"}},
    "a lock": {"steps": [{"lock": "table", "hold": [JOB]}]},
    "files": {"steps": [{"files": {"open": 3}}, JOB]},
    "a group": {"steps": [{"repeat": [{"delay": "1ms"}, JOB]}, JOB]},
    "a branch": {"steps": [{"parallel": [[JOB | {"measured_on": {"clock": "1.3GHz"}}]]}, JOB]},
}
"""What puts instructions before those of the first CPU step: memory that is followed may swap, who slept at a lock has to wake up."""


@pytest.mark.parametrize("before", BEFORE)
def test_demands_of_a_trace_are_those_of_the_first_step_whatever_comes_before(tmp_path: Path, before: str) -> None:
    """Each millisecond more in a row is one more of CPU time."""
    service = {"threads": 1, "operations": {"job": BEFORE[before].get("steps", [JOB])}, "memory": BEFORE[before].get("memory", {})}
    trace = {"workload": {"trace": {"file": "t.csv", "at": "at_s", "cpu": "demand_ms"}, "mix": {"server.job": 1}, "local": True}, "services": {"server": service}}
    found = []
    for demand in (1, 5):
        (tmp_path / "t.csv").write_text("at_s,demand_ms\n" + "\n".join(f"{n},{demand}" for n in range(1, 20)) + "\n")
        found.append(cpu_s(of(tmp_path, **trace)))
    assert found[1] - found[0] == pytest.approx(4e-3, rel=1e-6)


@pytest.mark.parametrize(("more", "said"), [
    ({}, True), ({"measured_on": OLD}, False), ({"host": {"cores": 4, "memory": "16GiB"}}, False),
    ({"host": {"cores": 4, "memory": "16GiB", "clock": "3GHz"}}, True),
    ({"services": {"server": {"measured_on": OLD, "operations": {"job": [JOB]}}}}, False),
    ({"services": {"server": {"operations": {"job": [{"delay": "4ms"}]}}}}, False),
])
def test_what_is_taken_as_it_stands_is_said_where_a_speed_is_stated(more: Any, said: bool) -> None:
    found = run(of(**more), maximum=False).document()["assumptions"]
    assert any("taken as they stand" in sentence for sentence in found) == said


def test_a_density_says_it_too() -> None:
    found = density(of(objective={"latency_p99": "5ms"})).document()["assumptions"]
    assert [sentence for sentence in found if "taken as they stand" in sentence]
