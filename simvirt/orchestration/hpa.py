"""How many replicas a metric asks for: the replica calculator of Kubernetes' horizontal pod autoscaler.

*Model*: integers and truncations are the controller's: milli-units, utilisation in whole percent and averages cut off,
    counts rounded up.
*Ignores*: the API that metrics come from, and overflows of 64-bit sums.
*Source*: kubernetes/kubernetes pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go, as of 2026.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

PodClass = Literal["ready", "unready", "missing", "ignored"]
MOST: Final = 2**31 - 1
"""The largest count of replicas that the controller can hold."""
AGES: Final = 10.0**9
"""Age in seconds of what happened before anything else [s]."""
Measured = Callable[[Sequence["Pod"]], float]
"""The ratio of the usage of pods to the target."""
Filled = Callable[["Pod", bool], "Pod"]
"""A pod without a metric, taken at a value that works against growing, or against shrinking."""


class MetricError(Exception):
    """A metric from which no count can be computed; the message says why."""


class Sample(NamedTuple):
    """The usage of a pod over a window that ended some time ago [milli-units, s]."""

    value: int
    age_s: float = 0.0
    window_s: float = 60.0


class Pod(NamedTuple):
    """A pod as the autoscaler sees it: `request` and `sample` are None where there are none, `ready` where no condition is known."""

    request: int | None = None
    sample: Sample | None = None
    phase: str = "Running"
    deleting: bool = False
    ready: bool | None = True
    age_s: float | None = AGES
    transition_age_s: float = AGES


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far the ratio of usage to target may be from one without a change."""

    down: float = 0.1
    up: float = 0.1

    def holds(self, ratio: float) -> bool:
        """Whether a ratio is near enough to one."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Timing:
    """After what age a pod's CPU usage counts whatever its readiness [s]."""

    cpu_initialization_s: float = 300.0
    initial_readiness_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a metric asks for, and what was measured: whole percent of the request, milli-units per pod."""

    replicas: int
    utilisation_pct: int | None = None
    average: int | None = None


DEFAULT: Final = Tolerance()
TIMING: Final = Timing()


def whole(value: float) -> int:
    """A count rounded up, within what the controller can hold."""
    return 0 if math.isnan(value) else MOST if value > MOST else math.ceil(value)


def ratio(value: float, by: float) -> float:
    """A quotient as floating-point hardware gives it: of a zero it is infinite, or not a number."""
    return value / by if by else math.nan if not value else math.copysign(math.inf, value)


# --- pods ------------------------------------------------------------------------------------------------------------------


def classify(pod: Pod, of_cpu: bool, timing: Timing = TIMING) -> PodClass:
    """What a pod counts as for a metric: readiness is looked at for CPU only, for a start takes CPU."""
    if pod.deleting or pod.phase in ("Succeeded", "Failed"):
        return "ignored"
    if pod.phase == "Pending":
        return "unready"
    if pod.sample is None:
        return "missing"
    return "unready" if of_cpu and _unready(pod, pod.sample, timing) else "ready"


def _unready(pod: Pod, sample: Sample, timing: Timing) -> bool:
    """Whether a pod's CPU usage is that of a start.

    Young, it has to be ready for a whole window of the metric; later, it only must have been ready once.
    """
    if pod.ready is None or pod.age_s is None:
        return True
    if pod.age_s < timing.cpu_initialization_s:
        return not pod.ready or sample.age_s > pod.transition_age_s - sample.window_s
    return not pod.ready and pod.transition_age_s > pod.age_s - timing.initial_readiness_s


@dataclass(frozen=True, slots=True)
class _Groups:
    """Pods by what they count as."""

    ready: tuple[Pod, ...]
    unready: tuple[Pod, ...]
    missing: tuple[Pod, ...]


def _grouped(pods: Sequence[Pod], of_cpu: bool, timing: Timing) -> _Groups:
    """Pods by class; MetricError where none of them has a metric that counts."""
    if not pods:
        raise MetricError("no pods are there")
    by: dict[PodClass, list[Pod]] = {"ready": [], "unready": [], "missing": [], "ignored": []}
    for pod in pods:
        by[classify(pod, of_cpu, timing)].append(pod)
    if not by["ready"]:
        raise MetricError("no metric of a pod that counts was received")
    return _Groups(tuple(by["ready"]), tuple(by["unready"]), tuple(by["missing"]))


def request_of(
    containers: Sequence[tuple[str, int | None]], container: str | None = None, of_pod: int | None = None, pod_level: bool = True
) -> int:
    """The request of a pod: its own where it has one, else the sum of its containers', or that of one container [milli-units].

    MetricError where a container that counts has none, or there is no container of that name.
    """
    if container is None and pod_level and of_pod is not None:
        return of_pod
    counted = [(name, request) for name, request in containers if container in (None, name)]
    if container is not None and not counted:
        raise MetricError(f"there is no container {container}")
    lacking = next((name for name, request in counted if request is None), None)
    if lacking is not None:
        raise MetricError(f"container {lacking} has no request")
    return sum(request for _, request in counted if request is not None)


# --- metrics of pods -------------------------------------------------------------------------------------------------------


def by_utilisation(
    current: int, target_pct: int, pods: Sequence[Pod], tolerance: Tolerance = DEFAULT, timing: Timing = TIMING, of_cpu: bool = True
) -> Proposal:
    """Replicas so that usage is a share of the request [%]; MetricError where a pod has no request, or none has a metric."""
    groups = _grouped(pods, of_cpu, timing)
    if any(pod.request is None for pod in pods):
        raise MetricError("a container has no request")
    used, average = _utilisation(groups.ready)
    missing_at = max(100, target_pct)

    def filled(pod: Pod, growing: bool) -> Pod:
        return _with(pod, 0 if growing else (pod.request or 0) * missing_at // 100)

    def measured(counted: Sequence[Pod]) -> float:
        return ratio(float(_utilisation(counted)[0]), float(target_pct))

    return Proposal(_replicas(current, groups, tolerance, measured, filled), used, average)


def by_average(
    current: int, target: int, pods: Sequence[Pod], tolerance: Tolerance = DEFAULT, timing: Timing = TIMING, of_cpu: bool = False
) -> Proposal:
    """Replicas so that each pod has a value of its own on average [milli-units]; MetricError where none has a metric.

    `of_cpu` where the value is CPU usage, for which readiness is looked at.
    """
    groups = _grouped(pods, of_cpu, timing)

    def measured(counted: Sequence[Pod]) -> float:
        return ratio(float(_average(counted)), float(target))

    replicas = _replicas(current, groups, tolerance, measured, lambda pod, growing: _with(pod, 0 if growing else target))
    return Proposal(replicas, None, _average(groups.ready))


def _with(pod: Pod, value: int) -> Pod:
    """A pod that is taken at a value."""
    return pod._replace(sample=Sample(value))


def _total(pods: Collection[Pod]) -> int:
    """The usage of pods that have a metric."""
    return sum([pod.sample.value for pod in pods if pod.sample is not None])


def _average(pods: Collection[Pod]) -> int:
    """The mean usage, cut off."""
    return _mean(_total(pods), len(pods))


def _mean(total: int, pods: int) -> int:
    """A mean of whole numbers, cut off towards zero."""
    return int(total / pods) if total < 0 else total // pods


def _utilisation(pods: Collection[Pod]) -> tuple[int, int]:
    """The usage in whole percent of what is requested, cut off, and the mean usage."""
    requested = sum([pod.request or 0 for pod in pods])
    if not requested:
        raise MetricError("nothing is requested")
    total = _total(pods)
    return total * 100 // requested, _mean(total, len(pods))


def _replicas(current: int, groups: _Groups, tolerance: Tolerance, measured: Measured, filled: Filled) -> int:
    """The count for a ratio, found again with pods that are not known taken against the change; it may stop it, not turn it."""
    first = measured(groups.ready)
    unready = groups.unready if first > 1.0 else ()
    if not unready and not groups.missing:
        return current if tolerance.holds(first) else whole(first * len(groups.ready))
    taken = [filled(pod, first > 1.0) for pod in groups.missing] if first != 1.0 else []
    counted = [*groups.ready, *taken, *(_with(pod, 0) for pod in unready)]
    second = measured(counted)
    if tolerance.holds(second) or (first < 1.0 < second) or (second < 1.0 < first):
        return current
    wanted = whole(second * len(counted))
    turned = (second < 1.0 and wanted > current) or (second > 1.0 and wanted < current)
    return current if turned else wanted


# --- metrics of other objects ----------------------------------------------------------------------------------------------


def by_value(current: int, value: int, target: int, ready: int, tolerance: Tolerance = DEFAULT) -> Proposal:
    """Replicas so that one value is at a target, in proportion to the pods that are ready; from none, as many as the ratio."""
    found = ratio(float(value), float(target))
    if not current:
        return Proposal(whole(found), average=value)
    return Proposal(current if tolerance.holds(found) else whole(found * ready), average=value)


def by_average_value(current: int, value: int, target: int, tolerance: Tolerance = DEFAULT) -> Proposal:
    """Replicas so that each has at most its share of one value; what is measured is the share of each of the current ones."""
    within = tolerance.holds(ratio(float(value), float(target) * current))
    return Proposal(current if within else whole(ratio(float(value), float(target))), average=whole(value / current) if current else 0)
