"""Charts of `simvirt run` about time: how long requests take, where that goes, how platforms compare."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures
from simvirt.result.document import Estimate
from simvirt.result.limit_words import stated
from simvirt.result.run_document import Histogram, PlatformResult, RunDocument

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
SHOWN: Final = {"mean": "mean", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p99.9"}
RATIOS: Final = {"latency_mean": "mean latency", "latency_p99": "p99", "throughput": "throughput"}
POINTS: Final = 120
"""Points of a line, about."""
Platforms = Mapping[str, PlatformResult]


def latency(document: RunDocument) -> Chart | None:
    """The share of requests that take longer than a time, both on logarithmic scales; None where nothing was answered."""
    found = {name: platform for name, platform in document.platforms.items() if platform.latency_histogram and platform.requests}
    if not found:
        return None
    factor, unit = marks.time_unit(platform.latency_s.p50.value for platform in found.values())
    rows = [row for name, platform in found.items() for row in (*_tail(name, platform, factor), *_quantiles(name, platform, factor))]
    limits = [layer for key, limit in _latency_limits(found) for layer in marks.rule("x", limit / factor, stated(key, limit), True)]
    return chart(
        "latency", "How many requests take longer", _said(found), rows, *_quantile_table(found), height=300,
        layer=[*_tail_layers(document, unit, min(row["above"] for row in rows)), *limits],
    )


def _tail_layers(document: RunDocument, unit: str, least: float) -> list[dict[str, Any]]:
    """A line a platform, and its quantiles as points."""
    scales = theme.platform_scales(document.platforms)
    shares = {"type": "log", "domain": [max(least, 1e-6), 1]}
    words = "datum.value >= 0.01 ? format(datum.value, '.0%') : format(datum.value, '~%')"
    place = {
        "x": marks.quantitative("time", f"latency [{unit}]", {"type": "log", "nice": False}),
        "y": marks.quantitative(
            "above", "requests that take longer", shares, labelExpr=words, tickCount=20,
            values=[1, 0.5, 0.1, 0.05, 0.01, 1e-3, 1e-4, 1e-5, 1e-6]),
        "color": scales["color"], "opacity": marks.FADED,
    }
    tips = marks.tips(("platform", "platform"), ("quantile", "quantile"), ("said", "latency"))
    return [
        {"mark": {"type": "line", "interpolate": "step-after", "clip": True}, "params": [marks.PICK],
         "transform": [{"filter": "datum.quantile == ''"}],
         "encoding": place | {"strokeDash": scales["strokeDash"]}},
        {"mark": {"type": "point", "clip": True}, "transform": [{"filter": "datum.quantile != ''"}],
         "encoding": place | {"shape": scales["shape"], "tooltip": tips}},
    ]


def _quantile_table(platforms: Platforms) -> tuple[list[str], list[list[str]]]:
    """Mean and quantiles of each platform, with their intervals."""
    rows = [[name, *(figures.time(getattr(platform.latency_s, key)) for key in SHOWN)] for name, platform in platforms.items()]
    return ["platform", *SHOWN.values()], rows


def _tail(name: str, platform: PlatformResult, factor: float) -> Iterator[dict[str, Any]]:
    """Some points of a platform's tail: the share of requests beyond each bucket, at steps of equal ratios."""
    found = platform.latency_histogram or Histogram(upper_s=(), count=())
    total, last = sum(found.count), math.inf
    step = math.log(total + 1) / POINTS
    for upper, passed in zip(found.upper_s, accumulate(found.count), strict=True):
        above = (total - passed) / total
        if above and (math.log(last) - math.log(above) >= step or last - above >= 2 / POINTS):
            last = above
            yield {"platform": name, "time": upper / factor, "above": above, "quantile": ""}


def _quantiles(name: str, platform: PlatformResult, factor: float) -> Iterator[dict[str, Any]]:
    """The quantiles of a platform as points of its tail."""
    for key, share in QUANTILES.items():
        found: Estimate = getattr(platform.latency_s, key)
        if found.value:
            yield {"platform": name, "time": found.value / factor, "above": 1 - share, "quantile": SHOWN[key], "said": figures.time(found)}


