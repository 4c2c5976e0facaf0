"""The graph of hosts, switches and what lies outside, and the routes through it.

*Model*: a host sends and receives through its NIC, whose directions have their bandwidth each; links between switches likewise. A packet
    takes the route of the least latency: that of all links and of all switches in between. Without a network of its own all hosts are at
    one switch that nobody waits for, with half of the round trip between two hosts of a data centre as its latency.
*Ignores*: several routes at a time (ECMP), loss, oversubscription inside a switch.
*Source*: Dijkstra, A note on two problems in connexion with graphs, Numerische Mathematik 1, 1959.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simvirt.scenario.spec.network import NetworkSpec, pairs

if TYPE_CHECKING:
    import networkx as nx

OUT, IN = 0, 1
"""Directions of a NIC; rows of a host's links are 2 * host + direction."""
SWITCH: Final = "switch"
"""Name of the only switch where a scenario has no network of its own."""
HOP: Final = 2**20
"""A ns in the lengths of ways, in which each link counts one beside its latency."""


class Endpoint(NamedTuple):
    """What sends and receives: a host with its NIC, a registry.

    `bandwidth` of each direction [bit/s], infinity for none that anybody waits for; `latency_ns` on its way to the switch that it is at,
    `at`, the gateway by default.
    """

    name: str
    bandwidth: float
    latency_ns: int = 0
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One direction of a link: both ends, and what it carries [bytes/ns]."""

    source: str
    to: str
    bytes_per_ns: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way from one end to another: rows of the links that have a bandwidth, all names on it, and its latency [ns]."""

    links: tuple[int, ...]
    nodes: tuple[str, ...]
    latency_ns: int


@dataclass(frozen=True)
class Spots:
    """Places of hosts in the network: `of_host`, and the links between two NICs and the latency for each pair of places."""

    of_host: tuple[int, ...]
    count: int
    links: tuple[tuple[int, ...], ...]
    latency_ns: tuple[int, ...]


