"""Commands: what goes to which stream, and what they end with. Scenario and simulation are fakes."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import pytest
from helpers.documents import platform, run_document

from simvirt.catalog import Catalog
from simvirt.cli.app import main
from simvirt.result.run_document import RunDocument
from simvirt.errors import Issue, ScenarioError, SimulationError
from simvirt.runs import admission, forecast
from simvirt.scenario.spec.models import Scenario

MISTAKES = [
    Issue("web.yaml", 14, 7, "services.web.thread", 'unknown key; did you mean "threads"?'),
    Issue("web.yaml", 20, 3, "workload", "missing"),
]


@dataclass
class Spec:
    name: str = "web-shop"
    digest: str = "1a2b3c4d5e6f"
    objective: object = None
    platforms: tuple = ("docker",)
    services: dict = field(default_factory=lambda: {"web": None, "db": None})

    @property
    def alone(self):
        return {"": self}


def document(met=True, replications=5):
    docker = platform(0.0041) | {"replications": replications, "objective": {"latency_p99": {"limit": 0.1, "value": 0.03, "met": met, "verdict": {True: "met", False: "missed", None: "undecided"}[met]}}}
    return run_document(docker=docker)


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """Fakes for scenario and simulation; what they were called with, and what they do."""
    told = SimpleNamespace(spec=Spec(), document=document(), error=None, wrong=None, loaded=None, jobs=None, maximum=None, expected_s=5.0)

    def load(path, sets=(), seed=None, names=None):
        told.loaded = (path.name, sets, seed)
        if told.wrong:
            raise told.wrong
        return told.spec

    def run(spec, jobs=1, progress=None, maximum=True, trace=None):
        told.jobs, told.maximum = jobs, maximum
        assert progress is None, "no terminal, no progress"
        if told.error:
            raise told.error
        return SimpleNamespace(typed=lambda: RunDocument.model_validate(told.document))

    fake(monkeypatch, "simvirt.scenario", load=load, json_schema=lambda: {"title": "Scenario"})
    fake(monkeypatch, "simvirt.scenario.checks.contents", check_contents=lambda spec: None)
    fake(monkeypatch, "simvirt.runs.run", run=run)
    fake(monkeypatch, "simvirt.runs.forecast", seconds=lambda spec, maximum: told.expected_s * (2 if maximum else 1))
    monkeypatch.setattr(admission, "catalog_of", lambda spec: Catalog.of(spec))
    monkeypatch.setattr(Catalog, "of", lambda spec: None)
    monkeypatch.setattr(admission, "assumptions", lambda spec, catalog: ())
    monkeypatch.setattr("simvirt.kernel.MODE", "compiled")
    monkeypatch.chdir(tmp_path)
    return told


@pytest.mark.parametrize(("plain", "why"), [("", "no C compiler"), ("1", "SIMVIRT_PLAIN")])
def test_a_run_on_the_plain_kernel_says_in_one_line_that_it_is_slow_and_why(calls, capsys, monkeypatch, plain, why):
    monkeypatch.setattr("simvirt.kernel.MODE", "plain")
    monkeypatch.setenv("SIMVIRT_PLAIN", plain)
    assert main(["run", "web.yaml"]) == 0
    first, *others = capsys.readouterr().err.splitlines()
    assert "slow" in first
    assert why in first
    assert "slow" not in "".join(others)
    assert main(["run", "web.yaml", "--quiet"]) == 0
    assert "slow" not in capsys.readouterr().err


@pytest.mark.parametrize(("expected_s", "options", "said"), [
    (3000, [], "about 1.7 h"), (600, [], "about 20 min"), (600, ["--no-maximum"], "about 10 min"), (20, [], None), (3000, ["--quiet"], None),
])
def test_a_run_on_the_plain_kernel_says_before_it_begins_how_long_it_will_take(calls, capsys, monkeypatch, expected_s, options, said):
    monkeypatch.setattr("simvirt.kernel.MODE", "plain")
    calls.expected_s, calls.error = expected_s, SimulationError("not simulated")
    main(["run", "web.yaml", *options])
    lines = [line for line in capsys.readouterr().err.splitlines() if "this run will take" in line]
    assert len(lines) == (said is not None)
    assert all(said in line and "--set run.duration=" in line for line in lines)


def test_the_length_of_a_run_is_foreseen_from_short_parts_of_it(monkeypatch):
    """Twice the requests or the replications take twice as long; parts of them tell it, by a clock that knows each event's time."""
    short = forecast._short
    monkeypatch.setattr(forecast, "_short", lambda scenario, catalog, times: (0.003 + 2e-6 * (events := short(scenario, catalog, times)[1]), events))
    base = {
        "simvirt": 1, "name": "one", "host": {"cores": 1, "memory": "4GiB"}, "platforms": ["bare-metal"], "run": {"requests": 1_000_000, "replications": 2},
        "services": {"a": {"operations": {"x": [{"cpu": "1ms"}]}}}, "workload": {"open": {"rate": "500/s"}, "mix": {"a.x": 1}},
    }
    one, four = (forecast.seconds(Scenario.model_validate(base | more), maximum=False) for more in ({}, {"run": {"requests": 2_000_000, "replications": 4}}))
    assert four == pytest.approx(4 * one, rel=0.02)
    arrived_and_completed, requests = 2, 2_000_000
    assert one == pytest.approx(2e-6 * arrived_and_completed * requests, rel=0.1)


