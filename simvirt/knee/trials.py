"""Simulations at a rate: replicated until the objective is surely met or missed there, or it is clear that this would take too many.

*Model*: looks after `FIRST` replications and after twice as many each time. As each look may err, intervals count as wide as those of a
    confidence that is shared out among the looks (Bonferroni), so that a verdict errs with 5 % at most, half of it on either side.
*Source*: Jennison and Turnbull, Group Sequential Methods with Applications to Clinical Trials, 2000, section 2.
"""

from __future__ import annotations

import math
from typing import Final

from simvirt.density.judge import checks_of
from simvirt.density.trials import Point, Trials
from simvirt.metrics.statistics import CONFIDENCE, student
from simvirt.result.objective import UNDECIDED, effort

FIRST: Final = 4
USUAL: Final = 32
"""Replications that there may be of any rate ..."""
MOST: Final = 128
"""... and where a replication is little work ..."""
CHEAP: Final = 5_000_000
"""... so that all of them are not more than so many events."""
GENEROUS: Final = 2.0
"""A verdict that is likely to take more than so many times the replications that there may be is not waited for."""


class RateTrials(Trials):
    """The simulations of one platform at several rates."""

    @property
    def first(self) -> int:
        """Replications at first."""
        return FIRST

    @property
    def most(self) -> int:
        """Replications at most."""
        return max(MOST, super().most)

    @property
    def looks(self) -> int:
        """How often a rate is looked at at most."""
        return 1 + math.ceil(math.log2(self.most / FIRST))

    def wider(self, replications: int) -> float:
        """The critical value of a look's own confidence over that of one look alone."""
        if replications < 2:
            return 1.0
        return student(replications - 1, 1 - (1 - CONFIDENCE) / self.looks) / student(replications - 1)

    def reach(self, point: Point) -> float:
        """Replications of a rate that there may be, as much work as one of them is."""
        events = sum(outcome.events for outcome in point.outcomes) / max(len(point.measured), 1)
        return min(self.most, max(USUAL, super().most, CHEAP / max(events, 1)))

    def in_vain(self, point: Point) -> bool:
        """Whether there are enough replications, or a limit that is undecided is likely to remain so."""
        assert point.scenario.objective is not None
        n, most = len(point.measured), self.reach(point)
        checks = checks_of(point.scenario.objective, point.outcomes, self.wider(n))
        longer = [effort(check.estimate, check.limit) for check in checks if check.verdict == UNDECIDED]
        return n >= most or any(n * (factor or math.inf) > GENEROUS * most for factor in longer)
