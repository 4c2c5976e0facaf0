"""Cases of the kind `metastable-resilience`: retries, budgets, breakers, and how balancers divide load by health.

*Model*: cases that name no function are known by what they give. Shares of traffic are compared to a percentage point, as tables of
    documentation round them in more than one way; probabilities to their fourth digit.
*Ignores*: what happened before (a trigger) but that it has ended.
*Source*: the modules that answer: `simvirt.orchestration.retrying`, `breaking` and `load_shares`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from simvirt.orchestration import breaking, load_shares, retrying
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, NotKnown, Rules, named

# --- retries ---------------------------------------------------------------------------------------------------------------


def _metastability(given: Given) -> Answer:
    """Whether a service recovers by itself from a trigger."""
    given.get("trigger")
    found = retrying.Overload(float(given["offered_qps"]), float(given["capacity_qps"]), 1.0 + float(given["retries_per_failure"]))
    return {
        "load_during_retry_qps": found.with_retries, "recovers_when_trigger_ends": found.recovers(),
        "exceeds_capacity": found.exceeds, "largest_baseline_that_recovers_qps": found.largest_that_recovers,
    }


def _overload(given: Given) -> Answer:
    """A full queue behind clients with a time-out: whether retries keep it full."""
    found = retrying.Overload(float(given["baseline_rps"]), float(given["server_capacity_rps"]), float(given["attempts_max"]))
    delay, patience = found.delay(float(given["queue"])), float(given["client_timeout_ms"]) / 1e3
    keeps = delay > patience and found.exceeds
    return {
        "queue_delay_when_full_s": delay, "offered_with_all_retries_rps": found.with_retries, "exceeds_capacity": found.exceeds,
        "stable_without_trigger": found.is_stable, "recovers_when_trigger_ends": found.is_stable and not keeps,
        "largest_baseline_that_recovers_rps": round(found.largest_that_recovers, 2),
    }


def _amplification(given: Given) -> Answer:
    """Calls at the bottom of layers that all try again."""
    layers = given.get("layers", given.get("layers_that_retry"))
    attempts = given.get("attempts_each", given.get("attempts_per_layer"))
    if attempts is None:
        attempts = 1 + int(given["retries_each"] if "retries_each" in given else given["retries_per_layer"])
    factor = retrying.amplification(int(attempts), int(layers))
    return {"factor": factor, "calls_at_bottom": factor, "amplification": factor}


def _throttle(given: Given) -> Answer:
    """Share of requests that a client drops; over the window that is given."""
    given.get("window_s")
    found = retrying.reject_probability(float(given["requests"]), float(given["accepts"]), float(given.get("k", 2)))
    return {"reject_probability": found}


def _budget(given: Given) -> Answer:
    """What a budget of retries allows: at once, or in load."""
    if "active_requests" in given:
        allowed = retrying.concurrent_retries(
            float(given["active_requests"]), float(given.get("budget_pct", 20)), int(given.get("min_retry_concurrency", 3)),
            float(given.get("pending_requests", 0)))
        return {"max_concurrent_retries": allowed}
    attempts, ratio = float(given["per_request_attempts"]), float(given["per_client_retry_ratio"])
    return {
        "load_growth_max_without_client_budget": retrying.load_growth(attempts), "load_growth_max": retrying.load_growth(attempts, ratio),
    }


def _burst(given: Given) -> Answer:
    """Retries of failures at one instant under a budget, whose back-off it counts or does not."""
    failures = int(given["simultaneous_failures"])
    allowed = retrying.concurrent_retries(failures, float(given["retry_budget_pct"]), int(given.get("min_retry_concurrency", 3)))
    admitted = retrying.admitted_retries(failures, allowed, bool(given["retries_in_backoff_counted"]))
    return {"retries_admitted": admitted, "expected_by_budget_at_most": allowed}


def _tokens(given: Given) -> Answer:
    """gRPC's token bucket after failures and successes."""
    most, ratio = float(given["max_tokens"]), float(given["token_ratio"])
    bucket = retrying.Tokens(most, ratio, float(given.get("tokens", most)))
    left = bucket.after(int(given.get("failures_in_a_row", given.get("failures", 0))), int(given.get("successes", 0)))
    return {"tokens": left.left, "retries_allowed": left.allows}


def _capacity(given: Given) -> Answer:
    """What tasks can do together."""
    total = float(given["tasks"]) * float(given["per_task_qps"])
    return {"datacenter_qps": total, "total_qps": total}


# --- breakers --------------------------------------------------------------------------------------------------------------


