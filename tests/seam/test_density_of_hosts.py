"""The density of several hosts: what they hold together, what ends it on which of them, and where that is one host's answer again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from simvirt import loads
from simvirt.catalog import Catalog
from simvirt.cli.app import main
from simvirt.density import copies, density
from simvirt.density.bounds import Bound, analytic_bounds, lowest
from simvirt.density.doubling import doubled
from simvirt.density.ledger import ledger, limits
from simvirt.knee import knee
from simvirt.scenario.spec.models import Scenario

HOST = {"cores": 2, "memory": "8GiB", "scheduler": "gps", "max_cstate": "none"}
SPEC: dict[str, Any] = {
    "simvirt": 1, "name": "hosts", "platforms": ["docker"],
    "services": {"web": {"threads": 4, "mem_limit": "256MiB", "operations": {"get": [{"cpu": {"exponential": "4ms"}}]}}},
    "workload": {"open": {"rate": "50/s"}, "mix": {"web.get": 1}}, "objective": {"latency_p90": "40ms"},
    "density": {"service": "web"}, "run": {"replications": 1, "seed": 1},
}


def of(hosts: dict[str, Any], **fields: Any) -> Scenario:
    """The scenario on some hosts."""
    return loads(yaml.safe_dump(SPEC | {"hosts": hosts} | fields))


def pool(count: int = 1, **fields: Any) -> dict[str, Any]:
    """Some hosts."""
    return HOST | {"count": count} | fields


def bound(spec: Scenario) -> Bound:
    """What ends the search on the first platform, without a simulation."""
    catalog = Catalog.of(spec)
    return lowest(limits(spec, catalog, catalog.platform(spec.platforms[0]), copies.unit_of(spec)))


def test_like_hosts_hold_so_many_times_what_one_holds() -> None:
    alone, three = (bound(of({"node": pool(count)}, platforms=["kvm"])) for count in (1, 3))
    assert (alone.resource, three.resource) == ("memory", "node[0].memory")
    assert three.most == 3 * alone.most, "replicas are spread"


def test_the_smallest_host_ends_it_where_replicas_are_spread() -> None:
    small = bound(of({"node": pool(1, memory="2GiB")}, platforms=["kvm"])).most
    found = bound(of({"large": pool(2), "small": pool(1, memory="2GiB")}, platforms=["kvm"]))
    assert (found.resource, found.most) == ("small[0].memory", 3 * small + 2), "the third of the next three finds it full"
    assert found.why.startswith(f"{small + 1} replicas take ")


def test_placement_ends_it_where_no_host_may_take_one_more() -> None:
    services = {"web": SPEC["services"]["web"] | {"deploy": {"placement": {"constraints": ["zone != c"], "max_replicas_per_node": 3}}}}
    found = bound(of({"node": pool(3, zone=["a", "b", "c"])}, services=services))
    assert (found.resource, found.most) == ("placement", 6)
    assert "1 without zone != c" in found.why and "2 without fewer than 3 replicas of web" in found.why


def test_memory_of_all_hosts_is_the_sum_of_theirs() -> None:
    spec = of({"node": pool(3)}, platforms=["kvm"])
    catalog = Catalog.of(spec)
    six, two = (
        ledger(one, catalog, catalog.platform(one.platforms[0]), copies.unit_of(one), n)
        for one, n in ((spec, 6), (of({"node": pool(1)}, platforms=["kvm"]), 2)))
    assert six.capacity == 3 * two.capacity and six.committed == 3 * two.committed
    assert six.demand == pytest.approx(3 * two.demand, rel=1e-3)


def test_the_utilisation_law_counts_each_host_for_itself() -> None:
    """Half the clock, half as many: the slower host, which gets as many requests, is used up first."""
    def most(hosts: dict[str, Any]) -> Bound:
        spec = of(hosts)
        catalog = Catalog.of(spec)
        return lowest(analytic_bounds(spec, catalog, catalog.platform(spec.platforms[0]), copies.unit_of(spec)))

    one, like = most({"node": pool(1, clock="2GHz")}), most({"node": pool(2, clock="2GHz")})
    assert like.most == pytest.approx(2 * one.most, abs=1)
    slow = most({"fast": pool(1, clock="2GHz"), "slow": pool(1, clock="1GHz")})
    assert slow.resource == "slow[0].cpu" and slow.most == pytest.approx(one.most, rel=0.02)


def test_what_is_doubled_of_a_host_is_doubled_of_its_pool() -> None:
    spec = of({"node": pool(2), "other": pool(1)}, network={"switches": ["a", "b"], "links": [
        {"from": ["node[*]", "other[*]"], "to": "a"}, {"from": "a", "to": "b", "bandwidth": "10Gbps"}]})
    catalog = Catalog.of(spec)
    platform = catalog.platform(spec.platforms[0])
    more = doubled(spec, catalog, platform, "node[1].cpu")
    assert more is not None and [more.scenario.hosts[name].cores for name in ("node", "other")] == [4, 2]
    for kind in ("disk", "nic"):
        twice = doubled(spec, catalog, platform, f"other[0].{kind}")
        assert twice is not None and getattr(twice.scenario.hosts["other"], kind) not in (None, getattr(spec.hosts["other"], kind))
        assert twice.scenario.hosts["node"] == spec.hosts["node"]
    wider = doubled(spec, catalog, platform, "link b > a")
    assert wider is not None and wider.scenario.network is not None
    assert [link.bandwidth for link in wider.scenario.network.links] == [None, 20e9]


def test_two_hosts_hold_twice_what_one_holds_and_break_at_twice_its_rate() -> None:
    one, two = (of({"node": pool(count)}) for count in (1, 2))
    alone, both = (density(spec).typed().density["docker"] for spec in (one, two))
    assert abs(both.n - 2 * alone.n) <= 2, "an interval more or less"
    assert both.binding.resource in ("node[0].cpu", "node[1].cpu") and alone.binding.resource == "host.cpu"
    assert not alone.hosts and set(both.hosts) == {"node[0]", "node[1]"}
    assert sum(host.replicas for host in both.hosts.values()) == both.n
    for host in both.hosts.values():
        assert host.ended_by == "cpu" and host.holds == int(host.replicas / host.cpu)
    scenario = two.model_copy(update={"services": {"web": two.services["web"].model_copy(update={"scale": 4})}})
    found = knee(scenario, precision=0.3).typed().knees["docker"]
    assert found.broken_by is not None and found.broken_by.resource in ("node[0].cpu", "node[1].cpu")
    assert found.knee.low is not None and found.knee.low > 1.2 * 2 / 4e-3 / 2, "more than one host alone could answer"


def test_the_report_has_a_row_for_each_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(yaml.safe_dump(SPEC | {"hosts": {"node": pool(2)}, "density": {"service": "web", "max": 2}}))
    assert main(["density", str(file), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "docker holds at least 2 replicas of web on 2 hosts" in said
    assert "Hosts of docker at n = 2" in said and "\nnode[1]         1 " in said
