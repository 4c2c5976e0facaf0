"""The answer: n for each platform, what binds it and what would bind next, the curve, the ledger, and what it took to find out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simvirt import __version__, kernel
from simvirt.density.bounds import Bound
from simvirt.density.copies import Unit
from simvirt.density.judge import Check, checks_of, piling_up
from simvirt.density.relief import Relief
from simvirt.density.trials import Point
from simvirt.memory import Ledger
from simvirt.metrics import summary
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.statistics import CONFIDENCE, quantile_interval
from simvirt.scenario.spec.models import Scenario

SCHEMA = 1
LATENCIES = ("mean", "p50", "p90", "p95", "p99", "p999")
CPU = ("utilisation", "steal", "throttled", "virtualization")


@dataclass(frozen=True)
class Binding:
    """The resource that binds, the check that n + 1 fails, and the evidence."""

    resource: str
    check: str
    why: str
    reliefs: tuple[Relief, ...] = ()

    def document(self) -> dict[str, Any]:
        """The binding as it stands in a result's JSON."""
        return {"resource": self.resource, "check": self.check, "why": self.why, "reliefs": [r.document() for r in self.reliefs]}


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

    @property
    def at_answer(self) -> Point | None:
        """The point of the answer; None where no instance fits."""
        return next((point for point in self.points if point.n == self.n), None)

    def document(self) -> dict[str, Any]:
        """The answer as it stands in a result's JSON."""
        at = self.at_answer
        return {
            "n": self.n,
            "binding": self.binding.document(),
            "second": self.second.document() if self.second is not None else None,
            **(measures(at) if at is not None else {}),
            "memory": self._ledger(self.n),
            "bounds": [bound.document() for bound in self.bounds],
            "curve": [self._point(point) for point in self.points],
            "simulations": self.simulations,
            "wall_s": self.wall_s,
        }

    def _ledger(self, n: int) -> dict[str, Any]:
        """Memory at n [bytes]."""
        found = self.memory[n]
        sizes = {"capacity_bytes": found.capacity, "committed_bytes": found.committed, "demand_bytes": found.demand}
        return sizes | {"ledger": found.document()}

    def _point(self, point: Point) -> dict[str, Any]:
        """A point of the curve."""
        return {"n": point.n, "verdict": point.verdict} | measures(point) | {"memory_bytes": self.memory[point.n].demand}


def measures(point: Point) -> dict[str, Any]:
    """What came at a point; of replications that were given up only that they were."""
    outcomes = [m.outcome for m in point.measured if not m.given_up]
    counts = {
        "replications": len(point.measured), "given_up": len(point.measured) - len(outcomes), "overload": piling_up(point.measured),
        "simulated_s": point.duration_ns / 1e9,
    }
    if not outcomes:
        return counts
    latency = summary.latency(outcomes, [o.histogram for o in outcomes])
    latency["p999"] = quantile_interval([o.histogram for o in outcomes], 0.999).document()
    return counts | {
        "requests": round(summary.average([o.requests for o in outcomes]) or 0),
        "latency_s": {key: latency[key] for key in LATENCIES},
        "throughput_per_s": summary.estimate([o.throughput_per_s for o in outcomes]),
        "rejected": summary.estimate([o.rejected for o in outcomes]),
        "cpu": {name: summary.estimate([getattr(o, name) for o in outcomes]) for name in CPU},
        "resources": {name: summary.average([o.resources[name] for o in outcomes]) for name in outcomes[0].resources},
        "objective": {check.name: _check(check) for check in _checks(point, outcomes)},
    }


def _checks(point: Point, outcomes: list[Outcome]) -> list[Check]:
    assert point.scenario.objective is not None
    return checks_of(point.scenario.objective, outcomes)


def _check(check: Check) -> dict[str, Any]:
    """A limit and what came of it."""
    return {"limit": check.limit, **check.estimate.document(), "verdict": check.verdict}


@dataclass
class DensityResult:
    """What `density` found; `document()` is the JSON."""

    scenario: Scenario
    unit: Unit
    answers: dict[str, Answer]
    wall_s: float = 0.0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def simulations(self) -> int:
        """How many simulations it took."""
        return sum(answer.simulations for answer in self.answers.values())

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints; times in seconds, sizes in bytes, ratios 0 to 1."""
        assert self.scenario.objective is not None
        limits = {n: v / 1e9 if n.startswith("latency") else v for n, v in self.scenario.objective.limits.items()}
        return {
            "simvirt": {"version": __version__, "schema": SCHEMA, "kernel": kernel.MODE},
            "scenario": {"name": self.scenario.name, "digest": self.scenario.digest},
            "seed": self.scenario.run.seed,
            "unit": self.unit.document(),
            "objective": limits,
            "confidence": CONFIDENCE,
            "simulations": self.simulations,
            "wall_s": self.wall_s,
            "density": {name: answer.document() for name, answer in self.answers.items()},
            "warnings": self.warnings(),
        } | ({"interrupted": True} if self.interrupted else {})

    def warnings(self) -> list[str]:
        """What makes the numbers misleading."""
        return [*self.notes, *(f"{name}: {remark}" for name, answer in self.answers.items() for remark in answer.remarks)]
