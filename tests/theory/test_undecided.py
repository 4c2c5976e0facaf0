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
