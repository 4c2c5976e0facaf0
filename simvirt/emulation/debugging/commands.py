"""The words of the debugger: each is a function that takes the rest of the line and gives lines to print."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from simvirt.emulation.causes import EXCEPTIONS, INTERRUPTS, MODES
from simvirt.emulation.debugging import views
from simvirt.emulation.debugging.stepper import FAR, Happened, Stepper
from simvirt.emulation.disassembler import ABI
from simvirt.errors import UsageError

SEARCH: Final = 100 * FAR
"""Steps that `continue` makes at most."""
MOST_BYTES: Final = 4096


@dataclass
class Stop:
    """What `continue` stops at."""

    text: str
    holds: Callable[[Stepper, Happened], bool]


@dataclass
class Debugger:
    """A guest that is stepped, what it stops at, and what was shown of its console."""

    stepper: Stepper
    stops: list[Stop] = field(default_factory=list)
    last: Happened | None = None
    shown: int = 0
    repeated: str = "step"
    done: bool = False

    def begin(self) -> Iterator[str]:
        """What is shown first."""
        yield "step, back, continue, break, walk ...: help lists all; an empty line repeats the last step"
        yield from views.place(self.stepper)

    def execute(self, line: str) -> list[str]:
        """Carry out a line; what is to be shown, a mistake in words."""
        word, _, rest = (line.strip() or self.repeated).partition(" ")
        name = next((name for name in COMMANDS if name.startswith(word)), None)
        if name is None:
            return wrapped(f"{word}: expected one of {', '.join(COMMANDS)}, for example step 10")
        self.repeated = line.strip() if name in ("step", "back", "continue") and line.strip() else self.repeated
        try:
            return list(COMMANDS[name](self, rest.strip()))
        except UsageError as error:
            return wrapped(str(error))

    def here(self) -> Iterator[str]:
        """Where the guest stands, and what it has said since."""
        said = bytes(self.stepper.emulator.console.said)
        self.shown = min(self.shown, len(said))
        if len(said) > self.shown:
            yield from (f"  | {text}" for text in said[self.shown :].decode(errors="replace").rstrip("\n").split("\n"))
        self.shown = len(said)
        yield from views.place(self.stepper, self.last)


def step(debugger: Debugger, rest: str) -> Iterator[str]:
    """step [N]: N instructions or traps forwards"""
    count = number_of(rest, "step", 1)
    debugger.stepper.to(debugger.stepper.at + count - 1)
    debugger.last = debugger.stepper.step() if debugger.stepper.end is None else None
    yield from debugger.here()


def back(debugger: Debugger, rest: str) -> Iterator[str]:
    """back [N]: N instructions or traps backwards"""
    debugger.stepper.back(number_of(rest, "back", 1))
    debugger.last = None
    yield from debugger.here()


def to(debugger: Debugger, rest: str) -> Iterator[str]:
    """to POSITION: stand there, forwards or backwards"""
    debugger.stepper.to(number_of(rest, "to", None))
    debugger.last = None
    yield from debugger.here()


def go_on(debugger: Debugger, rest: str) -> Iterator[str]:
    """continue [N]: up to a stop or the end, at most N steps (a million)"""
    most = number_of(rest, "continue", SEARCH)
    if not debugger.stops:
        debugger.stepper.to(debugger.stepper.at + most)
        debugger.last = None
    else:
        debugger.last = debugger.stepper.until(lambda found: any(stop.holds(debugger.stepper, found) for stop in debugger.stops), most)
        if debugger.last is None and debugger.stepper.end is None:
            yield f"no stop within {most:,} steps"
    yield from debugger.here()


def stop_at(debugger: Debugger, rest: str) -> Iterator[str]:
    """break [ADDRESS|LABEL|trap [CAUSE]|mode NAME|exit [TEXT]|none]: stops"""
    if rest == "none":
        debugger.stops.clear()
    elif rest:
        debugger.stops.append(stop_of(debugger.stepper, rest))
    yield from (f"{k}. {stop.text}" for k, stop in enumerate(debugger.stops, 1))
    if not debugger.stops:
        yield "no stops"


def stop_of(stepper: Stepper, text: str) -> Stop:
    """What a text means as a stop."""
    word, _, rest = text.partition(" ")
    if word == "trap":
        known(rest, (*EXCEPTIONS.values(), *INTERRUPTS.values()), "cause")
        return Stop(text, lambda _, found: any(rest in name for name in found.traps))
    if word == "mode":
        known(rest, tuple(MODES.values()), "mode")
        return Stop(text, lambda _, found: rest in found.modes)
    if word == "exit":
        return Stop(text, lambda _, found: any(rest in name for name in found.exits))
    at = address_of(stepper, text)
    return Stop(f"{text} ({at:#x})", lambda stepped, _: stepped.pc & views.MASK == at)


def known(text: str, names: tuple[str, ...], what: str) -> None:
    """UsageError where no name has a text in it."""
    if not any(text in name for name in names):
        raise UsageError(f"{text}: expected a {what}, for example {names[0]}; there are {', '.join(names)}")


def registers(debugger: Debugger, rest: str) -> Iterator[str]:
    """registers: all of them"""
    yield from views.registers(debugger.stepper.made)


def control(debugger: Debugger, rest: str) -> Iterator[str]:
    """csr [NAME ...]: registers of control; those that are not zero by default"""
    names = rest.split()
    for name in names:
        if not views.control(name):
            raise UsageError(f"{name}: expected a register of control, for example satp")
    yield from views.controls(debugger.stepper.made, names)


def memory(debugger: Debugger, rest: str) -> Iterator[str]:
    """memory ADDRESS [BYTES]: what lies there, as the guest sees it now"""
    where, _, count = rest.partition(" ")
    yield from views.memory(debugger.stepper.made, address_of(debugger.stepper, where), min(number_of(count, "memory", 64), MOST_BYTES))


def listed(debugger: Debugger, rest: str) -> Iterator[str]:
    """list [ADDRESS]: instructions there; the next ones by default"""
    at = address_of(debugger.stepper, rest) if rest else debugger.stepper.pc
    yield from views.instructions(debugger.stepper.made, at, 2 * views.AROUND)


def walk(debugger: Debugger, rest: str) -> Iterator[str]:
    """walk [ADDRESS]: its page tables entry by entry; by default here"""
    yield from views.walk(debugger.stepper.made, address_of(debugger.stepper, rest) if rest else debugger.stepper.pc)


def tables(debugger: Debugger, rest: str) -> Iterator[str]:
    """tables [ADDRESS]: the guest's page tables beside their shadow"""
    harts = debugger.stepper.harts()
    if len(harts) == 1:
        raise UsageError("tables: there is no shadow without a monitor; expected --technique trap, for example")
    yield from views.tables(harts[0], harts[1], address_of(debugger.stepper, rest) if rest else debugger.stepper.pc)


