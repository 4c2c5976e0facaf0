"""The chart of `simvirt compare`: how much each measure changed on each platform, and how surely."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures
from simvirt.result.compare_document import Change, CompareDocument
from simvirt.result.compared_measures import MEASURES

MOST: Final = 4.0
"""Times by which a change is drawn at most; a larger one ends there."""


def changes(document: CompareDocument) -> Chart | None:
    """Each measure after over before, with its interval, platform by platform; None where there is none that has a ratio."""
    rows = [row for name, measures in document.platforms.items() for row in _rows(name, measures.items())]
    if not rows:
        return None
    shown = [MEASURES[key].name for key in MEASURES if any(row["measure"] == MEASURES[key].name for row in rows)]
    sure = [row for row in rows if row["verdict"] not in ("undecided", "no difference seen")]
    said = "; ".join(f"{row['measure']} {row['said']} on {row['platform']} ({row['verdict']})" for row in sure)
    margin = {"low": 1 - float(document.margin), "high": 1 + float(document.margin)}
    return chart(
        "changes", "What changed, after over before", f"Surely changed: {said}." if said else "No measure surely changed.", rows,
        ("measure", "platform", "change", "verdict"), ([row["measure"], row["platform"], row["said"], row["verdict"]] for row in rows),
        height=40 + 30 * len(shown), layer=[_margin(margin), *_points(list(document.platforms), shown), *marks.rule("x", 1.0)],
    )


def _rows(name: str, measures: Any) -> Iterator[dict[str, Any]]:
    """The measures of a platform that have a ratio."""
    for key, one in measures:
        if key in MEASURES and one.ratio.value is not None and one.ratio.value > 0:
            yield {"platform": name, "measure": MEASURES[key].name, "verdict": one.verdict, "said": figures.change(one.ratio), **_ends(one)}


def _ends(one: Change) -> dict[str, float]:
    """The ratio and the ends of its interval, within what is drawn."""
    value = one.ratio.value or 1.0
    low, high = (value if end is None else end for end in (one.ratio.low, one.ratio.high))
    ends = {"ratio": value, "low": low, "high": high}
    return {name: min(max(end, 1 / MOST), MOST) for name, end in ends.items()}


def _margin(within: dict[str, float]) -> dict[str, Any]:
    """What is no change, shaded."""
    return {"data": {"values": [{}]}, "mark": {"type": "rect", "color": theme.GRID, "opacity": 0.45, "aria": False},
            "encoding": {"x": {"datum": within["low"], "type": "quantitative"}, "x2": {"datum": within["high"]}}}


def _points(names: list[str], shown: list[str]) -> list[dict[str, Any]]:
    """A point with its interval for each measure and platform; one that is not sure is hollow."""
    scales = theme.platform_scales(names)
    place: dict[str, Any] = {
        "y": marks.named("measure", shown, grid=True), "yOffset": {"field": "platform", "type": "nominal", "sort": names},
        "color": scales["color"], "opacity": marks.FADED}
    scale = {"type": "log", "nice": False}
    unsure = "datum.verdict == 'undecided' || datum.verdict == 'no difference seen'"
    tips = marks.tips(("platform", "platform"), ("measure", "measure"), ("said", "change"), ("verdict", "verdict"))
    return [
        {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": {
            **place, "x": marks.quantitative("low", "after over before", scale, format=".3~g"), "x2": {"field": "high"}}},
        {"mark": {"type": "point", "size": 80, "strokeWidth": 2}, "params": [marks.PICK], "encoding": {
            **place, "x": marks.quantitative("ratio", "after over before", scale, format=".3~g"), "shape": scales["shape"],
            "stroke": scales["color"], "fillOpacity": {"condition": {"test": unsure, "value": 0}, "value": 1}, "tooltip": tips}},
    ]
