"""Every experiment still gives what its table says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simvirt import kernel

FOLDER = Path(__file__).resolve().parents[2] / "experiments"
EXPERIMENTS = sorted(path.parent for path in FOLDER.glob("*/experiment.py"))


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda path: path.name)
def test_it_has_a_question_and_an_answer(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"**{part}.**" in text for part in ("Question", "Expectation", "Answer"))


@pytest.mark.slow
@pytest.mark.skipif(kernel.MODE == "plain", reason="takes minutes without the compiled kernel")
@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda path: path.name)
def test_it_gives_the_same_table(folder: Path, update_golden: bool) -> None:
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, folder / "experiment.py"], capture_output=True, text=True, check=True, env=environment)
    expected = folder / "expected.csv"
    if update_golden:
        expected.write_text(done.stdout, encoding="utf-8")
    assert done.stdout == expected.read_text(encoding="utf-8")
