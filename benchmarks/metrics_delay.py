"""What the age of metrics does to the spike of `autoscaling.py`: mean latencies in simvirt and by hand on SimPy, delayed alike.

    python benchmarks/metrics_delay.py [--seeds 16]

By hand as there, with a usage that is not known at once: counters of each replica are sampled, a metrics server takes the last samples
in, and the difference of the last two is what the autoscaler sees. Replicas without two samples count as unused. Each period begins at
an instant drawn for it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from autoscaling import BEFORE_S, FIRST, LENGTH_S, MOST, RATE, READY_S, SPIKE, SYNC_S, TARGET, TOLERANCE, WORK_S

DELAYS = {"as Kubernetes": (10, 15), "a second": (1, 1)}
"""How often counters are sampled, and taken in [s]."""


def simvirt(seed: int, sampling: int, resolution: int) -> float:
    """simvirt's mean latency [s]."""
    from simvirt.runs.admission import catalog_of
    from simvirt.runs.replicate import replicate
    from simvirt.scenario import loads

    why = "what is varied here"
    periods = {key: {"value": f"{value}s", "source": why} for key, value in (("sampling", sampling), ("resolution", resolution))}
    web = {
        "cpus": 1, "threads": 1, "deploy": {"replicas": FIRST}, "operations": {"get": [{"cpu": {"exponential": f"{WORK_S}s"}}]},
        "autoscale": {"min": FIRST, "max": MOST, "target": {"cpu": f"{TARGET:.0%}"}, "by": "varied"},
    }
    load = [{"for": f"{BEFORE_S}s", "rate": f"{RATE}/s"}, {"for": f"{LENGTH_S - BEFORE_S}s", "rate": f"{SPIKE * RATE}/s"}]
    spec = loads(json.dumps({
        "simvirt": 1, "name": "spike", "hosts": {"node": {"count": 2, "cores": 32, "memory": "64GiB"}}, "platforms": ["docker"],
        "catalog": {"autoscalers": {"varied": {"like": "hpa", "title": "other periods", "source": why, **periods}}},
        "services": {"web": web}, "workload": {"open": {"piecewise": load}, "mix": {"web.get": 1}},
        "run": {"duration": f"{LENGTH_S}s", "replications": 1, "warmup": "0s", "seed": seed}}))
    catalog = catalog_of(spec)
    return replicate(spec, catalog, catalog.platform(spec.platforms[0]), seed, 0).outcome.latency_mean_s


@dataclass
class Replica:
    """A server with the CPU time that it has used, and the samples of that which the metrics server keeps."""

    server: Any
    used: float = 0.0
    since: float | None = None
    samples: list[tuple[float, float]] = field(default_factory=list)

    def counter(self, now: float) -> float:
        """CPU time so far."""
        return self.used + (0.0 if self.since is None else now - self.since)

    def usage(self) -> float | None:
        """CPUs in use between the last two samples."""
        if len(self.samples) < 2:
            return None
        (before, had), (last, has) = self.samples[-2:]
        return (has - had) / (last - before)


def by_hand(seed: int, sampling: int, resolution: int) -> float:
    """The mean latency of a program on SimPy [s]."""
    import simpy

    env, draw = simpy.Environment(), random.Random(seed)
    replicas, latencies, turn = [Replica(simpy.Resource(env)) for _ in range(FIRST)], list[float](), [0]
    sampled: list[tuple[Replica, float, float]] = []

    def served(replica: Replica) -> Iterator[Any]:
        came = env.now
        with replica.server.request() as mine:
            yield mine
            replica.since, work = env.now, draw.expovariate(1 / WORK_S)
            yield env.timeout(work)
            replica.since, replica.used = None, replica.used + work
        latencies.append(env.now - came)

    def arrive() -> Iterator[Any]:
        while True:
            yield env.timeout(draw.expovariate(RATE * (1.0 if env.now < BEFORE_S else SPIKE)))
            turn[0] += 1
            env.process(served(replicas[turn[0] % len(replicas)]))

    def every(period: float, act: Any) -> Iterator[Any]:
        yield env.timeout(draw.uniform(0, period))
        while True:
            act()
            yield env.timeout(period)

    def sample() -> None:
        sampled[:] = [(replica, env.now, replica.counter(env.now)) for replica in replicas]

    def take_in() -> None:
        for replica, at, used in sampled:
            if not replica.samples or replica.samples[-1][0] < at:
                replica.samples.append((at, used))

    def look() -> None:
        seen = [used for replica in replicas if (used := replica.usage()) is not None]
        many = len(replicas)
        ratio = sum(seen) / many / TARGET
        wanted = min(math.ceil(many * ratio), max(2 * many, many + 4), MOST)
        if abs(ratio - 1) > TOLERANCE and wanted > many:
            env.process(start(wanted - many))

    def start(more: int) -> Iterator[Any]:
        yield env.timeout(READY_S)
        replicas.extend(Replica(simpy.Resource(env)) for _ in range(more))

    env.process(arrive())
    for period, act in ((sampling, sample), (resolution, take_in), (SYNC_S, look)):
        env.process(every(period, act))
    env.run(until=LENGTH_S)
    return statistics.fmean(latencies)


def main() -> None:
    """Both programs with both delays, over seeds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=16)
    asked = parser.parse_args()
    for name, delays in DELAYS.items():
        for program in (simvirt, by_hand):
            means = [program(seed, *delays) for seed in range(1, asked.seeds + 1)]
            error = statistics.stdev(means) / math.sqrt(len(means))
            found = f"{statistics.fmean(means):>6.2f} s, standard error {error:.2f} ({min(means):.2f} to {max(means):.2f})"
            print(f"{name:>14} {program.__name__:>8} {found}")


if __name__ == "__main__":
    main()
