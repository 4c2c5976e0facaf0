"""Kubernetes manifests as scenarios: workloads, Services, autoscalers, budgets, limits, kustomizations; what is wrong names file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simvirt.errors import ScenarioError
from simvirt.importers.importing import Imported, imported
from simvirt.importers.values import quantity
from simvirt.scenario import loads

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      priorityClassName: high
      containers:
      - name: web
        image: nginx:1.27
        env: [{name: API, value: "http://api:80"}, {name: B, valueFrom: {configMapKeyRef: {name: settings, key: cache}}}]
        resources: {requests: {cpu: 200m, memory: 64Mi}, limits: {cpu: "1", memory: 128Mi}}
        readinessProbe: {periodSeconds: 5, initialDelaySeconds: 3}
      - {name: proxy, image: envoy, resources: {requests: {cpu: 50m}, limits: {cpu: 100m, memory: 64Mi}}}
---
{apiVersion: v1, kind: Service, metadata: {name: front}, spec: {type: LoadBalancer, selector: {app: web}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {cache: "cache:6379"}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 1000}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}}
---
{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {maxReplicas: 9, minReplicas: 2, targetCPUUtilizationPercentage: 50, scaleTargetRef: {kind: Deployment, name: web}}}
"""
API = """
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: api}, spec: {template: {metadata: {labels: {app: api}}, spec: {containers: [{name: a, image: "node:22"}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: api}, spec: {selector: {app: api}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cache}, spec: {template: {metadata: {labels: {app: cache}}, spec: {containers: [{name: a, image: redis}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: cache}, spec: {selector: {app: cache}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: migrate}, spec: {template: {spec: {containers: [{name: a, image: x}]}}}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: usual}, spec: {limits: [{type: Container, default: {cpu: 250m}, defaultRequest: {cpu: 125m}}]}}
"""


def made(folder: Path, *texts: str) -> Imported:
    """Manifests as a scenario."""
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    return imported("kubernetes", [str(folder)], ordered=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200m", 0.2),
        ("2", 2.0),
        ("1Gi", 2.0**30),
        ("1e3", 1000.0),
        ("129M", 129e6),
        ("1.5Ki", 1536.0),
        (".5", 0.5),
        ("2E", 2e18),
        ("5kb", None),
        ("", None),
        ("1 Gi", None),
    ],
)
def test_quantities(text: str, expected: float | None) -> None:
    assert quantity(text) == (None if expected is None else pytest.approx(expected))


def test_what_manifests_say_is_taken_over(tmp_path: Path) -> None:
    found = made(tmp_path, WEB, API)
    scenario = loads(found.text)
    web, api, cache = (scenario.services[name] for name in ("web", "api", "cache"))
    assert (web.replicas, web.cpu_limit, web.cpu_reservation, web.memory_limit) == (3, pytest.approx(1.1), pytest.approx(0.25), 192 << 20)
    assert web.memory_reservation == 128 << 20, "a request is by default what the limit is"
    assert web.autoscale is not None and (web.autoscale.min, web.autoscale.max, web.autoscale.target.cpu) == (2, 9, 0.5)
    assert web.deploy.update_config is not None and (web.deploy.update_config.max_surge, web.deploy.update_config.max_unavailable) == (1, 0)
    assert web.deploy.disruption_budget is not None and web.deploy.disruption_budget.min_available == 2
    assert web.deploy.priority == 1000 and web.healthcheck is not None and web.healthcheck.interval == 5_000_000_000
    assert api.is_stateful and cache.is_global and "migrate" not in scenario.services
    assert (api.cpu_limit, api.cpu_reservation) == (0.25, 0.125), "what a LimitRange says of containers that say nothing"
    assert found.guesses.calls == {"web": ["api", "cache"]} and found.guesses.entries == ["web"]


def test_lists_json_tabs_and_several_documents_are_read(tmp_path: Path) -> None:
    pod = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "NAME"}, "spec": {"containers": [{"name": "a", "image": "redis"}]}}'
    (tmp_path / "list.json").write_text(
        '{"apiVersion": "v1", "kind": "List", "items": [' + pod.replace("NAME", "a") + "]}", encoding="utf-8"
    )
    (tmp_path / "tabs.yaml").write_text(
        "apiVersion: v1\nkind: Pod\t\nmetadata:\t \n  name: b\nspec: {containers: [{name: a, image: x}]}\n---\n---\n"
        + pod.replace("NAME", "c"),
        encoding="utf-8",
    )
    assert set(imported("kubernetes", [str(tmp_path)], ordered=False).application.services) == {"a", "b", "c"}


