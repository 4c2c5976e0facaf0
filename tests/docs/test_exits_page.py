"""The page of exits is what the machine counts, and what it says in words holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simvirt import machine

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.skipif(machine.MODE == "plain", reason="three runs of the compiled machine")
def test_the_page_of_exits_is_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(DOCS)])
    import generate_exits as made

    assert made.page() == made.PAGE.read_text(encoding="utf-8"), "run docs/generate_exits.py"
    trap, nested = made.counted("trap"), made.counted("nested")
    assert round(made.each(trap, "fault", *made.OF_SHADOWS)) == 3
    assert round(made.each(nested, "timer")) == 2
    assert made.each(nested, "syscall") == 0 == made.each(nested, "csr")
    assert made.each(trap, "syscall") == 5