def counts(debugger: Debugger, rest: str) -> Iterator[str]:
    """counts: exits, traps and walks so far"""
    yield from views.counted(debugger.stepper.made)


def console(debugger: Debugger, rest: str) -> Iterator[str]:
    """console: all that the guest has said"""
    yield from bytes(debugger.stepper.emulator.console.said).decode(errors="replace").split("\n")


def digest(debugger: Debugger, rest: str) -> Iterator[str]:
    """digest: the state as a number; the same whenever one stands here"""
    yield debugger.stepper.emulator.digest()


def helped(debugger: Debugger, rest: str) -> Iterator[str]:
    """help: this list; a word may be shortened"""
    yield from (f"  {function.__doc__}" for function in COMMANDS.values())


def quit_(debugger: Debugger, rest: str) -> Iterator[str]:
    """quit: the end"""
    debugger.done = True
    yield from ()


COMMANDS: Final[dict[str, Callable[[Debugger, str], Iterator[str]]]] = {
    "step": step, "continue": go_on, "break": stop_at, "back": back, "to": to, "registers": registers, "memory": memory, "list": listed,
    "walk": walk, "tables": tables, "csr": control, "counts": counts, "console": console, "digest": digest, "help": helped, "quit": quit_,
}
"""Words of the debugger; what begins several of them is the first."""


def wrapped(text: str) -> list[str]:
    """A mistake in lines."""
    return textwrap.wrap(text, views.WIDTH)


def number_of(text: str, word: str, default: int | None) -> int:
    """A number of a command."""
    if not text and default is not None:
        return default
    try:
        found = int(text.replace(",", ""), 0)
    except ValueError:
        found = -1
    if found < 0:
        raise UsageError(f"{word}: expected a number, for example {word} 10; got {text or 'nothing'}")
    return found


def address_of(stepper: Stepper, text: str) -> int:
    """An address: a number, a label, or a register."""
    labels = stepper.emulator.labels
    if text in labels:
        return labels[text]
    if text in ABI:
        return int(stepper.made.registers["x"][ABI.index(text)])
    try:
        return int(text, 0)
    except ValueError:
        some = ", ".join(list(labels)[:6]) or "none here"
        raise UsageError(f"{text}: expected an address, a register or a label ({some}), for example 0x80000000") from None
