"""The emulated machine: a RISC-V hart, its memory and its devices, as functions over tables.

The same source files run compiled (one extension, made by `build_kernel/`) or as they are (`plain.py`). Nothing but emulation
loads this package.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simvirt.kernel import chosen

FUNCTIONS = (
    "advance", "carry_one", "fence_all", "forget", "lend", "look", "offered", "place_of", "reach", "reset", "rights", "type_in", "write_to",
)

MODE, _machine = chosen("simvirt._machine", "simvirt.machine.plain", Path(__file__).parent)

INSTRUCTIONS: tuple[str, ...] = _machine.INSTRUCTIONS
"""Names of the instructions; the place of one is the number of its operation."""

RECORDS: dict[str, tuple[str, ...]] = _machine.RECORDS
"""Columns of each table that lie together, row by row; none in plain mode."""

FORMATS: dict[str, tuple[str, ...]] = _machine.FORMATS
"""What those columns are for numpy."""

WORDS: dict[str, int] = _machine.WORDS
"""64-bit words of a row's record by table."""

advance = _machine.advance
carry_one = _machine.carry_one
fence_all = _machine.fence_all
forget = _machine.forget
lend = _machine.lend
look = _machine.look
offered = _machine.offered
place_of = _machine.place_of
reach = _machine.reach
reset = _machine.reset
rights = _machine.rights
type_in = _machine.type_in
write_to = _machine.write_to


def make_machine() -> Any:
    """A machine, still without tables."""
    return _machine.Machine()


def bind(machine: Any, table: str, columns: Mapping[str, Any], records: Any) -> None:
    """Let a machine use the columns of a table, and the records that hold those of RECORDS, as 64-bit words."""
    machine.bind(table, columns, records)
