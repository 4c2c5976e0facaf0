"""Runs that are known: a scenario is run again only where an entry of the catalogue that it reads has changed.

*Model*: a run follows from its scenario and from the entries that it reads. So where a scenario differs from one that was run in other
    entries only, it would read the same ones again, and its numbers are those that are known.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Mapping
from threading import Lock
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
Entries = Collection[tuple[str, str]]
"""Kind and name of entries."""
Catalogue = Mapping[str, Mapping[str, Any]]
"""Entries of a scenario's own, by kind and name."""
MANY: Final = 1_000_000


class Known(Generic[T]):
    """What came of runs, at most so many of them: by what was asked, but for the catalogue, and by the entries that were read."""

    def __init__(self, most: int = MANY) -> None:
        self._most, self._lock = most, Lock()
        self._reads: dict[str, set[frozenset[tuple[str, str]]]] = {}
        self._found: OrderedDict[tuple[str, frozenset[tuple[str, str]], str], T] = OrderedDict()

    def find(self, asked: str, catalogue: Catalogue) -> T | None:
        """What came of the same with the same entries, of those that were read; None where that is not known."""
        with self._lock:
            for read in self._reads.get(asked, ()):
                key = (asked, read, _written(catalogue, read))
                if key in self._found:
                    self._found.move_to_end(key)
                    return self._found[key]
        return None

    def keep(self, asked: str, catalogue: Catalogue, read: Entries, what: T) -> None:
        """Takes in what came of a run that read some entries."""
        entries = frozenset(read)
        with self._lock:
            self._reads.setdefault(asked, set()).add(entries)
            self._found[asked, entries, _written(catalogue, entries)] = what
            while len(self._found) > self._most:
                self._found.popitem(last=False)


def named(what: Any) -> str:
    """A short name of something that JSON can write, which nothing else has."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _written(catalogue: Catalogue, read: frozenset[tuple[str, str]]) -> str:
    """The entries of a scenario's own that are among those that were read."""
    own = ((kind, name, entry) for kind, section in catalogue.items() for name, entry in section.items() if (kind, name) in read)
    return named(sorted(own, key=lambda one: one[:2]))
