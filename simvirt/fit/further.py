"""What to measure next: services without measurements, mixes that tell operations apart, else the load that narrows intervals most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from simvirt.fit.observed import Observed
from simvirt.fit.regression import Fitted, narrower
from simvirt.fit.targets import Target
from simvirt.scenario.graph import Name

LOADS: Final = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25)
"""Parts of the highest load at which a further point is tried."""
NARROW: Final = 0.02
"""Half-width over the value that is narrow enough."""


def further(seen: Observed, found: Sequence[tuple[Target, Fitted]], work: Mapping[Name, float], fitted: Sequence[Name]) -> str:
    """A sentence that says what to measure next."""
    bare = list(dict.fromkeys(name[0] for name, demand in work.items() if demand > 0 and name[0] not in seen.cores))
    if bare:
        return f"the CPU use of {_listed(bare)}, by itself: it is {'not known' if not fitted else 'known only together with others'}"
    together = max((group for target, _ in found for group in target.groups), key=len, default=())
    if len(together) > 1:
        names = _listed([".".join(name) for name in together])
        return f"{together[0][0]} under another mix, or the operations one by one: {names} are not told apart"
    known = [(fit.half[i] / fit.value[i], i, target, fit) for target, fit in found for i in range(len(target.groups)) if fit.value[i] > 0]
    if not known:
        return "services at two loads at least"
    unknown = next((each for each in known if math.isnan(each[0])), None)
    if unknown is not None:
        return f"{unknown[2].name} at {_lowest(seen)} too: with no more points than demands there are no intervals"
    width, index, target, fit = max(known, key=lambda each: each[0])
    if width <= NARROW:
        widest = f"{'.'.join(target.groups[index][0])}, is ±{100 * width:.2g} %"
        return f"nothing for the demands: the widest interval, of {widest}; other loads would show contention"
    load, factor = _best(seen, target, fit, index, work)
    return (f"{target.name} at {load}: of the loads that were tried it narrows the widest interval most, of "
            f"{'.'.join(target.groups[index][0])}, from ±{100 * width:.2g} to ±{100 * width * factor:.2g} %")


def _lowest(seen: Observed) -> str:
    return f"{min(math.fsum(rates.values()) for rates in seen.rates) / 4:.3g}/s"


def _best(seen: Observed, target: Target, fit: Fitted, index: int, work: Mapping[Name, float]) -> tuple[str, float]:
    """The load, of the present mix or of one operation alone, at which a further point narrows an interval most, and by which factor."""
    columns = target.columns([seen.visited[row] for row in target.rows], work)[:, fit.free]
    position = int(np.flatnonzero(np.flatnonzero(fit.free) == index)[0])
    highest = max(seen.rates, key=lambda rates: math.fsum(rates.values()))
    mixes = {"": highest} | {f" of {entry} alone": {entry: math.fsum(highest.values())} for entry in seen.alone if len(seen.alone) > 1}
    tried = []
    for name, mix in mixes.items():
        for part in LOADS:
            row = target.columns([_visited(seen, mix, part)], work)[0][fit.free]
            level = float(row @ fit.value[fit.free])
            if level > 0:
                tried.append((narrower(columns, target.measured, row, level, position), f"{part * math.fsum(mix.values()):.3g}/s{name}"))
    factor, load = min(tried)
    return load, factor


def _visited(seen: Observed, mix: Mapping[str, float], part: float) -> dict[Name, float]:
    """Executions per second of each operation at a part of a load."""
    found: dict[Name, float] = {}
    for entry, rate in mix.items():
        for name, count in seen.alone[entry].items():
            found[name] = found.get(name, 0.0) + part * rate * count
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
