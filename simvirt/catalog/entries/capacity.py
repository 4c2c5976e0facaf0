"""Entries about room: what a replica takes of memory and disk, and what a kernel or host has only so many of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from simvirt.catalog.entries.entry import Entry, Text
from simvirt.catalog.sourced import Share, SourcedCount, SourcedRate, SourcedRatio, SourcedSize, SourcedTime, within


class FootprintEntry(Entry):
    """The memory and disk space of one replica of an image: what it keeps when idle, what each connection adds, what it maps.

    `base` and `per_connection` are anonymous memory; `files` are pages of programs and libraries; `hot` is the share of the anonymous
    memory that requests keep touching, `same` the share that is equal in all replicas; a request touches `touch` bytes of what is hot.
    `disk` is the unpacked image, `writable` what a replica writes beside it.
    """

    base: SourcedSize
    per_connection: SourcedSize
    files: SourcedSize
    hot: Share
    same: Share
    touch: SourcedSize
    disk: SourcedSize
    writable: SourcedSize


class BurstableEntry(Entry):
    """Credits of a burstable instance: how many it earns [per s], keeps at most, and has when it is launched; one is a minute of a vCPU."""

    earned: Annotated[SourcedRate, within(1e-9, 1e6)]
    most: SourcedCount
    launch: SourcedCount | None = None


class LimitSpec(Entry):
    """Something of which a kernel or host has only so many: what runs out, how many there are, and what one instance takes.

    `of` names what takes it: processes on bare metal, containers, VMs; `layers` narrows that to runtimes and hypervisors of those names,
    `nets` to instances on network devices of those names, `except_nets` leaves those on some out.
    `per_core` capacities are for each core.
    """

    resource: Text
    of: tuple[Literal["process", "container", "vm"], ...]
    layers: tuple[str, ...] = ()
    nets: tuple[str, ...] = ()
    except_nets: tuple[str, ...] = ()
    capacity: Annotated[SourcedCount, within(1, 1e19)]
    per_core: bool = False
    fixed: SourcedCount | None = None
    per_instance: SourcedCount | None = None
    per_thread: SourcedCount | None = None
    per_connection: SourcedCount | None = None
    per_vcpu: SourcedCount | None = None

    @model_validator(mode="after")
    def _taken(self) -> LimitSpec:
        if all(getattr(self, name) is None for name in ("per_instance", "per_thread", "per_connection", "per_vcpu")):
            raise ValueError("expected per_instance, per_thread, per_connection or per_vcpu; nothing would ever run out")
        return self


class ReclaimEntry(Entry):
    """What a kernel's memory management costs and how it decides: swapping, compressing, merging, ballooning.

    Times are CPU time for one page of 4 KiB. `cluster` is what is written to swap at once; `compression` the size of pages over that of
    their compressed form; `balloon_most` the share of a VM that a balloon may take; `idle_tax` what an idle page costs a VM more than one
    in use when balloons are shared out; `swappiness` what the kernel takes from applications for its page cache, in 200ths. Writes that
    nobody waits for are gathered: `flush_interval` between two looks of the flusher, `dirty_expiry` the age at which it writes,
    `dirty_background` and `dirty_most` the shares of memory beyond which it begins at once and writers wait, `write_chunk` its largest
    request.
    """

    swap_fault: SourcedTime
    unpack: SourcedTime
    evict: SourcedTime
    scan: SourcedTime
    unshare: SourcedTime
    inflate: SourcedTime
    cluster: Annotated[SourcedSize, within(4096, 2**30)]
    compression: Annotated[SourcedRatio, within(1, 1000)]
    balloon_most: Annotated[SourcedRatio, within(0, 0.99)]
    idle_tax: Annotated[SourcedRatio, within(0, 0.99)]
    swappiness: Annotated[SourcedRatio, within(0, 200)]
    flush_interval: Annotated[SourcedTime, within(1e6, 8.64e13)]
    dirty_expiry: SourcedTime
    dirty_background: Annotated[SourcedRatio, within(0, 1)]
    dirty_most: Annotated[SourcedRatio, within(0, 1)]
    write_chunk: Annotated[SourcedSize, within(4096, 2**30)]
