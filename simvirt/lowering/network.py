"""The network of a scenario's hosts as tables: its links, and the ways between hosts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry
from simvirt.catalog.resolve import economy
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.network.topology import Endpoint, Topology
from simvirt.scenario.spec.network import NetworkSpec

SITE: Final = "average"
"""The site whose round trip between two hosts is that of hosts without a network of their own."""
DIRECTIONS: Final = 2
"""Rows of a NIC, OUT and IN."""


def topology_of(
    names: Sequence[str], hosts: Sequence[HostEntry], catalog: Catalog, spec: NetworkSpec | None, outside: Sequence[Endpoint] = (),
) -> Topology:
    """The network between hosts of the given names, and to what is outside."""
    nics = [(name, float(host.nic.bandwidth)) for name, host in zip(names, hosts, strict=True)]
    return Topology(nics, spec, across_ns=round(economy.site(catalog, SITE).round_trip / 2), outside=outside)


def link_table(topology: Topology, frames: int) -> Columns:
    """Each direction of each link that has a bandwidth, with room in their heaps for as many frames on the longest way."""
    rows, width = len(topology.links), math.ceil(frames / k.HEAP_PAGE)
    pages = rows + width * longest_way(topology)
    room = pages * k.HEAP_PAGE
    lengths = {"tags": room, "frames": room, "page": rows * width, "width": 1, "free_page": pages, "free_pages": 1}
    return fill(
        blank(t.Links, rows=rows, **lengths),
        bytes_per_ns=[link.bytes_per_ns for link in topology.links], width=[width], free_page=np.arange(pages), free_pages=[pages],
    )


def longest_way(topology: Topology) -> int:
    """Links of the longest way between two hosts; one of a host alone, whose transfers leave it."""
    return 1 if len(topology.hosts) < 2 else DIRECTIONS + max((len(way) for way in topology.spots().links), default=0)


def route_table(topology: Topology) -> Columns:
    """The ways between all pairs of places; nothing for one host."""
    if len(topology.hosts) < 2:
        return fill(blank(t.Routes, rows=1), hosts=[len(topology.hosts)])
    found = topology.spots()
    rows = [row for way in found.links for row in way]
    first = list(accumulate((len(way) for way in found.links), initial=0))
    return fill(
        blank(t.Routes, rows=1, first=len(first), links=max(len(rows), 1), latency=len(found.latency_ns)),
        hosts=[len(topology.hosts)], spots=[found.count], first=first, links=rows or [0], latency=found.latency_ns,
    )


def widen_links(links: dict[str, Any], old: int, new: int) -> None:
    """Give the heaps of all links room for more frames."""
    rows, width, wider = len(links["transfers"]), math.ceil(old / k.HEAP_PAGE), math.ceil(new / k.HEAP_PAGE)
    pages, free = len(links["free_page"]), int(links["free_pages"][0])
    more = (pages - rows) // width * (wider - width)
    page = np.zeros((rows, wider), dtype=np.int64)
    page[:, :width] = np.asarray(links["page"]).reshape(rows, width)
    fresh = np.arange(pages, pages + more)
    _write(links, "page", page.ravel())
    _write(links, "free_page", np.concatenate([links["free_page"][:free], fresh, np.zeros(pages - free)]).astype(np.int64))
    for name in ("tags", "frames"):
        column = np.asarray(links[name])
        _write(links, name, np.concatenate([column, np.zeros(more * k.HEAP_PAGE, dtype=column.dtype)]))
    links["width"][0], links["free_pages"][0] = wider, free + more


def _write(links: dict[str, Any], name: str, column: np.ndarray) -> None:
    """Another column, as the kernel in use wants it."""
    links[name] = column.tolist() if isinstance(links[name], list) else column
