"""An alternative: a platform on a host model, with what it needs and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field

from simvirt.plan.money import Bill, Terms, bill
from simvirt.plan.regret import Need
from simvirt.plan.search import Sizing
from simvirt.plan.simulation import Simulator, System
from simvirt.plan.sizing import Case
from simvirt.result.document import Verdict


@dataclass
class Alternative:
    """A platform on a host model: what it needs, what it costs; without hosts and bill where nothing suffices."""

    case: Case
    simulator: Simulator
    terms: Terms
    sizing: Sizing
    factor: float
    """Load at peak, over the stated one."""
    speed: float
    """Of a core, over one of the host that the scenario states."""
    mean: System | None = None
    bill: Bill | None = None
    needs: list[Need | None] = field(default_factory=list)
    years: list[int | None] = field(default_factory=list)

    def price(self, mean_factor: float) -> None:
        """Find out what it costs where it suffices: it is paid for by the load at its mean, the stated one times `mean_factor`."""
        if self.sizing.feasible and self.sizing.peak is not None:
            mean = self.simulator.system(self.sizing.placed, self.sizing.counts, mean_factor)
            self.mean, self.bill = mean, bill(self.terms, mean.loads, self.sizing.peak.loads)

    @property
    def undecided(self) -> list[Verdict]:
        """Limits of which the simulation at peak, or with hosts lost, is not sure."""
        systems = [system for system in (self.sizing.peak, self.sizing.lost) if system is not None] if self.sizing.feasible else []
        return [limit for system in systems for limit in system.objective.values() if limit.met is None]

    @property
    def order(self) -> tuple[bool, float, str, str]:
        """The cheapest first; what does not suffice last."""
        return self.bill is None, self.bill.year_usd if self.bill is not None else 0.0, self.case.platform_spec.name, self.case.host.name
