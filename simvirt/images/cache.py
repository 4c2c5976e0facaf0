"""What a host keeps of images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from simvirt.images.layers import Image, Layer


@dataclass
class LayerCache:
    """The layers that a host has, and the images that it knows, each with the instant of its last use [ns].

    *Model*: an image is there when all of its layers are; it is removed as a whole, its layers with the last image that has them.
        Removal begins at a share of the disk (`high`) and ends at another (`low`): first the image that was used the longest ago, none
        that is in use.
    *Source*: kubernetes pkg/kubelet/images/image_gc_manager.go.
    """

    layers: dict[str, Layer] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)

    def has(self, image: Image) -> bool:
        """Whether all of an image is there."""
        return all(layer.digest in self.layers for layer in image.layers)

    def missing(self, image: Image) -> tuple[Layer, ...]:
        """The layers of an image that are not there, from the base to the top."""
        return tuple(layer for layer in image.layers if layer.digest not in self.layers)

    def add(self, layer: Layer) -> None:
        """Keep a layer."""
        self.layers[layer.digest] = layer

    def know(self, image: Image, now: int) -> None:
        """Keep an image whose layers are there, used at an instant."""
        self.images[image.name], self.used[image.name] = image, now

    @property
    def size(self) -> int:
        """Bytes that its layers take, unpacked."""
        return sum(layer.unpacked for layer in self.layers.values())

    def collect(self, taken: int, capacity: int, high: float, low: float, in_use: Iterable[str] = ()) -> int:
        """Remove images where so many bytes of the disk's capacity are taken; the bytes that this frees."""
        if capacity <= 0 or taken < high * capacity:
            return 0
        kept, freed, wanted = set(in_use), 0, taken - low * capacity
        for name in sorted(set(self.images) - kept, key=lambda name: (self.used[name], name)):
            if freed >= wanted:
                break
            freed += self.remove(name)
        return freed

    def remove(self, name: str) -> int:
        """Remove an image and the layers that no other has; the bytes that this frees."""
        image = self.images.pop(name)
        self.used.pop(name)
        needed = {layer.digest for other in self.images.values() for layer in other.layers}
        gone = [layer for layer in image.layers if layer.digest not in needed and layer.digest in self.layers]
        for layer in gone:
            del self.layers[layer.digest]
        return sum(layer.unpacked for layer in gone)
