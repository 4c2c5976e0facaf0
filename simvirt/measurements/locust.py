"""Locust: the `_stats.csv` of `--csv`; times in ms, a line for each name and one for all.

*Source*: locust, stats.py, StatsCSV.requests_csv_columns; the line of all is called Aggregated (before 1.0: Total).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from simvirt.measurements.points import Point, number, refuse

ALL: Final = ("Aggregated", "Total")
QUANTILES: Final = {
    "Average Response Time": "mean", "50%": "p50", "90%": "p90", "95%": "p95", "99%": "p99", "99.9%": "p999", "Max Response Time": "max",
}


def recognises(text: str) -> bool:
    """Whether it is a table of locust."""
    head = text.lstrip("\ufeff").partition("\n")[0]
    return "Request Count" in head and "Requests/s" in head


def read(text: str, file: str) -> list[Point]:
    """The run; its names are operations, as `GET /` or `/`."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    lines = [(reader.line_num, row) for row in reader]
    whole = next(((line, row) for line, row in lines if row.get("Name") in ALL), None)
    if whole is None:
        refuse(file, None, "Name", "expected a line of all requests, which is called Aggregated")
    line, row = whole
    found = {name: number(row[key], file, line, key) / 1e3 for key, name in QUANTILES.items() if row.get(key) not in (None, "", "N/A")}
    each = {_name(other): number(other.get("Requests/s"), file, at, "Requests/s") for at, other in lines if other.get("Name") not in ALL}
    return [Point(file, line, None, number(row.get("Requests/s"), file, line, "Requests/s"), operations=each, latency_s=found)]


def _name(row: Mapping[str, Any]) -> str:
    """The name of an operation, with its method where it has one."""
    return f"{row.get('Type') or ''} {row.get('Name') or ''}".strip()
