"""When circuit breakers open, and what software does where nothing is stated.

*Model*: a breaker by rate opens where, of at least so many calls of a window, at least such a share failed (or was slow);
    one by count after so many failures in a row. An outlier is taken out for base x number of ejections, at most a longest
    time, while fewer hosts than a share are out, but always one.
*Ignores*: how a window moves (the caller counts it); success-rate and failure-percentage outliers.
*Source*: resilience4j CircuitBreakerConfig.java and CircuitBreakerMetrics.java; Netflix Hystrix HystrixCommandProperties.java and
    HystrixCircuitBreaker.java; Envoy outlier_detection.proto and outlier_detection_impl.cc, circuit_breaker.proto; nginx
    ngx_http_upstream_module; Finagle RetryBudget.scala; linkerd2 ServiceProfile retryBudget; gRFC A6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

State = Literal["closed", "open"]


@dataclass(frozen=True, slots=True)
class RateBreaker:
    """Opens by a share of failures [%], or of slow calls, of at least so many."""

    failure_pct: float
    least: int
    slow_pct: float = 100.0

    def state(self, calls: int, failures: int, slow: int = 0) -> State:
        """Its state after the calls of its window."""
        if calls < self.least or calls == 0:
            return "closed"
        return "open" if 100.0 * failures / calls >= self.failure_pct or 100.0 * slow / calls >= self.slow_pct else "closed"


def ejection_s(times: int, base_s: float = 30.0, most_s: float = 300.0) -> float:
    """How long a host is out that has been taken out so often [s]."""
    return min(base_s * times, max(base_s, most_s))


def may_eject(hosts: int, ejected: int, most_pct: float = 10.0) -> bool:
    """Whether one more host may be taken out: as long as fewer than a share are; one may always be."""
    return ejected == 0 or (hosts > 0 and 100.0 * (ejected + 1) / hosts <= most_pct)


DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "envoy circuit breaker": {"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024, "max_retries": 3},
    "envoy retry budget": {"budget_pct": 20, "min_retry_concurrency": 3},
    "envoy retry": {"num_retries": 1, "base_interval_ms": 25, "max_interval_ms": 250},
    "envoy outlier detection": {
        "consecutive_5xx": 5, "consecutive_gateway_failure": 5, "interval_s": 10, "base_ejection_s": 30, "max_ejection_s": 300,
        "max_ejection_pct": 10, "success_rate_minimum_hosts": 5, "success_rate_request_volume": 100, "success_rate_stdev_factor": 1900,
        "failure_percentage_threshold": 85, "failure_percentage_minimum_hosts": 5, "failure_percentage_request_volume": 50,
    },
    "envoy load balancing": {"overprovisioning": 1.4, "panic_threshold_pct": 50},
    "nginx upstream": {"max_fails": 1, "fail_timeout_s": 10, "method": "weighted round robin", "weight": 1},
    "resilience4j circuit breaker": {
        "failure_rate_pct": 50, "slow_call_rate_pct": 100, "slow_call_s": 60, "window_type": "count", "window_size": 100,
        "minimum_calls": 100, "wait_open_s": 60, "half_open_calls": 10, "automatic_half_open": False,
    },
    "resilience4j retry": {"attempts": 3, "wait_ms": 500},
    "resilience4j bulkhead": {"max_concurrent": 25, "max_wait_ms": 0},
    "resilience4j rate limiter": {"limit": 50, "period_ns": 500, "timeout_s": 5},
    "resilience4j time limiter": {"timeout_s": 1, "cancel_running": True},
    "hystrix": {
        "timeout_ms": 1000, "window_s": 10, "buckets": 10, "request_volume_threshold": 20, "error_threshold_pct": 50,
        "sleep_window_ms": 5000, "health_snapshot_ms": 500, "thread_pool": 10, "queue_size": -1, "semaphore_max": 10,
    },
    "finagle retry budget": {"ttl_s": 10, "min_retries_per_s": 10, "retry_ratio": 0.2},
    "linkerd retry budget": {"ttl_s": 10, "min_retries_per_s": 10, "retry_ratio": 0.2},
    "grpc retry": {"max_attempts": 5, "jitter": 0.2},
}
"""What holds where nothing is stated, by what it is of."""

RESILIENCE4J: Final = RateBreaker(50.0, 100, 100.0)
HYSTRIX: Final = RateBreaker(50.0, 20, float("inf"))
