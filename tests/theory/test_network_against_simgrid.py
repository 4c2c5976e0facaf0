"""Large transfers on random networks against SimGrid's max-min sharing (model CM02 without latency and window).

*Source*: Casanova, Giersch, Legrand, Quinson and Suter, Versatile, scalable, and accurate simulation of distributed applications and
    platforms, JPDC 74(10), 2014.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Generator
from importlib.util import find_spec
from typing import Any

import networkx as nx
import pytest
import simpy

from simvirt.control.transfers import Transfer, Transfers
from simvirt.network import Topology
from simvirt.scenario.spec.network import NetworkSpec

GRAPHS = 200
NO_LATENCY = {"latency": "0ns"}
IN_SIMGRID = """
import json, sys
from simgrid import Comm, Engine, LinkInRoute, this_actor
options = ("model:CM02", "TCP-gamma:0", "crosstraffic:0", "weight-S:0", "latency-factor:1", "bandwidth-factor:1")
engine = Engine(["flows", "--log=root.thres:error", *("--cfg=network/" + option for option in options)])
root, ends, flows = engine.netzone_root.add_netzone_full("all"), [], []
for g, (links, sent) in enumerate(json.load(sys.stdin)):
    zone = root.add_netzone_full(f"zone-{g}")
    made = [zone.add_link(f"link-{g}-{n}", bandwidth).set_latency(0.0).seal() for n, bandwidth in enumerate(links)]
    ends.append([0.0] * len(sent))
    for n, (at, size, path) in enumerate(sent):
        source, to = zone.add_host(f"from-{g}-{n}", 1e9), zone.add_host(f"to-{g}-{n}", 1e9)
        zone.add_route(source, to, [LinkInRoute(made[link]) for link in path], False)
        flows.append((g, n, at, size, source, to))
    zone.seal()
root.seal()
def send(g, n, at, size, source, to):
    this_actor.sleep_until(at)
    Comm.sendto(source, to, size)
    ends[g][n] = Engine.clock
for flow in flows:
    flow[4].add_actor("flow", send, *flow)
engine.run()
print(json.dumps(ends))
"""
"""A program that prints the end of each transfer [s]; an engine can be made but once in a process."""
Sent = tuple[int, str, str, int, float | None]
"""Instant [ns], from where, to where, bytes, cap [bytes/s]."""


def random_network(seed: int) -> tuple[Topology, list[Sent]]:
    """A connected graph of switches with hosts at them, and transfers between random hosts."""
    rng = random.Random(seed)
    hosts, switches = rng.randrange(2, 12), rng.randrange(1, 6)
    edges = list(nx.random_labeled_tree(switches, seed=seed).edges) if switches > 1 else []
    edges += [(a, b) for a in range(switches) for b in range(a) if rng.random() < 0.3 and not {(a, b), (b, a)} & set(edges)]
    links = [{"from": f"s{a}", "to": f"s{b}", "bandwidth": f"{rng.uniform(0.5, 20):.3f}Gbps", "latency": f"{rng.randrange(3)}us"} for a, b in edges]
    links += [{"from": f"h[{n}]", "to": f"s{rng.randrange(switches)}"} | NO_LATENCY for n in range(hosts)]
    spec = NetworkSpec.model_validate({"switches": {f"s{n}": NO_LATENCY for n in range(switches)}, "links": links})
    topology = Topology([(f"h[{n}]", rng.uniform(1, 25) * 1e9) for n in range(hosts)], spec, across_ns=0)
    caps = (None, None, rng.uniform(1e7, 1e9))
    pairs = [rng.sample(range(hosts), 2) for _ in range(rng.randrange(1, 40))]
    return topology, [(rng.randrange(10**9), f"h[{a}]", f"h[{b}]", rng.randrange(10**6, 10**9), rng.choice(caps)) for a, b in pairs]


def ends_of(topology: Topology, sent: list[Sent]) -> list[float]:
    """When the last byte of each transfer has left [s]."""
    env = simpy.Environment(initial_time=0)
    transfers, made = Transfers(env, topology), dict[int, Transfer]()

    def run(n: int) -> Generator[simpy.Event, Any, None]:
        at, source, to, size, cap = sent[n]
        yield env.timeout(at)
        made[n] = transfers.transfer(source, to, size, cap)

    for n in range(len(sent)):
        env.process(run(n))
    env.run()
    return [made[n].ended_at / 1e9 for n in range(len(sent))]


def as_simgrid(topology: Topology, sent: list[Sent]) -> tuple[list[float], list[tuple[float, int, list[int]]]]:
    """Bandwidths [bytes/s], and instant [s], size and links of each transfer; a cap is a link of its own."""
    links = [link.bytes_per_ns * 1e9 for link in topology.links]
    flows = []
    for at, source, to, size, cap in sent:
        own = [len(links)] if cap is not None else []
        links += [] if cap is None else [cap]
        flows.append((at / 1e9, size, [*topology.route(source, to).links, *own]))
    return links, flows


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.skipif(find_spec("simgrid") is None, reason="the package simgrid is not installed")
def test_ends_are_simgrids() -> None:
    """Each transfer lasts as long as there, within a thousandth."""
    networks = [random_network(seed) for seed in range(GRAPHS)]
    asked = json.dumps([as_simgrid(*network) for network in networks])
    answer = subprocess.run([sys.executable, "-c", IN_SIMGRID], input=asked, capture_output=True, text=True, check=True)
    for (topology, sent), theirs in zip(networks, json.loads(answer.stdout), strict=True):
        for (at, *_), ours, other in zip(sent, ends_of(topology, sent), theirs, strict=True):
            assert ours - at / 1e9 == pytest.approx(other - at / 1e9, rel=1e-3)
