"""`simvirt report`: results that were kept as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from simvirt.cli import output
from simvirt.cli.options import Quiet

Results = Annotated[
    list[Path],
    typer.Argument(metavar="RESULT", help="Folders or files under results/, such as results/web-shop-1a2b3c4d.", show_default=False),
]
Opens = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
To = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Where to write it; report.html beside the first result.", show_default=False),
]


def report(results: Results, open_: Opens = False, to: To = None, quiet: Quiet = False) -> int:
    """Write results as one HTML page with charts, which needs nothing else; keep it as report.html beside the first result."""
    from simvirt.charts.chart import MISSING, can_draw
    from simvirt.report.page.page import page
    from simvirt.report.results import files_of, read

    path = to or files_of(results[0])[0].parent / "report.html"
    if not can_draw():
        output.note(f"the page has tables instead of charts: {MISSING}", quiet)
    _write(path, page(read(results)))
    output.note(str(path), quiet)
    if open_:
        _show(path)
    return 0


def _write(path: Path, text: str) -> None:
    """The page as a file, whole or not at all."""
    from simvirt.errors import UsageError
    from simvirt.report import store

    if path.is_dir():
        raise UsageError(f"{path}: this is a folder; expected the name of a file, for example -o {path / 'report.html'}")
    try:
        store.save(path.parent, {path.name: text})
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}; name another file with -o") from None


def _show(path: Path) -> None:
    """The page in the browser."""
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        output.note(f"no browser was found; the page is {path}")
