"""A sweep of 2,000 cells against all that may befall it: `pytest -m verification -n0 -s tests/e2e/test_sweep_trial.py` prints what did."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.dask_processes import DaskProcesses, dask_processes
from helpers.processes import PATIENCE_S, command

from simvirt.sweep.sweeping import LEDGER

CELLS = int(os.environ.get("SIMVIRT_TRIAL_CELLS", "2000"))
KILLS = 20
CELL_BYTES = 3000
"""What a cell takes in the ledger, about: kills are spread over the sweep by it."""
BASE: dict[str, Any] = {
    "simvirt": 1, "name": "base", "host": {"cores": 2, "memory": "8GiB"}, "platforms": ["docker", "kvm"],
    "services": {"a": {"cpus": 1, "mem_limit": "512MiB", "operations": {"get": [{"cpu": {"exponential": "1ms"}}]}}},
    "workload": {"open": {"rate": "200/s"}, "mix": {"a.get": 1}}, "objective": {"latency_p99": "10ms"},
    "run": {"requests": 300, "replications": 1},
}
RESULTS = ("sweep.json", "sweep.txt", "cells.csv", "cells.parquet")
pytestmark = [
    pytest.mark.verification,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="process groups, /proc and tmpfs of Linux"),
]


@dataclass
class Trial:
    """A sweep, the folder of its results, and a record of what was done to it."""

    sweep: Path
    out: Path
    draw: random.Random
    said: list[str] = field(default_factory=list)

    def arguments(self, *more: object, out: Path | None = None) -> list[str]:
        """The command line that goes on with it."""
        return command("sweep", str(self.sweep), "--out", str(out or self.out), "--resume", "-q", "--parquet", *map(str, more))

    @contextmanager
    def running(self, *more: object) -> Iterator[subprocess.Popen[bytes]]:
        """The sweep at work, in a process group of its own, until the group is killed at the end of the block."""
        quiet = subprocess.DEVNULL
        with subprocess.Popen(self.arguments(*more), stdout=quiet, stderr=quiet, start_new_session=True) as process:
            try:
                yield process
            finally:
                os.killpg(process.pid, signal.SIGKILL)

    def ledger(self) -> Path:
        """The ledger, which may not be there yet."""
        return next(self.out.glob(f"*/{LEDGER}"), self.out / "none")

    def written(self, since: float, patience_s: float = 120.0) -> bool:
        """Waits until a cell is kept after an instant."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if self.ledger().exists() and self.ledger().stat().st_mtime > since:
                return True
            time.sleep(0.05)
        return False

    def grown(self, process: subprocess.Popen[bytes], cells: float) -> None:
        """Waits until about so many cells more are kept, or the sweep has ended."""
        aim = self.size() + cells * CELL_BYTES
        deadline = time.monotonic() + PATIENCE_S
        while self.size() < aim and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def size(self) -> int:
        """The size of the ledger [bytes]."""
        return self.ledger().stat().st_size if self.ledger().exists() else 0

    def kept(self) -> int:
        """Cells in the ledger of a sweep that is at rest, whose file must be whole."""
        import sqlite3
        from contextlib import closing

        if not self.ledger().exists():
            return 0
        with closing(sqlite3.connect(self.ledger())) as db:
            try:
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                return int(db.execute("SELECT count(*) FROM cells").fetchone()[0])
            except sqlite3.OperationalError as error:  # killed before it had tables
                assert "no such table" in str(error), error
                return 0

    def note(self, what: str) -> None:
        """Writes down what was done."""
        self.said.append(f"{self.kept():5} cells kept: {what}")
        print(self.said[-1], flush=True)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """A sweep that nothing has disturbed yet."""
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(BASE))
    axes = {"run.seed": f"1..{CELLS // 20}", "workload.open.rate": "100/s..900/s:10:log", "services.a.cpus": [0.5, 1]}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({"simvirt": 1, "name": "trial", "scenario": "base.yaml", "axes": axes}))
    return Trial(tmp_path / "sweep.yaml", tmp_path / "out", random.Random(2026))


def test_a_sweep_that_everything_befalls_ends_with_the_bytes_of_one_that_nothing_did(trial: Trial, tmp_path: Path) -> None:
    began = time.monotonic()
    for number in range(KILLS):
        killed(trial, number)
    full_disk(trial, tmp_path / "small")
    with dask_processes(tmp_path, 2) as dask:
        lost_dask_worker(trial, dask)
    subprocess.run(trial.arguments("-j", 3), check=True, stdout=subprocess.DEVNULL)
    trial.note(f"whole after {time.monotonic() - began:.0f} s")
    undisturbed = tmp_path / "undisturbed"
    subprocess.run(trial.arguments("-j", 2, out=undisturbed), check=True, stdout=subprocess.DEVNULL)
    for name in RESULTS:
        one, other = ((next(out.iterdir()) / name).read_bytes() for out in (trial.out, undisturbed))
        print(f"{name}: {len(one):,} bytes")
        assert one == other, name


def killed(trial: Trial, number: int) -> None:
    """The whole process group killed at a random instant; of two, one has a worker killed before."""
    started, cells = time.time(), trial.draw.uniform(0.0, 1.6 * CELLS / KILLS)
    with trial.running("-j", trial.draw.choice((1, 2, 3))) as process:
        if number % 4:  # of four, one at any instant of its start
            trial.grown(process, cells / 2)
        worker = number % 2 and one_worker(process.pid)
        if worker:
            os.kill(worker, signal.SIGKILL)
            trial.grown(process, cells / 2)
        time.sleep(trial.draw.uniform(0.0, 1.0))
    trial.note(f"kill {number + 1} of {KILLS} after {time.time() - started:.1f} s" + (", and of a worker before" if worker else ""))


def one_worker(coordinator: int) -> int | None:
    """A process of the coordinator's group that is neither it nor one of the helpers that start others."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != coordinator:
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(state[2]) == coordinator and b"forkserver" in words and int(state[1]) != coordinator:
                found.append(int(entry.name))
    return max(found, default=None)


def full_disk(trial: Trial, small: Path) -> None:
    """The ledger on a file system that has room for few cells more: status 3 and what to do; then with room again."""
    room = small / "disk"
    room.mkdir(parents=True)
    size = sum(path.stat().st_size for path in trial.out.rglob("*")) + 60_000
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(room)], capture_output=True, text=True)
    if mounted.returncode:
        trial.note(f"no full disk: {mounted.stderr.strip()}")
        return
    try:
        shutil.copytree(trial.out, room / "out")
        full = subprocess.run(trial.arguments("-j", 2, out=room / "out"), capture_output=True, text=True)
        assert full.returncode == 3, full.stderr
        assert "go on with --resume" in full.stderr, full.stderr
        shutil.rmtree(trial.out)
        shutil.copytree(room / "out", trial.out)
    finally:
        subprocess.run(["umount", str(room)], check=True)
    trial.note(f"a full disk of {size:,} bytes: {full.stderr.strip()}")


def lost_dask_worker(trial: Trial, dask: DaskProcesses) -> None:
    """On a cluster one worker is killed, another comes, and then the coordinator is killed."""
    started = time.time()
    with trial.running("--cluster", dask.file):
        assert trial.written(started, 300.0)
        time.sleep(trial.draw.uniform(1.0, 3.0))
        dask.processes[1].kill()
        lost = time.time()
        assert trial.written(lost + 1.0, 300.0)
        dask.worker()
        time.sleep(trial.draw.uniform(1.0, 5.0))
    trial.note(f"a lost Dask worker, another, and a kill after {time.time() - started:.1f} s")
