"""Columns as Arrow and Parquet, by pyarrow where it is installed, else by arro3: `pip install 'simvirt[parquet]'`.

Columns of texts are dictionary-encoded: names are stored once, however many rows have them. What is not known is null.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from simvirt.errors import UsageError

Columns = Mapping[str, Sequence[Any]]
INSTALL: Final = "Arrow and Parquet need a library that is not installed: pip install 'simvirt[parquet]'"


def table(columns: Columns) -> Any:
    """An Arrow table; UsageError where no library is there that can make one."""
    make = _by_pyarrow if library() == "pyarrow" else _by_arro3
    return make({name: [None if value != value else value for value in values] for name, values in columns.items()})


def stream(columns: Columns, schema: object | None = None) -> Any:
    """A capsule with a stream of record batches, for whatever speaks the Arrow PyCapsule protocol."""
    return table(columns).__arrow_c_stream__(schema)


def parquet(columns: Columns) -> bytes:
    """A Parquet file; UsageError where no library is there that can make one."""
    out = io.BytesIO()
    write = import_module("pyarrow.parquet").write_table if library() == "pyarrow" else import_module("arro3.io").write_parquet
    write(table(columns), out, compression="snappy")
    return out.getvalue()


def library() -> str:
    """The library that makes tables; UsageError where there is none."""
    found = next((name for name in ("pyarrow", "arro3") if find_spec(name) is not None), None)
    if found is None or (found == "arro3" and find_spec("arro3.io") is None):
        raise UsageError(INSTALL)
    return found


def _by_pyarrow(columns: Columns) -> Any:
    pyarrow = import_module("pyarrow")
    names = pyarrow.dictionary(pyarrow.int32(), pyarrow.utf8())
    types = {float: pyarrow.float64(), int: pyarrow.int64(), bool: pyarrow.bool_(), str: names}
    return pyarrow.table({name: pyarrow.array(values, types[kind(values)]) for name, values in columns.items()})


def _by_arro3(columns: Columns) -> Any:
    arro3 = import_module("arro3.core")
    of = arro3.DataType
    types = {float: of.float64(), int: of.int64(), bool: of.bool(), str: of.utf8()}
    arrays = {name: arro3.Array(list(values), type=types[kind(values)]) for name, values in columns.items()}
    names = of.dictionary(of.int32(), of.utf8())
    return arro3.Table.from_pydict({name: array.cast(names) if kind(columns[name]) is str else array for name, array in arrays.items()})


def kind(values: Sequence[Any]) -> type:
    """What a column is of: texts, truths, whole numbers, or numbers, as one of which nothing is known is."""
    kinds = {type(value) for value in values if value is not None}
    return next((one for one in (str, bool, int) if kinds == {one}), float)
