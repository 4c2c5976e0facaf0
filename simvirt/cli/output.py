"""What commands write where: results to standard output, everything else to standard error."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from simvirt.cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

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
    from simvirt.report.text import printed

    out = console(sys.stdout)
    if out.is_terminal:
        return out.print(renderable)
    write(printed(renderable, out.width))


def write(text: str) -> None:
    """Prints text as it is to standard output."""
    sys.stdout.write(text)


def note(text: str, quiet: bool = False) -> None:
    """A line for the user, not a part of the result."""
    if not quiet:
        sys.stderr.write(f"{text}\n")


def result(document: Mapping[str, Any], format_: Format) -> None:
    """A result's document in the wanted form."""
    forms: dict[Format, Callable[[Mapping[str, Any]], None]] = {
        Format.text: _text,
        Format.json: _json,
        Format.csv: _csv,
        Format.markdown: _markdown,
    }
    forms[format_](document)


def rows(documents: list[dict[str, Any]], format_: Format) -> None:
    """Rows of a list as JSON, CSV or Markdown."""
    if format_ is Format.json:
        return _json(documents)
    if format_ is Format.csv:
        from simvirt.report.csvtable import rows_csv

        return write(rows_csv(documents))
    from simvirt.report.markdown import rows_markdown

    write(rows_markdown(documents))


def _text(document: Mapping[str, Any]) -> None:
    from simvirt.report import text

    out = console(sys.stdout)
    if out.is_terminal:
        out.print(text.report(document, out.width))
    else:
        write(text.text(document, out.width))


def _json(document: Any) -> None:
    from simvirt.report.jsondoc import dumps

    write(dumps(document))


def _csv(document: Mapping[str, Any]) -> None:
    from simvirt.report.csvtable import table

    write(table(document))


def _markdown(document: Mapping[str, Any]) -> None:
    from simvirt.report.markdown import markdown

    write(markdown(document))
