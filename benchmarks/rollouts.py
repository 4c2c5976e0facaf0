"""What orchestration costs: a rolling update of all pods of a Deployment and a scale-down, over the number of pods, twenty on each host.

    python benchmarks/rollouts.py [--pods 100 500 2000] [--orchestrator kubernetes] [--minutes 2]

Each number of pods is measured in a process of its own, with one request a second for each pod. CPU time, not wall time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

EACH = 20


def scenario(pods: int, orchestrator: str, minutes: float) -> str:
    """A Deployment that is updated after ten seconds, and loses a quarter of its pods after a minute."""
    web: dict[str, Any] = {
        "image": "nginx:1.27", "threads": 4, "cpus": 1, "deploy": {"replicas": pods, "resources": {"reservations": {"cpus": 0.5}}},
        "operations": {"get": [{"cpu": {"exponential": "3ms"}}]},
    }
    return json.dumps({
        "simvirt": 1, "name": "rollout", "hosts": {"node": {"count": max(pods // EACH, 1), "cores": 32, "memory": "128GiB"}},
        "platforms": [{"name": "x", "stack": ["containerd"], "orchestrator": orchestrator}], "services": {"web": web},
        "workload": {"open": {"rate": f"{pods}/s"}, "mix": {"web.get": 1}},
        "run": {"duration": f"{minutes}min", "replications": 1, "warmup": "0s"},
        "timeline": [{"at": "10s", "update": "web", "image": "nginx:1.28"}, {"at": "60s", "scale": "web", "replicas": pods * 3 // 4}],
    })


def measured(pods: int, orchestrator: str, minutes: float) -> dict[str, float]:
    """One number of pods, in this process."""
    from simvirt.runs.admission import catalog_of
    from simvirt.runs.replicate import replicate
    from simvirt.scenario import loads

    started = time.process_time()
    spec = loads(scenario(pods, orchestrator, minutes))
    catalog = catalog_of(spec)
    outcome = replicate(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0).outcome
    assert outcome.happening is not None
    took, held = time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"pods": pods, "s": took, "memory_mb": held, "started": outcome.happening.started, "requests": outcome.requests}


def main() -> None:
    """Measure each number of pods and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pods", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--orchestrator", default="kubernetes")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(measured(asked.one, asked.orchestrator, asked.minutes)))
        return
    print(f"{'pods':>6} {'started':>8} {'requests':>9} {'CPU':>9} {'memory':>10} {'a pod':>10}")
    for pods in asked.pods:
        options = ["--orchestrator", asked.orchestrator, "--minutes", str(asked.minutes)]
        done = subprocess.run([sys.executable, __file__, "--one", str(pods), *options], check=True, capture_output=True, text=True)
        row = json.loads(done.stdout.splitlines()[-1])
        each = 1000 * row["s"] / row["started"]
        print(f"{pods:>6} {row['started']:>8} {row['requests']:>9} {row['s']:>7.2f} s {row['memory_mb']:>7.0f} MB {each:>7.2f} ms")


if __name__ == "__main__":
    main()
