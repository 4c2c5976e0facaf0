"""Hosts in pools: one host written either way is the same host, and replicas stand where they may."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from simvirt import run
from simvirt.density import density
from simvirt.errors import ScenarioError
from simvirt.plan import plan
from simvirt.runs.admission import catalog_of
from simvirt.scenario import loads
from simvirt.scenario.spec.cluster import HostPoolSpec
from simvirt.scenario.spec.host import HostSpec
from simvirt.scenario.spec.models import Scenario

HOST = {"cores": 2, "memory": "8GiB", "scheduler": "cfs", "max_cstate": "C1"}
SPEC: dict[str, Any] = {
    "simvirt": 1, "name": "pools", "platforms": ["docker", "kvm"],
    "services": {
        "web": {"scale": 2, "threads": 4, "cpus": 1, "mem_limit": "256MiB", "operations": {"get": [{"cpu": {"exponential": "4ms"}}, {"call": "db.query"}]}},
        "db": {"operations": {"query": [{"cpu": "1ms"}, {"disk": {"read": "4KiB", "working_set": "20GiB"}}]}},
    },
    "workload": {"open": {"rate": "100/s"}, "mix": {"web.get": 1}}, "run": {"duration": "2s", "replications": 2},
}
TIMES = {"wall_s", "digest", "simulations_wall_s"}


def of(**fields: Any) -> Scenario:
    """The scenario with other fields."""
    return loads(yaml.safe_dump(SPEC | fields))


def without_times(value: Any) -> Any:
    """A document without wall-clock times, the digest and the scenario's own text."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES and key != "scenario"}
    return [without_times(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("asked", [lambda s: run(s, maximum=False), plan, density], ids=["run", "plan", "density"])
def test_one_host_written_either_way_gives_the_same(asked: Any) -> None:
    fields = {"objective": {"latency_p95": "80ms"}, "platforms": ["docker"], "density": {"service": "web", "max": 3, "per_instance": {"rate": "50/s"}}}
    one, pool = (json.dumps(without_times(asked(of(**fields, **hosts)).document())) for hosts in ({"host": HOST}, {"hosts": {"node": HOST | {"count": 1}}}))
    assert one == pool


def test_a_host_of_a_pool_is_a_host() -> None:
    """Whatever a host may be, one of a pool may be, and what is said of it is what was written."""
    assert HostPoolSpec.model_fields.keys() - HostSpec.model_fields.keys() == {"count", "zone", "labels", "taints", "autoscale"}
    pool = HostPoolSpec.model_validate(HOST | {"count": 3, "zone": "a"})
    assert pool.host == HostSpec.model_validate(HOST) and pool.host.model_fields_set == HOST.keys()


@pytest.mark.parametrize(("hosts", "said"), [
    ({"host": HOST, "hosts": {"node": HOST}}, "expected host, or hosts by pools, not both"),
    ({}, "missing (the machine), for example"),
    ({"hosts": {"node": {"cores": 2}}}, "a host without a model needs memory"),
    ({"hosts": {"node": HOST | {"count": 0}}}, "expected a whole number from 1"),
    ({"hosts": {"node": HOST | {"labels": {"zone": "a"}}}}, "placement takes zone for what hosts have without a label; expected node.zone"),
    ({"hosts": {"node": HOST | {"zone": []}}}, "expected the name of a zone or a list of names, for example [a, b, c]"),
    ({"hosts": {"node": HOST | {"model": "nowhere"}}}, "hosts.node.model: unknown"),
    ({"hosts": {"node": HOST | {"count": 60000}, "more": HOST | {"count": 60000}}}, "expected at most 100,000 hosts in all; got 120,000"),
])
def test_what_is_wrong_with_hosts_is_said(hosts: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        catalog_of(of(**hosts))
    assert said in str(refused.value)


def placed(deploy: dict[str, Any], **pools: Any) -> Scenario:
    """A service that asks where it stands, on hosts in zones a, b, b."""
    services = {"web": {"deploy": deploy, "operations": {"get": [{"cpu": "1ms"}]}}}
    hosts = pools or {"node": HOST | {"count": 3, "zone": ["a", "b", "b"], "labels": {"disk": "nvme"}}}
    return of(services=services, hosts=hosts, workload={"open": {"rate": "100/s"}, "mix": {"web.get": 1}}, platforms=["docker"])


@pytest.mark.parametrize(("placement", "replicas", "expected"), [
    ({}, 4, [2, 1, 1]),
    ({"constraints": ["zone != a"]}, 3, [0, 2, 1]),
    ({"constraints": ["node.labels.disk == nvme", "host != node[1]"]}, 3, [2, 0, 1]),
    ({"spread": "zone"}, 4, [2, 1, 1]),
    ({"spread": "zone"}, 3, [2, 1, 0]),
    ({"max_replicas_per_node": 1}, 3, [1, 1, 1]),
])
def test_replicas_stand_where_they_may(placement: dict[str, Any], replicas: int, expected: list[int]) -> None:
    layout = run(placed({"replicas": replicas, "placement": placement}), maximum=False).typed().platforms["docker"].layout
    assert [host.replicas.get("web", 0) for host in layout] == expected


@pytest.mark.parametrize(("placement", "said"), [
    ({"constraints": ["zone == c"]}, "no host may take replica 0 of 4: of 3 hosts 3 without zone == c; zone of hosts: a, b"),
    ({"constraints": ["rack == c"]}, "of 3 hosts 3 without rack == c; rack of hosts: none"),
    ({"max_replicas_per_node": 1}, "replica 3 of 4: of 3 hosts 3 without fewer than 1 replicas of web; expected fewer replicas, more hosts"),
    ({"constraints": ["zone != c", "zone = c"]}, 'expected comparisons, for example [zone != c, disk == nvme]; got "zone = c"'),
    ({"spread": "rack"}, "no host has a rack; expected a key that hosts have: disk, host, pool, zone"),
])
def test_what_fits_nowhere_is_said(placement: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        catalog_of(placed({"replicas": 4, "placement": placement}))
    assert said in str(refused.value)


def test_what_is_asked_of_one_host_is_not_answered_for_several() -> None:
    spec = of(hosts={"node": HOST | {"count": 2}}, objective={"latency_p95": "80ms"})
    with pytest.raises(ScenarioError, match="expected one host"):
        _ = spec.host


def test_a_plan_chooses_among_the_pools() -> None:
    """One alternative for each pool, whatever their counts."""
    hosts = {"small": {"model": "dell-t340-e-2224", "count": 2}, "large": {"model": "dell-r740-gold-6132"}}
    found = plan(of(hosts=hosts, platforms=["docker"], objective={"latency_p95": "80ms"})).document()
    assert {one["host"] for one in found["alternatives"]} == {"dell-t340-e-2224", "dell-r740-gold-6132"}
