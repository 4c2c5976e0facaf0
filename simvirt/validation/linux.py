"""The CPU scheduler against a real Linux kernel: every measured job replayed, prediction beside measurement.

A reference file (JSON) holds rows, one for each measured run of an open-loop program in a cgroup, with the row's quota, period, shares,
CPUs, workers and hogs; a row's trace (CSV) holds every job's arrival, demand and measured response. The simulation gets the same arrivals
and demands, so that no sampling error stands between prediction and measurement.

Model: the scenario's own scheduler, cgroup and worker threads. The thread that releases the jobs sleeps until the intended instant, so that
    the kernel's timer slack makes every job late alike; its work, some tens of microseconds a job as the reference says, is done in the
    program's cgroup and is part of the job. No constant is fitted to the rows. Predictions are averages over phases of ticks and quota
    periods, which a row does not give.
Ignores: that the releasing thread competes as a thread of its own, the wake-up of an idle virtual CPU (100 us and less), and steal.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simvirt.catalog.operations import OPERATIONS
from simvirt.clock import Clock
from simvirt.control.lifecycle import begin
from simvirt.errors import UsageError
from simvirt.kernel.constants import NEVER
from simvirt.plane import DataPlane
from simvirt.runs.admission import catalog_of
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

MEASURES = ("mean", "p50", "p95")
NOISY_STEAL = 0.01  # ratio of a run's time, over which a measurement counts as noisy
SCHEDULER = {"policy": "eevdf", "base_slice": "1.4ms", "tick": "4ms"}  # 0.7 ms x (1 + log2 of 2 CPUs); HZ=250: Linux kernel/sched/fair.c
TIMER_SLACK_S = 50e-6  # by which the kernel lets a sleeper oversleep: Linux init/init_task.c, timer_slack_ns; prctl(2), PR_SET_TIMERSLACK
RELEASE_WORK = "20us"  # of CPU time a job: the reference says some tens of microseconds; a program like it took 11 to 41 us
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One measured run: its parameters as in the reference file, and every job; times in s, demands in ns."""

    name: str
    seed: int
    parameters: Mapping[str, Any]
    trace: Path
    responses: Floats  # measured, in the order of arrival [s]

    @property
    def steal(self) -> float:
        """Ratio of the CPU time stolen by the machine underneath."""
        return float(self.parameters["steal_s"]) / float(self.parameters["seconds"])


@dataclass(frozen=True)
class Cell:
    """One predicted number beside the measured one [s]."""

    row: str
    seed: int
    measure: str
    predicted: float
    measured: float
    steal: float

    @property
    def error(self) -> float:
        """Relative error of the prediction."""
        return self.predicted / self.measured - 1.0

    @property
    def noisy(self) -> bool:
        """Whether the measurement itself is doubtful."""
        return self.steal > NOISY_STEAL


def read_rows(reference: Path) -> list[Row]:
    """The rows of a reference file whose traces lie beside it; UsageError when there is none."""
    try:
        rows = json.loads(reference.read_text())["rows"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f'{reference}: expected a reference file, {{"rows": [...]}}; {error}') from None
    return [_row(parameters, _trace_file(reference, str(parameters["trace"]))) for parameters in rows]


