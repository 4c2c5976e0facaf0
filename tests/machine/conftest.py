"""Machines for tests: a small memory, a program in assembler."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simvirt.emulation.assembler import assemble
from simvirt.emulation.emulator import Console, Emulator
from simvirt.emulation.making import Size
from simvirt.emulation.monitors.options import Options

SMALL = Size(memory=4 << 20, sets=16, ways=2)


@pytest.fixture
def assembled() -> Callable[..., Emulator]:
    """A machine with a program, not yet run."""

    def made(source: str, technique: str = "native", options: Options | None = None, **console: bytes) -> Emulator:
        emulator = Emulator(SMALL, Console(**console), technique, options=options)
        emulator.boot(assemble(source, "test.s", SMALL.base))
        return emulator

    return made
