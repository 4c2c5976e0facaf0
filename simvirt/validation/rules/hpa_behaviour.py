"""Cases of the kind `hpa-behaviour`: stabilisation, rate limits and whole syncs of the autoscaler.

*Model*: the instant of a case is 0, what is so many seconds old lies before it. A sequence is one decision a step: every
    `step_s`, or every sync of the controller.
*Ignores*: nothing that a case of this kind has said so far; what is given and not looked at is reported.
*Source*: kubernetes/kubernetes pkg/controller/podautoscaler/horizontal_test.go; KEP 853.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from simvirt.orchestration import hpa
from simvirt.orchestration.hpa_behaviour import (
    DOWN,
    UP,
    Entry,
    Limits,
    Log,
    Policy,
    down_limit,
    legacy_stabilised,
    limited,
    noted,
    stabilised,
    up_limit,
)
from simvirt.orchestration.hpa_behaviour import Rules as Scaling
from simvirt.orchestration.hpa_reconcile import SYNC_S, WINDOW_S, Metric, reconcile
from simvirt.validation.rules import hpa_replicas
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, NotKnown, Rules

MOST_STEPS: Final = 100_000
"""Steps of a sequence at most."""


def scaling_of(stated: Any, default: Scaling) -> Scaling:
    """The rules of one direction: the default ones, with what a case states instead."""
    if not isinstance(stated, Mapping):
        return default
    policies = tuple(
        Policy(policy["type"], int(policy["value"]), float(policy["period_s"])) for policy in stated.get("policies") or ()
    )
    return Scaling(
        policies or default.policies, stated.get("select") or default.select,
        float(stated.get("stabilization_s", default.window_s)), stated.get("tolerance", default.tolerance),
    )


def limits_of(given: Given) -> Limits:
    """The bounds and rules of a case."""
    return Limits(
        int(given.get("min_replicas", 1)), int(given.get("max_replicas", hpa.MOST)),
        scaling_of(given.get("scale_up"), UP), scaling_of(given.get("scale_down"), DOWN),
    )


def entries(listed: Any, key: str) -> tuple[Entry, ...]:
    """What was noted, each so many seconds ago."""
    return tuple(Entry(int(entry[key]), -float(entry["age_s"])) for entry in listed or ())


def log_of(given: Given) -> Log:
    """What the autoscaler of a case remembers."""
    return Log(
        entries(given.get("recommendations"), "value"), entries(given.get("scale_up_events"), "change"),
        entries(given.get("scale_down_events"), "change"),
    )


# --- functions -------------------------------------------------------------------------------------------------------------


def _rate_limit(given: Given) -> Answer:
    """A count within bounds and policies."""
    wanted, current = int(given["desired_replicas"]), int(given["current_replicas"])
    replicas, reason = limited(wanted, current, limits_of(given), log_of(given), 0.0)
    return {"replicas": replicas, "reason": reason}


def _limit(of: Callable[[int, Scaling, Log, float], int], up: bool) -> Callable[[Given], Answer]:
    """The adapter of the limit in one direction."""

    def answered(given: Given) -> Answer:
        events = entries(given.get("events"), "change")
        log = log_of(given)
        own = Log(log.recommendations, log.ups + (events if up else ()), log.downs + (() if up else events))
        rules = scaling_of(given["rules"], UP if up else DOWN)
        return {"limit": of(int(given["current_replicas"]), rules, own, 0.0)}

    return answered


def _stabilise(given: Given) -> Answer:
    """A count within windows."""
    up, down = float(given.get("up_window_s", UP.window_s)), float(given.get("down_window_s", DOWN.window_s))
    limits = Limits(up=Scaling((), window_s=up), down=Scaling((), window_s=down))
    log, wanted = log_of(given).recommendations, int(given["desired_replicas"])
    return {
        "replicas": stabilised(wanted, int(given["current_replicas"]), limits, log, 0.0),
        "log_length_after": len(noted(log, Entry(wanted, 0.0), max(up, down))),
    }


def _legacy(given: Given) -> Answer:
    """A count within the window for shrinking."""
    log, wanted, window = log_of(given).recommendations, int(given["desired_replicas"]), float(given.get("window_s", WINDOW_S))
    return {
        "replicas": legacy_stabilised(wanted, window, log, 0.0),
        "log_length_after": len(noted(log, Entry(wanted, 0.0), window)),
    }


def _metrics(given: Given, tolerance: hpa.Tolerance) -> Iterator[Metric]:
    """The metrics of a sync: utilisation of the pods' CPU, others in the form of their own kind, one that fails."""
    current, listed = int(given["current_replicas"]), given.get("pods")
    pods = None if listed is None else [hpa_replicas.pod_of(pod, given.get("container")) for pod in listed]
    if "target_utilisation_pct" in given and pods is not None:
        target, timing = int(given["target_utilisation_pct"]), hpa_replicas.timing_of(given)
        yield partial(hpa.by_utilisation, current, target, pods, tolerance, timing)
    if "target_average_m" in given and pods is not None:
        yield partial(hpa.by_average, current, int(given["target_average_m"]), pods, tolerance)
    other = given.get("other_metric")
    if isinstance(other, Given):
        yield partial(_other, Given({**other, "current_replicas": current}))
    elif other is not None:
        yield _failing