def _latency_limits(platforms: Platforms) -> list[tuple[str, float]]:
    """Limits on the latency of all requests [s]."""
    asked = {key: float(verdict.limit) for platform in platforms.values() for key, verdict in platform.objective.items()}
    return [(key, limit) for key, limit in asked.items() if key.startswith("latency") and "." not in key]


def _said(platforms: Platforms) -> str:
    each = (f"{figures.time(p.latency_s.p50, interval=False)} and {figures.time(p.latency_s.p99, interval=False)} on {name}"
            for name, p in platforms.items())
    return f"The median and the 99th percentile of the latency: {'; '.join(each)}."


def percentiles(document: RunDocument) -> Chart | None:
    """Mean and quantiles of the latency with their intervals; None where nothing was answered."""
    found = {name: platform for name, platform in document.platforms.items() if platform.latency_s.mean.value}
    every = [(name, key, getattr(platform.latency_s, key)) for name, platform in found.items() for key in SHOWN]
    known = [(name, key, estimate) for name, key, estimate in every if estimate.value is not None]
    if not known:
        return None
    factor, unit = marks.time_unit(estimate.value for _, _, estimate in known)
    rows = [_interval(name, SHOWN[key], estimate, factor, figures.time(estimate)) for name, key, estimate in known]
    scale = marks.spread_scale(estimate.value for _, _, estimate in known)
    return chart(
        "percentiles", "Percentiles with their 95 % intervals", _said(found), rows, *_quantile_table(found),
        layer=_intervals(document, list(SHOWN.values()), f"latency [{unit}]", scale),
    )


