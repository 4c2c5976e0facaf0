"""The operations that platforms charge for: a closed list, each with its meaning.

A platform has a cost per operation, a workload has rates of operations; overhead is their product, never a factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

OPERATIONS: Final[Mapping[str, str]] = MappingProxyType({
    "syscall": "one system call of the application",
    "page_fault": "one minor page fault, the page-table entry that it writes not counted: nothing is read from disk",
    "context_switch": "one switch between tasks, a wake-up included",
    "tlb_miss": "one address-translation miss that needs a page-table walk",
    "timer": "one programming of a timer and its expiry",
    "ipi": "one inter-processor interrupt, sent and received",
    "instruction": "one machine instruction",
    "page_table_update": "one page-table entry written by the kernel, in a page fault, fork, mmap, munmap or exit",
    "privileged": "one sensitive instruction: CPUID, a model-specific or control register, a port",
    "idle_wakeup": "one wake-up of an idle CPU; in a VM: a vCPU leaves HLT",
    "packet_in": "one packet received, up to the segment size of the NIC",
    "packet_out": "one packet sent, up to the segment size of the NIC",
    "kib_in": "one KiB of payload received over the network path",
    "kib_out": "one KiB of payload sent over the network path",
    "disk_read": "one read request to a block device",
    "disk_write": "one write request to a block device",
    "disk_flush": "one cache flush of a block device",
    "kib_read": "one KiB read over the disk path",
    "kib_written": "one KiB written over the disk path",
    "call_hop": "one message between two services of a host, beyond its packets",
})
"""Operation name -> what one of them is."""

RATE_OPERATIONS: Final[tuple[str, ...]] = (
    "syscall", "page_fault", "context_switch", "tlb_miss", "timer", "ipi", "instruction", "page_table_update", "privileged",
)
"""Operations that CPU work performs by itself, so that a workload has a rate of them; the others follow from events and steps."""

NET_OPERATIONS: Final[tuple[str, ...]] = ("packet_in", "packet_out", "kib_in", "kib_out", "call_hop")
"""Operations of a network path."""

DISK_OPERATIONS: Final[tuple[str, ...]] = ("disk_read", "disk_write", "disk_flush", "kib_read", "kib_written")
"""Operations of a disk path."""

TECHNIQUE_OPERATIONS: Final[tuple[str, ...]] = (*RATE_OPERATIONS, "idle_wakeup")
"""Operations whose cost follows from how privileged work is virtualized."""

FILE_OPERATIONS: Final[Mapping[str, str]] = MappingProxyType({
    "lookup": "one component of a path that is resolved to a file",
    "stat": "the attributes of one file, by its path",
    "fstat": "the attributes of one open file",
    "open": "one file opened, by its path",
    "read": "one read of an open file, its bytes not counted",
    "write": "one write to an open file, its bytes not counted",
    "close": "one file closed",
    "create": "one file made and opened",
    "rename": "one file renamed",
    "unlink": "one file removed",
    "readdir": "one directory opened, listed and closed",
    "mmap": "one file mapped, touched and unmapped, its bytes not counted",
    "fsync": "one open file made durable, what the drive takes not counted",
    "kib_read": "one KiB read from a file",
    "kib_written": "one KiB written to a file",
})
"""Operations on files, each with its meaning; `lookup` and the KiB follow from the others."""

NAMING: Final[Mapping[str, int]] = MappingProxyType({"stat": 1, "open": 1, "create": 1, "rename": 2, "unlink": 1, "readdir": 1})
"""Operation on a file by its path -> how many paths it resolves."""

PLURALS: Final[Mapping[str, str]] = MappingProxyType({
    "syscalls": "syscall", "page_faults": "page_fault", "context_switches": "context_switch", "tlb_misses": "tlb_miss", "timers": "timer",
    "ipis": "ipi", "instructions": "instruction", "page_table_updates": "page_table_update", "idle_wakeups": "idle_wakeup",
    "packets_in": "packet_in", "packets_out": "packet_out", "disk_reads": "disk_read", "disk_writes": "disk_write",
    "disk_flushes": "disk_flush", "call_hops": "call_hop",
})
"""Plural of an operation's name, which a scenario may use -> its name."""
