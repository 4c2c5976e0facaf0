"""What a hypervisor keeps on the host beside its VMs: the domain that owns the devices, the load of a hosted one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from simvirt.catalog.sourced import SourcedCount, SourcedRatio, SourcedSize, SourcedTime


class Dom0Spec(BaseModel):
    """The domain that owns the devices: its vCPUs and memory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vcpus: SourcedCount
    memory: SourcedSize


class HostLoadSpec(BaseModel):
    """What a hosted hypervisor leaves running on the host: threads that want a CPU for a part of each period."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threads: SourcedCount
    duty: SourcedRatio
    period: SourcedTime
