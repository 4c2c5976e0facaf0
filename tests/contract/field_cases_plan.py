"""Cases: the section plan."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

PLANNED: Final = patched(BARE, {
    "host": {"model": "dell-t340-e-2224"}, "platforms": ["docker"], "services/server": {"threads": 1, "cpus": 1, "mem_limit": "1GiB", "scale": 2, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}},
    "services/db": {"threads": 4, "cpus": 1, "mem_limit": "1GiB", "operations": {"query": [{"cpu": "1ms"}]}}, "services/server/operations/job": [{"cpu": {"exponential": "10ms"}}, {"call": "db.query"}],
    "workload/open/rate": "150/s", "run": {"duration": "10s", "replications": 1, "seed": 1, "warmup": "0s"}, "plan": {"survive": 0, "headroom": "10%"},
})
"""A load that one small server carries."""
HOSTS: Final = "/alternatives/0/hosts"
YEAR: Final = "/alternatives/0/cost/year_usd"
REPLICAS: Final = "/alternatives/0/replicas/server"
UNSURE: Final = patched(PLANNED, {"plan/demand": {"low": 0.5, "high": 2}})


def planned(field: str, before: Any, after: Any, read: str, moves: str, base: dict[str, Any] = PLANNED) -> Case:
    """A case of one field of the plan."""
    return Case(f"PlanSpec.{field}", base, {f"plan/{field}": before}, {f"plan/{field}": after}, read, moves, ask="plan")


CASES: Final = (
    Case("Scenario.plan", PLANNED, {}, {"plan": {"survive": 0, "headroom": "10%", "growth": "100%"}}, HOSTS, RISES, ask="plan"),
    planned("hosts", ABSENT, ["dell-r740-gold-6132"], "/alternatives/0/host", CHANGES),
    planned("hosts", ["dell-t340-e-2224"], ["dell-t340-e-2224", "generic"], "/alternatives/1/host", CHANGES),
    planned("growth", "0%", "60%", HOSTS, RISES),
    planned("years", 1, 4, HOSTS, RISES, patched(PLANNED, {"plan/growth": "50%"})),
    planned("peak_to_mean", 1, 4, HOSTS, RISES),
    planned("peak_to_mean", 1, 4, "/plan/load/peak_per_s", RISES),
    planned("demand", ABSENT, {"low": 0.5, "high": 2}, "/regret/levels", CHANGES),
    Case("DemandSpec.low", UNSURE, {}, {"plan/demand/low": 0.9}, "/regret/choices/0/costs_usd/0", RISES, 0.001, ask="plan"),
    Case("DemandSpec.high", UNSURE, {}, {"plan/demand/high": 5}, "/regret/minimax/max_regret_usd", RISES, ask="plan"),
    planned("survive", 0, "2 hosts", HOSTS, RISES),
    planned("headroom", "5%", "60%", HOSTS, RISES),
    planned("memory_ratio", 1, 0.15, HOSTS, RISES),
    planned("replicas", "scaled", "fit", "/alternatives/0/replicas/db", FALLS, patched(PLANNED, {"services/db/scale": 5})),
    planned("replicas", "scaled", "stated", REPLICAS, FALLS, patched(PLANNED, {"plan/growth": "50%", "services/server/scale": 3})),
    planned("keep", [], ["server"], REPLICAS, FALLS, patched(PLANNED, {"plan/growth": "30%", "services/server/scale": 4})),
    planned("scale", [], ["db"], "/alternatives/0/replicas/db", RISES, patched(PLANNED, {"plan/growth": "30%", "services/db/image": "postgres:17"})),
    planned("site", "average", "hyperscale", "/alternatives/0/cost/energy_usd", FALLS),
    planned("energy_price", "0.1USD/kWh", "0.4USD/kWh", "/alternatives/0/cost/energy_usd", RISES),
    planned("pue", 1.1, 2, "/alternatives/0/cost/energy_kwh", RISES),
    planned("amortisation_years", 3, 6, YEAR, FALLS),
    planned("premium", 0, 3, "/regret/choices/0/max_regret_usd", RISES, patched(UNSURE, {"plan/demand/high": 5})),
    planned("max_hosts", 1, 9, HOSTS, CHANGES, patched(PLANNED, {"plan/growth": "60%"})),
)
