"""Cases: the network between hosts."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Final

from helpers.field_bases import BARE
from helpers.fields import ABSENT, FALLS, RISES, Case, patched

MEAN: Final = "latency_s/mean"
NETWORK: Final = "breakdown_s/network"
APART: Final = patched(BARE, {
    "host": ABSENT, "hosts": {"node": {"count": 2, "cores": 2, "memory": "16GiB", "nic": "10Gbps"}},
    "services": {
        "server": {"threads": "unlimited", "operations": {"job": [{"cpu": "1ms"}, {"call": "db.query"}]}},
        "db": {"threads": "unlimited", "scale": 2, "operations": {"query": [{"cpu": "1ms"}]}},
    },
    "network": {"switches": {"a": {}, "b": {}}, "links": [
        {"from": "node[0]", "to": "a"}, {"from": "node[1]", "to": "b"}, {"from": "a", "to": "b", "latency": "10us", "bandwidth": "1Gbps"}]},
})
"""A service that calls another one, half of which is on another host, over two switches."""
LINK: Final = "network/links/2"
TREE: Final = patched(APART, {"network/switches/c": {"latency": "1ms"}, "network/links": [*APART["network"]["links"], {"from": "b", "to": "c"}]})
CASES: Final = (
    Case("Scenario.network", patched(APART, {"network": ABSENT}), {}, {"network": {"switches": {"far": {"latency": "5ms"}}, "links": [{"from": "node[*]", "to": "far"}]}}, NETWORK, RISES),
    Case("NetworkSpec.switches", APART, {}, {"network/switches/a": {"latency": "5ms"}}, NETWORK, RISES),
    Case("NetworkSpec.links", APART, {}, {"network/links": [{"from": "node[0-1]", "to": "a"}, {"from": "a", "to": "b"}]}, NETWORK, FALLS),
    Case("SwitchSpec.latency", APART, {}, {"network/switches/b": {"latency": "5ms"}}, MEAN, RISES),
    Case("LinkSpec.from", TREE, {}, {"network/links": [{"from": "node[1]", "to": "b"}, {"from": ["node[0]", "b"], "to": "c"}, {"from": "a", "to": "b"}]}, NETWORK, RISES),
    Case("LinkSpec.to", TREE, {}, {"network/links": [{"from": ["node[0-1]", "a", "b"], "to": "c"}]}, NETWORK, RISES),
    Case("LinkSpec.latency", APART, {}, {f"{LINK}/latency": "3ms"}, NETWORK, RISES),
    Case("LinkSpec.bandwidth", APART, {}, {f"{LINK}/bandwidth": "1Mbps"}, NETWORK, RISES),
)