def _intervals(document: RunDocument, order: Sequence[str], title: str, scale: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Layers of points with intervals: measures from left to right, platforms beside each other."""
    scales = theme.platform_scales(document.platforms)
    beside = {"field": "platform", "type": "nominal", "sort": list(document.platforms)}
    common = {"x": marks.named("measure", order), "xOffset": beside, "color": scales["color"], "opacity": marks.FADED}
    tips = marks.tips(("platform", "platform"), ("measure", "measure"), ("said", "value"))
    return [
        {"mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {**common, "y": marks.quantitative("low", title, scale), "y2": {"field": "high"}}},
        {"mark": {"type": "point", "size": 80}, "params": [marks.PICK],
         "encoding": {**common, "y": marks.quantitative("value", title, scale), "shape": scales["shape"], "tooltip": tips}},
    ]


def _interval(name: str, measure: str, estimate: figures.Interval, factor: float, said: str) -> dict[str, Any]:
    """An estimate as a row; without an interval it is one point."""
    value = estimate.value or 0.0
    low, high = (value if end is None else end for end in (estimate.low, estimate.high))
    return {"platform": name, "measure": measure, "value": value / factor, "low": low / factor, "high": high / factor, "said": said}


def compared(document: RunDocument) -> Chart | None:
    """Each platform over the first one, with intervals; None where there is one platform only."""
    pairs = [(name, said, getattr(found, key)) for name, found in document.comparison.others.items() for key, said in RATIOS.items()]
    known = [(name, said, ratio) for name, said, ratio in pairs if ratio.ratio is not None]
    if not known:
        return None
    rows = [
        _interval(name, measure, Estimate(ratio.ratio, ratio.low, ratio.high), 1.0, figures.ratio(ratio)) for name, measure, ratio in known]
    baseline = document.comparison.baseline
    scale = marks.spread_scale((ratio.ratio for _, _, ratio in known), zero=False) | {"padding": 12}
    said = "; ".join(f"{figures.ratio(ratio)} on {name}" for name, which, ratio in known if which == "p99")
    return chart(
        "compared", f"Compared with {baseline}", f"The 99th percentile over that of {baseline}: {said or 'not known'}.", rows,
        ("platform", "measure", f"over {baseline}"), ([name, which, figures.ratio(ratio)] for name, which, ratio in known),
        layer=[*_intervals(document, list(RATIOS.values()), f"ratio to {baseline}", scale), *marks.rule("y", 1.0)],
    )


def breakdown(document: RunDocument) -> Chart | None:
    """Where the mean latency goes, platform by platform; None where nothing was answered."""
    parts = {name: {key: value for key, value in platform.breakdown_s if value} for name, platform in document.platforms.items()}
    sums = {name: sum(found.values()) for name, found in parts.items()}
    longest = max(sums.values(), default=0.0)
    if not longest:
        return None
    factor, unit = marks.time_unit([longest])
    shown = [key for key in theme.CAUSES if any(found.get(key, 0.0) >= longest / 1000 for found in parts.values())]
    rows = [row for name, found in parts.items() for row in marks.stack_rows(name, _causes(found, shown, factor), longest / factor)]
    most = {name: max(found, key=lambda key: found[key]) for name, found in parts.items() if found}
    said = "; ".join(f"{figures.percent(parts[name][key] / sums[name])} {theme.CAUSES[key][0]} on {name}" for name, key in most.items())
    colours = {name: colour for key, (name, colour) in theme.CAUSES.items() if key in shown}
    return chart(
        "breakdown", "Where the mean latency goes", f"The largest part of the mean latency: {said}.", rows,
        *_cause_table(parts), height=40 + marks.BAR * len(parts), layer=marks.stacked(list(parts), f"mean latency [{unit}]", colours),
    )


def _causes(parts: Mapping[str, float], shown: Sequence[str], factor: float) -> Iterator[tuple[str, float, str]]:
    """Parts of a latency with their amounts, and what is said of them."""
    whole = sum(parts.values())
    for key in shown:
        if key in parts:
            yield theme.CAUSES[key][0], parts[key] / factor, f"{figures.time(parts[key])}, {figures.percent(parts[key] / whole)}"


def _cause_table(parts: Mapping[str, Mapping[str, float]]) -> tuple[list[str], list[list[str]]]:
    """All causes of each platform."""
    rows = [[name, *(figures.time(found.get(key, 0.0)) for key in theme.CAUSES)] for name, found in parts.items()]
    return ["platform", *(name for name, _ in theme.CAUSES.values())], rows


def added(document: RunDocument) -> Chart | None:
    """How much more or less of each cause is in the mean latency than on the first platform; None where there is one platform only."""
    parts = {name: dict(platform.breakdown_s) for name, platform in document.platforms.items() if platform.requests}
    baseline = document.comparison.baseline
    if baseline not in parts or len(parts) < 2:
        return None
    more = {name: {key: value - parts[baseline][key] for key, value in found.items()} for name, found in parts.items() if name != baseline}
    most = max(abs(value) for found in more.values() for value in found.values())
    if not most:
        return None
    factor, unit = marks.time_unit([most])
    shown = [key for key in theme.CAUSES if any(abs(found[key]) >= most / 200 for found in more.values())]
    rows = [row for name, found in more.items() for row in _sides(name, found, shown, factor, most / factor)]
    said = "; ".join(_largest(name, found) for name, found in more.items())
    colours = {name: colour for key, (name, colour) in theme.CAUSES.items() if key in shown}
    return chart(
        "added", f"What is added to the mean of {baseline}", f"Most of the difference of the mean to {baseline}: {said}.", rows,
        *_cause_table(more), height=40 + marks.BAR * len(more),
        layer=marks.stacked(list(more), f"more than on {baseline} [{unit}]", colours),
    )


def _largest(name: str, more: Mapping[str, float]) -> str:
    key, value = max(more.items(), key=lambda pair: abs(pair[1]))
    return f"{figures.time(value)} {theme.CAUSES[key][0]} on {name}"


def _sides(name: str, more: Mapping[str, float], shown: Sequence[str], factor: float, most: float) -> Iterator[dict[str, Any]]:
    """What is more to the right of zero, what is less to the left."""
    for sign in (1, -1):
        side = [(theme.CAUSES[key][0], sign * more[key] / factor, figures.time(more[key])) for key in shown if sign * more[key] > 0]
        for row in marks.stack_rows(name, side, 1.5 * most):
            yield row | {key: sign * row[key] for key in ("from", "to", "middle")}
