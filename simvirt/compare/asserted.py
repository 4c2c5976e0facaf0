"""Changes that are not to be exceeded: `p99 +5%`, `throughput -2%`, `kvm: cpu +3%`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from simvirt.errors import UsageError
from simvirt.result.compare_document import Asserted, Change
from simvirt.result.compared_measures import BY_NAME, MEASURES, Measure
from simvirt.result.document import UNKNOWN, Estimate

FORM: Final = re.compile(r"^\s*(?:(?P<platform>[^:]+?)\s*:\s*)?(?P<measure>[\w-]+)\s*(?P<sign>[+-])\s*(?P<number>\d+(?:\.\d+)?)\s*%\s*$")
EXAMPLE: Final = "'p99 +5%', 'throughput -2%' or 'kvm: cpu +3%'"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The most that a measure may rise, or fall, where `most` is below 0: a ratio; on one platform, or on all."""

    said: str
    measure: str
    most: float
    platform: str = ""

    @classmethod
    def of(cls, text: str) -> Allowed:
        """From its text; UsageError where it cannot be read."""
        match = FORM.match(text)
        if match is None:
            raise UsageError(f"--assert {text!r}: expected a measure and the most that it may change, for example {EXAMPLE}")
        if match["measure"] not in BY_NAME:
            raise UsageError(f"--assert {text!r}: expected one of the measures {', '.join(BY_NAME)}, for example {EXAMPLE}")
        most = float(f"{match['sign']}{match['number']}") / 100
        return cls(text.strip(), BY_NAME[match["measure"]], most, match["platform"] or "")

    def judged(self, platform: str, changes: Mapping[str, Change], cell: Mapping[str, str | int | float]) -> Iterator[Asserted]:
        """What came of it on a platform; nothing where it is about another one, or the measure is not known there."""
        found = changes.get(self.measure)
        if found is None or self.platform not in ("", platform):
            return
        changed = relative(MEASURES[self.measure], found)
        found_here = Asserted(said=self.said, platform=platform, measure=self.measure, holds=self._holds(changed), change=changed)
        yield found_here.model_copy(update={"cell": cell}) if cell else found_here

    def _holds(self, changed: Estimate) -> bool | None:
        """Whether the interval of a change is within what is allowed as a whole, None where it is not decided."""
        low, high, most = changed.low, changed.high, abs(self.most)
        if low is None or high is None:
            return None
        if math.copysign(1, self.most) < 0:
            low, high = -high, -low
        return True if high <= most else False if low > most else None


def relative(measure: Measure, change: Change) -> Estimate:
    """The relative change, of shares the difference; 0 where nothing at all changed."""
    if change.before == change.after and change.before.value is not None:
        return Estimate(0.0, 0.0, 0.0)
    if measure.kind == "share":
        return change.difference
    ratio = change.ratio
    if ratio.value is None and ratio.low is None:
        return UNKNOWN
    ends = (None if end is None else end - 1 for end in (ratio.value, ratio.low, ratio.high))
    return Estimate(*ends)
