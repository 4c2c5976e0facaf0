"""Deployments: phases follow on one another, locks are waited for, what is done once is done once, and the report says what took it."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

import simvirt
from simvirt.control.records import Life
from simvirt.deploy import DeployResult
from simvirt.errors import ScenarioError
from simvirt.report import deploy_report
from simvirt.report.formats import rendered
from simvirt.scenario.spec.models import Scenario

PLATFORMS = "[bare-metal, docker, kvm, {name: shared, stack: [kvm, docker], vms: {count: 1, vcpus: 4, memory: 8GiB}}]"


def scenario(replicas: int = 4, platforms: str = PLATFORMS, startup: str = "[]", host: str = "{cores: 8, memory: 64GiB}") -> Scenario:
    """One service of some replicas."""
    return simvirt.loads(f"""
simvirt: 1
name: replicas
host: {host}
platforms: {platforms}
services:
  web:
    deploy: {{replicas: {replicas}, resources: {{limits: {{cpus: 1, memory: 512MiB}}}}}}
    operations: {{get: [{{cpu: 1ms}}]}}
    startup: {startup}
workload: {{open: {{rate: 10/s}}}}
run: {{replications: 2}}
""")


@cache
def deployed(**changes: Any) -> DeployResult:
    """A deployment."""
    return simvirt.deploy(scenario(**changes))


def lives(platform: str, state: str = "warm", **changes: Any) -> list[Life]:
    """The starts of the first replication on a platform."""
    return deployed(**changes).answers[platform].of_state[state][0].lives


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm", "shared"])
def test_phases_follow_on_one_another_from_the_beginning_to_the_end(platform: str) -> None:
    for life in lives(platform):
        edges = [life.asked, *(span.ended for span in life.spans)]
        assert [span.due for span in life.spans] == edges[:-1]
        assert life.ready == edges[-1]
        assert all(span.due <= span.began <= span.ended for span in life.spans)


def test_nobody_holds_a_lock_with_another() -> None:
    held = sorted((span.began, span.ended) for life in lives("docker") for span in life.spans if span.phase == "iptables")
    assert len(held) == 4
    assert all(before[1] <= after[0] for before, after in pairwise(held))


def test_replicas_of_one_vm_wait_for_one_boot() -> None:
    boots = {(span.due, span.ended) for life in lives("shared") for span in life.spans if span.phase == "kernel"}
    assert len(boots) == 1
    own = [life.instance for life in lives("kvm") for span in life.spans if span.phase == "kernel"]
    assert len(own) == 4


def test_many_starts_on_few_cores_take_longer_than_one() -> None:
    few = "{cores: 2, memory: 64GiB}"
    alone, many = (deployed(replicas=n, platforms="[kvm]", host=few).typed().deployments["kvm"].warm for n in (1, 8))
    assert alone is not None and many is not None
    assert alone.ready_s.value is not None and many.ready_s.value is not None
    assert many.ready_s.value > 2 * alone.ready_s.value
    assert many.used["cpu"] > 1.5 * alone.used["cpu"]


def test_what_a_service_does_before_it_is_ready_comes_last() -> None:
    found = lives("docker", startup="[{cpu: 250ms}]")
    assert all(life.spans[-1].phase == "start-up" for life in found)
    assert all(life.spans[-1].ended - life.spans[-1].began >= 250e6 for life in found)


def test_jobs_change_no_number() -> None:
    one, two = (simvirt.deploy(scenario(platforms="[docker]"), jobs=jobs).document() for jobs in (1, 2))
    for document in (one, two):
        document.pop("wall_s")
        document["deployments"]["docker"]["warm"].pop("wall_s")
    assert one == two


def test_the_answer_says_how_long_it_takes_on_each_platform() -> None:
    answer = deployed().typed().answer
    assert answer.startswith("With images on the hosts all 4 instances are ready at once on bare-metal, after ")
    assert all(f" on {name}" in answer for name in ("docker", "kvm", "shared"))


def test_every_form_says_what_took_it() -> None:
    report = deploy_report.report(deployed().typed())
    for form in ("text", "markdown", "html"):
        for width in (80, 50):
            text = rendered(report, form, width)
            assert "what took it" in text
            assert form != "text" or max(map(len, text.splitlines())) <= width
    rows = rendered(report, "csv").splitlines()
    assert rows[0].startswith("platform,state,ready_s.value,layer,phase")
    assert json.loads(rendered(report, "json"))["deployments"]["kvm"]["warm"]["phases"]


def test_the_frame_has_a_row_for_each_phase() -> None:
    document, frame = deployed().typed(), deployed().frame()
    phases = [(name, phase.phase) for name, found in document.deployments.items() for phase in (found.warm.phases if found.warm else ())]
    rows = list(zip(frame["platform"], frame["phase"], strict=True))
    assert set(phases) <= set(rows)
    assert {len(column) for column in frame.values()} == {len(rows)}


def test_a_platform_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScenarioError, match="dokcer"):
        simvirt.deploy(scenario(platforms="[dokcer]"))
