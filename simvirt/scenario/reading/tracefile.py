"""The CSV files of a workload: traces of arrivals, rates over time. Times come out in ns."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simvirt.scenario.bounds import LATEST_NS
from simvirt.scenario.reading.csv_columns import Floats, check, numbers, position_of, refuse, rows, scaled, table_header, times
from simvirt.scenario.reading.csv_heads import RATE_SUFFIXES, TIME_SUFFIXES, Header, suffix_of
from simvirt.scenario.spec.workload import RatesSpec, TraceSpec
from simvirt.units import shown

_UNITS: Final = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9}


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
    header = table_header(spec.file)
    at, demand = times(header, [spec.at] if spec.cpu is None else [spec.at, spec.cpu])
    check(header, spec.at, at, _forward, "expected an instant that is not before that of the line above")
    names, index = ((), None) if spec.operation is None else _operations(header, spec.operation, operations)
    return Trace(np.rint(at).astype(np.int64), demand, index, names)


def read_rates(spec: RatesSpec) -> Rates:
    """The rates of a profile; ScenarioError with file and line for what is no rate or instant, and instants that do not go forward."""
    header = table_header(spec.file, named=spec.has_header)
    raw = numbers(header, [spec.at, spec.rate])
    unit = _UNITS[spec.unit or "s"]
    at = scaled(raw[0], TIME_SUFFIXES[suffix_of(spec.at, TIME_SUFFIXES) or "_s"] if isinstance(spec.at, str) else unit)
    per_s = scaled(raw[1], RATE_SUFFIXES[suffix_of(spec.rate, RATE_SUFFIXES) or "_per_s"] if isinstance(spec.rate, str) else 1e9 / unit)
    check(header, spec.at, at, lambda values: values <= LATEST_NS, "expected an instant within 100 years")
    check(header, spec.at, at, _strictly_forward, "expected an instant after that of the line above")
    check(header, spec.rate, per_s, lambda values: values <= 1e12, "expected a rate of at most 1e12/s")
    if not per_s.any():
        refuse(header, None, f"{spec.rate}: expected a rate above 0 in some line")
    return Rates(np.rint(at).astype(np.int64), per_s)


def _forward(values: Floats) -> NDArray[np.bool_]:
    return np.diff(values, prepend=0.0) >= 0


def _strictly_forward(values: Floats) -> NDArray[np.bool_]:
    return np.diff(values, prepend=-1.0) > 0


def _operations(header: Header, column: str, known: tuple[str, ...] | None) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The names in a column and, for each line, the index of its name."""
    position, index = position_of(header, column), _Index(known)
    codes: list[int] = []
    for line, cells in rows(header):
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
        refuse(header, line, f"{column}: expected an operation, for example web.GET /; got nothing")
    if name not in index and index.known is not None and name not in index.known:
        refuse(header, line, f"{column}: {_unknown_operation(name, index.known)}")
    return index.setdefault(name, len(index))


def _unknown_operation(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name[:100], known, n=1)
    guess = f'; did you mean "{close[0]}"?' if close else f"; there is {', '.join(known[:10])}"
    return f"unknown operation {shown(name)}{guess}"
