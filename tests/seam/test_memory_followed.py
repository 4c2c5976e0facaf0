"""Memory is looked at while something can change, and not through hours without requests; that changes no result."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import replications, scenario

from simvirt.control.memory import Follower

NEEDY: dict[str, Any] = {"base": "300MiB", "per_request": "20MiB", "growth": "1MiB", "hot": 0.5, "touch": "400KB"}


def world(rate: str, requests: int, platform: Any, count: int = 4) -> Any:
    """Replicas that need more memory than there is, or a little of it."""
    services = {"web": {"threads": 4, "scale": count, "memory": NEEDY, "operations": {"get": [{"cpu": {"exponential": "5ms"}}]}}}
    return scenario(
        services, {"open": {"rate": rate}, "mix": {"web.get": 1}}, {"requests": requests, "warmup": "0s"}, host={"cores": 2, "memory": "2GiB", "swap": "4GiB"},
        platforms=[platform])


@pytest.mark.parametrize("platform", ["docker", {"name": "kvm", "balloon": "auto"}], ids=str)
@pytest.mark.parametrize(("rate", "count"), [("1/s", 2), ("2/s", 6), ("60/s", 6)])
def test_looking_only_when_something_can_change_changes_nothing(monkeypatch: pytest.MonkeyPatch, rate: str, count: int, platform: Any) -> None:
    spec = world(rate, 100, platform, count)
    seldom = replications(spec)[0]
    monkeypatch.setattr(Follower, "at_rest", lambda *_: False)
    always = replications(spec)[0]
    for name in ("latency_mean_s", "breakdown_s", "utilisation", "ledger", "reclaim", "resources"):
        assert getattr(seldom, name) == getattr(always, name), name


def test_hours_without_requests_take_no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request an hour: some tens of looks for each, not 36,000."""
    looks, look = [], Follower.look
    monkeypatch.setattr(Follower, "look", lambda self, clock: looks.append(int(clock.now)) or look(self, clock))
    found = replications(world("1/h", 10, "docker", 2))[0]
    assert found.requests == 10
    assert len(looks) < 100 * found.requests


def quiet(workload: Any, steps: Any = None, host: Any = None, requests: int = 10, **more: Any) -> Any:
    """Two replicas that need a little, in VMs where KSM merges them, and hours in which nothing happens."""
    services = {"web": {"threads": 4, "scale": 2, "memory": NEEDY, "operations": {"get": steps or [{"cpu": {"exponential": "5ms"}}]}}}
    return scenario(
        services, workload | {"mix": {"web.get": 1}}, {"requests": requests, "warmup": "0s"}, host={"cores": 2, "memory": "4GiB", "swap": "4GiB"} | (host or {}),
        platforms=["kvm" if host else "docker"], **more)


QUIET: dict[str, Any] = {
    "clients that think for an hour": quiet({"closed": {"clients": 3, "think": "1h"}}),
    "requests that wait for hours": quiet({"open": {"rate": "1/h"}}, [{"delay": "100min"}, {"cpu": "5ms"}]),
    "a crash and a restart": quiet({"open": {"rate": "1/h"}}, timeline=[{"at": "3h", "crash": "web", "restart": "1h"}]),
    "a scanner that has seen everything": quiet({"open": {"rate": "1/h"}}, host={"ksm": {"since": "1d"}}),
    "a scanner at work": quiet({"open": {"rate": "1/h"}}, host={"ksm": {"pages_to_scan": 20}}),
}


@pytest.mark.parametrize("case", QUIET)
def test_hours_in_which_nothing_changes_take_few_looks(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    looks, look = [], Follower.look
    monkeypatch.setattr(Follower, "look", lambda self, clock: looks.append(int(clock.now)) or look(self, clock))
    found = replications(QUIET[case])[0]
    assert len(looks) < 500 < found.simulated_s


@pytest.mark.parametrize("case", ["clients that think for minutes", "requests that wait for minutes", "a scanner at work"])
def test_looks_that_are_left_out_change_nothing(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    spec = {
        "clients that think for minutes": quiet({"closed": {"clients": 3, "think": {"exponential": "2min"}}}, requests=4),
        "requests that wait for minutes": quiet({"open": {"rate": "1/min"}}, [{"delay": "100s"}, {"cpu": "5ms"}], requests=3),
        "a scanner at work": quiet({"open": {"rate": "1/min"}}, host={"ksm": {"pages_to_scan": 1000}}, requests=3),
    }[case]
    seldom = replications(spec)[0]
    monkeypatch.setattr(Follower, "at_rest", lambda *_: False)
    always = replications(spec)[0]
    for name in ("latency_mean_s", "breakdown_s", "utilisation", "ledger", "reclaim", "resources"):
        assert getattr(seldom, name) == getattr(always, name), name


@pytest.mark.parametrize("policy", ["eevdf", "esxi", "credit2", "round-robin"])
def test_memory_that_is_plenty_changes_no_latency_when_it_is_followed(policy: str) -> None:
    """Threads that take one call after another go on with the next, whether or not its memory is looked after."""
    def busy(**more: Any) -> Any:
        services = {
            "front": {"threads": 2, "operations": {"get": [{"cpu": {"exponential": "9ms"}}]}}, "api": {"threads": 2, "operations": {"get": [{"cpu": {"exponential": "2ms"}}]}},
        }
        workload = {"open": {"rate": "200/s"}, "mix": {"front.get": 1, "api.get": 9}}
        return scenario(services | more, workload, {"requests": 300, "warmup": "0s"}, host={"cores": 1, "scheduler": policy}, platforms=["lxd"])

    plain = replications(busy())[0]
    followed = replications(busy(unused={"operations": {"never": [{"cpu": "1ms"}]}, "memory": {"base": "1MiB", "files": "0B"}}))[0]
    assert (followed.reclaim is None, plain.reclaim is None) == (False, True)
    for name in ("latency_mean_s", "latency_max_s", "breakdown_s", "utilisation"):
        assert getattr(followed, name) == getattr(plain, name), name
