"""Charts of `simvirt sweep`: measures over an axis, over two, and what they depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures
from simvirt.result.sweep_document import SweepDocument

READY: Final = "ready_last_s"
MEASURES: Final[Mapping[str, str]] = {
    "latency_p99_s": "p99", "latency_mean_s": "mean latency", "throughput_per_s": "throughput", READY: "readiness of the last instance",
}
MOST_TABLE: Final = 200
"""Rows of a table behind a chart."""
MOST_LEVELS: Final = 40
"""Levels of an axis of a heat map."""
Row = Mapping[str, Any]


def known_rows(document: SweepDocument, measure: str) -> list[Row]:
    """The rows in which a measure is known; readiness is where all instances are ready in the end."""
    known = [row for row in document.rows if row.get(measure) is not None]
    return [row for row in known if measure != READY or row["ready"] == row["started"]]


def _lead(document: SweepDocument) -> str:
    """The measure that a sweep is about: readiness where instances are started, else the p99."""
    return READY if known_rows(document, READY) else "latency_p99_s"


def _about(document: SweepDocument) -> str:
    """The measure that a sweep is about, in words."""
    return f"the {MEASURES[_lead(document)]}"


def short(column: str) -> str:
    """A column's name without where its leaf is: `web replicas`."""
    parts = column.split(".")
    return f"{parts[1]} {parts[-1]}" if parts[0] == "services" and len(parts) > 2 else parts[-1]


def _columns(document: SweepDocument) -> list[str]:
    """One column an axis, those that the lead measure depends on most first; platforms are none."""
    found = [axis.columns[0] for axis in document.axes if axis.columns and axis.columns[0] != "platform"]
    names = {axis.columns[0]: axis.name for axis in document.axes if axis.columns}
    lead = _lead(document)
    share = {column: max((e.share for e in document.effects if e.axes == (names[column],) and e.measure == lead), default=0.0)
             for column in found}
    return sorted(found, key=lambda column: -share[column])


def _numbers(rows: Sequence[Row], column: str) -> bool:
    return all(isinstance(row[column], int | float) and not isinstance(row[column], bool) for row in rows)


def _said(measure: str, value: Any) -> str:
    return figures.rate(value) if measure.endswith("_per_s") else figures.time(value)


def lines(document: SweepDocument, measure: str = "latency_p99_s") -> Chart | None:
    """A measure over the axis that it depends on most: a line a platform, the mean over all other axes, and every cell as a point."""
    known, columns = known_rows(document, measure), _columns(document)
    if not known or not columns:
        return None
    column, names = columns[0], list(dict.fromkeys(str(row["platform"]) for row in known))
    factor, unit = (1.0, "per s") if measure.endswith("_per_s") else marks.time_unit(row[measure] for row in known)
    rows = [{"platform": str(row["platform"]), "level": row[column], "value": row[measure] / factor, "cell": str(row["cell"]),
             "said": _said(measure, row[measure])} for row in known]
    numbers = _numbers(known, column)
    x = marks.quantitative("level", short(column), {"zero": False}) if numbers else marks.named(
        "level", [str(level) for level in dict.fromkeys(row[column] for row in known)], short(column))
    table = ([str(row["platform"]), *(str(row[name]) for name in columns), _said(measure, row[measure])] for row in known[:MOST_TABLE])
    return chart(
        f"lines-{MEASURES[measure].split()[0]}",
        f"{MEASURES[measure]} over {short(column)}", _range(known, column, measure), rows,
        ("platform", *map(short, columns), MEASURES[measure]),
        table, height=300,
        layer=_lines(names, x, f"{MEASURES[measure]} [{unit}]", marks.spread_scale(row["value"] for row in rows), len(columns) > 1),
    )


def _range(rows: Sequence[Row], column: str, measure: str) -> str:
    """The smallest and the largest value of a measure, and where they are."""
    ends = [pick(rows, key=lambda row: float(row[measure])) for pick in (min, max)]
    low, high = (f"{_said(measure, row[measure])} at {row[column]} on {row['platform']}" for row in ends)
    return f"{MEASURES[measure]} from {low} to {high}."


