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


UPDATED: Final = patched(ACTED, {
    "catalog/orchestrators/mine": {"like": "swarm"}, "services/server/scale": 2, "timeline": [{"at": "2s", "update": "server", "cpus": 2}],
})
"""Two tasks that are brought to another version."""
FAILING: Final = patched(UPDATED, {
    "services/server/scale": 4, "services/server/startup": [{"delay": "2s"}], "services/server/deploy/restart_policy": {"condition": "none"},
    "timeline": [{"at": "2s", "update": "server", "cpus": 2}, {"at": "6500ms", "crash": "server"}],
})
"""Four tasks that are brought to another version, which all fail when the first new one runs for two seconds."""
STEPS: Final = "lifecycle/ready"


def updating(**how: Any) -> dict[str, Any]:
    """How tasks are brought to another version."""
    return {"services/server/deploy/update_config": how}


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
    Case("DeploySpec.update_config", patched(UPDATED, {"services/server/scale": 1}), {}, updating(order="start-first"), "rejected", FALLS),
    Case("DeploySpec.rollback_config", patched(UPDATED, {"timeline": [{"at": "2s", "update": "server", "cpus": 2}, {"at": "10s", "rollback": "server"}]}), {}, {"services/server/deploy/rollback_config": {"parallelism": 2}}, "rejected", RISES),
    Case("UpdateConfigSpec.order", patched(UPDATED, {"services/server/scale": 1}), updating(order="stop-first"), updating(order="start-first"), "rejected", FALLS),
    Case("UpdateConfigSpec.parallelism", UPDATED, updating(parallelism=1), updating(parallelism=2), "rejected", RISES),
    Case("UpdateConfigSpec.delay", UPDATED, {}, updating(delay="1h"), STEPS, FALLS),
    Case("UpdateConfigSpec.failure_action", FAILING, {}, updating(failure_action="continue"), STEPS, RISES),
    Case("UpdateConfigSpec.max_failure_ratio", FAILING, {}, updating(max_failure_ratio=1), STEPS, RISES),
    Case("UpdateConfigSpec.monitor", FAILING, updating(max_failure_ratio=0.25), updating(max_failure_ratio=0.25, monitor="1s"), STEPS, RISES),
)
