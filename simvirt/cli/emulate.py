"""`simvirt emulate`: boots a guest on the emulated machine, and counts what it does."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import output
from simvirt.cli.command import INTERRUPTED
from simvirt.cli.options import As, Format

if TYPE_CHECKING:
    from simvirt.emulation.emulator import Emulator, End
    from simvirt.emulation.starting import Start
    from simvirt.result.emulation_document import EmulationDocument

Guest = Annotated[
    str,
    typer.Argument(metavar="GUEST", help="A guest of simvirt (--list), an assembler source, an ELF file or raw image.", show_default=False),
]
Listed = Annotated[bool, typer.Option("--list", help="List the guests of simvirt and their parameters.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="Set a parameter of the guest.", show_default=False),
]
Firmware = Annotated[
    Path | None,
    typer.Option(metavar="IMAGE", help="What runs in machine mode below a --kernel; without, one that is built in.", show_default=False),
]
Disk = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A virtio disk; the file stays as it is, writes are kept in memory.", show_default=False),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="The disk refuses writes.")]
Devices = Annotated[
    list[str] | None,
    typer.Option("--device", metavar="NAME", help="A virtio device: console, entropy[:SEED], net:sink, net:echo.", show_default=False),
]
Kernel = Annotated[
    Path | None,
    typer.Option(metavar="IMAGE", help="What the firmware goes to: ELF, or raw, 2 MiB into the memory.", show_default=False),
]
Initrd = Annotated[Path | None, typer.Option(metavar="FILE", help="An initial file system for the kernel.", show_default=False)]
Append = Annotated[str, typer.Option(metavar="TEXT", help="The kernel's command line.")]
Typed = Annotated[str, typer.Option("--input", metavar="TEXT", help="What is typed on the console; \\n is the enter key.")]
After = Annotated[str, typer.Option(metavar="TEXT", help="Nothing is typed before the guest has said this.")]
Until = Annotated[str, typer.Option(metavar="TEXT", help="End when the guest says this.")]
Most = Annotated[int, typer.Option("--max-instructions", metavar="N", min=1, help="End after so many instructions and traps.")]
Memory = Annotated[str, typer.Option("--memory", metavar="SIZE", help="The machine's memory.")]
Counts = Annotated[bool, typer.Option("--counts", help="Print what was counted, after what the guest has said.")]

Technique = Annotated[str, typer.Option(metavar="NAME", help="native, or trap: trap and emulate over shadow page tables.")]
Compare = Annotated[str, typer.Option(metavar="NAMES", help="Run under each of these, for example native,trap, and print one table.")]


def emulate(
    guest: Guest = "", kernel: Kernel = None, initrd: Initrd = None, append: Append = "", input_: Typed = "", after: After = "",
    until: Until = "", max_instructions: Most = 1_000_000_000, memory: Memory = "128MiB", counts: Counts = False,
    technique: Technique = "native", compare: Compare = "", format_: As = Format.text, firmware: Firmware = None, set_: Settings = None,
    disk: Disk = None, read_only: ReadOnly = False, device: Devices = None, list_: Listed = False,
) -> int:
    """Boot a guest on an emulated RISC-V machine, show its console, and count its traps, page walks and accesses to devices."""
    from simvirt.emulation.emulator import End
    from simvirt.emulation.starting import Start
    from simvirt.report.emulation_report import comparison, report

    if list_:
        return _list(format_)
    start = Start(guest, kernel, firmware, initrd, append, set_ or (), disk, read_only, device or ())
    quiet = bool(compare) or format_ is not Format.text
    runs = [
        _one(start, (input_, until, after), max_instructions, memory, name.strip(), quiet)
        for name in (compare or technique).split(",")
    ]
    found, end = runs[0]
    if compare:
        from simvirt.emulation.counting import comparison as compared

        output.report(comparison(compared(tuple(run for run, _ in runs))), format_)
    elif counts or format_ is not Format.text:
        output.report(report(found), format_)
    elif end is not End.powered_off and end is not End.said:
        code = f" with code {found.code}" if end is End.failed else ""
        output.note(f"{found.guest} {end.value}{code} after {found.instructions:,} instructions")
    return max(_status(end, bool(until)) for _, end in runs)


def _list(format_: Format) -> int:
    """Print the guests of simvirt."""
    from simvirt.emulation.guest_list import listed
    from simvirt.report.emulation_report import guest_list

    output.report(guest_list(listed()), format_)
    return 0


def _one(
    start: "Start", texts: tuple[str, str, str], budget: int, memory: str, technique: str, quiet: bool,
) -> "tuple[EmulationDocument, End]":
    """Run a guest under one technique."""
    from simvirt.emulation.counting import document
    from simvirt.emulation.emulator import Console, Emulator
    from simvirt.emulation.making import sized
    from simvirt.emulation.typing_in import letters

    size = sized(memory)
    typed, until, after = (letters(text) for text in texts)
    emulator = Emulator(size, Console(typed, until, after, (lambda data: None) if quiet else _show), technique, start.cards())
    start.boot(emulator)
    end = _run(emulator, budget)
    return document(emulator, start.name, end), end


def _run(emulator: "Emulator", budget: int) -> "End":
    """Run; Ctrl-C leaves what was counted so far."""
    from simvirt.emulation.emulator import End

    try:
        return emulator.run(budget)
    except KeyboardInterrupt:
        return End.interrupted


def _show(data: bytes) -> None:
    """Print what the guest says as it says it; a text stream without bytes gets characters."""
    if not data:
        return
    sys.stdout.flush()
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(data.decode(errors="replace"))


def _status(end: "End", waited: bool) -> int:
    """0 where the guest has ended as it should, 1 where it failed or has not said what was waited for, 130 where it was interrupted."""
    from simvirt.emulation.emulator import End

    if end is End.interrupted:
        return INTERRUPTED
    good = (End.said,) if waited else (End.powered_off, End.reset, End.idle, End.budget)
    return 0 if end in good else 1
