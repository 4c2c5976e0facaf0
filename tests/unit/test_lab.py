"""The lab without its page: sliders and where they stand, answers that become more precise, links, files to take away."""

import importlib.util
import socket
from pathlib import Path
from threading import Event

import pytest

import simvirt
from simvirt.cli.app import main
from simvirt.errors import ScenarioError, UsageError
from simvirt.lab.answers import RUNGS
from simvirt.lab.lab import Lab, opened, rows

SCENARIO = """
simvirt: 1
name: one-queue
host: {cores: 4, memory: 8GiB}
platforms: [bare-metal, kvm]
services:
  web: {threads: 3, deploy: {replicas: 2}, operations: {get: [{cpu: {exponential: 2ms}}]}}
workload: {open: {rate: 300/s}, mix: {web.get: 1}}
objective: {latency_p99: 100ms}
run: {duration: 5min, replications: 5, seed: 3}
"""
SWEEP = """
simvirt: 1
scenario: scenario.yaml
set: {host.cores: 8}
axes:
  workload.open.rate: 100/s..700/s:4
  platforms: [docker, kvm]
  services.web.threads: [1, 2, 3]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    return tmp_path


@pytest.fixture
def lab(folder: Path) -> Lab:
    return opened(folder / "scenario.yaml")


def test_a_scenario_has_sliders_for_what_it_states_and_they_stand_where_it_is(lab: Lab) -> None:
    assert {slider.name: slider.texts[slider.start] for slider in lab.sliders} == {
        "workload.open.rate": "300/s", "services.web.deploy.replicas": "2", "services.web.threads": "3",
    }
    assert lab.scenario({}).digest == simvirt.loads(SCENARIO).digest


def test_a_moved_slider_moves_its_leaf_alone(lab: Lab) -> None:
    moved = lab.scenario({"services.web.threads": "5"})
    assert moved.services["web"].threads == 5
    assert moved.model_copy(update={"services": lab.scenario({}).services}) == lab.scenario({})


def test_the_axes_of_a_sweep_are_sliders_and_what_it_sets_holds(folder: Path) -> None:
    (folder / "sweep.yaml").write_text(SWEEP)
    lab = opened(folder)
    assert [slider.name for slider in lab.sliders] == ["workload.open.rate", "services.web.threads"]
    assert lab.sliders[0].texts == ("100/s", "300/s", "500/s", "700/s")
    assert lab.scenario({}).host.cores == 8


def test_the_value_of_a_scenario_between_two_positions_is_a_position_too(folder: Path) -> None:
    (slider,) = opened(folder / "scenario.yaml", vary=["workload.open.rate=100/s..700/s:3"]).sliders
    assert slider.texts == ("100/s", "300/s", "400/s", "700/s")
    assert slider.texts[slider.start] == "300/s"


def test_answers_become_more_precise_and_the_last_says_so(lab: Lab) -> None:
    first, last = lab.answers({}, 1, Event())
    assert [first.last, last.last] == [False, True]
    assert first.document.replications == RUNGS[0].replications < last.document.replications
    wide, narrow = (one.document.platforms["kvm"].latency_s.mean for one in (first, last))
    assert (narrow.high or 0) - (narrow.low or 0) < (wide.high or 0) - (wide.low or 0)
    assert [row["platform"] for row in rows(last.document)] == ["bare-metal", "kvm"]


def test_no_answer_is_longer_than_the_scenario_itself(lab: Lab, folder: Path) -> None:
    short = opened(folder / "scenario.yaml", sets=["run.duration=2s"])
    *_, last = short.answers({}, 1, Event())
    assert last.document.replications == 5
    assert 300 < last.document.platforms["kvm"].requests < 600


def test_a_load_that_varies_is_answered_at_once_and_whole(folder: Path) -> None:
    (only,) = opened(folder / "scenario.yaml", sets=["workload.open={piecewise: [{for: 1s, rate: 50/s}, {for: 1s, rate: 500/s}]}",
                                                     "run.duration=4s", "run.replications=2"]).answers({}, 1, Event())
    assert only.last


def test_who_moves_on_gets_no_answer(lab: Lab) -> None:
    moved_on = Event()
    moved_on.set()
    assert list(lab.answers({}, 1, moved_on)) == []


def test_a_link_opens_what_it_was_made_of(lab: Lab) -> None:
    assert lab.query({"workload.open.rate": "360/s", "services.web.threads": "3"}) == "workload.open.rate=360%2Fs&services.web.threads=3"
    slider = lab.sliders[0]
    assert slider.texts[slider.position("360/s")] == "360/s"
    assert slider.position("no such place") == slider.start


def test_the_scenario_that_is_taken_away_is_the_one_that_is_shown(lab: Lab) -> None:
    at = {"workload.open.rate": "420/s"}
    assert simvirt.loads(lab.yaml(at)).workload == lab.scenario(at).workload


def test_mistakes_are_said_before_a_page_opens(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="nothing to move"):
        opened(folder / "scenario.yaml", vary=["platforms=docker,kvm"])
    with pytest.raises(UsageError, match=r"sweep\.yaml or a scenario\.yaml"):
        opened(folder / "..")
    with pytest.raises(ScenarioError, match="thread"):
        opened(folder / "scenario.yaml", sets=["services.web.thread=8"])
    assert main(["lab", str(folder / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("marimo") is None, reason="needs the extra `lab`")
def test_a_port_that_is_taken_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert main(["lab", str(folder / "scenario.yaml"), "--no-open", "--port", str(other.getsockname()[1])]) == 2
    assert "name another" in capsys.readouterr().err
