"""How many replicas requests in flight ask for: the decision of Knative's pod autoscaler.

*Model*: averages over a stable and a much shorter panic window, each over what one replica is to have, rounded up. A decision goes up by
    at most a rate of the ready replicas and down by another. Where the panic window asks for a threshold times the ready replicas, the
    autoscaler panics: it never goes down until a whole stable window has passed without a reason for panic.
*Ignores*: spare capacity for bursts, by which an activator stays in the path; activation scales; averages that weigh what is younger more.
*Source*: knative/serving pkg/autoscaler/scaling/autoscaler.go, pkg/autoscaler/config; Knative documentation, KPA-specific configuration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """What a replica is to have on average, the stable window [s], and the bounds of panic and of rates."""

    target: float
    stable_s: float
    threshold: float
    up_rate: float
    down_rate: float


@dataclass(frozen=True, slots=True)
class State:
    """Since when it panics [s], None where it does not, and the most that it has wanted since."""

    since_s: float | None = None
    most: int = 0


def decide(state: State, stable: float, panic: float, ready: int, rules: Rules, now_s: float) -> tuple[int, State]:
    """The replicas that averages over both windows ask for, and the state afterwards."""
    counted = max(1, ready)
    up, down = math.ceil(rules.up_rate * counted), math.floor(counted / rules.down_rate)
    steady, sudden = (min(max(math.ceil(average / rules.target), down), up) for average in (stable, panic))
    over = math.ceil(panic / rules.target) / counted >= rules.threshold
    if over:
        state = State(now_s, state.most)
    elif state.since_s is not None and state.since_s + rules.stable_s < now_s:
        state = State()
    if state.since_s is None:
        return steady, state
    wanted = max(steady, sudden, state.most)
    return wanted, State(state.since_s, wanted)


def mean_over(samples: list[tuple[float, float]], window_s: float, now_s: float) -> float | None:
    """The mean of samples of instant and value in the last window; None where there are none."""
    found = [value for at, value in samples if at > now_s - window_s]
    return sum(found) / len(found) if found else None
