"""The host of the catalogue that a machine is most like: what was not measured is taken from it."""

from __future__ import annotations

import math
from typing import Final

from simvirt.calibrate.machine import Machine
from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry

WORDS: Final = {"AuthenticAMD": ("amd", "epyc", "zen"), "GenuineIntel": ("intel", "xeon", "core i", "lake", "bridge", "well")}
"""Vendor -> words of which its families' titles have one."""
STRANGE: Final = 30.0
"""What a processor of another make counts, in natural logarithms of sizes."""


def nearest(catalog: Catalog, found: Machine) -> HostEntry:
    """The host with the nearest number of cores, memory and clock, of the same make where there is one."""
    return min((catalog.host_model(name) for name in catalog.names("hosts")), key=lambda host: distance(host, found))


def distance(host: HostEntry, found: Machine) -> float:
    """How far a host is from a machine."""
    pairs = ((host.sockets * host.cores, found.sockets * found.cores), (host.memory, found.memory_bytes), (host.clock_hz, found.clock_hz))
    apart = math.fsum(abs(math.log(one / two)) for one, two in pairs if one > 0 and two > 0)
    words = WORDS.get(found.vendor, ("arm", "neoverse", "graviton", "ampere"))
    title = f"{host.family.title} {host.name}".lower()
    return apart + (0.0 if any(word in title for word in words) else STRANGE)
