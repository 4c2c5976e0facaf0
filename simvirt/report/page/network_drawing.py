"""The network of a scenario as SVG: switches, hosts that are alike, and links with what they carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from simvirt.report.page.drawings import BOX, Drawing, box, svg
from simvirt.result import figures
from simvirt.result.document import Document
from simvirt.result.run_document import PlatformResult, RunDocument
from simvirt.scenario.spec.network import NetworkSpec, pairs

APART, TALL, GAP = 40, 50, 84
"""Room between boxes side by side, height of a box, room between rows [px]."""
FEW: Final = 6
"""Hosts at the same switches that are drawn one by one, and links that a sentence speaks of."""
THIN, THICK, FULL = 1.5, 9.0, 0.8
"""Width of a link that carries nothing, and of one that is full [px]; utilisation from which it is drawn as full."""
SWITCH: Final = "switch"
"""Name of the only switch where no scenario names one."""


@dataclass(frozen=True, slots=True)
class Node:
    """A switch, or hosts at the same switches: its name or theirs, how far from the hosts it is, and what is written in it."""

    name: str
    row: int
    lines: tuple[str, ...]


def of(document: Document) -> Iterator[Drawing]:
    """The network of each platform of a run whose scenario states one, or has several hosts, which then are at one switch."""
    if not isinstance(document, RunDocument):
        return
    stated = (getattr(document.scenario, "content", None) or {}).get("network")
    for name, platform in document.platforms.items():
        if platform.layout and (stated or len(platform.layout) > 1):
            yield network(name, NetworkSpec.model_validate(stated) if stated else _one_switch(platform), platform)


def _one_switch(platform: PlatformResult) -> NetworkSpec:
    """The network of hosts of which no scenario says how they are connected."""
    links = [{"from": [host.name for host in platform.layout], "to": SWITCH}]
    return NetworkSpec.model_validate({"switches": [SWITCH], "links": links})


def network(name: str, spec: NetworkSpec, platform: PlatformResult) -> Drawing:
    """Switches above the hosts at them; a link says how full its fuller direction is, hosts how full their fullest NIC is."""
    hosts = [host.name or "host" for host in platform.layout]
    edges = edges_of(spec, hosts)
    nodes = [*_switches(spec, hosts, edges), *_hosts(hosts, edges, platform)]
    place = _places(nodes)
    own = {node.name for node in nodes if not node.row}
    lines = [_line(place[a], place[b], _use(platform, a, b), not own & {a, b}) for a, b in _drawn(edges, nodes)]
    boxes = [box(x, y, BOX, TALL, node.lines, "vm" if node.row else "box") for node, (x, y) in ((n, place[n.name]) for n in nodes)]
    width, height = (max(at[axis] for at in place.values()) + size for axis, size in ((0, BOX + 2), (1, TALL + 4)))
    rows = [(a, b, _said(_use(platform, a, b)) or "nobody waits") for a, b in edges]
    return Drawing(
        f"{name}: the network", " ".join(filter(None, (_counted(name, spec, hosts), _links(platform, edges), _nics(platform)))),
        svg(width, height, [*lines, *boxes]), ("from", "to", "use of the fuller direction"), tuple(rows))


def _counted(name: str, spec: NetworkSpec, hosts: Sequence[str]) -> str:
    """`On docker, 3 switches and 8 hosts.`"""
    counts = [f"{count} {what}{'es' if what == 'switch' and count > 1 else 's' if count > 1 else ''}"
              for count, what in ((len(spec.switches), "switch"), (len(hosts), "host"))]
    return f"On {name}, {' and '.join(counts)}."


def _links(platform: PlatformResult, edges: Mapping[tuple[str, str], None]) -> str:
    """How full links between switches are, the fullest first."""
    used = {pair: use for pair in edges if any(f"{a} > {b}" in platform.links for a, b in (pair, pair[::-1]))
            and (use := _use(platform, *pair)) is not None}
    fullest = sorted(used, key=lambda pair: -used[pair])[:FEW]
    said = ", ".join(f"{a} to {b} {figures.percent(used[a, b])}" for a, b in fullest)
    return f"Of links the fuller direction: {said}{', the others less' if len(used) > FEW else ''}." if used else ""


def _nics(platform: PlatformResult) -> str:
    """How full the fullest NIC is."""
    used = {name: host.nic or 0.0 for name, host in platform.hosts.items()}
    name = max(used, key=lambda one: used[one], default=None)
    return "" if name is None else f"The fullest NIC is that of {name}, {figures.percent(used[name])}."


def _said(use: float | None) -> str:
    return "" if use is None else figures.percent(use)


def edges_of(spec: NetworkSpec, hosts: Sequence[str]) -> dict[tuple[str, str], None]:
    """Both ends of each link, as written."""
    names = dict.fromkeys([*hosts, *spec.switches], 0)
    return dict.fromkeys(ends for link in spec.links for ends in pairs(link, names))


def _switches(spec: NetworkSpec, hosts: Sequence[str], edges: Mapping[tuple[str, str], None]) -> Iterator[Node]:
    """Switches, each as far above the hosts as the fewest links to one are many; one that none leads to on top."""
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph(list(edges))
    far = nx.multi_source_dijkstra_path_length(graph, set(hosts) & set(graph)) if set(hosts) & set(graph) else {}
    top = max((int(far[name]) for name in spec.switches if name in far), default=1)
    for name in spec.switches:
        yield Node(name, int(far.get(name, top)), (name, "switch"))


def _hosts(hosts: Sequence[str], edges: Mapping[tuple[str, str], None], platform: PlatformResult) -> Iterator[Node]:
    """Hosts: each, or those at the same switches together where they are many."""
    at: dict[frozenset[str], list[str]] = {}
    for host in hosts:
        at.setdefault(frozenset(b if a == host else a for a, b in edges if host in (a, b)), []).append(host)
    rank = {name: place for place, name in enumerate(dict.fromkeys(end for pair in edges for end in pair if end not in hosts))}
    for _, found in sorted(at.items(), key=lambda item: min((rank.get(name, 0) for name in item[0]), default=0)):
        groups = [[host] for host in found] if len(found) <= FEW else [found]
        for group in groups:
            title = group[0] if len(group) == 1 else f"{len(group)} hosts from {group[0]}"
            used = [platform.hosts[host].nic or 0.0 for host in group if host in platform.hosts]
            yield Node(group[0], 0, (title, f"NIC {figures.percent(max(used))}" if used else "host"))


def _drawn(edges: Mapping[tuple[str, str], None], nodes: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """The links between what is drawn."""
    shown = {node.name for node in nodes}
    return ((a, b) for a, b in edges if a in shown and b in shown)


def _use(platform: PlatformResult, a: str, b: str) -> float | None:
    """How full the fuller direction of a link is, that of a host's NIC at one of its ends; None where nobody waits for it."""
    used = [platform.links[key] for key in (f"{a} > {b}", f"{b} > {a}") if key in platform.links]
    used += [platform.hosts[end].nic or 0.0 for end in (a, b) if end in platform.hosts]
    return max(used) if used else None


