"""The rows of a table that one cell of a sweep makes: what its platforms did; made by the worker that simulated it."""

from __future__ import annotations

import math
from typing import Any

from simvirt.result import frames
from simvirt.result.run_document import PlatformResult, RunDocument


def rows_of(document: RunDocument) -> list[dict[str, Any]]:
    """One row a platform: its name, what its objective comes to, and its measures, None where one is not known."""
    frame = frames.of_run(document)
    names = frame.pop("platform", [])
    return [
        {"platform": name, "objective": _objective(document.platforms[name]), **{key: _known(values[n]) for key, values in frame.items()}}
        for n, name in enumerate(names)
    ]


def _known(value: Any) -> Any:
    """A value, None where it is not a number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _objective(found: PlatformResult) -> str:
    """What the objectives, of all requests and of each workload, come to: missed where a limit is, else undecided where one is."""
    limits = [found.objective, *(mine.objective for mine in found.workloads.values())]
    verdicts = {verdict.verdict for objective in limits for verdict in objective.values()}
    return next((verdict for verdict in ("missed", "undecided", "met") if verdict in verdicts), "")
