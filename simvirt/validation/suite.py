"""Everything that `simvirt validate` says, as one document: tables, theory, a Linux kernel's rows, scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from simvirt import __version__, kernel
from simvirt.catalog import Catalog
from simvirt.validation import closed_forms, linux
from simvirt.validation.facts import Table, topics
from simvirt.validation.fitted import Fitted, fitted, fitted_cells
from simvirt.validation.predict import Conditions, predict
from simvirt.validation.score import Cell, cells, score

Progress = Callable[[str], None]
Scored = tuple[Table, list[Cell]]
SCHEMA = 1


def validate(
    tables: Sequence[Table], conditions: Conditions, jobs: int = 1, with_theory: bool = True, reference: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Predictions of tables, theory and measured Linux rows, scored; `jobs` tables at a time, which changes no number."""
    started = time.perf_counter()
    if reference is not None:
        linux.read_rows(reference)  # a mistake in it is reported before anything is simulated
    constants = fitted(Catalog.load())
    given = fitted_cells(constants)
    tell = progress or (lambda what: None)

    def scored(table: Table) -> Scored:
        found = cells(table, predict(table, conditions), given)
        tell(table.id)
        return table, found

    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        found = list(pool.map(scored, tables))
    document: dict[str, Any] = {
        "simvirt": {"version": __version__, "schema": SCHEMA, "kernel": kernel.MODE},
        "seed": conditions.seed,
        "replications": conditions.replications,
        "topics": _topics(found, constants),
        "tables": [_table(table, own, constants) for table, own in found],
        "summary": {
            "all": score(found, constants).document(),
            "validate": score([(t, own) for t, own in found if t.use == "validate"], constants).document(),
            "calibrate": score([(t, own) for t, own in found if t.use == "calibrate"], constants).document(),
        },
    }
    if with_theory:
        document["theory"] = closed_forms.rows(conditions)
    if reference is not None:
        document["linux"] = _linux(linux.compare_all(reference, conditions.replications))
    return document | {"wall_s": time.perf_counter() - started}


def _topics(found: Sequence[Scored], constants: Sequence[Fitted]) -> list[dict[str, Any]]:
    """The topics that tables belong to, each with its score."""
    return [
        {"number": topic.number, "title": topic.title, "score": score(own, constants).document(), "left_out": dict(topic.left_out)}
        for topic in topics()
        if (own := [(table, cells_) for table, cells_ in found if table.topic == topic.number])
    ]


def _table(table: Table, found: Sequence[Cell], constants: Sequence[Fitted]) -> dict[str, Any]:
    """A table with its cells and score."""
    return {
        "id": table.id,
        "topic": table.topic,
        "title": table.title,
        "source": table.source,
        "found": table.found,
        "setup": table.setup,
        "use": table.use,
        "better": table.better,
        "ranks": table.ranks,
        "missing": table.missing,
        "calibration": [told.why for told in table.calibration],
        "cells": [cell.document() for cell in found],
        "score": score([(table, found)], constants).document(),
    }


def _linux(found: Sequence[linux.Cell]) -> dict[str, Any]:
    """Replayed rows of a Linux kernel."""
    rows = [
        {"row": f"{cell.row} {cell.seed}", "measure": cell.measure, "predicted_s": cell.predicted, "measured_s": cell.measured,
         "error": cell.error, "noisy": cell.noisy}
        for cell in found
    ]
    return {"rows": rows, "median_error": linux.median_error(found)}
