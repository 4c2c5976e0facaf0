"""wrk and wrk2: what they print, with the distribution of latencies where `--latency` asked for it.

*Source*: wrk, src/wrk.c and src/units.c: times in us, ms, s, m and h with two decimals.
"""

from __future__ import annotations

import re
from typing import Final

from simvirt.measurements.points import Point, refuse

UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
RATE: Final = re.compile(r"^Requests/sec:\s*([\d.]+)", re.MULTILINE)
CLIENTS: Final = re.compile(r"^\s*\d+ threads and (\d+) connections", re.MULTILINE)
MEAN: Final = re.compile(r"^\s+Latency\s+([\d.]+)(us|ms|s|m|h)\b", re.MULTILINE)
QUANTILE: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)%\s+([\d.]+)(us|ms|s|m|h)\s*$", re.MULTILINE)
NAMES: Final = {50.0: "p50", 90.0: "p90", 95.0: "p95", 99.0: "p99", 99.9: "p999", 100.0: "max"}


def recognises(text: str) -> bool:
    """Whether it is what wrk prints."""
    return "Thread Stats" in text and CLIENTS.search(text) is not None


def read(text: str, file: str) -> list[Point]:
    """The run that was printed."""
    rate, clients, mean = RATE.search(text), CLIENTS.search(text), MEAN.search(text)
    if rate is None:
        last = len(text.splitlines())
        refuse(file, last, "", "expected a line with the throughput, for example Requests/sec: 7488.53; is the output whole?")
    found = {} if mean is None else {"mean": float(mean[1]) * UNITS[mean[2]]}
    found |= {NAMES[float(m[1])]: float(m[2]) * UNITS[m[3]] for m in QUANTILE.finditer(text) if float(m[1]) in NAMES}
    return [Point(file, None, None, float(rate[1]), float(clients[1]) if clients else None, latency_s=found)]
