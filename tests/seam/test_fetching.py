"""What has to be on a host before instances start there: pulls, builds, disk images, as phases of starts on a data plane."""

from __future__ import annotations

from typing import Any

import pytest

from simvirt.deploy import deploy
from simvirt.result.lifecycle import Lifecycle
from simvirt.scenario import loads

SCENARIO = """
simvirt: 1
name: cold
host: {cores: 4, memory: 16GiB, nic: 10gbe}
platforms: [PLATFORM]
registries: {region: {}}
images:
  shop: {build: [{name: libraries, size: 30MiB, work: 2s}, {name: code, size: 1MiB, work: 100ms, changed: true}]}
services:
  web: {image: shop, scale: 2, operations: {op: [{cpu: 1ms}]}}
workload: {open: {rate: 1/s}}
run: {duration: 1s, replications: 1}
"""


def deployed(platform: str, **sets: str) -> dict[str, Lifecycle]:
    """The states of a deployment on one platform."""
    result = deploy(loads(SCENARIO.replace("PLATFORM", platform), sets=[f"{key}={value}" for key, value in sets.items()]))
    found: Any = next(iter(result.typed().deployments.values()))
    return {state: getattr(found, state) for state in ("cold", "warm")}


def phases(life: Lifecycle) -> dict[str, float]:
    """What the last instance spent in each phase of fetching [s]."""
    return {phase.phase: phase.last_s.value or 0.0 for phase in life.phases if phase.layer in ("image", "build")}


def test_a_cold_container_is_pulled_and_a_changed_step_built_and_pushed_before() -> None:
    cold = phases(deployed("docker")["cold"])
    assert list(cold) == ["code", "push", "manifest", "download", "unpack"]
    assert cold["code"] == pytest.approx(0.1, rel=0.05)


def test_where_images_are_there_only_what_changed_moves() -> None:
    """The layer of 1 MiB instead of both."""
    found = deployed("docker")
    cold, warm = (phases(found[state]) for state in ("cold", "warm"))
    assert list(warm) == ["code", "push", "manifest", "download", "unpack"]
    assert warm["download"] < 0.2 * cold["download"]
    assert warm["unpack"] < 0.2 * cold["unpack"]


def test_where_nothing_changed_nothing_is_fetched() -> None:
    assert phases(deployed("docker", **{"images.shop.build.1.changed": "false"})["warm"]) == {}


def test_a_disk_image_moves_once_and_each_vm_gets_its_own() -> None:
    found = deployed("{name: firecracker, disk_image: microvm-overlay}")
    cold = phases(found["cold"])
    assert list(cold) == ["disk image", "clone"]
    assert cold["disk image"] > 10 * cold["clone"]
    assert phases(found["warm"]) == {}


def test_storage_that_all_hosts_reach_spares_the_move() -> None:
    far, shared = (phases(deployed(f"{{name: firecracker, disk_image: {name}}}")["cold"]) for name in ("desktop-vdi-linked", "server-vmdk-shared"))
    assert "disk image" in far
    assert "disk image" not in shared


def test_a_guest_pulls_for_its_containers_after_it_has_booted() -> None:
    cold = deployed("{name: nested, stack: [firecracker, docker]}", **{"services.web.scale": "1"})["cold"]
    order = [phase.phase for phase in cold.phases]
    assert order.index("disk image") < order.index("manifest") < order.index("runc create")
    assert order.index("manifest") > max(at for at, phase in enumerate(cold.phases) if phase.layer == "firecracker")
