"""`simvirt sweep`: the same bytes however it is disturbed."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

import simvirt
from simvirt.errors import ScenarioError, UsageError
from simvirt.report import results
from simvirt.result.sweep_document import SweepDocument
from simvirt.sweep import load
from simvirt.sweep.sweeping import LEDGER

BASE: dict[str, Any] = {
    "simvirt": 1, "name": "base", "host": {"cores": 2, "memory": "8GiB"}, "platforms": ["docker", "kvm"],
    "services": {"a": {"cpus": 1, "mem_limit": "512MiB", "operations": {"get": [{"cpu": {"exponential": "1ms"}}]}}},
    "workload": {"open": {"rate": "200/s"}, "mix": {"a.get": 1}}, "objective": {"latency_p99": "10ms"},
    "run": {"requests": 300, "replications": 1},
}
RESULTS = ("sweep.json", "sweep.txt", "cells.csv")
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def written(folder: Path, **fields: Any) -> Path:
    """A sweep of 24 cells over the base."""
    (folder / "base.yaml").write_text(yaml.safe_dump(BASE))
    sweep = {"simvirt": 1, "name": "test", "scenario": "base.yaml", "axes": {"workload.open.rate": "100/s..900/s:8", "services.a.cpus": [0.5, 1, 2]}}
    (folder / "sweep.yaml").write_text(yaml.safe_dump(sweep | fields))
    return folder / "sweep.yaml"


def command(*args: object) -> list[str]:
    """The command line of a sweep."""
    return [sys.executable, "-m", "simvirt", "sweep", *map(str, args), "-q"]


def ran(*args: object) -> subprocess.CompletedProcess[str]:
    """A sweep to its end."""
    return subprocess.run(command(*args), capture_output=True, text=True, timeout=120)


def files(out: Path) -> dict[str, bytes]:
    """The results of the one sweep in a folder."""
    (folder,) = out.iterdir()
    return {name: (folder / name).read_bytes() for name in RESULTS}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of a sweep that nothing disturbs, by one worker."""
    folder = tmp_path_factory.mktemp("undisturbed")
    found = ran(written(folder), "--out", folder / "out", "-j", 1)
    assert found.returncode == 0, found.stderr
    return files(folder / "out")


