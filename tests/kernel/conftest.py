"""What builds the kernel, for tests that read its sources as the build does."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(name="build")
def build_fixture(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The reader of the kernel's sources, which lies beside the package."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])
    from build_kernel import source

    return source
