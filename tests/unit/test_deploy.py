"""Deployments: phases follow on one another, locks are waited for, what is done once is done once, and the report says what took it."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import simvirt
import yaml
from simvirt.cli.app import main
from simvirt.control.records import Life
from simvirt.deploy import DeployResult
from simvirt.errors import ScenarioError
from simvirt.report import deploy_report
from simvirt.report.formats import rendered
from simvirt.report.page import page
from simvirt.scenario.spec.autoscale import AutoscaleSpec
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
        for state in ("cold", "warm"):
            document["deployments"]["docker"][state].pop("wall_s")
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


def test_stages_are_the_way_of_the_last_instance_and_starts_go_from_one_to_the_next() -> None:
    for name, of in deployed().typed().deployments.items():
        for one in (of.cold, of.warm):
            assert one is not None and one.ready_s.value == pytest.approx(sum(stage.value or 0.0 for stage in one.stages_s.values()))
            assert ("monitor" in one.stages_s) == ("guest" in one.stages_s) == (name in ("kvm", "shared"))
            assert ("runtime" in one.stages_s) == (name in ("docker", "shared"))
            assert list(one.ready_at_s) == sorted(start.ready_s or 0.0 for start in one.starts)
            for start in one.starts:
                assert all(a.to_s == b.from_s and a.stage != b.stage for a, b in pairwise(start.parts))
                assert not start.parts or start.ready_s == start.parts[-1].to_s


def test_of_many_starts_some_are_told_evenly() -> None:
    of = deployed(replicas=40, platforms="[docker]").typed().deployments["docker"].warm
    assert of is not None and len(of.starts) == 24 and len(of.ready_at_s) == 40
    assert (of.starts[0].ready_s, of.starts[-1].ready_s) == (of.ready_at_s[0], of.ready_at_s[-1])


def test_the_page_is_a_form_of_its_result(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "can_draw", lambda: False)
    chosen = ["--platform", "docker", "--set", "run.replications=1"]
    assert main(["deploy", "configs/deploy.yaml", *chosen, "--format", "html", "--quiet", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("<!doctype html>") and "How all starts on docker went, warm" in said.out and not said.err
    assert main(["list", "--format", "html"]) == 2


def test_the_frame_has_a_row_for_each_phase() -> None:
    document, frame = deployed().typed(), deployed().frame()
    phases = [(name, phase.phase) for name, found in document.deployments.items() for phase in (found.warm.phases if found.warm else ())]
    rows = list(zip(frame["platform"], frame["phase"], strict=True))
    assert set(phases) <= set(rows)
    assert {len(column) for column in frame.values()} == {len(rows)}


def test_a_platform_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScenarioError, match="dokcer"):
        simvirt.deploy(scenario(platforms="[dokcer]"))


ON_A_BASE = """
simvirt: 1
name: images
host: {cores: 8, memory: 64GiB}
platforms: [docker, firecracker]
services:
  one: {image: one, operations: {get: [{cpu: 1ms}]}, deploy: {replicas: 3}}
  two: {image: two, operations: {get: [{cpu: 1ms}]}}
images:
  base: {layers: [{size: 40MiB}]}
  one: {from: base, layers: [{size: 5MiB}]}
  two: {from: base, layers: [{size: 7MiB}]}
registries: {hub: {bandwidth: 100Mbps}}
state: {images: none, instances: none}
run: {replications: 1}
"""


@cache
def with_images() -> DeployResult:
    """Two services whose images share a base."""
    return simvirt.deploy(simvirt.loads(ON_A_BASE))


def test_a_layer_moves_once_and_takes_its_time() -> None:
    found = with_images().typed().deployments["docker"].cold
    assert found is not None
    assert found.moved_bytes == 52 * 2**20
    assert found.saved_bytes is not None
    assert found.saved_bytes >= 40 * 2**20
    assert (found.ready_s.value or 0.0) > 52 * 2**20 * 8 / 100e6


def test_disk_images_move_before_their_vms_start() -> None:
    for life in with_images().answers["firecracker"].of_state["cold"][0].lives:
        names = [span.phase for span in life.spans]
        assert names[0] == "disk image"
        assert names.index("clone") < names.index("Firecracker")


def test_images_that_are_there_are_not_fetched() -> None:
    warm = with_images().typed().deployments["docker"].warm
    assert warm is not None
    assert warm.moved_bytes is None
    assert all(phase.layer != "image" for phase in warm.phases)


DEPENDING = """
simvirt: 1
name: depending
host: {cores: 8, memory: 64GiB}
platforms: [docker, kvm]
services:
  web: {depends_on: {api: {}}, operations: {get: [{cpu: 1ms}]}}
  api: {depends_on: {db: {condition: service_healthy}}, startup: [{cpu: 100ms}], operations: {get: [{cpu: 1ms}]}}
  db: {startup: [{cpu: 2s}], operations: {get: [{cpu: 1ms}]}}
