"""The command `simvirt density` as a user meets it: streams, files, formats, statuses."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCENARIO = """\
simvirt: 1
name: small
host: {cores: 1, memory: 4GiB}
platforms: [bare-metal, docker]
services: {web: {threads: 2, operations: {get: [{cpu: {exponential: 10ms}}]}}}
workload: {open: {rate: 10/s}, mix: {web.get: 1}}
objective: {latency_p90: 150ms}
density: {max: 12}
run: {replications: 2, seed: 1}
"""


def command(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a command prints and ends with."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "COLUMNS": "80"}
    return subprocess.run([sys.executable, "-m", "simvirt", *args], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario."""
    made = tmp_path_factory.mktemp("density")
    (made / "small.yaml").write_text(SCENARIO)
    return made


def test_json_is_one_document_and_is_kept(folder: Path) -> None:
    done = command("density", "small.yaml", "--format", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    kept = folder / done.stderr.strip().splitlines()[-1]
    assert json.loads(kept.read_text()) == document
    assert (kept.parent / "density.txt").read_text().startswith("small")
    answer = document["density"]["docker"]
    assert 1 <= answer["n"] < 12
    assert {answer["n"], answer["n"] + 1} <= {point["n"] for point in answer["curve"]}
    assert answer["latency_s"]["p90"]["high"] <= 0.15


def test_csv_and_markdown(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(command("density", "small.yaml", "--format", "csv", "--quiet", folder=folder).stdout)))
    assert {row["platform"] for row in rows} == {"bare-metal", "docker"}
    assert command("density", "small.yaml", "--format", "markdown", "--quiet", folder=folder).stdout.startswith("# small")


def test_statuses(folder: Path) -> None:
    assert command("density", "small.yaml", "--quiet", "--at-least", "1", folder=folder).returncode == 0
    assert command("density", "small.yaml", "--quiet", "--at-least", "12", folder=folder).returncode == 1
    done = command("density", "small.yaml", "--set", "objective=", folder=folder)
    assert done.returncode == 2
    assert "the scenario has no objective" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_it_at_once(folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    """A load that varies is simulated for as long as stated, here for days."""
    large = ["--set=workload.open={mmpp: {rates: [10/s, 20/s], sojourn: [1s, 1s]}}", "--set=run.duration=900h"]
    process = subprocess.Popen([sys.executable, "-m", "simvirt", "density", "small.yaml", *large], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
