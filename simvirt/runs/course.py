"""How requests under way and lost ones go on in the course of a run: does a backlog grow for good, and how sure is the share lost?

*Model*: looks at equal distances. A backlog that grows for good is throughout the last quarter beyond all that it was in the second
    one; one that comes in waves, or by chance, is not, or is not any more in a run of twice the length. The share lost has the
    standard error of the mean of `PARTS` parts of the run.
*Ignores*: waves longer than a quarter of the run.
*Source*: Law, Simulation Modeling and Analysis, 5th ed. 2015, section 9.5.3 (batch means).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simvirt.plane import DataPlane

PARTS: Final = 8
"""Parts of the run after its first quarter, between which the share lost varies."""


@dataclass
class Course:
    """Instants [ns] of looks at a run, requests under way then, and those that had arrived and been lost."""

    at: list[int] = field(default_factory=list)
    under_way: list[int] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def look(self, plane: DataPlane, now: int) -> None:
        """Look once more."""
        self.at.append(now)
        self.under_way.append(int(plane.read("tallies", "in_system")[0]))
        self.arrived.append(int(plane.read("tallies", "arrived").sum()))
        self.lost.append(int(plane.read("tallies", "rejected").sum() + plane.read("tallies", "failed").sum()))

    @property
    def rises(self) -> bool:
        """Whether the backlog grows for good, as far as the run shows."""
        share, under_way = np.array(self.at) / max(self.at[-1], 1), np.array(self.under_way)
        second, last = under_way[(share > 0.25) & (share <= 0.5)], under_way[share > 0.75]
        return bool(last.min() > second.max()) if len(second) and len(last) else True

    @property
    def error_of_lost(self) -> float:
        """Standard error of the share lost after the first quarter; infinite where looks are too few."""
        kept = np.flatnonzero(np.array(self.at) >= self.at[-1] / 4)
        if len(kept) <= PARTS:
            return float("inf")
        ends = kept[np.linspace(0, len(kept) - 1, PARTS + 1).astype(int)]
        arrived, lost = (np.diff(np.array(of)[ends]) for of in (self.arrived, self.lost))
        return float(np.std(lost / np.maximum(arrived, 1), ddof=1) / np.sqrt(PARTS))