state: {}
run: {replications: 1}
"""


def test_services_wait_for_those_that_they_depend_on() -> None:
    found = simvirt.deploy(simvirt.loads(DEPENDING))
    for platform in ("docker", "kvm"):
        one = {life.service: life for life in found.answers[platform].of_state["warm"][0].lives}
        begin = {name: next(span for span in life.spans if span.phase == "other services").ended for name, life in one.items() if name != "db"}
        assert begin["api"] == one["db"].ready
        assert one["api"].asked < begin["web"] < (one["api"].ready or 0)
        warm = found.typed().deployments[platform].warm
        assert warm is not None
        led = [(phase.phase, phase.last_s.value or 0.0) for phase in warm.phases]
        assert ("other services", 0.0) in led
        assert sum(value for _, value in led) == pytest.approx(warm.ready_s.value)


@pytest.mark.parametrize(("written", "words"), [
    ("[dc]", "unknown service"), ("[web]", "wait for each other"), ("{db: {condition: healthy}}", "service_healthy"), ("3", "expected a mapping"),
])
def test_a_dependency_that_cannot_be_is_refused(written: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        simvirt.loads(DEPENDING.replace("{api: {}}", written))


def test_a_run_from_the_same_state_starts_alike() -> None:
    loaded = ON_A_BASE.replace("state:", "workload: {open: {rate: 0.001/s}, mix: {one.get: 1}}\nstate:")
    stated = simvirt.loads(loaded.replace("replications: 1", "duration: 60s, replications: 1"))
    ran = simvirt.run(stated, maximum=False).outcomes("docker")[0].lives
    assert ran is not None
    assert ran == simvirt.deploy(stated).answers["docker"].of_state["cold"][0].lives


SHORT_OF_PULLS = """
simvirt: 1
name: short
host: {cores: 8, memory: 64GiB}
platforms: PLATFORMS
registries: {REGISTRIES}
services:
  db: {image: "redis:7", operations: {get: [{cpu: 1ms}]}}
  web: {image: "nginx:1.27", operations: {get: [{cpu: 1ms}]}DEPENDS}
