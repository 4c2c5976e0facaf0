"""Teams come out at Amdahl's law, spin on CPUs and on quotas, and are as large as what their kernel shows."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import assert_sound, background, replications, scenario, service

from simvirt.analysis.demands import analyse
from simvirt.catalog import Catalog
from simvirt.memory.visible import team_size
from simvirt.errors import ScenarioError
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.host import HostSpec, PlatformSpec
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.scenario.spec.teams import TeamSpec

CORES = 8


def team(cpu: str = "80ms", **team: Any) -> dict[str, Any]:
    """A step of a team."""
    return {"cpu": cpu, "team": team}


def outcome(*steps: dict[str, Any], duration: str = "4s", clients: int = 1, **fields: Any) -> Outcome:
    """A client that has steps done again and again."""
    services = {"train": service(*steps, threads=clients) | fields.pop("service", {})} | fields.pop("others", {})
    workload = {"closed": {"clients": clients, "think": "0s"}, "mix": {"train.job": 1}, "local": True}
    host = {"cores": CORES} | fields.pop("host", {})
    found, = replications(scenario(services, workload, {"duration": duration, "warmup": "500ms"}, host=host, **fields), 1)
    assert_sound([found])
    return found


@pytest.mark.parametrize("serial", [0.0, 0.2])
@pytest.mark.parametrize("spin", ["0s", "1s"])
@pytest.mark.parametrize("policy", ["eevdf", "cfs", "credit", "round-robin", "gps"])
def test_with_a_cpu_for_each_thread_it_is_amdahls_law(policy: str, spin: str, serial: float) -> None:
    found = outcome(team(regions=4, spin=spin, serial=serial), host={"scheduler": policy})
    wakes = 8 * 1.1e-6 if spin == "0s" else 0.0
    assert found.latency_mean_s == pytest.approx(0.08 * (serial + (1 - serial) / CORES) + wakes, rel=2e-3)
    assert found.breakdown_s["cpu"] == pytest.approx(found.latency_mean_s, rel=1e-3)


def test_a_region_lasts_as_long_as_its_slowest_thread_and_sleepers_leave_their_cpus() -> None:
    """What computes alone keeps one CPU busy, and with it those that spin for it."""
    asleep, spins = (outcome(team(serial=0.5, spin=spin)) for spin in ("0s", "1s"))
    assert CORES * asleep.resources["host.cpu"] == pytest.approx(0.08 / 0.045, rel=0.02)
    assert spins.resources["host.cpu"] == pytest.approx(1.0, rel=0.01)
    short = outcome(team(serial=0.5, spin="4ms"))
    assert CORES * short.resources["host.cpu"] == pytest.approx((0.08 + 7 * 0.004) / 0.045, rel=0.02), "they spin for 4 ms of 40"


def test_regions_cost_what_waking_up_costs() -> None:
    one, many = (outcome(team(regions=regions)) for regions in (1, 1000))
    assert many.latency_mean_s - one.latency_mean_s == pytest.approx(1000 * 1.1e-6, rel=0.15)


def test_all_have_the_account_of_the_last_one() -> None:
    """A thread that shares its CPU with another program holds up all; its wait is that of the request."""
    found = outcome(team(threads=2, regions=10, spin="1s"), host={"cores": 2}, service={"cpuset": "0-1"}, others={"hog": background() | {"cpuset": 0}}, platforms=["docker"])
    assert 0.078 < found.latency_mean_s < 0.122, "it shares a CPU with a group of equal weight, or with its other thread"
    assert found.breakdown_s["run_queue"] == pytest.approx(found.latency_mean_s - 0.04, rel=0.05)
    assert (found.breakdown_s["lock"] or 0.0) == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("quota", [1, 2])
def test_spinning_burns_a_quota_and_sleeping_does_not(quota: int) -> None:
    """Under a quota the team works for a share of the time, in which all of its threads use CPUs, whether they work or spin."""
    step = {"serial": 0.2, "regions": 20}
    spins, asleep = (outcome(team("400ms", spin=spin, **step), service={"cpus": quota}, platforms=["docker"], duration="40s") for spin in ("1s", "0s"))
    least = 0.4 * (1 + 7 * 0.2) / quota
    assert least * 0.97 <= spins.latency_mean_s <= 1.6 * least
    assert asleep.latency_mean_s == pytest.approx(0.4 / quota, rel=0.3)
    assert spins.latency_mean_s > 1.7 * asleep.latency_mean_s


def test_a_cpuset_shows_fewer_cpus_and_loses_nothing() -> None:
    quota, cpuset = (outcome(team("400ms", spin="200ms", serial=0.1, regions=50), service=limit, platforms=["docker"], duration="20s")
                     for limit in ({"cpus": 1}, {"cpuset": 0}))
    assert cpuset.latency_mean_s == pytest.approx(0.4, rel=0.01)
    assert quota.latency_mean_s > 1.65 * cpuset.latency_mean_s


def test_a_runtime_that_knows_its_limit_is_as_quick_as_one_on_a_cpuset() -> None:
    quick = outcome(team("400ms", threads="limit", spin="200ms", serial=0.1, regions=50), service={"cpus": 1}, platforms=["docker"], duration="20s")
    assert quick.latency_mean_s == pytest.approx(0.4, rel=0.02)


def test_more_requests_are_more_teams() -> None:
    """Two teams of eight that spin on eight CPUs get in each other's way; those that sleep do not."""
    asleep, spins = (outcome(team(regions=20, serial=0.2, spin=spin), clients=2) for spin in ("0s", "1s"))
    assert spins.latency_mean_s > 1.3 * asleep.latency_mean_s


