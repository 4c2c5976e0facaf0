"""What is refused of kinds of workload, and in which words."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

import pytest

from simvirt.catalog import Catalog
from simvirt.errors import ScenarioError
from simvirt.scenario import loads


def mistakes(deploy: str, more: str = "operations: {get: [{cpu: 1ms}]}", orchestrator: str = "kubernetes", end: str = "") -> str:
    """What is said of a service that is deployed so."""
    text = (f"simvirt: 1\nname: x\nhosts: {{node: {{count: 2, cores: 4, memory: 16GiB}}}}\nplatforms: [{{name: x, stack: [docker], orchestrator: {orchestrator}}}]\n"
            f"services:\n  other: {{operations: {{get: [{{cpu: 1ms}}]}}}}\n  web: {{cpus: 1, {more}, deploy: {deploy}}}\nworkload: {{open: {{rate: 1/s}}, mix: {{other.get: 1}}}}\nrun: {{duration: 60s}}\n{end}")
    try:
        Catalog.of(loads(text))
    except ScenarioError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("deploy", "more", "said"), [
    ("{mode: globl}", "operations: {get: [{cpu: 1ms}]}", "mode: expected"),
    ("{mode: global, replicas: 3}", "operations: {get: [{cpu: 1ms}]}", "deploy.replicas: expected no number of replicas beside mode: global"),
    ("{mode: global}", "scale: 2, operations: {get: [{cpu: 1ms}]}", "scale: expected no number of replicas beside mode: global"),
    ("{mode: global}", "autoscale: {max: 3, target: {cpu: 60%}}, operations: {get: [{cpu: 1ms}]}", "autoscale: has nothing to scale beside mode: global"),
    ("{mode: global, placement: {constraints: [pool == moon]}}", "operations: {get: [{cpu: 1ms}]}", "no host may take it"),
    ("{mode: replicated-job}", "operations: {get: [{cpu: 1ms}]}, startup: [{cpu: 1s}]", "operations: a job takes no requests"),
    ("{mode: replicated-job}", "background: {duty: 0.1}", "startup: expected the work of a job"),
    ("{mode: replicated-job}", "startup: [{cpu: 1s}], healthcheck: {interval: 5s}", "healthcheck: a job ends"),
    ("{job: {completions: 3}}", "operations: {get: [{cpu: 1ms}]}", "deploy.job: has no effect without mode: replicated-job"),
    ("{pod_management: Parallel}", "operations: {get: [{cpu: 1ms}]}", "deploy.pod_management: has no effect without mode: stateful"),
    ("{update_config: {max_surge: 0, max_unavailable: 0%}}", "operations: {get: [{cpu: 1ms}]}", "max_unavailable: lets nothing move beside max_surge: 0"),
    ("{update_config: {max_surge: 1, order: start-first}}", "operations: {get: [{cpu: 1ms}]}", "max_surge: says the same as order and parallelism"),
    ("{disruption_budget: {}}", "operations: {get: [{cpu: 1ms}]}", "expected min_available or max_unavailable, for example {min_available: 2}"),
    ("{disruption_budget: {min_available: 1, max_unavailable: 1}}", "operations: {get: [{cpu: 1ms}]}", "expected min_available or max_unavailable"),
    ("{disruption_budget: {min_available: half}}", "operations: {get: [{cpu: 1ms}]}", "expected a number of replicas, or a share of them in whole per cent, for example 1 or 25%; got"),
    ("{priority: 2000000000}", "operations: {get: [{cpu: 1ms}]}", "priority: expected a whole number from -2147483648 to 1000000000, for example 1000; got 2000000000"),
    ("{priority: system-cluster-crucial}", "operations: {get: [{cpu: 1ms}]}", 'unknown class of priority "system-cluster-crucial"; did you mean "system-cluster-critical"?'),
    ("{priority: [1]}", "operations: {get: [{cpu: 1ms}]}", "priority: expected a number or the name of a class"),
])
def test_what_makes_no_sense_is_refused_with_an_example(deploy: str, more: str, said: str) -> None:
    assert said in mistakes(deploy, more)


@pytest.mark.parametrize(("deploy", "orchestrator", "said"), [
    ("{priority: 5}", "swarm", "deploy.priority: has no effect, for no platform has an orchestrator that knows it; expected kubernetes or vm-cluster"),
    ("{mode: global}", "compose", "deploy.mode: has no effect"), ("{mode: stateful}", "swarm", "expected kubernetes, for example {name: x, orchestrator: kubernetes}"),
    ("{update_config: {max_surge: 1}}", "swarm", "deploy.update_config.max_surge: has no effect"), ("{disruption_budget: {min_available: 1}}", "mesos", "expected kubernetes"),
    ("{mode: global}", "swarm", ""), ("{priority: 5}", "vm-cluster", ""), ("{mode: replicated, replicas: 2}", "compose", ""),
])
def test_words_that_no_orchestrator_knows_are_refused(deploy: str, orchestrator: str, said: str) -> None:
    found = mistakes(deploy, orchestrator=orchestrator)
    assert said in found if said else not found


@pytest.mark.parametrize("event", ["{at: 5s, scale: web, replicas: 3}", "{at: 5s, update: web, cpus: 2}"])
def test_a_job_is_neither_scaled_nor_updated(event: str) -> None:
    assert "web has mode: replicated-job" in mistakes("{mode: replicated-job}", "startup: [{cpu: 1s}]", end=f"timeline: [{event}]")


def test_a_global_service_is_updated_but_not_scaled() -> None:
    assert "web has mode: global" in mistakes("{mode: global}", end="timeline: [{at: 5s, scale: web, replicas: 3}]")
    assert not mistakes("{mode: global}", end="timeline: [{at: 5s, update: web, cpus: 2}]")
