"""How a replica starts on a platform: the phases of its hypervisor, its guest OS, its runtime and its software, in their order.

*Model*: a layer starts as the entry of its name says, or that of the layer that it is like. CPU work takes as much longer than where
    it was measured as the host is slower; a first touch of memory is a page fault for each 4 KiB, beneath a hypervisor one more exit.
*Ignores*: that caches are cold after a start of another kind; page faults of 2 MiB at once where the guest's memory is in huge pages.
*Source*: the sources of the entries (data/startups.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simvirt.catalog.entries.startups import On, Per, StartPhase, StartupEntry
from simvirt.catalog.images import image_name, short_name
from simvirt.catalog.records import HostEntry, Layer, Platform, Row, work_ns
from simvirt.catalog.resolve.hosts import host_model
from simvirt.catalog.sourced import Sourced
from simvirt.catalog.store import Store
from simvirt.scenario.spec.models import ServiceSpec

PAGE: Final = 4096
READ_AHEAD: Final = 131072
"""What a file that is read from its beginning to its end is read in. Source: Linux mm/readahead.c, VM_READAHEAD_PAGES: 128 KiB."""
SERVER: Final = "server"
DUMP: Final = "kdump"
"""The entries that say how a host boots, and how the kernel of one is dumped."""
NUMBERS: Final = ("cpu", "each", "memory", "read", "piece", "write", "flushes", "wait")
"""The numbers of a phase, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Phase(Row):
    """A phase of a start on a host: CPU work and wait [ns], reads and writes [bytes], in this order, under a lock or none.

    `on` is where it happens, `per` what it is done once for, `lock` the name of a lock of the kernel that it runs on; `each_ns` is more
    CPU work for every instance that is there already, `piece` the size of random reads or 0 for the windows of the read-ahead,
    `flushes` how many small writes wait for the drive; `estimated` is whether none of its numbers was measured.
    """

    name: str
    layer: str
    on: On
    cpu_ns: float = 0.0
    read: int = 0
    write: int = 0
    wait_ns: int = 0
    lock: str | None = None
    per: Per = "instance"
    sources: tuple[str, ...] = ()
    each_ns: float = 0.0
    piece: int = 0
    flushes: int = 0
    estimated: bool = False


def start_up(store: Store, platform: Platform, host: HostEntry, service: ServiceSpec) -> tuple[Phase, ...]:
    """The phases of the start of a replica of a service on a platform, in their order; its own `startup` steps are not among them."""
    return phases_of(store, platform, host, None if service.startup else service.image)


def phases_of(store: Store, platform: Platform, host: HostEntry, image: str | None = None) -> tuple[Phase, ...]:
    """The phases of a start on a platform, and of the software of an image, in their order."""
    found: list[Phase] = []
    for layer in platform.hypervisors[-1:]:
        found += _hypervisor(store, layer, host)
    for layer in platform.runtimes:
        found += _phases(store, named(store, "runtimes", layer.name), host, layer.name, inside=bool(platform.hypervisors))
    running = any(entry.running for layer in platform.hypervisors if (entry := named(store, "hypervisors", layer.name)) is not None)
    software = None if image is None or running else software_name(store, image)
    if software is not None:
        found += _phases(store, store.typed("startups", software, StartupEntry), host, software, inside=False)
    return tuple(found)


def boot_of_host(store: Store, host: HostEntry, dumped: bool = False) -> tuple[Phase, ...]:
    """The phases in which a host boots, after its kernel has been `dumped` where it panicked."""
    names = (DUMP, SERVER) if dumped else (SERVER,)
    return tuple(phase for name in names for phase in boot_of_machine(store, host, name))


def boot_of_machine(store: Store, host: HostEntry, name: str) -> tuple[Phase, ...]:
    """The phases of an entry in which a host comes that was not there before."""
    return tuple(_phases(store, store.typed("startups", name, StartupEntry), host, name, inside=False))


def _hypervisor(store: Store, layer: Layer, host: HostEntry) -> Iterator[Phase]:
    """The phases of a virtual machine: of its monitor and of the guest that it boots."""
    entry = named(store, "hypervisors", layer.name)
    yield from _phases(store, entry, host, layer.name, inside=False)
    guest = None if layer.guest is None else layer.guest.name
    boots = None if entry is None else entry.boots
    if boots is not None or guest is not None:
        of = store.typed("startups", boots, StartupEntry) if boots is not None else named(store, "guests", guest or "")
        yield from _phases(store, of, host, boots or guest or "", inside=True)


def software_name(store: Store, image: str) -> str | None:
    """The entry that says how the software of an image starts; None where none does."""
    known = store.names("startups")
    names = (short_name(image), image_name(store, image))
    return next((name for name in names if name in known and name in _images(store)), None)


def _images(store: Store) -> set[str]:
    """The names that speak of images and not of layers."""
    return set(store.names("startups")).difference(*(store.names(kind) for kind in ("hypervisors", "runtimes", "guests")))


def named(store: Store, kind: str, name: str) -> StartupEntry | None:
    """How a layer or guest starts: as the entry of its own name says, else that of the one that it is like; None where none does."""
    known = store.names("startups")
    seen: set[str] = set()
    while name not in known:
        seen.add(name)
        base = store.base(kind, name)
        if base is None or base in seen:
            return None
        name = base
    return store.typed("startups", name, StartupEntry)


def _phases(store: Store, entry: StartupEntry | None, host: HostEntry, layer: str, inside: bool) -> Iterator[Phase]:
    """The phases of a layer, as they are on a host; `inside` a VM the kernel beneath it is the guest's."""
    if entry is None:
        return
    slower = host_model(store, entry.measured_on).speed / host.speed
    fault = 0.0 if entry.fault is None else work_ns(entry.fault, host)
    for phase in entry.phases:
        yield _phase(layer, phase, slower, fault, inside)


def _phase(layer: str, phase: StartPhase, slower: float, fault: float, inside: bool) -> Phase:
    """A phase on a host on which CPU work takes `slower` times as long as where it was measured, and a page fault `fault` ns."""
    numbers = [number for number in (getattr(phase, name) for name in NUMBERS) if isinstance(number, Sourced)]
    return Phase(
        phase.name, layer, "guest" if inside and phase.at == "host" else phase.at,
        cpu_ns=float(phase.cpu or 0.0) * slower + (phase.memory or 0) / PAGE * fault, read=int(phase.read or 0),
        write=int(phase.write or 0), wait_ns=round(phase.wait or 0.0), lock=phase.lock, per=phase.per,
        sources=tuple(dict.fromkeys(number.source for number in numbers)), each_ns=float(phase.each or 0.0) * slower,
        piece=int(phase.piece or 0), flushes=int(phase.flushes or 0), estimated=all(number.estimated for number in numbers),
    )


def alone_ns(phase: Phase, host: HostEntry) -> float:
    """How long a phase takes on a host where nothing else runs [ns]: its work, its accesses to the drive one after another, its wait.

    *Ignores*: what the path to the disk of a VM adds; writes that the page cache takes.
    """
    disk = host.disk
    if disk.medium == "memory":
        return phase.cpu_ns + phase.wait_ns
    size = phase.piece or READ_AHEAD
    accesses = -(-phase.read // size)
    beyond = max(phase.read - accesses * PAGE, 0) * 1e9 / (disk.read_stream or disk.read_throughput)
    reads = accesses * float(disk.read_latency) + beyond
    return phase.cpu_ns + reads + phase.flushes * (float(disk.write_latency) + float(disk.flush_latency)) + phase.wait_ns
