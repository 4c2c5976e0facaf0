"""Hosts that differ: each computes at its own pace, has its own costs, disk, caches and memory; draws are those of the request."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from helpers.support import S, begun, columns, differences

from simvirt import run
from simvirt.clock import Clock
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

FAST = {"cores": 4, "memory": "8GiB", "clock": "3GHz", "disk": "nvme"}
SLOW = FAST | {"clock": "1.5GHz"}
RANDOM = {"cpu": {"exponential": "2ms"}}
WHERE = {"deploy": {"replicas": 2, "placement": {"max_replicas_per_node": 1}}}


def on(
    hosts: dict[str, Any], *steps: dict[str, Any], platform: str = "docker", rate: str = "40/s", fields: dict[str, Any] | None = None,
    **services: Any,
) -> Scenario:
    """A service with a replica on each of two hosts, which requests reach in turn."""
    web = {"threads": "unlimited", "operations": {"get": list(steps)}} | WHERE | (fields or {})
    load = {"open": {"rate": rate, "arrivals": "deterministic"}, "mix": {"web.get": 1}}
    return loads(yaml.safe_dump({
        "simvirt": 1, "name": "unlike", "hosts": hosts, "platforms": [platform], "services": {"web": web} | services, "workload": load,
        "run": {"duration": "60s", "replications": 1},
    }))


def ran(spec: Scenario, seconds: int = 5) -> Clock:
    """The clock of a replication after some seconds."""
    clock = begun(spec)
    clock.run(until=seconds * S)
    return clock


def cpu_times(clock: Clock, service: str = "web") -> np.ndarray:
    """CPU time of a service's replicas [ns]."""
    return clock.plane.read("instances", "cpu_time")[clock.plane.instances_of(service)]


@pytest.mark.parametrize("steps", [[RANDOM], [RANDOM, {"cpu": "1ms"}], [{"cpu": {"lognormal": {"mean": "3ms", "cv": 1}}, "team": {"threads": 2}}]])
def test_a_demand_takes_as_long_as_the_host_is_slow(steps: list[dict[str, Any]]) -> None:
    """Half the clock is twice the time of the same draws, to what the platform adds; the other host does the same as beside its like."""
    alike, unlike = (ran(on({"a": FAST, "b": other}, *steps, platform="bare-metal")) for other in (FAST, SLOW))
    (first, second), (same, slower) = cpu_times(alike), cpu_times(unlike)
    assert first == same
    assert slower / second == pytest.approx(2.0, rel=0.005)


def test_requests_find_the_body_of_their_host_at_every_depth() -> None:
    """Calls cross hosts both ways: each replica computes at the pace of its host, and bodies are as many as there are kinds and calls."""
    other = {"threads": "unlimited", **WHERE}
    chain = {
        "app": other | {"operations": {"do": [RANDOM, {"call": "db.ask"}, {"call": "db.ask"}]}},
        "db": other | {"operations": {"ask": [RANDOM, {"call": "log.add"}]}},
        "log": other | {"operations": {"add": [RANDOM]}},
    }
    alike, unlike = (ran(on({"a": FAST, "b": host}, {"call": "app.do"}, platform="bare-metal", **chain)) for host in (FAST, SLOW))
    assert cpu_times(unlike, "log").sum() == pytest.approx(1.5 * cpu_times(alike, "log").sum(), rel=0.15)
    rows = [len(clock.plane.read("program", "op")) for clock in (alike, unlike)]
    assert rows[1] <= 2 * rows[0] + 10
    assert set(unlike.plane.read("hosts", "kind")) == {0, 1} and set(alike.plane.read("hosts", "kind")) == {0}


def test_every_host_has_its_own_disk() -> None:
    """Reads at a disk and at a fast drive: the mean latency is that of both."""
    found = run(on({"a": FAST, "b": FAST | {"disk": "hdd"}}, {"disk": {"read": "4KiB"}}), maximum=False).typed().platforms["docker"]
    alone = [run(on({"a": FAST | {"disk": disk}, "b": FAST | {"disk": disk}}, {"disk": {"read": "4KiB"}}), maximum=False) for disk in ("nvme", "hdd")]
    means = [result.typed().platforms["docker"].latency_s.mean.value for result in alone]
    assert found.latency_s.mean.value == pytest.approx(sum(means) / 2, rel=0.02)


def test_every_host_has_its_own_page_cache() -> None:
    """A working set of 12 GiB has room on one host and not on the other: misses there are those of its memory."""
    read = {"disk": {"read": "4KiB", "working_set": "12GiB"}}
    clock = ran(on({"large": FAST | {"memory": "64GiB"}, "small": FAST}, read, rate="200/s"), 20)
    misses = clock.plane.read("misses", "ratio")
    done = clock.plane.read("disks", "completed")
    assert misses[0] == 0 and done[0] == 0
    assert done[1] == pytest.approx(2000 * misses[1], rel=0.1) and 0.05 < misses[1] < 0.6


def test_memory_is_followed_on_every_host() -> None:
    """What grows is killed where there is no room for it, and only there."""
    grows = {"memory": {"base": "100MiB", "growth": "20MiB", "heap": "3GiB"}, "restart": "no"}
    hosts = {"large": FAST | {"memory": "16GiB"}, "small": FAST | {"memory": "2GiB"}}
    clock = ran(on(hosts, {"cpu": "1ms"}, fields=grows), 8)
    kills = [account.kills for account in clock.plane.memories.values()]
    assert kills[0] == [] and len(kills[1]) >= 1 and "web-1" in kills[1][0]


@pytest.mark.parametrize("platform", ["docker", "kvm"])
def test_a_host_of_another_kind_on_which_nothing_stands_changes_nothing(platform: str) -> None:
    """Draws, bodies and tallies are those without it."""
    spec = on({"a": FAST | {"count": 2}}, RANDOM, {"disk": {"read": "4KiB"}}, platform=platform)
    beside = spec.model_copy(update={"hosts": spec.hosts | {"b": spec.hosts["a"].model_validate(SLOW | {"disk": "hdd", "nic": "1gbe"})}})
    found = [{name: column for name, column in columns(ran(one).plane).items() if name.startswith("tallies")} for one in (spec, beside)]
    assert differences(*found) == []


def test_a_trace_brings_demands_for_every_host(tmp_path: Any) -> None:
    """A trace's own demands last twice as long at half the clock."""
    (tmp_path / "trace.csv").write_text("at_s,cpu_ms\n" + "".join(f"{n * 0.05:.3f},2\n" for n in range(80)))
    tree = {
        "simvirt": 1, "name": "traced", "hosts": {"a": FAST, "b": SLOW}, "platforms": ["bare-metal"], "run": {"duration": "5s", "replications": 1},
        "services": {"web": {"threads": "unlimited", "operations": {"get": [{"cpu": "1ms"}]}} | WHERE},
        "workload": {"trace": {"file": str(tmp_path / "trace.csv"), "at": "at_s", "cpu": "cpu_ms"}},
    }
    first, second = cpu_times(ran(loads(yaml.safe_dump(tree))))
    assert second == pytest.approx(2 * first, rel=0.001) and first == pytest.approx(40 * 2e6, rel=0.1)
