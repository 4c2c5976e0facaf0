"""What a sweep costs beside its cells: coordination per cell, and how much faster two workers are than one.

    python benchmarks/sweeps.py [--cells 10000] [--long 12] [--rounds 3]

Coordination: CPU time of the coordinator for short cells, from when workers are there to the last file, and the time that workers
wait between cells; limit 2 ms each. Two workers: cells of about a second, beside as many plain loops in the same kind of processes, which
show what the machine has to give at that moment: on two idle cores 2, on a busy machine less. Limit: 0.9 of it, 1.8 on two idle cores.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import simvirt
from simvirt.report.formats import rendered
from simvirt.report.sweep_report import report
from simvirt.sweep import load
from simvirt.sweep.local_workers import processes
from simvirt.sweep.progress import CellEnded

CONFIGS = Path(__file__).parents[1] / "configs"
SHORT = ("run.requests=200", "run.replications=1")
LONG = ("run.duration=100s", "run.replications=1")
LOOPS = 12_000_000


def coordination(cells: int, folder: Path, jobs: int = 2) -> str:
    """CPU time of the coordinator and waiting of workers for each of so many short cells."""
    asked = load(CONFIGS / "mm1.yaml", [f"run.seed=1..{cells}"], SHORT)
    took: list[float] = []

    def heard(event: CellEnded) -> None:
        took.append(event.wall_s)
        if len(took) == AT_REST:
            began[:] = time.perf_counter(), sum(took), time.process_time()

    began: list[float] = []
    start = time.process_time()
    found = simvirt.sweep(asked, folder / "short", jobs=jobs, progress=heard)
    swept = time.process_time()
    waited = jobs * (time.perf_counter() - began[0]) - (sum(took) - began[1])
    for form in ("json", "text", "csv"):
        rendered(report(found.typed()), form)
    files, each = (time.process_time() - swept) / cells, (swept - began[2]) / (cells - AT_REST)
    return (
        f"{cells} cells of {statistics.median(took) * 1e3:.1f} ms: coordinator {(each + files) * 1e3:.2f} ms of CPU time for each, "
        f"{files * 1e3:.2f} of it for files, beside {began[2] - start:.1f} s for the first {AT_REST}; "
        f"workers waited {waited / (cells - AT_REST) * 1e3:.2f} ms for each"
    )


AT_REST = 100
"""Cells after which workers have been started."""


def spin(_: int) -> None:
    """Some CPU time."""
    n = LOOPS
    while n:
        n -= 1


def loops(number: int, jobs: int) -> float:
    """How long so many plain loops take [s], from when the workers are there."""
    with processes(jobs) as pool:
        list(pool.map(abs, range(4 * jobs)))
        started = time.perf_counter()
        list(pool.map(spin, range(number)))
        return time.perf_counter() - started


def cells(number: int, jobs: int, folder: Path) -> tuple[float, float]:
    """The time between two long cells' ends [s], without the start of workers, and the mean time of a cell [s]."""
    asked = load(CONFIGS / "web.yaml", [f"run.seed=1..{number + jobs}"], LONG)
    ends: list[float] = []
    took: list[float] = []

    def heard(event: CellEnded) -> None:
        ends.append(time.perf_counter())
        took.append(event.wall_s)

    simvirt.sweep(asked, folder / f"long-{jobs}", jobs=jobs, fresh=True, progress=heard)
    return (ends[-1] - ends[jobs - 1]) / number, statistics.mean(took)


def two_workers(number: int, rounds: int, folder: Path) -> str:
    """How much faster two workers are than one, and two plain loops than one, in turns; medians."""
    found = []
    for _ in range(rounds):
        (one, cell), (two, _), loop, both = cells(number, 1, folder), cells(number, 2, folder), loops(number, 1), loops(number, 2)
        found.append((one / two, loop / both, cell))
        load_now = os.getloadavg()[0]
        print(f"  two workers {one / two:.2f} times, loops {loop / both:.2f} times, cells of {cell:.2f} s, load {load_now:.1f}", flush=True)
    speedups, possible, took = (statistics.median(values) for values in zip(*found, strict=True))
    return (
        f"two workers do {speedups:.2f} times one worker's cells of {took:.2f} s; plain loops {possible:.2f} times: "
        f"{speedups / possible:.2f} of what there is"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.cells:
            print(coordination(options.cells, Path(folder)), flush=True)
        if options.long:
            print(two_workers(options.long, options.rounds, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
