"""Cases: the same of one of several workloads as of a lone one, read from its own part of the result; another keeps asking beside it."""

from __future__ import annotations

from typing import Any, Final

from field_cases_run import WORKLOAD
from helpers.field_bases import BARE
from helpers.fields import CHANGES, FALLS, Case, Patch, patched

SERVICES: Final = {"services/other": {"threads": 1, "operations": {"job": [{"cpu": {"exponential": "1ms"}}]}}}
OTHER: Final = {"open": {"rate": "5/s"}, "mix": {"other.job": 1}}
LASTING: Final = {"duration": "20s", "replications": 1, "seed": 1, "warmup": "0s"}


def beside(base: Patch) -> dict[str, Any]:
    """A scenario whose workload is one of two."""
    tree = patched(base, SERVICES)
    tree["workloads"] = {"main": tree.pop("workload"), "beside": OTHER}
    return tree | {"run": LASTING}


def moved(patch: Patch) -> dict[str, Any]:
    """A patch of a lone workload as one of the workload among others."""
    return {f"workloads/main{path.removeprefix('workload')}" if path.startswith("workload") else path: value for path, value in patch.items()}


def named(case: Case) -> Case:
    """The case of a lone workload as one of several."""
    field = f"Named{case.field}"
    return Case(field, beside(case.base), moved(case.before), moved(case.after), f"workloads/main/{case.output}", case.moves, case.least, case.files)


TWO: Final = beside(patched(BARE, {"workload/open/rate": "60/s"}))
CASES: Final = (
    *(named(case) for case in WORKLOAD if case.field.startswith("WorkloadSpec.")),
    Case("NamedWorkloadSpec.objective", patched(TWO, {"run/replications": 3}), {"workloads/main/objective": {"latency_p99": "1us"}}, {"workloads/main/objective": {"latency_p99": "1h"}},
         "workloads/main/objective/latency_p99/verdict", CHANGES),
    Case("Scenario.workloads", TWO, {}, {"workloads/third": {"open": {"rate": "20/s"}, "mix": {"server.job": 1}}}, "throughput_per_s", CHANGES),
    Case("Scenario.workloads", TWO, {"workloads/third": {"open": {"rate": "25/s"}, "mix": {"server.job": 1}}}, {}, "workloads/main/latency_s/mean", FALLS),
)
