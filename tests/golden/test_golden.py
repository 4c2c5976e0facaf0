"""Every shipped scenario has a committed report. `pytest tests/golden --update-golden` writes them anew; the changes are then read and committed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import simvirt
from helpers import shortened
from helpers.processes import environment

from simvirt import kernel

HERE = Path(__file__).parent
RUNS = HERE / "run"
UNSTEADY = {"wall_s", "simvirt", "version", "schema", "kernel", "digest"}
"""Keys that committed documents leave out."""
NAMES = sorted(path.stem for path in shortened.CONFIGS.glob("*.yaml"))
PROFILES = HERE.parents[2] / "shared" / "data" / "traces" / "teastore-load-profiles" / "examples" / "httploadgenerator"


def test_every_shipped_scenario_is_here() -> None:
    assert sorted(shortened.SHORTER) == NAMES
    assert sorted(path.name for path in RUNS.iterdir()) == sorted([*(f"{name}.txt" for name in NAMES), *(f"{name}.json" for name in shortened.WHOLE)])


def compare(folder: Path, forms: dict[str, str], update: bool) -> None:
    """The committed files are what is made today, or become it."""
    for name, content in forms.items():
        if update:
            (folder / name).write_text(content, encoding="utf-8")
    different = [name for name, content in forms.items() if content != (folder / name).read_text(encoding="utf-8")]
    for name in different[:1]:
        assert forms[name].splitlines() == (folder / name).read_text(encoding="utf-8").splitlines(), name
    assert not different


@pytest.mark.parametrize("name", NAMES)
def test_report(name: str, update_golden: bool) -> None:
    compare(RUNS, shortened.run_forms(name), update_golden)


@pytest.mark.skipif(kernel.MODE == "plain", reason="many runs; the plain kernel gives the same reports, see below")
@pytest.mark.parametrize("command", shortened.SMALL)
def test_what_a_command_answers(command: str, update_golden: bool) -> None:
    compare(HERE / command, shortened.command_forms(command), update_golden)


@pytest.mark.parametrize("name", NAMES)
def test_no_document_has_a_key_that_the_committed_ones_lack(name: str) -> None:
    whole = set().union(*(shortened.keys_of(json.loads((RUNS / f"{one}.json").read_text(encoding="utf-8"))) for one in shortened.WHOLE))
    assert shortened.keys_of(simvirt.run(shortened.shortest(name), maximum=name in shortened.MAXIMUM).document()) - whole == UNSTEADY


@pytest.mark.slow
@pytest.mark.skipif(kernel.MODE == "plain", reason="the reports above are those of the plain kernel then")
def test_the_plain_kernel_gives_the_same_reports() -> None:
    """In another process, because a process has one kernel; of shorter runs than those above."""
    done = subprocess.run([sys.executable, "-m", "helpers.shortened"], env=environment(SIMVIRT_PLAIN="1"), capture_output=True, text=True, check=True)
    plain = json.loads(done.stdout)
    assert sorted(plain) == sorted(path.name for path in RUNS.iterdir())
    assert plain == shortened.shortest_forms()


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_says_what_it_asks(name: str) -> None:
    """The first line names the file and asks or tells what it is about; every scenario has a seed and an end."""
    first = (shortened.CONFIGS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"# configs/{name}.yaml: ")
    assert len(first) > len(f"# configs/{name}.yaml: ") + 20


@pytest.mark.skipif(not PROFILES.is_dir(), reason="the load profiles of TeaStore are not beside this checkout")
@pytest.mark.parametrize("file", ["increasingLowIntensity.csv", "increasingMedIntensity.csv"])
def test_the_load_profile_takes_a_file_without_a_header(file: str) -> None:
    """The rates rise in steps of a second, from 0.42/s or 8.3/s: as many requests as their sum in the long run."""
    import numpy as np

    at, rate = np.loadtxt(PROFILES / file, delimiter=",", unpack=True)
    sets = [f"workload.rates.file={PROFILES / file}", "workload.rates.at=0", "workload.rates.rate=1", "run.duration=30s"]
    found = simvirt.run(shortened.scenario("load-profile", *sets), maximum=False).document()["platforms"]["docker"]
    expected = float(rate[at < 30].sum())
    assert abs(found["throughput_per_s"]["value"] * 30 - expected) < 5 * np.sqrt(expected)
