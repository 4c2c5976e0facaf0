"""The exceptions of simvirt.

    SimvirtError                     exit status 3
    +-- UsageError                   exit status 2: the command or the call is wrong
    |   +-- UnitError (ValueError)   a quantity cannot be read
    +-- ScenarioError                exit status 2: the input is wrong; holds every mistake at once
    +-- SimulationError              exit status 3: the simulation failed
        +-- StandstillError          exit status 2: the scenario lets no time pass
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Iterable


class SimvirtError(Exception):
    """Whatever simvirt refuses or fails to do; `exit_status` is what the command line ends with."""

    exit_status: ClassVar[int] = 3


class UsageError(SimvirtError):
    """A command or a call that makes no sense."""

    exit_status = 2


class UnitError(UsageError, ValueError):
    """A text that is no quantity of the wanted kind; the message shows an example of one that is."""


class SimulationError(SimvirtError):
    """A simulation that could not be carried out."""


class StandstillError(SimulationError):
    """A scenario whose requests follow one another at one instant, for ever: it is wrong, which only its run has shown."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Issue:
    """One mistake: where it was written, the path of the value, and a message (what was expected, an example, what came, a guess).

    `file` may also be an option (`--set run.seed`); line and column count from 1. What is not known is None.
    """

    file: str | None
    line: int | None
    column: int | None
    path: str
    message: str

    def __str__(self) -> str:
        """`web.yaml:14:7: services.web.thread: unknown key; did you mean "threads"?`"""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        path = "" if place == f"--set {self.path}" else self.path
        text = ": ".join(part for part in (place, path, self.message) if part)
        return "".join(letter if letter.isprintable() else "?" for letter in text)


class ScenarioError(SimvirtError):
    """A scenario, or a file that it names, with mistakes; `issues` holds all of them."""

    exit_status = 2

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues: tuple[Issue, ...] = tuple(issues)
        super().__init__("\n".join(str(issue) for issue in self.issues))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Issue, ...]]]:
        return type(self), (self.issues,)


def sentence(error: BaseException) -> str:
    """An error in words on one line; what is none of simvirt's own is called an internal one."""
    own = isinstance(error, SimvirtError)
    return " ".join((str(error) if own else f"internal error: {type(error).__name__}: {error}").split())
