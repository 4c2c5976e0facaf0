"""The measures that two results are compared by, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simvirt.result.compare_document import Direction


@dataclass(frozen=True, slots=True)
class Measure:
    """Its name in words, and what it is."""

    name: str
    kind: Direction


MAXIMUM: Final = "max_throughput_per_s"
MEASURES: Final[Mapping[str, Measure]] = {
    "latency_mean_s": Measure("mean", "time"), "latency_p50_s": Measure("p50", "time"), "latency_p90_s": Measure("p90", "time"),
    "latency_p95_s": Measure("p95", "time"), "latency_p99_s": Measure("p99", "time"), "latency_p999_s": Measure("p999", "time"),
    "throughput_per_s": Measure("throughput", "answers"), MAXIMUM: Measure("max throughput", "rate"),
    "rejected": Measure("rejected", "share"), "failed": Measure("failed", "share"), "cpu_utilisation": Measure("cpu", "share"),
}
"""By column of `frame()`."""
BY_NAME: Final[Mapping[str, str]] = {measure.name.replace(" ", "-"): key for key, measure in MEASURES.items()}
"""Columns by what users call them: `p99`, `max-throughput`."""
