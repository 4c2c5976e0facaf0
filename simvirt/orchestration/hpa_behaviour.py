"""How fast the count of replicas may follow a metric: stabilisation and rate limits of the horizontal pod autoscaler.

*Model*: what is asked for is first stabilised over a window (`stabilised`), then limited by policies over periods (`limited`);
    an autoscaler without stated behaviour has one window for shrinking and a limit of twice the count (`legacy_...`).
    Logs are lists in the controller's order, in which an outdated entry is overwritten rather than removed.
*Ignores*: conditions of the autoscaler object other than the reason of a limit.
*Source*: kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go and pkg/apis/autoscaling/v2/defaults.go, as of 2026.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from simvirt.orchestration.hpa import MOST

Select = Literal["Max", "Min", "Disabled"]
Reason = Literal["DesiredWithinRange", "TooFewReplicas", "TooManyReplicas", "ScaleUpLimit", "ScaleDownLimit"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A recommendation, or a change of the count without its sign, and when it was made [s]."""

    value: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A change that is allowed within a period: so many pods, or percent of the count at its begin."""

    kind: Literal["Pods", "Percent"]
    value: int
    period_s: float


@dataclass(frozen=True, slots=True)
class Rules:
    """How the count may change in one direction; `tolerance` is the autoscaler's own where it is None."""

    policies: tuple[Policy, ...]
    select: Select = "Max"
    window_s: float = 0.0
    tolerance: float | None = None

    @property
    def longest_s(self) -> float:
        """The longest period of a policy [s]."""
        return max((policy.period_s for policy in self.policies), default=0.0)


UP: Final = Rules((Policy("Pods", 4, 15.0), Policy("Percent", 100, 15.0)))
DOWN: Final = Rules((Policy("Percent", 100, 15.0),), window_s=300.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of the count, and how it may change within them."""

    low: int = 1
    high: int = MOST
    up: Rules = UP
    down: Rules = DOWN


@dataclass(frozen=True, slots=True)
class Log:
    """What an autoscaler remembers: recommendations, and changes in each direction."""

    recommendations: tuple[Entry, ...] = ()
    ups: tuple[Entry, ...] = ()
    downs: tuple[Entry, ...] = ()


# --- stabilisation ---------------------------------------------------------------------------------------------------------


def stabilised(wanted: int, current: int, limits: Limits, log: Sequence[Entry], now_s: float) -> int:
    """The count between the lowest recommendation of the window for growing and the highest of that for shrinking."""
    up = min([wanted, *(entry.value for entry in log if now_s - entry.at_s < limits.up.window_s)])
    down = max([wanted, *(entry.value for entry in log if now_s - entry.at_s < limits.down.window_s)])
    return min(max(current, up), down)


def legacy_stabilised(wanted: int, window_s: float, log: Sequence[Entry], now_s: float) -> int:
    """The highest recommendation of the window for shrinking."""
    return max([wanted, *(entry.value for entry in log if now_s - entry.at_s <= window_s)])


def noted(log: Sequence[Entry], entry: Entry, window_s: float) -> tuple[Entry, ...]:
    """A log with one more entry, in the place of the last one that is older than a window, where there is one."""
    outdated = [place for place, old in enumerate(log) if entry.at_s - old.at_s > window_s]
    if not outdated:
        return (*log, entry)
    return tuple(entry if place == outdated[-1] else old for place, old in enumerate(log))


# --- rate limits -----------------------------------------------------------------------------------------------------------


def _begin(current: int, period_s: float, log: Log, now_s: float) -> int:
    """The count at the begin of a period: without what was changed in it."""

    def changed(entries: Sequence[Entry]) -> int:
        return sum(entry.value for entry in entries if now_s - entry.at_s < period_s)

    return current - changed(log.ups) + changed(log.downs)


def up_limit(current: int, rules: Rules, log: Log, now_s: float) -> int:
    """The largest count that policies allow; the current one where growing is disabled."""
    if rules.select == "Disabled":
        return current
    found = [_grown(_begin(current, policy.period_s, log, now_s), policy) for policy in rules.policies]
    return min(found, default=MOST) if rules.select == "Min" else max(found, default=-MOST)


def down_limit(current: int, rules: Rules, log: Log, now_s: float) -> int:
    """The smallest count that policies allow; the current one where shrinking is disabled."""
    if rules.select == "Disabled":
        return current
    found = [_shrunk(_begin(current, policy.period_s, log, now_s), policy) for policy in rules.policies]
    return max(found, default=-MOST) if rules.select == "Min" else min(found, default=MOST)


def _grown(begin: int, policy: Policy) -> int:
    """A count after the largest change of a policy, rounded up: one pod may always come."""
    return begin + policy.value if policy.kind == "Pods" else math.ceil(begin * (1 + policy.value / 100))


def _shrunk(begin: int, policy: Policy) -> int:
    """A count after the largest change of a policy, cut off."""
    return begin - policy.value if policy.kind == "Pods" else int(begin * (1 - policy.value / 100))


def limited(wanted: int, current: int, limits: Limits, log: Log, now_s: float) -> tuple[int, Reason]:
    """The count within bounds and policies, and what limits it; a limit never turns the direction."""
    if wanted > current:
        allowed = max(up_limit(current, limits.up, log, now_s), current)
        reason: Reason = "ScaleUpLimit" if limits.high > allowed else "TooManyReplicas"
        return _within(wanted, min(limits.high, allowed), reason, wanted > min(limits.high, allowed))
    if wanted < current:
        allowed = min(down_limit(current, limits.down, log, now_s), current)
        reason = "ScaleDownLimit" if limits.low < allowed else "TooFewReplicas"
        return _within(wanted, max(limits.low, allowed), reason, wanted < max(limits.low, allowed))
    return wanted, "DesiredWithinRange"


def _within(wanted: int, bound: int, reason: Reason, beyond: bool) -> tuple[int, Reason]:
    """A bound and its reason where a count is beyond it."""
    return (bound, reason) if beyond else (wanted, "DesiredWithinRange")


def legacy_limited(wanted: int, current: int, limits: Limits) -> tuple[int, Reason]:
    """The count within bounds, and at most four, or twice the current one."""
    fast = max(2 * current, 4)
    if wanted < limits.low:
        return limits.low, "TooFewReplicas"
    if wanted > min(limits.high, fast):
        return min(limits.high, fast), "ScaleUpLimit" if limits.high > fast else "TooManyReplicas"
    return wanted, "DesiredWithinRange"
