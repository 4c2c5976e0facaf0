"""Documents of `simvirt run` by hand, as JSON has them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
LEDGER = (
    "capacity", "kernel", "application", "guest_os", "held", "page_cache", "vmm", "runtime", "swapped", "free", "shared", "committed",
)


def estimate(value: float, relative: float = 0.02) -> Json:
    """A value with an interval as wide as twice the relative error."""
    return {"value": value, "low": value * (1 - relative), "high": value * (1 + relative)}


def latency(mean: float) -> Json:
    """A latency whose quantiles follow from its mean."""
    return {"mean": estimate(mean)} | {key: estimate(mean * times) for key, times in (("p50", 0.7), ("p90", 2), ("p95", 3), ("p99", 7.6))}


def service(mean: float, cores: float, throttled: float = 0.0) -> Json:
    """What a service did."""
    none = dict.fromkeys(("queue_wait_s", "threads_busy", "nr_periods", "throttled_s", "rejected"), estimate(0.0))
    return none | {
        "latency_s": latency(mean), "throughput_per_s": estimate(799.6), "cpu_cores": estimate(cores), "nr_throttled": estimate(throttled),
    }


def platform(mean: float, steal: float = 0.0, virtualization: float = 0.0) -> Json:
    """What a platform did."""
    parts = dict.fromkeys(("run_queue", "throttled", "virtualization", "disk", "network", "delay", "lock"), 0.0)
    return {
        "replications": 5, "requests": 480000, "events": 3600000, "wall_s": 0.9, "warmup_s": 12.0, "simulated_s": 600.0,
        "latency_s": latency(mean), "throughput_per_s": estimate(799.6, 0.002), "rejected": estimate(0.0), "failed": estimate(0.0),
        "cpu": {
            "utilisation": estimate(0.41), "steal": estimate(steal), "throttled": estimate(0.0), "virtualization": estimate(virtualization),
        },
        "services": {"web": service(mean, 1.7), "db": service(mean / 3, 1.3, steal * 1e4)},
        "operations": {},
        "breakdown_s": parts | {"queue": mean * 0.25, "steal": steal * mean, "cpu": mean * (0.75 - steal)},
        "bottleneck": {"resource": "db.cpu", "utilisation": 0.62, "max_throughput_per_s": 1290.0, "resources": {"db.cpu": 0.62}},
        "memory": {"capacity_bytes": 2**34, "committed_bytes": 0, "parts": {}, "ledger": {f"{name}_bytes": 0 for name in LEDGER}},
        "limits": {},
        "objective": {"latency_p99": {"limit": 0.1, "value": mean * 7.6, "met": mean * 7.6 <= 0.1, "verdict": "met" if mean * 7.6 <= 0.1 else "missed"}},
        "checks": {"little": "ok", "flow": "ok", "utilisation_law": "ok"},
    }


def run_document(**platforms: Json) -> Json:
    """A result without comparison."""
    return {
        "simvirt": {"version": "0.1.0", "schema": 1, "kernel": "compiled"}, "scenario": {"name": "web-shop", "digest": "1a2b3c4d5e6f"},
        "seed": 1, "replications": 5, "wall_s": 4.5, "platforms": platforms, "comparison": {}, "warnings": [],
    }
