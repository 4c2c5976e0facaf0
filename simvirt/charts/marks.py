"""What several charts are made of: units that fit, platforms that a click picks, rules of limits, intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from simvirt import units
from simvirt.charts import theme

PICK: Final = {"name": "picked", "select": {"type": "point", "fields": ["platform"]}, "bind": "legend"}
"""A click on the legend picks a platform; another beside the legend, all of them."""
FADED: Final = {"condition": {"param": "picked", "value": 1}, "value": 0.12}
LOG_FROM: Final = 30.0
"""An axis is logarithmic where its largest value is so many times the smallest."""
BAR: Final = 34
"""Height of a bar with its gap [px]."""
LETTERS: Final = 60
"""Letters along a chart's width."""
Encoding = dict[str, Any]


def time_unit(seconds: Iterable[float | None]) -> tuple[float, str]:
    """The unit that fits most of some times, in seconds, and its name."""
    known = sorted(value for value in seconds if value)
    return units.unit_of(known[len(known) // 2], units.TIME_STEPS, 2.0) if known else (1.0, "s")


def size_unit(sizes: Iterable[float | None]) -> tuple[float, str]:
    """The unit that fits the largest of some sizes, in bytes, and its name."""
    return units.unit_of(max((value for value in sizes if value), default=1.0), units.SIZE_STEPS)


def spread_scale(values: Iterable[float | None], zero: bool = True) -> dict[str, Any]:
    """A logarithmic scale where values differ by much, else a linear one."""
    known = [value for value in values if value is not None and value > 0]
    return {"type": "log"} if known and max(known) > LOG_FROM * min(known) else {"type": "linear", "zero": zero}


def quantitative(field: str, title: str, scale: Mapping[str, Any] | None = None, **axis: Any) -> Encoding:
    """The encoding of a number along an axis."""
    found: Encoding = {"field": field, "type": "quantitative", "title": title}
    return found | ({"scale": dict(scale)} if scale else {}) | ({"axis": axis} if axis else {})


def named(field: str, order: Sequence[str], title: str | None = None, **axis: Any) -> Encoding:
    """The encoding of names along an axis, in their order."""
    return {"field": field, "type": "nominal", "title": title, "sort": list(order), "axis": {"labelAngle": 0, **axis}}


def tips(*fields: tuple[str, str]) -> list[Encoding]:
    """What a pointer over a mark shows: fields of text with their titles."""
    return [{"field": field, "type": "nominal", "title": title} for field, title in fields]


def rule(axis: str, value: float, text: str = "", before: bool = False) -> list[dict[str, Any]]:
    """A limit: a line across the chart at a value of an axis, and what it is called at its beginning, `before` it or beyond."""
    at: Encoding = {axis: {"datum": value, "type": "quantitative"}}
    data: Encoding = {"values": [{}]}
    mark = {"type": "rule", "color": theme.LIMIT, "strokeDash": [4, 3], "strokeWidth": 1.5, "aria": False}
    line = {"data": data, "mark": mark, "encoding": at}
    if not text:
        return [line]
    words = {"type": "text", "align": "left", "dx": 5, "dy": -5, "color": theme.LIMIT, "text": text, "aria": False}
    if axis == "x":
        words |= {"align": "right" if before else "left", "dx": -5 if before else 5, "dy": 9}
    return [line, {"data": data, "mark": words, "encoding": at | {"y" if axis == "x" else "x": {"value": 0}}}]


def stacked(order: Sequence[str], title: str, parts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Layers of bars of named parts, a bar for each name of `order`; a part's name stands in it where there is room."""
    x, y = {"field": "from", "type": "quantitative", "title": title}, named("name", order, labelLimit=180)
    colour = {"field": "part", "type": "nominal", "title": None, "sort": None,
              "scale": {"domain": list(parts), "range": list(parts.values())}}
    mark = {"type": "bar", "stroke": theme.PAPER, "strokeWidth": 1, "height": {"band": 0.72}}
    words = {"type": "text", "color": theme.ON_BARS, "fontSize": 11, "clip": True, "aria": False}
    return [
        {"mark": mark, "params": [{**PICK, "select": {"type": "point", "fields": ["part"]}}], "encoding": {
            "x": x, "x2": {"field": "to"}, "y": y, "color": colour, "opacity": FADED,
            "tooltip": tips(("name", "of"), ("part", "part"), ("said", "amount"))}},
        {"mark": words, "transform": [{"filter": "datum.label != ''"}],
         "encoding": {"x": {**x, "field": "middle"}, "y": y, "text": {"field": "label", "type": "nominal"}}},
    ]


def stack_rows(name: str, parts: Iterable[tuple[str, float, str]], whole: float) -> list[dict[str, Any]]:
    """The rows of a stacked bar: parts with their amounts and what is said of them; those that have room among `whole` are named in it."""
    found, at = list[dict[str, Any]](), 0.0
    for part, amount, said in parts:
        room = amount >= whole / 12 and len(part) <= LETTERS * amount / whole
        row = {"name": name, "part": part, "from": at, "to": at + amount, "middle": at + amount / 2}
        found.append({**row, "said": said, "label": part if room else ""})
        at += amount
    return found


def heat(
    rows: Sequence[Mapping[str, Any]], places: tuple[str, str], value: str, titles: tuple[str | None, str | None] = (None, None),
    log: bool = False,
) -> list[dict[str, Any]]:
    """Layers of a heat map of rows: a rectangle for each pair of the names in two `places`, its value as colour and (`said`) in letters."""
    (across, up), most = places, max(float(row[value]) for row in rows)
    least = min(float(row[value]) for row in rows)
    dark = math.sqrt(least * most) if log else (least + most) / 2
    order = [list(dict.fromkeys(str(row[place]) for row in rows)) for place in places]
    place = {"x": named(across, order[0], titles[0]), "y": named(up, order[1], titles[1], labelLimit=190)}
    scale: Encoding = {"range": list(theme.HEAT)} | ({"type": "log"} if log else {})
    colour = {"field": value, "type": "quantitative", "scale": scale, "legend": None}
    shown = tips((across, titles[0] or across), (up, titles[1] or up), ("said", value))
    letters = {"condition": {"test": f"datum[{value!r}] > {dark:.9g}", "value": theme.ON_BARS}, "value": "black"}
    return [
        {"mark": {"type": "rect", "stroke": theme.PAPER}, "encoding": {**place, "color": colour, "tooltip": shown}},
        {"mark": {"type": "text", "fontSize": 11, "aria": False},
         "encoding": {**place, "text": {"field": "said", "type": "nominal"}, "color": letters}},
    ]
