"""The report of `simvirt emulate`: why the guest ended, where its instructions ran, what trapped, walked and reached devices."""

from collections.abc import Iterator

from simvirt.report.blocks import Block, Data, Prose, Report, Table, Title, cells, titled
from simvirt.report.heading import made_by
from simvirt.result.emulation_document import EmulationComparison, EmulationCost, EmulationDocument, GuestList
from simvirt.units import format_time


def report(document: EmulationDocument) -> Report:
    """All that is said of a run."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: EmulationDocument) -> Iterator[Block]:
    yield Title(f"{document.guest}: {document.ended}", (made_by(document.simvirt),), level=1)
    yield Prose(sentence(document), tone="lead")
    yield modes(document)
    yield from titled("Traps", traps(document))
    yield from titled("Exits", exits(document))
    yield from titled("Page tables", translation(document))
    yield from titled("Devices", devices(document))
    yield from titled("Virtio devices", cards(document))
    yield from titled("Calls of the firmware", firmware(document))
    yield from titled("Phases", phases(document))
    if document.cost is not None:
        yield from costs(document.cost)
    yield Data(tuple(document.flat()), ("what", "where", "count"))


def sentence(document: EmulationDocument) -> str:
    """The run in a sentence."""
    seconds = document.ticks / 10_000_000
    code = f", with code {document.code}" if document.code else ""
    return f"{document.guest} {document.ended}{code} after {document.instructions:,} instructions and {seconds:.3f} s of its own clock."


def modes(document: EmulationDocument) -> Table:
    """Instructions by mode."""
    whole = max(document.instructions, 1)
    rows = [cells(name, f"{count:,}", f"{100 * count / whole:.1f} %") for name, count in document.by_mode.items()]
    return Table(("mode", "instructions", "share"), tuple(rows))


def traps(document: EmulationDocument) -> Table:
    """Exceptions and interrupts."""
    return Table(("cause", "from", "count"), tuple(cells(one.cause, one.mode, f"{one.count:,}") for one in document.traps), (0, 1), 2)


def translation(document: EmulationDocument) -> Table:
    """Walks, what they read, fences; empty where no page table was in use."""
    found = document.translation
    walks = sum(found.walks.values())
    references = sum(found.references.values()) + sum(found.second_stage.values())
    if not walks:
        return Table(("", "count"), ())
    rows = [(f"walks for {unit}", count) for unit, count in found.walks.items()]
    rows += [(f"entries read, of {level}", count) for level, count in found.references.items()]
    if any(found.second_stage.values()):
        rows += [(f"entries of the second stage read, of {level}", count) for level, count in found.second_stage.items()]
    rows += [("fences", found.fences), ("switches of the table", found.table_switches)]
    whole = [cells(name, f"{count:,}") for name, count in rows]
    return Table(("", "count"), (*whole, cells("entries a walk", f"{references / walks:.2f}")))


def devices(document: EmulationDocument) -> Table:
    """Loads and stores of devices that were used."""
    used = {name: found for name, found in document.devices.items() if found.reads or found.writes}
    return Table(("device", "loads", "stores"), tuple(cells(name, f"{one.reads:,}", f"{one.writes:,}") for name, one in used.items()))


def cards(document: EmulationDocument) -> Table:
    """What virtio devices did, a column each."""
    if not document.virtio:
        return Table(("", "count"), ())
    names = dict.fromkeys(what for card in document.virtio for what in card.counts)
    rows = [cells(what, *(f"{card.counts[what]:,}" if what in card.counts else "" for card in document.virtio)) for what in names]
    return Table(("", *(card.device for card in document.virtio)), tuple(rows))


def firmware(document: EmulationDocument) -> Table:
    """Calls of the firmware that is built in."""
    return Table(("call", "count"), tuple(cells(what, f"{count:,}") for what, count in document.firmware.items()))


def phases(document: EmulationDocument) -> Table:
    """What was counted by phase, a column each."""
    found = [{(row["what"], row["where"]): row["count"] for row in phase.counts} for phase in document.phases]
    names = dict.fromkeys(key for one in found for key in one)
    rows = [cells(what, where, *(f"{one.get((what, where), 0):,}" for one in found)) for what, where in names]
    return Table(("what", "where", *(phase.name for phase in document.phases)), tuple(rows), (0, 1), 2)


def guest_list(document: GuestList) -> Report:
    """Guests and their parameters."""
    rows = []
    for one in document.guests:
        rows.append(cells(one.name, one.about))
        rows += [cells("", f"{name}: {meaning}") for name, meaning in one.parameters.items()]
    title = Title("Guests of simvirt", (made_by(document.simvirt),), level=1)
    table = Table(("guest", "what it does, and what --set sets"), tuple(rows), (0, 1), prose=1)
    return Report(document, (title, table, Data(tuple(document.flat()), ("guest", "parameter", "meaning"))))


def exits(document: EmulationDocument) -> Table:
    """Exits to the monitor, by cause and what it did."""
    return Table(("exit", "count"), tuple(cells(what, f"{count:,}") for what, count in document.exits.items()))


def costs(cost: EmulationCost) -> Iterator[Block]:
    """What the guest would cost on a platform: as the performance model charges it, and by its exits."""
    yield Title(f"Costs on {cost.platform}, {cost.host}")
    yield Prose(cost_sentence(cost))
    rows = tuple(
        cells(row.operation, f"{row.count:,}", format_time(row.charged_s), f"{row.exits:,}", format_time(row.exits_s))
        for row in cost.operations
    )
    yield Table(("operation", "count", "charged", "exits", "they cost"), rows)


def cost_sentence(cost: EmulationCost) -> str:
    """The two predictions in words."""
    said = f"The guest's own work is {format_time(cost.own_s)} at an instruction a cycle"
    if cost.overhead is not None:
        said += f"; the performance model charges {share(cost.overhead)} more for the operations that it performed"
    counted = ""
    if cost.overhead_of_exits is not None:
        counted = f", the exits that were counted would cost {share(cost.overhead_of_exits)} at {format_time(cost.exit_s)} each"
    return f"{said}{counted}. Exits of RISC-V are not exits of x86: how many there are transfers, what one costs is of {cost.host}."


def share(value: float) -> str:
    """A part of the guest's own time."""
    return f"{100 * value:,.1f} %"


def comparison(document: EmulationComparison) -> Report:
    """One guest under several techniques."""
    same = "The guest says the same under each." if document.same_console else "The guest does not say the same under each."
    note = "Exits of RISC-V are not exits of x86: how many there are for an operation transfers, what one costs does not."
    table = Data(tuple(document.flat()), ("technique", "what", "where", "count"))
    title = Title(f"{document.runs[0].guest}: techniques compared", (made_by(document.simvirt),), level=1)
    return Report(document, (title, Prose(f"{same} {note}", tone="lead"), beside(document), table))


def beside(document: EmulationComparison) -> Table:
    """Counts by technique, a column each."""
    names = dict.fromkeys(what for run in document.runs for what in run.exits)
    rows = [cells("instructions", *(f"{run.instructions:,}" for run in document.runs))]
    rows.append(cells("exits", *(f"{sum(run.exits.values()):,}" for run in document.runs)))
    rows += [cells(what, *(f"{run.exits.get(what, 0):,}" for run in document.runs)) for what in names]
    return Table(("", *(run.technique for run in document.runs)), tuple(rows))
