"""What every command that simulates does: say that it will be slow, answer, print, keep the files, say what was kept."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import typer

from simvirt.cli import output, slowness
from simvirt.cli.options import AsResult, Format, Jobs, Out, Quiet, ResultFormat

if TYPE_CHECKING:
    from rich.console import Console

    from simvirt.report.blocks import Report
    from simvirt.result.document import Document

FAILED: Final = 3
INTERRUPTED: Final = 130  # as shells say of a command that Ctrl-C ended
RESULT: Final = "result.json"
REPORT: Final = "report.txt"
D = TypeVar("D", bound="Document")


@dataclass(frozen=True, slots=True)
class Settings:
    """What options say of any command: simulations at a time (0: one per CPU), the folder of results, the form, whether to be quiet."""

    jobs: int
    out: Path
    form: ResultFormat
    quiet: bool

    @property
    def console(self) -> "Console":
        """Where progress is shown."""
        return output.console(sys.stderr)


def _settings(jobs: Jobs = 0, out: Out = Path("results"), format_: AsResult = ResultFormat.text, quiet: Quiet = False) -> Settings:
    """The settings that options give."""
    return Settings(jobs, out, format_, quiet)


def with_settings(command: Callable[..., int]) -> Callable[..., int]:
    """A command whose first parameter is settings, as one that has their options instead, after that for the seed."""
    shared, (_, *own) = signature(_settings).parameters.values(), signature(command).parameters.values()
    place = [parameter.name for parameter in own].index("seed") + 1
    parameters = [*own[:place], *shared, *own[place:]]

    def wrapped(**given: object) -> int:
        return command(_settings(**{parameter.name: given.pop(parameter.name) for parameter in shared}), **given)  # type: ignore[arg-type]

    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(wrapped)["__signature__"] = Signature([p.replace(kind=Parameter.KEYWORD_ONLY) for p in parameters])
    return wrapped


@dataclass(frozen=True, slots=True)
class Question(Generic[D]):
    """What a command asks: how the document is made, said and kept.

    `files` are kept beside the document and the report; `width` is that of the kept report,
    `piped` that of a printed one where there is no terminal; `cut` says what an interrupted document holds, None of a whole one;
    `expected` foresees the seconds that a slow kernel takes, where that can be foreseen.
    """

    folder: Path
    answer: Callable[[], D]
    report: "Callable[[D], Report]"
    names: tuple[str, str] = (RESULT, REPORT)
    files: Mapping[str, Callable[[D], str | bytes]] = field(default_factory=dict)
    width: int = 100
    piped: int = output.PIPED_WIDTH
    cut: Callable[[D], str | None] = lambda document: None
    expected: Callable[[], float] | None = None


def carried_out(question: Question[D], settings: Settings) -> D:
    """The answer to a question, printed and kept; typer.Exit where Ctrl-C left nothing to keep, or a file could not be written."""
    from simvirt.report import store

    if not settings.quiet and (why := slowness.reason()) is not None:
        output.note(why)
        if question.expected is not None and (length := slowness.ahead(question.expected)) is not None:
            output.note(length)
    with store.prepared(question.folder) as folder:
        document = _answered(question)
        report = question.report(document)
        if report.blocks:
            with _kept_or_said(folder, _files(question, report, document)):
                _print(document, report, settings, question.piped)
    _say_kept(question, document, bool(report.blocks), settings.quiet)
    return document


def _print(document: "Document", report: "Report", settings: Settings, piped: int) -> None:
    """The document in the form that is asked for."""
    if settings.form is not ResultFormat.html:
        return output.report(report, Format(settings.form.value), piped)
    from simvirt.charts.chart import MISSING, can_draw
    from simvirt.report.page.page import page

    if not can_draw():
        output.note(f"the page has tables instead of charts: {MISSING}", settings.quiet)
    output.write(page([document]))


@contextmanager
def _kept_or_said(folder: Path, files: dict[str, str | bytes]) -> Iterator[None]:
    """Files written before the block; where that fails the command ends after the block, and says which one is missing."""
    from simvirt.report import store

    try:
        store.save(folder, files)
    except OSError as error:
        yield
        output.note(f"{error.filename}: cannot be written: {error.strerror or error}; what is printed is complete")
        raise typer.Exit(FAILED) from None
    yield


def _answered(question: Question[D]) -> D:
    """The document; where Ctrl-C leaves none, the command ends."""
    try:
        return question.answer()
    except KeyboardInterrupt:
        output.note("interrupted: nothing was kept")
        raise typer.Exit(INTERRUPTED) from None


def _files(question: Question[D], report: "Report", document: D) -> dict[str, str | bytes]:
    """The files of an answer by name."""
    from simvirt.report.formats import rendered

    result, text = question.names
    kept: dict[str, str | bytes] = {result: rendered(report, Format.json), text: rendered(report, Format.text, question.width)}
    return kept | {name: made(document) for name, made in question.files.items()}


def _say_kept(question: Question[D], document: D, kept: bool, quiet: bool) -> None:
    """Where the result is; of an interrupted one also what is in it, even when quiet."""
    cut, file = question.cut(document), f"{question.folder}/{question.names[0]}"
    if cut is None:
        return output.note(file, quiet)
    output.note(f"interrupted: kept {cut}{f' in {file}' if kept else ''}")
