"""What a hypervisor keeps on the host beside its VMs: the domain that owns the devices, the load of a hosted one."""

from __future__ import annotations

from typing import Annotated

from simvirt.catalog.entries.entry import Part
from simvirt.catalog.sourced import Period, Share, SourcedSize, SourcedWhole, within


class Dom0(Part):
    """The domain that owns the devices: its vCPUs and memory."""

    vcpus: Annotated[SourcedWhole, within(1, 4096)]
    memory: Annotated[SourcedSize, within(2**20, 2**50)]


class HostLoad(Part):
    """What a hosted hypervisor leaves running on the host: threads that want a CPU for a part of each period [ns]."""

    threads: Annotated[SourcedWhole, within(1, 4096)]
    duty: Share
    period: Period
