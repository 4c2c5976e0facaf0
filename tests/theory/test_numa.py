"""Memory of another socket: its latency, the bandwidth of the way there, and what is left for those beside it."""

from __future__ import annotations

from typing import Any, Final

import pytest
from helpers.support import replications, scenario

FAMILY: Final = {"memory_bandwidth": "20GB/s", "remote_bandwidth": "8GB/s", "remote_latency": 2.0, "llc": "20MiB"}
SEARCH: Final = {"stall": 0.5, "memory_bandwidth": "100MB/s"}
SWEEP: Final = {"stall": 0.8, "memory_bandwidth": "9GB/s"}
JOB_S: Final = 0.01


def rate(profile: dict[str, Any], *, threads: int, cpuset: str, platform: str = "docker", beside: dict[str, Any] | None = None, **bound: Any) -> float:
    """Jobs a second of a service on two sockets of four cores, beside a neighbour's background threads or nothing."""
    made = {name: {"value": value, "estimated": True, "source": "made up here"} for name, value in profile.items()}
    family = {name: {"value": value, "estimated": True, "source": "made up here"} for name, value in FAMILY.items()}
    catalog = {
        "families": {"mine": {"like": "generic-x86", **family}}, "cpus": {"mine": {"like": "generic-x86-2.6", "cores": 4, "family": "mine"}},
        "hosts": {"mine": {"like": "generic", "cpu": "mine", "sockets": 2}}, "profiles": {"mine": {"like": "idle", **made}},
    }
    services = {"app": {"cpuset": cpuset, "threads": threads, "profile": "mine", "operations": {"run": [{"cpu": f"{JOB_S}s"}]}} | bound}
    if beside is not None:
        services["beside"] = {"background": {"threads": 4}, "profile": "mine"} | beside
    spec = scenario(services, {"closed": {"clients": threads}}, {"duration": "1s", "warmup": "100ms"}, platforms=[platform], catalog=catalog,
                    host={"model": "mine", "sockets": 2, "cores": 4})
    return replications(spec)[0].throughput_per_s


@pytest.mark.parametrize("platform", ["docker", "bare-metal", "kvm"])
def test_a_lone_thread_waits_longer_by_the_latency(platform: str) -> None:
    """Half of its time waits for memory that is twice as far: it takes 1.5 times as long."""
    near, far = (rate(SEARCH, threads=1, cpuset="0", platform=platform, cpuset_mems=node) for node in ("0", "1"))
    assert near / far == pytest.approx(1.5, rel=0.01)


def test_memory_is_local_where_nothing_is_said() -> None:
    """The first node that is allowed is the own one, if that is among them."""
    free, own, both = (rate(SWEEP, threads=4, cpuset="4-7", **bound) for bound in ({}, {"cpuset_mems": "1"}, {"cpuset_mems": "0-1"}))
    assert own == both == pytest.approx(free, rel=1e-4)


def test_sweeps_of_another_sockets_memory_get_the_bandwidth_of_the_way_there() -> None:
    """Four threads that want 36 GB/s get the 20 of their own memory, and 8 of the other's."""
    traffic = [rate(SWEEP, threads=4, cpuset="0-3", cpuset_mems=node) * JOB_S * 9 for node in ("0", "1")]
    assert traffic == pytest.approx([20, 8], rel=0.03)


def test_what_others_use_of_a_memory_is_missing_there() -> None:
    """Four threads at home and four from the other socket share the memory's bandwidth; each gets the more without the other."""
    home, away = {"cpuset": "4-7", "cpuset_mems": "1"}, {"cpuset": "0-3", "cpuset_mems": "1"}
    alone = rate(SWEEP, threads=4, **home)
    at_home, from_away = rate(SWEEP, threads=4, beside=away, **home), rate(SWEEP, threads=4, beside=home, **away)
    assert (at_home + from_away) * JOB_S * 9 == pytest.approx(20, rel=0.03)
    assert from_away < at_home < alone
    assert at_home < rate(SWEEP, threads=4, beside={"cpuset": "0-3", "cpuset_mems": "0"}, **home) == pytest.approx(alone, rel=0.01)
