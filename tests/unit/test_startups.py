"""How starts are resolved: which entry speaks for a layer, what a phase takes on a host, what happens where starts meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simvirt import run
from simvirt.catalog import Catalog
from simvirt.catalog.resolve.startups import Phase, alone_ns, software_name
from simvirt.errors import ScenarioError
from simvirt.scenario import loads
from simvirt.scenario.spec.models import ServiceSpec
from simvirt.validation.changed import changed
from simvirt.validation.facts import chosen
from simvirt.validation.fitted import fitted

CATALOG = Catalog.load()
HOST = CATALOG.host_model()
NGINX = {"image": "nginx:1.27", "operations": {"get": [{"cpu": "1ms"}]}}


def number(value: str | float) -> dict[str, Any]:
    return {"value": value, "source": "made up for a test"}


def test_a_layer_without_an_entry_starts_as_the_one_that_it_is_like() -> None:
    like, own = (CATALOG.phases_of(CATALOG.named_platform(name), HOST) for name in ("docker-aufs", "docker"))
    assert [phase.name for phase in like] == [phase.name for phase in own]
    assert {phase.layer for phase in like} == {"docker-aufs"}


def test_cpu_work_takes_longer_on_a_slower_host_and_a_wait_does_not() -> None:
    platform, slow = CATALOG.named_platform("docker"), replace(HOST, clock_hz=HOST.clock_hz / 2)
    for one, other in zip(CATALOG.phases_of(platform, HOST), CATALOG.phases_of(platform, slow), strict=True):
        assert other.cpu_ns == pytest.approx(2 * one.cpu_ns)
        assert other.wait_ns == one.wait_ns


def test_a_container_in_a_vm_starts_on_the_guest_after_the_guest() -> None:
    phases = CATALOG.phases_of(CATALOG.named_platform("docker-on-kvm"), HOST)
    layers = list(dict.fromkeys(phase.layer for phase in phases))
    assert layers == ["kvm", "linux", "docker"]
    assert all(phase.on != "host" for phase in phases if phase.layer == "docker")


def test_docker_desktop_boots_its_own_guest_before_its_containers() -> None:
    phases = CATALOG.phases_of(CATALOG.named_platform("docker-desktop"), HOST)
    assert list(dict.fromkeys(phase.layer for phase in phases)) == ["docker-desktop-vm", "linuxkit", "docker-desktop-container"]


def test_the_software_of_an_image_starts_where_the_scenario_does_not_say_it() -> None:
    platform = CATALOG.named_platform("docker")
    named = CATALOG.start_up(platform, HOST, ServiceSpec.model_validate(NGINX))
    told = CATALOG.start_up(platform, HOST, ServiceSpec.model_validate({**NGINX, "startup": [{"cpu": "1ms"}]}))
    assert named[-1].layer == "nginx"
    assert {phase.layer for phase in told} == {"docker"}


def test_software_in_a_snapshot_runs_already() -> None:
    layers = [{phase.layer for phase in CATALOG.phases_of(CATALOG.named_platform(name), HOST, "rabbitmq")}
              for name in ("firecracker", "firecracker-snapshot")]
    assert ["rabbitmq" in one for one in layers] == [True, False]


@pytest.mark.parametrize(("image", "name"), [
    ("nginx:1.27", "nginx"), ("registry.example/library/postgres:16", "postgres"), ("mariadb", "mysql"), ("elasticsearch:8.15", "elasticsearch"),
    ("nobody/knows", None), ("linux", None), ("docker:27-dind", None),
])
def test_which_software_an_image_is(image: str, name: str | None) -> None:
    assert software_name(CATALOG, image) == name


def test_a_phase_alone_is_its_work_its_accesses_and_its_wait() -> None:
    disk = HOST.disk
    phase = Phase("one", "mine", "host", cpu_ns=1e6, read=8192, wait_ns=2_000_000, piece=4096, flushes=3)
    accesses = 2 * disk.read_latency + 3 * (disk.write_latency + disk.flush_latency)
    assert alone_ns(phase, HOST) == pytest.approx(3e6 + accesses)


def started(count: int, **phase: Any) -> Any:
    """The lifecycle of replicas whose start is one phase."""
    scenario = {
        "simvirt": 1, "name": "starts", "host": {"cores": 4, "memory": "16GiB"}, "state": {"images": "present", "instances": "none"},
        "platforms": [{"name": "x", "stack": ["mine"]}], "services": {"c": {"scale": count, "operations": {"op": [{"cpu": "1us"}]}}},
        "catalog": {"runtimes": {"mine": {"like": "docker"}}, "startups": {"mine": {
            "title": "made up", "source": "made up for a test", "measured_on": "generic", "phases": [{"name": "one", "at": "host", **phase}],
        }}},
        "workload": {"closed": {"clients": 1, "think": "1s"}}, "run": {"duration": "5s", "warmup": "0s", "replications": 1, "seed": 1},
    }
    return run(loads(str(scenario).replace("'", '"'), "starts"), maximum=False).typed().platforms["x"].lifecycle


def test_the_nth_creation_takes_longer_by_each_that_is_there() -> None:
    """What a toolstack does for a guest that grows with those that are there: the n-th of them takes a + (n - 1) b."""
    (phase,) = started(11, cpu=number("10ms"), each=number("2ms"), lock="toolstack").phases
    assert phase.last_s.value - phase.waited_s.value == pytest.approx(0.030, rel=0.01)


def test_a_lock_makes_starts_follow_one_another() -> None:
    together, in_turn = (started(10, wait=number("50ms"), **more).readiness_s.last.value for more in ({}, {"lock": "netns"}))
    assert together == pytest.approx(0.05, rel=0.01)
    assert in_turn == pytest.approx(0.5, rel=0.01)


def test_a_fitted_number_of_a_phase_is_changed_where_it_stands() -> None:
    """Leaving a table out refits the constants of phases too."""
    table, = (table for table in chosen() if table.id == "fc-boot-serial")
    constant, = (one for one in fitted(CATALOG) if one.name == "startups.firecracker.phases.0.wait")
    phases = changed(table, {constant: 2.0}).scenario["catalog"]["startups"]["firecracker"]["phases"]
    assert [phase["wait"]["value"] for phase in phases] == ["44 ms", "43ms"]


@pytest.mark.parametrize(("phase", "message"), [
    ({}, "expected cpu, read, write or wait"), ({"cpu": number("1ms"), "piece": number("4KiB")}, "piece: has no effect without read"),
    ({"memory": number("1MB")}, "fault: expected the cost of a page fault"),
])
def test_a_phase_that_means_nothing_is_refused(phase: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        started(1, **phase)
