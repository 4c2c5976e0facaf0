"""One scenario, all its platforms, as many replications as it asks for: a Result."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import numpy as np

from simvirt.catalog import Catalog
from simvirt.metrics import summary
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.statistics import next_replications
from simvirt.metrics.warnings import Seen, warnings
from simvirt.result import frames, provenance
from simvirt.result.answer import answer
from simvirt.result.displayed import Displayed
from simvirt.result.run_document import NoTheory, RunDocument, TheoryResult
from simvirt.runs.admission import catalog_of
from simvirt.runs.pool import Inline, in_order, workers
from simvirt.runs.replicate import Measured, Progress, replicate
from simvirt.runs.theory_beside import theory
from simvirt.scenario.spec.models import PlatformSpec, Scenario


@dataclass(frozen=True)
class ProgressEvent:
    """How far one replication of a platform is."""

    platform: str
    replication: int
    replications: int
    done_ratio: float
    events: int
    wall_s: float


ProgressCallback = Callable[[ProgressEvent], None]


@dataclass(repr=False)
class Result(Displayed):
    """What a scenario's platforms did; `typed()` is the document, `document()` its JSON, `frame()` one row a platform."""

    scenario: Scenario
    seed: int
    replications: int
    measured: dict[str, list[Measured]]
    theory: TheoryResult | NoTheory | None = None
    wall_s: float = 0.0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    def outcomes(self, platform: str) -> list[Outcome]:
        """The replications of a platform."""
        return [m.outcome for m in self.measured[platform]]

    def typed(self) -> RunDocument:
        """The result as a typed document; times in seconds, sizes in bytes, ratios 0 to 1."""
        complete = {name: self.outcomes(name) for name in self.measured if self.measured[name]}
        document = RunDocument(
            simvirt=provenance.program(),
            scenario=provenance.name_of(self.scenario),
            seed=self.seed,
            replications=self.replications,
            wall_s=self.wall_s,
            platforms={name: summary.platform_result(self.scenario, outcomes) for name, outcomes in complete.items()},
            comparison=summary.comparison(complete),
            warnings=tuple(self.warnings()),
            **self._where_it_applies(),
        )
        return document.model_copy(update={"answer": answer(document)})

    def _where_it_applies(self) -> dict[str, Any]:
        """Keys that only some results have."""
        theory = {} if self.theory is None else {"theory": self.theory}
        return theory | ({"interrupted": True} if self.interrupted else {})

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints."""
        return self.typed().document()

    def warnings(self) -> list[str]:
        """What makes the numbers misleading, platform by platform."""
        found = list(self.notes)
        for name, measured in self.measured.items():
            if measured:
                seen = Seen(self.scenario, self.outcomes(name), [m.batches for m in measured])
                found += [f"{name}: {sentence}" for sentence in warnings(seen)]
        return found

    def frame(self) -> dict[str, list[Any]]:
        """One row a platform as columns of equal length, estimates with their ends, for `pandas.DataFrame(result.frame())` and the like."""
        return frames.of_run(self.typed())

    def summary(self) -> str:
        """Which scenario, on which platforms, and the answer."""
        document = self.typed()
        return f"{self.scenario.name}: {', '.join(self.measured)}. {document.answer}"


@dataclass(frozen=True)
class Asked:
    """How replications are to be run: with which catalogue, how many at a time, and what hears of their progress."""

    catalog: Catalog
    jobs: int
    progress: ProgressCallback | None

    def reporting(self, platform: str, number: int, replications: int) -> Progress:
        """What hears how far one replication is."""

        def report(done: float, events: int, wall: float) -> None:
            if self.progress is not None:
                self.progress(ProgressEvent(platform, number + 1, replications, done, events, wall))

        return report


def run(scenario: Scenario, jobs: int = 1, progress: ProgressCallback | None = None) -> Result:
    """Simulate every platform of a scenario, side by side, with the same draws.

    `jobs` replications run at a time; their number changes nothing in the result. ScenarioError where the scenario does not fit the
    catalogue.
    Ctrl-C keeps the replications that are complete; KeyboardInterrupt when there are none.
    """
    started = time.perf_counter()
    asked, spec = Asked(catalog_of(scenario), jobs, progress), scenario.run
    result = Result(scenario, spec.seed, spec.replications, {p.name: [] for p in scenario.platforms})
    try:
        _fill(asked, result, spec.replications)
        if spec.precision is not None:
            _refine(asked, result, spec.precision, spec.max_replications)
    except KeyboardInterrupt:
        if not any(result.measured.values()):
            raise
        result.interrupted = True
    result.theory = theory(scenario, asked.catalog)
    result.wall_s = time.perf_counter() - started
    return result


def _refine(asked: Asked, result: Result, precision: float, most: int) -> None:
    """Add replications until every platform's mean latency and throughput are as precise as asked, or there are enough of them."""
    while True:
        wanted = max(
            next_replications(_measures(result.outcomes(name)), precision, max(most, result.replications)) for name in result.measured
        )
        if wanted <= result.replications:
            break
        _fill(asked, result, wanted)
    if any(next_replications(_measures(result.outcomes(name)), precision, 10**6) > result.replications for name in result.measured):
        result.notes.append(f"a precision of {precision:.1%} is not reached after {result.replications} replications")


def _measures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the precision is asked of."""
    found: dict[str, list[float | None]] = {
        "latency": [o.latency_mean_s for o in outcomes],
        "throughput": [o.throughput_per_s for o in outcomes],
    }
    return {name: values for name, values in found.items() if not any(v is None or np.isnan(v) for v in values)}


def _fill(asked: Asked, result: Result, total: int) -> None:
    """Run the replications that are missing to a total, on every platform."""
    tasks = [(spec, number) for number in range(total) for spec in result.scenario.platforms if number >= len(result.measured[spec.name])]
    result.replications = total
    halt = Event()

    def task(what: tuple[PlatformSpec, int]) -> tuple[str, Measured]:
        spec, number = what
        report = asked.reporting(spec.name, number, total)
        measured = replicate(result.scenario, asked.catalog, asked.catalog.platform(spec), result.seed, number, report, halt)
        report(1.0, measured.outcome.events, measured.outcome.wall_s)
        return spec.name, measured

    with nullcontext(Inline()) if asked.jobs <= 1 else workers(asked.jobs, halt) as pool:
        for name, measured in in_order(pool, task, tasks):
            result.measured[name].append(measured)
