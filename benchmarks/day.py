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
    what = outcome.happening.events.counted
    return {
        "pods": pods, "s": time.process_time() - started, "requests": outcome.requests, "events": outcome.events,
        "memory_mb": {hour: min(seen, key=lambda one: abs(one[0] - hour))[1] for hour in HOURS if hour <= hours},
        "end_mb": resident_mb(),
        "started": outcome.happening.started, "scaled": what["scale"], "hosts_lost": what["power"],
        "crashed": what["failed"], "rollouts": what["update"], "told": what.total(),
    }


def drawn(rows: Sequence[dict[str, Any]]) -> str:
    """A figure of the cost over the number of pods: CPU time, and resident memory at the end."""
    width, height, left, low = 480, 300, 56, 40
    most, top, held = (max(float(row[name]) for row in rows) for name in ("pods", "s", "end_mb"))

    def points(name: str, scale: float) -> list[tuple[float, float]]:
        return [(left + row["pods"] / most * (width - left - 64), height - low - row[name] / scale * (height - low - 32)) for row in rows]

    def line(name: str, scale: float, colour: str) -> str:
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points(name, scale))
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points(name, scale))
        return f'<polyline points="{path}" fill="none" stroke="{colour}"/>{dots}'

    def said(name: str, scale: float, unit: str, colour: str, above: bool) -> str:
        found = zip(points(name, scale), rows, strict=True)
        return "".join(
            f'<text x="{x:.1f}" y="{y - 8 if above else y + 18:.1f}" text-anchor="middle" fill="{colour}">{row[name]:.0f} {unit}</text>'
            for (x, y), row in found)

    time_, memory = "#0b6fa4", "#c05000"
    ticks = "".join(
        f'<text x="{x:.1f}" y="{height - 20}" text-anchor="middle">{row["pods"]}</text>'
        for (x, _), row in zip(points("s", top), rows, strict=True))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        f'<title>Cost of a simulated day over the number of pods</title><path d="M{left},{height - low}H{width - 32}" stroke="#999"/>'
        f'{line("end_mb", 1.6 * held, memory)}{said("end_mb", 1.6 * held, "MB", memory, True)}'
        f'{line("s", top, time_)}{said("s", top, "s", time_, False)}{ticks}'
        f'<text x="{left}" y="16" fill="{time_}">CPU time</text><text x="{left + 80}" y="16" fill="{memory}">memory at the end</text>'
        f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">pods in the mean, twenty on each host</text></svg>\n')


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
    rows = []
    print(f"{'pods':>6} {'hosts':>6} {'CPU':>9} {'requests':>10} {'starts':>7} {'scaled':>7} {'memory':>27}")
    for pods in asked.pods:
        command = [sys.executable, __file__, "--one", str(pods), "--hours", str(asked.hours)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(row := json.loads(done.stdout.splitlines()[-1]))
        memory = ", ".join(f"{held:.0f}" for held in row["memory_mb"].values())
        counts = f"{row['requests']:>10} {row['started']:>7} {row['scaled']:>7}"
        print(f"{pods:>6} {math.ceil(pods / EACH_HOST):>6} {row['s']:>7.1f} s {counts} {memory:>24} MB", flush=True)
    if asked.svg is not None:
        asked.svg.write_text(drawn(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
