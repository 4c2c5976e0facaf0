"""Hosts that run short of memory: whom their kubelets end, where others take their places, and what keeps away meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import yaml

from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.memory import follow_all
from simvirt.errors import ScenarioError
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads

S = 1_000_000_000
GIB = 2**30
JOB: dict[str, Any] = {"job": [{"cpu": "1ms"}]}


def written(eviction: Any, orchestrator: str = "kubernetes", **services: Any) -> dict[str, Any]:
    """Two hosts of 4 GiB, and services on them."""
    return {
        "simvirt": 1, "name": "pressure", "hosts": {"node": {"count": 2, "cores": 8, "memory": "4GiB", "disk": "nvme", "nic": "10gbe", "eviction": eviction}},
        "platforms": [{"name": "p", "orchestrator": orchestrator, "stack": ["containerd"]}],
        "services": {name: {"operations": JOB, "threads": 4} | spec for name, spec in services.items()},
        "workload": {"open": {"rate": "20/s"}, "mix": {"web.job": 1}}, "state": {"instances": "up"},
        "run": {"duration": "400s", "warmup": "0s", "replications": 1},
    }


def lived(content: dict[str, Any], seconds: int) -> Cluster:
    """The cluster after so long."""
    spec = loads(yaml.safe_dump(content))
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0))
    cluster = begin(clock, clock.plane.lowered.scenario, catalog)
    follow_all(clock)
    clock.run(until=seconds * S)
    return cluster


def told(cluster: Cluster, what: str) -> list[tuple[float, str, str]]:
    """When something happened, to whom, and where."""
    return [(event.at / S, event.who, event.where or "") for event in cluster.story.events if event.what == what]


LEAKS: dict[str, Any] = {"memory": {"base": "200MiB", "growth": "8MiB", "heap": "3500MiB"}, "deploy": {"resources": {"reservations": {"memory": "300MiB"}}}}
MODEST: dict[str, Any] = {"memory": {"base": "300MiB"}, "deploy": {"resources": {"reservations": {"memory": "400MiB"}}}}


def test_who_exceeds_its_request_goes_and_another_takes_its_place() -> None:
    """A replica that leaks fills a host of 4 GiB at 160 MiB/s; it has ended, a new one is started; those within their requests stay."""
    cluster = lived(written({"memory_available": "1GiB", "every": "1s"}, web=LEAKS, calm={**MODEST, "scale": 2}), 40)
    ended = told(cluster, "evicted")
    assert ended and {who for _, who, _ in ended} == {"web-0"}
    assert 10 < ended[0][0] < 40
    assert all(later - earlier > 5 for (earlier, *_), (later, *_) in pairwise(ended))  # each begins with nothing
    assert cluster.orchestration is not None
    started, counted = cluster.orchestration.counted()
    assert counted["evicted"] == len(ended) == started - 3
    assert next(at for at, *_ in told(cluster, "pressure")) <= ended[0][0]
    assert not told(cluster, "restart")


def test_the_important_stay() -> None:
    """Both use more than they requested, the cheap one less: it goes first, for what counts next is priority."""
    big = {"memory": {"base": "1600MiB"}, "deploy": {"priority": 1000, "resources": {"reservations": {"memory": "100MiB"}}}}
    small = {"memory": {"base": "1200MiB"}, "deploy": {"priority": -10, "resources": {"reservations": {"memory": "100MiB"}}}}
    for service in (big, small):
        service["deploy"]["placement"] = {"constraints": ["host == node[0]"]}
    found = told(lived(written({"memory_available": "1GiB", "every": "1s"}, web=big, cheap=small), 20), "evicted")
    assert found and {who for _, who, _ in found} == {"cheap-0"}
    del big["deploy"]["priority"], small["deploy"]["priority"]
    alike = told(lived(written({"memory_available": "1GiB", "every": "1s"}, web=big, cheap=small), 20), "evicted")
    assert alike[0][1] == "web-0"


def test_a_soft_threshold_waits_for_its_grace() -> None:
    hard, soft = (
        told(lived(written({"memory_available": "500MiB", "every": "1s"} | more, web={"memory": {"base": "2500MiB"}}), 40), "evicted")
        for more in ({}, {"soft": "2GiB", "grace": "30s"}))
    assert not hard
    assert 30 <= soft[0][0] <= 32


def test_pressure_keeps_away_what_requests_nothing_until_it_has_passed() -> None:
    """The evicted pod requests nothing: it starts on the other host, and the first one is eased after the transition."""
    eviction = {"memory_available": "2GiB", "every": "1s", "transition": "20s"}
    pinned = {"memory": {"base": "1GiB"}, "deploy": {"resources": {"reservations": {"memory": "1100MiB"}}, "placement": {"constraints": ["host == node[0]"]}}}
    content = written(eviction, web=pinned, extra={"memory": {"base": "1GiB"}, "deploy": {"placement": {"max_replicas_per_node": 1}}, "scale": 2})
    cluster = lived(content, 40)
    at, who, where = told(cluster, "evicted")[0]
    assert who.startswith("extra") and where == "node[0]"
    starts = [(when, host) for when, name, host in told(cluster, "start") if name.startswith("extra") and when >= at]
    pressed, eased = (told(cluster, what)[0][0] for what in ("pressure", "eased"))
    assert starts[0][0] >= eased >= pressed + 20
    assert starts[0][1] == "node[0]"


def test_swarm_has_no_kubelets() -> None:
    """Where something else orchestrates, what the host ends starts again as its policy says."""
    cluster = lived(written({"memory_available": "1GiB", "every": "1s"}, "swarm", web=LEAKS), 60)
    assert not told(cluster, "evicted")
    assert cluster.plane.memories[0].evictions or cluster.plane.memories[1].evictions


@pytest.mark.parametrize(("eviction", "said"), [
    ({"soft": "1GiB"}, "beside each other"), ({"grace": "10s"}, "beside each other"), ({"soft": "50MiB", "grace": "10s"}, "expected more than memory_available"),
])
def test_mistakes(eviction: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        loads(yaml.safe_dump(written(eviction, web=MODEST)))
