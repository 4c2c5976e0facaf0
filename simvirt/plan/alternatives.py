"""An alternative: a platform on a host model, with what it needs and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field

from simvirt.plan.money import Bill, Terms
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
    error: Exception | None = None
    """What ended the search for it."""
    needs: list[Need | None] = field(default_factory=list)
    years: list[int | None] = field(default_factory=list)

    @property
    def undecided(self) -> list[Verdict]:
        """Limits of which the simulation at peak, or with hosts lost, is not sure."""
        systems = [system for system in (self.sizing.peak, self.sizing.lost) if system is not None] if self.sizing.feasible else []
        return [limit for system in systems for limit in system.objective.values() if limit.met is None]

    @property
    def order(self) -> tuple[bool, float, str, str]:
        """The cheapest first; what does not suffice last."""
        return self.bill is None, self.bill.year_usd if self.bill is not None else 0.0, self.case.platform_spec.name, self.case.host.name
