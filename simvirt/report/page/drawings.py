"""Drawings as SVG: which service calls which, and what stands where on the hosts of each platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from simvirt.result import figures
from simvirt.result.document import Document
from simvirt.result.run_document import HostLayout, PlatformResult, RunDocument

BOX, TALL, GAP, LINE = 168, 50, 96, 18
"""Size of a box, distance of boxes, height of a line [px]."""
LETTERS: Final = 21
"""Letters along a box."""
MOST_KINDS: Final = 8
"""Hosts that differ in what they carry and are drawn."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as SVG with what it shows in words, and as rows."""

    title: str
    description: str
    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def of(document: Document) -> Iterator[Drawing]:
    """The drawings of a document: its services, and the hosts of each platform of a run."""
    content = getattr(getattr(document, "scenario", None), "content", None)
    if content:
        yield calls(content)
    if isinstance(document, RunDocument):
        for name, platform in document.platforms.items():
            if platform.layout:
                yield hosts(name, platform)


# -- services -------------------------------------------------------------------------------------------------------------------


def calls(content: Mapping[str, Any]) -> Drawing:
    """The services of a scenario, from those that requests enter at to those that only others call."""
    import networkx as nx

    edges = dict(_edges(content))
    services, entered = content.get("services", {}), _entered(content)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(services)
    graph.add_edges_from(edge for edge in edges if edge[0] != edge[1])
    layer = _layers(graph)
    nx.set_node_attributes(graph, layer, "layer")
    places = nx.multipartite_layout(graph, subset_key="layer", align="horizontal") if len(graph) else {}
    at = _places(layer, {name: float(place[0]) for name, place in places.items()})
    said = [f"{a} calls {b}" for a, b in edges] or ["No service calls another"]
    rows = [(a, b, f"{count:g}") for (a, b), count in edges.items()]
    return Drawing(
        "Services and their calls", f"{'; '.join(said)}. Requests enter at {', '.join(entered) or 'none'}.",
        _graph(services, entered, edges, at), ("from", "to", "calls of one execution of all its operations"), tuple(rows))


def _edges(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], float]]:
    """Which service calls which, and how often one execution of each of its operations does on average, added up."""
    found: dict[tuple[str, str], float] = {}
    for name, service in content.get("services", {}).items():
        for target, often in _calls(service.get("operations", {}), 1.0, content.get("topics") or {}):
            edge = name, target.partition(".")[0]
            found[edge] = found.get(edge, 0.0) + often
    yield from found.items()


