"""What retries do to load, and what bounds them: amplification, budgets, token buckets, throttles of clients.

*Model*: plain arithmetic of the rules as documented. A system that answers too late sends each request as often as clients try; it gets
    well by itself after a trigger only where that still fits its capacity.
*Ignores*: that failures are not all at once; the queue that a trigger leaves, beyond whether it can drain.
*Source*: Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021; Beyer et al., Site Reliability Engineering, chapters 21
    (client-side throttling, retry budgets) and 22; gRFC A6 (retry throttling); Envoy circuit_breaker.proto (RetryBudget) and
    source/common/upstream/resource_manager_impl.h.
"""

from __future__ import annotations

from dataclasses import dataclass


def amplification(attempts: int, layers: int = 1) -> int:
    """Calls at the bottom for one at the top, where each of some layers tries so often."""
    return int(attempts ** layers)


@dataclass(frozen=True, slots=True)
class Overload:
    """A service under retries: what is offered without them, what it can do, tries of a request that fails [per s, per s, 1]."""

    offered: float
    capacity: float
    attempts: float

    @property
    def with_retries(self) -> float:
        """Load while every try fails [per s]."""
        return self.offered * self.attempts

    @property
    def is_stable(self) -> bool:
        """Whether it can do what is offered as long as nothing fails."""
        return self.offered < self.capacity

    @property
    def exceeds(self) -> bool:
        """Whether retries alone keep it overloaded."""
        return self.with_retries > self.capacity

    @property
    def largest_that_recovers(self) -> float:
        """The load up to which it recovers by itself [per s]."""
        return self.capacity / self.attempts

    def delay(self, queue: float) -> float:
        """Time in a queue that is full [s]."""
        return queue / self.capacity

    def recovers(self) -> bool:
        """Whether it recovers when a trigger has ended."""
        return self.is_stable and not self.exceeds


def reject_probability(requests: float, accepts: float, k: float = 2.0) -> float:
    """Share of requests that a client drops by itself, after what it sent and what was accepted lately."""
    return max(0.0, (requests - k * accepts) / (requests + 1.0))


def load_growth(attempts: float, ratio: float | None = None) -> float:
    """Most by which retries make load grow: by attempts for each request, by a ratio where a client counts them."""
    return float(attempts) if ratio is None else min(float(attempts), 1.0 + ratio)


def concurrent_retries(active: float, budget_pct: float = 20.0, least: int = 3, pending: float = 0.0) -> int:
    """Retries that may be under way at once by a share of the requests that are."""
    return max(int((active + pending) * budget_pct / 100.0 + 1e-9), int(least))


def admitted_retries(failures: int, allowed: int, counted: bool) -> int:
    """Retries that are let through of failures at one instant: all of them where those in back-off are not counted."""
    return min(failures, allowed) if counted else failures


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token bucket of gRPC's retry throttling: a failure takes one, a success gives `ratio`; retries need more than half."""

    most: float
    ratio: float
    left: float

    def after(self, failures: int = 0, successes: int = 0) -> Tokens:
        """The bucket after failures, then successes."""
        left = max(0.0, self.left - failures)
        return Tokens(self.most, self.ratio, min(self.most, round(left + successes * self.ratio, 3)))

    @property
    def allows(self) -> bool:
        """Whether a retry may be sent."""
        return self.left > self.most / 2.0