class Topology:
    """Hosts, what is outside, switches, and links between them.

    `links` has a row for each direction in which something may wait: first both of each host's NIC, then those of links that have a
    bandwidth, which are `inner` rows, then those of what is outside. `graph` holds all nodes, with their `kind`, and both directions of
    all links, with `latency_ns` and their `row`, None where nobody waits. It is made where several switches or a drawing need it, for its
    import takes longer than many a run.
    """

    def __init__(
        self, hosts: Sequence[tuple[str, float]], spec: NetworkSpec | None = None, *, across_ns: int, outside: Sequence[Endpoint] = (),
    ) -> None:
        """`hosts`: name and bandwidth of the NIC [bit/s] of each; `across_ns`: latency between two hosts where there is no `spec`."""
        self.hosts = {name: row for row, (name, _) in enumerate(hosts)}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._near: dict[str, dict[str, dict[str, Any]]] = {}  # of each node, the links that begin there, by their other ends
        self.links: list[Link] = []
        self._routes: dict[tuple[str, str], Route] = {}
        self._trees: dict[str, tuple[Mapping[str, int], Mapping[str, list[str]]]] = {}
        for host in hosts:
            self._add_endpoint(Endpoint(*host))
        if spec is None:
            self._add_default_switch(across_ns)
        else:
            self._add_network(spec)
        self._fabric = [name for name, node in self._nodes.items() if node["kind"] == "switch"]
        self.gateway = self._middle()
        self.inner = len(self.links)
        self.outside = tuple(endpoint.name for endpoint in outside)
        for endpoint in outside:
            self._add_endpoint(endpoint)
            self._connect(endpoint.name, endpoint.at or self.gateway, endpoint.latency_ns, None)

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """All nodes and links as a graph."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self._nodes.items())
        graph.add_edges_from((source, to, link) for source, near in self._near.items() for to, link in near.items())
        return graph

    # --- construction --------------------------------------------------------------------------------------------------

    def _add_endpoint(self, endpoint: Endpoint) -> None:
        """A host, or what lies outside, with both directions of its NIC."""
        kind = "host" if endpoint.name in self.hosts else "outside"
        self._add_node(endpoint.name, kind=kind, latency_ns=0, nic=self._add_link(endpoint.name, "", endpoint.bandwidth))

    def _add_node(self, name: str, **fields: Any) -> None:
        """A node without links."""
        self._nodes[name], self._near[name] = fields, {}

    def _add_link(self, source: str, to: str, bandwidth: float) -> int:
        """Rows of both directions; the first of them."""
        self.links += [Link(source, to, bandwidth / 8e9), Link(to, source, bandwidth / 8e9)]
        return len(self.links) - 2

    def _add_default_switch(self, across_ns: int) -> None:
        """One switch that all hosts are at."""
        self._add_node(SWITCH, kind="switch", latency_ns=across_ns)
        for host in self.hosts:
            self._connect(host, SWITCH, 0, None)

    def _add_network(self, spec: NetworkSpec) -> None:
        """Switches and links as stated."""
        for name, switch in spec.switches.items():
            self._add_node(name, kind="switch", latency_ns=switch.latency)
        names = dict.fromkeys(self._nodes, 0)
        found = [(*ends, link) for link in spec.links for ends in pairs(link, names)]
        times = Counter(name for source, to, _ in found for name in (source, to))
        for source, to, link in found:
            ends = [name for name in (source, to) if name in self.hosts and times[name] == 1]
            for host in ends if link.bandwidth is not None else ():
                self._narrow(host, link.bandwidth or inf)
            self._connect(source, to, link.latency, None if ends else link.bandwidth)

    def _narrow(self, host: str, bandwidth: float) -> None:
        """A host's NIC is as fast as its only link at most."""
        first = self._nic(host, OUT)
        self.links[first : first + 2] = [
            replace(link, bytes_per_ns=min(link.bytes_per_ns, bandwidth / 8e9)) for link in self.links[first : first + 2]]

    def _connect(self, source: str, to: str, latency_ns: int, bandwidth: float | None) -> None:
        """A link in both directions; where there are two between the same ends, the last one counts."""
        row = None if bandwidth is None else self._add_link(source, to, bandwidth)
        self._near[source][to] = {"latency_ns": latency_ns, "row": row}
        self._near[to][source] = {"latency_ns": latency_ns, "row": None if row is None else row + 1}

    def _middle(self) -> str:
        """The switch whose farthest host is nearest, of equals that with the least latency in all, then the first."""
        return min(self._fabric, key=self._remoteness)

    def _remoteness(self, switch: str) -> tuple[float, float]:
        """The longest latency from a switch to a host, and all of them together; infinite where there is no way."""
        far, found = self._ways_from(switch)[0], [0.0]
        for host in self.hosts:
            found.append(min((far[last] // HOP for last in self._at(host) if last in far), default=inf))
        return max(found), sum(found)

    # --- places of hosts -----------------------------------------------------------------------------------------------

    def spots(self) -> Spots:
        """Hosts with the same links to the same switches are at one place; a way is the same for all pairs of hosts of two places.

        Where there is no way its latency is -1.
        """
        keys = [self._spot(host) for host in self.hosts]
        first = {key: host for host, key in reversed(list(zip(self.hosts, keys, strict=True)))}
        number = {key: row for row, key in enumerate(dict.fromkeys(keys))}
        second = {key: host for host, key in zip(self.hosts, keys, strict=True)}
        ways = [self._between(first[a], second[b]) for a in number for b in number]
        return Spots(tuple(number[key] for key in keys), len(number), tuple(way[0] for way in ways), tuple(way[1] for way in ways))

    def _spot(self, host: str) -> object:
        """What tells the place of a host from those of others: its switches, or itself where it has a link of its own."""
        near = self._near[host]
        own = any(edge["row"] is not None or self._nodes[name]["kind"] != "switch" for name, edge in near.items())
        return host if own else frozenset((name, edge["latency_ns"]) for name, edge in near.items())

    def _between(self, source: str, to: str) -> tuple[tuple[int, ...], int]:
        """The links between two NICs, and the latency."""
        if not self.connected(source, to):
            return (), -1
        route, nics = self.route(source, to), {self._nic(source, OUT), self._nic(to, IN)}
        return tuple(row for row in route.links if row not in nics), route.latency_ns

    # --- routes --------------------------------------------------------------------------------------------------------

    def route(self, source: str, to: str) -> Route:
        """The way of the least latency; of equals that over the fewest links, then the one that was written first.

        Inside a host it leads over nothing. ValueError where there is no way; hosts do not forward.
        """
        key = (source, to)
        if key not in self._routes:
            self._routes[key] = Route((), (source,), 0) if source == to else self._way(source, to)
        return self._routes[key]

    def connected(self, source: str, to: str) -> bool:
        """Whether there is a way."""
        return source == to or bool(self._candidates(source, to))

    def _way(self, source: str, to: str) -> Route:
        """The best of all ways between two ends."""
        found = self._candidates(source, to)
        if not found:
            raise ValueError(f"there is no way from {source} to {to}")
        far, nodes = min(found, key=lambda way: way[0])
        rows = [self._nic(source, OUT), *(self._near[a][b]["row"] for a, b in pairwise(nodes)), self._nic(to, IN)]
        return Route(tuple(row for row in rows if row is not None and self.links[row].bytes_per_ns < inf), tuple(nodes), far // HOP)

    def _candidates(self, source: str, to: str) -> list[tuple[int, list[str]]]:
        """The ways over each pair of switches that the two ends are at, and the direct one, with what they take."""
        found = [(self._step(source, to), [source, to])] if to in self._near[source] else []
        for first in self._at(source):
            far, ways = self._ways_from(first)
            for last in self._at(to):
                if last in far:
                    found.append((self._step(source, first) + far[last] + self._step(last, to), [source, *ways[last], to]))
        return found

    def _ways_from(self, switch: str) -> tuple[Mapping[str, int], Mapping[str, list[str]]]:
        """What it takes from one switch to each that it reaches, and over which ones."""
        if switch not in self._trees:
            self._trees[switch] = ({switch: 0}, {switch: [switch]}) if len(self._fabric) == 1 else self._shortest_from(switch)
        return self._trees[switch]

    def _shortest_from(self, switch: str) -> tuple[Mapping[str, int], Mapping[str, list[str]]]:
        """The same among several switches."""
        import networkx as nx

        far: dict[str, int]
        ways: dict[str, list[str]]
        fabric = self.graph.subgraph(self._fabric)
        far, ways = nx.single_source_dijkstra(fabric, switch, weight=lambda a, b, _: self._step(a, b))  # type: ignore[assignment]
        return far, ways

    def _at(self, name: str) -> list[str]:
        """The switches that an endpoint is at."""
        return [near for near in self._near[name] if self._nodes[near]["kind"] == "switch"]

    def _step(self, source: str, to: str) -> int:
        """What a link takes with the node behind it: its latency, and for ties that it is one more."""
        return HOP * int(self._near[source][to]["latency_ns"] + self._nodes[to]["latency_ns"]) + 1

    def _nic(self, name: str, direction: int) -> int:
        """Row of a direction of an endpoint's NIC."""
        return int(self._nodes[name]["nic"]) + direction
