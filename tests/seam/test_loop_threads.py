"""What an event loop does beside waiting in line: what it releases, what it rejects, what crashes leave, what it takes of a VM."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import assert_sound, replications, scenario

from simvirt.metrics.outcome import Outcome

RUN = {"requests": 1500, "warmup": "0s"}


def outcome(*steps: dict[str, Any], rate: str = "200/s", platform: Any = "bare-metal", service: dict[str, Any] | None = None, **fields: Any) -> Outcome:
    """One replication of a service with one event loop, which may call another."""
    services = {
        "api": {"event_loops": 1, "operations": {"get": list(steps)}} | (service or {}),
        "db": {"threads": 64, "operations": {"query": [{"cpu": "1ms"}]}},
    }
    spec = scenario(services, {"open": {"rate": rate}, "mix": {"api.get": 1}}, RUN | fields.pop("run", {}), host={"cores": 8}, platforms=[platform], **fields)
    found = replications(spec)[0]
    assert_sound([found])
    return found


WAITS = ({"call": "db.query"}, {"delay": "5ms"}, {"net": {"out": "64KiB"}}, {"disk": {"read": "4KiB"}}, {"disk": {"write": "4KiB", "sync": True}},
         {"parallel": [{"delay": "2ms"}, {"delay": "5ms"}]})


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm", "gvisor"])
@pytest.mark.parametrize("wait", WAITS, ids=lambda step: next(iter(step)))
def test_a_wait_releases_the_loop(wait: dict[str, Any], platform: str) -> None:
    """The loop is busy while something computes, and no longer."""
    found = outcome({"cpu": "1ms"}, wait, {"cpu": "1ms"}, platform=platform)
    computed = found.services["api"].cpu_cores
    assert found.services["api"].threads_busy == pytest.approx(computed, rel=0.08)


def test_branches_compute_one_after_the_other() -> None:
    """Two branches of 2 ms each take 4 ms on one loop, and 2 ms on two."""
    fork = {"parallel": [{"cpu": "2ms"}, {"cpu": "2ms"}]}
    one, two = (outcome(fork, rate="1/s", service={"event_loops": n}) for n in (1, 2))
    assert one.latency_mean_s == pytest.approx(4e-3, rel=0.01)
    assert two.latency_mean_s == pytest.approx(2e-3, rel=0.01)


def test_consecutive_steps_and_what_takes_no_time_are_one_segment() -> None:
    """A request that never waits is never overtaken: with constant demands in one segment the order of arrival is that of the answers."""
    whole = outcome({"cpu": "4ms"})
    parts = outcome({"cpu": "1ms"}, {"delay": "0s"}, {"cpu": "2ms"}, {"disk": {"read": "4KiB", "hit": 1.0}}, {"cpu": "1ms"})
    assert parts.latency_mean_s == pytest.approx(whole.latency_mean_s, rel=1e-6)


def test_the_queue_bounds_arrivals_and_not_what_goes_on() -> None:
    """Arrivals beyond the bound are rejected; a request that has been taken is answered however many wait."""
    bounded = outcome({"cpu": "3ms"}, {"delay": "20ms"}, {"cpu": "3ms"}, rate="400/s", service={"queue": 2})
    assert 0.4 < bounded.rejected < 0.9
    assert bounded.failed == 0.0
    assert outcome({"cpu": "1ms"}, rate="10/s", service={"queue": 0}).rejected < 0.05


def test_a_crash_loses_those_in_line_and_the_loop_works_afterwards() -> None:
    found = outcome(
        {"cpu": "2ms"}, {"delay": "10ms"}, {"cpu": "2ms"}, rate="240/s", timeline=[{"at": "1s", "crash": "api", "replica": 0, "restart": "100ms"}])
    assert 0.0 < found.failed < 0.1
    assert found.requests > 1000


def test_a_vm_has_a_cpu_for_each_loop() -> None:
    """Without a limit a VM is as large as its replica's loops, so that one loop leaves a second vCPU nothing to do."""
    one, two = (outcome({"cpu": "3ms"}, {"delay": "5ms"}, rate="250/s", platform="kvm", service={"event_loops": n}) for n in (1, 2))
    assert one.resources["api.cpu"] == pytest.approx(2 * two.resources["api.cpu"], rel=0.05)
    assert one.breakdown_s["queue"] > 4 * two.breakdown_s["queue"]
