"""What a kubelet makes of requests: weights of CPU, and whom the kernel kills first.

*Model*: a service that states no weight gets that of its request, and one that states no bias of the OOM killer that of its class.
*Ignores*: the slices of classes between the node and its pods, which divide CPUs in the same proportions while all of them are busy.
*Source*: kubernetes/kubernetes pkg/kubelet/cm (weights) and pkg/kubelet/qos (oom_score_adj); KEP 2254 for cgroup v2.
"""

from __future__ import annotations

from typing import Any

from simvirt.orchestration import qos
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.services import ServiceSpec


def as_requested(scenario: Scenario, node_memory: int) -> Scenario:
    """A scenario whose services have the weights and biases of their requests, on nodes of so much memory [bytes]."""
    services = {name: _with(spec, node_memory) for name, spec in scenario.services.items()}
    return scenario.model_copy(update={"services": services})


def _with(spec: ServiceSpec, node_memory: int) -> ServiceSpec:
    """A service with what follows from its requests, as far as it does not state it."""
    container = container_of(spec)
    found: dict[str, Any] = {}
    if spec.cpu_shares is None and spec.cpu_weight is None:
        found["cpu_weight"] = qos.cpu_weight(qos.cpu_shares(container.requests.get("cpu", 0)))
    if "oom_score_adj" not in spec.model_fields_set:
        found["oom_score_adj"] = qos.oom_score_adj(qos.qos_class([container]), int(container.requests.get("memory", 0)), node_memory)
    return spec.model_copy(update=found)


def container_of(spec: ServiceSpec) -> qos.Resources:
    """Requests and limits of a service's container, what is limited requested too where nothing else is."""
    limits = {"cpu": (spec.cpu_limit or 0.0) * 1000, "memory": float(spec.memory_limit or 0)}
    requests = {"cpu": (spec.cpu_reservation or 0.0) * 1000, "memory": float(spec.memory_reservation or 0)}
    given = [{name: amount for name, amount in each.items() if amount > 0} for each in (requests, limits)]
    return qos.defaulted(qos.Resources(*given))
