"""A chart is a Vega-Lite specification: a plain dict that pages, notebooks, slides and other programs take as it is."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from simvirt.charts import theme
from simvirt.errors import UsageError

VERSION: Final = "6.4"
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH: Final = 560
NAME: Final = 130
"""Width of a name in a legend [px]."""
MIME: Final = ("application/vnd.vegalite.v6+json", "application/vnd.vegalite.v5+json")
"""What notebooks draw specifications of."""
MISSING: Final = "pip install 'simvirt[report]' (vl-convert-python) draws charts without a browser"
ID: Final = re.compile(r' id="([^"]+)"')
REFERENCE: Final = re.compile(r"""( id="|url\(#|href="#)([^")]+)(["')])""")
ENDINGS: Final = (".svg", ".png", ".json")
Row = Mapping[str, Any]


class Chart(dict[str, Any]):
    """A Vega-Lite specification, whose `usermeta` holds its name and the table behind it."""

    @property
    def name(self) -> str:
        """Which chart it is: `latency`."""
        return str(self["usermeta"]["simvirt"]["chart"])

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        title = self["title"]
        return str(title["text"] if isinstance(title, Mapping) else title)

    @property
    def description(self) -> str:
        """The same in a sentence or two, with the numbers that matter."""
        return str(self["description"])

    @property
    def table(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """The heads and rows of the table that says what it draws."""
        found = self["usermeta"]["simvirt"]["table"]
        return tuple(found["head"]), tuple(tuple(row) for row in found["rows"])

    def save(self, path: str | Path) -> Path:
        """The chart as a file: SVG, PNG or the specification as JSON, by the ending of its name."""
        return save(self, path)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """What notebooks show: the specification for those that draw it, an SVG where it can be made, else the description."""
        plain = json.loads(json.dumps(self))
        shown = dict.fromkeys(MIME, plain) | {"text/plain": f"{self.title}: {self.description}"}
        return shown | ({"image/svg+xml": svg(self)} if can_draw() else {})


def chart(
    name: str, title: str, description: str, rows: Sequence[Row], head: Iterable[str], table: Iterable[Iterable[str]], height: int = 260,
    **marks: Any,
) -> Chart:
    """A chart of data rows: its marks (`layer`, `mark`, `encoding` ...) in the one theme, with the table that says the same."""
    return Chart({
        "$schema": SCHEMA, "title": {"text": title}, "description": description, "width": WIDTH, "height": height,
        "background": theme.PAPER, "autosize": {"type": "fit-x", "contains": "padding"}, "data": {"values": [_short(row) for row in rows]},
        **marks, "config": copy.deepcopy(dict(theme.CONFIG)),
        "usermeta": {"simvirt": {"chart": name, "table": {"head": list(head), "rows": [list(row) for row in table]}}},
    })


def _short(row: Row) -> dict[str, Any]:
    """A row of data with six digits of each number."""
    return {key: float(f"{value:.6g}") if isinstance(value, float) else value for key, value in row.items()}


def can_draw() -> bool:
    """Whether charts can be drawn here."""
    try:
        import vl_convert  # noqa: F401
    except ImportError:
        return False
    return True


def sized(spec: Mapping[str, Any], width: int) -> dict[str, Any]:
    """The specification at another width [px], with as many names in a line of its legend as that holds."""
    config = spec.get("config", {})
    return {**spec, "width": width, "config": {**config, "legend": {**config.get("legend", {}), "columns": max(width // NAME, 1)}}}


def svg(spec: Mapping[str, Any], width: int | None = None) -> str:
    """The chart as SVG, always the same bytes, with names of its parts that no other has; UsageError where what draws it is missing."""
    drawn, plain = str(_converter().vegalite_to_svg(spec := _plain(spec, width), vl_version=VERSION)), json.dumps(spec, sort_keys=True)
    own = f"c{hashlib.sha256(plain.encode()).hexdigest()[:8]}"
    names = {name: f"{own}-{number}" for number, name in enumerate(dict.fromkeys(ID.findall(drawn)))}
    return REFERENCE.sub(lambda found: f"{found[1]}{names.get(found[2], found[2])}{found[3]}", drawn)


def png(spec: Mapping[str, Any], width: int | None = None, scale: float = 2.0) -> bytes:
    """The chart as PNG, `scale` pixels a point; UsageError where what draws it is not installed."""
    return bytes(_converter().vegalite_to_png(_plain(spec, width), vl_version=VERSION, scale=scale))


def save(spec: Mapping[str, Any], path: str | Path) -> Path:
    """A specification as a file: `.svg`, `.png` or `.json`; UsageError for another ending, or without what draws it."""
    to = Path(path)
    if to.suffix not in ENDINGS:
        raise UsageError(f"{to}: expected a name that ends in {', '.join(ENDINGS)}, such as latency.svg; got {to.suffix or 'no ending'!r}")
    try:
        if to.suffix == ".png":
            to.write_bytes(png(spec))
        else:
            text = svg(spec) if to.suffix == ".svg" else json.dumps(spec, indent=1, ensure_ascii=False) + "\n"
            to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{to}: cannot be written: {error.strerror or error}") from None
    return to


def _plain(spec: Mapping[str, Any], width: int | None) -> dict[str, Any]:
    return dict(spec) if width is None else sized(spec, width)


def _converter() -> Any:
    """What draws specifications."""
    try:
        import vl_convert
    except ImportError:
        raise UsageError(f"charts cannot be drawn: {MISSING}") from None
    return vl_convert
