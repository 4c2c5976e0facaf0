"""The document of a run: tables of counts under their names."""

from __future__ import annotations

from collections.abc import Iterator

from simvirt import machine
from simvirt.emulation.causes import DEVICES, LEVELS, MODES, UNITS, cause_of
from simvirt.emulation.emulator import Emulator, End
from simvirt.emulation.phases import TALLIED
from simvirt.machine import constants as c
from simvirt.machine.devices.rings import TALLIES
from simvirt.machine.devices.virtio_block import BLOCK
from simvirt.machine.devices.virtio_net import NET
from simvirt.result.document import Program
from simvirt.result.emulation_document import Access, Card, EmulationComparison, EmulationDocument, Phase, Translation, Trap
from simvirt.version import __version__

SCHEMA = 1


def document(emulator: Emulator, guest: str, end: End) -> EmulationDocument:
    """What is said of a run."""
    counts, hart = emulator.counts(), emulator.made.hart
    return EmulationDocument(
        simvirt=Program(version=__version__, schema=SCHEMA, kernel=machine.MODE),
        guest=guest,
        technique=emulator.technique,
        ended=end.value,
        code=int(hart["code"][0]),
        instructions=emulator.count,
        by_mode={name: counts["instructions"][mode] for mode, name in MODES.items()},
        ticks=emulator.count // emulator.size.pace + int(hart["skipped"][0]),
        waits=counts["fences"][1],
        traps=tuple(traps(counts["traps"])),
        translation=translation(counts),
        exits=dict(sorted(emulator.made.exits.items(), key=lambda found: (-found[1], found[0]))),
        devices={name: Access(reads=counts["accesses"][k], writes=counts["accesses"][len(DEVICES) + k]) for k, name in enumerate(DEVICES)},
        characters=dict(zip(("sent", "received"), counts["characters"], strict=True)),
        firmware=dict(sorted(emulator.firmware.calls.items())) if emulator.firmware else {},
        virtio=tuple(cards(emulator, counts)),
        phases=tuple(phases(emulator)),
        console=emulator.console.said.decode(errors="replace"),
        state=emulator.state(),
        digest=emulator.digest(),
    )


def cards(emulator: Emulator, counts: dict[str, list[int]]) -> Iterator[Card]:
    """What the devices in the slots did."""
    for slot, card in enumerate(emulator.cards.cards):
        found = dict(zip(TALLIED, counts["virtio"][slot * TALLIES :], strict=False))
        if card.kind == BLOCK:
            found |= zip(("sectors read", "sectors written"), counts["sectors"], strict=True)
        if card.kind == NET:
            found |= zip(("frames received", "frames sent"), counts["frames"], strict=True)
        yield Card(device=card.name, counts=found)


def phases(emulator: Emulator) -> Iterator[Phase]:
    """What was counted in each phase."""
    emulator.phases.end(emulator.tallied())
    for name, found in emulator.phases.found.items():
        yield Phase(name=name, counts=tuple({"what": what, "where": where, "count": count} for (what, where), count in found.items()))


def traps(table: list[int]) -> Iterator[Trap]:
    """Traps that have happened, by mode and cause."""
    for place, count in enumerate(table):
        mode, cause = divmod(place, 2 * c.CAUSES)
        if count:
            yield Trap(mode=MODES[mode], cause=cause_of(cause), count=count)


def translation(counts: dict[str, list[int]]) -> Translation:
    """Counts of page tables and the TLB."""
    return Translation(
        walks=dict(zip(UNITS, counts["walks"], strict=True)),
        references=dict(zip(LEVELS, counts["references"], strict=True)),
        second_stage=dict(zip(LEVELS, counts["second"], strict=True)),
        evictions=dict(zip(UNITS, counts["evictions"], strict=True)),
        fences=counts["fences"][0],
        table_switches=counts["switches"][0],
    )


def comparison(runs: tuple[EmulationDocument, ...]) -> EmulationComparison:
    """Runs of one guest under several techniques, beside each other."""
    return EmulationComparison(simvirt=runs[0].simvirt, runs=runs, same_console=len({run.console for run in runs}) == 1)
