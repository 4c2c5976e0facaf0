"""What is undecided says how much more would tell, as a setting that can be used as it is; used, it tells most of the time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import simvirt
from simvirt.cli.app import main
from simvirt.density import density
from simvirt.plan import plan
from simvirt.report import limits
from simvirt.result.document import Verdict
from simvirt.result.run_document import RunDocument
from simvirt.runs.run import run

QUEUE: dict[str, Any] = {
    "simvirt": 1, "name": "queue", "host": {"cores": 1, "memory": "16GiB"}, "platforms": ["bare-metal"],
    "services": {"server": {"threads": 1, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}}},
    "workload": {"open": {"rate": "70/s"}, "mix": {"server.job": 1}, "local": True}, "objective": {"latency_mean": "34ms"},
    "run": {"duration": "60s", "replications": 4, "seed": 1, "warmup": "10s"},
}
"""M/M/1 at 70 %: 33.3 ms in the mean."""


def file_of(folder: Path, **more: Any) -> Path:
    """The scenario as a file."""
    path = folder / "x.yaml"
    path.write_text(yaml.safe_dump(QUEUE | more), encoding="utf-8")
    return path


def verdict_of(document: RunDocument) -> Verdict:
    """What is said of the only limit."""
    found, = document.platforms["bare-metal"].objective.values()
    return found


def simulated(path: Path, *sets: str) -> RunDocument:
    """A run with something else set."""
    return run(simvirt.load(path, sets=sets), maximum=False).typed()


@pytest.mark.parametrize(("length", "key"), [({"duration": "60s"}, "run.duration"), ({"requests": 5000}, "run.requests")])
def test_what_is_said_tells(length: dict[str, Any], key: str, tmp_path: Path) -> None:
    """Of runs that are undecided most are decided by what they ask for, where that is no long run."""
    path = file_of(tmp_path, objective={"latency_mean": "37ms"}, run={"replications": 4, "seed": 1} | length)
    asked, told = 0, 0
    for seed in range(1, 13):
        first = verdict_of(simulated(path, f"run.seed={seed}"))
        if first.verdict != "undecided" or first.longer is None or first.longer > 60:
            continue
        assert first.setting is not None and first.setting.startswith(f"{key}=")
        asked += 1
        told += verdict_of(simulated(path, f"run.seed={seed}", first.setting)).verdict != "undecided"
    assert asked >= 3
    assert told >= 0.6 * asked


def test_one_replication_asks_for_several(tmp_path: Path) -> None:
    first = verdict_of(simulated(file_of(tmp_path), "run.replications=1"))
    assert (first.verdict, first.longer, first.setting) == ("undecided", None, "run.replications=5")


def test_a_trace_asks_for_replications(tmp_path: Path) -> None:
    """Its length is that of its file."""
    (tmp_path / "t.csv").write_text("at_s\n" + "\n".join(f"{n / 70:.6f}" for n in range(1, 2000)) + "\n", encoding="utf-8")
    workload = {"trace": {"file": "t.csv", "at": "at_s"}, "mix": {"server.job": 1}, "local": True}
    path = file_of(tmp_path, workload=workload, objective={"latency_mean": "23ms"}, run={"replications": 4, "seed": 1})
    value = verdict_of(simulated(path)).value
    assert value is not None
    found = verdict_of(simulated(path, f"objective.latency_mean={value * 1.05 * 1e6:.0f}us"))
    assert found.verdict == "undecided"
    assert found.setting is not None and found.setting.startswith("run.replications=")


def test_the_sentences_hold_the_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path)
    document = simulated(path)
    found = verdict_of(document)
    assert found.verdict == "undecided" and found.setting is not None
    said = f"about {found.longer:g} times as long would tell (--set {found.setting})"
    assert f"; {said}." in document.answer
    assert limits.undecided(document) == [f"bare-metal: mean ≤ 34 ms is undecided: {said}"]
    assert main(["run", str(path), "--assert", "--quiet", "--out", str(tmp_path / "r")]) == 1
    assert said in capsys.readouterr().err


def test_a_plan_asks_for_replications_that_it_can_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its runs are cut to some length, whatever the scenario says; --assert says why it fails."""
    more = {"plan": {"survive": 0, "headroom": "0%"}, "services": {"server": QUEUE["services"]["server"] | {"cpus": 1, "mem_limit": "1GiB"}}}
    path = file_of(tmp_path, objective={"latency_mean": "34ms"}, **more)
    best = plan(simvirt.load(path)).alternatives[0]
    assert best.undecided
    found = best.undecided[0]
    assert found.longer is None or found.setting == f"run.replications={-(-4 * found.longer // 1):.0f}"
    status = main(["plan", str(path), "--assert", "--quiet", "--out", str(tmp_path / "r")])
    assert status == 1
    assert "mean ≤ 34 ms is undecided: about" in capsys.readouterr().err


