"""One measurement of simvirt in a process of its own; prints one JSON line.

    python benchmarks/measure.py SCENARIO [--set key=value ...]

Steady rates: the wall time of the simulation, without imports and lowering. Memory: the peak of the process.
"""

import argparse
import json
import resource

from simvirt import kernel
from simvirt.catalog import Catalog
from simvirt.runs.replicate import replicate
from simvirt.scenario import load


def measure(path: str, sets: list[str]) -> dict[str, object]:
    """Rates of the first replication of a scenario's first platform."""
    scenario = load(path, sets)
    catalog = Catalog.of(scenario)
    outcome = replicate(scenario, catalog, catalog.platform(scenario.platforms[0]), scenario.run.seed, 0).outcome
    return {
        "program": f"simvirt {kernel.MODE}",
        "scenario": scenario.name,
        "requests": outcome.requests,
        "events": outcome.events,
        "requests_per_s": outcome.requests / outcome.wall_s,
        "events_per_s": outcome.events / outcome.wall_s,
        "mean_s": outcome.latency_mean_s,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario")
    parser.add_argument("--set", action="append", default=[], dest="sets")
    options = parser.parse_args()
    print(json.dumps(measure(options.scenario, options.sets)))


if __name__ == "__main__":
    main()
