"""The page: results one below the other, each with its answer, tables, charts, and all that stands behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from simvirt.charts import can_draw
from simvirt.charts.chart import MISSING, VERSION
from simvirt.report.page import sections
from simvirt.result.document import Document
from simvirt.version import __version__

HERE: Final = resources.files("simvirt.report.page")
CLOSES: Final = "</script"
"""What ends a script, wherever it stands."""


def page(documents: Sequence[Document]) -> str:
    """The page of some results; charts are in it where they can be drawn, else their tables, and how to get charts."""
    from jinja2 import Environment, StrictUndefined

    draws = can_draw()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_file("page.html"))
    results = [sections.result(document, f"r{number}", draws) for number, document in enumerate(documents, 1)]
    return template.render(
        title=" · ".join(dict.fromkeys(one.name for one in results)), results=results, links=list(_links(results)),
        style=_file("page.css"), script=_file("page.js"), runtime=_inline(_runtime()) if draws else "", missing="" if draws else MISSING,
        version=__version__,
    )


def _links(results: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Links to the sections of the only result, or to each of several results."""
    if len(results) > 1:
        yield from ((one.key, f"{one.name}: {one.kind}") for one in results)
    else:
        yield from ((part.key, part.short) for part in results[0].parts)


def _file(name: str) -> str:
    return HERE.joinpath(name).read_text(encoding="utf-8")


@cache
def _runtime() -> str:
    """What makes charts interactive: Vega-Lite and what it needs, as one script."""
    import vl_convert

    convert: Any = vl_convert
    return str(convert.javascript_bundle(vl_version=VERSION))


def _inline(script: str) -> str:
    """A script as it may stand in a page."""
    return script.replace(CLOSES, "<\\/script").replace("<!--", "<\\!--")

