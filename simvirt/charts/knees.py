"""Charts of `simvirt knee`: where each platform breaks and saturates, and what the first limit is about over the load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.charts.densities import curves, scaled
from simvirt.result import figures
from simvirt.result.document import Estimate
from simvirt.result.knee_document import KneeDocument, PlatformKnee
from simvirt.result.limit_words import label, quantity, stated


def load_of(document: KneeDocument, value: float | None) -> str:
    """A load in words."""
    if value is None:
        return figures.UNKNOWN
    return figures.rate(Estimate(value)) if document.counts == "per_s" else f"{value:,.0f} clients"


def breaks(document: KneeDocument) -> Chart | None:
    """The range in which each platform's objective breaks, and where it saturates; None where it breaks nowhere."""
    found = {name: one for name, one in document.knees.items() if one.knee.high is not None}
    rows = [_break(document, name, one) for name, one in found.items()]
    if not rows:
        return None
    said = "; ".join(f"{row['said']} on {row['platform']}" for row in rows)
    unit = "load [per s]" if document.counts == "per_s" else "clients"
    return chart(
        "breaks", "Where the objective breaks", f"Between the highest load that surely holds and the lowest that is surely missed: {said}.",
        rows, ("platform", "holds up to", "breaks at", "missed from", "broken by", "saturates at"),
        ([name, load_of(document, one.knee.low), load_of(document, one.knee.value), load_of(document, one.knee.high),
          one.broken_by.resource if one.broken_by else "", load_of(document, one.saturation.rate.value)] for name, one in found.items()),
        height=40 + marks.BAR * len(rows), layer=_ranges(list(found), unit),
    )


def _break(document: KneeDocument, name: str, found: PlatformKnee) -> dict[str, Any]:
    """The ends of a range, where it is likely to break, and the saturation rate where it is counted in the same way."""
    knee = found.knee
    low, high = knee.low or 0.0, knee.high or 0.0
    saturation = found.saturation.rate.value if document.counts == "per_s" else None
    return {"platform": name, "low": low, "high": high, "likely": knee.value or high, "saturation": saturation or high,
            "saturates": saturation is not None, "by": found.broken_by.resource if found.broken_by else "",
            "said": f"{load_of(document, knee.low)} to {load_of(document, knee.high)}",
            "told": load_of(document, saturation)}


def _ranges(names: list[str], title: str) -> list[dict[str, Any]]:
    """A bar from the load that holds to the one that misses, a point where it is likely to break, a tick where it saturates."""
    x, y = marks.quantitative("low", title, {"zero": True}), marks.named("platform", names, labelLimit=140)
    colour = {**theme.platform_scales(names)["color"], "legend": None}
    tips = marks.tips(("platform", "platform"), ("said", "breaks"), ("by", "broken by"), ("told", "saturates at"))
    return [
        {"mark": {"type": "bar", "height": {"band": 0.35}, "opacity": 0.5, "minBandSize": 3},
         "encoding": {"x": x, "x2": {"field": "high"}, "y": y, "color": colour, "tooltip": tips}},
        {"mark": {"type": "point", "size": 80},
         "encoding": {"x": {**x, "field": "likely"}, "y": y, "color": colour, "tooltip": tips}},
        {"mark": {"type": "tick", "thickness": 2, "color": theme.LIMIT}, "transform": [{"filter": "datum.saturates"}],
         "encoding": {"x": {**x, "field": "saturation"}, "y": y, "tooltip": tips}},
        {"mark": {"type": "text", "align": "right", "dx": -8, "fontSize": 11, "aria": False},
         "encoding": {"x": x, "y": y, "text": {"field": "by", "type": "nominal"}}},
    ]


def loads(document: KneeDocument) -> Chart | None:
    """What the first limit is about over the load, platform by platform; None where nothing was simulated."""
    key = next(iter(document.objective), None)
    rows = [row for name, found in document.knees.items() for row in _points(document, name, found, key or "")]
    if key is None or not rows:
        return None
    limit = float(document.objective[key])
    rows, factor, unit = scaled(rows, key, limit)
    said = "; ".join(f"{load_of(document, found.knee.value)} on {name}" for name, found in document.knees.items())
    x = marks.quantitative("n", "load [per s]" if document.counts == "per_s" else "clients", {"zero": False})
    return chart(
        "loads", f"{label(key)} over the load", f"{stated(key, limit)} is likely to break at {said}.", rows,
        ("platform", "load", label(key), "verdict"), ([row[name] for name in ("platform", "at", "said", "verdict")] for row in rows),
        height=300,
        layer=[*curves(list(document.knees), x, f"{label(key)} [{unit}]"), *marks.rule("y", limit / factor, stated(key, limit))],
    )


def _points(document: KneeDocument, name: str, found: PlatformKnee, key: str) -> Iterator[dict[str, Any]]:
    """The rates at which the limit was judged."""
    for point in found.curve:
        judged = point.objective.get(key)
        if judged is not None and judged.value is not None:
            low, high = (judged.value if end is None else end for end in (judged.low, judged.high))
            yield {"platform": name, "n": point.rate, "at": load_of(document, point.rate), "value": judged.value, "low": low, "high": high,
                   "verdict": point.verdict, "said": quantity(key, judged.value)}
