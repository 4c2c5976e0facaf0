"""Cases: tenants, and what a search for the density counts."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE, CLOSED, TWO
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

ALONE: Final = patched(CLOSED, {"host/cores": 4, "services/server/threads": 1, "services/server/scale": 4})
"""Four clients before four replicas of one thread: whoever has one for himself never waits."""
PAIRS: Final = patched(TWO, {"services/server/scale": 4, "services/db/scale": 4, "workload/open/rate": "400/s"})
"""Four fronts before four databases of one thread each."""
EVEN: Final = patched(PAIRS, {"services/server/operations/job": [{"call": "db.query"}], "workload/open/arrivals": "deterministic", "services/db/balance": "random"})
FIT: Final = patched(BARE, {
    "host": {"cores": 4, "memory": "2GiB"}, "platforms": ["docker"], "services/server/mem_limit": "64MiB", "services/server/scale": 2, "workload/open/rate": "40/s",
    "objective": {"latency_p90": "100ms"}, "run": {"replications": 2, "seed": 1}, "density": {"max": 12},
})
"""Copies of two small containers with 20 requests/s each."""
FIT_CLIENTS: Final = patched(FIT, {"workload": {"closed": {"clients": 4, "think": {"exponential": "100ms"}}, "mix": {"server.job": 1}}})


def dense(field: str, base: dict[str, Any], before: dict[str, Any], after: dict[str, Any], read: str, moves: str) -> Case:
    """A case of a search."""
    return Case(field, base, before, after, read, moves, ask="density")


CASES: Final = (
    Case("Scenario.tenants", ALONE, {}, {"tenants": {"count": 4}}, "breakdown_s/queue", FALLS),
    Case("TenantsSpec.count", ALONE, {"tenants": {"count": 2}}, {"tenants": {"count": 4}}, "breakdown_s/queue", FALLS),
    Case("TenantsSpec.own", EVEN, {"tenants": {"count": 4, "own": ["server"]}}, {"tenants": {"count": 4}}, "breakdown_s/queue", FALLS),
    dense("Scenario.density", FIT, {}, {"density": ABSENT}, "/unit/max", RISES),
    dense("DensitySpec.service", FIT, {}, {"density/service": "server"}, "n", RISES),
    dense("DensitySpec.per_instance", FIT, {}, {"density/per_instance": {"rate": "90/s"}}, "n", FALLS),
    dense("DensitySpec.max", FIT, {"density/max": 3}, {"density/max": 5}, "n", RISES),
    dense("InstanceLoadSpec.rate", FIT, {"density/per_instance": {"rate": "40/s"}}, {"density/per_instance": {"rate": "80/s"}}, "throughput_per_s", CHANGES),
    dense("InstanceLoadSpec.rate", FIT, {"density/per_instance": {"rate": "40/s"}}, {"density/per_instance": {"rate": "90/s"}}, "n", FALLS),
    dense("InstanceLoadSpec.clients", FIT_CLIENTS, {"density/per_instance": {"clients": 2}}, {"density/per_instance": {"clients": 8}}, "n", FALLS),
)
