"""What operations on files cost on a platform: work of whoever asks, requests to those who serve a shared directory, accesses to the disk.

*Model*: an operation takes the work of a local file system, a system call of the platform, and what each layer's file system adds: work,
    and requests to its server, fewer where the caches of the application's kernel have the answer. Each path is resolved component
    by component. A server reads from the disk what is not in its memory.
*Ignores*: journals; time-outs of caches (what is cached is stated as a ratio); requests that overlap, as read-ahead does.
*Source*: Linux fs/namei.c, fs/9p, fs/fuse, fs/overlayfs; the entries of `filesystems`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from simvirt.catalog.entries.costs import CostSpec, Terms
from simvirt.catalog.entries.files import REQUEST_PARTS, FileHabits, FilesystemEntry
from simvirt.catalog.entries.software import ProfileEntry
from simvirt.catalog.operations import NAMING
from simvirt.catalog.records import Cost, HostEntry, Layer, Platform, PlatformCosts, S, work_ns
from simvirt.catalog.store import Store
from simvirt.scenario.spec.files import FilesSpec
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.scenario.spec.steps import FilesStep
from simvirt.scenario.walk import walk

LOCAL = "local"
BLOCK = 4096
"""Bytes of the disk that hold what a name leads to, or a record of the journal."""


@dataclass(frozen=True, slots=True)
class Served:
    """Requests to the server of one layer's file system: how many, what each costs, and whether a thread of the host answers."""

    requests: float
    cost: Cost
    backend: bool

    def times(self, count: float) -> Served:
        """So many times as many requests."""
        return replace(self, requests=self.requests * count)


@dataclass(frozen=True, slots=True)
class FileWork:
    """What one step's operations on files ask for.

    `own_ns` and `added_ns`: CPU work, of a local file system and beyond; `served`: requests to servers; `local`: whether the disk is
    the application's kernel's own; `found` and `reads`: accesses to it for names and for data of `size` bytes; bytes `written`; `flushes`.
    """

    own_ns: float
    added_ns: float
    served: tuple[Served, ...]
    local: bool
    found: float
    reads: float
    size: int
    written: float
    flushes: float


@dataclass(frozen=True, slots=True)
class Habits:
    """What a ns of software's CPU time asks for beyond local files: added work [ns], and requests to servers."""

    added: float = 0.0
    served: tuple[Served, ...] = ()


