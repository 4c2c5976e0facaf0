"""A scheduler is a file and an entry in the table, its parameters a line each: a copy learns stride.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MOVES = ("place", "join_alone", "line_up", "pick", "check_at")
NAMES = ", ".join(f"stride_{move}" for move in MOVES)
ENTRY = ", ".join(f"{move}=stride_{move}" for move in MOVES)
EDITS = {
    "kernel/schedulers/registry.py": {
        "from simvirt.kernel.tables": f"from simvirt.kernel.schedulers.stride import {NAMES}\n",
        '    Scheduler(\n        "eevdf"': f'    Scheduler("stride", {ENTRY}),\n',
    },
    "lowering/schedulers.py": {'    "round-robin": Rules(': '    "stride": Rules(_round_robin),\n'},
    "scenario/spec/host.py": {'    "round-robin": (': '    "stride": ("quantum",),\n'},
}
SHARES = """
import json
from helpers.support import after, cpu_seconds, scenario
services = {name: {"background": {"threads": 1}, "cpu_shares": 1024 * weight} for name, weight in zip("abc", (1, 2, 5))}
host = {"scheduler": {"policy": "stride", "quantum": "5ms"}}
clock, totals = after(scenario(services, None, {"duration": "60s"}, platforms=["docker"], host=host), 8)
print(json.dumps([cpu_seconds(clock, totals, name) for name in "abc"]))
"""


@pytest.fixture(name="copy", scope="module")
def copy_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the new scheduler."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("simvirt", "build_kernel"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_kernel*"))
    shutil.copy(HERE / "stride.py", folder / "simvirt" / "kernel" / "schedulers")
    for name, edits in EDITS.items():
        text = (folder / "simvirt" / name).read_text()
        for before, line in edits.items():
            assert text.count(before) == 1
            text = text.replace(before, line + before)
        (folder / "simvirt" / name).write_text(text)
    return folder


def output(copy: Path, program: str) -> str:
    """What a program prints that uses the copy."""
    path = os.pathsep.join([str(copy), *filter(None, sys.path)])
    environment = os.environ | {"SIMVIRT_PLAIN": "1", "PYTHONPATH": path}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_scheduler_divides_a_cpu_by_weight(copy: Path) -> None:
    used = json.loads(output(copy, SHARES))
    assert sum(used) == pytest.approx(8.0)
    assert used == pytest.approx([1.0, 2.0, 5.0], abs=0.011)  # two quanta


def test_the_build_calls_a_new_scheduler(copy: Path) -> None:
    found = "read_source().functions['scheduler_pick'].node"
    program = f"import ast\nfrom build_kernel.source import read_source\nprint(ast.unparse({found}))"
    assert "    if policy == 0:\n        return stride_pick(p, q, now, waking)\n" in output(copy, program)
