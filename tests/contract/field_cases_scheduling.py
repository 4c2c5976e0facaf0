"""Cases: what is said for and against standing on a host."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from field_cases_host import PLACED, POOLS
from field_cases_orchestration import ACTED
from helpers.fields import ABSENT, FALLS, RISES, Case, patched


def placed(**how: Any) -> dict[str, Any]:
    """A platform whose orchestrator places in a way."""
    return {"platforms": [{"name": "x", "stack": ["docker"], "orchestrator": "mine"}], "catalog": {"orchestrators": {"mine": {"like": "none", **how}}}}


TAINTED: Final = patched(POOLS, {"hosts/more": {"cores": 1, "memory": "16GiB", "taints": ["dedicated=db:NoSchedule"]}, "hosts/node/count": 1})
"""Two replicas on two hosts, of which one takes none that does not tolerate its taint."""
ZONES: Final = patched(POOLS, {"hosts/node/count": 3, "hosts/node/zone": ["a", "b", "b"], "services/server/deploy/replicas": 6, "workload/open/rate": "200/s"})
"""Six replicas, hosts in two zones, of which one has two."""
NEIGHBOURS: Final = patched(ZONES, {
    "services/cache": {"deploy": {"placement": {"constraints": ["host == node[2]"]}}, "operations": {"get": [{"cpu": "1ms"}]}},
    "services/db": {"deploy": {"placement": {"constraints": ["host == node[0]"]}}, "operations": {"get": [{"cpu": "1ms"}]}},
    "services/server/deploy/replicas": 1, "workload/mix": {"server.job": 1},
})
"""A replica beside which others stand: one on the first, one on the third host."""
ROOMY: Final = patched(ZONES, {"services/server/deploy/replicas": 2, **placed(places="first-fit", reserves="reservations")})
"""Two replicas, placed on the first host that has room for them."""


REPLACED: Final = patched(ACTED, {"catalog/orchestrators/mine": {"like": "swarm"}, "services/server/deploy/restart_policy": {"delay": "100ms"}})
"""A task that crashes three times, and is replaced each time."""


def replaced(**how: Any) -> dict[str, Any]:
    """A restart policy."""
    return {"services/server/deploy/restart_policy": {"delay": "100ms", **how}}


def spread(**how: Any) -> dict[str, Any]:
    """A constraint on a topology."""
    return {PLACED: {"topology_spread": [{"topology_key": "zone", **how}]}}


def beside(*rules: dict[str, Any]) -> dict[str, Any]:
    """Rules of affinity."""
    return {PLACED: {"affinity": list(rules)}}


FIRST, SECOND, THIRD = (f"hosts/node[{n}]/cpu" for n in range(3))
CASES: Final = (
    Case("HostPoolSpec.taints", TAINTED, {"hosts/more/taints": ABSENT}, {}, "latency_s/mean", RISES),
    Case("PlacementSpec.tolerations", TAINTED, {}, {PLACED: {"tolerations": ["dedicated"]}}, "latency_s/mean", FALLS),
    Case("PlacementSpec.topology_spread", ZONES, {}, spread(), FIRST, RISES),
    Case("TopologySpreadSpec.topology_key", ZONES, spread(), spread(topology_key="host"), FIRST, FALLS),
    Case("TopologySpreadSpec.max_skew", ZONES, spread(), spread(max_skew=3), FIRST, FALLS),
    Case("TopologySpreadSpec.when_unsatisfiable", ZONES, spread(), spread(when_unsatisfiable="ScheduleAnyway"), FIRST, FALLS),
    Case("PlacementSpec.affinity", NEIGHBOURS, {}, beside({"near": "cache"}), THIRD, RISES),
    Case("AffinitySpec.near", NEIGHBOURS, beside({"near": "db"}), beside({"near": "cache"}), THIRD, RISES),
    Case("AffinitySpec.away_from", NEIGHBOURS, {}, beside({"away_from": "db"}), FIRST, FALLS),
    Case("AffinitySpec.topology_key", NEIGHBOURS, beside({"near": "cache"}), beside({"near": "cache", "topology_key": "zone"}), SECOND, RISES),
    Case("AffinitySpec.weight", patched(NEIGHBOURS, placed(places="kubernetes")), beside({"near": "db", "weight": 50}, {"near": "cache", "weight": 1}), beside({"near": "db", "weight": 50}, {"near": "cache", "weight": 100}), THIRD, RISES),
    Case("ReservationsSpec.memory", ROOMY, {}, {"services/server/deploy/resources": {"reservations": {"memory": "9GiB"}}}, SECOND, RISES),
    Case("DeploySpec.restart_policy", REPLACED, {}, {"services/server/deploy/restart_policy": ABSENT}, "rejected", RISES),
    Case("RestartPolicySpec.condition", REPLACED, {}, replaced(condition="none"), "rejected", RISES),
    Case("RestartPolicySpec.delay", REPLACED, {}, replaced(delay="3s"), "rejected", RISES),
    Case("RestartPolicySpec.max_attempts", REPLACED, {}, replaced(max_attempts=1), "rejected", RISES),
    Case("RestartPolicySpec.window", REPLACED, replaced(max_attempts=1), replaced(max_attempts=1, window="2s"), "rejected", FALLS),
)
