"""Cases: what changes the CPUs of replicas with their usage."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import REPLICATED
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

SOURCE: Final = "made up for a test"


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": SOURCE}


TIGHT: Final = patched(REPLICATED, {
    "platforms": ["docker"], "host/cores": 8, "services/server": {"cpus": 0.25, "cpu_period": "1s", "scale": 2, "threads": 4, "queue": 4, "operations": {"job": [{"cpu": {"exponential": "400ms"}}]}},
    "services/server/vertical": {"max": 4, "update": "in-place", "by": "mine"}, "catalog": {"vertical_autoscalers": {"mine": {"like": "vpa"}}},
    "workload/open/rate": "1.5/s", "run": {"duration": "75min", "replications": 1, "warmup": "0s"},
})
"""Two containers that need more than they have, and get it after most of an hour."""
VERTICAL: Final = "services/server/vertical"
DONE: Final = "throughput_per_s"
TOLD: Final = "happened/told"
BUSY: Final = "latency_s/mean"


CASES: Final = (
    Case("ServiceSpec.vertical", TIGHT, {VERTICAL: ABSENT}, {}, DONE, RISES),
    Case("VerticalSpec.min", TIGHT, {}, {f"{VERTICAL}/min": 1}, DONE, RISES),
    Case("VerticalSpec.max", TIGHT, {f"{VERTICAL}/max": 0.26}, {}, DONE, RISES),
    Case("VerticalSpec.update", TIGHT, {}, {f"{VERTICAL}/update": "recreate"}, "lifecycle/ready", RISES),
    Case("VerticalSpec.by", patched(TIGHT, {"catalog/vertical_autoscalers/mine": {"like": "vpa", "margin": number(2)}}), {f"{VERTICAL}/by": "vpa"}, {}, DONE, RISES),
)


def of(field: str, value: str | float, moves: str, base: dict[str, Any] = TIGHT, read: str = DONE) -> Case:
    """A case of one constant of a vertical autoscaler."""
    return Case(f"vertical_autoscalers.{field}", base, {}, {f"catalog/vertical_autoscalers/mine/{field}": number(value)}, read, moves)


REPLACED: Final = patched(TIGHT, {f"{VERTICAL}/update": "recreate"})
ENTRIES: Final = (
    of("sampling", "100s", CHANGES, TIGHT, BUSY), of("resolution", "200s", CHANGES, TIGHT, BUSY), of("interval", "10min", FALLS), of("first", 1, RISES), of("growth", 2, RISES),
    of("half_life", "1min", CHANGES, TIGHT, BUSY), of("percentile", 0.01, CHANGES, TIGHT, BUSY), of("lower", 0.001, FALLS), of("margin", 2, RISES), of("least", 1, RISES),
    of("upper", 0.01, RISES, patched(TIGHT, {"services/server/cpus": 8, "host/cores": 64, "workload/open": {"piecewise": [{"for": "5min", "rate": "4/s"}, {"for": "400min", "rate": "0.05/s"}]}, "run/duration": "330min", f"{VERTICAL}/max": 64}), TOLD),
    of("tolerance", 0.4, FALLS, REPLACED, "lifecycle/ready"), of("replicas", 3, FALLS, REPLACED, "lifecycle/ready"),
)