def _calls(value: Any, often: float, topics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The calls in steps, however deep they are, with how often they are made; messages call all that subscribe to their topic."""
    if isinstance(value, Mapping):
        times = value.get("times", 1)
        often *= (times if isinstance(times, int | float) else 1.0) * float(value.get("probability", 1.0))
        if isinstance(value.get("call"), str):
            yield value["call"], often
        if isinstance(value.get("publish"), str):
            yield from ((name, often) for name in topics.get(value["publish"], {}).get("subscribers", ()))
        for inner in value.values():
            yield from _calls(inner, often, topics)
    elif isinstance(value, list):
        for inner in value:
            yield from _calls(inner, often, topics)


def _entered(content: Mapping[str, Any]) -> list[str]:
    """The services that requests enter at."""
    loads = [content.get("workload") or {}, *(content.get("workloads") or {}).values()]
    mixed = [entry.partition(".")[0] for load in loads for entry in load.get("mix", {})]
    if not mixed and any(loads):
        mixed = [name for name, service in content.get("services", {}).items() if service.get("operations")][:1]
    return list(dict.fromkeys(mixed))


def _layers(graph: Any) -> dict[str, int]:
    """How far from an entry each service is at most; those that call each other stand side by side."""
    import networkx as nx

    whole = nx.condensation(graph)
    generations = enumerate(nx.topological_generations(whole))
    return {name: depth for depth, groups in generations for group in groups for name in whole.nodes[group]["members"]}


def _places(layer: Mapping[str, int], across: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Left upper corners of boxes: a row a layer, each in the order of the layout."""
    found: dict[str, tuple[float, float]] = {}
    depths = range(max(layer.values(), default=0) + 1)
    rows = [sorted((name for name in layer if layer[name] == depth), key=lambda name: across[name]) for depth in depths]
    widest = max((len(row) for row in rows), default=0)
    for depth, row in enumerate(rows):
        left = (widest - len(row)) * (BOX + 24) / 2
        for number, name in enumerate(row):
            found[name] = left + number * (BOX + 24), depth * GAP + 34
    return found


def _graph(
    services: Mapping[str, Any], entered: list[str], edges: Mapping[tuple[str, str], float], at: Mapping[str, tuple[float, float]],
) -> str:
    """Boxes and arrows."""
    width = max((x for x, _ in at.values()), default=0) + BOX + 2
    height = max((y for _, y in at.values()), default=0) + TALL + 4
    parts = [_arrow(at[a], at[b], f"{count:g} x") for (a, b), count in edges.items() if a != b]
    for name, (x, y) in at.items():
        replicas = services[name].get("deploy", {}).get("replicas", 1)
        itself = f", calls itself {edges[name, name]:g} x" if (name, name) in edges else ""
        parts.append(box(x, y, BOX, TALL, (name, f"{replicas} x {services[name].get('image', 'replica')}{itself}")))
        if name in entered:
            middle = x + BOX / 2
            parts.append(f'<path class="edge" d="M{middle:g},{y - 30:g}v26"/><path class="tip" d="M{middle - 5:g},{y - 8:g}l5,8l5,-8z"/>')
    return svg(width, height, parts)


def _arrow(a: tuple[float, float], b: tuple[float, float], label: str) -> str:
    """An arrow from one box down to another, or up at the side of those that call back."""
    (xa, ya), (xb, yb) = (a[0] + BOX / 2, a[1] + TALL), (b[0] + BOX / 2, b[1])
    if yb <= ya:
        (xa, ya), (xb, yb) = (a[0] + BOX / 2 + 20, a[1]), (b[0] + BOX / 2 + 20, b[1] + TALL)
    down = 1 if yb > ya else -1
    middle = (ya + yb) / 2
    curve = f"M{xa:g},{ya:g}C{xa:g},{middle:g} {xb:g},{middle:g} {xb:g},{yb - 8 * down:g}"
    tip = f"M{xb - 5:g},{yb - 8 * down:g}L{xb:g},{yb:g}L{xb + 5:g},{yb - 8 * down:g}z"
    return (f'<path class="edge" d="{curve}"/><path class="tip" d="{tip}"/>'
            f'<text class="small" x="{(xa + xb) / 2 + 6:g}" y="{middle + 4:g}">{escape(label)}</text>')


# -- hosts ----------------------------------------------------------------------------------------------------------------------


def hosts(platform: str, found: PlatformResult) -> Drawing:
    """The hosts of a platform with their VMs and replicas, those that carry the same as one; what is not drawn is in the table."""
    kinds = list(_kinds(found.layout))
    frames = [_frame(alike, found) for alike in kinds[:MOST_KINDS]]
    width, parts, y = 3 * (BOX + 8) + 24, list[str](), 0.0
    for picture, tall in frames:
        parts.append(f'<g transform="translate(0,{y:g})">{picture}</g>')
        y += tall + 14
    if len(kinds) > MOST_KINDS:
        rest = sum(map(len, kinds[MOST_KINDS:]))
        parts.append(f'<text class="small" x="2" y="{y + 10:g}">and {rest} hosts that carry other things, in the table</text>')
        y += 24
    table = [(_place(one, number), ", ".join(lines)) for one in found.layout for number, (lines, _) in enumerate(_insides(one), 1)]
    said = "; ".join(_said(alike) for alike in kinds[:MOST_KINDS])
    return Drawing(
        f"{platform}: what stands where", f"On {platform}, {said}.", svg(width, y, parts), ("place", "what"), tuple(table))


def _kinds(layout: tuple[HostLayout, ...]) -> Iterator[list[HostLayout]]:
    """Hosts that are alike and carry the same, in the order in which such first come."""
    found: dict[str, list[HostLayout]] = {}
    for host in layout:
        found.setdefault(repr((_size(host), host.model, host.memory_bytes, host.replicas, host.vms)), []).append(host)
    return iter(found.values())


def _size(host: HostLayout) -> str:
    return f"{host.sockets} x {host.cores} cores" + (f" x {host.smt} threads" if host.smt > 1 else "")


def _head(alike: list[HostLayout]) -> str:
    """What hosts are called: their model, of several hosts their names and zones."""
    names = [f"{host.name}{f' in {host.zone}' if host.zone else ''}" for host in alike]
    if not alike[0].name:
        return alike[0].model
    return names[0] if len(names) == 1 else f"{len(names)} hosts: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"


def _said(alike: list[HostLayout]) -> str:
    """What hosts hold, in words."""
    carried = "; ".join(" ".join(lines) for lines, _ in _insides(alike[0])) or "nothing"
    return f"{_head(alike)} ({_size(alike[0])}) {'hold' if len(alike) > 1 else 'holds'} {carried}{' each' if len(alike) > 1 else ''}"


def _frame(alike: list[HostLayout], found: PlatformResult) -> tuple[str, float]:
    """A frame with what hosts carry, and its height."""
    host, boxes, width = alike[0], list(_insides(alike[0])), 3 * (BOX + 8) + 24
    about = f"{f'{host.model}, ' if host.name else ''}{_size(host)}, {figures.size(host.memory_bytes)}{_use(alike, found)}"
    parts, y = list[str](), 56.0
    for row in (boxes[i:i + 3] for i in range(0, len(boxes), 3)):
        tall = max(len(lines) for lines, _ in row) * LINE + 16
        parts += [box(16 + number * (BOX + 8), y, BOX, tall, lines, kind) for number, (lines, kind) in enumerate(row)]
        y += tall + 8
    words = (f'<text class="strong" x="16" y="24">{escape(_head(alike))}</text>'
             f'<text class="small" x="16" y="43">{escape(about)}</text>')
    frame = f'<rect class="frame" x="1" y="1" width="{width - 2}" height="{y + 6:g}" rx="8"/>'
    return "".join([frame, words, *parts]), y + 8


def _use(alike: list[HostLayout], found: PlatformResult) -> str:
    """How full hosts are, of several hosts: their CPUs and memory, from the emptiest to the fullest."""
    used = [found.hosts[host.name] for host in alike if host.name in found.hosts]
    if not used:
        return ""
    spans = {"CPU": [one.cpu or 0.0 for one in used], "memory": [one.memory or 0.0 for one in used]}
    return "".join(f", {name} {_between(values)}" for name, values in spans.items())


def _between(values: list[float]) -> str:
    """`12 %`, or `12 % to 18 %`."""
    low, high = figures.percent(min(values)), figures.percent(max(values))
    return high if low == high else f"{low} to {high}"


def _place(host: HostLayout, number: int) -> str:
    """A place in a table: a number, with several hosts after the name and the zone of its host."""
    zone = f" in {host.zone}" if host.zone else ""
    return f"{host.name}{zone}, {number}" if host.name else str(number)


def _insides(host: HostLayout) -> Iterator[tuple[tuple[str, ...], str]]:
    """The boxes in a host: VMs that are alike with what is in them, then replicas on the host itself; and what they are."""
    for vm in host.vms:
        inside = tuple(f"{count} x {name}" for name, count in vm.replicas.items())
        yield ((f"{vm.count} VM{'s' if vm.count > 1 else ''} of {vm.vcpus} vCPU{'s' if vm.vcpus > 1 else ''}", *inside), "vm")
    for name, count in host.replicas.items():
        yield (f"{count} x {name}",), "box"


def box(x: float, y: float, width: float, height: float, lines: tuple[str, ...], kind: str = "box") -> str:
    """A box with lines of text, the first of them strong."""
    words = "".join(
        f'<text class="{"small" if number else "strong"}" x="{x + 10:g}" y="{y + 20 + LINE * number:g}">{escape(_cut(line))}</text>'
        for number, line in enumerate(lines))
    return f'<rect class="{kind}" x="{x + 1:g}" y="{y:g}" width="{width - 2:g}" height="{height:g}" rx="6"/>{words}'


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS + 3 else f"{text[:LETTERS]}…"


def svg(width: float, height: float, parts: list[str]) -> str:
    """A picture of a size, made of parts; its description is read out elsewhere."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f'<svg class="drawn" {size} aria-hidden="true">{"".join(parts)}</svg>'
