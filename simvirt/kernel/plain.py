"""The plain kernel: the source files, run as they are."""

from collections.abc import Mapping
from typing import Any

from simvirt.kernel import tables
from simvirt.kernel.loop import advance, advance_traced, crash, freeze, launch, launch_client, load_link, set_quota, set_ready, thaw
from simvirt.kernel.schedulers import registry

__all__ = ["RECORDS", "SCHEDULERS", "WORDS", "Plane", "advance", "advance_traced", "crash", "freeze", "launch", "launch_client",
           "load_link", "set_quota", "set_ready", "thaw"]

SCHEDULERS = tuple(scheduler.name for scheduler in registry.SCHEDULERS)


RECORDS: dict[str, tuple[str, ...]] = dict.fromkeys(tables.Plane.__annotations__, ())
WORDS: dict[str, int] = dict.fromkeys(tables.Plane.__annotations__, 0)


class Plane(tables.Plane):
    """All tables of what is simulated."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(tables.Plane.__annotations__))

    def bind(self, table: str, columns: Mapping[str, Any], records: Any) -> None:
        """Take the columns of a table, which has no records."""
        setattr(self, table, tables.Plane.__annotations__[table](columns))
