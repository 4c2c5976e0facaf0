"""What the simulator says of the same load: the CPU time of each execution on the platform, and predictions of what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simvirt.errors import SimvirtError
from simvirt.fit.observed import Observed
from simvirt.fit.regression import Floats
from simvirt.fit.scaling import at_load, constant, times
from simvirt.fit.targets import Target
from simvirt.result.document import Estimate
from simvirt.result.fit_document import Compared
from simvirt.result.run_document import PlatformResult
from simvirt.runs.run import run
from simvirt.scenario.graph import Name, calls, visits
from simvirt.scenario.spec.models import Scenario

MOST_POINTS: Final = 8
"""Points that are simulated at most, spread over the loads that were measured."""
REQUESTS: Final = 6_000
"""Requests of a simulation that counts CPU time ..."""
COMPARED: Final = 20_000
"""... and of one that predicts latencies."""
REPLICATIONS: Final = 3
LARGEST: Final = "max"
"""A latency that depends on how long was measured."""


@dataclass
class Laboratory:
    """The scenario on the platform where it was measured, and what simulations it took; `demands` are in parts of those stated."""

    scenario: Scenario
    seen: Observed
    jobs: int = 1
    said: Callable[[int], None] = lambda number: None
    simulations: int = 0
    chosen: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        order = sorted(range(len(self.seen.points)), key=lambda row: math.fsum(self.seen.rates[row].values()))
        places = np.unique(np.linspace(0, len(order) - 1, min(len(order), MOST_POINTS)).round().astype(int))
        self.chosen = tuple(order[place] for place in places)

    def threads(self) -> int:
        """Hardware threads of the hosts."""
        result = self._run(0, {}, 200, 1, self.scenario)
        return sum(host.sockets * host.cores * host.smt for host in result.layout)

    def used(self, factors: Mapping[Name, float], targets: Sequence[Target], work: Mapping[Name, float], threads: int) -> dict[str, Floats]:
        """CPU time of an execution of each group of each target [s], by the same regression as that of the measurements."""
        rows = {target.name: [row for row in self.chosen if row in target.rows] for target in targets}
        even = constant(self.scenario)
        results = {row: self._run(row, factors, REQUESTS, 1, even) for row in sorted({row for each in rows.values() for row in each})}
        return {target.name: self._regressed(target, {row: results[row] for row in rows[target.name]}, work, threads) for target in targets}

    def _regressed(self, target: Target, results: Mapping[int, PlatformResult], work: Mapping[Name, float], threads: int) -> Floats:
        """The coefficients of simulated use on simulated executions; of one that is too weak a design without the constant."""
        visited = [self._visited(result) for result in results.values()]
        cores = np.array([_cores(target, result, self.seen, threads) for result in results.values()])
        columns = target.columns(visited, work, constant=target.constant and len(results) > len(target.groups))
        weighted = columns / np.maximum(cores, 1e-12)[:, None]
        found: Floats = np.linalg.lstsq(weighted, np.ones(len(cores)), rcond=None)[0]
        return found

    def _visited(self, result: PlatformResult) -> dict[Name, float]:
        """Executions per second of each operation, by what was answered."""
        answered = {name: each.throughput_per_s.value or 0.0 for name, each in result.operations.items()}
        total = math.fsum(answered.values())
        return {name: count * total for name, count in visits(calls(self.scenario), answered).items()}

    def predictions(self, factors: Mapping[Name, float]) -> Iterator[Compared]:
        """What was measured beside what is predicted with the demands."""
        for row in self.chosen:
            try:
                result = self._run(row, factors, COMPARED, REPLICATIONS, self.scenario)
            except SimvirtError:
                continue
            yield from compared(self.seen, row, result)

    def _run(self, row: int, factors: Mapping[Name, float], requests: int, replications: int, scenario: Scenario) -> PlatformResult:
        """The simulation of a point."""
        at = at_load(times(scenario, factors), self.seen.rates[row], self.seen.points[row].clients, requests, replications)
        self.simulations += replications
        self.said(self.simulations)
        return run(at, jobs=self.jobs if replications > 1 else 1, maximum=False).typed().platforms[at.platforms[0].name]


def _cores(target: Target, result: PlatformResult, seen: Observed, threads: int) -> float:
    """What a target's services use in a simulation [cores]."""
    if target.name != "host":
        return result.services[target.name].cpu_cores.value or 0.0
    own = math.fsum(result.services[name].cpu_cores.value or 0.0 for name in seen.cores)
    return (result.cpu.utilisation.value or 0.0) * threads - own


def compared(seen: Observed, row: int, result: PlatformResult) -> Iterator[Compared]:
    """Each measured value of a point beside its prediction."""
    point = seen.points[row]
    place = point.file if point.line is None else f"{point.file}:{point.line}"
    pairs = [(f"latency_{name}_s", value, getattr(result.latency_s, name)) for name, value in point.latency_s.items() if name != LARGEST]
    pairs += [(f"{name}.cpu_cores", column[row], result.services[name].cpu_cores) for name, column in seen.cores.items()]
    pairs += [("host.cpu", seen.host[row], result.cpu.utilisation)]
    for name, column in seen.memory.items():
        memory = result.services[name].memory
        replicas = sum(host.replicas.get(name, 0) + sum(vm.count * vm.replicas.get(name, 0) for vm in host.vms) for host in result.layout)
        if memory is not None:
            pairs.append((f"{name}.memory_bytes", column[row], Estimate(memory.working_set_bytes * max(replicas, 1))))
    for measure, measured, predicted in pairs:
        if not math.isnan(measured):
            error = predicted.value / measured - 1 if predicted.value is not None and measured > 0 else None
            yield Compared(point=place, throughput_per_s=math.fsum(seen.rates[row].values()), measure=measure, measured=float(measured),
                           predicted=predicted, error=None if error is None else float(error))
