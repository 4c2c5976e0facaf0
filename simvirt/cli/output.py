"""What commands write where: results to standard output, everything else to standard error."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from simvirt.cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from simvirt.report.blocks import Report

STANDARD_OUTPUT: Final = "standard output"
PIPED_WIDTH = 80  # columns where no width is given


def console(stream: TextIO, piped: int = PIPED_WIDTH) -> "Console":
    """A console on a stream: colour on a terminal only, none with NO_COLOR; lines as wide as COLUMNS or the terminal, else `piped`."""
    from rich.console import Console

    width = None if stream.isatty() or os.environ.get("COLUMNS") else piped
    if os.environ.get("NO_COLOR"):
        return Console(file=stream, highlight=False, width=width, color_system=None)
    return Console(file=stream, highlight=False, width=width)


def width(piped: int = PIPED_WIDTH) -> int:
    """Columns of standard output; `piped` where it is no terminal and no width is given."""
    return console(sys.stdout, piped).width


def show(renderable: "RenderableType") -> None:
    """Prints something laid out to standard output; without space at the ends of lines where that is no terminal."""
    from simvirt.report.as_text import printed

    out = console(sys.stdout)
    if out.is_terminal:
        return out.print(renderable)
    write(printed(renderable, out.width))


def write(text: str, to_the_end: bool = False) -> None:
    """Prints text as it is to standard output, with all that was printed before where it is `to_the_end`; OSError that names it."""
    try:
        sys.stdout.write(text)
        if to_the_end:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, STANDARD_OUTPUT) from None


def not_there(path: Path) -> None:
    """UsageError where a file that is to be written is there already: said before anything takes time."""
    from simvirt.errors import UsageError

    if path.exists():
        raise UsageError(f"{path}: is there already; name another file, for example {path.stem}-2{path.suffix}")


def new_file(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all; UsageError where it cannot be."""
    from simvirt.errors import UsageError

    not_there(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None


def note(text: str, quiet: bool = False) -> None:
    """A line for the user, not a part of the result."""
    if not quiet:
        sys.stderr.write(f"{text}\n")


def report(what: "Report", form: Format, piped: int = PIPED_WIDTH) -> None:
    """Prints a report in a form: as text with colour on a terminal, else `piped` columns wide unless a width is given."""
    from simvirt.report.formats import rendered

    if form is not Format.text:
        return write(rendered(what, form))
    from simvirt.report.as_text import laid_out, render

    out = console(sys.stdout, piped)
    if out.is_terminal:
        return out.print(laid_out(what, out.width))
    write(render(what, out.width))


def rows(documents: list[dict[str, Any]], form: Format) -> None:
    """Rows of a list as JSON, CSV or Markdown."""
    from simvirt.report import as_csv, as_json, as_markdown

    forms: dict[Format, Callable[[list[dict[str, Any]]], str]] = {
        Format.json: as_json.dumps, Format.csv: as_csv.table, Format.markdown: as_markdown.rows_table,
    }
    write(forms[form](documents))


def json(document: Any) -> None:
    """A document as JSON."""
    from simvirt.report.as_json import dumps

    write(dumps(document))
