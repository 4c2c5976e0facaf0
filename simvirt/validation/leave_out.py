"""Every table predicted by constants that were fitted without it: what the score is worth on a table that nobody has seen.

*Model*: for each table the constants that are fitted to it are fitted anew without it (`refit`), all other constants stay, and the table is
    predicted; cells that constants were fitted to are predictions then. A table to which no constant is fitted stays as it is.
*Ignores*: that mechanisms and sources were chosen with the tables known.
*Source*: Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, J. R. Statist. Soc. B 36, 1974.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import median

from simvirt.result.validation_document import ConstantScore, LeaveOneOut, LeftOutTable, LeftOutTopic, RefitResult
from simvirt.runs.pool import in_order, workers
from simvirt.validation.changed import changed
from simvirt.validation.dependence import Moves, dependences
from simvirt.validation.facts import Table, Topic
from simvirt.validation.fitted import Fitted
from simvirt.validation.predict import Conditions, Predicted, predicted
from simvirt.validation.refit import Known, Refit, refitted, values_of
from simvirt.validation.score import Cell, cells, score, summary

Scored = tuple[Table, Sequence[Cell]]
Progress = Callable[[str], None]


def leave_one_out(
    scored: Sequence[Scored], among: Sequence[Topic], constants: Sequence[Fitted], conditions: Conditions, jobs: int = 1,
    progress: Progress | None = None,
) -> LeaveOneOut:
    """The scored tables, each predicted without itself; `among` are the topics with all tables that constants may be fitted to instead."""
    wanted = [constant for constant in constants if constant.tables & {table.id for table, _ in scored}]
    known = _known([table for topic in among for table in topic.tables], wanted, conditions, jobs, progress or (lambda what: None))

    def without(own: Scored) -> tuple[Sequence[Cell], list[Refit]]:
        found = _without(own, wanted, known)
        (progress or (lambda what: None))(own[0].id)
        return found

    with workers(jobs) as pool:
        found = list(in_order(pool, without, scored))
    left_out = [(table, own) for (table, _), (own, _) in zip(scored, found, strict=True)]
    return LeaveOneOut(
        topics=_topics(left_out, among),
        tables=tuple(_typed(table, own, refits) for (table, _), (own, refits) in zip(scored, found, strict=True) if refits),
        constants=tuple(_constant(constant, known.moves, scored) for constant in wanted),
        summary=summary(left_out, []),
    )


def _known(tables: Sequence[Table], constants: Sequence[Fitted], conditions: Conditions, jobs: int, progress: Progress) -> Known:
    """Which constants that were not fitted to them the tables depend on."""

    def moves(table: Table) -> dict[str, Moves]:
        found = dependences(table, [constant for constant in constants if table.id not in constant.tables])
        progress(table.id)
        return found

    names = [table.id for table in tables]
    with workers(jobs) as pool:
        return Known(dict(zip(names, tables, strict=True)), dict(zip(names, in_order(pool, moves, tables), strict=True)), conditions)


def _without(scored: Scored, constants: Sequence[Fitted], known: Known) -> tuple[Sequence[Cell], list[Refit]]:
    """A table's cells by constants that know nothing of it, and those; the cells that it has where no constant is fitted to it."""
    table, own = scored
    mine = [constant for constant in dict.fromkeys(constants) if table.id in constant.tables]
    if not mine:
        return own, []
    refits = refitted(table.id, mine, known)
    return cells(table, _predicted(table, refits, known), set()), refits


def _predicted(table: Table, refits: Sequence[Refit], known: Known) -> Mapping[tuple[str, str], Predicted]:
    """The predictions of a table by constants fitted anew; none where there is nothing that one of them could be."""
    lost = next((refit.constant.name for refit in refits if refit.rule == "nothing"), None)
    if lost is not None:
        failed = Predicted(None, f"nothing else gives {lost}")
        return {(name, column): failed for name, row in table.rows.items() for column in row.values}
    return predicted(changed(table, values_of(refits)), known.conditions)


# --- results -------------------------------------------------------------------------------------------------------------


def _topics(found: Sequence[Scored], among: Sequence[Topic]) -> tuple[LeftOutTopic, ...]:
    """The topics that tables belong to, each with its score."""
    return tuple(
        LeftOutTopic(number=topic.number, title=topic.title, score=score(own, []).typed())
        for topic in among
        if (own := [(table, cells_) for table, cells_ in found if table.topic == topic.number])
    )


def _typed(table: Table, own: Sequence[Cell], refits: Sequence[Refit]) -> LeftOutTable:
    """A table without itself as it stands in a result."""
    told = tuple(RefitResult(name=refit.constant.name, rule=refit.rule, factor=refit.factor, told=refit.told) for refit in refits)
    score_ = score([(table, own)], []).typed()
    return LeftOutTable(id=table.id, topic=table.topic, constants=told, cells=tuple(cell.typed() for cell in own), score=score_)


def _constant(constant: Fitted, moves: Mapping[str, Mapping[str, Moves]], scored: Sequence[Scored]) -> ConstantScore:
    """A constant on the tables that depend on it and that it was not fitted to."""
    keys: dict[str, Collection[tuple[str, str]]] = {
        name: by[constant.name] for name, by in moves.items() if name not in constant.tables and constant.name in by
    }
    errors = [1.0 if cell.error is None else abs(cell.error) for _, own in scored for cell in own
              if cell.scored and (cell.row, cell.column) in keys.get(cell.table, ())]
    return ConstantScore(
        name=constant.name, fitted_to=tuple(sorted(constant.tables)), serves=tuple(sorted(keys)), predicted=len(errors),
        median_error=median(errors) if errors else None,
    )


