"""What guards of calls did between two snapshots, and what requests failed of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from simvirt.gauges import Snapshot
from simvirt.kernel import constants as k
from simvirt.metrics.answers import S, classes_of_loads
from simvirt.metrics.outcome import Guarded
from simvirt.plane import DataPlane
from simvirt.result.resilience import GuardUse, Resilience

CAUSES: Final[Mapping[int, str]] = {
    k.REJECTED: "rejected", k.LOST: "lost", k.TIMED_OUT: "timed out", k.BREAKER_OPEN: "breaker open", k.POOL_FULL: "no connection",
    k.SHED: "shed", k.UNANSWERED: "unanswered",
}
"""Why a request failed, by the kernel's number."""


def guarded(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> Guarded | None:
    """What guards did; None where nothing is guarded, and nothing sheds."""
    names = guard_names(plane)
    if not names and all(service.shed is None for service in plane.lowered.scenario.services.values()):
        return None
    counts = {name: last.guards[name] - first.guards[name] for name in last.guards}
    classes = classes_of_loads(plane)
    loads = dict(zip(plane.lowered.scenario.workloads, classes, strict=True)) if classes else {}
    return Guarded(
        _failed(first, last, slice(None)), {name: _failed(first, last, rows) for name, rows in loads.items()},
        {name: _use({key: int(values[row]) for key, values in counts.items()}, span) for row, name in enumerate(names)},
    )


def guard_names(plane: DataPlane) -> list[str]:
    """The guards by caller and callee; further ones between the same two are numbered."""
    found: list[str] = []
    for guard in plane.lowered.guards:
        pair = f"{guard.caller} > {guard.callee}"
        before = sum(name == pair or name.startswith(f"{pair} (") for name in found)
        found.append(f"{pair} ({before + 1})" if before else pair)
    return found


def _failed(first: Snapshot, last: Snapshot, rows: slice) -> dict[str, float]:
    """Ratios of requests that failed, by cause; of none, nothing."""
    causes = (last.causes - first.causes)[rows].sum(axis=0)
    ended = {name: int((getattr(last, name) - getattr(first, name))[rows].sum()) for name in ("completed", "rejected", "failed")}
    causes[k.REJECTED] = ended["rejected"]
    total = sum(ended.values())
    return {name: float(causes[number]) / total for number, name in CAUSES.items() if causes[number] and total}


def _use(counts: Mapping[str, int], span: float) -> dict[str, float | None]:
    """Rates and ratios of what a guard counted."""
    calls, tries = counts["calls"], counts["tries"]
    return {
        "calls_per_s": calls / span, "tries_per_s": tries / span, "retries_per_s": counts["retried"] / span,
        "hedges_per_s": counts["hedged"] / span, "failed": _over(counts["given_up"], calls),
        "timed_out": _over(counts["timed_out"], tries), "refused": _over(counts["refused"], calls), "full": _over(counts["full"], calls),
        "over_budget": _over(counts["spared"], calls), "orphaned": _over(counts["orphaned"], tries),
        "wasted_cores": counts["wasted"] / S / span,
    }


def _over(part: int, whole: int) -> float | None:
    """A ratio, None of nothing."""
    return part / whole if whole else None


def resilience(found: Sequence[Guarded]) -> Resilience:
    """The part of a result, on average over replications."""
    return Resilience(
        failed=_mean([one.failed for one in found]),
        workloads={name: _mean([one.workloads[name] for one in found]) for name in found[0].workloads},
        guards={name: GuardUse(**_averages([one.guards[name] for one in found])) for name in found[0].guards},
    )


def _mean(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means of ratios that are 0 where they are not named, in the order of causes."""
    return {name: sum(one.get(name, 0.0) for one in found) / len(found) for name in CAUSES.values() if any(name in one for one in found)}


def _averages(found: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Means over the replications that know a number."""
    known = {key: [value for one in found if (value := one[key]) is not None and not np.isnan(value)] for key in found[0]}
    return {key: float(np.mean(values)) if values else None for key, values in known.items()}
