"""Compose files beside the Kubernetes objects that kompose is expected to make of them: both imports say the same, key by key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from simvirt.importers import compose, kubernetes
from simvirt.importers.application import Application, Service

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "compose" / "kompose-fixtures"
needs_data = pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no files: {FIXTURES} is absent")
PAIRS: tuple[tuple[tuple[str, ...], str, frozenset[str]], ...] = (
    (("compose-env-interpolation/compose.yaml",), "compose-env-interpolation/output-k8s.yaml", frozenset({"image"})),  # the shell has it
    (("controller/compose-global.yaml",), "controller/output-k8s-global-template.json", frozenset()),
    (("controller/compose-controller-label-v3.yaml",), "controller/output-k8s-controller-v3-template.json", frozenset({"mode"})),  # by a label
    (("cronjob/compose.yaml",), "cronjob/output-k8s.yaml", frozenset({"ends"})),  # by a label
    (("deploy/labels/compose.yaml",), "deploy/labels/output-k8s.yaml", frozenset()),
    (("envvars-interpolation/compose.yaml",), "envvars-interpolation/output-k8s.yaml", frozenset()),
    (("etherpad/docker-compose-no-ports.yml",), "etherpad/output-k8s-template.json", frozenset({"ports"})),  # of another file of the folder
    (("multiple-files/first.yaml", "multiple-files/second.yaml"), "multiple-files/output-k8s.yaml", frozenset()),
    (("nginx-node-redis/compose.yaml",), "nginx-node-redis/output-k8s-template.json", frozenset()),
    (("nginx-node-redis/compose-v3.yaml",), "nginx-node-redis/output-k8s-template-v3.json", frozenset()),
    (("resources-lowercase/compose.yaml",), "resources-lowercase/output-k8s.yaml", frozenset()),
    (("statefulset/compose.yaml",), "statefulset/output-k8s.yaml", frozenset({"mode"})),  # by an option of kompose
    (("unused/v3/docker-compose-memcpu.yaml",), "unused/v3/output-memcpu-k8s.json", frozenset({"ports"})),  # a headless Service for its name
    (("unused/v3/docker-compose-memcpu-partial.yaml",), "unused/v3/output-memcpu-partial-k8s.json", frozenset({"ports"})),
)
"""Compose files, what is expected of them, and what kompose has of its own words beside Compose's."""


def expected(folder: Path, file: str) -> Application:
    """The expected objects; in templates of the fixtures, places of values have one."""
    path = folder / f"expected{Path(file).suffix}"
    path.write_text(re.sub(r"%[A-Z_]+%", "x", (FIXTURES / file).read_text(encoding="utf-8")), encoding="utf-8")
    return kubernetes.load([str(path)])


def said(service: Service) -> dict[str, Any]:
    """What both say of a service: Kubernetes takes limits for requests where there are none."""
    deploy = service.keys.get("deploy", {})
    resources = {(kind, key): value for kind, bounds in deploy.get("resources", {}).items() for key, value in bounds.items()}
    for kind, key in [one for one in resources if one[0] == "reservations"]:
        if resources[kind, key] == resources.get(("limits", key)):
            del resources[kind, key]
    return {
        "image": service.image, "replicas": deploy.get("replicas", 1), "resources": resources, "health": service.keys.get("healthcheck"),
        "mode": deploy.get("mode"), "ends": service.ends, "ports": service.published,
    }


@needs_data
@pytest.mark.parametrize(("files", "objects", "own"), PAIRS, ids=[pair[1].partition("/output")[0] + pair[0][0][-8:] for pair in PAIRS])
def test_expected_objects_say_what_the_file_says(tmp_path: Path, files: tuple[str, ...], objects: str, own: frozenset[str]) -> None:
    mine = compose.load([str(FIXTURES / file) for file in files])
    theirs = expected(tmp_path, objects)
    for service in theirs.services.values():
        service.published = bool(service.names)
    found = {name.lower(): said(service) for name, service in mine.services.items()}
    for name, service in theirs.services.items():
        other = said(service) if name in found else {}
        unlike = {key: (found[name][key], value) for key, value in other.items() if found[name][key] != value and key not in own}
        if "image" in unlike and unlike["image"][0] is None and unlike["image"][1] == name:
            del unlike["image"]  # it is built, and kompose names it as the service is named
        assert not unlike, name
    assert found.keys() & theirs.services.keys() == (found.keys() if files[0].startswith("etherpad") else found.keys() | theirs.services.keys())


HEALTH = """
services:
  web: {image: nginx, deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 64M}, reservations: {cpus: "0.25", memory: 32M}}},
        ports: ["80:80"], healthcheck: {test: [CMD, x], interval: 10s, timeout: 5s, retries: 4, start_period: 20s}, environment: {CACHE: "redis://cache"}}
  cache: {image: redis}
"""
OBJECTS = """
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, template: {metadata: {labels: {app: web}}, spec: {containers: [
  {name: web, image: nginx, env: [{name: CACHE, value: "redis://cache"}], resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: 250m, memory: 32Mi}},
   livenessProbe: {periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 4, initialDelaySeconds: 20}}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, selector: {app: web}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: cache}, spec: {template: {metadata: {labels: {app: cache}}, spec: {containers: [{name: cache, image: redis}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: cache}, spec: {selector: {app: cache}}}
"""


def test_both_kinds_of_files_of_one_application_are_one_scenario_but_for_its_platforms(tmp_path: Path) -> None:
    """Same services with the same keys, images, profiles, calls, load; what is assumed of them is the same too."""
    from simvirt.importers.importing import imported
    from simvirt.scenario import loads

    (tmp_path / "compose.yaml").write_text(HEALTH, encoding="utf-8")
    (tmp_path / "objects.yaml").write_text(OBJECTS, encoding="utf-8")
    one, other = (loads(imported(kind, [str(tmp_path / file)], ordered=False).text) for kind, file in (("compose", "compose.yaml"), ("kubernetes", "objects.yaml")))
    assert one.services == other.services and one.host == other.host
    assert one.workload == other.workload and one.objective == other.objective
