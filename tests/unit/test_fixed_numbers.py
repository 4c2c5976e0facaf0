"""Questions about a steady state take what follows the load as it is at first, and say so; updates of more than an image."""

from __future__ import annotations

from typing import Any

import pytest
import simvirt
import yaml

from simvirt.density import density
from simvirt.errors import ScenarioError
from simvirt.knee import knee
from simvirt.plan import plan
from simvirt.plan.document import warnings

SMALL = """
simvirt: 1
name: small
host: {cores: 2, memory: 8GiB}
platforms: [docker]
services: {web: {cpus: 0.5, threads: 4, autoscale: {max: 4, target: {cpu: 60%}}, operations: {get: [{cpu: {exponential: 20ms}}]}}}
workload: {open: {rate: 5/s}, mix: {web.get: 1}}
objective: {latency_p99: 1s}
density: {per_instance: {rate: 5/s}}
run: {duration: 5s, replications: 2, seed: 1}
"""
SAID = "autoscalers take no part in a search for the"


def scenario(**changes: Any) -> simvirt.Scenario:
    """The scenario with some parts changed."""
    return simvirt.loads(yaml.safe_dump(yaml.safe_load(SMALL) | changes))


def without() -> simvirt.Scenario:
    """The same without an autoscaler."""
    content = yaml.safe_load(SMALL)
    del content["services"]["web"]["autoscale"]
    return simvirt.loads(yaml.safe_dump(content))


def test_density_counts_instances_that_stay() -> None:
    found, fixed = density(scenario()), density(without())
    assert any(note.startswith(f"{SAID} density") for note in found.notes)
    assert not any(note.startswith(SAID) for note in fixed.notes)
    assert [answer.n for answer in found.answers.values()] == [answer.n for answer in fixed.answers.values()]


def test_a_knee_is_that_of_the_first_replicas() -> None:
    found, fixed = knee(scenario(), precision=0.3), knee(without(), precision=0.3)
    assert any(note.startswith(f"{SAID} knee") for note in found.notes)
    assert [answer.range for answer in found.answers.values()] == [answer.range for answer in fixed.answers.values()]


def test_a_plan_counts_replicas_itself() -> None:
    assert any(text.startswith("autoscalers are left out") for text in warnings(plan(scenario())))


# --- updates of more than an image -------------------------------------------------------------------------------------------


def test_an_update_may_change_how_many_there_are() -> None:
    content = yaml.safe_load(SMALL) | {"timeline": [{"at": "1s", "update": "web", "cpus": 0.25, "replicas": 3}]}
    content["platforms"] = [{"name": "docker", "orchestrator": "compose"}]
    del content["services"]["web"]["autoscale"]
    found = simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"]
    assert sum(found["happened"]["placement"]["web"].values()) == 3
    assert found["scaling"]["services"]["web"]["changes"][-1]["after"] == 3


def test_an_update_changes_the_limit_of_memory_that_kills() -> None:
    """A version that may have less than it needs is killed, where its memory is followed; one that may have more is not."""
    kills = {}
    for limit in ("16MiB", "512MiB"):
        content = yaml.safe_load(SMALL) | {"timeline": [{"at": "1s", "update": "web", "mem_limit": limit}]}
        content["platforms"] = [{"name": "docker", "orchestrator": "compose"}]
        content["services"]["web"] = {
            "mem_limit": "256MiB", "threads": 4, "memory": {"base": "64MiB"}, "operations": {"get": [{"cpu": {"exponential": "20ms"}}]}}
        found = simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"]
        kills[limit] = found["memory"]["reclaim"]["oom_kills"]
    assert kills["512MiB"] == 0 < kills["16MiB"]


def test_replicas_belong_to_a_wish() -> None:
    with pytest.raises(ScenarioError, match="expected scale and replicas together"):
        scenario(timeline=[{"at": "1s", "replicas": 3, "load": 2}])
