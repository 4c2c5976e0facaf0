"""Cases of the kind `rollout`: Deployments, StatefulSets, Jobs, DaemonSets and disruption budgets.

*Model*: a case has one old replica set, or a list of them from the oldest. The events of a sequence are the changes of sizes, in order.
*Ignores*: nothing that a case of this kind has said so far; what is given and not looked at is reported.
*Source*: kubernetes/kubernetes pkg/controller/{deployment,job,statefulset,disruption}, their tests and documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from simvirt.orchestration import rollout, workloads
from simvirt.orchestration.rollout import ReplicaSet, Sets, Strategy
from simvirt.scenario.spec.deploy import BACKOFF_LIMIT
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, NotKnown, Rules

WAITS: Final = "previous pod running and ready"
DEFAULTS: Final[Mapping[str, Answer]] = {
    "Deployment": {
        "strategy": "RollingUpdate", "max_surge": Strategy().max_surge, "max_unavailable": Strategy().max_unavailable, "replicas": 1,
        "progress_deadline_s": 600, "revision_history_limit": 10, "min_ready_s": 0,
    },
    "StatefulSet": {
        "strategy": "RollingUpdate", "pod_management": "OrderedReady", "partition": 0, "max_unavailable": 1, "replicas": 1,
        "revision_history_limit": 10, "min_ready_s": 0,
    },
    "DaemonSet": {"strategy": "RollingUpdate", "max_unavailable": 1, "max_surge": 0, "both_zero_allowed": False},
    "Job": {
        "backoff_limit": BACKOFF_LIMIT, "first_delay_s": workloads.BACKOFF_S, "factor": 2,
        "max_delay_s_documented": workloads.DOCUMENTED_BACKOFF_S, "max_delay_s_code": workloads.MOST_BACKOFF_S,
        "completions": 1, "parallelism": 1,
    },
}
"""What holds where nothing is stated (pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go)."""


def strategy_of(given: Given, absent: Any = None) -> Strategy:
    """The strategy of a case; amounts that it does not state are `absent`."""
    return Strategy(given.get("strategy", "RollingUpdate"), given.get("max_surge", absent), given.get("max_unavailable", absent))


def sets_of(given: Given) -> Sets:
    """The replica sets of a case; pods of which nothing is said are available."""
    new = int(given.get("new_replicas", 0))
    sizes, up = _listed(given.get("old_replicas", 0)), given.get("old_available")
    available = sizes if up is None else _listed(up)
    old = tuple(ReplicaSet(size, there) for size, there in zip(sizes, available, strict=True))
    return Sets(ReplicaSet(new, int(given.get("new_available", new))), old)


def _listed(value: Any) -> list[int]:
    """One count, or several."""
    return [int(one) for one in value] if isinstance(value, list) else [int(value)]


def _olds(before: Sets, after: Sets) -> dict[str, Any]:
    """The sizes of old sets after something, in the form of before, and by how much they shrank."""
    sizes = [old.replicas for old in after.old]
    gone = before.replicas - before.new.replicas - sum(sizes)
    return {"old_replicas": sizes if len(sizes) > 1 else sizes[0], "scaled": gone > 0, "cleaned": gone, "scaled_down": gone}


# --- Deployments -----------------------------------------------------------------------------------------------------------


def _fenceposts(given: Given) -> Answer:
    """How many pods may be too many, and too few."""
    surge, unavailable = rollout.fenceposts(given.get("max_surge"), given.get("max_unavailable"), int(given["replicas"]))
    return {"surge": surge, "unavailable": unavailable}


def _new_size(given: Given) -> Answer:
    """The size of the new set."""
    new, total = int(given["new_replicas"]), int(given["all_replicas"])
    return {"new_replicas": rollout.new_size(strategy_of(given), int(given["replicas"]), new, total)}


def _bounds(given: Given) -> Answer:
    """How many pods are available at least during an update, how many not at most, and how many there are at most."""
    strategy, replicas = strategy_of(given, "25%"), int(given["replicas"])
    surge = rollout.surge_of(strategy, replicas)
    return {
        "max_unavailable": rollout.unavailable_of(strategy, replicas), "min_available": rollout.available_of(strategy, replicas),
        "max_surge": surge, "max_total": replicas + surge,
    }


def _reconcile_new(given: Given) -> Answer:
    """A sync of the new set."""
    before = sets_of(given)
    after = rollout.grown(strategy_of(given), int(given["replicas"]), before)
    return {"scaled": after.new.replicas != before.new.replicas, "new_replicas": after.new.replicas}


def _reconcile_old(given: Given) -> Answer:
    """A sync of old sets."""
    before = sets_of(given)
    return _olds(before, rollout.retired(strategy_of(given), int(given["replicas"]), before))


def _clean_up(given: Given) -> Answer:
    """Old sets without broken pods."""
    before = sets_of(given)
    return _olds(before, Sets(before.new, rollout.cleaned(before.old, int(given["max_cleanup"]))))


def _scale_down(given: Given) -> Answer:
    """Old sets without what is available beyond what has to be; the pods of a case are available as it says, whatever they are of."""
    sizes, available = _listed(given["old_replicas"]), int(given["available"])
    spread = Sets(ReplicaSet(int(given.get("new_replicas", 0)), available), tuple(ReplicaSet(size) for size in sizes))
    return _olds(spread, rollout.shrunk(strategy_of(given), int(given["replicas"]), spread))


def _proportion(given: Given) -> Answer:
    """By how much a set changes with its Deployment."""
    replicas = int(given["replicas"])
    one = ReplicaSet(int(given["rs_replicas"]), most=given.get("rs_max_replicas_annotation"))
    surge = rollout.surge_of(strategy_of(given), replicas) if given.get("max_surge") is not None else 0
    change = rollout.fraction(one, replicas, surge, int(given.get("current_replicas", replicas)))
    return {"change": change, "new_replicas": one.replicas + change}


def _complete(given: Given) -> Answer:
    """Whether a Deployment is up to date."""
    counts = (int(given[key]) for key in ("replicas", "current", "updated", "available"))
    return {"complete": rollout.complete(*counts)}


def _deadline(given: Given) -> Answer:
    """Whether a rollout made no progress for too long."""
    return {"timed_out": rollout.timed_out(given.get("progress_deadline_s"), float(given["since_last_progress_s"]))}


def _sequence(given: Given) -> Answer:
    """A whole rollout, or one that another one overtakes."""
    replicas, strategy = int(given["replicas"]), strategy_of(given, "25%")
    if "first_version_created" in given:
        return _rollover(given, replicas, strategy)
    begin = Sets(ReplicaSet(0), (ReplicaSet(replicas, replicas),))
    passed = [begin, *rollout.story(strategy, replicas, begin, bool(given.get("new_pods_become_ready", True)))]
    last = passed[-1]
    return {
        "surge": rollout.surge_of(strategy, replicas), "unavailable": rollout.unavailable_of(strategy, replicas),
        "events": _events(passed), "min_available": min(sets.available for sets in passed),
        "max_total": max(sets.replicas for sets in passed), "old_replicas": last.old[0].replicas,
        "new_replicas": last.new.replicas, "total": last.replicas, "available": last.available,
    }


def _events(passed: list[Sets]) -> list[list[Any]]:
    """The changes of sizes, in order."""
    found: list[list[Any]] = []
    for before, after in pairwise(passed):
        found += [["new", after.new.replicas]] * (before.new.replicas != after.new.replicas)
        found += [["old", after.old[0].replicas]] * (before.old[0].replicas != after.old[0].replicas)
    return found


def _rollover(given: Given, replicas: int, strategy: Strategy) -> Answer:
    """A rollout that begins while the one before it has created only some pods."""
    created = int(given["first_version_created"])
    if given.get("then", "template changes") != "template changes":
        raise NotKnown(f"then: {given['then']}")
    begin = Sets(ReplicaSet(0), (ReplicaSet(created, created),))
    passed = list(rollout.story(strategy, replicas, begin))
    waits = not passed or passed[0].new.replicas == 0
    return {"first_version_killed": created - passed[-1].old[0].replicas, "waits_for_first_rollout": waits}


# --- other workloads -------------------------------------------------------------------------------------------------------


def _stateful(given: Given) -> Answer:
    """In which order a StatefulSet does something."""
    replicas, parallel = int(given["replicas"]), given.get("pod_management", "OrderedReady") == "Parallel"
    action, partition = given["action"], int(given.get("partition", 0))
    found = workloads.stateful(action, replicas, partition, parallel, given.get("max_unavailable"), int(given.get("remain", 0)))
    alone = parallel and action != "rolling update"
    return {
        "order": found.order, "at_a_time": found.at_a_time, "updated": found.order, "kept": found.kept,
        "each_waits_for": "nothing" if alone else WAITS,
    }


def _stateful_unavailable(given: Given) -> Answer:
    """How many pods of a StatefulSet are updated at a time."""
    return {"pods_at_a_time": workloads.stateful_at_a_time(int(given["replicas"]), given.get("max_unavailable"))}


def _job_periods(given: Given) -> tuple[float, float]:
    """First and longest wait of a Job [s]."""
    return float(given.get("base_s", workloads.BACKOFF_S)), float(given.get("max_s", workloads.MOST_BACKOFF_S))


def _job_remaining(given: Given) -> Answer:
    """How long a Job still waits."""
    failures, since = int(given["failures_since_success"]), float(given.get("since_last_failure_s", 0.0))
    return {"remaining_s": workloads.job_remaining(failures, since, *_job_periods(given))}


def _job_failures(given: Given) -> Answer:
    """Failures in a row, and when the last of them was."""
    succeeded, failed = given.get("succeeded_at_ms") or [], given.get("failed_at_ms") or []
    failures = workloads.failures_in_a_row(int(given.get("stored_failures", 0)), succeeded, failed)
    return {"failures": failures, "last_failure_ms": max(failed) if failures and failed else None}


def _job_outcome(given: Given) -> Answer:
    """How a Job ends."""
    failing = None if given.get("every_pod_fails", False) else int(given.get("failing_pods", 0))
    limit, completions = int(given.get("backoff_limit", BACKOFF_LIMIT)), int(given.get("completions", 1))
    in_place = given.get("restart_policy", "Never") == "OnFailure"
    found = workloads.job_outcome(failing, limit, completions, in_place, *_job_periods(given))
    return {"pods_created": found.pods, "failed": found.failed, "delays_s": found.delays_s}


def _disruptions(given: Given) -> Answer:
    """What a disruption budget allows."""
    expected, amounts = int(given["replicas"]), (given.get("min_available"), given.get("max_unavailable"))
    healthy = int(given.get("healthy", expected))
    return {
        "desired_healthy": workloads.desired_healthy(expected, *amounts),
        "disruptions_allowed": workloads.disruptions_allowed(expected, healthy, *amounts),
    }


def _defaults(given: Given) -> Answer:
    """What holds where nothing is stated."""
    if given.get("kind") not in DEFAULTS:
        raise NotKnown(f"no defaults of {given.get('kind')}")
    return DEFAULTS[given["kind"]]


RULES: Final = Rules("rollout", {
    "resolve_fenceposts": _fenceposts,
    "new_replicaset_size": _new_size,
    "max_unavailable": _bounds,
    "min_available": _bounds,
    "max_surge": _bounds,
    "bounds": _bounds,
    "reconcile_new": _reconcile_new,
    "reconcile_old": _reconcile_old,
    "cleanup_unhealthy": _clean_up,
    "scale_down_old": _scale_down,
    "proportional_scaling": _proportion,
    "deployment_complete": _complete,
    "progress_deadline": _deadline,
    "sequence": _sequence,
    "statefulset_sequence": _stateful,
    "statefulset_max_unavailable": _stateful_unavailable,
    "job_backoff_remaining": _job_remaining,
    "job_failures_after_success": _job_failures,
    "job_outcome": _job_outcome,
    "disruption_budget": _disruptions,
    "defaults": _defaults,
})
