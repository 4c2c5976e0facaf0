"""Cases of the kind `backoff-restart`: when Docker, Compose, Swarm and the kubelet start again what ended, and how they see it.

*Model*: a case's policy becomes one of `simvirt.orchestration.restart`, `health` or `swarm_update`.
*Ignores*: nothing that a case of this kind has said so far; what is given and not looked at is reported.
*Source*: moby/moby, moby/swarmkit, compose-spec, Kubernetes documentation (what cases' words mean).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, islice
from typing import Any, Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.orchestration import health, restart
from simvirt.orchestration.swarm_update import SwarmUpdate
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, NotKnown, Rules

FIVE_MINUTES_S: Final = 300.0
ABOUT: Final = 0.15
"""How far a number may be from one that is expected about."""


def _asked(given: Given, key: str, otherwise: int = 1) -> int:
    """How many items of a list are expected."""
    form = (given.form or {}).get(key)
    return len(form) if isinstance(form, list) else otherwise


def _entry(orchestrator: str) -> OrchestratorEntry:
    """An orchestrator of the catalogue."""
    return Catalog.load().typed("orchestrators", orchestrator, OrchestratorEntry)


def _of(orchestrator: str) -> restart.Backoff:
    """The back-off of an orchestrator of the catalogue: Compose leaves restarts to the engine, Kubernetes to the kubelet."""
    return restart.backoff_of(_entry(orchestrator))


def _grace(orchestrator: str) -> float:
    """How long an instance may take to end before it is killed [s]."""
    return (_entry(orchestrator).grace or 0) / restart.SECOND


# --- kubelet -------------------------------------------------------------------------------------------------------------


def _backoff(given: Given) -> restart.Backoff:
    """A kubelet's back-off: of the feature that is named, or the default, with what the case says."""
    known = restart.REDUCED if "ReduceDefaultCrashLoopBackOffDecay" in str(given.get("feature", "")) else _of("kubernetes")
    known = replace(
        known, initial_s=float(given.get("initial_s", known.initial_s)), cap_s=float(given.get("cap_s", known.cap_s)),
        factor=float(given.get("factor", known.factor)))
    most = given.get("max_container_restart_period_s")
    return known if most is None else restart.capped(known, float(most))


def kubelet_delays(given: Given) -> Answer:
    """Waits before restarts of a container that never runs long enough, and the restarts more than by default that it leads to."""
    backoff = _backoff(given)
    number = _asked(given, "delays_s", 8)
    runs = given.get("run_durations_s", [0.0] * number)
    in_five = [restart.restarts_within(each, 0.0, FIVE_MINUTES_S) for each in (backoff, _of("kubernetes"))]
    given.get("runs_each_shorter_than_s")
    return {"delays_s": list(islice(backoff.waits(runs), number)), "extra_restarts_first_5_min": in_five[0] - in_five[1]}


def kubelet_restarts(given: Given) -> Answer:
    """How often a container is started again in a window, or by when after given waits."""
    if "delays_s" in given:
        return {f"restart_no_{place}_within_s": at for place, at in enumerate(accumulate(given["delays_s"]), 1)}
    backoff, exits, window = _backoff(given), float(given["container_exits_after_s"]), float(given.get("window_s", FIVE_MINUTES_S))
    count = restart.restarts_within(backoff, exits, window)
    answer: dict[str, Any] = {"restarts": count, "restarts_about": count}
    for key in given.form or ():
        if key.startswith("restarts_in_first_"):
            within = float(key.removeprefix("restarts_in_first_").removesuffix("_s"))
            answer[key] = restart.restarts_within(backoff, exits, within)
    return answer


def api_requests(given: Given) -> Answer:
    """Requests to the API server while all pods of a node crash."""
    waits = given["initial_s"]
    found = [restart.api_requests(given["pods"], wait, given["crash_every_s"]) for wait in (waits if isinstance(waits, list) else [waits])]
    return {"requests_per_10s": found if isinstance(waits, list) else found[0]}


# --- Docker --------------------------------------------------------------------------------------------------------------


def docker_delays(given: Given) -> Answer:
    """Waits before restarts by the engine after runs of some lengths."""
    given.get("policy")
    return {"delays_s": list(_of("compose").waits(given["run_durations_s"], float(given.get("previous_delay_s", 0.0))))}


