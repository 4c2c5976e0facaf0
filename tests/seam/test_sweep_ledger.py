"""The ledger of a sweep: one transaction a cell, one writer, nothing lost, nothing mixed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from simvirt.errors import SimulationError, UsageError
from simvirt.sweep.ledger import Kept, Ledger, identity_of, opened, packed, unpacked

HERE = identity_of("d", "1", "p")


def test_what_was_kept_is_there_in_the_order_of_cells(tmp_path: Path) -> None:
    with opened(tmp_path / "l", HERE) as ledger:
        for number in (5, 1, 3):
            ledger.keep(Kept(number, "done", packed(f"{number}" * 1000)))
    with opened(tmp_path / "l", HERE) as ledger:
        assert [(kept.number, unpacked(kept.content)[:2]) for kept in ledger.cells()] == [(1, "11"), (3, "33"), (5, "55")]
        assert ledger.statuses() == {1: "done", 3: "done", 5: "done"}


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "l", HERE), pytest.raises(UsageError, match="another sweep is writing here"):
        Ledger(tmp_path / "l", HERE)


@pytest.mark.parametrize("other", [identity_of("e", "1", "p"), identity_of("d", "2", "p"), identity_of("d", "1", "q")])
def test_a_ledger_of_another_sweep_or_program_is_refused(tmp_path: Path, other: dict[str, str]) -> None:
    with opened(tmp_path / "l", HERE):
        pass
    with pytest.raises(UsageError, match="begun with another"):
        Ledger(tmp_path / "l", other)


def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no ledger" * 200)
    with sqlite3.connect(tmp_path / "other") as db:
        db.execute("CREATE TABLE mine (x)")
        db.execute("PRAGMA user_version=1")
    for name, why in (("text", "cannot be used"), ("other", "not the ledger")):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(UsageError, match=why):
            Ledger(tmp_path / name, HERE)
        assert (tmp_path / name).read_bytes() == before


def test_a_cell_that_was_damaged_is_found(tmp_path: Path) -> None:
    with opened(tmp_path / "l", HERE) as ledger:
        ledger.keep(Kept(0, "done", packed("x" * 100)))
    with sqlite3.connect(tmp_path / "l") as db:
        db.execute("UPDATE cells SET content = x'00'")
    with opened(tmp_path / "l", HERE) as ledger, pytest.raises(SimulationError, match="cell 0 is damaged"):
        list(ledger.cells())
