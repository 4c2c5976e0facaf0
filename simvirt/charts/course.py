"""Charts of `simvirt run` over the time of its first replication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures
from simvirt.result.run_document import RunDocument, Series

SERIES: Final = {
    "series": "requests under way", "series-throughput": "requests answered per second", "series-cpus": "busy hardware threads",
    "series-queued": "calls that queue for a thread",
}
"""Charts over time by their names."""


def series(document: RunDocument, of: str = "series") -> Chart | None:
    """One of `SERIES` over time, platform by platform; None where it was not sampled, or stays 0."""
    found = {name: platform for name, platform in document.platforms.items() if platform.series and len(platform.series.at_s) > 1}
    rows = [row for name, platform in found.items() for row in _samples(name, platform.series, of)]
    if not any(row["value"] for row in rows):
        return None
    warmup = max(platform.warmup_s or 0.0 for platform in found.values())
    after = {name: [row["value"] for row in rows if row["platform"] == name and row["at"] >= warmup] for name in found}
    after = {name: values for name, values in after.items() if values}
    said = "; ".join(f"{_said(sum(values) / len(values))} on {name}" for name, values in after.items())
    return chart(
        of, f"{SERIES[of].capitalize()} over time", f"After the warm-up {SERIES[of]}: {said} on average.", rows,
        ("platform", "mean after the warm-up", "smallest", "largest"),
        ([name, *(_said(value) for value in (sum(values) / len(values), min(values), max(values)))] for name, values in after.items()),
        height=220, layer=[*_warmup(warmup), *_lines(document, SERIES[of])],
    )


def _said(value: float) -> str:
    """A number of requests or CPUs, or a rate."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _warmup(until: float) -> list[dict[str, Any]]:
    """What is not measured, shaded."""
    data: dict[str, Any] = {"values": [{}]}
    start = {"datum": 0, "type": "quantitative"}
    words = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 4, "text": "warm-up", "color": theme.QUIET, "aria": False}
    return [
        {"data": data, "mark": {"type": "rect", "color": theme.GRID, "opacity": 0.45, "aria": False},
         "encoding": {"x": start, "x2": {"datum": until}}},
        {"data": data, "mark": words, "encoding": {"x": start, "y": {"value": 0}}},
    ] if until else []


def _lines(document: RunDocument, title: str) -> list[dict[str, Any]]:
    """A line a platform, with points that say what they are."""
    scales = theme.platform_scales(document.platforms)
    place = {"x": marks.quantitative("at", "time [s]", {"nice": False}), "y": marks.quantitative("value", title)}
    return [
        {"mark": "line", "params": [marks.PICK], "encoding": {
            **place, "color": scales["color"], "strokeDash": scales["strokeDash"], "opacity": marks.FADED}},
        {"mark": {"type": "point", "opacity": 0, "size": 120, "aria": False}, "encoding": {
            **place, "tooltip": marks.tips(("platform", "platform"), ("when", "time"), ("said", title))}},
    ]


def _samples(name: str, taken: Series | None, of: str) -> Iterator[dict[str, Any]]:
    """The samples of a platform; answers as their rate since the sample before."""
    if taken is None:
        return
    at: Sequence[float] = taken.at_s
    if of == "series-throughput":
        spans = zip(at, at[1:], taken.completed, taken.completed[1:], strict=False)
        values: Sequence[float] = [(after - before) / (to - since) if to > since else 0.0 for since, to, before, after in spans]
        at = at[1:]
    else:
        values = {"series": taken.in_system, "series-cpus": taken.busy_cpus, "series-queued": taken.queued}[of]
    for when, value in zip(at, values, strict=True):
        yield {"platform": name, "at": when, "value": value, "said": _said(value), "when": figures.time(when)}
