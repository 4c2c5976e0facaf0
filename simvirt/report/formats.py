"""The forms of a report: `as_NAME.py` renders form NAME, which is imported when it is wanted."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simvirt.report.blocks import Report


def rendered(report: Report, form: str, width: int = 100) -> str:
    """The report in a form; where lines have a width, at most `width` columns wide."""
    return str(import_module(f"simvirt.report.as_{form}").render(report, width))
