"""The plain machine: the source files, run as they are."""

from collections.abc import Mapping
from typing import Any

from simvirt.machine import tables
from simvirt.machine.isa.listing import INSTRUCTIONS as LISTED
from simvirt.machine.loop import (
    advance,
    carry_one,
    fence_all,
    forget,
    lend,
    look,
    offered,
    place_of,
    reach,
    reset,
    rights,
    type_in,
    write_to,
)

__all__ = [
    "FORMATS", "INSTRUCTIONS", "RECORDS", "WORDS", "Machine", "advance", "carry_one", "fence_all", "forget", "lend", "look", "offered",
    "place_of", "reach", "reset", "rights", "type_in", "write_to",
]

INSTRUCTIONS = tuple(found.mnemonic for found in LISTED)

RECORDS: dict[str, tuple[str, ...]] = dict.fromkeys(tables.Machine.__annotations__, ())

FORMATS: dict[str, tuple[str, ...]] = dict.fromkeys(tables.Machine.__annotations__, ())

WORDS: dict[str, int] = dict.fromkeys(tables.Machine.__annotations__, 0)


class Machine(tables.Machine):
    """All tables of a machine."""

    def bind(self, table: str, columns: Mapping[str, Any], records: Any) -> None:
        """Take the columns of a table, which has no records."""
        setattr(self, table, tables.Machine.__annotations__[table](columns))