def docker_should_restart(given: Given) -> Answer:
    """Whether the engine starts a container again: after it ended, or when the daemon comes up."""
    policy, by_hand = restart.docker_policy(str(given["policy"])), bool(given.get("stopped_by_hand", False))
    if given.get("daemon_restarts", False):
        comes = policy.after_daemon(stopped_by_hand=by_hand)
        return {"restarted": [comes], "total_restarts": int(comes)}
    restarted: list[bool] = []
    for code in given["exit_codes"] if "exit_codes" in given else [given.get("exit_code", 0)]:
        restarted.append(policy.again(code, sum(restarted), stopped_by_hand=by_hand))
    return {"restarted": restarted, "total_restarts": sum(restarted)}


def docker_policy_takes_effect(given: Given) -> Answer:
    """Whether a policy holds after some time up, as the documentation has it."""
    return {"takes_effect": given["up_for_s"] >= restart.POLICY_HOLDS_AFTER_S}


def _check(given: Given) -> health.HealthCheck:
    known = health.HealthCheck()
    return health.HealthCheck(
        float(given.get("interval_s", known.interval_s)), float(given.get("timeout_s", known.timeout_s)),
        int(given.get("retries", known.retries)), float(given.get("start_period_s", known.start_period_s)),
        float(given.get("start_interval_s", known.start_interval_s)))


def docker_health(given: Given) -> Answer:
    """The status of a container after each of some probes."""
    check, seen, states = _check(given), health.Health(), []
    for probe in given["probes"]:
        ok = bool(probe["ok"]) and float(probe.get("duration_s", 0.0)) <= check.timeout_s
        seen = seen.probed(check, ok=ok, began_s=float(probe["started_at_s"]))
        states.append({"at_s": probe["started_at_s"], "status": seen.status, "failing_streak": seen.failing_streak})
    return {"states": states}


def docker_probe_times(given: Given) -> Answer:
    """When probes begin."""
    well = given.get("becomes_healthy_at_s")
    starts = health.probe_starts(_check(given), lambda at: well is not None and at >= well, float(given.get("probe_duration_s", 0.0)))
    return {"probe_starts_s": list(islice(starts, _asked(given, "probe_starts_s")))}


def compose_dependency(given: Given) -> Answer:
    """Whether what depends on a service starts, or is restarted with it."""
    if "condition" not in given:
        by_compose = str(given.get("dependency", "")) in health.COMPOSE_RESTARTS
        return {"dependent_restarted": bool(given.get("restart", False)) and by_compose, "after_runtime_crash_restart": False}
    states = [state.strip() for state in str(given.get("dependency_state", "")).split(",")]
    status = next((known for known in ("starting", "healthy", "unhealthy") if known in states), None)
    code = given.get("dependency_exit_code")
    running = code is None and states not in ([""], ["created"], ["exited"])
    return {"dependent_starts": health.may_start(given["condition"], running=running, status=status, exit_code=code)}


# --- Swarm ---------------------------------------------------------------------------------------------------------------


def _policy(given: Given) -> restart.SwarmPolicy:
    known = restart.SwarmPolicy()
    return restart.SwarmPolicy(
        given.get("condition", known.condition), float(given.get("delay_s", known.delay_s)),
        int(given.get("max_attempts", known.max_attempts)), float(given.get("window_s", known.window_s)))


def swarm_should_restart(given: Given) -> Answer:
    """Whether a task is replaced, and how often one that keeps failing is."""
    policy = _policy(given)
    if "exit_code" in given:
        return {"restart": policy.again(failed=given["exit_code"] != 0)}
    failures = given["failures_at_s"] if "failures_at_s" in given else range(given["failures"])
    count = len(restart.swarm_restarts(policy, failures))
    return {"restarts": count, "restart": count == len(failures)}


def _update(given: Given) -> SwarmUpdate:
    known = SwarmUpdate()
    return SwarmUpdate(
        int(given.get("parallelism", known.parallelism)), float(given.get("delay_s", known.delay_s)),
        given.get("failure_action", known.failure_action), float(given.get("monitor_s", known.monitor_s)),
        float(given.get("max_failure_ratio", known.max_failure_ratio)), given.get("order", known.order))


def swarm_update_workers(given: Given) -> Answer:
    """How many tasks are replaced at once."""
    return {"workers": _update(given).workers(given["dirty_tasks"])}


