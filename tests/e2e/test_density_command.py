"""The command `simvirt density` as a user meets it: streams, files, formats, statuses."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.processes import command, environment, interrupted

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
ONE = ("--set", "platforms=[docker]", "--set", "density.max=3")
"""A smaller question, where only the form of the answer or the status matters."""


def ran(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a command prints and ends with."""
    return subprocess.run(command(*args), cwd=folder, env=environment(COLUMNS="80"), capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario."""
    made = tmp_path_factory.mktemp("density")
    (made / "small.yaml").write_text(SCENARIO)
    return made


def test_json_is_one_document_and_is_kept(folder: Path) -> None:
    found = ran("density", "small.yaml", "--format", "json", folder=folder)
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    kept = folder / found.stderr.strip().splitlines()[-1]
    assert json.loads(kept.read_text()) == document
    assert (kept.parent / "density.txt").read_text().startswith("small")
    answer = document["density"]["docker"]
    assert 1 <= answer["n"] < 12
    assert {answer["n"], answer["n"] + 1} <= {point["n"] for point in answer["curve"]}
    assert answer["latency_s"]["p90"]["high"] <= 0.15


def test_csv_and_markdown(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(ran("density", "small.yaml", "--format", "csv", "--quiet", folder=folder).stdout)))
    assert {row["platform"] for row in rows} == {"bare-metal", "docker"}
    assert ran("density", "small.yaml", "--format", "markdown", "--quiet", *ONE, folder=folder).stdout.startswith("# small")


def test_statuses(folder: Path) -> None:
    assert ran("density", "small.yaml", "--quiet", "--at-least", "1", *ONE, folder=folder).returncode == 0
    assert ran("density", "small.yaml", "--quiet", "--at-least", "4", *ONE, folder=folder).returncode == 1
    found = ran("density", "small.yaml", "--set", "objective=", folder=folder)
    assert found.returncode == 2
    assert "the scenario has no objective" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_it_at_once(folder: Path) -> None:
    """When the first steps of the search are done, the longer ones are under way."""
    large = ["--set=workload.open={mmpp: {rates: [10/s, 20/s], sojourn: [1s, 1s]}}", "--set=run.duration=10000s"]
    status, said = interrupted(r"\d simulations", "density", "small.yaml", *large, folder=folder)
    assert status == 130, said
    assert "interrupted" in said
