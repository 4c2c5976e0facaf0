"""Whether and when a container that ended is started again: Docker, Swarm and the kubelet.

*Model*: Docker waits a tenth of a second, doubled after each short run up to a minute, and starts at once after a run of ten seconds;
    Swarm waits a fixed time and counts attempts, in a window or for ever; the kubelet waits ten seconds, doubled up to five minutes, and
    forgets after a run of ten minutes.
*Ignores*: how long the start itself takes.
*Source*: moby/moby daemon/internal/restartmanager/restartmanager.go; moby/swarmkit manager/orchestrator/restart/restart.go;
    kubernetes/kubernetes pkg/kubelet/kuberuntime (doBackOff) and client-go util/flowcontrol/backoff.go; KEP 4603.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from simvirt.catalog.entries.orchestrators import OrchestratorEntry

SECOND: Final = 1e9
MOST_DOUBLED: Final = 60
"""Runs after which waits do not grow any more: all have a bound that is far below."""
Condition = Literal["any", "on-failure", "none"]
"""When Swarm starts a task again."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow: the first, by what factor, at most how long, and after what run they begin anew [s]."""

    initial_s: float
    cap_s: float
    reset_s: float
    factor: float = 2.0

    def nth(self, before: int) -> float:
        """The wait after a short run that so many others came before [s]."""
        return min(self.initial_s * self.factor ** min(before, MOST_DOUBLED), self.cap_s)

    def after(self, previous_s: float, ran_s: float) -> float:
        """The wait after a run, of which the wait before it is known; 0 where there was none."""
        if previous_s <= 0.0 or ran_s >= self.reset_s:
            return min(self.initial_s, self.cap_s)
        return min(previous_s * self.factor, self.cap_s)

    def waits(self, runs_s: Iterable[float], previous_s: float = 0.0) -> Iterator[float]:
        """The waits after runs of some lengths [s]."""
        for ran_s in runs_s:
            previous_s = self.after(previous_s, ran_s)
            yield previous_s


def backoff_of(entry: OrchestratorEntry) -> Backoff:
    """The waits of an orchestrator, as its entry in the catalogue has them."""
    def seconds(value: float | None, otherwise: float) -> float:
        return otherwise if value is None else float(value) / SECOND

    return Backoff(
        seconds(entry.backoff, 0.0), seconds(entry.backoff_most, math.inf), seconds(entry.backoff_reset, math.inf),
        float(entry.backoff_factor or 1.0))


REDUCED: Final = Backoff(initial_s=1.0, cap_s=60.0, reset_s=600.0)
"""A kubelet's with the feature ReduceDefaultCrashLoopBackOffDecay (KEP 4603)."""
REQUESTS_PER_RESTART: Final = 5
"""Requests to the API server that a restart of a container costs: KEP 4603, risks."""
POLICY_HOLDS_AFTER_S: Final = 10.0
"""How long a container has to be up before Docker's policy holds for it, as its documentation says [s]."""


def capped(backoff: Backoff, most_s: float) -> Backoff:
    """A kubelet's back-off under `maxContainerRestartPeriod`, which also bounds the first wait."""
    return Backoff(min(backoff.initial_s, most_s), most_s, backoff.reset_s, backoff.factor)


def restarts(backoff: Backoff, exits_after_s: float, *, at_once: bool = False) -> Iterator[float]:
    """The instants at which a container is started again that always ends after the same run [s]; endless.

    `at_once` starts it the first time without a wait, as the kubelet does, which knows no back-off before the first crash.
    """
    now, wait = exits_after_s, 0.0
    for number in count():
        wait = 0.0 if at_once and number == 0 else backoff.after(wait, exits_after_s)
        now += wait
        yield now
        now += exits_after_s


def restarts_within(backoff: Backoff, exits_after_s: float, window_s: float, *, at_once: bool = False) -> int:
    """How often a container that always ends after the same run is started again in a window from its first start."""
    for number, at_s in enumerate(restarts(backoff, exits_after_s, at_once=at_once)):
        if at_s > window_s:
            return number
    return 0


def api_requests(pods: int, backoff_s: float, over_s: float) -> float:
    """Requests to the API server over a time, where each pod is started again after every wait."""
    return pods * REQUESTS_PER_RESTART * over_s / backoff_s


# --- Docker --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DockerPolicy:
    """A restart policy of the engine: its name, and how many restarts `on-failure` allows, 0 for any number."""

    name: Literal["no", "always", "unless-stopped", "on-failure"]
    most: int = 0

    def again(self, exit_code: int, restarted: int = 0, *, stopped_by_hand: bool = False) -> bool:
        """Whether a container that ended is started again, after so many restarts; one stopped by hand stays so."""
        if stopped_by_hand or self.name == "no":
            return False
        return self.name != "on-failure" or (exit_code != 0 and (self.most == 0 or restarted < self.most))

    def after_daemon(self, *, stopped_by_hand: bool = False) -> bool:
        """Whether a container is started when the daemon is."""
        return self.name == "always" or (self.name == "unless-stopped" and not stopped_by_hand)


def docker_policy(written: str) -> DockerPolicy:
    """A policy as it is written: `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3`; ValueError for another."""
    name, _, most = written.partition(":")
    for known in ("no", "always", "unless-stopped", "on-failure"):
        if name == known and (not most or (known == "on-failure" and most.isdecimal())):
            return DockerPolicy(known, int(most or 0))
    raise ValueError(f"expected no, always, unless-stopped, on-failure or on-failure:3; got {written}")


# --- Swarm ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SwarmPolicy:
    """A service's restart policy: when, after what wait, how many attempts (0 for any number), counted in what window (0 for ever) [s]."""

    condition: Condition = "any"
    delay_s: float = 5.0
    max_attempts: int = 0
    window_s: float = 0.0

    def again(self, *, failed: bool, at_s: float = 0.0, restarted_at_s: Sequence[float] = ()) -> bool:
        """Whether a task that ended at an instant is replaced, where its slot was at earlier ones."""
        if self.condition == "none" or (self.condition == "on-failure" and not failed):
            return False
        if self.max_attempts == 0:
            return True
        counted = [at for at in restarted_at_s if self.window_s == 0.0 or at_s - self.window_s < at < at_s]
        return len(counted) < self.max_attempts


def swarm_restarts(policy: SwarmPolicy, failures_at_s: Sequence[float]) -> list[float]:
    """When a slot's tasks, which fail at given instants, were replaced [s]."""
    found: list[float] = []
    for at_s in failures_at_s:
        if policy.again(failed=True, at_s=at_s, restarted_at_s=found):
            found.append(at_s)
    return found
