"""What a trace may be asked for, and how large it will be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.support import S, scenario, service
from helpers.trace_files import read_trace

import simvirt
from simvirt.cli.app import main
from simvirt.cli.run import TRACE_OPTIONS
from simvirt.errors import UsageError
from simvirt.runs.trace_size import expected_size
from simvirt.scenario.spec.models import Scenario
from simvirt.trace.window import Trace, Window, window_of

RUN: dict[str, Any] = {"duration": "10s"}


def spec(run: dict[str, Any] = RUN) -> Scenario:
    return scenario({"server": service({"cpu": "4ms"})}, {"open": {"rate": "100/s"}, "mix": {"server.job": 1}}, run, platforms=["docker", "kvm"])


@pytest.mark.parametrize(
    ("run", "start", "length", "first", "last"),
    [
        ({"duration": "10s"}, None, None, 2 * S, 3 * S),
        ({"duration": "10s", "warmup": "4s"}, None, "500ms", 4 * S, 4.5 * S),
        ({"duration": "10s"}, "9.5s", None, 9.5 * S, 10 * S),
        ({"duration": "10s"}, "0s", "10s", 0, 10 * S),
        ({"requests": 100}, None, None, 0, S),
        ({"requests": 100}, "1h", "2s", 3600 * S, 3602 * S),
        ({}, None, "100s", 12 * S, 60 * S),  # a run that may become longer
    ],
)
def test_the_window(tmp_path: Path, run: dict[str, Any], start: str | None, length: str | None, first: float, last: float) -> None:
    file = tmp_path / "t.json.gz"
    assert window_of(Trace(file, start, length), spec(run)) == Window(file, "docker", int(first), int(last))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"file": "t.txt"}, '--trace: expected a file that ends in .json.gz or .json, for example trace.json.gz; got "t.txt"'),
        ({"file": "."}, "--trace: expected a file that ends in"),
        ({"file": "none/t.json"}, "--trace: none/t.json: there is no folder none"),
        ({"start": "-1s"}, '--trace-from: expected a time that is not negative, for example 1.5ms; got "-1s"'),
        ({"start": "3"}, "--trace-from: expected a time with a unit"),
        ({"start": "10s"}, "--trace-from: expected an instant before the end of the run, which lasts 10 s; got 10s"),
        ({"length": "0s"}, "--trace-for: expected a time above 0"),
        ({"length": "-1s"}, "--trace-for: expected a time above 0"),
        ({"start": "9s", "length": "1.5s"}, "--trace-for: expected at most 1 s, for the run lasts 10 s and the trace begins at 9 s; got 1.5s"),
        ({"of": "pods"}, '--trace-of: expected all or control; got "pods"'),
        ({"platform": "kwm"}, '--trace-platform: expected a platform of the scenario, one of docker, kvm; got "kwm"; did you mean "kvm"?'),
    ],
)
def test_what_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        window_of(Trace(**({"file": "t.json"} | options)), spec(), TRACE_OPTIONS)
    assert str(error.value).startswith(said)


def test_python_names_fields_and_refuses_before_anything_is_simulated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^trace\.start: expected an instant before the end of the run, which lasts 10 s; got 1min$"):
        simvirt.run(spec(), trace=Trace(tmp_path / "t.json", "1min"))
    assert not list(tmp_path.iterdir())


def test_the_command_says_how_large_a_trace_will_be_and_is(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(
        "simvirt: 1\nname: s\nhost: {cores: 1, memory: 4GiB}\nplatforms: [docker, kvm]\nservices: {server: {threads: 1, operations: {job: [{cpu: 4ms}]}}}\n"
        "workload: {open: {rate: 100/s}, mix: {server.job: 1}}\nrun: {duration: 3s, replications: 1}\n")
    assert main(["run", "s.yaml", "--no-maximum", "--trace", "t.json.gz", "--trace-platform", "kvm"]) == 0
    expected, written = (line for line in capsys.readouterr().err.splitlines() if line.startswith("t.json.gz"))
    events = int(expected.removeprefix("t.json.gz: expected: about ").split()[0].replace(",", ""))
    trace = read_trace(Path("t.json.gz"))
    assert written.startswith(f"t.json.gz: trace of kvm from 0.6 s to 1.6 s: {trace.events:,} events, 0.0")
    assert trace.events / 1.5 < events < trace.events * 1.5
    assert main(["run", "s.yaml", "--no-maximum", "-q", "--trace", "t.json.gz"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["run", "s.yaml", "--trace-for", "1s"]) == 2
    assert "--trace-for: expected --trace and a file beside it" in capsys.readouterr().err
    assert main(["run", "s.yaml", "--trace-of", "control"]) == 2
    assert "--trace-of: expected --trace and a file beside it" in capsys.readouterr().err
    assert main(["run", "s.yaml", "--no-maximum", "--trace", "acts.json", "--trace-of", "control"]) == 0
    assert "acts.json: trace of docker from 0 s to 3 s" in capsys.readouterr().err
    assert main(["run", "s.yaml", "--no-maximum", "--set", "run.duration=null", "--set", "run.requests=50", "--trace", "late.json", "--trace-from", "1min"]) == 2
    assert "no trace: the run ended at 0." in capsys.readouterr().err and not Path("late.json").exists()


def test_the_expected_size_is_that_of_a_steady_run(tmp_path: Path) -> None:
    window = Window(tmp_path / "t.json.gz", "kvm", 2 * S, 4 * S)
    events, size = expected_size(spec(), window)
    traced = simvirt.run(spec(), maximum=False, trace=window).traced
    assert traced is not None and traced.events / 1.3 < events < traced.events * 1.3 and traced.size / 1.6 < size < traced.size * 1.6


def test_a_file_that_cannot_be_written_loses_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, text: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simvirt.trace.writer.LINES", 50)
    monkeypatch.setattr("gzip.GzipFile.write", full)
    result = simvirt.run(spec({"duration": "1s"}), maximum=False, trace=tmp_path / "t.json.gz")
    assert set(result.measured) == {"docker", "kvm"} and result.traced is not None and not result.traced.written
    assert "t.json.gz cannot be written: No space left on device" in result.traced.sentence() and not list(tmp_path.iterdir())


def test_an_interrupted_run_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("simvirt.trace.timeline.Timeline.take", interrupt)
    with pytest.raises(KeyboardInterrupt):
        simvirt.run(spec(), maximum=False, trace=tmp_path / "t.json.gz")
    assert not list(tmp_path.iterdir())
