"""The answer: fitted demands with their intervals, hold-out errors, and measured values beside predicted ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from simvirt.fit.further import further
from simvirt.fit.observed import Observed
from simvirt.fit.regression import Fitted
from simvirt.fit.targets import Target
from simvirt.fit.usl import usl
from simvirt.result import provenance
from simvirt.result.displayed import Displayed
from simvirt.result.document import Estimate
from simvirt.result.fit_document import Compared, FitDocument, FittedDemand, HoldOut
from simvirt.result.fit_sentence import sentence
from simvirt.scenario.graph import Name
from simvirt.scenario.spec.models import Scenario

IDLE: Final = 0.01
"""Part of the largest use below which constant use is not spoken of."""


@dataclass(frozen=True)
class Group:
    """Operations that keep their proportions: the demand of the first and half the width of its interval, as fitted and as measured [s]."""

    names: tuple[Name, ...]
    demand: float
    half: float
    used: float
    used_half: float


@dataclass(repr=False)
class FitResult(Displayed):
    """What `fit` found; `typed()` is the document, `factors` what demands are multiplied by."""

    scenario: Scenario
    seen: Observed
    work: Mapping[Name, float]
    """Demands as the scenario states them [s]."""
    groups: list[Group] = field(default_factory=list)
    targets: list[tuple[Target, Fitted]] = field(default_factory=list)
    idle: dict[str, tuple[float, float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    compared: tuple[Compared, ...] = ()
    simulations: int = 0
    wall_s: float = 0.0

    @property
    def factors(self) -> dict[Name, float]:
        """Fitted demands over those that the scenario states."""
        return {name: group.demand / self.work[group.names[0]] for group in self.groups for name in group.names}

    def typed(self) -> FitDocument:
        """The result as a typed document; times in seconds."""
        where: dict[str, Any] = {"failed": self.failed} if self.failed else {}
        document = FitDocument(
            simvirt=provenance.program(), scenario=provenance.name_of(self.scenario), seed=self.scenario.run.seed,
            platform=self.scenario.platforms[0].name, points=len(self.seen.points),
            fitted={".".join(name): self._demand(group, name) for group in self.groups for name in group.names},
            idle_cores={name: _estimate(max(value, 0.0), half) for name, (value, half) in self.idle.items()},
            hold_out=self._hold_out(), usl=usl(self.seen.points), compared=self.compared,
            next=further(self.seen, self.targets, self.work, [name for group in self.groups for name in group.names]),
            simulations=self.simulations, wall_s=self.wall_s, warnings=tuple(self.warnings()),
            **where,
        )
        return document.model_copy(update={"answer": sentence(document)})

    def _demand(self, group: Group, name: Name) -> FittedDemand:
        """A group's part that is one operation's."""
        share = self.work[name] / self.work[group.names[0]]
        others = tuple(".".join(other) for other in group.names if other != name)
        return FittedDemand(
            cpu_s=_estimate(group.demand * share, group.half * share), stated_s=self.work[name],
            measured_s=_estimate(group.used * share, group.used_half * share), platform=1 - group.demand / group.used,
            **({"together": others} if others else {}),
        )

    def _hold_out(self) -> HoldOut | None:
        """The errors of left-out points, of all regressions together."""
        errors = np.abs(np.concatenate([fitted.left_out for _, fitted in self.targets])) if self.targets else np.array([])
        errors = errors[~np.isnan(errors)]
        return HoldOut(points=len(errors), median=float(np.median(errors)), worst=float(errors.max())) if len(errors) else None

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints."""
        return self.typed().document()

    def frame(self) -> dict[str, list[Any]]:
        """One row for each fitted operation, as columns of equal length."""
        rows = self.typed().fitted
        columns: dict[str, list[Any]] = {"operation": list(rows), "stated_s": [row.stated_s for row in rows.values()]}
        return columns | {f"cpu_s.{end}": [getattr(row.cpu_s, end) for row in rows.values()] for end in ("value", "low", "high")}

    def summary(self) -> str:
        """Which scenario, and the answer."""
        return f"{self.scenario.name}: {self.typed().answer}"

    def warnings(self) -> list[str]:
        """What makes the numbers misleading."""
        found = [f"{name}: {why}" for name, why in self.failed.items()]
        if self.seen.unknown:
            found.append(f"names in the measurements that are no service of the scenario: {', '.join(self.seen.unknown[:10])}")
        for name, (value, half) in self.idle.items():
            if not math.isnan(half) and value > max(half, IDLE * max(target.measured.max() for target, _ in self.targets)):
                found.append(f"{name} uses {value:.3g} CPUs whatever the load; the fitted scenario does not have that work")
        return found


def _estimate(value: float, half: float) -> Estimate:
    """A value with its interval; without ends where nothing tells them."""
    return Estimate(value) if math.isnan(half) else Estimate(value, max(value - half, 0.0), value + half)
