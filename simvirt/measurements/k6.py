"""k6: the JSON of `--summary-export`, and that of `handleSummary`; times in ms.

*Source*: Grafana k6 documentation, End of test and Built-in metrics.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from simvirt.measurements.points import Point, number, refuse

QUANTILES: Final = {
    "avg": "mean", "med": "p50", "p(50)": "p50", "p(90)": "p90", "p(95)": "p95", "p(99)": "p99", "p(99.9)": "p999", "max": "max",
}
SIGN: Final = re.compile(r'"metrics"\s*:')


def recognises(text: str) -> bool:
    """Whether it is a summary of k6."""
    return text.lstrip().startswith("{") and SIGN.search(text) is not None and '"http_req' in text


def read(text: str, file: str) -> list[Point]:
    """The run that it sums up; of requests, not of iterations."""
    try:
        metrics = json.loads(text)["metrics"]
    except (ValueError, KeyError, TypeError) as error:
        refuse(file, getattr(error, "lineno", 1), "metrics", f"expected a summary of k6, as --summary-export writes it; {error}")
    rate = _values(metrics, "http_reqs", file).get("rate")
    if rate is None:
        refuse(file, None, "metrics.http_reqs.rate", 'expected the rate of requests, for example "http_reqs": {"count": 6000, "rate": 100}')
    latency = _values(metrics, "http_req_duration", file)
    found = {QUANTILES[name]: number(value, file, None, f"http_req_duration.{name}") / 1e3
             for name, value in latency.items() if name in QUANTILES and value is not None}
    clients = _values(metrics, "vus", file).get("value")
    return [Point(file, None, None, number(rate, file, None, "http_reqs.rate"), None if clients is None else float(clients) or None,
                  latency_s=found)]


def _values(metrics: Any, name: str, file: str) -> Mapping[str, Any]:
    """The values of a metric, which `handleSummary` has one level deeper."""
    metric = metrics.get(name, {}) if isinstance(metrics, Mapping) else None
    found = metric.get("values", metric) if isinstance(metric, Mapping) else None
    if not isinstance(found, Mapping):
        refuse(file, None, f"metrics.{name}", 'expected a mapping, for example {"avg": 3.2, "p(95)": 8.1}')
    return found