def autoscaled(metrics: Any, version: str = "v2") -> str:
    return f"{{apiVersion: autoscaling/{version}, kind: HorizontalPodAutoscaler, metadata: {{name: h}}, spec: {{maxReplicas: 9, scaleTargetRef: {{kind: Deployment, name: web}}, {metrics}}}}}"


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ("metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]", 0.7),
        ("metrics: [{type: Resource, resource: {name: cpu, targetAverageUtilization: 60}}]", 0.6),
        ("minReplicas: 1", 0.8),
    ],
)
def test_autoscalers_of_all_versions(tmp_path: Path, metrics: str, expected: float) -> None:
    web = loads(made(tmp_path, WEB.rsplit("---", 1)[0], autoscaled(metrics)).text).services["web"]
    assert web.autoscale is not None and web.autoscale.target.cpu == expected


def test_how_fast_an_autoscaler_may_act(tmp_path: Path) -> None:
    behaviour = "behavior: {scaleDown: {stabilizationWindowSeconds: 60, selectPolicy: Min, policies: [{type: Percent, value: 10, periodSeconds: 30}, {type: Pods, value: 2, periodSeconds: 60}]}}"
    web = loads(made(tmp_path, WEB.rsplit("---", 1)[0], autoscaled(behaviour)).text).services["web"]
    assert web.autoscale is not None and web.autoscale.scale_down is not None
    down = web.autoscale.scale_down
    assert (down.stabilization, down.select) == (60_000_000_000, "min")
    assert [(one.replicas, one.share, one.period) for one in down.policies or ()] == [
        (None, 0.1, 30_000_000_000),
        (2, None, 60_000_000_000),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Pod\n", "expected apiVersion and kind"),
        (WEB.replace("200m", "200x"), r'0.yaml:\d+:\d+: Deployment web: .*expected a quantity, for example 200m or 1Gi; got "200x"'),
        (WEB.replace("replicas: 3", "replicas: many"), r"0.yaml:6:13: Deployment web: spec.replicas: expected a whole number"),
        (WEB.replace("maxReplicas: 9", "maxReplicas: 1"), "maxReplicas of at least minReplicas"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {}\n", "expected containers"),
        (WEB.replace("periodSeconds: 5", "periodSeconds: often"), "readinessProbe.periodSeconds: expected a whole number"),
        (WEB.replace("{periodSeconds: 5, initialDelaySeconds: 3}", "1.5"), "expected a probe"),
        (WEB.replace("matchLabels: {app: web}", "matchLabels: {app: other}", 1), "spec.selector.matchLabels: expected what the pods' labels say"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n", "expected Deployment, StatefulSet"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n  x: {{- if }}\n", "template of Helm"),
    ],
)
def test_mistakes_name_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        made(tmp_path, text)


def test_a_kustomization_changes_what_it_stands_on(tmp_path: Path) -> None:
    base, over = tmp_path / "base", tmp_path / "over"
    base.mkdir()
    over.mkdir()
    (tmp_path / ".git").mkdir()
    (base / "web.yaml").write_text(WEB, encoding="utf-8")
    (base / "api.yaml").write_text(API, encoding="utf-8")
    (base / "kustomization.yaml").write_text("resources: [web.yaml, api.yaml]\n", encoding="utf-8")
    (over / "kustomization.yaml").write_text(
        """
resources: [../base]
namePrefix: prod-
images: [{name: nginx, newName: registry.example/nginx, newTag: "1.28"}]
replicas: [{name: web, count: 5}]
configMapGenerator: [{name: extra, literals: [A=b]}]
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec: {template: {spec: {containers: [{name: web, resources: {limits: {cpu: 2}}}, {name: proxy, $patch: delete}]}}}
- {target: {kind: StatefulSet, name: api}, patch: '[{op: add, path: /spec/replicas, value: 4}, {op: replace, path: /spec/template/spec/containers/0/image, value: "python:3"}]'}
""",
        encoding="utf-8",
    )
    found = imported("kubernetes", [str(over)], ordered=False)
    scenario = loads(found.text)
    web, api = scenario.services["prod-web"], scenario.services["prod-api"]
    assert (web.image, web.replicas, web.cpu_limit) == ("registry.example/nginx:1.28", 5, 2.0)
    assert (api.replicas, api.image) == (4, "python:3")
    assert web.autoscale is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resources: [../../../etc]", "which is not read"),
        ("resources: [https://example.org/x]", "which is not read"),
        ("resources: [none.yaml]", "there is no"),
        ("resources: [.]", "perhaps one names itself"),
        ("resources: [web.yaml]\npatches: [{target: {kind: Pod}, patch: '[{op: remove, path: /x}]'}]", "no object Pod"),
        ("resources: [web.yaml]\npatches: [{target: {kind: Deployment}, patch: '[{op: remove, path: /x}]'}]", "does not fit"),
    ],
)
def test_a_wrong_kustomization_is_told_of(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "web.yaml").write_text(WEB, encoding="utf-8")
    (tmp_path / "kustomization.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=said):
        imported("kubernetes", [str(tmp_path)], ordered=False)
