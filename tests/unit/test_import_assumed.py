"""What an import assumes beside demands: where services stand, probes, quotas, chains of calls, and the catalogue's numbers for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import simvirt
from simvirt.catalog import Catalog
from simvirt.cli.app import main
from simvirt.errors import ScenarioError
from simvirt.importers.importing import Imported, imported
from simvirt.runs.run import run
from simvirt.scenario import loads
from simvirt.scenario.spec.cluster import may_stand

DEMANDS = Path(simvirt.__file__).parent / "catalog" / "data" / "demands.yaml"
SWARM = """
services:
  web:
    image: nginx
    ports: ["80:80"]
    depends_on: [db]
    restart: always
    deploy:
      replicas: 4
      update_config: {parallelism: 2, delay: 10s, failure_action: rollback, monitor: 15s, max_failure_ratio: 0.1, order: start-first}
      rollback_config: {parallelism: 0, delay: 0s}
      restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, window: 120s}
      placement: {constraints: ["node.role==worker", "node.labels.disk != hdd"], preferences: [{spread: node.labels.rack}], max_replicas_per_node: 1}
  agent: {image: redis, deploy: {mode: global}}
  db: {image: postgres, deploy: {placement: {constraints: ["node.role == manager", "node.hostname == db1"]}}}
"""


def made(folder: Path, text: str, kind: str = "compose") -> Imported:
    """A file as a scenario."""
    (folder / "file.yaml").write_text(text, encoding="utf-8")
    return imported(kind, [str(folder / "file.yaml")], ordered=False)


def test_placement_updates_and_global_services_are_those_of_swarm(tmp_path: Path) -> None:
    found = made(tmp_path, SWARM)
    scenario = loads(found.text)
    deploy = scenario.services["web"].deploy
    assert {platform.orchestrator for platform in scenario.platforms} == {"swarm"}
    assert deploy.update_config is not None and deploy.rollback_config is not None and deploy.restart_policy is not None
    assert deploy.update_config.model_dump(exclude_none=True) == {
        "parallelism": 2, "delay": 10 * 10**9, "failure_action": "rollback", "monitor": 15 * 10**9, "max_failure_ratio": 0.1, "order": "start-first"}
    assert deploy.rollback_config.parallelism == 0 and deploy.restart_policy.max_attempts == 3
    assert scenario.services["agent"].is_global and scenario.services["web"].restart == "no"


def test_hosts_are_what_services_ask_for(tmp_path: Path) -> None:
    """Each service has a host that it may stand on, and as many as its replicas need."""
    scenario = loads(made(tmp_path, SWARM).text)
    room = {name: [host for host in scenario.each_host if may_stand(host, service.placement)] for name, service in scenario.services.items()}
    assert [len(room[name]) for name in ("web", "agent", "db")] == [4, 5, 1]
    assert {host.zone for host in room["web"]} == {"a", "b"} and room["db"][0].labels["hostname"] == "db1"
    assert run(loads(made(tmp_path, SWARM).text, sets=("run.duration=1s", "run.replications=1")), maximum=False).document()["platforms"]


def test_what_hosts_must_not_be_keeps_to_other_hosts(tmp_path: Path) -> None:
    text = "services: {a: {image: x, deploy: {placement: {constraints: [node.role == manager]}}}, b: {image: x, deploy: {placement: {constraints: [node.role != manager]}}}}"
    scenario = loads(made(tmp_path, text).text)
    assert [[may_stand(host, scenario.services[name].placement) for host in scenario.each_host] for name in "ab"] == [[True, False], [False, True]]


@pytest.mark.parametrize(("policy", "restart"), [("{condition: on-failure}", "on-failure"), ("{}", "always"), ("{condition: none}", "no")])
def test_a_restart_policy_alone_is_the_engines(tmp_path: Path, policy: str, restart: str) -> None:
    found = made(tmp_path, f"services: {{a: {{image: x, deploy: {{restart_policy: {policy}}}}}}}")
    assert loads(found.text).services["a"].restart == restart and "swarm" not in found.text


@pytest.mark.parametrize(
    ("deploy", "said"),
    [
        ("placement: {constraints: [node.role]}", "services.a.deploy.placement.constraints: expected a comparison"),
        ("placement: {hosts: 1}", "services.a.deploy.placement.hosts: unknown key"),
        ("update_config: {order: first}", "services.a.deploy.update_config.order: expected one of stop-first, start-first"),
        ("update_config: {delay: soon}", "services.a.deploy.update_config.delay: expected a time"),
        ("restart_policy: {condition: never}", "services.a.deploy.restart_policy.condition: expected one of none, on-failure, any"),
        ("mode: everywhere", "services.a.deploy.mode: expected replicated"),
        ("placement: 3", "services.a.deploy.placement: expected a mapping"),
    ],
)
def test_mistakes_in_deploy_name_their_place(tmp_path: Path, deploy: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=r"file\.yaml:1:") as told:
        made(tmp_path, f"services: {{a: {{image: x, deploy: {{{deploy}}}}}}}")
    assert said in str(told.value)


@pytest.mark.parametrize("key", ["environment", "networks", "healthcheck", "depends_on", "deploy"])
def test_what_is_no_mapping_names_its_service(tmp_path: Path, key: str) -> None:
    with pytest.raises(ScenarioError, match=rf"services\.web\.{key}: expected a mapping"):
        made(tmp_path, f"services: {{web: {{image: x, {key}: 3}}}}")


def pod(probes: str, spec: str = "", resources: str = "{}") -> str:
    """A Deployment with some probes."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  template: {{metadata: {{labels: {{app: web}}}}, spec: {{{spec}containers: [{{name: a, image: nginx, resources: {resources}, {probes}}}]}}}}
