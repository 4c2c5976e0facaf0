"""Scores of predictions: errors, medians, orders, what counts and what does not; the report and the picture of them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from simvirt.catalog import Catalog
from simvirt.report import accuracyplot
from simvirt.report.blocks import Data
from simvirt.report.formats import rendered
from simvirt.report.validation_report import report
from simvirt.result.validation_document import ValidationDocument
from simvirt.validation.facts import Calibration, Table
from simvirt.validation.fitted import Fitted, fitted
from simvirt.validation.predict import Predicted
from simvirt.validation.score import Cell, cells, score

TEXT: dict[str, Any] = {
    "id": "made", "title": "made up", "source": "nowhere at all", "found": "text", "setup": "none", "use": "validate", "unit": "us", "better": "lower",
    "scenario": {}, "measure": {"of": "latency_mean"}, "calibration": [{"by": "native", "why": "made up"}],
    "columns": {name: {"platform": "bare-metal"} for name in ("native", "docker", "kvm")},
    "rows": {"read": {"values": {"native": 100, "docker": 105, "kvm": 200}}, "write": {"values": {"native": 50, "docker": 40, "kvm": 80}}},
}
TABLE = Table.model_validate(TEXT)
PREDICTED = {
    ("read", "native"): 100.0, ("read", "docker"): 126.0, ("read", "kvm"): 180.0,
    ("write", "native"): 50.0, ("write", "docker"): 60.0, ("write", "kvm"): None,
}


def found(given: frozenset[str] = frozenset(), table: Table = TABLE) -> list[Cell]:
    """The cells of the made-up table."""
    return cells(table, {key: Predicted(value, None if value else "impossible") for key, value in PREDICTED.items()}, set(given))


def test_errors_are_relative_and_calibration_is_not_scored() -> None:
    errors = {(cell.row, cell.column): cell.error for cell in found() if cell.scored}
    assert errors == {("read", "docker"): pytest.approx(0.2), ("read", "kvm"): pytest.approx(-0.1), ("write", "docker"): pytest.approx(0.5), ("write", "kvm"): None}


def test_the_median_counts_a_missing_prediction_as_all_wrong() -> None:
    result = score([(TABLE, found())], [])
    assert (result.predicted, result.failed, result.calibrated) == (4, 1, 2)
    assert result.median_error == pytest.approx(0.35)  # of 10, 20, 50 and 100 %
    assert result.within_15 == 1


def test_orders_count_where_measurements_differ() -> None:
    """read: native and docker are 5 % apart and do not count, kvm is slower than both, as predicted; write: docker against native is wrong, kvm has no prediction."""
    result = score([(TABLE, found())], [])
    assert (result.pairs, result.pairs_right) == (5, 2)
    assert (result.platform_pairs, result.platform_pairs_right) == (5, 2)
    assert result.typed().platform_rank_order == pytest.approx(0.4)


def test_orders_of_rows_are_within_a_column() -> None:
    rows = Table.model_validate(TEXT | {"ranks": "rows"})
    result = score([(rows, found(table=rows))], [])
    assert (result.pairs, result.pairs_right) == (2, 1)  # docker and kvm; native calibrates on both sides
    assert (result.platform_pairs, result.platform_pairs_right) == (0, 0)


def test_a_range_is_met_inside_and_a_wide_one_is_a_bound() -> None:
    rows = {"read": {"values": {"native": 100, "docker": (100, 120), "kvm": (10, 300)}}}
    table = Table.model_validate(TEXT | {"rows": rows})
    own = {(cell.column): cell for cell in found(table=table)}
    assert own["docker"].error == pytest.approx(126 / 120 - 1)
    assert (own["kvm"].kind, own["kvm"].error) == ("bound", 0.0)
    result = score([(table, list(own.values()))], [])
    assert (result.predicted, result.bounds, result.bounds_kept, result.pairs) == (1, 1, 1, 0)


def test_a_fitted_cell_is_no_prediction() -> None:
    result = score([(TABLE, found(frozenset({"made/read/kvm"})))], [Fitted("devices.x", ("made/read/kvm",)), Fitted("devices.y", ("other/a/b",))])
    assert (result.predicted, result.calibrated, result.fitted_constants) == (3, 3, 1)


def test_fitted_constants_are_found_once() -> None:
    cost = {"cpu": {"value": "2us", "source": "worked out from the table", "fitted": ["made/read/kvm"]}}
    free = {name: {"none": "costs nothing at all"} for name in ("disk_write", "disk_flush", "kib_read", "kib_written")}
    slow = {"title": "slow", "source": "made up for this", "role": "disk", "side": "runtime", "model": "software", "costs": {"disk_read": cost, **free}}
    catalog = Catalog.load({"devices": {"slow": slow, "slower": {"like": "slow", "title": "slower"}}})
    constants = [constant for constant in fitted(catalog) if constant.cells == ("made/read/kvm",)]
    assert [constant.name for constant in constants] == ["devices.slow.costs.disk_read.cpu"]


def document() -> ValidationDocument:
    """A result as `simvirt validate` makes it, by hand."""
    own = found()
    result = score([(TABLE, own)], []).typed().document()
    table = {
        "id": "made", "topic": 3, "title": "made up & more", "source": "nowhere at all", "found": "text", "setup": "none", "use": "validate", "better": "lower",
        "ranks": "columns", "missing": "everything", "calibration": ["made up"], "cells": [cell.typed().document() for cell in own], "score": result,
    }
    return ValidationDocument.model_validate({
        "simvirt": {"version": "0", "schema": 1, "kernel": "compiled"}, "seed": 1, "replications": 1,
        "topics": [{"number": 3, "title": "a topic", "score": result, "left_out": {}}], "tables": [table], "summary": dict.fromkeys(("all", "validate", "calibrate"), result),
        "theory": [{"model": "M/M/1", "measure": "latency_mean_s", "source": "x", "theory": 1.0, "simulated": 1.01, "low": 0.9, "high": 1.1, "error": 0.01}],
        "linux": {"rows": [{"row": "a 1", "measure": "mean", "predicted_s": 1.0, "measured_s": 2.0, "error": -0.5, "noisy": True}], "median_error": 0.5},
        "wall_s": 1.0,
    })


def test_the_report_says_it_all() -> None:
    text = rendered(report(document()), "text", 120)
    for words in ("made up & more", "+20.0 %", "-10.0 %", "impossible", "calibration", "not in the model: everything", "35.0 %", "2 of 5", "M/M/1", "noisy"):
        assert words in text
    page = rendered(report(document()), "markdown")
    assert "| read | native | 100 | 100 us | +0.0 % | calibration |" in page
    assert "nowhere at all" in page


def test_flat_rows_hold_every_number() -> None:
    (rows,) = (block.rows for block in report(document()).blocks if isinstance(block, Data))
    assert len(rows) == 6 + 1 + 1
    assert {row["kind"] for row in rows} == {"calibration", "prediction", "theory"}


def test_the_picture_has_a_mark_for_each_prediction() -> None:
    root = ElementTree.fromstring(accuracyplot.svg(document()))
    titles = [node.text for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 1 + 5
    assert accuracyplot.x_of(1.0) < accuracyplot.x_of(1.2) < accuracyplot.x_of(100.0) == accuracyplot.x_of(accuracyplot.MOST)


def test_a_row_of_a_calibration_is_where_something_is_solved_for() -> None:
    """A row without a path says nothing, and is refused where the table is read."""
    with pytest.raises(ValidationError, match="row: expected the path that is solved for there"):
        Calibration.model_validate({"by": "native", "row": "read", "why": "made up"})
