"""Cases of the kind `hpa-replicas`: how many replicas a metric asks for.

*Model*: pods of a case are `simvirt.orchestration.hpa.Pod`s; where a case says `was_ready` or `metric_fresh` instead of
    ages, an age that means that. Ages that are not given are older than anything else, as in the controller's own tests.
*Ignores*: nothing that a case of this kind has said so far; what is given and not looked at is reported.
*Source*: kubernetes/kubernetes pkg/controller/podautoscaler/replica_calculator_test.go (what its pods are by default).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from simvirt.orchestration import hpa
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import ERROR, Answer, Rules

STALE_S: Final = 1.0
"""By how much a metric that is not fresh begins before the pod became ready [s]."""


def tolerance_of(given: Given) -> hpa.Tolerance:
    """The tolerance of a case: of each direction, one for both, or the default."""
    stated = given.get("tolerance", {})
    if not isinstance(stated, Mapping):
        return hpa.Tolerance(float(stated), float(stated))
    return hpa.Tolerance(float(stated.get("down", hpa.DEFAULT.down)), float(stated.get("up", hpa.DEFAULT.up)))


def timing_of(given: Given) -> hpa.Timing:
    """The periods of a case, or the defaults."""
    return hpa.Timing(
        float(given.get("cpu_initialization_period_s", hpa.TIMING.cpu_initialization_s)),
        float(given.get("initial_readiness_delay_s", hpa.TIMING.initial_readiness_s)),
    )


def pod_of(given: Given, container: str | None = None) -> hpa.Pod:
    """A pod of a case; with a container, as far as that is concerned."""
    ready, age = given.get("ready", True), float(given.get("age_s", hpa.AGES))
    changed = float(given.get("last_transition_age_s", _changed(given, ready, age)))
    return hpa.Pod(
        request=_request(given, container), sample=_sample(given, container, changed),
        phase=str(given.get("phase", "Running")), deleting=bool(given.get("deleting", False)), ready=ready,
        age_s=age if given.get("started", True) else None, transition_age_s=changed,
    )


def _changed(given: Given, ready: bool | None, age: float) -> float:
    """How long ago a pod's readiness changed, where a case does not say it: unready ones were never ready, or just became so."""
    return hpa.AGES if ready else 0.0 if given.get("was_ready", False) else age


def _sample(given: Given, container: str | None, changed: float) -> hpa.Sample | None:
    """The metric of a pod; one that is not fresh begins before the pod's last change."""
    value, window = _used(given, container), float(given.get("metric_window_s", 60.0))
    if not given.get("metric_fresh", True):
        return None if value is None else hpa.Sample(value, max(0.0, changed - window) + STALE_S, window)
    return None if value is None else hpa.Sample(value, float(given.get("metric_age_s", 0.0)), window)


def _used(given: Given, container: str | None) -> int | None:
    """The usage of a pod, or of a container in it; None where there is no metric."""
    if "containers" not in given:
        return _whole(given.get("usage_m"))
    used = [(name, _whole(part.get("usage_m"))) for name, part in _containers(given)]
    found = [value for name, value in used if container in (None, name) and value is not None]
    return sum(found) if len(found) == sum(container in (None, name) for name, _ in used) > 0 else None


def _request(given: Given, container: str | None) -> int | None:
    """The request of a pod, or of a container in it; None where one that counts has none."""
    if "containers" not in given:
        return _whole(given.get("request_m"))
    try:
        return hpa.request_of(_requests(given), container, _whole(given.get("request_m")))
    except hpa.MetricError:
        return None


def _containers(given: Given) -> list[tuple[str, Given]]:
    """The containers of a pod by name, those that start before it and go on beside it among them."""
    listed = given.get("containers", [])
    own = listed.every() if isinstance(listed, Given) else [(str(part.get("name", "")), part) for part in listed]
    aside = [part for part in given.get("init_containers", []) if part.get("restart_policy") == "Always"]
    return own + [(str(part.get("name", "")), part) for part in aside]


def _requests(given: Given) -> list[tuple[str, int | None]]:
    """The containers of a pod with their requests."""
    return [(name, _whole(part.get("request_m"))) for name, part in _containers(given)]


def _whole(value: Any) -> int | None:
    """A whole number, or None."""
    return None if value is None else int(value)


