"""A report as CSV: its flat rows, keys joined by dots, columns in an order that stays."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.report.blocks import Data, Report

ORDER: Final = (
    "requests", "events", "wall_s", "warmup_s", "simulated_s", "latency_s", "throughput_per_s", "rejected", "failed", "workloads", "cpu",
    "services", "operations", "breakdown_s", "bottleneck", "objective", "checks", "comparison",
)
"""Groups of columns that stand before all others."""
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula in a spreadsheet."""


def render(report: Report, width: int = 0) -> str:
    """The flat rows of a report, whatever the width."""
    return "".join(table(block.rows, block.first) for block in report.blocks if isinstance(block, Data))


def table(rows: Sequence[Mapping[str, Any]], first: Sequence[str] = ()) -> str:
    """Flat rows as CSV: the columns of `first`, then all others, known groups in their order, keys as first seen."""
    seen = dict.fromkeys([*first, *(key for row in rows for key in row)])
    columns = sorted(seen, key=lambda key: _place(key, first))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
    writer.writerow({column: _text(column) for column in columns})
    writer.writerows({key: _text(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _place(key: str, first: Sequence[str]) -> tuple[int, int]:
    """Where a column stands; sorting is stable within equal places."""
    if key in first:
        return 0, first.index(key)
    group = key.split(".", 1)[0]
    return 1, ORDER.index(group) if group in ORDER else len(ORDER)


def flat(data: Mapping[str, Any] | Iterable[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of nested mappings and lists, with its keys joined by dots."""
    pairs = data.items() if isinstance(data, Mapping) else enumerate(data)
    for key, value in pairs:
        if isinstance(value, Mapping | list | tuple):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(value: Any) -> Any:
    """A leaf as CSV takes it: what is not known is empty, truth as in JSON; a text that a spreadsheet takes for a formula begins with '."""
    if value is None or value != value:
        return ""
    if isinstance(value, str) and value.startswith(FORMULAS):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else value
