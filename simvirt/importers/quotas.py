"""Resource quotas: what a namespace may have in all, held against what its workloads ask for.

*Model*: replicas that a quota leaves no room for are never created. An autoscaler stops where its service's replicas would pass the
quota, those of the others as they are; replicas that pass it from the begin are said to.
*Ignores*: in which order replicas come.
*Source*: Kubernetes documentation, Resource Quotas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.importers import values
from simvirt.importers.application import Note, Service
from simvirt.importers.manifests import Object

BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "requests.cpu": ("reservations", "cpus"),
    "cpu": ("reservations", "cpus"),
    "limits.cpu": ("limits", "cpus"),
    "requests.memory": ("reservations", "memory"),
    "memory": ("reservations", "memory"),
    "limits.memory": ("limits", "memory"),
}
"""What a quota bounds -> where a scenario says how much of it a replica has."""
PODS: Final = ("pods", "count/pods")


def quotas(found: Sequence[Object], workloads: Sequence[tuple[str, Service]]) -> Iterator[Note]:
    """Bounds autoscalers by the quotas of their namespaces; says which quotas do not bind, and which are passed."""
    for one in found:
        inside = [service for namespace, service in workloads if namespace == one.namespace and not service.ends]
        for key, written in one.table("spec", "hard").items():
            most = values.quantity(str(written))
            if most is None or most < 0:
                raise one.wrong(f"expected a quantity, for example 4 or 5Gi; got {str(written)[:40]!r}", "spec", "hard", str(key))
            yield _held(one, str(key), most, inside)


def _held(one: Object, key: str, most: float, inside: Sequence[Service]) -> Note:
    """One bound of a quota."""
    place, path = one.place("spec", "hard", key), f"ResourceQuota {one.name}.{key}"
    if key not in BOUNDS and key not in PODS:
        return Note(place, path, "it bounds what no scenario counts")
    each = {service.name: _each(service, key) for service in inside}
    total = sum(each[service.name] * _replicas(service) for service in inside)
    for service in inside:
        _bound(service, each[service.name], most - total)
    if any(amount == 0 for amount in each.values()):
        return Note(place, path, "some workloads do not say how much they need of it, and would get no pod; the scenario has them")
    if total > most:
        return Note(place, path, f"the workloads ask for {total:g}, so that some pods are never created; the scenario has them all")
    return Note(place, path, "all replicas have room in it, and autoscalers stop at it")


def _bound(service: Service, each: float, left: float) -> None:
    """Stops an autoscaler where a quota does."""
    scale: dict[str, Any] | None = service.keys.get("autoscale")
    if scale is not None and each > 0:
        scale["max"] = max(min(scale["max"], _replicas(service) + int(max(left, 0.0) / each)), scale["min"])


def _each(service: Service, key: str) -> float:
    """How much of it a replica has."""
    if key in PODS:
        return 1.0
    kind, name = BOUNDS[key]
    said = service.keys.get("deploy", {}).get("resources", {}).get(kind, {}).get(name)
    return 0.0 if said is None else float(said) if name == "cpus" else float(values.size(str(said)) or 0)


def _replicas(service: Service) -> int:
    return int(service.keys.get("deploy", {}).get("replicas", 1))
