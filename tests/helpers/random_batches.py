"""Runs the checks of random scenarios in worker processes: one that breaks, or does not end, is a finding with its seed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import simvirt

WORKER: Final = "helpers.random_worker"
ROOT: Final = Path(simvirt.__file__).resolve().parents[1]
LONGEST_S: Final = 20.0
"""CPU time after which a scenario does not end; they are meant to take well under a second."""
LONGEST_OF: Final = {"questions": 60.0}
"""The same of checks that are meant to take longer: a density of rare requests may use `effort.IDLE_EVENTS`, which are some seconds, in each
of two replications and more at some five n."""


def broken(check: str, seeds: Sequence[int], events: float, longest_s: float | None = None) -> Iterator[tuple[int, str, str]]:
    """The laws that the scenarios of some seeds break: seed, law, how."""
    left, longest = list(seeds), longest_s or LONGEST_OF.get(check, LONGEST_S)
    while left:
        done = 0
        for seed, findings in _batch(check, left, events, longest):
            done += 1
            yield from ((seed, law, how) for law, how in findings)
        assert done, "a worker that does not start"
        left = left[done:]


def _batch(check: str, seeds: Sequence[int], events: float, longest_s: float) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """The findings of seeds, up to the first that ends the worker."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        command = [sys.executable, "-X", "faulthandler", "-m", WORKER, folder, check, str(events), str(longest_s), *map(str, seeds)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(Path(__file__).parents[1])))}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, env=environment) as worker:
            begun = None
            for line in map(json.loads, worker.stdout or ()):
                begun = None if "findings" in line else line["seed"]
                if begun is None:
                    yield line["seed"], [(law, how) for law, how in line["findings"]]
        if begun is not None:
            said.seek(0)
            yield begun, [_end(worker.returncode, " | ".join(said.read(600).splitlines()[:8]))]


def _end(status: int, said: str) -> tuple[str, str]:
    """What the end of a worker in the middle of a seed means."""
    return ("ends_in_time", "used up its CPU time") if status == -signal.SIGPROF else ("no_crash", f"status {status}: {said}")
