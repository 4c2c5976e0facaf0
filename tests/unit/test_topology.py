"""Routes through hosts, switches and links."""

import math
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from simvirt.network import Endpoint, Topology
from simvirt.scenario.spec.network import NetworkSpec, named

HOSTS = [(f"node[{n}]", 10e9) for n in range(4)]
TREE = {
    "switches": {"tor-a": {}, "tor-b": {"latency": "3us"}, "spine": {}},
    "links": [
        {"from": "node[0-1]", "to": "tor-a"}, {"from": ["node[2]", "node[3]"], "to": "tor-b", "bandwidth": "1Gbps"},
        {"from": ["tor-a", "tor-b"], "to": "spine", "bandwidth": "100Gbps", "latency": "5us"},
    ],
}


def topology(spec: dict[str, Any] | None = None, *outside: Endpoint) -> Topology:
    return Topology(HOSTS, None if spec is None else NetworkSpec.model_validate(spec), across_ns=50_000, outside=outside)


def test_one_switch_by_default() -> None:
    found = topology()
    route = found.route("node[0]", "node[3]")
    assert route.nodes == ("node[0]", "switch", "node[3]") and route.latency_ns == 50_000 and route.links == (0, 7)
    assert [found.links[row].bytes_per_ns for row in route.links] == [1.25, 1.25]


def test_rows_of_a_nic_are_those_of_its_host() -> None:
    links = topology(TREE).links
    assert [(link.source, link.to) for link in links[:4]] == [("node[0]", ""), ("", "node[0]"), ("node[1]", ""), ("", "node[1]")]


def test_inside_a_host_nothing_is_passed() -> None:
    assert topology(TREE).route("node[1]", "node[1]").links == ()


def test_over_a_tree() -> None:
    found = topology(TREE)
    route = found.route("node[0]", "node[2]")
    assert route.nodes == ("node[0]", "tor-a", "spine", "tor-b", "node[2]")
    assert route.latency_ns == 2 * 100 + 2 * 5_000 + 2 * 1_000 + 3_000
    assert [found.links[row].bytes_per_ns for row in route.links] == [1.25, 12.5, 12.5, 0.125]
    back = found.route("node[2]", "node[0]")
    assert back.latency_ns == route.latency_ns and not set(back.links) & set(route.links)


def test_what_is_outside_is_behind_the_gateway() -> None:
    found = topology(TREE, Endpoint("hub", 200e6, 30_000_000), Endpoint("mirror", math.inf, 0, "tor-a"))
    assert found.gateway == "spine" and found.route("hub", "node[0]").nodes == ("hub", "spine", "tor-a", "node[0]")
    assert found.route("hub", "node[0]").latency_ns == 30_000_000 + 5_000 + 100 + 2 * 1_000
    assert found.route("mirror", "node[0]").links == (1,)


def test_of_equal_ways_the_one_over_the_fewest_links_then_the_first() -> None:
    spec: dict[str, Any] = {"switches": {"a": {}, "b": {}, "c": {"latency": "0ns"}, "d": {}, "e": {}}, "links": [
        {"from": "node[*]", "to": "a"}, {"from": "a", "to": "d", "latency": "10us"}, {"from": "a", "to": "e", "latency": "10us"},
        {"from": "d", "to": "b", "latency": "10us"}, {"from": "e", "to": "b", "latency": "10us"}, {"from": "d", "to": "c", "latency": "0ns"},
        {"from": "c", "to": "b", "latency": "10us"},
    ]}
    assert topology(spec, Endpoint("far", 1e9, 0, "b")).route("node[0]", "far").nodes == ("node[0]", "a", "d", "b", "far")


def test_hosts_do_not_forward_but_may_be_connected_to_each_other() -> None:
    spec = {"switches": ["a", "b"], "links": [
        {"from": "node[0-1]", "to": "a"}, {"from": "node[1-2]", "to": "b"}, {"from": "node[0]", "to": "node[3]", "bandwidth": "40Gbps"}]}
    found = topology(spec)
    assert found.connected("node[0]", "node[1]") and found.connected("node[1]", "node[2]")
    assert not found.connected("node[0]", "node[2]")
    assert found.route("node[0]", "node[3]").nodes == ("node[0]", "node[3]")
    with pytest.raises(ValueError, match=r"no way from node\[0\] to node\[2\]"):
        found.route("node[0]", "node[2]")


@pytest.mark.parametrize(("end", "names"), [
    ("node[1]", ["node[1]"]), ("node[0-2]", ["node[0]", "node[1]", "node[2]"]), ("node[0,2-3]", ["node[0]", "node[2]", "node[3]"]),
    ("node", ["node[0]", "node[1]", "node[2]", "node[3]"]), ("node[*]", ["node[0]", "node[1]", "node[2]", "node[3]"]),
    ("node[3-4]", []), ("node[2-1]", []), ("spine", ["spine"]), ("gpu", []), ("node[", []),
])
def test_ends(end: str, names: list[str]) -> None:
    assert named(end, dict.fromkeys([*(name for name, _ in HOSTS), "spine"], 0)) == names


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_a_way_is_never_longer_than_any_other(data: st.DataObject) -> None:
    """Against the triangle inequality over every switch, on random graphs."""
    n = data.draw(st.integers(1, 6))
    ends = [f"s{i}" for i in range(n)]
    links = [{"from": a, "to": b, "latency": f"{data.draw(st.integers(0, 9))}us"} for a in ends for b in ends if a < b and data.draw(st.booleans())]
    links += [{"from": f"node[{i}]", "to": data.draw(st.sampled_from(ends))} for i in range(4)]
    found = topology({"switches": {name: {"latency": f"{i}us"} for i, name in enumerate(ends)}, "links": links},
                     *(Endpoint(f"at-{name}", 1e9, 0, name) for name in ends))
    for name in ends:
        if all(found.connected(f"node[{i}]", f"at-{name}") for i in (0, 1)):
            legs = [found.route(f"node[{i}]", f"at-{name}").latency_ns for i in (0, 1)]
            assert found.route("node[0]", "node[1]").latency_ns <= sum(legs)
