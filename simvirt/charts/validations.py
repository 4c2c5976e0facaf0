"""Charts of `simvirt validate`: predicted against measured numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result.validation_document import ValidationDocument

ENDS: Final = (0.25, 4.0)
"""Ratios at which the axis ends."""
WITHIN: Final = 1.15
KINDS: Final = {"prediction": (theme.BLUE, "circle"), "bound": (theme.ORANGE, "triangle-up"), "calibration": (theme.GREY, "square")}


def accuracy(document: ValidationDocument) -> Chart | None:
    """Predicted over measured, a point a number, a row a table; None where there is none."""
    rows = list(_points(document))
    if not rows:
        return None
    tables = list(dict.fromkeys(row["table"] for row in rows))
    score = document.summary.all
    median = "not known" if score.median_error is None else f"{score.median_error:.1%}"
    said = f"{score.predicted} predictions, half of them within {median}; {score.within_15} within 15 %."
    table = ([row["table"], row["row"], row["column"], row["predicted"], row["measured"], row["said"], row["kind"]] for row in rows)
    return chart(
        "accuracy", "Predicted over measured", said, rows, ("table", "row", "column", "predicted", "measured", "ratio", "kind"), table,
        height=60 + 20 * len(tables), layer=_layers(tables),
    )


def _points(document: ValidationDocument) -> Iterator[dict[str, Any]]:
    """Every number that has a prediction."""
    for table in document.tables:
        for cell in table.cells:
            if cell.predicted and cell.measured and cell.predicted / cell.measured > 0:
                ratio = cell.predicted / cell.measured
                place = {"table": table.id, "row": cell.row, "column": cell.column, "kind": cell.kind}
                predicted, measured = (f"{value:.4g} {cell.unit}".strip() for value in (cell.predicted, cell.measured))
                shown = min(max(ratio, ENDS[0]), ENDS[1])
                yield {**place, "ratio": shown, "said": f"{ratio:.3g}", "predicted": predicted, "measured": measured}


def _layers(tables: list[str]) -> list[dict[str, Any]]:
    """The band of 15 %, and the numbers."""
    data: dict[str, Any] = {"values": [{}]}

    def kinds(values: list[str]) -> dict[str, Any]:
        return {"field": "kind", "type": "nominal", "title": None, "sort": None, "scale": {"domain": list(KINDS), "range": values}}

    ticks = [0.25, 0.5, 0.8, 1, 1.25, 2, 4]
    x = marks.quantitative(
        "ratio", "predicted over measured", {"type": "log", "domain": list(ENDS)}, values=ticks, format="~g", tickCount=20)
    tips = marks.tips(("table", "table"), ("row", "row"), ("column", "column"), ("predicted", "predicted"), ("measured", "measured"))
    pick = {**marks.PICK, "select": {"type": "point", "fields": ["kind"]}}
    return [
        {"data": data, "mark": {"type": "rect", "color": theme.GRID, "opacity": 0.5, "aria": False}, "encoding": {
            "x": {"datum": 1 / WITHIN, "type": "quantitative", "scale": {"type": "log"}}, "x2": {"datum": WITHIN}}},
        {"mark": {"type": "point", "size": 40, "opacity": 0.9}, "params": [pick], "encoding": {
            "x": x, "y": marks.named("table", tables, grid=True), "color": kinds([colour for colour, _ in KINDS.values()]),
            "shape": kinds([shape for _, shape in KINDS.values()]), "opacity": marks.FADED, "tooltip": tips}},
        *marks.rule("x", 1.0),
    ]
