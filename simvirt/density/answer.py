"""The answer: n for each platform, what binds it and what would bind next, the curve, the ledger, and what it took to find out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simvirt.density.bounds import Bound
from simvirt.density.copies import Unit
from simvirt.density.judge import Check, checks_of, piling_up
from simvirt.density.relief import Relief
from simvirt.density.sentence import sentence
from simvirt.density.trials import TIMES, Point
from simvirt.memory import Ledger
from simvirt.metrics import summary
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.statistics import CONFIDENCE
from simvirt.result import frames, provenance
from simvirt.result.density_document import AnswerResult, BindingResult, DensityDocument, HostAnswer, Judged, MemoryAt, PointResult
from simvirt.result.displayed import Displayed
from simvirt.result.document import UNKNOWN, CpuShares, MemoryLedger
from simvirt.result.objective import UNDECIDED, effort, limits_of, replicated
from simvirt.scenario.spec.models import Scenario


@dataclass(frozen=True)
class Binding:
    """The resource that binds, the check that n + 1 fails, and the evidence."""

    resource: str
    check: str
    why: str
    reliefs: tuple[Relief, ...] = ()

    def typed(self) -> BindingResult:
        """The binding as it stands in a result."""
        return BindingResult(resource=self.resource, check=self.check, why=self.why, reliefs=tuple(r.typed() for r in self.reliefs))


@dataclass
class Answer:
    """One platform's answer."""

    platform: str
    n: int
    binding: Binding
    second: Bound | None
    bounds: list[Bound]
    points: list[Point]
    memory: dict[int, Ledger]
    simulations: int
    wall_s: float
    remarks: list[str] = field(default_factory=list)
    hosts: dict[str, HostAnswer] = field(default_factory=dict)
    """With several hosts each of them, by its name."""
    open_to: int | None = None
    """The first n that is known not to hold, where the search ended before it knew of n + 1."""

    @property
    def at_answer(self) -> Point | None:
        """The point of the answer; None where no instance fits."""
        return next((point for point in self.points if point.n == self.n), None)

    def typed(self) -> AnswerResult:
        """The answer as it stands in a result."""
        at = self.at_answer
        hosts: dict[str, Any] = {"hosts": self.hosts} if self.hosts else {}
        return AnswerResult(
            n=self.n,
            binding=self.binding.typed(),
            second=self.second.typed() if self.second is not None else None,
            **(measures(at) if at is not None else {}),
            memory=memory_at(self.memory[self.n]),
            bounds=tuple(bound.typed() for bound in self.bounds),
            curve=tuple(self._point(point) for point in self.points),
            simulations=self.simulations,
            wall_s=self.wall_s,
            open_to=self.open_to,
            **hosts,
        )

    def _point(self, point: Point) -> PointResult:
        """A point of the curve."""
        return PointResult(n=point.n, verdict=point.verdict, **measures(point), memory_bytes=self.memory[point.n].demand)


def memory_at(found: Ledger) -> MemoryAt:
    """Memory of a host [bytes]."""
    return MemoryAt(
        capacity_bytes=found.capacity, committed_bytes=found.committed, demand_bytes=found.demand, ledger=MemoryLedger(**found.document())
    )


def measures(point: Point) -> dict[str, Any]:
    """What came at a point; of replications that were given up only that they were."""
    outcomes = [m.outcome for m in point.measured if not m.given_up]
    counts = {
        "replications": len(point.measured), "given_up": len(point.measured) - len(outcomes), "overload": piling_up(point.measured),
        "simulated_s": point.duration_ns / 1e9,
    }
    return counts | _numbers(point, outcomes) if outcomes else counts


def _numbers(point: Point, outcomes: list[Outcome]) -> dict[str, Any]:
    """What replications that came to their end measured."""
    return {
        "requests": round(summary.average([o.requests for o in outcomes]) or 0),
        "latency_s": summary.latency(outcomes),
        "throughput_per_s": summary.over(outcomes, "throughput_per_s"),
        "rejected": summary.over(outcomes, "rejected"),
        "cpu": CpuShares(**{name: summary.over(outcomes, name) for name in summary.SHARES}),
        "resources": summary.averages([o.resources for o in outcomes]),
        "objective": {check.name: _judged(check, len(outcomes)) for check in _checks(point, outcomes)},
    }


def _checks(point: Point, outcomes: list[Outcome]) -> list[Check]:
    assert point.scenario.objective is not None
    return checks_of(point.scenario.objective, outcomes)


def _judged(check: Check, replications: int) -> Judged:
    """A limit and what came of it in so many replications, of which a search runs `TIMES` times those that a scenario states."""
    found = check.estimate if check.estimate.value is not None else UNKNOWN
    judged = Judged(limit=check.limit, value=found.value, low=found.low, high=found.high, verdict=check.verdict)
    if check.verdict != UNDECIDED:
        return judged
    longer = effort(found, check.limit)
    return judged.model_copy(update={"longer": longer, "setting": None if longer is None else replicated(replications, longer / TIMES)})


@dataclass(repr=False)
class DensityResult(Displayed):
    """What `density` found; `typed()` is the document, `document()` its JSON."""

    scenario: Scenario
    unit: Unit
    answers: dict[str, Answer]
    wall_s: float = 0.0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)
    assumptions: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def simulations(self) -> int:
        """How many simulations it took."""
        return sum(answer.simulations for answer in self.answers.values())

    def typed(self) -> DensityDocument:
        """The result as a typed document; times in seconds, sizes in bytes, ratios 0 to 1."""
        ended: dict[str, Any] = {"interrupted": True} if self.interrupted else {}
        ended |= {"failed": self.failed} if self.failed else {}
        unit, answers = self.unit.typed(), {name: answer.typed() for name, answer in self.answers.items()}
        return DensityDocument(
            simvirt=provenance.program(),
            answer=sentence(unit, answers, self.failed),
            scenario=provenance.name_of(self.scenario),
            seed=self.scenario.run.seed,
            unit=unit,
            objective=limits_of(self.scenario.objective),
            confidence=CONFIDENCE,
            simulations=self.simulations,
            wall_s=self.wall_s,
            density=answers,
            assumptions=self.assumptions,
            warnings=tuple(self.warnings()),
            **ended,
        )

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints."""
        return self.typed().document()

    def frame(self) -> frames.Frame:
        """One row for each number of instances that was simulated, as columns of equal length; estimates with their ends."""
        return frames.of_density(self.typed())

    def summary(self) -> str:
        """Which scenario, and how many instances each platform holds."""
        return f"{self.scenario.name}: {', '.join(f'{name} {answer.n}' for name, answer in self.answers.items())}"

    def warnings(self) -> list[str]:
        """What makes the numbers misleading."""
        failed = (f"{name} has no answer: {why}" for name, why in self.failed.items())
        return [*failed, *self.notes, *(f"{name}: {remark}" for name, answer in self.answers.items() for remark in answer.remarks)]
