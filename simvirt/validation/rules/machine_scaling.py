"""Adapters about machines that are bought and given back, for cases of the kind `startup-phases`, which name no function.

*Model*: a case is known by its keys (`rule_of`); arrivals may be written as `every 0.5 s from 0 to 19.5`.
*Ignores*: cases that are measurements.
*Source*: kubernetes/autoscaler cluster-autoscaler/FAQ.md; aws/karpenter-provider-aws.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from simvirt.orchestration import machines
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Adapter, Answer

MINUTE, HOUR = 60.0, 3600.0
EVERY: Final = re.compile(r"every ([\d.]+) s from ([\d.]+) to ([\d.]+)")
SCALE_DOWN: Final[Answer] = {
    "unneeded_min": machines.UNNEEDED_S / MINUTE, "delay_after_add_min": machines.AFTER_ADD_S / MINUTE,
    "delay_after_failure_min": machines.AFTER_FAILURE_S / MINUTE, "unready_min": machines.UNREADY_S / MINUTE,
    "utilization_threshold": machines.LITTLE_USED, "empty_bulk_delete": machines.AT_ONCE,
    "graceful_termination_max_min": machines.GRACE_S / MINUTE, "pod_eviction_timeout_min": machines.EVICTION_S / MINUTE,
}
PROVISIONING: Final[Answer] = {
    "max_node_provision_min": machines.PROVISION_S / MINUTE, "backoff_initial_min": machines.BACKOFF_S / MINUTE,
    "backoff_max_min": machines.MOST_BACKOFF_S / MINUTE, "backoff_reset_h": machines.RESET_S / HOUR,
    "ok_unready_nodes": machines.OK_UNREADY, "max_unready_pct": 100 * machines.MOST_UNREADY,
}
KARPENTER: Final[Answer] = {
    "registration_timeout_min": machines.REGISTRATION_S / MINUTE, "insufficient_capacity_cache_min": machines.NO_CAPACITY_S / MINUTE,
    "idle_s": machines.IDLE_S, "max_s": machines.GATHER_S,
}
KINDS: Final[Mapping[str, Answer]] = {
    "scale-down defaults": SCALE_DOWN, "provisioning and health defaults": PROVISIONING, "Karpenter": KARPENTER,
}
"""What holds where nothing is stated, by what a case calls it."""


def rule_of(given: Given) -> str | None:
    """The rule that a case is about; None where it is none of these."""
    if "clusters" in given:
        return "too many unready machines"
    if "pending_pod_arrivals_s" in given:
        return "gathered pods"
    return "machine autoscaling defaults" if given.get("kind") in KINDS else None


def _unready(given: Given) -> Answer:
    """Of which clusters the autoscaler leaves its hands."""
    return {"operations_stop": [machines.stops(int(one["nodes"]), int(one["unready"])) for one in given["clusters"]]}


def _gathered(given: Given) -> Answer:
    """When waiting pods are looked at together."""
    idle, most = float(given.get("idle_s", machines.IDLE_S)), float(given.get("max_s", machines.GATHER_S))
    return {"window_closes_at_s": machines.gathered_until(_arrivals(given["pending_pod_arrivals_s"]), idle, most)}


def _arrivals(said: Any) -> list[float]:
    """Instants, as a list or in words; ValueError of other words."""
    if isinstance(said, list):
        return [float(at) for at in said]
    match = EVERY.fullmatch(str(said))
    if match is None:
        raise ValueError(f"arrivals {said}")
    step, first, last = map(float, match.groups())
    return [first + number * step for number in range(round((last - first) / step) + 1)]


def _defaults(given: Given) -> Answer:
    """What holds where nothing is stated."""
    return KINDS[given["kind"]]


FUNCTIONS: Final[Mapping[str, Adapter]] = {
    "too many unready machines": _unready, "gathered pods": _gathered, "machine autoscaling defaults": _defaults,
}
