"""Whether a network connects what it is to connect: names of hosts and switches, and a way between all hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.network import NetworkSpec, named, pairs


def network_mistakes(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Ends that do not exist, switches named as hosts are, hosts that no way connects."""
    network = scenario.network
    if network is None:
        return
    hosts = [host.name for host in scenario.each_host]
    names = dict.fromkeys([*hosts, *network.switches], 0)
    same = [name for name in network.switches if name in set(hosts)]
    unknown = list(_unknown(network, names))
    for name in same:
        yield ("network", "switches", name), f"a host has this name; expected another one, for example {name}-switch"
    yield from unknown
    if not same and not unknown:
        yield from _apart(network, hosts, names)


def _unknown(network: NetworkSpec, names: Mapping[str, int]) -> Iterator[tuple[Path, str]]:
    """Ends that are neither a switch nor hosts."""
    for index, link in enumerate(network.links):
        for key, ends in (("from", link.from_), ("to", link.to)):
            for end in ends:
                if not named(end, names):
                    yield ("network", "links", index, key), f"expected a switch or hosts, {_guess(end, names)}; got {end}"


def _guess(end: str, names: Mapping[str, int]) -> str:
    """The name that was meant, or an example of one."""
    close = get_close_matches(end, names, n=1)
    return f'did you mean "{close[0]}"?' if close else f'for example "{next(iter(names))}"'


def _apart(network: NetworkSpec, hosts: list[str], names: Mapping[str, int]) -> Iterator[tuple[Path, str]]:
    """The first host that another one has no way to; hosts do not forward, so that a way leads over switches, or straight."""
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(names)
    graph.add_edges_from(ends for link in network.links for ends in pairs(link, names))
    over = graph.subgraph(network.switches)
    part = {name: number for number, found in enumerate(nx.connected_components(over)) for name in found}
    met: dict[frozenset[int], str] = {}
    for host in hosts:
        here = frozenset(part[near] for near in graph[host] if near in part)
        for there, other in met.items():
            if not here & there and not graph.has_edge(other, host):
                example = f'for example {{from: "{host}", to: {next(iter(network.switches))}}}'
                yield ("network", "links"), f"no way leads from {other} to {host}; expected links between all hosts, {example}"
                return
        met.setdefault(here, host)
