"""What VMs take beside their replicas, at every level of nested virtualization, and how large they are made.

*Model*: a VM inside a VM has a guest system and a monitor at each level, all of which the host backs. Monitors on the
    host share their text; one inside a VM is alone there.
*Ignores*: that a guest that runs VMs needs page structs for their monitors too.
*Source*: see the entries of the catalogue; Linux Documentation/mm; Intel SDM vol. 3C, chapter 29.
"""

from __future__ import annotations

import math
from typing import Final

from simvirt.catalog.entries.software import GuestEntry
from simvirt.catalog.records import Layer, Platform
from simvirt.memory.working_set import Load, Needs
from simvirt.scenario.spec.models import ServiceSpec

PAGE_STRUCT: Final = 64 / 4096
"""Bytes that a kernel keeps for each byte that it manages. Source: Linux, include/linux/mm_types.h, struct page."""
BOUNCE_ABOVE: Final = 3 * 2**30
"""Memory of a VM beyond which some of it lies above 4 GiB [bytes]. Source: QEMU, hw/i386/pc.c, the hole of the PCI devices."""


def own_size(service: ServiceSpec, platform: Platform, needs: Needs, load: Load) -> int:
    """Memory of a replica's own VM: its guest system on top of its limit, or of what it needs without one [bytes]."""
    guest = platform.hypervisors[-1].guest
    assert guest is not None
    if service.memory_limit is not None:
        return service.memory_limit + guest.memory
    inner = guest.memory + (guest.file_cache or 0) + (guest.boot_memory or 0) + needs.anonymous(load) + needs.files
    return round(inner / (1.0 - (guest.page_structs or 0.0)))


def guest_os(guest: GuestEntry, size: int) -> float:
    """Memory that a guest's kernel and user space take in a VM of some size [bytes]."""
    return guest.memory + (guest.page_structs or 0.0) * size + ((guest.bounce_buffer or 0) if size > BOUNCE_ABOVE else 0)


def levels_between(platform: Platform, size: int) -> float:
    """Systems of the guests between the host and a VM of some size, and what the hypervisors in them take [bytes]."""
    systems = sum(guest_os(layer.guest, size) for layer in platform.hypervisors[:-1] if layer.guest is not None)
    return systems + sum(hypervisor_memory(layer) + layer.monitor.shared for layer in platform.hypervisors[1:])


def hypervisor_memory(layer: Layer) -> int:
    """What a hypervisor takes once, its domain 0 included [bytes]."""
    return layer.monitor.host + (layer.dom0.memory if layer.dom0 is not None else 0)


def monitors(platform: Platform, vcpus: int) -> float:
    """A VM's monitors of all levels but for text and page tables: data, stacks of vCPUs, video memory [bytes]."""
    return sum(layer.memory_bytes + layer.monitor.per_vcpu * vcpus + layer.monitor.video for layer in platform.hypervisors)


def page_tables(platform: Platform) -> float:
    """What the monitors of all levels keep for each resident byte of a VM [bytes]."""
    return math.fsum(layer.monitor.per_memory for layer in platform.hypervisors)


def container_memory(runtimes: tuple[Layer, ...]) -> int:
    """Shims and sentries of a container, and what the kernel keeps for it [bytes]."""
    return sum(layer.memory_bytes + layer.container.kernel for layer in runtimes)


def daemons(runtimes: tuple[Layer, ...]) -> int:
    """What runtimes take once on a kernel [bytes]."""
    return sum(layer.container.daemon for layer in runtimes)


def runtimes_around(platform: Platform) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """The runtimes on the host's kernel (all, or those of VMs in containers), and those in VMs."""
    kinds = [layer.kind for layer in platform.layers]
    at = kinds.index("hypervisor") if "hypervisor" in kinds else len(kinds)
    outside = tuple(layer for layer in platform.layers[:at] if layer.kind == "runtime")
    return outside, tuple(layer for layer in platform.layers[at:] if layer.kind == "runtime")
