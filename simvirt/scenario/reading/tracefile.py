"""The CSV files of a scenario: traces of arrivals, rates over time, values of an empirical distribution.

Numbers are read by numpy's C reader; only where it, or a check, finds a mistake is the file walked through again in Python for its line.
Times come out in ns. Every refusal is a `ScenarioError` with file and line.
"""

from __future__ import annotations

import csv
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Final, Iterator, NoReturn

import numpy as np
from numpy.typing import NDArray

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.reading.csv_heads import Header, NoTable, column_of, header_of, shown_file
from simvirt.scenario.spec.workload import RATE_SUFFIXES, TIME_SUFFIXES, RatesSpec, TraceSpec, suffix_of
from simvirt.units import shown

if TYPE_CHECKING:
    from simvirt.scenario.spec.distributions import Empirical

Floats = NDArray[np.float64]
_UNITS: Final = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9}
_LATEST_NS: Final = 9.2e18


@dataclass(frozen=True, slots=True)
class Trace:
    """Arrivals in the order of the file.

    `at_ns` are the instants [ns], `demand_ns` the CPU demands [ns] where the trace has them; `operation` indexes into
    `operations`, the names in the order in which they first occur.
    """

    at_ns: NDArray[np.int64]
    demand_ns: Floats | None
    operation: NDArray[np.int32] | None
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """A piecewise-constant rate: from `at_ns[i]` [ns] on it is `per_s[i]` [per second]."""

    at_ns: NDArray[np.int64]
    per_s: Floats


def read_trace(spec: TraceSpec, operations: tuple[str, ...] | None = None) -> Trace:
    """The arrivals of a trace; with `operations`, others than those (`service.operation`) are refused.

    ScenarioError with file and line for numbers that are none, negative or infinite, and instants that go back.
    """
    header = _header(spec.file)
    at, demand = _times(header, [spec.at] if spec.cpu is None else [spec.at, spec.cpu])
    _check(header, spec.at, at, _forward, "expected an instant that is not before that of the line above")
    names, index = ((), None) if spec.operation is None else _operations(header, spec.operation, operations)
    return Trace(np.rint(at).astype(np.int64), demand, index, names)


def read_rates(spec: RatesSpec) -> Rates:
    """The rates of a profile; ScenarioError with file and line for what is no rate or instant, and instants that do not go forward."""
    header = _header(spec.file, named=spec.has_header)
    raw = _numbers(header, [spec.at, spec.rate])
    unit = _UNITS[spec.unit or "s"]
    at = _scaled(raw[0], TIME_SUFFIXES[suffix_of(spec.at, TIME_SUFFIXES) or "_s"] if isinstance(spec.at, str) else unit)
    per_s = _scaled(raw[1], RATE_SUFFIXES[suffix_of(spec.rate, RATE_SUFFIXES) or "_per_s"] if isinstance(spec.rate, str) else 1e9 / unit)
    _check(header, spec.at, at, lambda values: values <= _LATEST_NS, "expected an instant within 292 years")
    _check(header, spec.at, at, _strictly_forward, "expected an instant after that of the line above")
    _check(header, spec.rate, per_s, lambda values: values <= 1e12, "expected a rate of at most 1e12/s")
    if not per_s.any():
        _refuse(header, None, f"{spec.rate}: expected a rate above 0 in some line")
    return Rates(np.rint(at).astype(np.int64), per_s)


def read_empirical(spec: Empirical) -> Floats:
    """The values of an empirical distribution [ns], times its scale; ScenarioError as for traces, and where all are 0."""
    header = _header(spec.file)
    try:
        column = column_of(header, spec.column)
    except NoTable as error:
        _refuse(header, 1, str(error))
    values, _ = _times(header, [column])
    if not values.any():
        _refuse(header, None, f"{column}: expected a value above 0 in some line")
    return values * spec.scale if spec.scale != 1 else values


def _header(path: str, named: bool = True) -> Header:
    try:
        return header_of(path, named)
    except NoTable as error:
        raise ScenarioError([Issue(shown_file(path), error.line, None, "", str(error))]) from None


def _times(header: Header, columns: list[str]) -> tuple[Floats, Floats | None]:
    """One or two columns of times [ns]."""
    for column in columns:
        if suffix_of(column, TIME_SUFFIXES) is None:
            _refuse(header, 1, f"{column}: expected a column whose name ends in its unit, _s, _ms, _us or _ns")
    raw = _numbers(header, list(columns))
    scaled = [_scaled(values, TIME_SUFFIXES[suffix_of(name, TIME_SUFFIXES) or "_s"]) for name, values in zip(columns, raw, strict=True)]
    for name, values in zip(columns, scaled, strict=True):
        _check(header, name, values, lambda v: v <= _LATEST_NS, "expected a time within 292 years")
    return scaled[0], scaled[1] if len(scaled) > 1 else None


def _scaled(values: Floats, factor: float) -> Floats:
    """Values in the base unit; infinite where they are too large for a number."""
    with np.errstate(over="ignore"):
        return values * factor


