"""Kubernetes manifests as an application: workloads become services in the same words, Services and Ingresses who reaches whom.

*Ignores*: where pods may stand but by nodeSelector and nodeName, volumes, what only the cluster's add-ons act on; each is listed.
*Source*: kubernetes.io/docs/reference/kubernetes-api; defaults: kubernetes/kubernetes pkg/apis/{core,apps,autoscaling}/v1/defaults.go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers import values
from simvirt.importers.application import Application, Note, Service, image
from simvirt.importers.kustomize import rendered
from simvirt.importers.manifests import Object, at
from simvirt.importers.placing import label
from simvirt.importers.probes import health_of
from simvirt.importers.projects import NO_OPTIONS, Options
from simvirt.importers.quotas import quotas
from simvirt.units import shown

WORKLOADS: Final = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
}
"""Kinds that run pods -> where the pod is described."""
HEEDED: Final = frozenset(
    (*WORKLOADS, "Service", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget", "LimitRange", "PriorityClass", "ConfigMap",
     "ResourceQuota")
)
PLACED: Final = ("affinity", "tolerations", "topologySpreadConstraints")
PLATFORMS: Final = (
    "{name: containers, stack: [containerd], orchestrator: kubernetes}",
    "{name: vms, stack: [kvm], orchestrator: kubernetes}",
)
SELECTING: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
"""Kinds whose selector has to choose the pods that they make."""
POD_KEYS: Final = frozenset(
    (*PLACED, "nodeSelector", "nodeName", "containers", "initContainers", "volumes", "priorityClassName", "restartPolicy")
)
"""What of a pod is heeded, or left out with a reason of its own."""
BEHAVIOUR: Final = {"scaleUp": "scale_up", "scaleDown": "scale_down"}
POLICIES: Final = {"Max": "max", "Min": "min", "Disabled": "disabled"}


def load(files: Sequence[str], options: Options = NO_OPTIONS) -> Application:
    """The application in manifests; ScenarioError where they are wrong."""
    found = [one for path in files for one in rendered(path)]
    return _Reader(found).application(tuple(files))


class _Reader:
    """Reads the objects of one application."""

    def __init__(self, found: list[Object]) -> None:
        self.objects = found
        self.left_out: list[Note] = []
        self.names: dict[tuple[str, str, str], str] = {}

    def of(self, *kinds: str) -> Iterator[Object]:
        """The objects of some kinds."""
        return (one for one in self.objects if one.kind in kinds)

    def application(self, files: tuple[str, ...]) -> Application:
        """The whole of it."""
        for one in self.objects:
            if one.kind not in HEEDED:
                self.left_out.append(Note(one.place("kind"), f"{one.kind} {one.name}", "objects of this kind carry no load"))
        services = {service.name: service for service in (self.service(one) for one in self.of(*WORKLOADS))}
        if not services:
            where = self.objects[0] if self.objects else None
            said = f"expected {', '.join(WORKLOADS)}; got none of them; name their files beside this one"
            if where is None:
                raise ScenarioError([Issue(files[0], None, None, "", said)])
            raise where.wrong(said, "kind")
        self.scale(services)
        self.left_out += quotas(list(self.of("ResourceQuota")), [(one.namespace, services[self.names[one.kind, one.namespace, one.name]])
                                                                 for one in self.of(*WORKLOADS)])
        name = os.path.basename(os.path.abspath(files[0]))
        return Application(name.partition(".")[0] or "imported", "Kubernetes", files, services, self.left_out, platforms=PLATFORMS)

    def service(self, one: Object) -> Service:
        """The service that a workload is."""
        path = WORKLOADS[one.kind]
        containers = [
            *one.list(*path, "containers"),
            *(inner for inner in one.list(*path, "initContainers") if at(inner, "restartPolicy") == "Always"),
        ]
        if not one.name:
            raise one.wrong("expected a name, for example metadata: {name: web}", "metadata")
        if not containers or not all(isinstance(inner, Mapping) for inner in containers):
            raise one.wrong("expected containers, for example containers: [{name: web, image: nginx}]", *path)
        wanted = one.at("spec", "selector", "matchLabels") or {}
        labels = one.table(*path[:-1], "metadata", "labels") if one.kind in SELECTING else wanted
        if isinstance(wanted, Mapping) and not wanted.items() <= labels.items():
            raise one.wrong(f"expected what the pods' labels say, {dict(labels)}; got {dict(wanted)}", "spec", "selector", "matchLabels")
        service = Service(self.unique(one), one.place("metadata", "name"))
        service.image = image(str(at(containers[0], "image") or ""))
        if service.image is None and at(containers[0], "image"):
            raise one.wrong(f"expected an image, for example nginx:1.27; got {shown(at(containers[0], 'image'))}", *path, "containers")
        if not re.fullmatch(r"[a-z0-9.-]{1,253}", one.name):
            raise one.wrong(
                f"expected a name of small letters, digits, - and ., for example web-1; got {shown(one.name)}", "metadata", "name"
            )
        service.texts = tuple(self.texts(one, path, containers))
        service.names = tuple(dict.fromkeys(self.aliases(one)))
        service.published = self.is_published(one)
        service.ends = one.kind in ("Job", "CronJob") or one.at("spec", "replicas") == 0
        service.keys = dict(self.keys(one, path, containers))
        self.note(one, path, containers)
        return service

    def unique(self, one: Object) -> str:
        """A name that no other workload has."""
        taken = set(self.names.values())
        name = one.name if one.name not in taken else f"{one.name}-{one.namespace}" if f"{one.name}-{one.namespace}" not in taken else ""
        self.names[one.kind, one.namespace, one.name] = name or f"{one.name}-{len(taken)}"
        return self.names[one.kind, one.namespace, one.name]

    def note(self, one: Object, path: tuple[str, ...], containers: Sequence[Mapping[str, Any]]) -> None:
        """Notes what is left out."""
        for key in PLACED:
            if at(one.data, *path, key):
                why = "no manifest says what nodes there are beside those that nodeSelector names"
                self.left_out.append(Note(one.place(*path, key), f"{one.name}.{key}", why))
        for key in one.table(*path):
            if key not in POD_KEYS:
                self.left_out.append(Note(one.place(*path, key), f"{one.name}.{key}", "changes no performance that is simulated"))
        if at(one.data, *path, "volumes"):
            self.left_out.append(Note(one.place(*path, "volumes"), f"{one.name}.volumes", "files lie on the host's disk"))
        for inner in containers[1:]:
            said = f"runs in the pod of {one.name}: its resources count, requests go to the first container"
            self.left_out.append(Note(one.place(*path, "containers"), f"{one.name}.containers.{at(inner, 'name')}", said))
        for inner in one.list(*path, "initContainers"):
            if at(inner, "restartPolicy") != "Always":
                self.left_out.append(
                    Note(one.place(*path, "initContainers"), f"{one.name}.initContainers.{at(inner, 'name')}", "ends before requests come")
                )

    def texts(self, one: Object, path: tuple[str, ...], containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Values in which addresses of others may stand: environment, commands, maps that are mounted."""
        maps = {(found.namespace, found.name): found.table("data") for found in self.of("ConfigMap")}
        for inner in containers:
            for entry in _items(one, path, inner, "env"):
                if (value := at(entry, "value")) is not None:
                    yield str(value)
                elif key := at(entry, "valueFrom", "configMapKeyRef", "key"):
                    source = maps.get((one.namespace, str(at(entry, "valueFrom", "configMapKeyRef", "name"))), {})
                    yield str(source.get(key, ""))
            for entry in _items(one, path, inner, "envFrom"):
                yield from map(str, maps.get((one.namespace, str(at(entry, "configMapRef", "name"))), {}).values())
            for key in ("command", "args"):
                yield from map(str, _items(one, path, inner, key))
        for volume in one.list(*path, "volumes"):
            yield from map(str, maps.get((one.namespace, str(at(volume, "configMap", "name"))), {}).values())

    def selecting(self, one: Object) -> Iterator[Object]:
        """The Services that send requests to a workload's pods."""
        labels = one.table("metadata", "labels") if one.kind == "Pod" else one.table(*WORKLOADS[one.kind][:-1], "metadata", "labels")
        for service in self.of("Service"):
            wanted = service.table("spec", "selector")
            if wanted and service.namespace == one.namespace and wanted.items() <= labels.items():
                yield service

    def aliases(self, one: Object) -> Iterator[str]:
        """What others call a workload: the names of its Services, short and long."""
        for service in self.selecting(one):
            name, space = service.name, service.namespace
            yield from (name, f"{name}.{space}", f"{name}.{space}.svc", f"{name}.{space}.svc.cluster.local")

    def is_published(self, one: Object) -> bool:
        """Whether users reach a workload: through an Ingress, or a Service that is open to the outside."""
        doors = {(door.namespace, name) for door in self.of("Ingress") for name in _backends(door.data)}
        return any(
            service.at("spec", "type") in ("LoadBalancer", "NodePort") or (service.namespace, service.name) in doors
            for service in self.selecting(one)
        )

    def keys(self, one: Object, path: tuple[str, ...], containers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
        """What a scenario says in the same words."""
        deploy: dict[str, Any] = {}
        replicas = one.at("spec", "replicas") if one.kind not in ("Pod", "DaemonSet", "Job", "CronJob") else None
        if replicas is not None and (isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0):
            raise one.wrong(f"expected a whole number, for example 2; got {replicas!r}", "spec", "replicas")
        if replicas and replicas > 1:
            deploy["replicas"] = replicas
        if one.kind == "DaemonSet":
            deploy["mode"] = "global"
        if one.kind == "StatefulSet":
            deploy |= {"mode": "stateful"} | ({"pod_management": "Parallel"} if one.at("spec", "podManagementPolicy") == "Parallel" else {})
        if resources := self.resources(one, path, containers):
            deploy["resources"] = resources
        if (priority := self.priority(one, path)) is not None:
            deploy["priority"] = priority
        if placed := dict(_placed(one, path)):
            deploy["placement"] = placed
        rolling = one.at("spec", "strategy", "rollingUpdate") if one.kind == "Deployment" else None
        if rolling and (
            update := {
                name: rolling[key] for key, name in (("maxSurge", "max_surge"), ("maxUnavailable", "max_unavailable")) if key in rolling
            }
        ):
            deploy["update_config"] = update
        if deploy:
            yield "deploy", deploy
        if health := dict(health_of(one, containers)):
            yield "healthcheck", health

    def resources(self, one: Object, path: tuple[str, ...], containers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Requests and limits of a pod: the sums over its containers; it is limited where all of them are."""
        defaults = [item for found in self.of("LimitRange") if found.namespace == one.namespace for item in found.list("spec", "limits")]
        default: Mapping[str, Any] = next((item for item in defaults if at(item, "type") == "Container"), {})
        found: dict[str, Any] = {}
        for what, kind, fallback in (("limits", "limits", "default"), ("reservations", "requests", "defaultRequest")):
            for key, name in (("cpu", "cpus"), ("memory", "memory")):
                each = [self.amount(one, path, inner, kind, key) for inner in containers]
                usual = at(default, fallback, key)
                each = [values.quantity(str(usual)) if amount is None and usual is not None else amount for amount in each]
                if kind == "requests":
                    limits = [self.amount(one, path, inner, "limits", key) for inner in containers]
                    each = [limit if amount is None else amount for amount, limit in zip(each, limits, strict=True)]
                known = [amount for amount in each if amount is not None]
                if known and (kind == "requests" or len(known) == len(each)) and sum(known) > 0:
                    total = sum(known)
                    found.setdefault(what, {})[name] = round(total, 6) if key == "cpu" else values.said_size(total)
        return found

    def amount(self, one: Object, path: tuple[str, ...], inner: Mapping[str, Any], kind: str, key: str) -> float | None:
        """A request or limit of a container."""
        value = at(inner, "resources", kind, key)
        if value is None:
            return None
        found = values.quantity(str(value))
        if found is None or found < 0:
            raise one.wrong(
                f'expected a quantity, for example 200m or 1Gi; got "{str(value)[:40]}" as {kind}.{key} of {at(inner, "name")}',
                *path,
                "containers",
            )
        return found

    def priority(self, one: Object, path: tuple[str, ...]) -> int | str | None:
        """How important its pods are, by their class or the default one."""
        wanted = one.at(*path, "priorityClassName")
        for found in self.of("PriorityClass"):
            if found.name == wanted or (wanted is None and found.at("globalDefault") is True):
                value = found.at("value")
                return value if isinstance(value, int) else None
        return str(wanted) if wanted in ("system-cluster-critical", "system-node-critical") else None

    def scale(self, services: Mapping[str, Service]) -> None:
        """Autoscalers and budgets of disruption, at the services that they are for."""
        for one in self.of("HorizontalPodAutoscaler"):
            target = (str(one.at("spec", "scaleTargetRef", "kind")), one.namespace, str(one.at("spec", "scaleTargetRef", "name")))
            name = self.names.get(target)
            if name is None:
                self.left_out.append(
                    Note(one.place("spec"), f"{one.kind} {one.name}", f"there is no {target[0]} {target[2]} that it scales")
                )
                continue
            if (autoscale := self.autoscale(one, services[name])) is not None:
                services[name].keys["autoscale"] = autoscale
        for one in self.of("PodDisruptionBudget"):
            wanted = one.table("spec", "selector", "matchLabels")
            for workload in self.of(*WORKLOADS):
                labels = (
                    workload.table(*WORKLOADS[workload.kind][:-1], "metadata", "labels")
                    if workload.kind != "Pod"
                    else workload.table("metadata", "labels")
                )
                if wanted and wanted.items() <= labels.items() and workload.namespace == one.namespace:
                    keys = services[self.names[workload.kind, workload.namespace, workload.name]].keys
                    budget = {
                        name: one.at("spec", key)
                        for key, name in (("minAvailable", "min_available"), ("maxUnavailable", "max_unavailable"))
                        if one.at("spec", key) is not None
                    }
                    if len(budget) == 1:
                        keys.setdefault("deploy", {})["disruption_budget"] = budget

    def autoscale(self, one: Object, service: Service) -> dict[str, Any] | None:
        """A horizontal autoscaler of any version; None where nothing of what it aims at can be said."""
        share = one.at("spec", "targetCPUUtilizationPercentage")
        for number, metric in enumerate(one.list("spec", "metrics")):
            if at(metric, "resource", "name") == "cpu" and at(metric, "type") == "Resource":
                share = at(metric, "resource", "target", "averageUtilization") or at(metric, "resource", "targetAverageUtilization")
            else:
                self.left_out.append(
                    Note(one.place("spec", "metrics", number), f"{one.kind} {one.name}: {at(metric, 'type')}", "only CPU is a target here")
                )
        if share is None and not one.list("spec", "metrics"):
            share = 80
        resources = service.keys.get("deploy", {}).get("resources", {})
        if share is None or not any("cpus" in resources.get(kind, {}) for kind in ("limits", "reservations")):
            why = "only CPU is a target here" if share is None else "usage is a share of what pods request, and they request no CPU"
            self.left_out.append(Note(one.place("spec"), f"{one.kind} {one.name}", why))
            return None
        least, most = one.at("spec", "minReplicas") or 1, one.at("spec", "maxReplicas")
        if not isinstance(most, int) or not isinstance(least, int) or most < least:
            raise one.wrong(f"expected maxReplicas of at least minReplicas, for example 10; got {most!r}", "spec", "maxReplicas")
        found: dict[str, Any] = {"min": least, "max": most, "target": {"cpu": f"{share}%"}}
        for key, name in BEHAVIOUR.items():
            if behaviour := dict(_scaling(one.table("spec", "behavior", key))):
                found[name] = behaviour
        deploy = service.keys.setdefault("deploy", {})
        deploy["replicas"] = min(max(int(deploy.get("replicas", 1)), least), most)
        return found


def _scaling(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """How fast replicas may come or go."""
    if (window := table.get("stabilizationWindowSeconds")) is not None:
        yield "stabilization", f"{window}s"
    policies = [
        {
            ("replicas" if at(one, "type") == "Pods" else "share"): at(one, "value")
            if at(one, "type") == "Pods"
            else f"{at(one, 'value')}%",
            "period": f"{at(one, 'periodSeconds')}s",
        }
        for one in table.get("policies") or ()
    ]
    if policies:
        yield "policies", policies
    if (select := table.get("selectPolicy")) in POLICIES and select != "Max":
        yield "select", POLICIES[select]


def _items(one: Object, path: tuple[str, ...], inner: Mapping[str, Any], key: str) -> Sequence[Any]:
    """The list at a key of a container; a mistake where there is something else."""
    value = at(inner, key)
    if value is not None and not isinstance(value, list):
        raise one.wrong(f"expected a list as {key} of {at(inner, 'name')}; got {shown(str(value))}", *path, "containers")
    return value or []


def _placed(one: Object, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """What its nodes have to be."""
    wanted = {str(key): str(value) for key, value in one.table(*path, "nodeSelector").items()}
    if name := one.at(*path, "nodeName"):
        wanted["hostname"] = str(name)
    if any(not value.strip() for value in wanted.values()):
        raise one.wrong("expected a value for each label, for example {disk: ssd}", *path, "nodeSelector")
    if wanted:
        yield "constraints", [f"{label(key)} == {value}" for key, value in sorted(wanted.items())]


def _backends(data: Any) -> Iterator[str]:
    """The Services that an Ingress sends requests to, of any version."""
    if isinstance(data, Mapping):
        for key in ("backend", "defaultBackend"):
            name = at(data, key, "service", "name") or at(data, key, "serviceName")
            if name:
                yield str(name)
        for inner in data.values():
            yield from _backends(inner)
    elif isinstance(data, list):
        for inner in data:
            yield from _backends(inner)