# --- functions -------------------------------------------------------------------------------------------------------------


def _proposed(answer: Callable[[Given], Answer]) -> Callable[[Given], Answer]:
    """An adapter whose metric may give no count."""

    def answered(given: Given) -> Answer:
        try:
            return answer(given)
        except hpa.MetricError as error:
            return {ERROR: str(error), "replicas": None, "utilisation_pct": None, "average_value_m": None, "request_m": None}

    return answered


def _of_cpu(given: Given, otherwise: bool) -> bool:
    """Whether a metric is CPU usage: as the case says, or as its function does."""
    return bool(given.get("resource", "cpu" if otherwise else "") == "cpu")


def _utilisation(of_cpu: bool) -> Callable[[Given], Answer]:
    """The adapter of a share of the request, of CPU or of what readiness does not matter for."""

    def answered(given: Given) -> Answer:
        pods = [pod_of(pod, given.get("container")) for pod in given["pods"]]
        target, current = int(given["target_utilisation_pct"]), int(given["current_replicas"])
        found = hpa.by_utilisation(current, target, pods, tolerance_of(given), timing_of(given), _of_cpu(given, of_cpu))
        return {"replicas": found.replicas, "utilisation_pct": found.utilisation_pct, "average_value_m": found.average}

    return answered


def _average(of_cpu: bool) -> Callable[[Given], Answer]:
    """The adapter of a value per pod."""

    def answered(given: Given) -> Answer:
        pods = [pod_of(pod, given.get("container")) for pod in given["pods"]]
        target, current = int(given["target_average_m"]), int(given["current_replicas"])
        found = hpa.by_average(current, target, pods, tolerance_of(given), timing_of(given), _of_cpu(given, of_cpu))
        return {"replicas": found.replicas, "average_value_m": found.average}

    return answered


def _measured(given: Given) -> int:
    """The value of a metric; several are added up."""
    stated = given["metric_m"]
    return sum(map(int, stated)) if isinstance(stated, list) else int(stated)


def _value(given: Given) -> Answer:
    """One value against a target."""
    current = int(given["current_replicas"])
    ready = int(given["ready_pods"]) if "ready_pods" in given else _ready(given) if "pods" in given else current
    found = hpa.by_value(current, _measured(given), int(given["target_m"]), ready, tolerance_of(given))
    return {"replicas": found.replicas, "reported_value_m": found.average}


def _ready(given: Given) -> int:
    """How many pods of a case run and are ready."""
    pods = [pod_of(pod) for pod in given["pods"]]
    return sum(pod.phase == "Running" and pod.ready is True for pod in pods)


def _average_value(given: Given) -> Answer:
    """One value shared by all replicas."""
    found = hpa.by_average_value(int(given["current_replicas"]), _measured(given), int(given["target_average_m"]), tolerance_of(given))
    return {"replicas": found.replicas, "reported_value_m": found.average}


def _class(given: Given) -> Answer:
    """What a pod counts as."""
    return {"pod_class": hpa.classify(pod_of(given["pod"]), _of_cpu(given, True), timing_of(given))}


def _requested(given: Given) -> Answer:
    """The request of a pod, of whatever resource."""
    given.get("resource")
    of_pod, pod_level = _whole(given.get("pod_request_m")), bool(given.get("pod_level_resources_enabled", True))
    return {"request_m": hpa.request_of(_requests(given), given.get("container"), of_pod, pod_level)}


RULES: Final = Rules("hpa-replicas", {
    "cpu_utilisation": _proposed(_utilisation(True)),
    "cpu_utilisation_of_one_container": _proposed(_utilisation(True)),
    "memory_utilisation": _proposed(_utilisation(False)),
    "memory_utilisation_of_one_container": _proposed(_utilisation(False)),
    "cpu_average_value": _proposed(_average(True)),
    "cpu_average_value_of_one_container": _proposed(_average(True)),
    "memory_average_value": _proposed(_average(False)),
    "pods_average_value": _proposed(_average(False)),
    "object_value": _value,
    "object_average_value": _average_value,
    "external_value": _value,
    "external_average_value": _average_value,
    "classify_pod": _class,
    "pod_request": _proposed(_requested),
})
