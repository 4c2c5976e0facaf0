"""Points as a table: CSV, or JSON with the same keys; the name of a column is what it holds, with the unit at its end.

`throughput_per_s`, `clients`, `duration_s`, `latency_mean_ms`, `latency_p95_ms`; of a service `web.cpu_cores`, `web.cpu_percent` (100 is
one CPU), `web.cpu_s` (CPU seconds, beside `duration_s`), `web.memory_mib`; of an operation `web.GET /.throughput_per_s`;
`host.cpu_percent` (of all CPUs of the host).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from simvirt.measurements.points import Point, number, refuse
from simvirt.scenario.reading.reader import read as read_tree
from simvirt.scenario.reading.tree import Scalar, Table
from simvirt.scenario.reading.tree import Sequence as Items

TIMES: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
SIZES: Final = {"bytes": 1.0, "kib": 1024.0, "mib": 1024.0**2, "gib": 1024.0**3}
LATENCY: Final = re.compile(r"latency_(mean|p50|p90|p95|p99|p999|max)_(s|ms|us)")
MEMORY: Final = re.compile(r"(.+)\.memory_(bytes|kib|mib|gib)")
CPU: Final = re.compile(r"(.+)\.cpu_(cores|percent|s)")
RATE: Final = re.compile(r"(.+)\.throughput_per_s")
COLUMNS: Final = ("throughput_per_s", "clients", "duration_s", "latency_mean_ms", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
EXAMPLE: Final = "throughput_per_s, latency_mean_ms, web.cpu_cores, web.cpu_percent, web.cpu_s, web.memory_mib, web.get.throughput_per_s"
Row = Mapping[str, object]


def recognises_csv(text: str) -> bool:
    """Whether it is a table of points: its first line has a column that only such tables have."""
    return any(known(cell.strip()) for cell in re.split("[,;\t]", _lines(text)[1]))


def _lines(text: str) -> tuple[int, str]:
    """How many lines of comments come first, and the line with the names of the columns."""
    lines = text.lstrip("\ufeff").split("\n")
    before = next((number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    return before, lines[before]


def recognises_json(text: str) -> bool:
    """Whether it is JSON with points."""
    return bool(re.match(r'\s*\{\s*"points"\s*:', text))


def known(column: str) -> bool:
    """Whether a column has a name that is understood."""
    return column in COLUMNS[:3] or any(each.fullmatch(column) for each in (LATENCY, MEMORY, CPU, RATE))


def read_csv(text: str, file: str) -> list[Point]:
    """The points of a CSV file, one a line."""
    before, names = _lines(text)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff").split("\n", before)[-1]), delimiter=max(",;\t", key=names.count))
    head = [cell.strip() for cell in next(reader, [])]
    for name in head:
        _check(name, file, before + 1)
    found = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            if len(cells) != len(head):
                refuse(file, before + reader.line_num, "", f"expected {len(head)} cells as in the first line; got {len(cells)}")
            row = {name: cell for name, cell in zip(head, cells, strict=True) if cell.strip()}
            found.append(_point(row, file, before + reader.line_num))
    if not found:
        refuse(file, None, "", "expected at least one line of values below the names of the columns")
    return found


def _check(name: str, file: str, line: int | None) -> None:
    if not known(name):
        close = get_close_matches(name, COLUMNS, n=1)
        guess = f'; did you mean "{close[0]}"?' if close else ""
        refuse(file, line, name[:60], f"unknown column{guess} Expected names such as {EXAMPLE}" if guess
               else f"unknown column; expected names such as {EXAMPLE}")


def read_json(text: str, file: str) -> list[Point]:
    """The points of a JSON file: `{"points": [{"throughput_per_s": 100, "web.cpu_cores": 0.4}]}`."""
    root, issues = read_tree(text, file)
    if issues:
        refuse(file, issues[0].line, "", issues[0].message)
    points = root.entries["points"].node if isinstance(root, Table) and "points" in root.entries else None
    if not isinstance(points, Items) or not points.items:
        refuse(file, 1, "points", 'expected a list of points, for example [{"throughput_per_s": 100, "web.cpu_cores": 0.4}]')
    return [_point(dict(_cells(item, file)), file, item.place.line) for item in points.items]


def _cells(item: Any, file: str) -> Iterator[tuple[str, object]]:
    if not isinstance(item, Table):
        refuse(file, item.place.line, "points", 'expected a mapping, for example {"throughput_per_s": 100, "web.cpu_cores": 0.4}')
    for key, entry in item.entries.items():
        _check(key, file, entry.place.line)
        if not isinstance(entry.node, Scalar):
            refuse(file, entry.place.line, key, "expected a number, for example 1.5")
        yield key, entry.node.value


def _point(row: Row, file: str, line: int | None) -> Point:
    """The point of a line."""
    value = {name: number(cell, file, line, name) for name, cell in row.items()}
    latency = {m[1]: value[name] * TIMES[m[2]] for name in value if (m := LATENCY.fullmatch(name))}
    memory = {m[1]: value[name] * SIZES[m[2]] for name in value if (m := MEMORY.fullmatch(name))}
    used = [(m[1], m[2], value[name]) for name in value if (m := CPU.fullmatch(name))]
    cores = {name: _cores(name, unit, amount, value.get("duration_s"), file, line) for name, unit, amount in used if name != "host"}
    host = next((amount / 100 for name, unit, amount in used if (name, unit) == ("host", "percent")), None)
    rates = {m[1]: value[name] for name in value if (m := RATE.fullmatch(name))}
    total = value.get("throughput_per_s", sum(rates.values()) if rates else None)
    return Point(file, line, None, total, value.get("clients"), host, rates, latency, cores, memory)


def _cores(name: str, unit: str, amount: float, duration: float | None, file: str, line: int | None) -> float:
    """CPU use in cores."""
    if unit == "s" and not duration:
        refuse(file, line, f"{name}.cpu_s", "expected duration_s beside it, the time in which the CPU seconds were used, for example 60")
    return amount / {"cores": 1.0, "percent": 100.0, "s": duration or 1.0}[unit]


def text(points: Sequence[Point]) -> str:
    """The points as CSV."""
    rows = [_row(point) for point in points]
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _row(point: Point) -> dict[str, str]:
    """The cells of a point."""
    found: dict[str, float | None] = {"throughput_per_s": point.throughput_per_s, "clients": point.clients}
    found |= {f"latency_{name}_ms": value * 1e3 for name, value in point.latency_s.items()}
    found |= {"host.cpu_percent": None if point.host_cpu is None else 100 * point.host_cpu}
    found |= {f"{name}.throughput_per_s": value for name, value in point.operations.items()}
    found |= {f"{name}.cpu_cores": value for name, value in point.cpu_cores.items()}
    found |= {f"{name}.memory_mib": value / SIZES["mib"] for name, value in point.memory_bytes.items()}
    return {name: f"{value:.6g}" for name, value in found.items() if value is not None}
