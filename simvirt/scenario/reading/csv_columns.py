"""Columns of numbers in the CSV files of a scenario; times come out in ns.

Numbers are read by numpy's C reader; only where it, or a check, finds a mistake is the file walked through again in Python for its line.
Every refusal is a `ScenarioError` with file and line.
"""

from __future__ import annotations

import csv
import re
import warnings
from typing import Callable, Final, Iterator, NoReturn

import numpy as np
from numpy.typing import NDArray

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.bounds import LATEST_NS
from simvirt.scenario.reading.csv_heads import TIME_SUFFIXES, Header, NoTable, column_of, header_of, is_ours, shown_file, suffix_of
from simvirt.units import shown

Floats = NDArray[np.float64]
_NUMBER: Final = re.compile(r"[-+.\d]+(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


def read_values(file: str, name: str | None, scale: float) -> Floats:
    """The values of an empirical distribution [ns], times its scale: a column of times, the only one where no name is given.

    ScenarioError with file and line for values that are none, negative or infinite, and where all are 0.
    """
    header = table_header(file)
    try:
        column = column_of(header, name)
    except NoTable as error:
        refuse(header, 1, str(error))
    values, _ = times(header, [column])
    if not values.any():
        refuse(header, None, f"{column}: expected a value above 0 in some line")
    return values * scale if scale != 1 else values


def table_header(path: str, named: bool = True) -> Header:
    """The head of a table; ScenarioError where it has none."""
    try:
        return header_of(path, named)
    except NoTable as error:
        raise ScenarioError([Issue(shown_file(path), error.line, None, "", str(error))]) from None


def times(header: Header, columns: list[str]) -> tuple[Floats, Floats | None]:
    """One or two columns of times [ns]."""
    for column in columns:
        if suffix_of(column, TIME_SUFFIXES) is None:
            refuse(header, 1, f"{column}: expected a column whose name ends in its unit, _s, _ms, _us or _ns")
    raw = numbers(header, list(columns))
    found = [scaled(values, TIME_SUFFIXES[suffix_of(name, TIME_SUFFIXES) or "_s"]) for name, values in zip(columns, raw, strict=True)]
    for name, values in zip(columns, found, strict=True):
        check(header, name, values, lambda v: v <= LATEST_NS, "expected a time within 100 years")
    return found[0], found[1] if len(found) > 1 else None


def scaled(values: Floats, factor: float) -> Floats:
    """Values in the base unit; infinite where they are too large for a number."""
    with np.errstate(over="ignore"):
        return values * factor


def numbers(header: Header, columns: list[str | int]) -> list[Floats]:
    """Columns of finite numbers that are not negative."""
    wanted = [position_of(header, column) for column in columns]
    try:
        table = _load(header, wanted)
    except (ValueError, OverflowError):
        _find_bad_line(header, columns, wanted)
    if not len(table):
        refuse(header, None, "expected at least one line of values")
    for name, values in zip(columns, table.T, strict=True):
        check(header, name, values, lambda v: np.isfinite(v) & (v >= 0), "expected a finite number that is not negative")
    return [np.ascontiguousarray(values) for values in table.T]


def _load(header: Header, wanted: list[int]) -> Floats:
    """The columns by numpy's C reader; ValueError where a line does not fit."""
    with open(header.path, encoding="utf-8-sig") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty files
        table: Floats = np.loadtxt(file, delimiter=header.delimiter, skiprows=header.lines, usecols=wanted, ndmin=2, comments=None,
                                   quotechar='"')
    return table


def position_of(header: Header, column: str | int) -> int:
    """The position of a column in the file; ScenarioError where there is none."""
    if isinstance(column, int):
        if column >= len(header.names):
            refuse(header, 1, f"no column {column}; expected one from 0 to {len(header.names) - 1}")
        return column
    try:
        return header.names.index(column_of(header, column))
    except NoTable as error:
        refuse(header, 1, str(error))


def check(header: Header, column: str | int, values: Floats, good: Callable[[Floats], NDArray[np.bool_]], expected: str) -> None:
    """Refuses the first value that is not good, with its line."""
    right = good(values)
    if right.all():
        return
    row = int(np.argmin(right))
    for index, (line, cells) in enumerate(rows(header)):
        if index == row:
            refuse(header, line, f"{column}: {expected}{_got(header, cells[position_of(header, column)].strip(), quote=False)}")
    refuse(header, None, f"{column}: {expected}")


def _find_bad_line(header: Header, columns: list[str | int], wanted: list[int]) -> NoReturn:
    """Walks through a file that numpy refused and reports the first line that does not fit."""
    try:
        for line, cells in rows(header):
            for name, position in zip(columns, wanted, strict=True):
                _check_cell(header, line, name, cells, position)
    except UnicodeDecodeError:
        refuse(header, _line_of_bad_text(header), "expected text in UTF-8")
    refuse(header, None, "cannot be read as a table of numbers")


def _line_of_bad_text(header: Header) -> int | None:
    """The first line of a file that is no UTF-8."""
    with open(header.path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return None


def _check_cell(header: Header, line: int, name: str | int, cells: list[str], position: int) -> None:
    if position >= len(cells):
        refuse(header, line, f"expected {len(header.names)} columns as in the first line; got {len(cells)}")
    try:
        float(cells[position])
    except ValueError:
        refuse(header, line, f"{name}: expected a number, for example 1.5{_got(header, cells[position])}")


def _got(header: Header, cell: str, quote: bool = True) -> str:
    """What stands in a cell: a number, or what it is in a table that is ours."""
    return f"; got {shown(cell, quote=quote)}" if is_ours(header) or _NUMBER.fullmatch(cell) else ""


def rows(header: Header) -> Iterator[tuple[int, list[str]]]:
    """The lines of values that are not empty, with their numbers."""
    with open(header.path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=header.delimiter)
        try:
            for cells in reader:
                if cells and reader.line_num > header.lines:
                    yield reader.line_num, cells
        except csv.Error as error:
            refuse(header, reader.line_num, f"cannot be read: {error}")


def refuse(header: Header, line: int | None, message: str) -> NoReturn:
    """Raises the ScenarioError of one mistake."""
    raise ScenarioError([Issue(shown_file(header.path), line, None, "", message)])
