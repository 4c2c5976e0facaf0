"""A closed form stands beside a simulation only where nothing acts that it does not know; elsewhere the reason does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from helpers.support import assert_agrees, means

import simvirt
from simvirt.catalog import Catalog
from simvirt.report import run_report
from simvirt.report.formats import rendered
from simvirt.result.theory import NoTheory, TheoryResult
from simvirt.runs.theory_beside import theory

Json = dict[str, Any]
BASE = yaml.safe_load("""
simvirt: 1
name: two-servers
host: {cores: 2, memory: 4GiB}
platforms: [bare-metal, docker, kvm]
services:
  app: {threads: 2, cpus: 2, operations: {work: [{cpu: {exponential: 10ms}}]}}
workload: {open: {rate: 150/s}, mix: {app.work: 1}}
run: {requests: 10000, replications: 8, seed: 1}
""")


def changed(**paths: Any) -> Json:
    """The scenario with values laid over it, by paths with two underscores for a dot."""
    data: Json = copy.deepcopy(BASE)
    for path, value in paths.items():
        *parts, last = path.split("__")
        inner = data
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return data


def said(data: Json) -> TheoryResult | NoTheory | None:
    scenario = simvirt.loads(yaml.safe_dump(data, sort_keys=False))
    return theory(scenario, Catalog.of(scenario))


CPU = {"cpu": {"exponential": "10ms"}}
OTHER = {"threads": 1, "operations": {"x": [{"cpu": "1ms"}]}}
FEATURES = {
    "profile": changed(services__app__profile="stream"),
    "image": changed(services__app__image="nginx:1.27"),
    "memory that runs short": changed(services__app__memory={"base": "64MiB"}),
    "swap": changed(host__swap="1GiB"),
    "merging": changed(host__ksm={}),
    "background": changed(services__hog={"background": {"threads": 1}}),
    "start-up": changed(services__app__startup=[{"cpu": "10ms"}]),
    "a cpuset": changed(services__app__cpuset="0"),
    "a quota below the threads": changed(services__app__cpus=1.5),
    "SMT": changed(host={"cores": 2, "smt": 2, "memory": "4GiB"}),
    "idle states": changed(host={"model": "aws-m5d-metal"}),
    "replicas": changed(services__app__deploy={"replicas": 2}),
    "a bounded queue": changed(services__app__queue=10),
    "a timeline": changed(timeline=[{"at": "1s", "stop": "app"}]),
    "tenants": changed(tenants={"count": 2}, services__app__deploy={"replicas": 2}),
    "operations that cost": changed(services__app__operations={"work": [CPU | {"ops": {"syscalls": 40}}]}),
    "a repeated step": changed(services__app__operations={"work": [CPU | {"times": 2}]}),
    "a step that may be left out": changed(services__app__operations={"work": [CPU | {"probability": 0.5}]}),
    "a disk": changed(services__app__operations={"work": [CPU, {"disk": {"read": "8KiB"}}]}),
    "a transfer": changed(services__app__operations={"work": [CPU, {"net": {"out": "8KiB"}}]}),
    "a wait with the thread held": changed(services__app__operations={"work": [CPU, {"delay": "1ms"}]}),
    "branches": changed(services__app__operations={"work": [{"parallel": [CPU, CPU]}]}),
    "a call": changed(services__app__operations={"work": [CPU, {"call": "db.x"}]}, services__db=OTHER),
    "two entries": changed(services__db=OTHER, workload__mix={"app.work": 1, "db.x": 1}),
    "threads beyond the cores": changed(services__app={"threads": 3, "operations": {"work": [CPU]}}),
    "unlimited threads": changed(services__app__threads="unlimited"),
    "several servers, other demands": changed(services__app__operations={"work": [{"cpu": "10ms"}]}),
    "two classes before two servers": changed(
        services__app__operations={"work": [CPU], "more": [{"cpu": {"exponential": "1ms"}}]}, workload__mix={"app.work": 1, "app.more": 1}
    ),
    "arrivals at equal distances": changed(workload__open={"rate": "150/s", "arrivals": "deterministic"}),
    "a rate that follows the day": changed(workload__open={"diurnal": {"mean": "100/s", "amplitude": 0.5}}),
    "overload": changed(workload__open={"rate": "250/s"}),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_that_no_formula_knows_takes_theory_away_and_says_why(feature: str) -> None:
    assert isinstance(said(BASE), TheoryResult)
    found = said(FEATURES[feature])
    assert isinstance(found, NoTheory), feature
    assert 5 < len(found.reason) < 130


def test_reasons_differ() -> None:
    reasons = {found.reason for data in FEATURES.values() if isinstance(found := said(data), NoTheory)}
    assert len(reasons) > 0.7 * len(FEATURES)


def test_a_field_that_is_not_known_to_be_harmless_ends_the_prediction() -> None:
    """So does one that scenarios get later."""
    from simvirt.analysis import assumptions

    scenario = simvirt.loads(yaml.safe_dump(BASE))
    host = Catalog.of(scenario).resolve_host(scenario.host)
    assert not list(assumptions.broken(scenario, host))
    service = scenario.services["app"].model_copy()
    service.model_fields_set.add("memory")
    object.__setattr__(service, "memory", object())
    assert list(assumptions.broken(scenario.model_copy(update={"services": {"app": service}}), host)) == ["app: memory that may run short"]


HOLDS = {
    "M/M/2": BASE,
    "M/M/1": changed(services__app__threads=1, workload__open={"rate": "80/s"}),
    "M/M/1 on one thread of a core": changed(
        host={"cores": 1, "smt": 2, "memory": "4GiB"}, services__app={"threads": 1, "operations": {"work": [CPU]}},
        workload__open={"rate": "80/s"}),
    "M/D/1": changed(services__app__threads=1, workload__open={"rate": "80/s"}, services__app__operations={"work": [{"cpu": "10ms"}]}),
    "M/G/1": changed(
        services__app__threads=1, workload__open={"rate": "60/s"},
        services__app__operations={"work": [{"cpu": {"gamma": {"mean": "10ms", "cv": 0.5}}}]}),
    "clients": changed(workload={"closed": {"clients": 5, "think": {"exponential": "20ms"}}, "mix": {"app.work": 1}}),
    "short demands": changed(services__app__operations={"work": [{"cpu": {"exponential": "300us"}}]}, workload__open={"rate": "5000/s"}),
}


@pytest.mark.parametrize("system", HOLDS)
def test_where_theory_is_printed_simulation_agrees(system: str) -> None:
    """Within four standard errors of the mean over replications, on bare metal and in containers with their overhead."""
    data = HOLDS[system] | {"platforms": ["bare-metal", "docker", "podman", "lxd", "kvm"]}
    result = simvirt.run(simvirt.loads(yaml.safe_dump(data, sort_keys=False)), maximum=False)
    found = result.theory
    assert isinstance(found, TheoryResult)
    assert found.platform == "bare-metal"
    assert set(found.others) == {"docker", "podman", "lxd", "kvm"}
    assert found.others["kvm"].reason
    predicted = {found.platform: found.latency_mean_s} | {name: said.latency_mean_s for name, said in found.others.items() if not said.reason}
    assert len(predicted) == 4
    for name, mean in predicted.items():
        assert mean is not None
        assert_agrees(means(result.outcomes(name)), mean)


def test_the_report_says_it_beside_each_platform() -> None:
    document = simvirt.run(simvirt.loads(yaml.safe_dump(BASE | {"run": {"requests": 500, "replications": 2}}))).typed()
    text = rendered(run_report.report(document), "text", 100)
    theory_part = text[text.index("Theory: M/M/2 on bare-metal") :]
    assert "docker  mean 22.9 ms, simulated" in theory_part
    assert "of work added" in theory_part
    assert "kvm     no closed form: vCPUs" in theory_part
    none = simvirt.run(simvirt.loads(yaml.safe_dump(FEATURES["profile"] | {"run": {"requests": 50, "replications": 1}}))).typed()
    text = rendered(run_report.report(none), "text", 100)
    assert "No closed form: app: the profile's use of caches and memory bandwidth" in text
    assert none.document()["theory"] == {"reason": "app: the profile's use of caches and memory bandwidth"}
