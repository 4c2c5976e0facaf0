"""Cases: kinds of workloads and what is said of how much they matter."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from field_cases_orchestration import ACTED
from helpers.fields import CHANGES, FALLS, RISES, Case, patched

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


CASES: Final = (
    Case("DeploySpec.priority", CROWDED, {}, {PRIORITY: 1000}, "happened/told", RISES),
    Case("DeploySpec.priority", CROWDED, {}, {PRIORITY: "system-node-critical"}, "happened/ended/preempted", CHANGES),
)
ENTRIES: Final = (
    urgent("value", -10), urgent("preempts", False),
    Case("orchestrators.priorities", patched(CROWDED, {PRIORITY: 1000}), {}, {"catalog/orchestrators/mine/priorities": "orders"}, "happened/told", FALLS),
)