workload: {open: {rate: 10/s}, mix: {web.get: 1}}
"""


def test_a_run_that_ends_before_its_instances_are_ready_says_how_long_it_has_to_be() -> None:
    """What is said to be needed is when a deployment is ready; with the length that is advised nothing is said."""
    cold = {"images": "present", "instances": "none"}
    short = simvirt.loads(yaml.safe_dump({
        "simvirt": 1, "name": "short", "host": {"cores": 8, "memory": "64GiB"}, "platforms": ["docker"], "state": cold,
        "services": {"web": {"scale": 2, "operations": {"get": [{"cpu": "1ms"}]}, "startup": [{"cpu": "3s"}]}},
        "workload": {"open": {"rate": "10/s"}}, "run": {"duration": "2s", "replications": 1}}))
    (said,) = [one for one in simvirt.run(short, maximum=False).warnings() if "instances are ready" in one]
    ready = simvirt.deploy(short).typed().deployments["docker"].warm
    assert ready is not None and ready.ready_s.value is not None
    assert said.startswith(f"docker: the run ends after 2 s, before 2 of 2 instances are ready; without requests that takes {ready.ready_s.value:.3g} s")
    longer = float(said.rpartition("run.duration=")[2].rstrip("s)"))
    enough = short.model_copy(update={"run": short.run.lasting(round(longer * 1e9))})
    assert not [one for one in simvirt.run(enough, maximum=False).warnings() if "instances are ready" in one]


def short_of_pulls(registries: str, depends: str = "", platforms: str = "[docker]") -> DeployResult:
    """A deployment of two images from registries of which one admits few pulls."""
    text = SHORT_OF_PULLS.replace("REGISTRIES", registries).replace("DEPENDS", depends).replace("PLATFORMS", platforms)
    return simvirt.deploy(simvirt.loads(text))


@pytest.mark.parametrize("depends", ["", ", depends_on: {db: {condition: service_healthy}}"])
@pytest.mark.parametrize("registries", ["hub: {limit: 1, window: 6h}", "m: {mirror_of: hub, limit: 1, window: 6h}, hub: {}"])
@pytest.mark.parametrize("others", ["", ", podman, chroot, containerd, cri-o"])
def test_an_image_that_is_refused_leaves_the_warm_answer_and_says_so(depends: str, registries: str, others: str) -> None:
    document = short_of_pulls(registries, depends, f"[docker{others}]").typed()
    assert document.deployments["docker"].cold.ready < 2 == document.deployments["docker"].warm.ready
    assert "Without images there not all are ever ready on docker" in document.answer
    assert "at once" not in document.answer
    assert any("see limit and bandwidth of registries" in warning for warning in document.warnings)
    for form in ("text", "json", "csv", "markdown"):
        assert rendered(deploy_report.report(document), form)


def test_bytes_that_came_are_the_union_of_layers_whether_a_mirror_hands_them_on_or_not() -> None:
    direct, mirrored, refused = (
        short_of_pulls(text).typed().deployments["docker"].cold
        for text in ("hub: {}", "m: {mirror_of: hub}, hub: {}", "hub: {limit: 1, window: 6h}")
    )
    assert direct.moved_bytes == mirrored.moved_bytes
    assert direct.saved_bytes == mirrored.saved_bytes
    assert direct.saved_bytes
    assert refused.saved_bytes == 0


def test_one_instance_is_spoken_of_as_one() -> None:
    answer = deployed(replicas=1, platforms="[docker]").typed().answer
    assert "Without images there it is ready" in answer


def test_images_of_which_nothing_is_known_are_assumed_aloud() -> None:
    assert any('the layers of "some/thing:9" are not in the catalogue' in one for one in simvirt.deploy(simvirt.loads(
        SHORT_OF_PULLS.replace("redis:7", "some/thing:9").replace("PLATFORMS", "[docker]").replace("REGISTRIES", "").replace("DEPENDS", "")
    )).typed().assumptions)
    assert not any("median size" in one for one in short_of_pulls("hub: {}").typed().assumptions)
    assert any("no image is named" in one for one in deployed(replicas=1, platforms="[docker]").typed().assumptions)


ABANDONED: list[tuple[list[dict[str, object]], int]] = [
    ([{"at": "100ms", "stop": "web"}], 0),
    ([{"at": "100ms", "crash": "web"}], 0),
    ([{"at": "100ms", "stop": "web"}, {"at": "100ms", "start": "web"}], 1),
    ([{"at": "100ms", "crash": "web", "restart": "1s"}], 1),
]


@pytest.mark.parametrize(("timeline", "ready"), ABANDONED)
def test_who_is_stopped_before_it_is_ready_starts_no_further(timeline: list[dict[str, object]], ready: int) -> None:
    """A start takes half a second; what was abandoned is no start that was not ready, and a later one counts from its own beginning."""
    text = """{simvirt: 1, name: s, host: {cores: 4, memory: 16GiB}, platforms: [docker], state: {instances: none},
        services: {web: {image: nginx, operations: {get: [{cpu: 1ms}]}}}, workload: {open: {rate: 50/s}},
        run: {duration: 4s, warmup: 0s, replications: 1}}"""
    tree = yaml.safe_load(text) | {"timeline": timeline}
    found = simvirt.run(simvirt.loads(yaml.safe_dump(tree)), maximum=False).document()["platforms"]["docker"]
    assert (found["lifecycle"]["started"], found["lifecycle"]["ready"]) == (ready, ready)
    assert (found["requests"] > 0) == bool(ready)
    assert set(found["checks"].values()) == {"ok"}


def test_what_a_deployment_does_not_heed_is_said() -> None:
    spec = scenario()
    assert not [said for said in deployed().typed().warnings if "left out" in said]
    scaled = {name: one.model_copy(update={"cpus": 1.0, "autoscale": AutoscaleSpec.model_validate({"max": 9, "target": {"cpu": 0.5}})})
              for name, one in spec.services.items()}
    found = simvirt.deploy(spec.model_copy(update={"services": scaled})).typed().warnings
    assert any("autoscalers are left out" in said and next(iter(scaled)) in said for said in found)
