"""Entries by kind and name: the shipped ones and a scenario's own, read and validated when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NoReturn, Self, TypeVar

from pydantic import ValidationError

from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.entries.software import KINDS, REFERENCES
from simvirt.catalog.loader import Raw, expand, shipped
from simvirt.catalog.problems import Locate, Path, Problems, issue, nowhere, unknown
from simvirt.errors import ScenarioError
from simvirt.scenario.fields import title

E = TypeVar("E", bound=Entry)


class Store:
    """All entries: the shipped ones and a scenario's own, which win where names meet. Entries are read when asked for."""

    def __init__(self, extra: Mapping[str, Raw], locate: Locate = nowhere) -> None:
        self._extra = extra
        self._locate = locate
        self._sections: dict[str, Raw] = {}
        self._entries: dict[tuple[str, str], Entry] = {}
        self.read: set[tuple[str, str]] = set()
        """Kind and name of each entry that was asked for since it was loaded, those that they are like included."""

    @classmethod
    def load(cls, extra: Mapping[str, Any] | None = None, locate: Locate = nowhere) -> Self:
        """The entries with a scenario's `catalog:` section added; `locate` gives where a path of the scenario was written.

        ScenarioError with every mistake of the added entries.
        """
        problems = Problems(locate)
        store = cls(_sections(extra or {}, problems), locate)
        for kind, section in store._extra.items():
            for name in section:
                store._check(kind, name, problems)
        problems.settle()
        store.read = set()
        return store

    def names(self, kind: str) -> list[str]:
        """The names of one kind (`hosts`, `disks`, `hypervisors`, ...); the shipped ones first."""
        return list(self.raw(kind))

    def entry(self, kind: str, name: str, path: Path = ()) -> Entry:
        """The validated entry `name` of a kind.

        ScenarioError at `path` where there is none; pydantic's ValidationError or ValueError where it is malformed.
        """
        key = (kind, name)
        if key not in self._entries:
            self._entries[key] = self._read(kind, name, path)
        self._note(kind, name)
        return self._entries[key]

    def base(self, kind: str, name: str) -> str | None:
        """The name of the entry that one is like; None where it is like none, or there is no such entry."""
        self._note(kind, name)
        raw = self.raw(kind)
        return raw[name].get("like") if name in raw else None

    def _note(self, kind: str, name: str) -> None:
        """Takes in that an entry was asked for, and those that it is like."""
        raw = self.raw(kind)
        while name in raw and (kind, name) not in self.read:
            self.read.add((kind, name))
            name = str(raw[name].get("like"))

    def typed(self, kind: str, name: str, model: type[E], path: Path = ()) -> E:
        """`entry` for callers that know the model of the kind."""
        found = self.entry(kind, name, path)
        assert isinstance(found, model)
        return found

    def fail(self, path: Path, kind: str, name: object, known: Iterable[str]) -> NoReturn:
        """ScenarioError: there is no `name` of that kind."""
        raise ScenarioError([issue(self._locate, path, unknown(kind, name, known))])

    def raw(self, kind: str) -> Raw:
        """The entries of a kind as written, by name; ScenarioError where there is no such kind."""
        if kind not in KINDS:
            self.fail((), "kinds", kind, KINDS)
        if kind not in self._sections:
            self._sections[kind] = {**shipped(kind), **self._extra.get(kind, {})}
        return self._sections[kind]

    def _read(self, kind: str, name: str, path: Path) -> Entry:
        raw = self.raw(kind)
        if name not in raw:
            self.fail(path, kind, name, raw)
        own = self._extra.get(kind, {})
        return shipped_entry(kind, name) if name not in own and own.keys().isdisjoint(shipped(kind)) else validated(kind, name, raw)

    def _check(self, kind: str, name: str, problems: Problems) -> None:
        """Notes what is wrong with an added entry, the names it refers to included."""
        path = ("catalog", kind, name)
        try:
            title(name)
            entry = self.entry(kind, name, path)
        except ValidationError as error:
            return problems.add_invalid(path, error)
        except (ValueError, ScenarioError) as error:
            return problems.add(path, str(error))
        for field, kinds in REFERENCES.get(kind, {}).items():
            self._check_reference((*path, field), getattr(entry, field), kinds, problems)

    def _check_reference(self, path: Path, value: str | tuple[str, ...] | None, kinds: tuple[str, ...], problems: Problems) -> None:
        for name in (value,) if isinstance(value, str) else value or ():
            if not any(name in self.raw(kind) for kind in kinds):
                problems.add(path, unknown(kinds[0], name, [known for kind in kinds for known in self.raw(kind)]))


def validated(kind: str, name: str, raw: Raw) -> Entry:
    """An entry of those as written; ValidationError or ValueError where it is malformed."""
    return KINDS[kind].model_validate(expand(name, raw, shipped(kind))).named(name)


@cache
def shipped_entry(kind: str, name: str) -> Entry:
    """An entry that comes with the package, where none that it may be like is changed; validated once per process."""
    return validated(kind, name, shipped(kind))


def _sections(extra: Mapping[str, Any], problems: Problems) -> dict[str, Raw]:
    """The added sections by kind; notes kinds that do not exist and sections that are no mappings."""
    sections: dict[str, Raw] = {}
    for kind, section in extra.items():
        if kind not in KINDS:
            problems.add(("catalog", kind), unknown("kinds", kind, KINDS))
        elif not isinstance(section, Mapping):
            problems.add(("catalog", kind), f"expected a mapping of entries by name, got {section!r}")
        else:
            sections[kind] = section
    return sections