def _lines(names: Sequence[str], x: Mapping[str, Any], title: str, scale: Mapping[str, Any], several: bool) -> list[dict[str, Any]]:
    """Lines of means over the cells, and the cells."""
    scales = theme.platform_scales(names)
    y = marks.quantitative("value", title, scale)
    mean = {**y, "aggregate": "mean"} if several else y
    return [
        {"mark": "line", "params": [marks.PICK], "encoding": {
            "x": x, "y": mean, "color": scales["color"], "strokeDash": scales["strokeDash"], "opacity": marks.FADED}},
        {"mark": {"type": "point", "size": 40}, "encoding": {
            "x": x, "y": y, "color": scales["color"], "shape": scales["shape"], "opacity": marks.FADED,
            "tooltip": marks.tips(("platform", "platform"), ("cell", "cell"), ("level", str(x["title"])), ("said", title))}},
    ]


def surface(document: SweepDocument) -> Chart | None:
    """The lead measure over the two axes that it depends on most, on the first platform: a heat map; None with one axis, or no grid."""
    measure, columns = _lead(document), _columns(document)
    known = known_rows(document, measure)
    if len(columns) < 2 or not known or document.design != "grid":
        return None
    (across, up), platform = columns[:2], str(known[0]["platform"])
    cells: dict[tuple[str, str], list[float]] = {}
    for row in known:
        if str(row["platform"]) == platform:
            cells.setdefault((str(row[across]), str(row[up])), []).append(float(row[measure]))
    levels = [list(dict.fromkeys(place[side] for place in cells)) for side in (0, 1)]
    if max(map(len, levels)) > MOST_LEVELS:
        return None
    means = {place: sum(values) / len(values) for place, values in cells.items()}
    rows = [{"across": a, "up": u, "value": mean, "said": figures.time(mean)} for (a, u), mean in means.items()]
    (low, least), (high, most) = (pick(means.items(), key=lambda pair: pair[1]) for pick in (min, max))
    table = ([u, *(figures.time(means.get((a, u))) for a in levels[0])] for u in levels[1])
    return chart(
        "surface", f"{MEASURES[measure]} on {platform} over {short(across)} and {short(up)}",
        f"From {figures.time(least)} at {' and '.join(low)} to {figures.time(most)} at {' and '.join(high)}.", rows,
        (f"{short(up)} \\ {short(across)}", *levels[0]), table, height=60 + 30 * len(levels[1]),
        layer=marks.heat(rows, ("across", "up"), "value", (short(across), short(up)), log=True),
    )


def effects(document: SweepDocument) -> Chart | None:
    """How much of the variance of the lead measure goes with each axis, platform by platform; of one axis alone it would be all."""
    found = [effect for effect in document.effects if effect.measure == _lead(document) and len(effect.axes) == 1]
    names = list(dict.fromkeys(effect.platform for effect in found))
    axes = list(dict.fromkeys(short(effect.axes[0]) for effect in sorted(found, key=lambda effect: -effect.share)))
    if len(axes) < 2:
        return None
    rows = [{"platform": effect.platform, "axis": short(effect.axes[0]), "share": effect.share, "said": figures.percent(effect.share)}
            for effect in found]
    most = max(found, key=lambda effect: effect.share)
    scales = theme.platform_scales(names)
    share = {(row["axis"], row["platform"]): row["said"] for row in rows}
    said = f"Most on {short(most.axes[0])}: {figures.percent(most.share)} of its variance on {most.platform}."
    table = ([str(axis), *(str(share.get((axis, name), "")) for name in names)] for axis in axes)
    return chart(
        "effects", f"What {_about(document)} depends on", said, rows, ("axis", *names), table, height=40 + 30 * len(axes),
        layer=[{"mark": {"type": "point", "size": 80}, "params": [marks.PICK], "encoding": {
            "x": marks.quantitative("share", "share of the variance", {"domain": [0, 1]}, format=".0%"),
            "y": marks.named("axis", axes, grid=True),
            "yOffset": {"field": "platform", "type": "nominal", "sort": names}, "color": scales["color"], "shape": scales["shape"],
            "opacity": marks.FADED, "tooltip": marks.tips(("platform", "platform"), ("axis", "axis"), ("said", "share"))}}],
    )
