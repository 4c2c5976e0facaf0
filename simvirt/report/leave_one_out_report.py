"""The part of a report on predictions by constants that were fitted to other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simvirt.report.blocks import Block, Table, Title, cells
from simvirt.report.scored import order, share
from simvirt.result.validation_document import LeaveOneOut, RefitResult, ScoreResult, ValidationDocument

SCORE: Final = ("predicted", "median error", "with all tables", "within 15 %", "platforms in order", "conditions in order")
REFIT: Final = ("table", "constant", "without the table", "from")
CONSTANT: Final = ("constant", "fitted to", "also serves", "predicted there", "median error there")
RULES: Final[Mapping[str, str]] = {
    "other cells": "fitted to {}", "other tables": "fitted to {}, which it serves", "otherwise": "{}", "nothing": "nothing: {}",
}


def blocks(document: ValidationDocument) -> Iterator[Block]:
    """Scores, the constants table by table, and each constant on tables that it was not fitted to; none where nothing was left out."""
    if document.leave_one_out is not None:
        yield from (Title("Each table predicted without itself"), scores(document))
        yield from (Title("Constants without a table that they are fitted to"), refits(document.leave_one_out))
        yield from (Title("Fitted constants on tables that they were not fitted to"), constants(document.leave_one_out))


def scores(document: ValidationDocument) -> Table:
    """The scores of topics and of all, beside those by constants that know all tables."""
    found = document.leave_one_out
    assert found is not None
    known = {topic.number: topic.score for topic in document.topics}
    parts = [(f"{topic.number} {topic.title}", topic.score, known[topic.number]) for topic in found.topics]
    own, all_ = found.summary, document.summary
    parts += [("tables to validate on", own.validate_, all_.validate_), ("tables to calibrate on", own.calibrate, all_.calibrate)]
    rows = tuple(cells(title, *_scored(left_out, fitted)) for title, left_out, fitted in [*parts, ("all", own.all, all_.all)])
    return Table(("", *SCORE), rows, figures=False)


def _scored(score: ScoreResult, fitted: ScoreResult) -> Iterator[Any]:
    """A score as the cells of a row, in the order of SCORE."""
    pairs, right = score.platform_pairs, score.platform_pairs_right
    yield from (score.predicted, share(score.median_error), share(fitted.median_error), score.within_15)
    yield from (order(right, pairs), order(score.pairs_right - right, score.pairs - pairs))


def refits(found: LeaveOneOut) -> Table:
    """The constants of each table without it; a table is named once."""
    rows = []
    for table in found.tables:
        for index, refit in enumerate(table.constants):
            name = "" if index else f"{table.id}: {share(table.score.median_error)}"
            rows.append(cells(name, refit.name, value(refit), RULES[refit.rule].format(refit.told)))
    return Table(REFIT, tuple(rows), (0, 1, 3), names=2, prose=3, figures=False)


def value(refit: RefitResult) -> str:
    """What a constant is without a table, over what it is with it."""
    return "-" if refit.factor is None or refit.rule == "nothing" else f"x {refit.factor:.2f}"


def constants(found: LeaveOneOut) -> Table:
    """Each fitted constant on the tables that depend on it and that it was not fitted to."""
    rows = [
        cells(each.name, ", ".join(each.fitted_to), ", ".join(each.serves) or "-", each.predicted, share(each.median_error))
        for each in found.constants
    ]
    return Table(CONSTANT, tuple(rows), (0, 1, 2), prose=2, figures=False)
