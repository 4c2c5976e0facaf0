"""The document of `simvirt emulate`: what a guest said, why it ended, and what was counted."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from simvirt.result.document import Document, Program


class Trap(Document):
    """Traps of one cause from one mode."""

    mode: str = Field(description="mode that trapped")
    cause: str = Field(description="the cause")
    count: int = Field(description="how often")


class Translation(Document):
    """Page tables and the TLB."""

    walks: dict[str, int] = Field(description="walks of page tables, which is misses of the TLB, for data and for instructions")
    references: dict[str, int] = Field(description="entries of page tables that were read, by what an entry of the level maps")
    second_stage: dict[str, int] = Field(description="entries of a host's tables that were read for addresses of a guest")
    evictions: dict[str, int] = Field(description="translations that made room for others, for data and for instructions")
    fences: int = Field(description="`sfence.vma`")
    table_switches: int = Field(description="writes to `satp` that changed it")


class Access(Document):
    """Accesses to one device."""

    reads: int = Field(description="loads")
    writes: int = Field(description="stores")


class Card(Document):
    """What a virtio device did."""

    device: str = Field(description="`disk`, `console`, `entropy`, `net`")
    counts: dict[str, int] = Field(description="kicks, requests, descriptors, bytes read from memory and written to it, interrupts ...")


class Phase(Document):
    """What was counted in a phase that the guest marked."""

    name: str = Field(description="name of the phase")
    counts: tuple[dict[str, Any], ...] = Field(description="rows of `what`, `where` and `count`; what is zero is left out")


class OperationCost(Document):
    """What one operation of the guest costs on a platform, two ways."""

    operation: str = Field(description="operation of the catalogue; `devices` for exits that are accesses to devices")
    count: int = Field(description="how many the guest performed")
    exits: int = Field(description="exits to the monitor that were for it")
    charged_s: float = Field(description="CPU time that the performance model charges for them on the platform [s]")
    exits_s: float = Field(description="CPU time of the exits at a round trip of the host's processor each [s]")


class EmulationCost(Document):
    """From counts to a prediction; exits of RISC-V are not those of x86: how many there are transfers, costs are the catalogue's."""

    platform: str = Field(description="platform of the catalogue whose costs are taken")
    host: str = Field(description="host of the catalogue")
    own_s: float = Field(description="the guest's own CPU time on that host, at an instruction a cycle [s]")
    exit_s: float = Field(description="a round trip between guest and hypervisor on that host [s]")
    overhead: float | None = Field(description="what the performance model charges, over the guest's own time; null without instructions")
    overhead_of_exits: float | None = Field(description="what the counted exits cost, over the guest's own time; null without exits")
    operations: tuple[OperationCost, ...] = Field(description="by operation, the dearest first")


class EmulationDocument(Document):
    """`simvirt emulate --format json`."""

    simvirt: Program = Field(description="what made it")
    guest: str = Field(description="what ran first")
    technique: str = Field(description="technique that virtualized the machine; `native` for none")
    ended: str = Field(description="why it ended")
    code: int = Field(description="what the guest gave as its exit code, 0 where it gave none")
    instructions: int = Field(description="instructions that were carried out")
    by_mode: dict[str, int] = Field(description="instructions by the mode that they ran in")
    ticks: int = Field(description="ticks of the guest's clock that passed, 10 million a second of the guest")
    waits: int = Field(description="`wfi`")
    traps: tuple[Trap, ...] = Field(description="exceptions and interrupts")
    translation: Translation = Field(description="page tables and the TLB")
    exits: dict[str, int] = Field(description="exits to the monitor, by cause and what it did; they are not those of x86")
    devices: dict[str, Access] = Field(description="loads and stores of devices")
    characters: dict[str, int] = Field(description="characters `sent` and `received` by the guest")
    firmware: dict[str, int] = Field(description="calls of the firmware that is built in, by extension and function")
    virtio: tuple[Card, ...] = Field(description="virtio devices that are plugged in")
    phases: tuple[Phase, ...] = Field(description="phases that the guest marked, in the order in which they began first")
    console: str = Field(description="what the guest said")
    state: str = Field(description="SHA-256 of registers and memory at the end: the same under each technique")
    digest: str = Field(description="SHA-256 of registers, memory and counts at the end: the same in every run")
    cost: EmulationCost | None = Field(default=None, description="what it would cost on a platform; null where none was named")

    def flat(self) -> list[dict[str, Any]]:
        """Counts as rows."""
        rows = [{"what": "instructions", "where": mode, "count": count} for mode, count in self.by_mode.items()]
        rows += [{"what": trap.cause, "where": trap.mode, "count": trap.count} for trap in self.traps]
        rows += [{"what": "exit", "where": what, "count": count} for what, count in self.exits.items()]
        rows += [{"what": "walk", "where": unit, "count": count} for unit, count in self.translation.walks.items()]
        rows += [{"what": "page table reference", "where": level, "count": count} for level, count in self.translation.references.items()]
        rows += [{"what": "second stage reference", "where": level, "count": n} for level, n in self.translation.second_stage.items()]
        rows += [{"what": "device read", "where": name, "count": found.reads} for name, found in self.devices.items()]
        rows += [{"what": "call of the firmware", "where": what, "count": count} for what, count in self.firmware.items()]
        for card in self.virtio:
            rows += [{"what": f"virtio {card.device}", "where": what, "count": count} for what, count in card.counts.items()]
        return rows + [{"what": "device write", "where": name, "count": found.writes} for name, found in self.devices.items()]


class EmulationComparison(Document):
    """`simvirt emulate --compare --format json`: one guest under several techniques."""

    simvirt: Program = Field(description="what made it")
    runs: tuple[EmulationDocument, ...] = Field(description="a run by technique, in the order asked for")
    same_console: bool = Field(description="whether the guest said the same under each")

    def flat(self) -> list[dict[str, Any]]:
        """Counts of all runs as rows."""
        return [{"technique": run.technique} | row for run in self.runs for row in run.flat()]


class Guest(Document):
    """A guest that comes with simvirt."""

    name: str = Field(description="name for the command line")
    about: str = Field(description="what it does")
    mode: str = Field(description="mode that it begins in: `machine`, or `supervisor` above the firmware that is built in")
    parameters: dict[str, str] = Field(description="what `--set` sets -> its default and meaning")


class GuestList(Document):
    """`simvirt emulate --list --format json`."""

    simvirt: Program = Field(description="what made it")
    guests: tuple[Guest, ...] = Field(description="guests by name")

    def flat(self) -> list[dict[str, Any]]:
        """A row a parameter, or a guest that has none."""
        return [
            {"guest": one.name, "parameter": name, "meaning": meaning}
            for one in self.guests for name, meaning in (one.parameters or {"": one.about}).items()
        ]
