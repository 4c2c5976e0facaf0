"""The entries of images and of how they come to a host: contents, registries, pullers, codecs, storage drivers, disk images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from simvirt import units
from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import (
    Share,
    SourcedCycles,
    SourcedRatio,
    SourcedSize,
    SourcedThroughput,
    SourcedTime,
    SourcedWhole,
    within,
)
from simvirt.scenario.fields import HostBytes


def _digest(value: Any) -> str:
    """The digest of a layer; ValueError where YAML read something else than text."""
    if not isinstance(value, str) or not value:
        raise ValueError(f'expected a digest as text, for example "8740c948ffd4"; got {units.shown(value)}')
    return value


Digest = Annotated[str, BeforeValidator(_digest)]
PackedBytes = Annotated[int, BeforeValidator(units.parse_size)]
ByteCycles = Annotated[SourcedCycles, within(0, 1e4)]
"""Cycles of Skylake-SP for a byte."""


class ContentEntry(Entry):
    """What an image consists of: `layers` from the base to the top, digest to the bytes that move [bytes]; images share equal digests.

    A layer unpacks to `unpacked` times its bytes, in files of `file_size` on average; `touched` is the share of the unpacked bytes that
    the application reads until it works. The `generic` entry says each of them for all that do not.
    """

    aliases: tuple[str, ...] = ()
    layers: Annotated[Mapping[Digest, PackedBytes], Field(min_length=1, max_length=1000)]
    unpacked: Annotated[SourcedRatio, within(0.5, 1e5)] | None = None
    file_size: Annotated[SourcedSize, within(1, 2**40)] | None = None
    touched: Share | None = None


class RegistryEntry(Entry):
    """A registry: `latency` of a request there and back [ns], what one connection gets (`stream`) and all together (`bandwidth`) [bytes/s].

    It admits `limit` pulls in any `window` of those who share an address; beyond that it refuses (HTTP 429). None: there is no limit.
    """

    latency: SourcedTime
    stream: SourcedThroughput | None = None
    bandwidth: SourcedThroughput | None = None
    limit: Annotated[SourcedWhole, within(1, 1e9)] | None = None
    window: Annotated[SourcedTime, within(1e9, 8.64e13)] | None = None

    @model_validator(mode="after")
    def _both(self) -> RegistryEntry:
        if (self.limit is None) != (self.window is None):
            raise ValueError("limit: expected limit and window together, for example 100 pulls in 6 h")
        return self


class PullerEntry(Entry):
    """How a runtime pulls: what it asks, how much at once, what it does with a layer, and what it does when it fails.

    `requests` go to the registry before the first layer, `layer_requests` for each. `downloads` layers move at once, of one image or of
    the whole `daemon`, `uploads` layers of what is pushed; `images` are pulled at once (None: all). A download is tried `attempts`
    times, the n-th time after n times `retry`. A connection to what does not answer is given up after `connect`, one on which nothing
    comes after `silence`. What fails is tried again after `back_off`, doubled up to `most_back_off`; None: it has failed.
    `keeps` is whether the packed layer is written to the disk beside its files; `lazy` whether layers stay at the registry and only
    their indexes move, `index` of their bytes. The disk is cleared of images that nobody uses from `high` of it on, down to `low`.
    """

    requests: Annotated[SourcedWhole, within(1, 1000)]
    layer_requests: Annotated[SourcedWhole, within(0, 1000)]
    downloads: Annotated[SourcedWhole, within(1, 1000)]
    uploads: Annotated[SourcedWhole, within(1, 1000)]
    scope: Literal["image", "daemon"]
    images: Annotated[SourcedWhole, within(1, 10_000)] | None = None
    attempts: Annotated[SourcedWhole, within(1, 1000)]
    retry: SourcedTime
    connect: SourcedTime
    silence: SourcedTime
    back_off: SourcedTime | None = None
    most_back_off: SourcedTime | None = None
    codec: str
    driver: str
    keeps: bool = True
    lazy: bool = False
    index: Share | None = None
    high: Share | None = None
    low: Share | None = None

    @model_validator(mode="after")
    def _consistent(self) -> PullerEntry:
        for name, other in (("back_off", "most_back_off"), ("high", "low")):
            if (getattr(self, name) is None) != (getattr(self, other) is None):
                raise ValueError(f"{name}: expected {name} and {other} together")
        if self.lazy != (self.index is not None):
            raise ValueError("index: expected with lazy: true, and only then")
        return self


class CodecEntry(Entry):
    """How layers are packed: what unpacking takes on one core for a packed and for an unpacked byte, what packing takes; `ratio` to gzip.

    Cycles are those of Skylake-SP; a host's own speed scales them. `beside`: a process of its own inflates, while another writes.
    """

    beside: bool = False
    unpack_packed: ByteCycles
    unpack: ByteCycles
    pack: ByteCycles
    ratio: Annotated[SourcedRatio, within(0.1, 10)] | None = None


class DriverEntry(Entry):
    """A storage driver: what writing an unpacked layer takes for a byte, a file and the layer [cycles of Skylake-SP], and the disk.

    `writes` are the bytes that reach the disk for each of a layer, `flushes` the writes that it waits for with each layer.
    """

    byte: ByteCycles
    files: SourcedCycles
    layer: SourcedCycles
    writes: Annotated[SourcedRatio, within(0, 100)] | None = None
    flushes: Annotated[SourcedWhole, within(0, 1000)]


class DiskImageEntry(Entry):
    """A guest's disk image: its format, the size that a guest sees and the bytes that it has, and how a VM's own comes from it.

    `clone`: a `full` copy for each VM, or `linked`, a file of its own over a shared `base`, `overlay` bytes at first. `shared`: it lies
    on storage that all hosts reach, and does not move.
    """

    format: Literal["qcow2", "vmdk", "vdi", "raw", "squashfs", "ext4"]
    virtual: HostBytes | Annotated[int, BeforeValidator(units.parse_size)]
    actual: SourcedSize
    clone: Literal["full", "linked"]
    overlay: SourcedSize | None = None
    shared: bool = False
