"""Columns of results as Arrow and Parquet."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from simvirt.errors import UsageError
from simvirt.result import arrow
from simvirt.result.frames import Frame, of_rows

ROWS: list[dict[str, Any]] = [
    {"platform": "docker", "n": 1, "p99": 0.5, "overload": False, "answer": None},
    {"platform": "kvm", "n": 2, "p99": None, "overload": True, "answer": None},
    {"platform": "docker", "n": 3, "p99": 1, "overload": True, "answer": None, "late": "yes"},
]


@pytest.fixture(params=["arro3", "pyarrow"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each library that makes tables, as if there were no other."""
    name: str = request.param
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(arrow, "find_spec", lambda wanted: wanted.startswith(name) or None)
    return name


def read(content: bytes) -> Any:
    """A table of arro3 from a Parquet file."""
    return pytest.importorskip("arro3.io").read_parquet(io.BytesIO(content)).read_all()


def test_a_file_has_all_values_and_kinds_and_names_once(library: str, tmp_path: Path) -> None:
    of_rows(ROWS).write_parquet(tmp_path / "rows.parquet")
    found = read((tmp_path / "rows.parquet").read_bytes())
    columns = {name: found[name].to_pylist() for name in found.column_names}
    assert columns == {key: [row.get(key) for row in ROWS] for key in (*ROWS[0], "late")}
    kinds = {field.name: str(field.type) for field in found.schema}
    assert "Dictionary(Int32, Utf8)" in kinds["platform"] and "Dictionary(Int32, Utf8)" in kinds["late"]
    assert [kinds[name].split("<")[1].split(">")[0] for name in ("n", "p99", "overload", "answer")] == ["Int64", "Float64", "Boolean", "Float64"]


def test_the_same_rows_are_the_same_bytes_and_names_do_not_fill_them(library: str) -> None:
    long = "a platform with a name that is long enough to be seen in the size of a file"
    many = Frame({"platform": [f"{long} {n % 4}" for n in range(10_000)], "p99": [n % 7 / 7 for n in range(10_000)]})
    assert arrow.parquet(many) == arrow.parquet(Frame(many))
    assert len(arrow.parquet(many)) < 10_000 * 8


def test_frames_speak_arrow(library: str) -> None:
    table = pytest.importorskip("arro3.core").Table.from_arrow(of_rows(ROWS))
    assert table["n"].to_pylist() == [1, 2, 3]


def test_frames_are_dictionaries_with_nan_for_what_is_not_known() -> None:
    frame = of_rows(ROWS)
    assert frame["platform"] == ["docker", "kvm", "docker"]
    assert math.isnan(frame["p99"][1]) and math.isnan(frame["late"][0])
    assert of_rows([]) == {}


def duckdb_of(table: Any) -> Any:
    """A query that reads a table by its name."""
    rows = table  # noqa: F841
    return import_module("duckdb").sql("SELECT * FROM rows")


READERS: dict[str, Callable[[Frame], Any]] = {
    "pandas": lambda frame: import_module("pandas").DataFrame.from_arrow(frame),
    "polars": lambda frame: import_module("polars").DataFrame(frame),
    "duckdb": lambda frame: duckdb_of(frame.to_arrow()),
    "narwhals": lambda frame: import_module("narwhals").from_dict(frame, backend="polars"),
}


@pytest.mark.parametrize("name", READERS)
def test_tables_of_others_take_them(name: str) -> None:
    pytest.importorskip(name)
    if name == "narwhals":
        pytest.importorskip("polars")
    assert list(READERS[name](of_rows(ROWS[:2])).columns) == list(ROWS[0])


def test_without_a_library_one_line_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "find_spec", lambda wanted: None)
    with pytest.raises(UsageError, match=r"pip install 'simvirt\[parquet\]'"):
        arrow.parquet(Frame({"n": [1]}))
