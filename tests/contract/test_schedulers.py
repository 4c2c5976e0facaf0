"""Every scheduler keeps what all schedulers promise, on every shipped scenario and between two VMs."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import typing
from typing import Any

import pytest
from helpers import shortened
import yaml
from helpers.field_bases import BARE
from helpers.fields import patched
from helpers.zero_cost import FREE

from simvirt import kernel, loads, run
from simvirt.scenario.spec.host import PARAMETERS, Policy

SCHEDULERS = typing.get_args(Policy)


def document(base: dict[str, Any], **patch: Any) -> dict[str, Any]:
    """The result of a scenario with a patch, whose paths have `__` for `/`."""
    return run(loads(yaml.safe_dump(patched(base, {path.replace("__", "/"): value for path, value in patch.items()}))), maximum=False).document()["platforms"]


def test_every_scheduler_is_here() -> None:
    assert set(SCHEDULERS) == set(PARAMETERS)
    assert set(shortened.SHORTEST) == set(shortened.SHORTER)


@pytest.mark.parametrize("name", shortened.SHORTEST)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_it_runs_every_shipped_scenario(scheduler: str, name: str) -> None:
    """The laws of the run's own counters hold, and the breakdown sums to the mean."""
    standing = ("state={images: present, instances: up}",) if name == "deploy" else ()
    pools = [".".join(shortened.shortest(name).path_of_pool(pool)) for pool in shortened.shortest(name).pools]
    scenario = shortened.shortest(name, *standing, *(f"{pool}.scheduler={scheduler}" for pool in pools))
    for platform in run(scenario, maximum=False).document()["platforms"].values():
        assert platform["requests"] > 0
        assert set(platform["checks"].values()) == {"ok"}
        assert sum(platform["breakdown_s"].values()) == pytest.approx(platform["latency_s"]["mean"]["value"], rel=1e-9)


BUSY = patched(BARE, {
    "catalog": FREE, "platforms": ["free-kvm"], "workload": None, "run": {"duration": "20s" if kernel.MODE == "compiled" else "4s", "replications": 1, "warmup": "0s"},
    "services": {"a": {"background": {"threads": 1}}, "b": {"background": {"threads": 1}}},
})
"""Two VMs that want the only core all the time."""


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_two_busy_vcpus_steal_half_of_the_time_from_each_other(scheduler: str) -> None:
    found = document(BUSY, host__scheduler=scheduler)["free-kvm"]
    assert found["cpu"]["steal"]["value"] == pytest.approx(0.5, abs=0.02)
    assert found["cpu"]["utilisation"]["value"] == pytest.approx(1.0)
    for name in ("a", "b"):
        assert found["services"][name]["cpu_cores"]["value"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("platform", ["free-docker", "free-kvm"])
@pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name != "round-robin"])
def test_weights_become_shares(scheduler: str, platform: str) -> None:
    """Three to one; round robin knows no weights."""
    found = document(BUSY, host__scheduler=scheduler, platforms=[platform], services__a__cpu_shares=3072)[platform]["services"]
    assert found["a"]["cpu_cores"]["value"] == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("platform", ["free-docker", "free-kvm"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_who_wants_less_than_its_share_gets_what_it_wants(scheduler: str, platform: str) -> None:
    """20 ms of work, then 80 ms of rest, beside one that wants everything: at half the core, its fair share, a cycle takes 120 ms and not longer.

    Nothing is left over. Round robin gives turns, not shares.
    """
    found = document(BUSY, host__scheduler=scheduler, platforms=[platform], services__a__background={"threads": 1, "duty": 0.2, "period": "100ms"})[platform]
    least = 0.165 if scheduler != "round-robin" else 0.05
    assert least <= found["services"]["a"]["cpu_cores"]["value"] <= 0.201
    assert found["cpu"]["utilisation"]["value"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("deepest", ["none", "C6"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_containers_and_vms_that_cost_nothing_are_bare_metal(scheduler: str, deepest: str) -> None:
    """Where nobody else wants the CPUs, the latencies are those of bare metal, to the nanosecond, however deep the CPUs sleep."""
    alone = patched(BARE, {"catalog": FREE, "host": {"cores": 2, "memory": "16GiB", "scheduler": scheduler, "max_cstate": deepest}, "services/server/threads": 2, "platforms": ["bare-metal", "free-docker", "free-kvm", {"name": "both", "stack": ["free-kvm", "free-docker"]}]})
    found = document(alone)
    for name in ("free-docker", "free-kvm", "both"):
        assert found[name]["latency_s"] == found["bare-metal"]["latency_s"]
        assert found[name]["cpu"]["virtualization"]["value"] == 0


@pytest.mark.parametrize("name", ["kvm", "docker"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_no_platform_is_faster_than_itself_without_costs(scheduler: str, name: str) -> None:
    """The same luck, the same structure, fewer costs: on a loaded host the mean latency is not above that of the platform with its costs."""
    loaded = patched(BARE, {
        "catalog": FREE, "host": {"cores": 2, "memory": "16GiB", "scheduler": scheduler}, "platforms": [f"free-{name}", name], "workload/open/rate": "110/s", "run/requests": 2000,
        "services/server": {"image": "nginx", "threads": 8, "operations": {"job": [{"cpu": {"exponential": "10ms"}}, {"disk": {"read": "4KiB"}}, {"net": {"out": "64KiB"}}]}},
    })
    found = document(loaded)
    free, dear = (found[which]["latency_s"]["mean"]["value"] for which in (f"free-{name}", name))
    assert free < dear


@pytest.mark.parametrize(("stated", "warned"), [
    ({"policy": "eevdf", "base_slice": "300us"}, "host.scheduler.base_slice of 300 us is shorter than the tick"),
    ({"policy": "cfs", "min_granularity": "500us", "tick": "1ms"}, "host.scheduler.min_granularity of 500 us is shorter than the tick, 1 ms"),
    ({"policy": "eevdf", "base_slice": "300us", "tick": "250us"}, None),
    ({"policy": "eevdf"}, None),
    ({"policy": "esxi", "quantum": "300us"}, None),
])
def test_a_slice_that_lasts_until_the_tick_is_said(stated: dict[str, Any], warned: str | None) -> None:
    found = run(loads(yaml.safe_dump(patched(BUSY, {"run/duration": "1s", "host/scheduler": stated}))), maximum=False).warnings()
    about = [sentence for sentence in found if "shorter than the tick" in sentence]
    assert len(about) == (warned is not None)
    assert warned is None or about[0].startswith(warned)
