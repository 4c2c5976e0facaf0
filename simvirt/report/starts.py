"""How a platform starts, as text: its phases in their order, what each does, how long it takes alone, where its numbers come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simvirt import units
from simvirt.catalog.records import HostEntry
from simvirt.catalog.resolve.startups import Phase, alone_ns
from simvirt.catalog.sourced import number

GAP = 2
NARROW = 76  # columns below which what a phase does stands below its name
PLACES: Mapping[str, str] = {"host": "on the host", "guest": "in the guest", "instance": "in the replica"}


def start(name: str, title: str, phases: Sequence[Phase], host: HostEntry, where: str, width: int) -> RenderableType:
    """The phases of the start of one replica, with the time of each where nothing else runs, and their sum."""
    head = Text.assemble((name, "bold cyan"), f"  {title}")
    if not phases:
        return Group(head, Text("no phases: what runs on it is a process of the host, which is there at once"))
    numbers = {source: i for i, source in enumerate(dict.fromkeys(source for phase in phases for source in phase.sources), start=1)}
    table = _phases(phases, host, numbers, width < NARROW)
    total = Text.assemble(("in all ", "bold"), (_time(sum(alone_ns(phase, host) for phase in phases)), "bold"), "  ", _parts(phases, host))
    lines = Text("one replica, alone on its host; what several do at once, and locks, make it longer", "dim")
    return Group(head, Text(f"start {where}", "bold"), Padding(Group(table, total, lines), (0, 0, 1, 2)), _sources(numbers))


def _phases(phases: Sequence[Phase], host: HostEntry, numbers: Mapping[str, int], narrow: bool) -> Table:
    """A row for each phase; where a terminal is narrow, what it does stands below."""
    table = Table(box=None, show_header=False, show_edge=False, padding=(0, GAP, 0, 0), pad_edge=False)
    table.add_column("")
    table.add_column("", no_wrap=True, justify="right")
    if not narrow:
        table.add_column("")
    table.add_column("", no_wrap=True)
    layer, in_vm = "", any(phase.on == "guest" for phase in phases)
    for phase in phases:
        if phase.layer != layer:
            table.add_row(Text(phase.layer, "cyan"), *("" for _ in table.columns[1:]))
            layer = phase.layer
        time = Text(f"{'~ ' if phase.estimated else ''}{_time(alone_ns(phase, host))}")
        mark = Text(f"[{', '.join(str(numbers[source]) for source in phase.sources)}]", "dim")
        does = Text(", ".join(work(phase, in_vm)), "dim")
        table.add_row(Text(f"  {phase.name}"), time, *(() if narrow else (does,)), mark)
        if narrow:
            table.add_row(Padding(does, (0, 0, 0, 4)), "", "")
    return table


def work(phase: Phase, in_vm: bool) -> Iterator[str]:
    """What a phase does, and where, as phrases; `in_vm` is whether the replica is in a virtual machine."""
    yield PLACES[phase.on]
    if phase.cpu_ns:
        yield f"CPU {_time(phase.cpu_ns)}"
    if phase.each_ns:
        yield f"{_time(phase.each_ns)} more for each that is there"
    if phase.read:
        yield f"reads {units.format_size(phase.read)}{f' in pieces of {units.format_size(phase.piece)}' if phase.piece else ''}"
    if phase.write:
        yield f"writes {units.format_size(phase.write)}"
    if phase.flushes:
        yield f"{phase.flushes} {'flush' if phase.flushes == 1 else 'flushes'}"
    if phase.wait_ns:
        yield f"waits {_time(phase.wait_ns)}"
    if phase.lock is not None:
        yield f"holds {phase.lock}"
    if phase.per != "instance":
        yield f"once for each {'VM' if phase.per == 'vm' and in_vm else 'host'}"


def _parts(phases: Sequence[Phase], host: HostEntry) -> str:
    """What the whole is made of: CPU time, waits, the drive."""
    cpu, wait = sum(phase.cpu_ns for phase in phases), sum(phase.wait_ns for phase in phases)
    drive = sum(alone_ns(phase, host) for phase in phases) - cpu - wait
    told = {"CPU": cpu, "waits": wait, "drive": drive}
    return ", ".join(f"{name} {_time(ns)}" for name, ns in told.items() if ns >= 1)


def _time(ns: float) -> str:
    """A time with as many digits as mean something."""
    return number(float(f"{ns:.3g}"), "ns")


def _sources(numbers: Mapping[str, int]) -> RenderableType:
    """The numbered sources, and what the mark means."""
    table = Table(box=None, show_header=False, show_edge=False, padding=(0, GAP, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True, justify="right")
    table.add_column("", overflow="fold")
    for source, i in numbers.items():
        table.add_row(Text(f"[{i}]", "dim"), Text(source))
    mark = Text("~ estimated: derived from mechanism or a sibling, not measured", "dim")
    return Group(Text("sources", "bold"), Padding(table, (0, 0, 0, 2)), mark)
