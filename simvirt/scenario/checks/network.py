"""Whether a network connects what it is to connect: names of hosts and switches, and a way between all hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.network import NetworkSpec, named, pairs


def network_mistakes(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Ends that do not exist, switches named as hosts are or without links, links that mean nothing, hosts that no way connects."""
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
        wrong = [*_meaningless(network, names), *_unused(network, names)]
        yield from wrong or _apart(network, hosts, names)


def _unknown(network: NetworkSpec, names: Mapping[str, int]) -> Iterator[tuple[Path, str]]:
    """Ends that are neither a switch nor hosts."""
    for index, link in enumerate(network.links):
        for key, ends in (("from", link.from_), ("to", link.to)):
            for end in ends:
                if not named(end, names):
                    yield ("network", "links", index, key), f"expected a switch or hosts, {unknown_end(end, names)}"


def unknown_end(end: str, names: Mapping[str, int]) -> str:
    """What is wrong with an end that is not there: numbers of hosts that a pool has not, or a name, with one that may be meant."""
    pool, bracket, _ = end.partition("[")
    last = sum(name.startswith(f"{pool}[") for name in names) - 1
    if last >= 0 and bracket:
        there = f"{pool}[0]" if last == 0 else f"{pool}[0-{last}]"
        return f'for example "{there}", which is all of {pool}; got {end}'
    pools = [name.partition("[")[0] for name in names]
    close = get_close_matches(pool, pools, n=1)
    meant = f"{close[0]}{end[len(pool):]}" if close else ""
    if not close:
        return f'for example "{next(iter(names))}"; got {end}'
    return f'did you mean "{meant if named(meant, names) else close[0]}"?; got {end}'


def _meaningless(network: NetworkSpec, names: Mapping[str, int]) -> Iterator[tuple[Path, str]]:
    """Links from something to itself, and second links between the same two."""
    met: set[frozenset[str]] = set()
    for index, link in enumerate(network.links):
        ends = [[name for end in side for name in named(end, names)] for side in (link.from_, link.to)]
        path = ("network", "links", index)
        if own := next((name for name in ends[0] if name in set(ends[1])), None):
            yield (*path, "to"), f"a link from {own} to itself; expected ends that differ"
            continue
        for source, to in ((source, to) for source in ends[0] for to in ends[1]):
            if frozenset((source, to)) in met:
                yield path, f"{source} and {to} are linked already; expected one link for several, with the bandwidth of all of them"
                break
            met.add(frozenset((source, to)))


def _unused(network: NetworkSpec, names: Mapping[str, int]) -> Iterator[tuple[Path, str]]:
    """Switches that nothing is linked to."""
    linked = {name for link in network.links for end in (*link.from_, *link.to) for name in named(end, names)}
    for name in network.switches:
        if name not in linked:
            other = next((known for known in network.switches if known != name), next(iter(names)))
            yield ("network", "switches", name), f"nothing is linked to it; expected a link, for example {{from: {name}, to: {other}}}"


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