def _places(nodes: Sequence[Node]) -> dict[str, tuple[float, float]]:
    """Left upper corners: hosts at the bottom, a row of switches for each distance from them, each row in the middle."""
    rows = [[node for node in nodes if node.row == row] for row in range(max(node.row for node in nodes), -1, -1)]
    widest, found = max(len(row) for row in rows), dict[str, tuple[float, float]]()
    for number, row in enumerate(rows):
        left = (widest - len(row)) * (BOX + APART) / 2
        found |= {node.name: (left + place * (BOX + APART), 4.0 + number * (TALL + GAP)) for place, node in enumerate(row)}
    return found


def _line(a: tuple[float, float], b: tuple[float, float], use: float | None, told: bool) -> str:
    """A link from the middle of one box to that of another, which lie above it, the wider the fuller it is; it is told how full that is."""
    (xa, ya), (xb, yb) = ((x + BOX / 2, y + TALL / 2) for x, y in (a, b))
    full = "" if use is None else f' style="stroke-width:{THIN + (THICK - THIN) * min(use, 1.0):.3g}"'
    kind = "edge full" if use is not None and use >= FULL else "edge"
    at = f'x="{(xa + xb) / 2 + 6:g}" y="{(ya + yb) / 2 + 4:g}"'
    words = f'<text class="small" {at}>{escape(_said(use))}</text>' if use is not None and told else ""
    return f'<path class="{kind}" d="M{xa:g},{ya:g}L{xb:g},{yb:g}"{full}/>{words}'