def test_rows_of_all_cells_are_those_of_single_runs(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    rows = json.loads(undisturbed["sweep.json"])["rows"]
    assert [row["cell"] for row in rows] == [n // 2 for n in range(48)]
    row = next(row for row in rows if (row["workload.open.rate"], row["services.a.cpus"], row["platform"]) == ("900/s", "0.5", "kvm"))
    tree = yaml.safe_load(yaml.safe_dump(BASE))
    tree["workload"]["open"]["rate"], tree["services"]["a"]["cpus"] = "900/s", 0.5
    alone = simvirt.run(simvirt.loads(yaml.safe_dump(tree)), maximum=False).document()["platforms"]["kvm"]
    assert row["latency_p99_s"] == alone["latency_s"]["p99"]["value"]
    assert row["objective"] == alone["objective"]["latency_p99"]["verdict"]


def test_a_sweep_over_a_load_has_knees_and_is_read_back_as_a_sweep(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_bytes(undisturbed["sweep.json"])
    assert json.loads(undisturbed["sweep.json"])["knees"]
    (found,) = results.read([tmp_path])
    assert isinstance(found, SweepDocument)
    assert found.cells == 24


@posix
def test_killed_again_and_again_it_ends_with_the_same_bytes(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """The coordinator with its workers, or one worker, at a random instant."""
    sweep, draw = written(tmp_path), random.Random(1)
    for _ in range(4):
        with subprocess.Popen(
            command(sweep, "--out", tmp_path / "out", "-j", 2, "--resume"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as running:
            time.sleep(draw.uniform(0.8, 2.0))
            os.killpg(running.pid, signal.SIGKILL)
    found = ran(sweep, "--out", tmp_path / "out", "-j", 2, "--resume")
    assert found.returncode == 0, found.stderr
    assert files(tmp_path / "out") == undisturbed


def test_what_was_begun_is_neither_overwritten_nor_mixed(tmp_path: Path) -> None:
    asked = load(written(tmp_path, axes={"workload.open.rate": ["100/s"]}))

    def carried_out(resume: bool = False, fresh: bool = False) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as threads:
            return simvirt.sweep(asked, tmp_path / "out", resume=resume, fresh=fresh, executor=threads).document()

    first = carried_out()
    with pytest.raises(UsageError, match="--resume, or begin anew with --fresh"):
        carried_out()
    assert carried_out(resume=True) == carried_out(fresh=True) == first


def test_any_executor_gives_the_same(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        found = simvirt.sweep(load(written(tmp_path)), tmp_path / "out", jobs=3, executor=threads)
    assert found.document() == json.loads(undisturbed["sweep.json"])
    assert len(found.frame()["cell"]) == 48
    assert repr(found).startswith("<Swept test: 24 of 24 cells.")


def test_cells_that_fail_are_said_and_stop_nothing(tmp_path: Path) -> None:
    asked = load(written(tmp_path, axes={"services.a.threads": [1, 0, 2]}))
    with ThreadPoolExecutor(1) as threads:
        found = simvirt.sweep(asked, tmp_path / "out", executor=threads).document()
    assert (found["done"], list(found["failed"])) == (2, ["1"])
    assert "services.a.threads" in found["failed"]["1"]


def test_a_time_limit_ends_a_cell(tmp_path: Path) -> None:
    sweep = written(tmp_path, axes={"run.requests": ["300", "100000000"]}, limit="2s")
    with ThreadPoolExecutor(1) as threads:
        found = simvirt.sweep(load(sweep), tmp_path / "out", executor=threads).document()
    assert found["failed"] == {"1": "took longer than 2 s"}


def test_cells_are_replicated_until_they_are_as_precise_as_asked(tmp_path: Path) -> None:
    """Each as often as it needs; those that may not be replicated so often are counted in the answer."""
    axes = {"run.max_replications": [3, 90], "workload.open.rate": ["100/s", "500/s"]}
    asked = load(written(tmp_path, axes=axes, set={"platforms": ["docker"], "run.requests": 2000}), precision="3%")
    with ThreadPoolExecutor(2) as threads:
        found = simvirt.sweep(asked, tmp_path / "out", executor=threads).document()
    few, quiet_few, quiet, busy = (found["rows"][n]["replications"] for n in (1, 0, 2, 3))
    assert few == 3 >= quiet_few
    assert 3 < quiet < busy < 90
    wide = [row["cell"] for row in found["rows"] if row["half_width"] > 0.03]
    assert 1 in wide and not {2, 3} & set(wide)
    assert f"A precision of 3.00 % is not reached in {len(wide)} of the cells" in found["answer"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"axis": {}}, 'axis: unknown key; did you mean "axes"?'),
        ({"scenario": 3}, "expected the file of the base scenario"),
        ({"axes": {"services.b.cpus": [1, 2]}}, 'unknown service "b"'),
        ({"set": {"platforms": ["dokcer"]}}, 'unknown platform "dokcer"; did you mean "docker"'),
        ({"axes": {"host.model": ["dell-r741"]}}, "dell-r741"),
        ({"axes": {"services.a.cpus": "1..x"}}, "expected two numbers with one unit"),
        ({"design": {"sobol": 100}}, "power of two"),
        ({"limit": "soon"}, "soon"),
        ({"precision": "200%"}, "precision: expected a ratio from more than 0 to less than 1, for example 0.3 or 30%"),
        ({"maximum": "no"}, "maximum: expected true or false"),
        ({"simvirt": 2}, "simvirt: expected 1"),
        ({"axes": {"x": {"set": ["services.a.cpus"], "values": [1, 2]}, "services.a.cpus": [1, 2]}}, "two axes set it"),
    ],
)
def test_mistakes_are_said_before_anything_runs(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    with pytest.raises((ScenarioError, UsageError)) as caught:
        load(written(tmp_path, **fields))
    assert words in str(caught.value)


def test_all_mistakes_of_a_file_come_at_once_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text("simvirt: 1\nscenario: base.yaml\nlimt: 1s\naxes:\n  a.b: 5..1\n  c.d: 1ms..3s\nseed: x\n")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "sweep.yaml")
    assert sorted(issue.line or 0 for issue in caught.value.issues) == [3, 5, 6, 7]


def test_of_one_axis_alone_nothing_is_said_to_depend_most_on_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        one, two = (
            simvirt.sweep(load(written(tmp_path, axes=axes)), tmp_path / str(len(axes)), executor=threads).document()["answer"]
            for axes in ({"workload.open.rate": ["100/s", "900/s"]}, {"workload.open.rate": ["100/s", "900/s"], "services.a.cpus": [1, 2]})
        )
    assert ("depends most on" in one, "depends most on" in two) == (False, True)


@posix
def test_a_full_disk_keeps_what_was_kept(tmp_path: Path) -> None:
    """A file that may not grow beyond 64 KiB, as on a full disk: status 3, what to do, and then the same result."""
    sweep = written(tmp_path, axes={"run.seed": "1..32"})
    limited = ["bash", "-c", f"ulimit -f 64; trap '' XFSZ; exec {shlex.join(command(sweep, '--out', tmp_path / 'out'))}"]
    full = subprocess.run(limited, capture_output=True, text=True, timeout=120)
    assert full.returncode == 3, full.stderr
    assert "go on with --resume" in full.stderr
    assert ran(sweep, "--out", tmp_path / "out", "--resume").returncode == 0
    (folder,) = (tmp_path / "out").iterdir()
    assert json.loads((folder / "sweep.json").read_text())["done"] == 32


def test_a_scenario_with_axes_from_the_command_line(tmp_path: Path) -> None:
    written(tmp_path)
    found = ran(tmp_path / "base.yaml", "--vary", "services.a.cpus=1..2", "--vary", "platforms=docker,kvm", "--out", tmp_path / "out", "--format", "csv")
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0].startswith("cell,services.a.cpus,platforms,platform,objective,")
    assert len(lines) == 5
    assert ran(tmp_path / "base.yaml", "--out", tmp_path / "none").returncode == 2


@posix
def test_ctrl_c_keeps_what_there_is(tmp_path: Path) -> None:
    sweep = written(tmp_path, axes={"run.seed": "1..2000"})
    with subprocess.Popen(command(sweep, "--out", tmp_path / "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(f"out/*/{LEDGER}")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(2.0)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "go on with --resume" in err
    assert "2000 cells" in out
