"""What hosts cost: start-up, memory and CPU time of a request over their number, ten replicas on each, at the same load of each host.

    python benchmarks/hosts.py [--hosts 1 10 100 1000] [--requests 100000] [--platform docker] [--svg hosts.svg]

Each number of hosts is measured in a process of its own. CPU time, not wall time: it is the same on a machine that does other things too.
A request's time is that of the run without its first fifth, in which tables grow, with as many looks at the state as a run takes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPLICAS, RATE = 5, 20


def scenario(hosts: int, platform: str, requests: int) -> str:
    """Two services of which one calls the other, five replicas of each on every host, 20 requests/s for each host."""
    def service(*steps: dict[str, Any]) -> dict[str, Any]:
        return {"deploy": {"replicas": REPLICAS * hosts}, "threads": 8, "operations": {"do": list(steps)}}

    return json.dumps({
        "simvirt": 1, "name": "hosts", "hosts": {"node": {"count": hosts, "cores": 16, "memory": "64GiB"}}, "platforms": [platform],
        "services": {
            "web": service({"cpu": {"exponential": "2ms"}}, {"call": "db.do"}), "db": service({"cpu": {"exponential": "1ms"}}),
        },
        "workload": {"open": {"rate": f"{RATE * hosts}/s"}, "mix": {"web.do": 1}},
        "run": {"requests": requests, "replications": 1, "warmup": "0s"},
    })


def measured(hosts: int, platform: str, requests: int) -> dict[str, float]:
    """One number of hosts, in this process."""
    from simvirt.clock import Clock
    from simvirt.control.lifecycle import begin
    from simvirt.gauges import mark
    from simvirt.runs.admission import catalog_of
    from simvirt.runs.replicate import SNAPSHOTS, make_plane
    from simvirt.scenario import loads

    started = time.process_time()
    spec = loads(scenario(hosts, platform, requests))
    catalog = catalog_of(spec)
    plane = make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0)
    clock = Clock(plane)
    begin(clock, spec)
    start = time.process_time() - started
    length = int(requests / (RATE * hosts) * 1e9)
    clock.run(until=length // 5)
    answered, before = int(plane.read("tallies", "completed").sum()), time.process_time()
    for number in range(1, SNAPSHOTS + 1):
        at = length // 5 + length * 4 // 5 * number // SNAPSHOTS
        clock.run(until=at)
        mark(plane, at)
    took, answered = time.process_time() - before, int(plane.read("tallies", "completed").sum()) - answered
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"hosts": hosts, "start_s": start, "memory_mb": held, "us_per_request": 1e6 * took / answered}


def drawn(rows: Sequence[dict[str, float]]) -> str:
    """A figure of the cost of a request over the number of hosts, relative to the first, on logarithmic axes."""
    import math

    width, height, left, low = 480, 300, 56, 40
    most = max(math.log10(row["hosts"]) for row in rows) or 1.0
    top = max(3.5, *(row["us_per_request"] / rows[0]["us_per_request"] for row in rows))

    def at(hosts: float, times: float) -> tuple[float, float]:
        return left + math.log10(hosts) / most * (width - left - 24), height - low - times / top * (height - low - 24)

    points = [at(row["hosts"], row["us_per_request"] / rows[0]["us_per_request"]) for row in rows]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0b6fa4"/>' for x, y in points)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    places = [(at(row["hosts"], 0)[0], row["hosts"]) for row in rows]
    ticks = "".join(f'<text x="{x:.1f}" y="{height - 20}" text-anchor="middle">{hosts:g}</text>' for x, hosts in places)
    scale = "".join(
        f'<text x="{left - 8}" y="{at(1, n)[1] + 4:.1f}" text-anchor="end">{n} x</text>'
        f'<path d="M{left},{at(1, n)[1]:.1f}H{width - 16}" stroke="#ddd"/>' for n in range(int(top) + 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        f'<title>CPU time of a request over the number of hosts</title>{scale}'
        f'<polyline points="{line}" fill="none" stroke="#0b6fa4"/>{dots}{ticks}'
        f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">hosts, ten replicas on each</text></svg>\n')


def main() -> None:
    """Measure each number of hosts, print a table, and draw it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--platform", default="docker")
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(measured(asked.one, asked.platform, asked.requests)))
        return
    rows = []
    print(f"{'hosts':>6} {'replicas':>9} {'start':>9} {'memory':>10} {'request':>10} {'':>7}")
    for hosts in asked.hosts:
        command = [sys.executable, __file__, "--one", str(hosts), "--requests", str(asked.requests), "--platform", asked.platform]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        row, times = rows[-1], rows[-1]["us_per_request"] / rows[0]["us_per_request"]
        cells = f"{row['start_s']:>7.2f} s {row['memory_mb']:>7.0f} MB {row['us_per_request']:>7.2f} us {times:>5.2f} x"
        print(f"{hosts:>6} {2 * REPLICAS * hosts:>9} {cells}")
    if asked.svg is not None:
        asked.svg.write_text(drawn(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