def _other(given: Given) -> hpa.Proposal:
    """What a metric in the form of its own kind asks for."""
    found = hpa_replicas.RULES.answer(given)["replicas"]
    if found is None:
        raise hpa.MetricError("the metric fails")
    return hpa.Proposal(int(found))


def _failing() -> hpa.Proposal:
    """A metric that cannot be had."""
    raise hpa.MetricError("the metric fails")


def _reconcile(given: Given) -> Answer:
    """One sync."""
    limits, both = limits_of(given), hpa_replicas.tolerance_of(given)
    down, up = given.get("tolerance_down", limits.down.tolerance), given.get("tolerance_up", limits.up.tolerance)
    tolerance = hpa.Tolerance(both.down if down is None else float(down), both.up if up is None else float(up))
    given.get("status_replicas")  # looked at by averages of a value that is no pod's only, which are given as such
    behaves = "scale_up" in given or "scale_down" in given
    current, metrics = int(given["current_replicas"]), tuple(_metrics(given, tolerance))
    from_zero = bool(given.get("scaled_to_zero", False))
    found = reconcile(current, metrics, limits, log_of(given), 0.0, behaves, from_zero)
    return {"replicas": found.replicas, "limited_by": found.limited_by, "desired_replicas": found.wanted}


# --- sequences -------------------------------------------------------------------------------------------------------------


def _steps(given: Given) -> Iterator[tuple[float, int]]:
    """The counts of a sequence from its begin, each with its instant, without end."""
    replicas, wanted, limits = int(given["start_replicas"]), int(given["desired_replicas"]), limits_of(given)
    step, log = float(given.get("step_s", SYNC_S)), Log()
    for number in range(MOST_STEPS):
        yield number * step, replicas
        now = (number + 1) * step
        after, _ = limited(wanted, replicas, limits, log, now)
        changes = (Entry(abs(after - replicas), now),)
        log = Log((), log.ups + changes * (after > replicas), log.downs + changes * (after < replicas))
        replicas = after


def _sequence(given: Given) -> Answer:
    """The counts of a sequence in the form that is asked for."""
    return {key: _asked(key, form, given) for key, form in (given.form or {}).items()}


def _asked(key: str, form: Any, given: Given) -> Any:
    """One key of a sequence: the first counts, those at some instants, or the change below a count."""
    if isinstance(form, list):
        return [replicas for _, (_, replicas) in zip(form, _steps(given), strict=False)]
    if isinstance(form, Mapping):
        return {instant: _at(float(instant), given) for instant in form}
    if below := re.fullmatch(r"change_below_(\d+)", key):
        return _change_below(int(below[1]), given)
    raise NotKnown(f"no answer to {key}")


def _at(instant_s: float, given: Given) -> int:
    """The count at an instant."""
    last = int(given["start_replicas"])
    for at, replicas in _steps(given):
        if at > instant_s:
            break
        last = replicas
    return last


def _change_below(count: int, given: Given) -> int:
    """By how much the count changes in the first step from below one."""
    before = int(given["start_replicas"])
    for _, replicas in _steps(given):
        if before < count and replicas != before:
            return abs(replicas - before)
        before = replicas
    raise NotKnown(f"the count never changes below {count}")


def _said(rules: Scaling) -> dict[str, Any]:
    """Rules in the form of a case."""
    policies = [{"type": policy.kind, "value": policy.value, "period_s": policy.period_s} for policy in rules.policies]
    return {"select": rules.select, "stabilization_s": rules.window_s, "policies": policies}


def _defaults(given: Given) -> Answer:
    """What holds where nothing is stated."""
    return {
        "scale_up": _said(UP), "scale_down": _said(DOWN), "sync_period_s": SYNC_S, "tolerance": hpa.DEFAULT.up,
        "cpu_initialization_period_s": hpa.TIMING.cpu_initialization_s, "initial_readiness_delay_s": hpa.TIMING.initial_readiness_s,
        "downscale_stabilization_s": WINDOW_S,
    }


RULES: Final = Rules("hpa-behaviour", {
    "rate_limit": _rate_limit,
    "scale_up_limit": _limit(up_limit, up=True),
    "scale_down_limit": _limit(down_limit, up=False),
    "stabilise": _stabilise,
    "legacy_downscale_stabilisation": _legacy,
    "reconcile": _reconcile,
    "sequence": _sequence,
    "defaults": _defaults,
})
