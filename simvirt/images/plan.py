"""The plan of a pull: which layers move to a host, which are there, and the work that each takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simvirt.catalog.entries.hardware import CpuFamily
from simvirt.catalog.entries.images import CodecEntry, DriverEntry, PullerEntry
from simvirt.catalog.records import HostEntry
from simvirt.images.cache import LayerCache
from simvirt.images.layers import Image, Layer


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull of an image to a host moves: layers from the base to the top, and the bytes of those that are there already."""

    image: Image
    moved: tuple[Layer, ...]
    saved: int

    @property
    def size(self) -> int:
        """Bytes that move."""
        return sum(layer.size for layer in self.moved)

    @property
    def unpacked(self) -> int:
        """Bytes that are unpacked."""
        return sum(layer.unpacked for layer in self.moved)


def plan_of(image: Image, cache: LayerCache) -> PullPlan:
    """The plan of a pull to a host that has some layers."""
    moved = cache.missing(image)
    return PullPlan(image, moved, image.size - sum(layer.size for layer in moved))


def union_size(images: Iterable[Image]) -> int:
    """Bytes that move to a host that has nothing and is to have all of some images: each layer once."""
    return sum({layer.digest: layer.size for image in images for layer in image.layers}.values())


@dataclass(frozen=True, slots=True)
class Engine:
    """How a host pulls: the puller with its codec and storage driver, and the speed of the host's cores.

    *Model*: a layer that has arrived is verified by its digest; it is unpacked by one thread that inflates it, takes the digest of what
        comes out, and writes it file by file, or by a process that inflates and a thread that does the rest, side by side. The work is
        that of Skylake-SP's cycles at the host's speed; a digest is the processor's own.
    *Ignores*: that several hosts' kernels differ.
    *Source*: containerd core/diff/apply, core/unpack; moby layer store and pkg/chrootarchive.
    """

    puller: PullerEntry
    codec: CodecEntry
    driver: DriverEntry
    speed: float
    clock_hz: float
    family: CpuFamily

    @classmethod
    def on(cls, host: HostEntry, puller: PullerEntry, codec: CodecEntry, driver: DriverEntry) -> Engine:
        """The engine of a host."""
        return cls(puller, codec, driver, host.speed, host.clock_hz, host.family)

    def packed(self, layer: Layer) -> int:
        """Bytes that move of a layer, as the codec packs it; of a lazy pull, only its index."""
        size = layer.size * (self.codec.ratio or 1.0)
        return round(size * self.puller.index) if self.puller.index is not None else round(size)

    def verify_ns(self, layer: Layer) -> float:
        """CPU time for the digest of what has arrived of a layer."""
        return self._digest_ns(self.packed(layer))

    def inflate_ns(self, layer: Layer) -> float:
        """CPU time of inflating a layer."""
        if self.puller.lazy:
            return 0.0
        return (self.codec.unpack_packed * self.packed(layer) + self.codec.unpack * layer.unpacked) / self.speed * 1e9

    def write_ns(self, layer: Layer) -> float:
        """CPU time of the digest of what comes out of a layer, and of writing its files."""
        if self.puller.lazy:
            return self.driver.layer / self.speed * 1e9
        cycles = self.driver.byte * layer.unpacked + self.driver.files * layer.files + self.driver.layer
        return cycles / self.speed * 1e9 + self._digest_ns(layer.unpacked)

    def unpack_ns(self, layer: Layer) -> float:
        """CPU time of unpacking a layer, on one core or on two."""
        return self.inflate_ns(layer) + self.write_ns(layer)

    def pack_ns(self, layer: Layer) -> float:
        """CPU time of packing a layer and of its digests, before it is pushed."""
        return self.codec.pack * layer.unpacked / self.speed * 1e9 + self._digest_ns(layer.unpacked + self.packed(layer))

    def written(self, layer: Layer) -> int:
        """Bytes that unpacking a layer writes."""
        return 0 if self.puller.lazy else round(layer.unpacked * (self.driver.writes or 1.0))

    def kept(self, layer: Layer) -> int:
        """Bytes of a layer that are written as they arrive."""
        return self.packed(layer) if self.puller.keeps or self.puller.lazy else 0

    def _digest_ns(self, size: int) -> float:
        return (self.family.sha256 or 0.0) * size / self.clock_hz * 1e9
