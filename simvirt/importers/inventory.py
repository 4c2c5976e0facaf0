"""Inventories of virtual machines, whatever tool wrote them: machines, hosts, what is common to all, what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simvirt.importers.application import Note
from simvirt.scenario.reading.tree import Place


@dataclass(slots=True)
class Machine:
    """A virtual machine: its size, what bounds and guarantees it, and what it was seen to use; None where nothing says."""

    name: str
    place: Place
    vcpus: int
    memory: int  # bytes
    keys: dict[str, Any] = field(default_factory=dict)  # of the service that it becomes
    cpu_limit: float | None = None  # CPUs
    cpu_reserved: float | None = None  # CPUs
    memory_reserved: int | None = None  # bytes
    cpu_used: float | None = None  # CPUs
    memory_used: int | None = None  # bytes
    system: str = ""  # what runs in it
    setting: Mapping[str, Any] = field(default_factory=dict)  # keys of the platform, as far as it says them


@dataclass(frozen=True, slots=True)
class Host:
    """A host, without its name: those that are alike are equal."""

    sockets: int
    cores: int
    smt: int
    memory: int  # bytes
    clock: float | None = None  # Hz
    title: str = ""


@dataclass(slots=True)
class Inventory:
    """Machines and hosts by their names, where they come from and on what they ran."""

    name: str
    kind: str
    files: tuple[str, ...]
    machines: list[Machine]
    hosts: dict[str, Host]
    platform: str  # the hypervisor, as the catalogue has it
    left_out: list[Note] = field(default_factory=list)


def common(machines: Iterable[Machine], left_out: list[Note]) -> dict[str, Any]:
    """What the platform is set to: each key as most machines have it; those that have it otherwise are noted."""
    machines = list(machines)
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for machine in machines for key in machine.setting):
        values = Counter(machine.setting.get(key) for machine in machines)
        most = max(values, key=lambda value: (values[value], value is None, str(value)))
        if most is not None:
            found[key] = most
        for machine in machines:
            if machine.setting.get(key) != most:
                had, has = machine.setting.get(key, "its default"), "its default" if most is None else most
                why = f"a platform has one setting for all its VMs: {key} is {has}, as of most"
                left_out.append(Note(machine.place, f"{machine.name}: {key} {had}", why))
    return found


def pooled(hosts: Mapping[str, Host]) -> list[tuple[str, Host, list[str]]]:
    """Hosts that are alike together: a name of a pool, what each is, and their names."""
    alike: dict[Host, list[str]] = {}
    for name, host in hosts.items():
        alike.setdefault(host, []).append(name)
    return [(f"have-{number}" if len(alike) > 1 else "have", host, names) for number, (host, names) in enumerate(alike.items(), 1)]
