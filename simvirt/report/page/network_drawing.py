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
"""Hosts at the same switches that are drawn one by one."""


@dataclass(frozen=True, slots=True)
class Node:
    """A switch, or hosts at the same switches: its name or theirs, how far from the hosts it is, and what is written in it."""

    name: str
    row: int
    lines: tuple[str, ...]


def of(document: Document) -> Iterator[Drawing]:
    """The network of each platform of a run whose scenario states one."""
    content = getattr(getattr(document, "scenario", None), "content", None) or {}
    if not isinstance(document, RunDocument) or not content.get("network"):
        return
    spec = NetworkSpec.model_validate(content["network"])
    for name, platform in document.platforms.items():
        if platform.layout:
            yield network(name, spec, platform)


def network(name: str, spec: NetworkSpec, platform: PlatformResult) -> Drawing:
    """Switches above the hosts at them; a link says how full its fuller direction is, hosts how full their fullest NIC is."""
    hosts = [host.name or "host" for host in platform.layout]
    edges = edges_of(spec, hosts)
    nodes = [*_switches(spec, hosts, edges), *_hosts(hosts, edges, platform)]
    place = _places(nodes)
    lines = [_line(place[a], place[b], _use(platform, a, b)) for a, b in _drawn(edges, nodes)]
    boxes = [box(x, y, BOX, TALL, node.lines, "vm" if node.row else "box") for node, (x, y) in ((n, place[n.name]) for n in nodes)]
    width, height = (max(at[axis] for at in place.values()) + size for axis, size in ((0, BOX + 2), (1, TALL + 4)))
    rows = [(a, b, _use(platform, a, b) or "nobody waits") for a, b in edges]
    said = "; ".join(f"{' '.join(node.lines)}" for node in nodes)
    return Drawing(
        f"{name}: the network", f"On {name}, {len(spec.switches)} switches and {len(hosts)} hosts: {said}.",
        svg(width, height, [*lines, *boxes]), ("from", "to", "use of the fuller direction"), tuple(rows))


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
    for found in at.values():
        groups = [[host] for host in found] if len(found) <= FEW else [found]
        for group in groups:
            title = group[0] if len(group) == 1 else f"{len(group)} hosts from {group[0]}"
            used = [platform.hosts[host].nic or 0.0 for host in group if host in platform.hosts]
            yield Node(group[0], 0, (title, f"NIC {figures.percent(max(used))}" if used else "host"))


def _drawn(edges: Mapping[tuple[str, str], None], nodes: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """The links between what is drawn."""
    shown = {node.name for node in nodes}
    return ((a, b) for a, b in edges if a in shown and b in shown)


def _use(platform: PlatformResult, a: str, b: str) -> str:
    """How full the fuller direction of a link is, nothing where nobody waits for it."""
    used = [platform.links[key] for key in (f"{a} > {b}", f"{b} > {a}") if key in platform.links]
    return figures.percent(max(used)) if used else ""


def _places(nodes: Sequence[Node]) -> dict[str, tuple[float, float]]:
    """Left upper corners: hosts at the bottom, a row of switches for each distance from them, each row in the middle."""
    rows = [[node for node in nodes if node.row == row] for row in range(max(node.row for node in nodes), -1, -1)]
    widest, found = max(len(row) for row in rows), dict[str, tuple[float, float]]()
    for number, row in enumerate(rows):
        left = (widest - len(row)) * (BOX + APART) / 2
        found |= {node.name: (left + place * (BOX + APART), 4.0 + number * (TALL + GAP)) for place, node in enumerate(row)}
    return found


def _line(a: tuple[float, float], b: tuple[float, float], label: str) -> str:
    """A link from the middle of one box to that of another, which lie above it, with how full it is."""
    (xa, ya), (xb, yb) = ((x + BOX / 2, y + TALL / 2) for x, y in (a, b))
    words = f'<text class="small" x="{(xa + xb) / 2 + 6:g}" y="{(ya + yb) / 2 + 4:g}">{escape(label)}</text>' if label else ""
    return f'<path class="edge" d="M{xa:g},{ya:g}L{xb:g},{yb:g}"/>{words}'
