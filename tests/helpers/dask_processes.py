"""A Dask cluster on this machine: a scheduler and workers as processes of their own, as they are started on a cluster's nodes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from helpers.processes import PATIENCE_S, environment


@dataclass
class DaskProcesses:
    """A scheduler that has written its file, and workers of it."""

    file: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def scheduler(self) -> None:
        """Starts the scheduler; returns once its file is there."""
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        deadline = time.monotonic() + PATIENCE_S
        while not self.file.exists():
            assert time.monotonic() < deadline
            assert self.processes[0].poll() is None
            time.sleep(0.05)

    def worker(self) -> subprocess.Popen[bytes]:
        """Starts one more worker, that nothing starts anew."""
        return self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", str(self.file), *arguments]
        process = subprocess.Popen(
            command, cwd=self.file.parent, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process


@contextmanager
def dask_processes(folder: Path, workers: int) -> Iterator[DaskProcesses]:
    """A scheduler with so many workers for the length of a block."""
    found = DaskProcesses(folder / "scheduler.json")
    try:
        found.scheduler()
        for _ in range(workers):
            found.worker()
        yield found
    finally:
        for process in found.processes:
            process.kill()
            process.wait()