def _trace_file(reference: Path, name: str) -> Path:
    """A row's trace: beside the reference file, or in its folder of traces."""
    places = [reference.parent / name, *reference.parent.glob(f"*/{name}")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise UsageError(f"{reference}: its trace {name} is neither beside it nor in a folder beside it")
    return found


def _row(parameters: Mapping[str, Any], trace: Path) -> Row:
    names = trace.read_text().partition("\n")[0].split(",")
    responses = np.loadtxt(trace, delimiter=",", skiprows=1, usecols=names.index("response_ms"), ndmin=1) / 1e3
    return Row(str(parameters["name"]), int(parameters["seed"]), parameters, trace, responses)


# --- the scenario ------------------------------------------------------------------------------------------------------


def scenario_of(row: Row, replications: int = 1) -> Scenario:
    """The scenario that a row describes: the program in its cgroup beside its hogs, fed with the row's trace."""
    text = {
        "simvirt": 1,
        "name": row.name,
        "host": {"cores": 2, "memory": "4GiB", "scheduler": SCHEDULER},
        "platforms": [{"name": "cgroup", "stack": ["cgroup"]}],
        "catalog": {"runtimes": {"cgroup": _runtime()}},
        "services": _services(row.parameters),
        "workload": {"trace": {"file": str(row.trace.resolve()), "at": "arrives_s", "cpu": "demand_ms"}, "mix": {"program.job": 1}},
        "run": {"requests": len(row.responses), "replications": replications, "warmup": "0s"},
    }
    return loads(json.dumps(text), row.name)


def _runtime() -> dict[str, Any]:
    """A runtime that makes cgroups; all it costs is the hand-over of a job, for the rest is in the measured demands already."""
    why = "the demands were measured inside the cgroup"
    costs: dict[str, Any] = {name: {"none": why} for name in OPERATIONS}
    release = "the reference file: the release thread costs some tens of microseconds a job"
    costs["packet_in"] = {"cpu": {"value": RELEASE_WORK, "source": release}}
    return {
        "title": "a cgroup and nothing else",
        "source": why,
        "technique": "none",
        "isolation": "namespaces",
        "net": "host-network",
        "disk": "volume",
        "shim_memory": {"value": "0B", "source": why},
        "costs": costs,
    }


def _services(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The program and its hogs, each in a cgroup of its own on the same CPUs."""
    cpuset = "0" if parameters["cpus"] == 1 else f"0-{parameters['cpus'] - 1}"
    program: dict[str, Any] = {
        "threads": parameters["workers"],
        "cpuset": cpuset,
        "cpu_shares": parameters["shares"],
        "operations": {"job": [{"cpu": {"exponential": f"{parameters['demand_mean_ms']}ms"}}]},
    }
    if parameters["quota_us"] is not None:
        program |= {"cpu_quota": f"{parameters['quota_us']}us", "cpu_period": f"{parameters['period_us']}us"}
    hogs = {
        f"hog-{number}": {"background": {"threads": threads}, "cpuset": cpuset, "cpu_shares": shares}
        for number, (shares, threads) in enumerate(parameters["hogs"], start=1)
    }
    return {"program": program} | hogs


# --- the prediction ----------------------------------------------------------------------------------------------------


def predicted_responses(row: Row, replication: int = 0) -> Floats:
    """Response of each job in the order of arrival [s]; a replication has its own phases of ticks and quota periods."""
    scenario = scenario_of(row)
    catalog = catalog_of(scenario)
    plane = make_plane(scenario, catalog, catalog.platform(scenario.platforms[0]), scenario.run.seed, replication)
    begin(Clock(plane), scenario)
    return _in_order_of_arrival(row, _completions(plane)) + TIMER_SLACK_S


def _completions(plane: DataPlane) -> list[tuple[int, int]]:
    """Run event by event; arrival and response of each request in the order of completion [ns]."""
    done: list[tuple[int, int]] = []
    answered = total = 0
    while not plane.over:
        plane.catch_up(_next_event(plane) + 1)
        tallies = plane.columns["tallies"]
        if int(tallies["completed"][0]) > answered:
            response = (int(tallies["latency_sum"][0]) - total) // (int(tallies["completed"][0]) - answered)
            done += [(plane.now - response, response)] * (int(tallies["completed"][0]) - answered)
            answered, total = int(tallies["completed"][0]), int(tallies["latency_sum"][0])
    return done


def _next_event(plane: DataPlane) -> int:
    """Instant of the data plane's next event; the present where it has to be asked for demand first [ns]."""
    calendar, source = plane.columns["calendar"], plane.columns["source"]
    timer = int(calendar["at"][calendar["heap"][0]]) if calendar["size"][0] > 0 else NEVER
    cursor = int(source["cursor"][0])
    arrival = int(source["at"][cursor]) if cursor < source["end"][0] else plane.now if not source["last"][0] else NEVER
    return min(timer, arrival)


def _in_order_of_arrival(row: Row, done: Sequence[tuple[int, int]]) -> Floats:
    """Responses of all jobs, sorted by arrival [s]."""
    if len(done) != len(row.responses):
        raise UsageError(f"{row.name}: {len(done)} of {len(row.responses)} jobs were answered")
    return np.array([response for _, response in sorted(done)], dtype=np.float64) / 1e9


def summary(responses: Floats) -> dict[str, float]:
    """The compared measures of a run's responses [s]."""
    return {"mean": float(responses.mean()), "p50": float(np.quantile(responses, 0.5)), "p95": float(np.quantile(responses, 0.95))}


def compare(row: Row, replications: int = 5) -> list[Cell]:
    """Predicted and measured mean, median and 95th percentile of a row; predictions are averages over phases."""
    runs = [summary(predicted_responses(row, number)) for number in range(replications)]
    measured = summary(row.responses)
    return [Cell(row.name, row.seed, name, float(np.mean([run[name] for run in runs])), measured[name], row.steal) for name in MEASURES]


def compare_all(reference: Path, replications: int = 5) -> list[Cell]:
    """All rows of a reference file."""
    return [cell for row in read_rows(reference) for cell in compare(row, replications)]


def median_error(cells: Sequence[Cell]) -> float:
    """Median of the absolute relative errors."""
    return float(np.median([abs(cell.error) for cell in cells]))
