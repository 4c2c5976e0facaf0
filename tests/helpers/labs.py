"""The labs of the course, the program that makes them, and tables in their texts."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "experiments"


def _make() -> ModuleType:
    """`experiments/make.py`."""
    spec = importlib.util.spec_from_file_location("labs_make", FOLDER / "make.py")
    assert spec is not None and spec.loader is not None
    loaded = sys.modules["labs_make"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


make = _make()
LABS: list[Path] = make.labs()


def expected(number: int) -> list[dict[str, Any]]:
    """The rows of a lab's table, numbers as numbers."""
    return list(make.rows_of((LABS[number - 1] / "expected.csv").read_text(encoding="utf-8")))


def within(value: float, row: dict[str, Any], name: str) -> bool:
    """Whether a figure of theory lies within twice the 95 % interval of what was simulated, so that chance decides none of many."""
    middle, half = row[name], max(row[f"{name}_high"] - row[name], row[name] - row[f"{name}_low"])
    return bool(abs(value - middle) <= 2 * half)


def shows(number: int, rows: Iterable[Iterable[str]], update: bool) -> None:
    """The table under *How to check* of a lab has these rows below its head; with `update` it gets them."""
    path = LABS[number - 1] / "README.md"
    text = path.read_text(encoding="utf-8")
    start = text.index("|---", text.index("## How to check"))
    begin = text.index("\n", start) + 1
    end = text.index("\n\n", start) + 1
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    if update:
        path.write_text(text[:begin] + table + text[end:], encoding="utf-8")
    else:
        assert text[begin:end] == table, "write it anew: pytest --update-golden"


def ms(seconds: float, digits: int = 1) -> str:
    return f"{1e3 * seconds:.{digits}f}"


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def rate_of(row: dict[str, Any]) -> float:
    """The rate of a row [/s]."""
    return float(row["rate"].removesuffix("/s"))
