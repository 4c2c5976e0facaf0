"""A cluster's day: 24 hours of a load that follows the day, with autoscaling, rollouts and failures, over the number of pods.

    python benchmarks/day.py [--pods 200 500 1000 2000] [--hours 24] [--svg docs/day.svg]

Twenty pods on each host, a hundred in the mean in each Deployment, each of which scales itself at 60 % of the CPU that its pods request,
gets another version once in the day, and may lose hosts (one failure of each in a month, repaired within hours) and processes (one of each
in a week, restarted). A request computes for two seconds in the mean, 0.075 of them a second come for each pod: what the control plane
does depends on how much is computed, not on how many requests that are. Each number of pods is measured in a process of its own; CPU time
and resident memory of it, which is looked at after each 64th part of the run.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EACH_HOST, EACH_SERVICE = 20, 100
RATE, WORK_S, REQUEST = 0.075, 2, 0.25
HOURS = (2, 8, 24)
"""When resident memory is told."""


def scenario(pods: int, hours: float) -> str:
    """So many pods in the mean, on average half of what may be."""
    many = max(pods // EACH_SERVICE, 1)
    each = pods // many

    def service() -> dict[str, Any]:
        return {
            "image": "nginx:1.27", "threads": "unlimited", "restart": "always",
            "deploy": {"replicas": each, "resources": {"reservations": {"cpus": REQUEST, "memory": "256MiB"}}},
            "autoscale": {"min": max(each // 3, 1), "max": 2 * each, "target": {"cpu": "60%"}},
            "operations": {"get": [{"cpu": {"exponential": f"{WORK_S}s"}}]},
        }

    names = [f"app{number}" for number in range(many)]
    rollouts = [(hours * (number + 0.5) / many, name) for number, name in enumerate(names)]
    return json.dumps({
        "simvirt": 1, "name": "day", "hosts": {"node": {"count": math.ceil(pods / EACH_HOST), "cores": 16, "memory": "64GiB"}},
        "platforms": [{"name": "x", "stack": ["containerd"], "orchestrator": "kubernetes"}],
        "services": {name: service() for name in names}, "state": {"images": "present", "instances": "up"},
        "workload": {
            "open": {"diurnal": {"mean": f"{RATE * each * many * 0.6 * REQUEST / (RATE * WORK_S)}/s", "amplitude": 0.5}},
            "mix": {f"{name}.get": 1 for name in names}},
        "failures": {"random": [
            {"fail": "node", "how": "power", "mtbf": "30d", "mttr": {"exponential": "2h"}},
            *({"fail": name, "how": "process", "mtbf": "7d"} for name in names)]},
        "timeline": [{"at": f"{at * 60}min", "update": name, "image": "nginx:1.28"} for at, name in rollouts],
        "objective": {"latency_p99": "60s"},
        "run": {"duration": f"{hours}h", "replications": 1, "warmup": "0s", "seed": 1},
    })


def resident_mb() -> float:
    """Resident memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def measured(pods: int, hours: float) -> dict[str, Any]:
    """One number of pods, in this process."""
    from simvirt.runs.admission import catalog_of
    from simvirt.runs.replicate import replicate
    from simvirt.scenario import loads

    started, seen = time.process_time(), list[tuple[float, float]]()
    spec = loads(scenario(pods, hours))
    catalog = catalog_of(spec)

    def look(done: float, _events: int, _wall: float) -> None:
        seen.append((done * hours, resident_mb()))

    outcome = replicate(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0, progress=look).outcome
    assert outcome.happening is not None and outcome.course is not None
    what = [told.what for told in outcome.happening.events]
    return {
        "pods": pods, "s": time.process_time() - started, "requests": outcome.requests, "events": outcome.events,
        "memory_mb": {hour: min(seen, key=lambda one: abs(one[0] - hour))[1] for hour in HOURS if hour <= hours},
        "started": outcome.happening.started, "scaled": what.count("scale"), "hosts_lost": what.count("power"),
        "crashed": what.count("failed"), "rollouts": what.count("update"), "told": len(what),
    }


def main() -> None:
    """Measure each number of pods, print a table, and draw it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pods", type=int, nargs="+", default=[200, 500, 1000, 2000])
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(measured(asked.one, asked.hours)))
        return


if __name__ == "__main__":
    main()
