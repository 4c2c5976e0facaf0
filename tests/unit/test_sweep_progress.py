"""How far a sweep is, and how long it will take."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from simvirt.report import cells_progress
from simvirt.report.cells_progress import following, remaining, said
from simvirt.sweep.ledger import Kept
from simvirt.sweep.progress import CellEnded, Pace, scattered


def test_what_remains_takes_what_was_taken_shared_by_workers() -> None:
    pace = Pace(10, lambda: 3, ended=2)
    assert pace.after(Kept(5, "done", b"", wall_s=4.0)).remaining_s == 3 * 4.0  # seven cells in three turns
    assert pace.after(Kept(9, "failed", b"", wall_s=2.0)) == CellEnded(9, "failed", 4, 1, 10, 2 * 3.0, wall_s=2.0)


def test_at_the_end_nothing_remains() -> None:
    assert Pace(1, lambda: 8, ended=0).after(Kept(0, "done", b"", wall_s=9.0)).remaining_s == 0.0


@pytest.mark.parametrize("number", [0, 1, 2, 3, 7, 24, 100, 2000])
def test_cells_are_taken_once_each_and_from_all_over(number: int) -> None:
    found = list(scattered(range(number)))
    assert sorted(found) == list(range(number))
    if number >= 100:
        for part in (found[: number // 4], found[number // 2 : 3 * number // 4]):
            assert abs(sum(part) / len(part) - number / 2) < number / 20


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "60 s"), (170, "3 min"), (7800, "2 h 10 min"), (86400 * 3 + 3600 * 4, "3 d 4 h")]
)
def test_the_time_that_remains_is_no_more_precise_than_it_deserves(seconds: float, text: str) -> None:
    assert remaining(seconds) == text


def test_a_line_has_what_a_reader_needs() -> None:
    assert said(CellEnded(1, "failed", 812, 3, 2000, 130.0), since_s=10.0) == "812 of 2,000 cells, 3 failed, 2 min left"
    assert said(CellEnded(1, "done", 2, 0, 2, 0.0)) == "2 of 2 cells"


def test_without_a_terminal_lines_come_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now, out = [1000.0], io.StringIO()
    monkeypatch.setattr(cells_progress.time, "monotonic", lambda: now[0])
    with following(Console(file=out), 1000) as heard:
        assert heard is not None
        for second in range(1, 1001):
            now[0] += 1.0
            heard(CellEnded(second, "done", second, 0, 1000, 1000.0 - second))
    lines = out.getvalue().splitlines()
    assert lines[0] == "10 of 1,000 cells, 16 min left"
    assert 20 < len(lines) < 50
    with following(Console(file=out), 1000, wanted=False) as heard:
        assert heard is None
