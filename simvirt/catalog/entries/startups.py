"""How a hypervisor, a guest, a runtime or an image starts: phases in their order, each work or a wait somewhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simvirt.catalog.entries.entry import Entry, Part, Text
from simvirt.catalog.sourced import SourcedSize, SourcedTime, SourcedWhole, SourcedWork, within

On = Literal["host", "guest", "instance"]
Per = Literal["instance", "vm", "host"]


class StartPhase(Part):
    """A phase of a start: what it computes, reads, writes and waits for, in this order, and where.

    `at`: the kernel beneath the layer that the entry is of (`host`), the guest's own vCPUs (`guest`), or the replica's cgroup
    (`instance`). `cpu` is CPU time on the machine of the entry, `each` what it grows by with every instance that is there already;
    `memory` is touched for the first time, a page fault each of the entry's `fault`. What is read comes in windows of the read-ahead,
    or at random in pieces of `piece`; `flushes` are small writes, each of which waits until the drive has it. `lock` is the name of
    a lock of the kernel that the phase runs on, held meanwhile. `per`: a phase of a `vm` is done once for all replicas in it, one
    of a `host` once on each.
    """

    name: Text
    at: On
    cpu: SourcedTime | None = None
    each: SourcedTime | None = None
    memory: SourcedSize | None = None
    read: SourcedSize | None = None
    piece: Annotated[SourcedSize, within(512, 2**30)] | None = None
    write: SourcedSize | None = None
    flushes: Annotated[SourcedWhole, within(1, 10_000)] | None = None
    wait: SourcedTime | None = None
    lock: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    per: Per = "instance"

    @model_validator(mode="after")
    def _does_something(self) -> StartPhase:
        if all(part is None for part in (self.cpu, self.each, self.memory, self.read, self.write, self.flushes, self.wait)):
            raise ValueError(f"{self.name}: expected cpu, read, write or wait, for example cpu: {{value: 5ms, source: ...}}")
        if self.piece is not None and self.read is None:
            raise ValueError(f"{self.name}: piece: has no effect without read")
        return self


class StartupEntry(Entry):
    """The phases of a start in their order; `measured_on` is the host of the catalogue on which their CPU time was measured.

    `fault` is what the first touch of a page of 4 KiB costs; `boots` names the entry of the guest that a hypervisor boots, where that
    is not the one of its guest's name; `running` is whether the software in it runs already, as in a snapshot.
    """

    measured_on: str
    fault: SourcedWork | None = None
    boots: str | None = None
    running: bool = False
    phases: Annotated[tuple[StartPhase, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _faults_cost(self) -> StartupEntry:
        touched = [phase.name for phase in self.phases if phase.memory is not None]
        if touched and self.fault is None:
            raise ValueError(f"fault: expected the cost of a page fault, for {touched[0]} touches memory")
        if self.fault is not None and not touched:
            raise ValueError("fault: has no effect, for no phase touches memory")
        return self