"""


@pytest.mark.parametrize(
    ("probes", "health"),
    [
        ("startupProbe: {periodSeconds: 5, failureThreshold: 12, initialDelaySeconds: 1}, readinessProbe: {periodSeconds: 7}",
         {"interval": "7s", "timeout": "1s", "retries": 3, "start_interval": "5s", "start_period": "61s"}),
        ("startupProbe: {periodSeconds: 10}", {"interval": "10s", "timeout": "1s", "retries": 3, "start_interval": "10s", "start_period": "30s"}),
        ("livenessProbe: {failureThreshold: 4}", {"interval": "10s", "timeout": "1s", "retries": 4}),
        ("livenessProbe: {failureThreshold: 4}, readinessProbe: {initialDelaySeconds: 2}", {"interval": "10s", "timeout": "1s", "retries": 3, "start_period": "2s"}),
    ],
)
def test_probes_are_a_health_check(tmp_path: Path, probes: str, health: dict[str, Any]) -> None:
    assert made(tmp_path, pod(probes), "kubernetes").application.services["web"].keys["healthcheck"] == health


@pytest.mark.parametrize("key", ["command", "args", "env", "envFrom"])
def test_what_is_no_list_names_its_container(tmp_path: Path, key: str) -> None:
    with pytest.raises(ScenarioError, match=rf"file\.yaml:7:.*expected a list as {key} of a; got"):
        made(tmp_path, pod(f"{key}: 2"), "kubernetes")


def test_nodes_are_those_that_pods_select(tmp_path: Path) -> None:
    scenario = loads(made(tmp_path, pod("env: []", "nodeSelector: {kubernetes.io/os: linux, topology.kubernetes.io/zone: b}, "), "kubernetes").text)
    host, = scenario.each_host
    assert host.zone == "b" and host.labels == {"kubernetes_io_os": "linux"} and may_stand(host, scenario.services["web"].placement)


@pytest.mark.parametrize(
    ("hard", "most", "said"),
    [
        ("{requests.cpu: 2}", 4, "autoscalers stop at it"),
        ("{requests.cpu: 500m}", 2, "some pods are never created"),
        ("{pods: 3}", 3, "autoscalers stop at it"),
        ("{requests.memory: 1Gi}", 9, "do not say how much they need"),
        ("{services: 3}", 9, "bounds what no scenario counts"),
    ],
)
def test_quotas_bound_autoscalers(tmp_path: Path, hard: str, most: int, said: str) -> None:
    scaler = "{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {maxReplicas: 9, minReplicas: 2, scaleTargetRef: {kind: Deployment, name: web}}}"
    quota = f"{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: all}}, spec: {{hard: {hard}}}}}"
    found = made(tmp_path, f"{pod('env: []', resources='{requests: {cpu: 500m}}')}---\n{scaler}\n---\n{quota}\n", "kubernetes")
    assert found.application.services["web"].keys["autoscale"]["max"] == most and said in found.text


@pytest.mark.parametrize(("services", "calls"), [(90, ("s{0}",)), (40, tuple(f"s{{{step}}}" for step in range(5)))])
def test_guessed_calls_stay_within_what_a_request_may_do(tmp_path: Path, services: int, calls: tuple[str, ...]) -> None:
    """A chain of ninety, and forty services that each start after the next five: calls are left out, said so, and nobody is without load."""
    each = {n: [f"s{n + 1 + step}" for step in range(len(calls)) if n + 1 + step < services] for n in range(services)}
    found = made(tmp_path, "services:\n" + "".join(f"  s{n}: {{image: nginx, depends_on: {others}}}\n" for n, others in each.items()))
    scenario = loads(found.text)
    assert any("it would make chains of more than 60 calls" in one.reason for one in found.guesses.assumed)
    reached = {name for others in found.guesses.calls.values() for name in others} | set(found.guesses.entries)
    assert reached == set(scenario.services)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("names", {"db": "redis"}, lambda text: "profile: redis" in text),
        ("front", ["job"], lambda text: "job.request: 1" in text and "call: web.request" in text),
        ("workers", ["job"], lambda text: "job.request: 1" in text),
        ("stores", [], lambda text: text.count("its name says whose it is") == 0),
        ("rate", "7/s", lambda text: "rate: 7/s" in text),
        ("objective", "3s", lambda text: "latency_p99: 3s" in text),
        ("cores", 64, lambda text: "cores: 64" in text),
        ("memory", "512GiB", lambda text: "memory: 512GiB" in text),
        ("replica_memory", "40GiB", lambda text: "memory: 256GiB" in text),
        ("guest_memory", "40GiB", lambda text: "memory: 256GiB" in text),
        ("used", 0.1, lambda text: "memory: 64GiB" in text),
        ("calls", 1, lambda text: "requests of more than 1" in text or "- call: job" not in text),
        ("zones", 3, lambda text: "zone: [a, b, c]" in text),
    ],
)
def test_every_number_that_is_assumed_acts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: Any, read: Any) -> None:
    text = (
        "services: {web: {image: x, ports: ['1:1'], depends_on: [other]}, web-db: {}, other: {image: y, deploy: {placement: {preferences: [{spread: node.labels.zone}]}}}, "
        "job: {image: x, environment: {A: 'http://other'}}}")
    assert not read(made(tmp_path, text).text)
    real = Catalog.load
    sourced = {"value": value, "source": "made up for a test"}
    usual = yaml.safe_load(DEMANDS.read_text(encoding="utf-8"))["demands"]["generic"]["assumed"]
    mine = {"demands": {"generic": {"like": "generic", "assumed": usual | {field: value if isinstance(value, (dict, list)) else sourced}}}}
    monkeypatch.setattr("simvirt.importers.guesses.Catalog.load", lambda *known: real(mine) if known == (None,) else real(*known))
    assert read(made(tmp_path, text).text)


def test_demands_are_explained_with_the_profile_of_their_name() -> None:
    catalog = Catalog.load()
    assert {row.kind for row in catalog.explain("php-web")} == {"profiles", "demands"}
    assert {row.kind for row in catalog.explain("php-web", "demands")} == {"demands"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services:\n  web: {image: x, ports: [true]}", "file.yaml:2:27: services.web.ports.0: Compose's schema: expected one of the forms that Compose knows here; got true"),
        ("services:\n  web:\n    image: x\n    tty: [1]", "file.yaml:4:5: services.web.tty: Compose's schema: expected boolean or string"),
        ("services: {web: {image: x, logging: {drive: local}}}", "services.web.logging"),
        ("services: {web: {image: x}}\nnetworks: {a: {driver: 3}}", "file.yaml:2:24: networks.a.driver: Compose's schema: expected string; got 3"),
        ("services: {web: {image: x}, other: {profiles: [p], cap_add: 3}}", "services.other.cap_add"),
    ],
)
def test_what_the_schema_refuses_names_file_line_and_reason(tmp_path: Path, text: str, said: str) -> None:
    pytest.importorskip("check_jsonschema", reason="needs the package that carries Compose's schema")
    with pytest.raises(ScenarioError) as told:
        made(tmp_path, text)
    assert said in str(told.value)


def test_without_the_schema_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("simvirt.importers.schema.PACKAGE", "no_such_package")
    assert made(tmp_path, "services: {web: {image: nginx, ports: [true]}}").application.unvalidated
    for arguments in (["import", "compose", str(tmp_path / "file.yaml"), "--no-runs"], ["check", str(tmp_path / "file.yaml")]):
        assert main(arguments) == 0
        assert capsys.readouterr().err.count("was not validated by Compose's schema") == 1


def test_lists_that_mappings_go_over_keep_what_they_wait_for(tmp_path: Path) -> None:
    (tmp_path / "over.yaml").write_text("services: {web: {depends_on: {b: {condition: service_healthy}}}}", encoding="utf-8")
    (tmp_path / "file.yaml").write_text("services: {web: {image: x, depends_on: [a, b]}, a: {image: x}, b: {image: x}}", encoding="utf-8")
    found = imported("compose", [str(tmp_path / "file.yaml"), str(tmp_path / "over.yaml")], ordered=False)
    assert found.application.services["web"].keys["depends_on"] == {"a": {"condition": "service_started"}, "b": {"condition": "service_healthy"}}


def test_services_that_all_end_are_told_of(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"file\.yaml:1:12: once: expected a service that stays"):
        made(tmp_path, "services: {once: {image: x, deploy: {mode: replicated-job}}}")
