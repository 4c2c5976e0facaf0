"""Images and their layers, and the graph in which images share them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: what names it, the bytes that move, the bytes and files that it has once it is unpacked."""

    digest: str
    size: int
    unpacked: int
    files: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """A container image: its layers from the base to the top. `touched` are the bytes that are read until its application works."""

    name: str
    layers: tuple[Layer, ...]
    touched: int = 0

    @property
    def size(self) -> int:
        """Bytes that move where nothing of it is there."""
        return sum(layer.size for layer in self.layers)

    @property
    def unpacked(self) -> int:
        """Bytes of its files."""
        return sum(layer.unpacked for layer in self.layers)


@dataclass(frozen=True, slots=True)
class DiskImage:
    """A guest's disk image: format, size that the guest sees, bytes that it has, and how a VM's own comes from it.

    A VM has a copy of it (`full`) or a file over it (`linked`), which has `own` bytes at first. `shared`: it lies on storage that all
    hosts reach, and does not move.
    """

    name: str
    format: str
    virtual: int
    actual: int
    clone: str
    own: int
    shared: bool

    @property
    def layer(self) -> Layer:
        """The image as the one piece that moves to a host and is kept there."""
        return Layer(f"disk:{self.name}", self.actual, self.actual)

    def written(self, vms: int) -> int:
        """Bytes that are written on hosts for so many VMs, beside the image itself."""
        return vms * self.own


def layer_graph(images: Iterable[Image]) -> nx.DiGraph[str]:
    """The layers of images as a graph from each to the one that lies on it; an image is a path in it, and shares its beginning with others.

    Nodes have their `size` and `unpacked`, and the names of the `images` that have them.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for image in images:
        for layer in image.layers:
            graph.add_node(layer.digest, size=layer.size, unpacked=layer.unpacked)
            graph.nodes[layer.digest].setdefault("images", []).append(image.name)
        nx.add_path(graph, [layer.digest for layer in image.layers])
    return graph


def shared_bytes(images: Iterable[Image]) -> int:
    """Bytes that images have in common: what they all take apart, less what they take together."""
    graph = layer_graph(images)
    return sum(data["size"] * (len(data["images"]) - 1) for _, data in graph.nodes(data=True))
