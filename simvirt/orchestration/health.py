"""Whether a container is well: Docker's health checks, the kubelet's probes, what Compose waits for.

*Model*: Docker probes an interval after the start and then an interval after the end of each probe; so many failures in a row make a
    container unhealthy, one success makes it healthy; until it has been, failures in the start period do not count. The kubelet probes
    in periods that need not begin with the container.
*Ignores*: what probes cost.
*Source*: moby/moby daemon/health.go; compose-spec 05-services.md (depends_on); Kubernetes documentation, Configure Liveness, Readiness
    and Startup Probes; kubernetes/kubernetes pkg/kubelet/prober/worker.go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

Status = Literal["starting", "healthy", "unhealthy"]
Awaited = Literal["service_started", "service_healthy", "service_completed_successfully"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A health check of Docker; times in seconds."""

    interval_s: float = 30.0
    timeout_s: float = 30.0
    retries: int = 3
    start_period_s: float = 0.0
    start_interval_s: float = 5.0

    def next_after_s(self, since_start_s: float, status: Status) -> float:
        """How long after the end of a probe, or after the start, the next one begins."""
        early = status == "starting" and since_start_s < self.start_period_s
        return self.start_interval_s if early else self.interval_s


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a container: its status, and failures in a row."""

    status: Status = "starting"
    failing_streak: int = 0

    def probed(self, check: HealthCheck, *, ok: bool, began_s: float) -> Health:
        """What is known after a probe that began so long after the container."""
        if ok:
            return Health("healthy")
        if self.status == "starting" and began_s < check.start_period_s:
            return self
        streak = self.failing_streak + 1
        return Health("unhealthy" if streak >= check.retries else self.status, streak)


def probe_starts(check: HealthCheck, ok: Callable[[float], bool], takes_s: float = 0.0) -> Iterator[float]:
    """When Docker's probes begin after the start of a container [s]; endless. `ok` is the result of one that begins at an instant."""
    now, health = 0.0, Health()
    while True:
        now += check.next_after_s(now, health.status)
        yield now
        health = health.probed(check, ok=ok(now) and takes_s <= check.timeout_s, began_s=now)
        now += min(takes_s, check.timeout_s)


def given_up_s(check: HealthCheck) -> float:
    """How long after its start a container counts as unhealthy that never answers.

    Checks in the start period do not count: the first that does is the first one at its end or later.
    """
    early = math.ceil(check.start_period_s / check.start_interval_s)
    first = early * check.start_interval_s if early else check.interval_s
    return first + (check.retries - 1) * check.interval_s


def may_start(awaited: Awaited, *, running: bool, status: Status | None = None, exit_code: int | None = None) -> bool:
    """Whether what depends on a service may start; `exit_code` where it ended."""
    if awaited == "service_started":
        return running or exit_code is not None
    if awaited == "service_healthy":
        return running and status == "healthy"
    return exit_code == 0


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of the kubelet; times in seconds."""

    initial_delay_s: float = 0.0
    period_s: float = 10.0
    timeout_s: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3

    def budget_s(self) -> float:
        """How long a container may take to start under it as its startup probe."""
        return self.initial_delay_s + self.failure_threshold * self.period_s

    def noticed_s(self, unwell_from_s: float) -> tuple[float, float]:
        """Between what instants a container is given up that is unwell from one on: as the phase of the probes has it."""
        begin = max(unwell_from_s, self.initial_delay_s)
        return begin + (self.failure_threshold - 1) * self.period_s, begin + self.failure_threshold * self.period_s + self.timeout_s


@dataclass(frozen=True, slots=True)
class Probed:
    """Results of a probe in a row, and what they made of the container; None before the first threshold is reached."""

    good: bool | None = None
    streak: int = 0
    last: bool | None = None

    def after(self, probe: Probe, *, ok: bool) -> Probed:
        """What is known after one more result."""
        streak = self.streak + 1 if ok == self.last else 1
        reached = streak >= (probe.success_threshold if ok else probe.failure_threshold)
        return replace(self, good=ok if reached else self.good, streak=streak, last=ok)


COMPOSE_RESTARTS: Final = ("recreated by compose", "updated by compose", "restarted by compose")
"""What Compose does to a dependency that restarts what depends on it with `restart: true`; the engine's restarts do not."""
