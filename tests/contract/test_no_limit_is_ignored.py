"""On every kind of platform each limit of a service acts, or the result says that nothing enforces it; words of VMs are refused without VMs."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml
from helpers.fields import patched

from simvirt import run
from simvirt.errors import ScenarioError
from simvirt.scenario import loads

SERVER: Final = "services/server/"
KINDS: Final = ("bare-metal", "docker", "kvm", "kvm-with-vms", "docker-on-kvm", "docker-in-own-vm")
VM: Final = {"vcpus": 4, "memory": "900MiB"}


def platform_of(kind: str, vms: int = 1) -> dict[str, Any]:
    """A platform of a kind, with so many VMs where services share these."""
    stacks = {"kvm": ["kvm"], "kvm-with-vms": ["kvm"], "docker-on-kvm": ["kvm", "docker"], "docker-in-own-vm": ["kvm", "docker"]}
    if kind not in stacks:
        return {"name": kind}
    shared = {"vms": VM | {"count": vms}} if kind in ("kvm-with-vms", "docker-on-kvm") else {}
    return {"name": f"a-{kind}", "stack": stacks[kind], "guest_swap": "1GiB"} | shared


BASE: Final[dict[str, Any]] = {
    "simvirt": 1, "name": "limits", "host": {"cores": 4, "memory": "8GiB", "swap": "8GiB"},
    "services": {
        "server": {"threads": 6, "operations": {"job": [{"cpu": {"exponential": "8ms"}}]}},
        "hog": {"background": {"threads": 4}},
    },
    "workload": {"open": {"rate": "150/s"}, "mix": {"server.job": 1}}, "run": {"duration": "6s", "replications": 1, "warmup": "0s"},
}
NEEDY: Final = {
    SERVER + "memory": {"base": "100MiB", "per_request": "2MiB", "hot": 0.5, "touch": "400KB"}, "services/hog/background/duty": 0.01, "host/memory": "950MiB",
    "services/hog/memory": {"base": "700MiB"}, "workload/open/rate": "100/s",
}
"""A service whose working set matters, on a host that is short of memory."""
QUOTA: Final = {SERVER + "cpu_quota": "70ms"}
CHANGES: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "cpus": ({}, {SERVER + "cpus": 0.7}),
    "cpu_quota": ({}, QUOTA),
    "cpu_period": (QUOTA, QUOTA | {SERVER + "cpu_period": "200ms"}),
    "cpu_burst": (QUOTA, QUOTA | {SERVER + "cpu_burst": "60ms"}),
    "cpu_shares": ({}, {SERVER + "cpu_shares": 8000}),
    "cpu_weight": ({}, {SERVER + "cpu_weight": 900}),
    "cpuset": ({}, {SERVER + "cpuset": "1"}),
    "mem_limit": (NEEDY, NEEDY | {SERVER + "mem_limit": "90MiB"}),
    "mem_reservation": (NEEDY, NEEDY | {SERVER + "mem_reservation": "100MiB"}),
    "mem_high": (NEEDY, NEEDY | {SERVER + "mem_high": "60MiB"}),
    "memswap_limit": (NEEDY | {SERVER + "mem_limit": "90MiB"}, NEEDY | {SERVER + "mem_limit": "90MiB", SERVER + "memswap_limit": "91MiB"}),
    "deploy.resources.reservations.cpus": ({}, {SERVER + "deploy": {"resources": {"reservations": {"cpus": 0.9}}}}),
}
ENFORCED_BY_QUOTA: Final = {"cpu_period": "cpu_quota", "cpu_burst": "cpu_quota"}


def document(platform: Any, patch: dict[str, Any]) -> dict[str, Any]:
    return run(loads(yaml.safe_dump(patched(BASE, patch) | {"platforms": [platform]})), maximum=False).document()


def figures(found: dict[str, Any]) -> Any:
    """What a platform did: everything but the laws that hold anyway."""
    [platform] = found["platforms"].values()
    return {key: platform[key] for key in ("latency_s", "cpu", "breakdown_s", "throughput_per_s")} | {"parts": platform["memory"]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", CHANGES)
def test_it_acts_or_the_result_says_that_it_does_not(key: str, kind: str) -> None:
    platform = platform_of(kind, vms=2 if key.startswith("mem") else 1)
    before, after = (document(platform, patch) for patch in CHANGES[key])
    word = ENFORCED_BY_QUOTA.get(key, key)
    said = any(("not enforced" in note and word in note) or ("not reserved" in note and "." in key) for note in after["warnings"])
    if said:
        assert figures(before)["latency_s"] == figures(after)["latency_s"], "what is not enforced changes nothing"
    else:
        assert figures(before) != figures(after)


@pytest.mark.parametrize("key", ["cpu_quota", "cpu_shares", "mem_high"])
def test_who_enforces_what(key: str) -> None:
    """Bare processes have no cgroup; services that share a VM have those of its systemd, containers their own."""
    said = {kind: any(key in note for note in document(platform_of(kind), CHANGES[key][1])["warnings"]) for kind in KINDS}
    assert said == {kind: kind == "bare-metal" or (kind == "kvm" and key == "mem_high") for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheduler", ["eevdf", "cfs", "gps"])
def test_a_cpuset_holds_as_many_cpus_as_it_names(kind: str, scheduler: str) -> None:
    """Four workers that always have work use one CPU where they are bound to one, as under taskset."""
    patch = {"host/scheduler": scheduler, "services/hog/background/duty": 0.01, SERVER + "cpuset": "1", "workload/open/rate": "600/s"}
    [found] = document(platform_of(kind), patch)["platforms"].values()
    assert found["services"]["server"]["cpu_cores"]["value"] == pytest.approx(1.0, abs=0.06)


def test_bound_processes_weigh_as_processes_do() -> None:
    """Two processes that are bound to one CPU share it thread by thread, not process by process, as no cgroup groups them."""
    services = {"server/background": {"threads": 3}, "server/operations": {}, "server/cpuset": "0", "hog/background": {"threads": 1}, "hog/cpuset": "0"}
    scenario = patched(BASE, {f"services/{path}": value for path, value in services.items()}) | {"platforms": ["bare-metal", "docker"]}
    del scenario["workload"]
    found = run(loads(yaml.safe_dump(scenario)), maximum=False).document()["platforms"]
    used = {name: platform["services"]["server"]["cpu_cores"]["value"] for name, platform in found.items()}
    assert used == {"bare-metal": pytest.approx(0.75, abs=0.02), "docker": pytest.approx(0.5, abs=0.02)}


def test_a_quota_in_a_vm_that_is_shared_is_that_of_the_service() -> None:
    """10 ms in 100 ms are a tenth of a CPU, whoever sized the VM."""
    patch = {SERVER + "cpu_quota": "10ms", SERVER + "operations": {"job": [{"cpu": "10ms"}]}, "workload/open/rate": "30/s", "services/hog/background/duty": 0.01}
    for kind in KINDS:
        [found] = document(platform_of(kind), patch)["platforms"].values()
        assert found["throughput_per_s"]["value"] == pytest.approx(30 if kind == "bare-metal" else 10, rel=0.15), kind


@pytest.mark.parametrize(("word", "value"), [
    ("vms", {"count": 1, "vcpus": 2, "memory": "1GiB"}), ("pin", True), ("topology", "exposed"), ("balloon", "auto"), ("guest_swap", "1GiB"),
    ("free_page_reporting", True)])
@pytest.mark.parametrize("platform", [{"name": "docker"}, {"name": "mine", "stack": ["docker"]}, {"name": "bare-metal"}], ids=str)
def test_words_of_vms_are_refused_without_vms(platform: dict[str, Any], word: str, value: Any) -> None:
    with pytest.raises(ScenarioError, match=f"{word}: has no effect, for .* has no VMs"):
        document(platform | {word: value}, {})


def test_cpus_beyond_those_of_a_shared_vm_are_refused() -> None:
    with pytest.raises(ScenarioError, match="expected CPUs from 0 to 1, those of the VMs of x; got 3"):
        document({"name": "x", "stack": ["kvm"], "vms": {"count": 1, "vcpus": 2, "memory": "2GiB"}}, {SERVER + "cpuset": "3"})


@pytest.mark.parametrize("orchestrator", [None, "swarm", "kubernetes"])
def test_an_orchestrator_keeps_room_for_what_is_reserved(orchestrator: str | None) -> None:
    """Reservations of those that keep room for them are no limits that nothing enforces."""
    platform = {"name": "here", "stack": ["containerd"]} | ({} if orchestrator is None else {"orchestrator": orchestrator})
    patch = CHANGES["deploy.resources.reservations.cpus"][1]
    assert any("not reserved" in note for note in document(platform, patch)["warnings"]) == (orchestrator is None)
