"""The debugger's terminal: a line is read, what it gives is printed, until there are no more."""

import sys
from collections.abc import Iterable
from contextlib import suppress

from simvirt.emulation.debugging.commands import Debugger
from simvirt.emulation.debugging.stepper import Stepper

PROMPT = "> "


def debug(stepper: Stepper) -> int:
    """Carry out lines of standard input; those that are not typed are shown too, so that a script reads as a session."""
    with suppress(ImportError):
        import readline  # noqa: F401  # lines can be edited where the platform has it
    debugger = Debugger(stepper)
    say(debugger.begin())
    while not debugger.done:
        try:
            line = input(PROMPT)
        except EOFError:
            say([""])
            break
        if not sys.stdin.isatty():
            sys.stdout.write(f"{line}\n")
        try:
            say(debugger.execute(line))
        except KeyboardInterrupt:
            say(["interrupted", *debugger.here()])
    return 0


def say(lines: Iterable[str]) -> None:
    """Print lines."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()
