"""Prometheus: the JSON of query_range, of metrics by their names, or of an expression of which the caller says what it is.

Counters become rates between samples; a counter that falls began anew. Series of one service are added.

*Source*: Prometheus documentation, HTTP API, range queries; cAdvisor, storage/prometheus: container_cpu_usage_seconds_total,
    container_memory_working_set_bytes, container_memory_usage_bytes; node_exporter: node_cpu_seconds_total with its modes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from simvirt.measurements.points import Point, refuse

KINDS: Final = ("cpu", "memory", "rate", "latency")
METRICS: Final = {
    "container_cpu_usage_seconds_total": "cpu", "process_cpu_seconds_total": "cpu", "container_memory_working_set_bytes": "memory",
    "container_memory_usage_bytes": "memory", "process_resident_memory_bytes": "memory", "http_requests_total": "rate",
    "http_server_requests_seconds_count": "rate", "nginx_http_requests_total": "rate",
}
"""Metric -> what it tells."""
SERVICE: Final = (
    "container_label_com_docker_compose_service", "container_label_com_docker_swarm_service_name", "container", "service", "app",
    "name", "pod", "job",
)
"""Labels that name a service, the best first."""
OPERATION: Final = ("handler", "route", "uri", "path", "endpoint")
NOT_ONE: Final = {"POD", ""}
"""What `container` is called where it is the pause process, or the sum of a pod's containers."""
Series = list[tuple[float, float]]


def recognises(text: str) -> bool:
    """Whether it is an answer of Prometheus."""
    return text.lstrip().startswith("{") and re.search(r'"resultType"\s*:\s*"matrix"', text) is not None


def read(text: str, file: str, kind: str | None = None) -> list[Point]:
    """A point for each instant; `kind` is what the expression tells (cpu, memory, rate, latency) where no metric's name does."""
    try:
        results = json.loads(text)["data"]["result"]
        series = [(dict(each["metric"]), [(float(at), float(value)) for at, value in each["values"]]) for each in results]
    except (ValueError, KeyError, TypeError) as error:
        refuse(file, getattr(error, "lineno", 1), "data.result", f"expected an answer of query_range; {type(error).__name__}: {error}")
    found: dict[float, dict[str, dict[str, float]]] = {}
    for labels, values in series:
        told = kind or METRICS.get(labels.get("__name__", ""))
        if told is None:
            refuse(file, None, "data.result.metric", f"expected a metric that is known ({', '.join(METRICS)}), or to be told what the "
                   f"expression is: cpu=FILE, memory=FILE, rate=FILE or latency=FILE; got {str(labels)[:80]}")
        if labels.get("container", "-") not in NOT_ONE:
            _add(found, told, _name(labels, told), _rates(values) if labels.get("__name__", "").endswith(("_total", "_count")) else values)
    if not found:
        refuse(file, None, "data.result", "expected at least one series with values")
    return [_point(file, at, told) for at, told in sorted(found.items())]


def _name(labels: Mapping[str, str], told: str) -> str:
    wanted = (*OPERATION, *SERVICE) if told == "rate" else SERVICE
    name = next((labels[label] for label in wanted if labels.get(label)), "")
    return f"{labels['method']} {name}" if told == "rate" and labels.get("method") and name else name


def _rates(values: Series) -> Series:
    """The increase per second up to each instant."""
    return [
        (at, (now - before if now >= before else now) / (at - earlier)) for (earlier, before), (at, now) in pairwise(values) if at > earlier
    ]


def _add(found: dict[float, dict[str, dict[str, float]]], told: str, name: str, values: Series) -> None:
    for at, value in values:
        if value == value:  # not NaN, as an empty quantile is
            of = found.setdefault(at, {}).setdefault(told, {})
            of[name] = of.get(name, 0.0) + value


def _point(file: str, at: float, told: Mapping[str, Mapping[str, Any]]) -> Point:
    rates = told.get("rate", {})
    latency = {"mean": sum(told["latency"].values()) / len(told["latency"])} if "latency" in told else {}
    return Point(file, None, at, sum(rates.values()) if rates else None, None, None, {name: value for name, value in rates.items() if name},
                 latency, told.get("cpu", {}), told.get("memory", {}))