@pytest.mark.parametrize("spin", ["0s", "1s"])
@pytest.mark.parametrize("policy", ["eevdf", "gps"])
def test_a_crash_ends_a_team_and_its_successor_works(policy: str, spin: str) -> None:
    timeline = [{"at": f"{at}ms", "crash": "train", "replica": 0, "restart": "5ms"} for at in (603, 1207, 2011)]
    services = {"train": service(team(regions=7, serial=0.3, spin=spin), threads=4)}
    workload = {"open": {"rate": "20/s"}, "mix": {"train.job": 1}, "local": True}
    found, = replications(scenario(services, workload, {"duration": "4s", "warmup": "0s"}, host={"cores": CORES, "scheduler": policy}, timeline=timeline), 1)
    assert_sound([found])
    assert found.requests > 60 and found.failed > 0


@pytest.mark.parametrize(("platform", "service", "visible", "limit"), [
    ("bare-metal", {}, 8, 8), ("bare-metal", {"cpus": 2}, 8, 8), ("bare-metal", {"cpuset": "0-2"}, 3, 3),
    ("docker", {"cpus": 1.5}, 8, 2), ("docker", {"cpus": 2, "cpuset": 5}, 1, 1), ("docker", {}, 8, 8),
    ("kvm", {"cpus": 2.5}, 3, 3), ("docker-on-kvm", {"cpus": 2.5}, 3, 3),
    ({"name": "v", "stack": ["kvm", "docker"], "vms": {"count": 1, "vcpus": 4, "memory": "8GiB"}}, {"cpus": 2}, 4, 2),
    ({"name": "v", "stack": ["kvm"], "vms": {"count": 1, "vcpus": 4, "memory": "8GiB"}}, {"cpuset": "1-2"}, 2, 2),
])
def test_what_is_visible(platform: Any, service: dict[str, Any], visible: int, limit: int) -> None:
    catalog = Catalog.load(None)
    host = catalog.resolve_host(HostSpec.model_validate({"cores": 8, "memory": "16GiB"}))
    spec = ServiceSpec.model_validate({"operations": {"job": [team()]}} | service)
    found = catalog.platform(PlatformSpec.model_validate(platform))
    assert [team_size(TeamSpec.model_validate(word), spec, found, host) for word in ("visible", "limit")] == [visible, limit]


def test_a_start_up_may_be_the_work_of_a_team() -> None:
    starts = {"startup": [team("400ms", serial=0.5)]}
    found = outcome({"cpu": "1ms"}, service=starts | {"restart": "always"}, duration="2s")
    assert found.requests > 1000


def test_event_loops_have_no_teams() -> None:
    with pytest.raises(ScenarioError, match="threads of its own"):
        scenario({"a": {"event_loops": 1, "operations": {"job": [team()]}}}, {"open": {"rate": "1/s"}, "mix": {"a.job": 1}}, {"duration": "1s"})


def test_the_time_of_a_request_alone_is_that_of_its_team() -> None:
    spec = scenario({"a": service(team(serial=0.2))}, {"closed": {"clients": 1, "think": "0s"}, "mix": {"a.job": 1}, "local": True}, {"requests": 1}, host={"cores": CORES})
    catalog = Catalog.of(spec)
    found = analyse(spec, catalog, catalog.platform(spec.platforms[0]), catalog.resolve_host(spec.host))
    assert found.response_s == pytest.approx(0.08 * (0.2 + 0.8 / CORES))
    assert found.service("a").cpu_s == pytest.approx(0.08)


@pytest.mark.parametrize(("step", "message"), [
    (team(threads=5000), "from 1 to 4096 or visible or limit"), (team(threads=4000) | {"times": 20}, "at most 20000 steps"),
    (team(regions=0), "regions"), (team(spin="5"), "spin"), ({"cpu": "1ms", "team": {"size": 2}}, "size"),
])
def test_mistakes_are_told(step: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        scenario({"a": service(step)}, {"open": {"rate": "1/s"}, "mix": {"a.job": 1}}, {"duration": "1s"})
