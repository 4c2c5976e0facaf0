"""The heads of the CSV files that a scenario names: whether they can be read, their columns, and the units of those.

Cheap: at load only the first line of a file is read.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Iterator, Mapping

from simvirt.scenario.bounds import MOST_TABLE_BYTES
from simvirt.scenario.reading.files import unreadable
from simvirt.scenario.reading.tree import Path

_LONGEST_LINE: Final = 65536
TIME_SUFFIXES: Final[Mapping[str, float]] = {"_s": 1e9, "_ms": 1e6, "_us": 1e3, "_ns": 1.0}
"""Suffix of a column of times -> ns in its unit."""
RATE_SUFFIXES: Final[Mapping[str, float]] = {"_per_s": 1.0, "_per_ms": 1e3, "_per_min": 1 / 60, "_per_h": 1 / 3600}
"""Suffix of a column of rates -> factor to rates per second."""


class NoTable(Exception):
    """A file that is no table, or lacks a column."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a table: its file, column names (numbers where it has none), delimiter, and lines to skip."""

    path: str
    names: tuple[str, ...]
    delimiter: str
    lines: int


def suffix_of(column: str, suffixes: Mapping[str, float]) -> str | None:
    """The unit suffix of a column's name, None where it has none."""
    return next((suffix for suffix in sorted(suffixes, key=len, reverse=True) if column.endswith(suffix)), None)


def header_of(path: str, named: bool = True) -> Header:
    """The head of a CSV file; NoTable where it cannot be read or is too large."""
    problem = unreadable(path)
    if problem is not None:
        raise NoTable(problem)
    if os.path.getsize(path) == 0:  # also files of the kernel, some of which never end
        raise NoTable("expected a header with the names of the columns; the file is empty", 1)
    if os.path.getsize(path) > MOST_TABLE_BYTES:
        raise NoTable(f"expected a file of at most {MOST_TABLE_BYTES >> 30} GiB; this one is larger, simulate a part of it")
    line = _first_line(path)
    delimiter = max(",;\t", key=line.count)
    cells = next(csv.reader([line], delimiter=delimiter), [])
    names = tuple(cell.strip() for cell in cells) if named else tuple(str(index) for index in range(len(cells)))
    return Header(path, names, delimiter, 1 if named else 0)


def _first_line(path: str) -> str:
    """The first line of a file; NoTable where it has none, or no text."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            line = file.readline(_LONGEST_LINE)
    except OSError as error:
        raise NoTable(f"cannot be read: {error.strerror or error}") from None
    if "\0" in line or "\ufffd" in line or len(line) >= _LONGEST_LINE:
        raise NoTable("expected a CSV file in UTF-8; got a binary file or a very long line", 1)
    if not line.strip():
        raise NoTable("expected a header with the names of the columns; the first line is empty", 1)
    return line.rstrip("\r\n")


def is_ours(header: Header) -> bool:
    """Whether a file is a table of times or rates, whose contents messages may show; another file was named by mistake or by guile."""
    return any(suffix_of(name, TIME_SUFFIXES) or suffix_of(name, RATE_SUFFIXES) for name in header.names)


def column_of(header: Header, name: str | None) -> str:
    """The column of that name, or without one the only column with a unit of time; NoTable where there is none."""
    if name is None:
        timed = [column for column in header.names if suffix_of(column, TIME_SUFFIXES) is not None]
        if len(timed) != 1:
            expected = "expected one column whose name ends in _s, _ms, _us or _ns, or the name of one"
            raise NoTable(f"{expected} in {shown_file(header.path)}; it has {_list(header)}")
        return timed[0]
    if name not in header.names:
        close = get_close_matches(name[:100], header.names, n=1) if is_ours(header) else []
        guess = f'; did you mean "{close[0]}"?' if close else ""
        raise NoTable(f'no column "{name[:60]}" in {shown_file(header.path)}{guess} (it has {_list(header)})')
    return name


def _list(header: Header) -> str:
    if not is_ours(header):
        return f"{len(header.names)} columns, of which none has a unit"
    names = ", ".join(name[:30] for name in header.names[:12])
    return names + (", ..." if len(header.names) > 12 else "")


def shown_file(path: str) -> str:
    """A file as messages name it: relative to the working directory where it lies inside."""
    inside = os.path.abspath(path).startswith(os.path.join(os.getcwd(), ""))
    return os.path.relpath(path) if inside else path


def table_mistakes(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """What is wrong with the files that a scenario's plain data names, and with the columns it asks for."""
    named = data.get("workloads")
    workloads: list[tuple[Path, Any]] = [(("workload",), data.get("workload"))]
    workloads += [(("workloads", name), body) for name, body in named.items()] if isinstance(named, Mapping) else []
    for path, workload in workloads:
        if isinstance(workload, Mapping):
            yield from _of_table(workload.get("trace"), (*path, "trace"), ("at", "cpu", "operation"))
            yield from _of_table(workload.get("rates"), (*path, "rates"), ("at", "rate"))
    failures = data.get("failures")
    if isinstance(failures, Mapping):
        yield from _of_table(failures.get("trace"), ("failures", "trace"), ("at", "fail", "for"))
    for key in ("workload", "workloads", "services", "failures"):
        yield from _of_empirical(data.get(key), (key,))


def _of_table(table: Any, path: Path, keys: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Mistakes of a trace or of rates."""
    if not isinstance(table, Mapping) or not isinstance(table.get("file"), str):
        return
    columns = {key: table[key] for key in keys if isinstance(table.get(key), (str, int)) and not isinstance(table.get(key), bool)}
    named = not any(isinstance(column, int) for column in columns.values())
    try:
        header = header_of(table["file"], named)
    except NoTable as error:
        yield (*path, "file"), f'"{shown_file(table["file"])}": {error}'
        return
    for key, column in columns.items():
        yield from _of_column(header, (*path, key), str(column))


def _of_column(header: Header, path: Path, column: str | None) -> Iterator[tuple[Path, str]]:
    try:
        column_of(header, column)
    except NoTable as error:
        yield path, str(error)


def _of_empirical(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Mistakes of the empirical distributions somewhere in `value`."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_empirical(item, (*path, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _of_values(item, (*path, key)) if key == "empirical" else _of_empirical(item, (*path, key))


def _of_values(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Mistakes of one empirical distribution."""
    file, column = (value.get("file"), value.get("column")) if isinstance(value, Mapping) else (value, None)
    if not isinstance(file, str):
        return
    where = (*path, "file") if isinstance(value, Mapping) else path
    try:
        header = header_of(file)
    except NoTable as error:
        yield where, f'"{shown_file(file)}": {error}'
        return
    if column is None or isinstance(column, str):
        yield from _of_column(header, where if column is None else (*path, "column"), column)
        if isinstance(column, str) and column in header.names and suffix_of(column, TIME_SUFFIXES) is None:
            yield (*path, "column"), f'expected a column whose name ends in its unit, _s, _ms, _us or _ns; got "{column[:60]}"'
