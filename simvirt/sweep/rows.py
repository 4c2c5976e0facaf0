"""The rows of a table that one cell of a sweep makes: what its platforms did; made by the worker that simulated it."""

from __future__ import annotations

import math
from typing import Any

from simvirt.metrics.statistics import relative_half_width
from simvirt.result import frames
from simvirt.result.run_document import PlatformResult, RunDocument


def rows_of(document: RunDocument) -> list[dict[str, Any]]:
    """One row a platform: its name, what its objective comes to, how precise it is, and its measures, None where one is not known."""
    frame = frames.of_run(document)
    return [
        {"platform": name, "objective": _objective(found), "half_width": _known(_half_width(found))}
        | {key: _known(values[n]) for key, values in frame.items() if key != "platform"}
        for n, (name, found) in enumerate(document.platforms.items())
    ]


def _known(value: Any) -> Any:
    """A value, None where it is not a number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _objective(found: PlatformResult) -> str:
    """What the objectives, of all requests and of each workload, come to: missed where a limit is, else undecided where one is."""
    limits = [found.objective, *(mine.objective for mine in found.workloads.values())]
    verdicts = {verdict.verdict for objective in limits for verdict in objective.values()}
    return next((verdict for verdict in ("missed", "undecided", "met") if verdict in verdicts), "")


def _half_width(found: PlatformResult) -> float:
    """Largest relative half-width of what a precision is asked of: mean latencies and throughputs, by workload where there are some."""
    every = found.workloads.values() or (found,)
    asked = [estimate for one in every for estimate in (one.latency_s.mean, one.throughput_per_s)]
    return max((relative_half_width(estimate) for estimate in asked if estimate.value is not None), default=math.nan)
