"""Charts of `simvirt density`: how many instances each platform holds, what ends it, and the curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.charts.resources import of_ledgers
from simvirt.result import figures
from simvirt.result.density_document import AnswerResult, DensityDocument, PointResult
from simvirt.result.limit_words import label, quantity, stated

MOST: Final = 2.5
"""Times the limit at which the axis of a curve ends."""
HOLDS: Final = "holds"
INSTANCES: Final = marks.quantitative("n", "instances", {"zero": False})


def answers(document: DensityDocument) -> Chart | None:
    """The largest number that each platform holds, and what binds it; None where there is no platform."""
    if not document.density:
        return None
    rows = [_answer(name, found) for name, found in document.density.items()]
    largest = max(row["n"] for row in rows)
    said = "; ".join(f"{row['n']} on {row['platform']} ({row['binding']})" for row in rows)
    rows = [row | {"inside": row["n"] > largest / 2} for row in rows]
    return chart(
        "answers", "How many each platform holds", f"The largest number that holds, and what binds: {said}.", rows,
        ("platform", "n", "binds", "next bound"), ([row["platform"], str(row["n"]), row["binding"], row["second"]] for row in rows),
        height=40 + marks.BAR * len(rows), layer=_bars(list(document.density)),
    )


def _answer(name: str, found: AnswerResult) -> dict[str, Any]:
    second = f"{found.second.resource} at {found.second.n}" if found.second else ""
    binding = found.binding.resource
    return {"platform": name, "n": found.n, "binding": binding, "second": second, "label": f"{found.n}: {binding}"}


def _bars(names: Sequence[str]) -> list[dict[str, Any]]:
    """A bar a platform, with what binds it."""
    colour = {**theme.platform_scales(names)["color"], "legend": None}
    x, y = marks.quantitative("n", "instances", {"zero": True}), marks.named("platform", names, labelLimit=140)
    tips = marks.tips(("platform", "platform"), ("binding", "binds"), ("second", "next bound"))
    label = {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}}
    words = {"type": "text", "fontSize": 11, "aria": False}
    return [
        {"mark": {"type": "bar", "height": {"band": 0.6}}, "encoding": {"x": x, "y": y, "color": colour, "tooltip": tips}},
        {"mark": {**words, "align": "left", "dx": 6}, "transform": [{"filter": "!datum.inside"}], "encoding": label},
        {"mark": {**words, "align": "right", "dx": -6, "color": theme.ON_BARS}, "transform": [{"filter": "datum.inside"}],
         "encoding": label},
    ]


def scaled(rows: list[dict[str, Any]], key: str, limit: float) -> tuple[list[dict[str, Any]], float, str]:
    """Points of a curve in a unit that fits its limit, cut off far above it; what a value is divided by, and the unit."""
    factor, unit = marks.time_unit([limit]) if key.startswith("latency") else (1.0, "per s" if key == "throughput" else "ratio")
    end = MOST * limit if key.startswith("latency") else max(row["value"] for row in rows)
    return [row | {field: min(row[field], end) / factor for field in ("value", "low", "high")} for row in rows], factor, unit


def curve(document: DensityDocument) -> Chart | None:
    """What the first limit is about over the number of instances, platform by platform; None where nothing was simulated."""
    key = next(iter(document.objective), None)
    points = [(name, point) for name, found in document.density.items() for point in found.curve]
    rows = [row for name, point in points for row in _point(name, point, key or "")]
    if key is None or not rows:
        return None
    limit = float(document.objective[key])
    rows, factor, unit = scaled(rows, key, limit)
    said = "; ".join(f"{found.n} on {name}" for name, found in document.density.items())
    table = ([name, str(point.n), *_table(point, key)] for name, point in points)
    return chart(
        "curve", f"{label(key)} over the number of instances", f"The largest number that holds {stated(key, limit)}: {said}.", rows,
        ("platform", "n", label(key), "verdict", "CPU"), table, height=300,
        layer=[*curves(list(document.density), INSTANCES, f"{label(key)} [{unit}]"), *marks.rule("y", limit / factor, stated(key, limit))],
    )


def _point(name: str, point: PointResult, key: str) -> Iterator[dict[str, Any]]:
    """A point of a curve, where the limit was judged there."""
    judged = point.objective.get(key)
    if judged is not None and judged.value is not None:
        low, high = (judged.value if end is None else end for end in (judged.low, judged.high))
        yield {"platform": name, "n": point.n, "at": str(point.n), "value": judged.value, "low": low, "high": high,
               "verdict": point.verdict, "said": quantity(key, judged.value)}


def _table(point: PointResult, key: str) -> tuple[str, str, str]:
    judged = point.objective.get(key)
    value = "" if judged is None or judged.value is None else quantity(key, judged.value)
    return value, point.verdict, figures.percent(point.cpu.utilisation) if point.cpu else ""


def curves(names: Sequence[str], x: marks.Encoding, title: str) -> list[dict[str, Any]]:
    """A line a platform along an axis; a point that does not surely hold is hollow."""
    scales = theme.platform_scales(names)
    common: Mapping[str, Any] = {"x": x, "color": scales["color"], "opacity": marks.FADED}
    y = marks.quantitative("value", title)
    fill = {"condition": {"test": f"datum.verdict == '{HOLDS}'", "value": 1}, "value": 0}
    tips = marks.tips(("platform", "platform"), ("at", str(x["title"])), ("said", "value"), ("verdict", "verdict"))
    return [
        {"mark": {"type": "line", "clip": True}, "params": [marks.PICK],
         "encoding": {**common, "y": y, "strokeDash": scales["strokeDash"]}},
        {"mark": {"type": "rule", "clip": True, "strokeWidth": 1},
         "encoding": {**common, "y": marks.quantitative("low", title), "y2": {"field": "high"}}},
        {"mark": {"type": "point", "clip": True, "strokeWidth": 2},
         "encoding": {**common, "y": y, "stroke": scales["color"], "shape": scales["shape"], "fillOpacity": fill, "tooltip": tips}},
    ]


def memory(document: DensityDocument) -> Chart | None:
    """What holds the host's memory at each answer."""
    return of_ledgers({name: found.memory.ledger for name, found in document.density.items()})
