"""The answer: the range of rates in which an objective breaks, what breaks it, the saturation rate, and the rates that were tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simvirt.density.answer import Binding, measures
from simvirt.density.copies import Unit
from simvirt.density.trials import Point
from simvirt.knee.search import Range
from simvirt.knee.sentence import sentence
from simvirt.metrics.saturated import Saturation
from simvirt.metrics.statistics import CONFIDENCE
from simvirt.result import frames, provenance
from simvirt.result.displayed import Displayed
from simvirt.result.document import Estimate
from simvirt.result.knee_document import BrokenBy, KneeDocument, PlatformKnee, RatePoint, SaturationResult
from simvirt.result.objective import limits_of
from simvirt.scenario.spec.models import Scenario


@dataclass
class Answer:
    """One platform's answer; rates are in parts of the load, as `unit` counts them, `likely` where the value crosses its limit."""

    platform: str
    unit: Unit
    range: Range
    likely: float | None
    points: list[Point]
    saturation: Saturation
    binding: Binding | None
    simulations: int
    wall_s: float
    most: int
    """Replications of a rate at most."""

    @property
    def per_part(self) -> float:
        """Requests per second, or clients, of a part."""
        return self.unit.rate_per_s if self.unit.rate_per_s is not None else float(self.unit.clients or 1)

    def typed(self) -> PlatformKnee:
        """The answer as it stands in a result."""
        per, found = self.per_part, self.range
        value = None if self.likely is None else self.likely * per
        return PlatformKnee(
            knee=Estimate(value, found.low * per or None, None if found.high is None else found.high * per),
            lightest=per * min(point.n for point in self.points),
            broken_by=self._broken_by(), saturation=self._saturation(),
            curve=tuple(self._point(point) for point in self.points), simulations=self.simulations, wall_s=self.wall_s,
        )

    def _broken_by(self) -> BrokenBy | None:
        """What is missed first, and why."""
        missed = next((point for point in self.points if point.n == self.range.high), None)
        if self.binding is None or missed is None:
            return None
        found = self._point(missed).objective.get(self.binding.check)
        value: dict[str, Any] = {} if found is None else {"limit": found.limit, "value": found.value}
        return BrokenBy(**dict(self.binding.typed()), **value)

    def _saturation(self) -> SaturationResult:
        """The saturation rate."""
        found = self.saturation
        return SaturationResult(
            rate=Estimate(found.per_s, found.low_per_s, found.high_per_s), resource=found.resource or "", reason=found.reason)

    def _point(self, point: Point) -> RatePoint:
        """A rate that was tried."""
        return RatePoint(rate=point.n * self.per_part, verdict=point.verdict, **measures(point))


@dataclass(repr=False)
class KneeResult(Displayed):
    """What `knee` found; `typed()` is the document, `document()` its JSON."""

    scenario: Scenario
    precision: float
    of_clients: bool
    answers: dict[str, Answer]
    wall_s: float = 0.0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)
    assumptions: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)

    def typed(self) -> KneeDocument:
        """The result as a typed document; times in seconds, rates per second, ratios 0 to 1."""
        ended: dict[str, Any] = {"interrupted": True} if self.interrupted else {}
        ended |= {"failed": self.failed} if self.failed else {}
        document = KneeDocument(
            simvirt=provenance.program(), scenario=provenance.name_of(self.scenario), seed=self.scenario.run.seed,
            counts="clients" if self.of_clients else "per_s", objective=limits_of(self.scenario.objective), confidence=CONFIDENCE,
            precision=self.precision, simulations=sum(answer.simulations for answer in self.answers.values()), wall_s=self.wall_s,
            knees={name: answer.typed() for name, answer in self.answers.items()}, assumptions=self.assumptions,
            warnings=tuple(self.warnings()), **ended,
        )
        return document.model_copy(update={"answer": sentence(document)})

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints."""
        return self.typed().document()

    def frame(self) -> dict[str, list[Any]]:
        """One row for each rate that was simulated, as columns of equal length; estimates with their ends."""
        return frames.of_knee(self.typed())

    def summary(self) -> str:
        """Which scenario, and the answer."""
        return f"{self.scenario.name}: {self.typed().answer}"

    def warnings(self) -> list[str]:
        """What makes the numbers misleading."""
        return [*(f"{name} has no answer: {why}" for name, why in self.failed.items()), *self.notes]