def test_a_density_says_it_of_the_first_n_that_does_not_surely_hold(tmp_path: Path) -> None:
    """With two replications at most, next to the edge something is undecided."""
    load = {"open": {"rate": "7/s"}, "mix": {"server.job": 1}, "local": True}
    scenario = simvirt.load(file_of(tmp_path, workload=load, host={"cores": 4, "memory": "16GiB"}, objective={"latency_mean": "14ms"},
                                    run={"replications": 1, "seed": 3}))
    document = density(scenario).typed()
    open_ones = [check for p in document.density["bare-metal"].curve for check in p.objective.values() if check.verdict == "undecided"]
    assert open_ones
    assert all(check.setting is None or check.setting.startswith("run.replications=") for check in open_ones)
    assert any(check.longer is not None and check.setting is not None for check in open_ones)


RARE = "server.report"


def with_a_rare_operation(folder: Path, jobs: int, seconds: int) -> Path:
    """Beside jobs that take 10 ms, 30 of which come a second, one report for so many of them."""
    steps = {"job": [{"cpu": {"exponential": "10ms"}}], "report": [{"cpu": "1ms"}]}
    workload = {"open": {"rate": "30/s"}, "mix": {"server.job": jobs, RARE: 1}, "local": True}
    run = {"duration": f"{seconds}s", "warmup": "0s", "replications": 3, "seed": 1}
    objective = {"latency_mean": "1s", "operations": {RARE: {"latency_mean": "1s", "latency_p99": "1s"}}}
    return file_of(folder, services={"server": {"threads": 1, "operations": steps}}, workload=workload, run=run, objective=objective)


@pytest.mark.parametrize(("limit", "needed"), [("latency_mean", 10), ("latency_p99", 500 / 3)])
def test_a_limit_that_no_request_told_anything_about_is_undecided(limit: str, needed: float, tmp_path: Path) -> None:
    """The length that it asks for brings enough reports: ten in each replication, or five beyond the quantile in all three."""
    path = with_a_rare_operation(tmp_path, jobs=299, seconds=2)
    runs = (simulated(path, f"run.seed={seed}") for seed in range(1, 20))
    document = next(found for found in runs if found.platforms["bare-metal"].operations[RARE].latency_s.mean.value is None)
    found = document.platforms["bare-metal"].objective
    rare = found[f"{limit}:{RARE}"]
    assert found["latency_mean"].verdict == "met"
    assert (rare.verdict, rare.met, rare.value) == ("undecided", None, None)
    assert rare.longer is not None and rare.longer == pytest.approx(needed / (2 * 30 / 300), rel=0.3)
    assert rare.setting is not None
    assert "is undecided (no request of it came); about " in document.answer
    longer = simulated(path, rare.setting)
    assert longer.platforms["bare-metal"].objective[f"{limit}:{RARE}"].verdict == "met"


def test_beyond_a_thousand_times_as_long_it_says_no_number(tmp_path: Path) -> None:
    document = simulated(with_a_rare_operation(tmp_path, jobs=99999, seconds=20))
    rare = document.platforms["bare-metal"].objective[f"latency_p99:{RARE}"]
    assert (rare.verdict, rare.longer, rare.setting) == ("undecided", None, None)
    assert "is undecided (no request of it came); more replications, or a longer run, may tell." in document.answer


def test_a_limit_whose_requests_are_all_lost_is_missed(tmp_path: Path) -> None:
    """Every report calls a service that has crashed, so that each fails."""
    off = {"threads": 1, "operations": {"work": [{"cpu": "1ms"}]}}
    server = {"threads": 1, "operations": {"job": [{"cpu": "1ms"}], "report": [{"call": "off.work"}]}}
    path = file_of(
        tmp_path, services={"server": server, "off": off}, timeline=[{"at": "0s", "crash": "off"}],
        workload={"open": {"rate": "30/s"}, "mix": {"server.job": 9, RARE: 1}, "local": True},
        objective={"operations": {RARE: {"latency_mean": "60ms"}}}, run={"duration": "20s", "warmup": "0s", "replications": 3, "seed": 1})
    rare = verdict_of(simulated(path))
    assert (rare.verdict, rare.met, rare.value) == ("missed", False, None)