def _breaker(given: Given) -> Answer:
    """The state of a breaker after calls."""
    kind = str(given["kind"])
    calls = int(given.get("calls", given.get("requests_in_window", 0)))
    failures = int(given.get("failures", 0))
    if kind.startswith("resilience4j"):
        of = breaking.RESILIENCE4J
        rule = breaking.RateBreaker(
            float(given.get("failure_rate_pct", of.failure_pct)), int(given.get("minimum_calls", of.least)),
            float(given.get("slow_call_rate_pct", of.slow_pct)))
        return {"state": rule.state(calls, failures, int(given.get("slow_calls", 0)))}
    if kind.startswith("hystrix"):
        of = breaking.HYSTRIX
        rule = breaking.RateBreaker(
            float(given.get("error_threshold_pct", of.failure_pct)), int(given.get("request_volume_threshold", of.least)), of.slow_pct)
        return {"state": rule.state(calls, failures)}
    raise NotKnown(f"no breaker {kind}")


def _defaults(given: Given) -> Answer:
    """What holds where nothing is stated."""
    kind = str(given["kind"])
    if kind not in breaking.DEFAULTS:
        raise NotKnown(f"no defaults of {kind}")
    return breaking.DEFAULTS[kind]


def _ejection(given: Given) -> Answer:
    """How long an outlier is out, and whether it may be."""
    base, most = float(given.get("base_ejection_s", 30)), float(given.get("max_ejection_s", 300))
    found: dict[str, Any] = {"ejection_s": breaking.ejection_s(int(given.get("times", given.get("ejections", 1))), base, most)}
    if "hosts" in given:
        ejected, share = int(given.get("ejected", 0)), float(given.get("max_ejection_pct", 10))
        found["may_eject"] = breaking.may_eject(int(given["hosts"]), ejected, share)
    return found


# --- load by health --------------------------------------------------------------------------------------------------------


def _priorities(given: Given, panic_pct: float = 0.0) -> Answer:
    """Traffic of priorities, which are in panic, and their health together; without panic where a case does not speak of it."""
    healthy = given["healthy_pct"]
    degraded, hosts = given.get("degraded_pct", [0] * len(healthy)), given.get("hosts", [1] * len(healthy))
    found = load_shares.shares_of(
        [load_shares.Priority(float(a), float(b), int(n)) for a, b, n in zip(healthy, degraded, hosts, strict=True)],
        float(given.get("overprovisioning", load_shares.OVERPROVISIONING)), float(given.get("panic_threshold_pct", panic_pct)))
    return {
        "traffic_pct": list(found.traffic), "healthy_traffic_pct": list(found.healthy), "degraded_traffic_pct": list(found.degraded),
        "panic": list(found.panic), "normalized_total_health": found.total,
    }


def _localities(given: Given) -> Answer:
    """Traffic of localities."""
    names = [name for name, _ in given["weights"].every()]
    weights, healthy = ([float(given[key][name]) for name in names] for key in ("weights", "healthy_pct"))
    factor = float(given.get("overprovisioning", load_shares.OVERPROVISIONING))
    return {"traffic_pct": dict(zip(names, load_shares.locality_shares(weights, healthy, factor), strict=True))}


# --- all -------------------------------------------------------------------------------------------------------------------


SIGNS: Final[Mapping[str, str]] = {
    "server_capacity_rps": "overload", "simultaneous_failures": "burst", "layers_that_retry": "retry_amplification",
    "offered_qps": "retry_metastability", "max_tokens": "retry_tokens",
}
"""A key of what is given -> the function that a case without a name asks for."""


def _function(given: Given) -> str:
    """The function of a case: as it says, or by what it gives."""
    if "function" in given:
        return named(given)
    found = [name for key, name in SIGNS.items() if key in given]
    if not found:
        raise NotKnown("given names no function")
    return found[0]


def _same(key: str, expected: Any, got: Any) -> bool | None:
    """Shares of traffic to a percentage point, probabilities to four digits."""
    if key == "traffic_pct":
        return _close(expected, got)
    if key == "reject_probability":
        return math.isclose(float(expected), float(got), abs_tol=0.5e-4)
    return None


def _close(expected: Any, got: Any) -> bool:
    """Whether all shares are within one point."""
    pairs = [(expected[name], got[name]) for name in expected] if isinstance(expected, Mapping) else list(zip(expected, got, strict=True))
    return all(abs(float(a) - float(b)) <= 1.0 for a, b in pairs)


RULES: Final = Rules("metastable-resilience", {
    "retry_metastability": _metastability,
    "overload": _overload,
    "retry_amplification": _amplification,
    "client_throttle": _throttle,
    "retry_budget": _budget,
    "burst": _burst,
    "retry_tokens": _tokens,
    "capacity": _capacity,
    "circuit_breaker": _breaker,
    "outlier_ejection": _ejection,
    "defaults": _defaults,
    "envoy_priority": _priorities,
    "envoy_panic": lambda given: _priorities(given, load_shares.PANIC_PCT),
    "envoy_locality": _localities,
}, by=_function, same=_same)
