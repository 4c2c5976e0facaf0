"""How a hypervisor, a guest, a runtime or an image starts: phases in their order, each work or a wait somewhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simvirt.catalog.entries.entry import Entry, Part, Text
from simvirt.catalog.sourced import SourcedSize, SourcedTime

On = Literal["host", "guest", "instance"]
Per = Literal["instance", "vm", "host"]


class StartPhase(Part):
    """A phase of a start: what it computes, reads, writes and waits for, in this order, and where.

    `at`: the kernel beneath the layer that the entry is of (`host`), the guest's own vCPUs (`guest`), or the replica's cgroup
    (`instance`). `lock` is the name of a lock of the kernel that the phase runs on, held meanwhile. `per`: a phase of a `vm` is
    done once for all replicas in it, one of a `host` once on each. CPU time is that on the machine of the entry.
    """

    name: Text
    at: On
    cpu: SourcedTime | None = None
    read: SourcedSize | None = None
    write: SourcedSize | None = None
    wait: SourcedTime | None = None
    lock: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    per: Per = "instance"

    @model_validator(mode="after")
    def _does_something(self) -> StartPhase:
        if all(part is None for part in (self.cpu, self.read, self.write, self.wait)):
            raise ValueError(f"{self.name}: expected cpu, read, write or wait, for example cpu: {{value: 5ms, source: ...}}")
        return self


class StartupEntry(Entry):
    """The phases of a start in their order; `measured_on` is the host of the catalogue on which their CPU time was measured."""

    measured_on: str
    phases: Annotated[tuple[StartPhase, ...], Field(min_length=1)]
