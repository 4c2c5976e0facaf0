"""What is regressed on what: the CPUs of a service on the rates of its operations, those of a host on all that has no own measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simvirt.fit.observed import Floats, Observed
from simvirt.fit.regression import Fitted, fitted, separable
from simvirt.scenario.graph import Name

CONSTANT_FROM = 3
"""Points from which use that no request causes is told apart."""
APART = 1.15
"""Highest rate over the lowest from which it is."""


@dataclass(frozen=True)
class Target:
    """What was measured, and the groups of operations whose demands explain it; those of a group keep their proportions."""

    name: str
    services: tuple[str, ...]
    groups: tuple[tuple[Name, ...], ...]
    rows: tuple[int, ...]
    """Which points measured it."""
    measured: Floats
    constant: bool
    known: Floats | None = None

    def columns(self, visited: Sequence[Mapping[Name, float]], work: Mapping[Name, float], constant: bool | None = None) -> Floats:
        """Executions per second of each group, weighed by stated demands where it has several; then ones where something is constant."""
        found = np.array([[_visits(each, group, work) for group in self.groups] for each in visited])
        return np.hstack([found, np.ones((len(found), 1))]) if (self.constant if constant is None else constant) else found

    def fitted(self, seen: Observed, work: Mapping[Name, float]) -> Fitted:
        """The CPU time of each group's execution as measured [s]."""
        return fitted(self.columns([seen.visited[row] for row in self.rows], work), self.measured, self.known)


def _visits(visited: Mapping[Name, float], group: Sequence[Name], work: Mapping[Name, float]) -> float:
    """Executions per second of a group, as if all of them took as long as its first."""
    return math.fsum(visited[name] * work[name] / work[group[0]] for name in group)


def targets(seen: Observed, work: Mapping[Name, float], threads: int) -> list[Target]:
    """The targets of measurements: each service that was measured, else the rest of the host's CPUs."""
    found = [_target(service, (service,), seen, column, work, seen.errors.get(service)) for service, column in seen.cores.items()]
    rest = tuple(dict.fromkeys(name[0] for name in work if name[0] not in seen.cores))
    own = np.sum([np.nan_to_num(column) for column in seen.cores.values()], axis=0) if seen.cores else 0.0
    if rest and not np.isnan(seen.host).all():
        found.append(_target("host", rest, seen, np.maximum(seen.host * threads - own, 1e-9), work, None, one=True))
    return [target for target in found if target is not None]


def _target(
    name: str, services: tuple[str, ...], seen: Observed, column: Floats, work: Mapping[Name, float], known: Floats | None,
    one: bool = False,
) -> Target | None:
    """A target; None where no operation of it was executed."""
    rows = tuple(int(row) for row in np.flatnonzero(~np.isnan(column) & (column > 0)))
    names = tuple(each for each in work if each[0] in services and work[each] > 0 and any(seen.visited[row][each] > 0 for row in rows))
    if not names:
        return None
    totals = [math.fsum(seen.visited[row][each] for each in names) for row in rows]
    constant = len(rows) >= CONSTANT_FROM and min(totals) * APART < max(totals)
    single, together = tuple((each,) for each in names), (names,)
    target = Target(name, services, single, rows, column[list(rows)], constant, None if known is None else known[list(rows)])
    apart = not one and separable(target.columns([seen.visited[row] for row in rows], work) / target.measured[:, None])
    return target if apart else Target(name, services, together, rows, target.measured, constant, target.known)