class FileCosts:
    """The file systems of a platform on a host."""

    def __init__(self, store: Store, platform: Platform, host: HostEntry, costs: PlatformCosts) -> None:
        self.store = store
        self.layers = [(layer, layer.files) for layer in platform.layers if layer.files is not None]
        self.host, self.costs = host, costs

    @cached_property
    def local(self) -> FilesystemEntry:
        """What operations take in all on a disk of one's own."""
        return self.store.typed("filesystems", LOCAL, FilesystemEntry)

    @property
    def keep_data(self) -> bool:
        """Whether the application's kernel serves reads of open files out of its page cache."""
        return all(files.keeps_data for _, files in self.layers)

    def habits(self, files: FileHabits | None) -> Habits:
        """What a profile's operations on files add to its CPU time, which has the local work and the system calls in it already."""
        if files is None or not self.layers:
            return Habits()
        rates = {name: float(rate) for name, rate in files.rates.items()}
        spec = FilesSpec.model_construct(None, **rates, depth=int(files.depth), cached=float(files.cached))
        counts = operations(spec)
        added = math.fsum(self._added(layer, entry, counts, spec) for layer, entry in self.layers)
        asked = (self._served(layer, entry, counts, spec) for layer, entry in self.layers)
        return Habits(added / S, tuple(one.times(1 / S) for one in asked if one.requests > 0))

    def work(self, spec: FilesSpec) -> FileWork:
        """What the operations of a step ask for."""
        counts = operations(spec)
        own = math.fsum(count * self._ns(self.local.costs[name].cpu) for name, count in counts.items())
        layers = [(layer, files) for layer, files in self.layers if spec.place == "disk" or files.server == "process"]
        added = self._calls(counts) + math.fsum(self._added(layer, files, counts, spec) for layer, files in layers)
        asked = [self._served(layer, files, counts, spec) for layer, files in layers if spec.place == "disk"]
        served = tuple(one for one in asked if one.requests > 0)
        disk, missed = float(spec.place == "disk"), 1.0 - spec.hit
        copied = spec.copy_up * disk if any(files.copy_up for _, files in layers) else 0.0
        return FileWork(
            own, max(added, -own), served, all(files.server == "none" for _, files in layers), spec.touched * missed * disk,
            (counts.get("read", 0.0) + counts.get("mmap", 0.0) + copied / spec.size) * missed * disk, spec.size,
            counts.get("write", 0.0) * spec.size * disk + copied, (counts.get("fsync", 0.0) + (copied > 0)) * disk,
        )

    def _calls(self, counts: Mapping[str, float]) -> float:
        """What the platform adds to the system calls of some operations, less what it spares [ns]."""
        calls = math.fsum(count * entries(self.local.costs[name].cpu) for name, count in counts.items())
        return calls * self.costs.work_ns("syscall")

    def _added(self, layer: Layer, files: FilesystemEntry, counts: Mapping[str, float], spec: FilesSpec) -> float:
        """What a layer's file system adds to the work of whoever asks [ns]."""
        own = math.fsum(count * self._ns(files.costs[name].cpu, layer) for name, count in counts.items() if name in files.costs)
        searched = counts.get("lookup", 0.0) * (1.0 - spec.known) * (spec.layer - 1) * self._ns(files.layer, layer)
        each = self._ns(self.local.costs["kib_read"].cpu) + self._ns(self.local.costs["kib_written"].cpu)
        copied = self._ns(files.copy_up, layer) + spec.copy_up / 1024 * each if files.copy_up and spec.copy_up else 0.0
        return own + searched + copied

    def _served(self, layer: Layer, files: FilesystemEntry, counts: Mapping[str, float], spec: FilesSpec) -> Served:
        """The requests to a layer's server."""
        if files.request is None or files.payload is None:
            return Served(0.0, Cost(), False)
        pieces = math.ceil(spec.size / files.payload)
        requests = math.fsum(
            count * (pieces if name in ("read", "write", "mmap") else 1) * _asked(files, name, spec.known) for name, count in counts.items()
        )
        return Served(requests, self._request(layer, files.request), files.server == "backend")

    def _request(self, layer: Layer, spec: CostSpec) -> Cost:
        return Cost(**{f"{part}_ns": self._ns(getattr(spec, part), layer) for part in REQUEST_PARTS["backend"]})

    def _ns(self, terms: Terms, layer: Layer | None = None) -> float:
        return math.fsum(work_ns(term, self.host, layer.depth if layer is not None else 0) for term in terms or ())


def file_habits(service: ServiceSpec, profile: ProfileEntry) -> FileHabits | None:
    """What a profile does with files; nothing where the service states its operations on files itself."""
    bodies = [*service.operations.values(), service.startup]
    stated = any(isinstance(visit.step, FilesStep) for steps in bodies for visit in walk(steps))
    return None if stated else profile.files


def disk_accesses(work: FileWork) -> list[tuple[float, dict[str, Any]]]:
    """Accesses to the disk: how often each, as a disk step states it."""
    steps: list[tuple[float, dict[str, Any]]] = [
        (work.found, {"read": f"{BLOCK}B"}), (work.reads, {"read": f"{work.size}B"}),
        (float(work.written > 0), {"write": f"{max(1, round(work.written))}B"}), (work.flushes, {"write": f"{BLOCK}B", "sync": True}),
    ]
    return [(count, fields) for count, fields in steps if count > 0]


def operations(spec: FilesSpec) -> dict[str, float]:
    """How often a step does each operation, with the components of its paths and the KiB that it moves."""
    counts = spec.counts
    lookups = spec.depth * math.fsum(count * NAMING.get(name, 0) for name, count in counts.items())
    kib = spec.size / 1024
    moved = {"kib_read": (counts.get("read", 0.0) + counts.get("mmap", 0.0)) * kib, "kib_written": counts.get("write", 0.0) * kib}
    return {**counts, "lookup": lookups, **moved}


def entries(terms: Terms) -> float:
    """Entries of the kernel among the terms of a local file system's work: its system calls."""
    return math.fsum(term.value for term in terms or () if term.unit == "entries")


def _asked(files: FilesystemEntry, operation: str, known: float) -> float:
    """Requests for one operation on files of which the caches know a share."""
    cost = files.costs.get(operation)
    if cost is None or cost.requests is None:
        return 0.0
    return cost.requests * (1.0 - known) + (0.0 if cost.cached is None else cost.cached) * known
