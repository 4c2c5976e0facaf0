"""simvirt beside other simulators on the same work, in one run: machines are noisy, so only ratios count.

    python benchmarks/compare.py [--peers DIR] [--rounds 3] [--quick]

Four queueing workloads (W1 M/M/1, W2 M/M/8, W3 M/G/1-PS, W4 three tiers) run in turn in simvirt (compiled and plain) and in the
programs found under DIR, each a process of its own; the table shows medians of steady requests per second and their ratios.
Without DIR: simvirt alone. Further rows: scheduling events under contention, cost against the number of instances and of requests, memory,
and what the mechanisms cost where they act.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
WORKLOADS = ("W1", "W2", "W3", "W4")
REQUESTS = {
    "compiled": {"W1": 1_000_000, "W2": 1_000_000, "W3": 200_000, "W4": 500_000},
    "plain": {"W1": 60_000, "W2": 60_000, "W3": 30_000, "W4": 30_000},
}
SLOW_REQUESTS = {"W1": 100_000, "W2": 100_000, "W3": 50_000, "W4": 40_000}

Program = Callable[[str], float]  # workload -> requests per second


def last_json(command: list[str], **environment: str) -> dict[str, float]:
    """What a program prints on its last line."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment, cwd=HERE.parent)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def simvirt(scenario: str, *sets: str, plain: bool = False) -> dict[str, float]:
    """One measurement of simvirt."""
    command = [sys.executable, str(HERE / "measure.py"), str(HERE / "scenarios" / f"{scenario}.yaml")]
    for item in sets:
        command += ["--set", item]
    return last_json(command, SIMVIRT_PLAIN="1" if plain else "")


def simvirt_program(mode: str) -> Program:
    """simvirt on the four workloads."""
    return lambda w: simvirt(w.lower(), f"run.requests={REQUESTS[mode][w]}", plain=mode == "plain")["requests_per_s"]


def peer_program(command: list[str], requests: dict[str, int]) -> Program:
    """Another simulator: steady rate from the time that it measures itself."""

    def rate(workload: str) -> float:
        found = last_json([*command, workload, str(requests[workload])])
        return found["n"] / found["inner_s"]

    return rate


def programs(peers: Path | None, work: Path) -> dict[str, Program]:
    """Everything that can be measured here."""
    found = {"simvirt compiled": simvirt_program("compiled"), "simvirt plain": simvirt_program("plain")}
    if peers is None:
        return found
    compiler = shutil.which("g++")
    if compiler and (peers / "cpp/des.cpp").exists():
        subprocess.run([compiler, "-O2", "-march=native", "-std=c++17", str(peers / "cpp/des.cpp"), "-o", str(work / "des")], check=True)
        found["C++ event loop"] = peer_program([str(work / "des")], REQUESTS["compiled"])
    if compiler and (peers / "simgrid/sg.cpp").exists():
        build = subprocess.run(
            [compiler, "-O2", "-std=c++17", str(peers / "simgrid/sg.cpp"), "-o", str(work / "sg"), "-lsimgrid"], capture_output=True
        )
        if build.returncode == 0:
            found["SimGrid"] = peer_program([str(work / "sg")], SLOW_REQUESTS)
    for name in ("simpy", "ciw"):
        if (peers / name / "bench.py").exists() and subprocess.run(
            [sys.executable, "-c", f"import {name}"], capture_output=True
        ).returncode == 0:
            found[{"simpy": "SimPy", "ciw": "Ciw"}[name]] = peer_program([sys.executable, str(peers / name / "bench.py")], SLOW_REQUESTS)
    return found


def race(found: dict[str, Program], rounds: int) -> dict[str, dict[str, float]]:
    """Median rates, the programs taking turns."""
    samples: dict[str, dict[str, list[float]]] = {name: {w: [] for w in WORKLOADS} for name in found}
    for _ in range(rounds):
        for workload in WORKLOADS:
            for name, program in found.items():
                samples[name][workload].append(program(workload))
    return {name: {w: statistics.median(values) for w, values in rows.items()} for name, rows in samples.items()}


def print_race(rates: dict[str, dict[str, float]]) -> None:
    """Rates, and simvirt's as a multiple of the others'."""
    print(f"{'requests/s':<20}" + "".join(f"{w:>14}" for w in WORKLOADS) + "      simvirt compiled is")
    ours = rates["simvirt compiled"]
    for name, row in rates.items():
        ratios = "  ".join(f"{w} {ours[w] / row[w]:.2f}x" for w in WORKLOADS)
        print(f"{name:<20}" + "".join(f"{row[w]:>14,.0f}" for w in WORKLOADS) + f"      {ratios}")


def print_scaling(rounds: int, quick: bool) -> None:
    """Contention, instances, requests, memory."""

    def median(key: str, scenario: str, *sets: str) -> float:
        return statistics.median(simvirt(scenario, *sets)[key] for _ in range(rounds))

    print(f"\ncontended, 16 busy entities on 4 pCPUs: {median('events_per_s', 'contended'):,.0f} scheduling events/s")
    base = median("requests_per_s", "instances", "services.web.deploy.replicas=1")
    for replicas in (10, 100, 1000):
        rate = median("requests_per_s", "instances", f"services.web.deploy.replicas={replicas}")
        print(f"cost per request with {replicas:>5} instances: {base / rate:.2f} x that with 1 ({rate:,.0f} requests/s)")
    first = simvirt("w4", "run.requests=100000")
    for requests in (1_000_000,) if quick else (1_000_000, 10_000_000):
        found = simvirt("w4", f"run.requests={requests}")
        print(
            f"W4 with {requests:>10,} requests: cost per request {first['requests_per_s'] / found['requests_per_s']:.2f} x that of 100,000;"
            f" peak memory {found['peak_mib']:.0f} MiB against {first['peak_mib']:.0f} MiB"
        )


MECHANISMS = {
    "interference off (software of which nothing is known)": ("bare-metal", ("services.web.image=null", "services.db.image=null")),
    "interference on": ("bare-metal", ()),
    "idle states on too": ("bare-metal", ("host.max_cstate=C6",)),
    "containers": ("docker", ()),
    "VMs: two levels of scheduling, devices, halt polling": ("kvm", ()),
    "VMs, idle states on too": ("kvm", ("host.max_cstate=C6",)),
}
"""What the web shop costs as more acts: platform and overrides."""


def print_mechanisms(rounds: int) -> None:
    """The web shop with more and more mechanisms at work, in turns."""
    samples: dict[str, list[float]] = {name: [] for name in MECHANISMS}
    for _ in range(rounds):
        for name, (platform, sets) in MECHANISMS.items():
            given = (f'platforms=["{platform}"]', "run.duration=60s", "run.replications=1", *sets)
            samples[name].append(simvirt("../../configs/web", *given)["requests_per_s"])
    rates = {name: statistics.median(values) for name, values in samples.items()}
    first = next(iter(rates.values()))
    print("\nweb shop, cost per request")
    for name, rate in rates.items():
        print(f"  {first / rate:.2f} x  {name} ({rate:,.0f} requests/s)")


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, default=None, help="folder with the other simulators' programs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="no run of 10 million requests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        print_race(race(programs(options.peers and options.peers.resolve(), Path(work)), options.rounds))
    print_scaling(options.rounds, options.quick)
    print_mechanisms(options.rounds)


if __name__ == "__main__":
    main()
