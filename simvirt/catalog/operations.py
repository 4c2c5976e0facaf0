"""The operations that platforms charge for: a closed list, each with its meaning.

A platform has a cost per operation, a workload has rates of operations; overhead is their product, never a factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

OPERATIONS: Final[Mapping[str, str]] = MappingProxyType({
    "syscall": "one system call of the application",
    "page_fault": "one minor page fault: a page is mapped, nothing is read from disk",
    "context_switch": "one switch between tasks, a wake-up included",
    "tlb_miss": "one address-translation miss that needs a page-table walk",
    "timer": "one programming of a timer and its expiry",
    "ipi": "one inter-processor interrupt, sent and received",
    "idle_wakeup": "one wake-up of an idle CPU; in a VM: a vCPU leaves HLT",
    "packet_in": "one packet received, up to the segment size of the NIC",
    "packet_out": "one packet sent, up to the segment size of the NIC",
    "disk_read": "one read request to a block device",
    "disk_write": "one write request to a block device",
    "disk_flush": "one cache flush of a block device",
    "call_hop": "one message between two services of a host, beyond its packets",
})
"""Operation name -> what one of them is."""

RATE_OPERATIONS: Final[tuple[str, ...]] = ("syscall", "page_fault", "context_switch", "tlb_miss", "timer", "ipi")
"""Operations that CPU work performs by itself, so that an image has a rate of them; the others follow from events and steps."""

DEVICE_OPERATIONS: Final[tuple[str, ...]] = ("packet_in", "packet_out", "disk_read", "disk_write", "disk_flush")
"""Operations of devices: those that another thread of the host may work for."""

TECHNIQUES: Final[Mapping[str, str]] = MappingProxyType({
    "none": "the application runs on the kernel of the host",
    "full-emulation": "every instruction is interpreted or translated",
    "binary-translation": "kernel code is translated, user code runs directly, page tables are shadowed",
    "paravirtualization": "the guest kernel asks by hypercalls, its page tables are validated",
    "shadow-paging": "hardware-assisted; the hypervisor shadows the guest's page tables",
    "nested-paging": "hardware-assisted; the processor walks two levels of page tables (EPT, NPT)",
    "user-space-kernel": "system calls are intercepted and served by a kernel in user space",
})
"""How privileged work is virtualized -> one line of explanation."""

ISOLATIONS: Final[Mapping[str, str]] = MappingProxyType({
    "namespaces": "shares the kernel of the host behind namespaces, cgroups and a system call filter",
    "user-space-kernel": "has a kernel of its own in user space, above the kernel of the host",
    "hardware": "has a kernel of its own behind the processor's virtualization",
    "software": "has a kernel of its own behind a software machine monitor",
})
"""What stands between an instance and the host -> one line of explanation."""
