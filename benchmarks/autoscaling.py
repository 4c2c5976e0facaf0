"""The same spike, autoscaled, in simvirt and written by hand on SimPy: CPU time of a request, alternating in one run, as a ratio.

    python benchmarks/autoscaling.py [--times 1 10] [--repeat 3]

Replicas with a CPU and a thread each, round-robin; requests of 50 ms in the mean; after a minute five times the load; an autoscaler that
looks every 15 s at the CPU usage of the last 10 s, aims at 60 % with a tolerance of 10 %, and at most doubles or adds four; new replicas
are ready after what simvirt says of containers. `--times` multiplies rates and replicas. The program on SimPy knows that and nothing else:
no kernel, no scheduler, no hosts. Each measurement is a process of its own; what both say of replicas and latencies is printed beside it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

RATE, SPIKE, WORK_S, BEFORE_S, LENGTH_S = 20.0, 5.0, 0.05, 60.0, 360.0
TARGET, TOLERANCE, SYNC_S, WINDOW_S, READY_S = 0.6, 0.1, 15.0, 10.0, 0.43
FIRST, MOST = 2, 32


def simvirt(times: int) -> dict[str, float]:
    """simvirt's answer."""
    from simvirt.runs.admission import catalog_of
    from simvirt.runs.replicate import replicate
    from simvirt.scenario import loads

    web = {
        "cpus": 1, "threads": 1, "deploy": {"replicas": FIRST * times}, "operations": {"get": [{"cpu": {"exponential": f"{WORK_S}s"}}]},
        "autoscale": {"min": FIRST * times, "max": MOST * times, "target": {"cpu": f"{TARGET:.0%}"}},
    }
    load = [{"for": f"{BEFORE_S}s", "rate": f"{RATE * times}/s"}, {"for": f"{LENGTH_S - BEFORE_S}s", "rate": f"{SPIKE * RATE * times}/s"}]
    spec = loads(json.dumps({
        "simvirt": 1, "name": "spike", "hosts": {"node": {"count": 2 * times, "cores": 32, "memory": "64GiB"}}, "platforms": ["docker"],
        "services": {"web": web}, "workload": {"open": {"piecewise": load}, "mix": {"web.get": 1}},
        "run": {"duration": f"{LENGTH_S}s", "replications": 1, "warmup": "0s", "seed": 1}}))
    catalog = catalog_of(spec)
    before = time.process_time()
    outcome = replicate(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0).outcome
    took = time.process_time() - before
    levels = outcome.scaled["web"].levels
    return {"s": took, "requests": outcome.requests, "replicas": levels[-1].ready / times, "mean_s": outcome.latency_mean_s}


def by_hand(times: int) -> dict[str, float]:
    """The answer of a program on SimPy."""
    import simpy

    before = time.process_time()
    env, draw = simpy.Environment(), random.Random(1)
    servers = [simpy.Resource(env) for _ in range(FIRST * times)]
    busy, latencies, turn = [0.0], list[float](), [0]

    def served(server: Any) -> Iterator[Any]:
        came = env.now
        with server.request() as mine:
            yield mine
            work = draw.expovariate(1 / WORK_S)
            yield env.timeout(work)
            busy[0] += work
        latencies.append(env.now - came)

    def arrive() -> Iterator[Any]:
        while True:
            rate = RATE * times * (1.0 if env.now < BEFORE_S else SPIKE)
            yield env.timeout(draw.expovariate(rate))
            turn[0] += 1
            env.process(served(servers[turn[0] % len(servers)]))

    def scale() -> Iterator[Any]:
        while True:
            yield env.timeout(SYNC_S - WINDOW_S)
            used, many = busy[0], len(servers)
            yield env.timeout(WINDOW_S)
            ratio = (busy[0] - used) / WINDOW_S / many / TARGET
            wanted = min(math.ceil(many * ratio), max(2 * many, many + 4), MOST * times)
            if abs(ratio - 1) > TOLERANCE and wanted > many:
                yield env.timeout(READY_S)
                servers.extend(simpy.Resource(env) for _ in range(wanted - many))

    env.process(arrive())
    env.process(scale())
    env.run(until=LENGTH_S)
    took = time.process_time() - before
    return {"s": took, "requests": len(latencies), "replicas": len(servers) / times, "mean_s": statistics.fmean(latencies)}


PROGRAMS = {"simvirt": simvirt, "SimPy": by_hand}


def main() -> None:
    """Measure both in turn, and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", choices=PROGRAMS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(PROGRAMS[asked.one](asked.times[0])))
        return
    print(f"{'times':>6} {'program':>8} {'requests':>9} {'replicas':>9} {'mean':>9} {'a request':>11} {'':>8}")
    for times in asked.times:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
        for _ in range(asked.repeat):
            for name in PROGRAMS:
                command = [sys.executable, __file__, "--one", name, "--times", str(times)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
        each = {name: statistics.median(1e6 * one["s"] / one["requests"] for one in rows) for name, rows in found.items()}
        for name, rows in found.items():
            cells = f"{rows[0]['requests']:>9} {rows[0]['replicas']:>9.1f} {rows[0]['mean_s']:>7.2f} s {each[name]:>8.2f} us"
            print(f"{times:>6} {name:>8} {cells} {each[name] / each['simvirt']:>6.2f} x")


if __name__ == "__main__":
    main()
