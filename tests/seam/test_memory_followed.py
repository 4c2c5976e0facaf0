"""Memory is looked at while something can change, and not through hours without requests; that changes no result."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import replications, scenario

from simvirt.control.follow import Follower

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
