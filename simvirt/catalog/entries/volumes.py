"""The entries of what serves volumes over a network: NFS, iSCSI, replicated storage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simvirt.catalog.entries.entry import Entry, Part
from simvirt.catalog.sourced import SourcedCycles, SourcedSize, SourcedWhole, within

OperationCycles = Annotated[SourcedCycles, within(0, 1e8)]
"""Cycles of Skylake-SP for a request."""
ByteCycles = Annotated[SourcedCycles, within(0, 100)]
"""Cycles of Skylake-SP for a byte."""


class SideSpec(Part):
    """What one side computes: for a read, a write, a flush, and for each byte of them [cycles]."""

    read: OperationCycles
    write: OperationCycles
    flush: OperationCycles | None = None
    byte: ByteCycles


class VolumeDriverEntry(Entry):
    """How a volume is served: what `client` and `server` compute, `threads` of a server, None for as many as requests.

    Data goes in requests of at most `request` bytes; `headers` are the bytes of a message beside its data. `durable` says when a write
    has reached the drive for good: `asked`, with a request of its own after it (a flush), `stated`, where the write itself asks for
    that, or `always`. `caches`: whether what is not asked for may stay in the server's page cache. `replicates`: whether several
    hosts have each piece; the first of them writes to the others before it answers.
    """

    client: SideSpec
    server: SideSpec
    threads: Annotated[SourcedWhole, within(1, 1e5)] | None = Field(default=None)
    request: Annotated[SourcedSize, within(4096, 2**30)]
    headers: Annotated[SourcedSize, within(0, 65536)]
    durable: Literal["asked", "stated", "always"]
    caches: bool = False
    replicates: bool = False

    @model_validator(mode="after")
    def _flushes(self) -> VolumeDriverEntry:
        for name, side in (("client", self.client), ("server", self.server)):
            if (side.flush is not None) != (self.durable == "asked"):
                raise ValueError(f"{name}.flush: expected with durable: asked, and only then")
        return self
