"""Tables of plain columns for tests that call the kernel's functions one by one."""

from types import SimpleNamespace
from typing import Any

from simvirt.kernel import tables as t
from simvirt.lowering.rows import blank


def table(kind: type[t.Table], rows: int, **given: Any) -> Any:
    """A table whose columns are lists at their starting values; given columns replace them, an int is the length of a column."""
    lengths = {name: value for name, value in given.items() if isinstance(value, int)}
    columns = {name: column.tolist() for name, column in blank(kind, rows=rows, **lengths).items()}
    columns |= {name: list(value) for name, value in given.items() if not isinstance(value, int)}
    return kind(columns)


def plane(**tables: Any) -> Any:
    """Something with the tables that the functions under test look at."""
    return SimpleNamespace(**tables)