def swarm_update_duration(given: Given) -> Answer:
    """How long an update takes."""
    form = "ceil(tasks/parallelism) x (replace + delay) + monitor, monitor raised to delay+1 when delay >= monitor"
    return {"duration_s": _update(given).duration_s(given["tasks"], given["task_replace_s"]), "formula": form}


def swarm_failure_action(given: Given) -> Answer:
    """What failures of new tasks lead to."""
    return {"action": _update(given).action(given["failures"], given["dirty_tasks"]) or "none"}


def swarm_failure_counts(given: Given) -> Answer:
    """Whether the failure of a new task counts."""
    ran = given.get("task_running_for_s")
    return {"counts": bool(given.get("task_fails", True)) and _update(given).counts(None if ran is None else float(ran))}


# --- probes and defaults -------------------------------------------------------------------------------------------------


def _probe(given: Given) -> health.Probe:
    known = health.Probe()
    return health.Probe(
        float(given.get("initial_delay_s", known.initial_delay_s)), float(given.get("period_s", known.period_s)),
        float(given.get("timeout_s", known.timeout_s)), int(given.get("success_threshold", known.success_threshold)),
        int(given.get("failure_threshold", known.failure_threshold)))


def startup_probe_budget(given: Given) -> Answer:
    """How long a container may take to start."""
    return {"max_startup_s": _probe(given).budget_s()}


def liveness_timeline(given: Given) -> Answer:
    """Between what instants a container is killed."""
    return {"killed_between_s": list(_probe(given).noticed_s(float(given["unhealthy_from_s"])))}


def defaults(given: Given) -> Answer:
    """Constants that a system has where nothing is said."""
    check, probe, policy, update = health.HealthCheck(), health.Probe(), restart.SwarmPolicy(), SwarmUpdate()
    updating = {name: getattr(update, name) for name in ("failure_action", "monitor_s", "order", "parallelism")}
    backoffs = {"docker restart": _of("compose"), "kubelet restart": _of("kubernetes")}
    known: dict[str, dict[str, Any]] = {
        "docker healthcheck": {
            "interval_s": check.interval_s, "timeout_s": check.timeout_s, "retries": check.retries,
            "start_period_s": check.start_period_s, "start_interval_s": check.start_interval_s},
        "kubernetes probe": {
            "initial_delay_s": probe.initial_delay_s, "period_s": probe.period_s, "timeout_s": probe.timeout_s,
            "success_threshold": probe.success_threshold, "failure_threshold": probe.failure_threshold,
            "termination_grace_s": _grace("kubernetes")},
        "swarm service": {
            "restart_condition": policy.condition, "restart_delay_s": policy.delay_s, "max_attempts": policy.max_attempts,
            "stop_grace_s": _grace("swarm"), "rollback": updating,
            "update": {**updating, "delay_s": update.delay_s, "max_failure_ratio": update.max_failure_ratio}},
        **{name: {"initial_s": each.initial_s, "max_s": each.cap_s, "reset_after_s": each.reset_s} for name, each in backoffs.items()},
    }
    if given["kind"] not in known:
        raise NotKnown(f"no defaults of {given['kind']}")
    return known[given["kind"]]


def same(key: str, expected: Any, got: Any) -> bool | None:
    """Numbers that are expected about are so."""
    if key.endswith("_about") and not isinstance(expected, Sequence):
        return bool(abs(got - expected) <= ABOUT * abs(expected))
    return None


RULES: Final = Rules("backoff-restart", {
    "kubelet_restart_delays": kubelet_delays, "kubelet_restarts": kubelet_restarts, "api_requests": api_requests,
    "docker_restart_delays": docker_delays, "docker_should_restart": docker_should_restart,
    "docker_policy_takes_effect": docker_policy_takes_effect, "docker_health": docker_health, "docker_probe_times": docker_probe_times,
    "compose_dependency": compose_dependency, "swarm_should_restart": swarm_should_restart, "swarm_update_workers": swarm_update_workers,
    "swarm_update_duration": swarm_update_duration, "swarm_failure_action": swarm_failure_action,
    "swarm_failure_counts": swarm_failure_counts, "startup_probe_budget": startup_probe_budget, "liveness_timeline": liveness_timeline,
    "defaults": defaults,
}, same=same)
