"""What a hypervisor keeps on the host beside its VMs: the domain that owns the devices, the load of a hosted one."""

from __future__ import annotations

from simvirt.catalog.entries.entry import Part
from simvirt.catalog.sourced import SourcedRatio, SourcedSize, SourcedTime, SourcedWhole


class Dom0(Part):
    """The domain that owns the devices: its vCPUs and memory."""

    vcpus: SourcedWhole
    memory: SourcedSize


class HostLoad(Part):
    """What a hosted hypervisor leaves running on the host: threads that want a CPU for a part of each period [ns]."""

    threads: SourcedWhole
    duty: SourcedRatio
    period: SourcedTime
