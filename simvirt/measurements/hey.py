"""hey: what it prints, and its CSV (`-o csv`) of single requests.

*Source*: hey, requester/print.go and requester/report.go: times in seconds; `offset` is when a request began, since the start.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Final

import numpy as np

from simvirt.measurements.points import Point, number, refuse

HEAD: Final = "response-time,DNS+dialup"
RATE: Final = re.compile(r"^\s*Requests/sec:\s*([\d.]+)", re.MULTILINE)
MEAN: Final = re.compile(r"^\s*Average:\s*([\d.]+) secs", re.MULTILINE)
QUANTILE: Final = re.compile(r"^\s*(\d+)%%? in ([\d.]+) secs", re.MULTILINE)
NAMES: Final = {"50": "p50", "90": "p90", "95": "p95", "99": "p99"}
QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def recognises(text: str) -> bool:
    """Whether it is what hey prints, or its CSV."""
    return text.startswith(HEAD) or ("Summary:" in text and "Requests/sec:" in text and "secs" in text)


def read(text: str, file: str) -> list[Point]:
    """The run."""
    return [_of_requests(text, file) if text.startswith(HEAD) else _of_summary(text, file)]


def _of_summary(text: str, file: str) -> Point:
    rate, mean = RATE.search(text), MEAN.search(text)
    if rate is None or mean is None:
        refuse(file, None, "", "expected lines as hey prints them, for example Average: 0.0033 secs and Requests/sec: 293.2")
    found = {"mean": float(mean[1])} | {NAMES[m[1]]: float(m[2]) for m in QUANTILE.finditer(text) if m[1] in NAMES}
    return Point(file, None, None, float(rate[1]), latency_s=found)


def _of_requests(text: str, file: str) -> Point:
    """Throughput over the time from the first beginning to the last end."""
    reader = csv.DictReader(io.StringIO(text))
    names = ("response-time", "offset")
    rows = [tuple(number(row.get(name), file, reader.line_num, name) for name in names) for row in reader]
    if len(rows) < 2:
        refuse(file, 1, "", "expected at least two requests")
    took, began = np.array(rows).T
    lasted = float((began + took).max() - began.min())
    quantiles = {name: float(np.quantile(took, share)) for name, share in QUANTILES.items()}
    return Point(file, None, None, len(rows) / lasted, latency_s={"mean": float(took.mean()), **quantiles})
