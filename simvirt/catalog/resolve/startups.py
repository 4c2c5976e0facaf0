"""How a replica starts on a platform: the phases of its hypervisor, its guest OS and its runtime, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simvirt.catalog.entries.startups import On, Per, StartPhase, StartupEntry
from simvirt.catalog.records import HostEntry, Platform
from simvirt.catalog.resolve.hosts import host_model
from simvirt.catalog.store import Store
from simvirt.scenario.spec.models import ServiceSpec


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a start on a host: CPU work and wait [ns], reads and writes [bytes], in this order, under a lock or none.

    `on` is where it happens, `per` what it is done once for, `lock` the name of a lock of the kernel that it runs on.
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
    source: str = ""


def start_up(store: Store, platform: Platform, host: HostEntry, service: ServiceSpec) -> tuple[Phase, ...]:
    """The phases of the start of a replica of a service on a platform, in their order; none on bare metal."""
    found: list[Phase] = []
    for layer in platform.hypervisors[-1:]:
        found += _phases(store, layer.name, host, False)
        assert layer.guest is not None
        found += _phases(store, layer.guest.name, host, True)
    for layer in platform.runtimes:
        found += _phases(store, layer.name, host, bool(platform.hypervisors))
    return tuple(found)


def _phases(store: Store, name: str, host: HostEntry, inside: bool) -> Iterator[Phase]:
    """The phases of a layer, as they are on a host; `inside` a VM the kernel beneath it is the guest's."""
    if name in store.raw("startups"):
        entry = store.typed("startups", name, StartupEntry)
        slower = host_model(store, entry.measured_on).speed / host.speed
        yield from (_phase(name, phase, slower, inside) for phase in entry.phases)


def _phase(layer: str, phase: StartPhase, slower: float, inside: bool) -> Phase:
    """A phase on a host on which CPU work takes `slower` times as long as where it was measured."""
    given = [number for number in (phase.cpu, phase.read, phase.write, phase.wait) if number is not None]
    return Phase(
        phase.name, layer, "guest" if inside and phase.at == "host" else phase.at, float(phase.cpu or 0.0) * slower, int(phase.read or 0),
        int(phase.write or 0), round(phase.wait or 0.0), phase.lock, phase.per, "; ".join(dict.fromkeys(n.source for n in given)),
    )
