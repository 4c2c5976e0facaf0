"""Cases: kinds of workloads and what is said of how much they matter."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from field_cases_machines import ASKED, HALF, number
from field_cases_orchestration import ACTED
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

CROWDED: Final = patched(ACTED, {
    "host": {"cores": 4, "memory": "16GiB"}, "catalog/orchestrators/mine": {"like": "kubernetes"}, "services/server/cpus": 2, "services/server/restart": "no",
    "services/batch": {"cpus": 1, "deploy": {"replicas": 2, "priority": 0}, "operations": {"job": [{"cpu": "1ms"}]}},
    "timeline": [{"at": "5s", "scale": "server", "replicas": 2}],
})
"""A host that is full, on which another container of the server is wanted later."""
PRIORITY: Final = "services/server/deploy/priority"
URGENT: Final = patched(CROWDED, {PRIORITY: "urgent", "catalog/priorities": {"urgent": {"title": "urgent", "source": "made up for a test", "value": 10}}})
"""The same where it is of a class of its own."""


def urgent(field: str, value: Any, base: dict[str, Any] = URGENT) -> Case:
    """A case of a class of priority."""
    return Case(f"priorities.{field}", base, {}, {f"catalog/priorities/urgent/{field}": value}, "happened/told", FALLS)


PAIR: Final = patched(ACTED, {
    "host": ABSENT, "hosts": {"node": {"count": 2, "cores": 4, "memory": "16GiB"}}, "catalog/orchestrators/mine": {"like": "swarm"}, "services/server/scale": ABSENT, "timeline": [],
})
"""A service on two hosts."""


WORK: Final = patched(ACTED, {
    "catalog/orchestrators/mine": {"like": "kubernetes"}, "services/report": {"deploy": {"mode": "replicated-job", "job": {"completions": 8, "parallelism": 2}}, "startup": [{"delay": "4s"}]},
    "timeline": [{"at": "2s", "crash": "report", "replica": 0}],
})
"""A job beside a service; one of its pods crashes."""


def job(field: str, value: Any, moves: str, read: str = "happened/ended/completed") -> Case:
    """A case of how often a job is done."""
    return Case(f"JobSpec.{field}", WORK, {}, {f"services/report/deploy/job/{field}": value}, read, moves)


ORDERED: Final = patched(ACTED, {
    "catalog/orchestrators/mine": {"like": "kubernetes"}, "services/server": {"deploy": {"mode": "stateful", "replicas": 3}, "startup": [{"delay": "2s"}], "operations": {"job": [{"cpu": "1ms"}]}},
    "services/server/scale": ABSENT, "timeline": [], "state": {"instances": "none"},
})
"""Three pods that start one after the other."""


ROLLED: Final = patched(ACTED, {
    "catalog/orchestrators/mine": {"like": "kubernetes"}, "services/server": {"deploy": {"replicas": 4, "update_config": {"max_surge": 1, "max_unavailable": 1}}, "startup": [{"delay": "8s"}], "operations": {"job": [{"cpu": "1ms"}]}},
    "services/server/scale": ABSENT, "timeline": [{"at": "1s", "update": "server", "cpus": 0.3}],
})
"""Four pods that are replaced, one too many and one too few at a time."""
CONFIG: Final = "services/server/deploy/update_config"


BUDGET: Final = "services/server/deploy/disruption_budget"
GOING: Final = patched(HALF, {"hosts/node/cores": 4, "services/server/scale": 5, BUDGET: {"max_unavailable": 1}})
"""A host that goes once its two containers have gone, one after the other."""


CASES: Final = (
    Case("UpdateConfigSpec.max_surge", patched(ROLLED, {"services/server/startup": [{"delay": "12s"}]}), {}, {f"{CONFIG}/max_surge": "100%"}, "happened/ended/stopped", RISES),
    Case("UpdateConfigSpec.progress_deadline", ROLLED, {}, {f"{CONFIG}/progress_deadline": "3s"}, "happened/told", RISES),
    Case("UpdateConfigSpec.max_unavailable", ROLLED, {}, {f"{CONFIG}/max_unavailable": 0}, "happened/started", FALLS),
    Case("DeploySpec.disruption_budget", HALF, {}, {BUDGET: {"max_unavailable": 0}}, ASKED, RISES),
    Case("DisruptionBudgetSpec.max_unavailable", GOING, {}, {BUDGET: {"max_unavailable": "50%"}}, ASKED, FALLS),
    Case("DisruptionBudgetSpec.min_available", HALF, {BUDGET: {"min_available": "50%"}}, {BUDGET: {"min_available": 3}}, ASKED, RISES),
    Case("DeploySpec.mode", ORDERED, {"services/server/deploy/mode": "replicated"}, {}, "happened/events/1/what", CHANGES),
    Case("DeploySpec.pod_management", ORDERED, {}, {"services/server/deploy/pod_management": "Parallel"}, "happened/events/1/what", CHANGES),
    Case("DeploySpec.job", WORK, {}, {"services/report/deploy/job": ABSENT}, "happened/ended/completed", FALLS),
    job("completions", 3, FALLS), job("parallelism", 4, RISES), job("backoff_limit", 0, CHANGES),
    Case("DeploySpec.mode", PAIR, {}, {"services/server/deploy": {"mode": "global"}}, "happened/running", RISES),
    Case("DeploySpec.priority", CROWDED, {}, {PRIORITY: 1000}, "happened/told", RISES),
    Case("DeploySpec.priority", CROWDED, {}, {PRIORITY: "system-node-critical"}, "happened/ended/preempted", CHANGES),
)
ENTRIES: Final = (
    Case("orchestrators.progress", ROLLED, {}, {"catalog/orchestrators/mine/progress": number("3s")}, "happened/told", RISES),
    Case("orchestrators.evict_again", GOING, {}, {"catalog/orchestrators/mine/evict_again": number("10s")}, ASKED, RISES),
    urgent("value", -10), urgent("preempts", False),
    Case("orchestrators.priorities", patched(CROWDED, {PRIORITY: 1000}), {}, {"catalog/orchestrators/mine/priorities": "orders"}, "happened/told", FALLS),
)
