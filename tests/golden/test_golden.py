"""Every shipped scenario has a committed report. `pytest tests/golden --update-golden` writes them anew; the changes are then read and committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import shortened

from simvirt import kernel

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in shortened.CONFIGS.glob("*.yaml"))
PROFILES = HERE.parents[2] / "shared" / "data" / "traces" / "teastore-load-profiles" / "examples" / "httploadgenerator"


def test_every_shipped_scenario_is_here() -> None:
    assert sorted(shortened.SHORTER) == NAMES
    assert sorted(path.name for path in HERE.glob("*.[tj]*") if path.suffix in (".txt", ".json")) == sorted(
        f"{name}.{suffix}" for name in NAMES for suffix in ("json", "txt"))


@pytest.mark.parametrize("name", NAMES)
def test_report(name: str, update_golden: bool) -> None:
    for suffix, content in shortened.forms(name).items():
        golden = HERE / f"{name}.{suffix}"
        if update_golden:
            golden.write_text(content, encoding="utf-8")
        assert content == golden.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(kernel.MODE == "plain", reason="the reports above are those of the plain kernel then")
def test_the_plain_kernel_gives_the_same_reports() -> None:
    """In another process, because a process has one kernel."""
    environment = os.environ | {"SIMVIRT_PLAIN": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-m", "helpers.shortened"], env=environment, capture_output=True, text=True, check=True)
    for name, forms in json.loads(done.stdout).items():
        for suffix, content in forms.items():
            assert content == (HERE / f"{name}.{suffix}").read_text(encoding="utf-8"), f"{name}.{suffix}"


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

    import simvirt

    at, rate = np.loadtxt(PROFILES / file, delimiter=",", unpack=True)
    sets = [f"workload.rates.file={PROFILES / file}", "workload.rates.at=0", "workload.rates.rate=1", "run.duration=30s"]
    found = simvirt.run(shortened.scenario("load-profile", *sets)).document()["platforms"]["docker"]
    expected = float(rate[at < 30].sum())
    assert abs(found["throughput_per_s"]["value"] * 30 - expected) < 5 * np.sqrt(expected)
