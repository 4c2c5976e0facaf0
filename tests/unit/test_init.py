"""First scenarios: each kind is valid, runs, says what it is, and keeps what was asked; nothing that is there is overwritten."""

from pathlib import Path

import pytest

import simvirt
from simvirt.cli.app import main
from simvirt.errors import UsageError
from simvirt.scenario.starting import COLUMN, KINDS, Wanted, text


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_scenario_runs_and_meets_what_it_asks(kind: str) -> None:
    scenario = simvirt.loads(text(Wanted(kind=kind)), sets=["run.duration=20s", "run.replications=2"])
    result = simvirt.run(scenario, maximum=False).typed()
    assert list(result.platforms) == ["bare-metal", "docker", "kvm"]
    assert all(found.requests > 50 for found in result.platforms.values())
    assert {found.objective["latency_p99"].verdict for found in result.platforms.values()} <= {"met", "undecided"}


def test_every_setting_has_a_comment_in_one_column() -> None:
    first, *lines = text(Wanted()).splitlines()
    settings = [line for line in lines if not line.startswith("    ") and not line.endswith(":")]
    assert first.startswith("# first:")
    assert {line.index("#") for line in settings} == {COLUMN + 1}


def test_options_are_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    asked = ["--kind", "database", "--clients", "40", "--think", "2s", "--host", "dell-r740-gold-6132", "--platform", "docker", "--p99", "80ms"]
    assert main(["init", str(file), *asked]) == 0
    scenario = simvirt.load(file)
    assert (scenario.name, scenario.host.model, [p.name for p in scenario.platforms]) == ("shop", "dell-r740-gold-6132", ["docker"])
    assert scenario.workload is not None
    assert scenario.workload.closed is not None
    assert (scenario.workload.closed.clients, scenario.workload.closed.think.mean) == (40, 2_000_000_000)
    assert scenario.objective is not None
    assert scenario.objective.limits == {"latency_p99": 80_000_000}


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    assert main(["init", str(file)]) == 2
    assert file.read_text() == "mine"
    assert "mine-2.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "said"), [
    (["--kind", "weB"], "expected one of web"), (["--rate", "3/s", "--clients", "3"], "expected one of them"), (["--rate", "fast"], "fast"),
    (["--platform", "dokcer"], "dokcer"), (["--host", "dell"], "dell"),
])
def test_wrong_answers_leave_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str) -> None:
    file = tmp_path / "s.yaml"
    assert main(["init", str(file), *options]) == 2
    assert not file.exists()
    assert said in capsys.readouterr().err


def test_two_kinds_of_load_are_refused() -> None:
    with pytest.raises(UsageError):
        text(Wanted(rate="3/s", clients=3))
