"""The forms of measurements that are read: one entry and one file for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simvirt.measurements import docker_stats, hey, k6, locust, prometheus, sar, table, vmstat, wrk
from simvirt.measurements.points import Point


@dataclass(frozen=True, slots=True)
class Format:
    """A form: what it is, how it is recognised and read; `whole` where its points tell both load and use."""

    title: str
    recognises: Callable[[str], bool]
    read: Callable[[str, str], list[Point]]
    whole: bool = False


FORMATS: Final[dict[str, Format]] = {
    "table": Format("a table of points in CSV", table.recognises_csv, table.read_csv, whole=True),
    "points": Format("points in JSON", table.recognises_json, table.read_json, whole=True),
    "k6": Format("summaries of k6 (--summary-export)", k6.recognises, k6.read),
    "wrk": Format("what wrk and wrk2 print", wrk.recognises, wrk.read),
    "hey": Format("what hey prints, or its CSV", hey.recognises, hey.read),
    "locust": Format("the _stats.csv of locust --csv", locust.recognises, locust.read),
    "docker-stats": Format("docker stats, as table or JSON lines", docker_stats.recognises, docker_stats.read),
    "sar": Format("sar -u, or sadf -j", sar.recognises, sar.read),
    "vmstat": Format("vmstat with an interval", vmstat.recognises, vmstat.read),
    "prometheus": Format("answers of Prometheus' query_range", prometheus.recognises, prometheus.read),
}
"""Name -> form; a file is of the first that recognises it."""
