"""Constants fitted anew without one table, from other cells, or replaced by what they would be taken as without it.

*Model*: a constant that is fitted to cells of other tables, too, is solved for on those; one that serves cells of other tables, which move
    by at least ENOUGH of its own relative change, on those; where there are none, or no solution, it is what the catalogue gives as
    `otherwise`. A solution makes the geometric mean of predicted over measured numbers one, within a factor of MOST of the shipped value.
*Ignores*: that constants depend on each other: they are solved for one after the other, once.
*Source*: Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, J. R. Statist. Soc. B 36, 1974.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from simvirt.errors import SimulationError, SimvirtError
from simvirt.validation.changed import Values, changed, only, written
from simvirt.validation.dependence import Moves
from simvirt.validation.facts import Table
from simvirt.validation.fitted import Fitted
from simvirt.validation.predict import Conditions, predict
from simvirt.validation.solving import solve

ENOUGH: Final = 0.2  # relative change of a cell over that of a constant from which the cell determines it
MOST: Final = 5.0
Rule = Literal["other cells", "other tables", "otherwise", "nothing"]
Keys = Mapping[str, Collection[tuple[str, str]]]
"""Cells (row, column) by table."""


@dataclass(frozen=True, slots=True)
class Known:
    """All tables by name, which of their cells move with which constant, and how everything is run."""

    tables: Mapping[str, Table]
    moves: Mapping[str, Mapping[str, Moves]]  # by table, by constant
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Refit:
    """A constant without one table: what it was taken from, its factor (None: `otherwise`), and what there is to say of it."""

    constant: Fitted
    rule: Rule
    factor: float | None
    told: str


def refitted(table: str, constants: Sequence[Fitted], known: Known) -> list[Refit]:
    """The constants that are fitted to a table, without it; those for which there is nothing else first, as the others build on them."""
    cells = {constant: _cells(table, constant, known) for constant in constants}
    found = [_replaced(constant, "") for constant in constants if not cells[constant][1]]
    for constant, (rule, keys) in cells.items():
        if keys:
            found.append(_refit(constant, rule, keys, values_of(found), known))
    return found


def values_of(found: Iterable[Refit]) -> Values:
    """The values that constants have without a table."""
    return {refit.constant: refit.factor for refit in found}


def _replaced(constant: Fitted, failed: str) -> Refit:
    """A constant as the catalogue's `otherwise`; as it is, where there is none, which makes predictions with it none."""
    reasons = {number["otherwise"]["why"] for number in written(constant) if "otherwise" in number}
    told = "; ".join([*([failed] if failed else []), *sorted(reasons)])
    return Refit(constant, "otherwise", None, told) if reasons else Refit(constant, "nothing", 1.0, told or "serves no other table")


def _cells(table: str, constant: Fitted, known: Known) -> tuple[Rule, Keys]:
    """The cells of other tables from which a constant can be had: those that it is fitted to, or else those that it serves."""
    own: dict[str, set[tuple[str, str]]] = {}
    for name, _, cell in (cell.partition("/") for cell in constant.cells):
        if name != table and name in known.tables:
            row, _, column = cell.rpartition("/")
            own.setdefault(name, set()).add((row, column))
    return ("other cells", own) if own else ("other tables", _served(table, constant, known))


def _served(table: str, constant: Fitted, known: Known) -> Keys:
    """Cells of other tables that move with a constant, those left out that the tables calibrate on."""
    found = {name: _enough(known.tables[name], moves.get(constant.name, {})) for name, moves in known.moves.items() if name != table}
    return {name: keys for name, keys in found.items() if keys}


def _enough(table: Table, moves: Moves) -> set[tuple[str, str]]:
    """The cells of a table that determine a constant."""
    return {key for key, move in moves.items() if ENOUGH <= abs(move) < math.inf and not _given(table, key)}


def _given(table: Table, key: tuple[str, str]) -> bool:
    """Whether a cell is a given of its table."""
    return any(told.by == key[1] and told.row in (None, key[0]) for told in table.calibration)


def _refit(constant: Fitted, rule: Rule, keys: Keys, others: Values, known: Known) -> Refit:
    """A constant solved for on some cells; replaced where that fails, with the reason."""
    where = f"{sum(map(len, keys.values()))} of {', '.join(sorted(keys))}"
    try:
        factor = solve(lambda x: _off(keys, {**others, constant: x}, known), 1.0, (1.0 / MOST, MOST))
    except SimvirtError as error:
        return _replaced(constant, f"not solved for on {where}: {str(error).splitlines()[0]}")
    if factor is None:
        return _replaced(constant, f"no value within a factor of {MOST:g} makes {where} right")
    return Refit(constant, rule, factor, where)


def _off(keys: Keys, values: Values, known: Known) -> float:
    """Geometric mean of predicted over measured numbers, less one; SimulationError where one of them cannot be predicted."""
    logs = [log for name, cells in keys.items() for log in _logs(only(known.tables[name], cells), cells, values, known.conditions)]
    return math.exp(sum(logs) / len(logs)) - 1.0


def _logs(table: Table, cells: Collection[tuple[str, str]], values: Values, conditions: Conditions) -> Iterable[float]:
    """The logarithm of predicted over measured, cell by cell."""
    found = predict(changed(table, values), conditions)
    for row, column in sorted(cells):
        value, limits = found[row, column].value, table.rows[row].limits(column)
        if not value:
            raise SimulationError(f"{table.id}, {row}, {column}: {found[row, column].failure or 'nothing happens'}")
        yield math.log(value / min(max(value, limits[0]), limits[1]))