def _numbers(header: Header, columns: list[str | int]) -> list[Floats]:
    """Columns of finite numbers that are not negative."""
    wanted = [_position(header, column) for column in columns]
    try:
        table = _load(header, wanted)
    except (ValueError, OverflowError):
        _find_bad_line(header, columns, wanted)
    if not len(table):
        _refuse(header, None, "expected at least one line of values")
    for name, values in zip(columns, table.T, strict=True):
        _check(header, name, values, lambda v: np.isfinite(v) & (v >= 0), "expected a finite number that is not negative")
    return [np.ascontiguousarray(values) for values in table.T]


def _load(header: Header, wanted: list[int]) -> Floats:
    """The columns by numpy's C reader; ValueError where a line does not fit."""
    with open(header.path, encoding="utf-8-sig") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty files
        table: Floats = np.loadtxt(file, delimiter=header.delimiter, skiprows=header.lines, usecols=wanted, ndmin=2, comments=None,
                                   quotechar='"')
    return table


def _position(header: Header, column: str | int) -> int:
    """The position of a column in the file."""
    if isinstance(column, int):
        if column >= len(header.names):
            _refuse(header, 1, f"no column {column}; expected one from 0 to {len(header.names) - 1}")
        return column
    try:
        return header.names.index(column_of(header, column))
    except NoTable as error:
        _refuse(header, 1, str(error))


def _forward(values: Floats) -> NDArray[np.bool_]:
    return np.diff(values, prepend=0.0) >= 0


def _strictly_forward(values: Floats) -> NDArray[np.bool_]:
    return np.diff(values, prepend=-1.0) > 0


def _check(header: Header, column: str | int, values: Floats, good: Callable[[Floats], NDArray[np.bool_]], expected: str) -> None:
    """Refuses the first value that is not good, with its line."""
    right = good(values)
    if right.all():
        return
    row = int(np.argmin(right))
    for index, (line, cells) in enumerate(_rows(header)):
        if index == row:
            _refuse(header, line, f"{column}: {expected}; got {shown(cells[_position(header, column)].strip(), quote=False)}")
    _refuse(header, None, f"{column}: {expected}")


def _find_bad_line(header: Header, columns: list[str | int], wanted: list[int]) -> NoReturn:
    """Walks through a file that numpy refused and reports the first line that does not fit."""
    try:
        for line, cells in _rows(header):
            for name, position in zip(columns, wanted, strict=True):
                _check_cell(header, line, name, cells, position)
    except UnicodeDecodeError:
        _refuse(header, _line_of_bad_text(header), "expected text in UTF-8")
    _refuse(header, None, "cannot be read as a table of numbers")


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
        _refuse(header, line, f"expected {len(header.names)} columns as in the first line; got {len(cells)}")
    try:
        float(cells[position])
    except ValueError:
        _refuse(header, line, f"{name}: expected a number, for example 1.5; got {shown(cells[position])}")


def _rows(header: Header) -> Iterator[tuple[int, list[str]]]:
    """The lines of values that are not empty, with their numbers."""
    with open(header.path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=header.delimiter)
        try:
            for cells in reader:
                if cells and reader.line_num > header.lines:
                    yield reader.line_num, cells
        except csv.Error as error:
            _refuse(header, reader.line_num, f"cannot be read: {error}")


def _operations(header: Header, column: str, known: tuple[str, ...] | None) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The names in a column and, for each line, the index of its name."""
    position, index = _position(header, column), _Index(known)
    codes: list[int] = []
    for line, cells in _rows(header):
        code = index.get(cells[position]) if position < len(cells) else None
        if code is None:
            code = _new_name(header, line, column, cells, position, index)
        codes.append(code)
    return tuple(index), np.array(codes, dtype=np.int32)


class _Index(dict[str, int]):
    """Names with their indexes; `known` are the names there can be, if not any."""

    def __init__(self, known: tuple[str, ...] | None) -> None:
        super().__init__()
        self.known = known


def _new_name(header: Header, line: int, column: str, cells: list[str], position: int, index: _Index) -> int:
    """The index of a name that has not occurred yet."""
    name = cells[position].strip() if position < len(cells) else ""
    if not name:
        _refuse(header, line, f"{column}: expected an operation, for example web.GET /; got nothing")
    if name not in index and index.known is not None and name not in index.known:
        _refuse(header, line, f"{column}: {_unknown_operation(name, index.known)}")
    return index.setdefault(name, len(index))


def _unknown_operation(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name[:100], known, n=1)
    guess = f'; did you mean "{close[0]}"?' if close else f"; there is {', '.join(known[:10])}"
    return f"unknown operation {shown(name)}{guess}"


def _refuse(header: Header, line: int | None, message: str) -> NoReturn:
    raise ScenarioError([Issue(shown_file(header.path), line, None, "", message)])


__all__ = ["Rates", "Trace", "read_empirical", "read_rates", "read_trace"]