def fake(monkeypatch, name, **contents):
    module = ModuleType(name)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)


def test_run_prints_the_report_and_keeps_the_result(calls, capsys, tmp_path):
    assert main(["run", "web.yaml", "--set", "a.b=1", "--set", "c=2", "--seed", "7", "-j", "2"]) == 0
    assert calls.loaded == ("web.yaml", ("a.b=1", "c=2"), 7)
    assert calls.jobs == 2
    out, err = capsys.readouterr()
    assert "4.10 ± 0.08 ms" in out
    assert err == "results/web-shop-1a2b3c4d/result.json\n"
    folder = tmp_path / "results" / "web-shop-1a2b3c4d"
    assert sorted(f.name for f in folder.iterdir()) == ["report.txt", "result.json"]
    assert json.loads((folder / "result.json").read_text()) == calls.document


def test_json_is_one_document_and_nothing_else(calls, capsys):
    assert main(["run", "web.yaml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == calls.document


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown"])
def test_a_full_disk_still_prints_the_report_and_names_the_file(calls, capsys, monkeypatch, tmp_path, form):
    main(["run", "web.yaml", "--format", form, "--quiet", "--out", "elsewhere"])
    whole = capsys.readouterr().out

    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("simvirt.report.store._write", full)
    assert main(["run", "web.yaml", "--format", form, "--quiet"]) == 3
    out, err = capsys.readouterr()
    assert out == whole
    assert err == "results/web-shop-1a2b3c4d/result.json: cannot be written: No space left on device; what is printed is complete\n"
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("form", "start"), [("csv", "scenario,digest"), ("markdown", "# web-shop")])
def test_other_forms(calls, capsys, form, start):
    assert main(["run", "web.yaml", "--format", form, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(start)
    assert err == ""


@pytest.mark.parametrize(("met", "status"), [(True, 0), (False, 1)])
def test_assert_ends_with_1_unless_every_objective_is_met(calls, capsys, met, status):
    calls.spec.objective, calls.document = object(), document(met)
    assert main(["run", "web.yaml", "--assert"]) == status
    said = {True: "", False: "--assert: docker: p99 ≤ 100 ms is missed", None: "--assert: docker: p99 ≤ 100 ms is undecided"}[met]
    assert said in capsys.readouterr().err
    assert main(["run", "web.yaml"]) == 0


def test_assert_without_objective_is_wrong_use(calls, capsys, tmp_path):
    assert main(["run", "web.yaml", "--assert"]) == 2
    assert "no objective" in capsys.readouterr().err
    assert calls.jobs is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["run", "check"])
def test_all_mistakes_go_to_standard_error_a_line_each(calls, capsys, command, tmp_path):
    calls.wrong = ScenarioError(MISTAKES)
    assert main([command, "web.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [str(m) for m in MISTAKES]
    assert list(tmp_path.iterdir()) == []


def test_mistakes_of_the_catalogue_are_mistakes_of_the_scenario(calls, capsys, monkeypatch):
    def fail(spec):
        raise ScenarioError(MISTAKES)

    monkeypatch.setattr(Catalog, "of", fail)
    assert main(["check", "web.yaml"]) == 2
    assert capsys.readouterr().err.splitlines() == [str(m) for m in MISTAKES]


def test_a_failed_simulation_ends_with_3_and_leaves_nothing(calls, capsys, tmp_path):
    calls.error = SimulationError("at 12.304 s, instance web-3: killed")
    assert main(["run", "web.yaml"]) == 3
    assert capsys.readouterr().err == "at 12.304 s, instance web-3: killed\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError("a bug\nin two lines"), MemoryError()])
def test_an_unexpected_error_is_one_line_without_traceback(calls, capsys, error):
    calls.error = error
    assert main(["run", "web.yaml", "--format", "json"]) == 3
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 1
    assert json.loads(out) == {"ok": False, "issues": [{"file": None, "line": None, "column": None, "path": "", "message": err.rstrip("\n")}]}


def test_no_place_for_results_is_said_before_simulating(calls, capsys, tmp_path):
    (tmp_path / "results").write_text("")
    assert main(["run", "web.yaml"]) == 2
    assert "cannot write results here" in capsys.readouterr().err
    assert calls.jobs is None


def test_interruption_keeps_what_is_complete_and_says_so(calls, capsys, tmp_path):
    calls.document = {**document(replications=3), "interrupted": True}
    assert main(["run", "web.yaml", "--quiet"]) == 130
    out, err = capsys.readouterr()
    assert "interrupted" in out
    assert err == "interrupted: kept replications: 3 of 5 of docker in results/web-shop-1a2b3c4d/result.json\n"
    assert (tmp_path / "results" / "web-shop-1a2b3c4d" / "result.json").exists()


@pytest.mark.parametrize(("options", "wanted"), [((), True), (("--no-maximum",), False)])
def test_the_search_for_the_maximum_throughput_can_be_left_out(calls, options, wanted):
    assert main(["run", "web.yaml", *options]) == 0
    assert calls.maximum is wanted


def test_interruption_with_nothing_complete(calls, capsys, tmp_path):
    calls.document = {**document(), "platforms": {}, "interrupted": True}
    assert main(["run", "web.yaml"]) == 130
    calls.error = KeyboardInterrupt()
    assert main(["run", "web.yaml"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["interrupted: kept replications: none", "interrupted: nothing was kept"]
    assert list(tmp_path.iterdir()) == []


def test_check_says_ok(calls, capsys):
    assert main(["check", "web.yaml"]) == 0
    assert capsys.readouterr().out == "web.yaml: ok (1 platform, 2 services)\n"
    assert main(["check", "web.yaml", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_check_in_json_has_the_issues(calls, capsys):
    assert main(["check", "web.yaml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "issues": []}
    calls.wrong = ScenarioError(MISTAKES)
    assert main(["check", "web.yaml", "--format", "json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert found["issues"][0]["line"] == 14


def test_schema_prints_json(calls, capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == {"title": "Scenario"}


@pytest.mark.parametrize(
    "wrong",
    [["frobnicate"], ["run"], ["run", "x", "--sed", "3"], ["run", "x", "--format", "xml"], ["run", "x", "-j", "-1"], ["run", "x", "y"]],
)
def test_wrong_use_is_one_line_and_status_2(calls, capsys, wrong):
    assert main(wrong) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("simvirt: ")


def test_help_and_version(calls, capsys, monkeypatch):
    fake(monkeypatch, "simvirt.kernel", MODE="compiled")
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "simvirt 0.1.0 (compiled kernel)\n"
    assert main([]) == 0
    assert "explain" in capsys.readouterr().out
    assert main(["run", "--help"]) == 0


# -- the catalogue


@pytest.mark.parametrize("command", [["list"], ["list", "hosts"], ["explain", "kvm"], ["explain", "bare-metal"]])
@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown"])
def test_the_catalogue_in_every_form(capsys, command, form):
    assert main([*command, "--format", form]) == 0
    out = capsys.readouterr().out
    assert form != "json" or isinstance(json.loads(out), list)
    assert "\x1b" not in out


@pytest.mark.parametrize("name", ["kvm", "docker-on-kvm", "virtiofs"])
def test_costs_in_ns_are_those_on_the_host_asked_for(capsys, name):
    """In data as in texts: the clock turns cycles into time, and what is stated in time stays as it is."""
    rows = {}
    for host in ("generic", "ibm-x3650-m4"):
        assert main(["explain", name, "--host", host, "--format", "json"]) == 0
        rows[host] = [row for row in json.loads(capsys.readouterr().out) if row["ns"] is not None]
    of_both = list(zip(rows["generic"], rows["ibm-x3650-m4"], strict=True))
    assert all(here["ns"] == there["ns"] for here, there in of_both if here["unit"] == "ns")
    assert all(here["ns"] != there["ns"] for here, there in of_both if here["unit"] != "ns" and here["value"])
    assert {here["unit"] for here, _ in of_both} > {"ns"}


def test_unknown_names_of_the_catalogue(capsys):
    assert main(["list", "hots"]) == 2
    assert main(["explain", "kwm"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


# -- as a process


def simvirt(*args, **options):
    return subprocess.run([sys.executable, "-m", "simvirt", *args], capture_output=True, text=True, timeout=60, check=False, **options)


def test_started_as_a_module():
    done = simvirt("list", "hosts")
    assert done.returncode == 0
    assert "dell-r740" in done.stdout
    assert simvirt("frobnicate").returncode == 2


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m simvirt explain kvm | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_full_disk_is_said_as_other_mistakes_of_writing(form: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "simvirt", "list", "--format", form], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, "standard output: cannot be written: No space left on device; what was kept is complete\n")


def test_a_terminal_without_unicode_is_no_error():
    assert simvirt("list", "images", env={**os.environ, "PYTHONIOENCODING": "ascii"}).returncode == 0


def test_no_colour_when_asked_even_on_a_terminal():
    done = simvirt("list", "hosts", env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1"})
    assert "\x1b" not in done.stdout


def test_help_needs_nothing_that_takes_long_to_import():
    """Libraries, the models of scenarios and the kernel are imported by the commands that use them."""
    program = "import sys; from simvirt.cli.app import main; main(['--help']); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = done.stderr.split()
    assert "typer" in loaded
    assert not {"networkx", "numpy", "pydantic", "scipy", "simpy", "yaml"} & set(loaded)
    names = {".".join(name.split(".")[1:3]) for name in loaded if name.startswith("simvirt.") and not name.startswith("simvirt.cli")}
    assert names <= {"errors", "version", "emulation", "emulation.monitors"}, "names of techniques are in the help"
