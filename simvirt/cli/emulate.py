"""`simvirt emulate`: boots a guest on the emulated machine, and counts what it does."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import output
from simvirt.cli.command import FAILED, INTERRUPTED
from simvirt.cli.options import As, Format
from simvirt.emulation.monitors import TECHNIQUES

if TYPE_CHECKING:
    from simvirt.emulation.asked import Asked
    from simvirt.emulation.debugging.stepper import Stepper
    from simvirt.emulation.emulator import Emulator, End
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
    Path | None, typer.Option(metavar="FILE", help="A virtio disk; the file stays as it is, writes stay in memory.", show_default=False),
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
Longest = Annotated[str | None, typer.Option("--max-time", metavar="TIME", help="End after so much real time: 30s.", show_default=False)]
Memory = Annotated[str, typer.Option("--memory", metavar="SIZE", help="The machine's memory.")]
Counts = Annotated[bool, typer.Option("--counts", help="Print what was counted, after what the guest has said.")]
Technique = Annotated[str, typer.Option(metavar="NAME", help=f"What virtualizes the machine: {', '.join(TECHNIQUES)}.")]
Pages = Annotated[
    str | None, typer.Option(metavar="SIZE", help="Pages of the second stage, of nested: 4k or 2m.", show_default=False)
]
Pass = Annotated[
    str | None, typer.Option("--pass", metavar="DEVICES", help="Devices that nested passes through: uart,plic.", show_default=False)
]
Compare = Annotated[str, typer.Option(metavar="NAMES", help="Run under each of these, for example native,trap, and print one table.")]
CostOn = Annotated[
    str | None, typer.Option("--cost", metavar="PLATFORM", help="What it would cost on this platform: kvm.", show_default=False)
]
Host = Annotated[
    str | None,
    typer.Option("--host", metavar="NAME", help="Host of the catalogue for --cost and --profile; generic by default.", show_default=False),
]
Profile = Annotated[
    Path | None, typer.Option("--profile", metavar="FILE", help="Write its rates as a profile for scenarios.", show_default=False)
]
TraceFile = Annotated[
    Path | None, typer.Option("--trace", metavar="FILE", help="Write a timeline for Perfetto: trace.json.gz.", show_default=False)
]
TraceOf = Annotated[
    str | None, typer.Option("--trace-of", metavar="PART", help="What the timeline shows: exits, walks, all (default).", show_default=False)
]
Gdb = Annotated[
    int | None, typer.Option("--gdb", metavar="PORT", min=0, help="Wait for GDB at this port of your machine.", show_default=False)
]
Step = Annotated[bool, typer.Option("--step", help="Step through it, forwards and backwards; help in there lists the words.")]
Beside = Annotated[
    str,
    typer.Option(metavar="GUEST", help="A second machine on the same network: 'packets answers=1'; it is silent.", show_default=False),
]

GENERIC = "generic"
"""Host that costs and rates are of where none is named."""


def _carried_out(asked: "Asked", technique: str) -> "tuple[EmulationDocument, End, bool]":
    """Run the guest under a technique; the last says whether a timeline that was asked for could not be written."""
    from simvirt.emulation.counting import document

    emulator = asked.emulator(technique)
    end = _run(emulator, asked.second(), asked.instructions, asked.seconds)
    if emulator.timeline is not None:
        emulator.timeline.end(emulator.made)
        output.note(emulator.timeline.sentence())
    return document(emulator, asked.name, end), end, bool(emulator.timeline and emulator.timeline.lost)


def emulate(
    guest: Guest = "", kernel: Kernel = None, initrd: Initrd = None, append: Append = "", input_: Typed = "", after: After = "",
    until: Until = "", max_instructions: Most = 1_000_000_000, max_time: Longest = None, memory: Memory = "128MiB", counts: Counts = False,
    technique: Technique = "native", compare: Compare = "", cost: CostOn = None, host: Host = None, profile: Profile = None,
    trace: TraceFile = None, trace_of: TraceOf = None, pages: Pages = None, pass_: Pass = None, format_: As = Format.text,
    firmware: Firmware = None, set_: Settings = None, disk: Disk = None, read_only: ReadOnly = False, device: Devices = None,
    beside: Beside = "", list_: Listed = False, step: Step = False, gdb: Gdb = None,
) -> int:
    """Boot a guest on an emulated RISC-V machine, show its console, and count its traps, page walks and accesses to devices."""
    from simvirt.emulation.asked import Asked
    from simvirt.emulation.starting import Start

    if list_:
        return _list(format_)
    quiet = bool(compare) or format_ is not Format.text
    start = Start(guest, kernel, firmware, initrd, append, set_ or (), disk, read_only, device or (), 0 if beside else None)
    asked = Asked(
        start, input_, until, after, memory, max_instructions, _seconds(max_time), (lambda data: None) if quiet else _show, trace, trace_of,
        pages, pass_, beside,
    )
    _go_together(asked, host, cost, profile)
    techniques = [name.strip() for name in (compare or technique).split(",")]
    _takes(techniques, asked)
    if step or gdb is not None:
        others = {
            "--compare": compare, "--cost": cost, "--profile": profile, "--trace": trace, "--until": until, "--beside": beside,
            "--counts": counts, "--max-time": max_time, "--format": format_ is not Format.text,
        }
        return _step(asked, technique, gdb, others)
    if compare:
        return _compare(asked, techniques, format_, (cost, profile))
    _known(cost, host or GENERIC, profile)
    found, end, lost = _carried_out(asked, technique)
    found = found if cost is None else _with_cost(found, cost, host or GENERIC)
    if profile is not None:
        from simvirt.emulation.profile import profile_text

        output.new_file(profile, profile_text(found, host or GENERIC))
    _tell(found, end, counts or cost is not None, format_)
    return FAILED if lost else _status(end, bool(until))


def _compare(asked: "Asked", techniques: list[str], form: Format, refused: tuple[str | None, Path | None]) -> int:
    """Run under several techniques, and print one table; an interrupt ends all of them, with what was counted so far."""
    from simvirt.emulation.counting import comparison as compared
    from simvirt.emulation.emulator import End
    from simvirt.errors import UsageError
    from simvirt.report.emulation_report import comparison

    if any(option is not None for option in (*refused, asked.trace)):
        raise UsageError("--compare prints one table of several runs: give --cost, --profile or --trace with --technique, one at a time")
    runs = []
    for name in techniques:
        runs.append(_carried_out(asked, name))
        if runs[-1][1] is End.interrupted:
            break
    output.report(comparison(compared(tuple(run for run, _, _ in runs))), form)
    return max(_status(end, bool(asked.until)) for _, end, _ in runs)


def _step(asked: "Asked", technique: str, port: int | None, refused: Mapping[str, object]) -> int:
    """Step through a guest in the terminal, or let GDB do it."""
    from simvirt.cli.debugger import debug
    from simvirt.errors import UsageError

    word = "--step" if port is None else "--gdb"
    for option, value in refused.items():
        if value:
            raise UsageError(f"{option}: not with {word}, which ends nowhere by itself; expected one of the two")
    stepper = asked.stepper(technique)
    if port is None:
        return debug(stepper)
    return _serve(stepper, port)


def _serve(stepper: "Stepper", port: int) -> int:
    """Wait for GDB, and serve it until it goes."""
    from simvirt.emulation.debugging.gdb import listening, serve

    with listening(port) as waiting:
        output.note(f"waiting for GDB: target remote 127.0.0.1:{waiting.getsockname()[1]}")
        serve(stepper, waiting)
    return 0


def _takes(techniques: list[str], asked: "Asked") -> None:
    """Look techniques up before anything runs; UsageError where there is none, or where none takes an option that is given."""
    from simvirt.emulation.monitors import refuse

    refuse(techniques, asked.pages, asked.passed)


def _tell(found: "EmulationDocument", end: "End", counts: bool, form: Format) -> None:
    """Print what was counted, or only why the run ended where that is not as it should."""
    from simvirt.emulation.emulator import End
    from simvirt.report.emulation_report import report

    if counts or form is not Format.text:
        output.report(report(found), form)
    elif end is not End.powered_off and end is not End.said:
        code = f" with code {found.code}" if end is End.failed else ""
        output.note(f"{found.guest} {end.value}{code} after {found.instructions:,} instructions")


def _list(form: Format) -> int:
    """Print the guests of simvirt."""
    from simvirt.emulation.guest_list import listed
    from simvirt.report.emulation_report import guest_list

    output.report(guest_list(listed()), form)
    return 0


def _go_together(asked: "Asked", host: str | None, cost: str | None, profile: Path | None) -> None:
    """UsageError for an option that does nothing without another one."""
    from simvirt.errors import UsageError

    if host is not None and cost is None and profile is None:
        raise UsageError(f"--host: expected --cost or --profile beside it, for example --cost kvm --host {host}")
    if asked.trace_of is not None and asked.trace is None:
        wanted = f"--trace trace.json.gz --trace-of {asked.trace_of}"
        raise UsageError(f"--trace-of: expected --trace and a file beside it, for example {wanted}")


def _known(platform: str | None, host: str, profile: Path | None) -> None:
    """Look up what is named before anything runs; ScenarioError for no entry of the catalogue, UsageError for a file that is there."""
    from simvirt.emulation.costs import costs_on, host_of

    if platform is not None:
        costs_on(platform, host)
    if profile is not None:
        host_of(host)
        output.not_there(profile)


def _with_cost(found: "EmulationDocument", platform: str, host: str) -> "EmulationDocument":
    """A document with what it would cost on a platform."""
    from simvirt.emulation.costs import charged

    return found.model_copy(update={"cost": charged(found, platform, host)})


def _seconds(text: str | None) -> float:
    """A bound of time [s]; UsageError where it is none."""
    from simvirt.errors import UsageError
    from simvirt.units import UnitError, parse_time

    if text is None:
        return math.inf
    try:
        return parse_time(text)
    except UnitError as error:
        raise UsageError(f"--max-time {text}: {error}") from None


def _run(emulator: "Emulator", second: "Emulator | None", budget: int, seconds: float) -> "End":
    """Run, beside a second machine if there is one; Ctrl-C leaves what was counted so far."""
    from simvirt.emulation.emulator import End
    from simvirt.emulation.wire import run_pair

    try:
        return emulator.run(budget, seconds) if second is None else run_pair(emulator, second, budget, seconds)
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
    good = (End.said,) if waited else (End.powered_off, End.reset, End.idle, End.budget, End.late)
    return 0 if end in good else 1
