"""A Compose project from its files: interpolation, `include`, `extends`, merging, profiles; nothing outside the project's folder is read.

*Source*: compose-spec, 12-interpolation.md, 13-merge.md, 14-include.md, 15-profiles.md, 05-services.md (`extends`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, field, replace
from typing import Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers.dotenv import variables_of
from simvirt.importers.interpolation import Uninterpolable, interpolated
from simvirt.importers.merging import TAGS, merged, settled
from simvirt.importers.nodes import refuse, table_at, text_at
from simvirt.scenario.reading.files import NoText, read_text
from simvirt.scenario.reading.reader import read_file
from simvirt.scenario.reading.scalars import scalar
from simvirt.scenario.reading.tree import Entry, Node, Place, Scalar, Sequence, Table

PARTS: Final = ("services", "networks", "volumes", "configs", "secrets", "models")
NOT_EXTENDED: Final = ("depends_on", "links", "volumes_from", "network_mode", "ipc", "pid", "extends")
"""Keys that name other services; `extends` takes them over only where the other service is in the same file."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a command says beside the files: profiles, files of variables, the folder, and the shell's variables."""

    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    folder: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


NO_OPTIONS: Final = Options()
"""What is so where nothing is said beside the files."""


@dataclass(slots=True)
class Project:
    """A whole project as one document, with the variables that had no value: name -> where."""

    root: Table
    whole: Table  # services that no wanted profile brings too
    folder: str
    unset: dict[str, Place]
    variables: Mapping[str, str]
    defined: frozenset[str]  # names of services, those too that a profile holds back


def project(files: Many[str], options: Options = NO_OPTIONS) -> Project:
    """The project of some files, the later ones over the earlier; ScenarioError where it cannot be put together."""
    folder = os.path.realpath(options.folder or os.path.dirname(os.path.abspath(files[0])))
    reading = _Reading(folder, options)
    variables = reading.variables(folder, options.env_files)
    root = reading.documents(list(files), folder, variables, ())
    services = table_at(root, "services")
    defined = frozenset(services.entries if services else ())
    return Project(_with_profiles(root, options.profiles), root, folder, reading.unset, variables, defined)


@dataclass(slots=True)
class _Reading:
    """The state of reading one project."""

    root: str
    options: Options
    unset: dict[str, Place] = field(default_factory=dict)

    def variables(self, folder: str, files: Iterable[str]) -> dict[str, str]:
        """The variables of a folder's `.env`, or of the files named in its place; the shell's win."""
        named = list(files)
        found: dict[str, str] = {}
        for name in named or [os.path.join(folder, ".env")]:
            if not named and not (os.path.isfile(name) and self.lies_inside(name)):
                continue
            try:
                found |= variables_of(read_text(name), {**found, **self.options.environment})
            except NoText as error:
                raise ScenarioError([Issue(name, error.line, error.column, "", str(error))]) from None
        return {**found, **self.options.environment}

    def documents(self, files: list[str], folder: str, variables: Mapping[str, str], above: tuple[str, ...]) -> Table:
        """Files merged one over the other, with what they include."""
        whole: Node | None = None
        for file in files:
            document = self.document(file, folder, variables, above)
            whole = document if whole is None else merged(whole, document)
        assert isinstance(whole, Table)
        resolved = settled(whole)
        assert isinstance(resolved, Table)
        return resolved

    def document(self, file: str, folder: str, variables: Mapping[str, str], above: tuple[str, ...]) -> Table:
        """One file, interpolated, its services extended, with what it includes beneath it."""
        if os.path.realpath(file) in above:
            names = " -> ".join(os.path.basename(one) for one in (*above, file))
            raise refuse(Place(file), "include", f"includes itself: {names}")
        table = self.table(file, variables)
        services = table_at(table, "services")
        if services is not None:
            done = {name: self.extended(name, table, file, folder, variables, ()) for name in services.entries}
            entries = {name: Entry(services.entries[name].place, node) for name, node in done.items()}
            table = table.with_entry("services", Entry(table.entries["services"].place, replace(services, entries=entries)))
        for included in self.included(table, file, folder, variables, (*above, os.path.realpath(file))):
            table = _beneath(included, table)
        return table.without("include")

    def table(self, file: str, variables: Mapping[str, str]) -> Table:
        """The mapping in a file, with its variables filled in."""
        root = read_file(file, TAGS)
        if not isinstance(root, Table):
            raise refuse(
                root.place if root else Place(file, 1, 1),
                "",
                "expected a mapping with services, for example services: {web: {image: nginx}}",
            )
        filled = self.filled(root, variables, "")
        assert isinstance(filled, Table)
        return filled

    def filled(self, node: Node, variables: Mapping[str, str], path: str) -> Node:
        """A tree with its variables filled in; plain values that came of them are numbers and truth values again."""
        if isinstance(node, Table):
            inside = {
                key: Entry(e.place, self.filled(e.node, variables, f"{path}.{key}" if path else key)) for key, e in node.entries.items()
            }
            return replace(node, entries=inside)
        if isinstance(node, Sequence):
            return replace(node, items=tuple(self.filled(item, variables, f"{path}.{n}") for n, item in enumerate(node.items)))
        if not isinstance(node.value, str) or "$" not in node.value:
            return node
        try:
            text = interpolated(node.value, variables, lambda name: self.note_unset(name, node.place))
        except Uninterpolable as error:
            raise refuse(node.place, path, str(error)) from None
        return replace(node, value=scalar(text), text=text)

    def note_unset(self, name: str, place: Place) -> None:
        """Notes a variable without a value, where it is first asked for."""
        self.unset.setdefault(name, place)

    def extended(
        self, name: str, table: Table, file: str, folder: str, variables: Mapping[str, str], above: tuple[tuple[str, str], ...]
    ) -> Node:
        """A service over what it extends."""
        services = table_at(table, "services")
        assert services is not None
        entry = services.entries[name]
        if (file, name) in above:
            raise refuse(
                entry.place, f"services.{name}.extends", f"extends itself: {' -> '.join(one for _, one in (*above, (file, name)))}"
            )
        if not isinstance(entry.node, Table):
            if isinstance(entry.node, Scalar) and entry.node.value is None:
                return Table(entry.place, {})
            raise refuse(entry.place, f"services.{name}", "expected a mapping, for example {image: nginx}")
        wish = entry.node.entries.get("extends")
        if wish is None:
            return entry.node
        base = self.base(name, wish, table, file, folder, variables, (*above, (file, name)))
        return merged(base, entry.node.without("extends"))

    def base(
        self,
        name: str,
        wish: Entry,
        table: Table,
        file: str,
        folder: str,
        variables: Mapping[str, str],
        above: tuple[tuple[str, str], ...],
    ) -> Node:
        """The service that another one extends."""
        path = f"services.{name}.extends"
        service = wish.node.text if isinstance(wish.node, Scalar) else text_at(wish.node, "service")
        other = "" if isinstance(wish.node, Scalar) else text_at(wish.node, "file")
        if not service:
            raise refuse(wish.place, path, "expected the name of a service, for example extends: {service: base}")
        where = self.inside(os.path.join(os.path.dirname(file), other), wish.place, path) if other else file
        source = self.table(where, variables) if other else table
        services = table_at(source, "services")
        if services is None or service not in services.entries:
            there = ", ".join(services.entries) if services else "none"
            raise refuse(wish.place, path, f'there is no service "{service}" in {os.path.basename(where)}; expected one of: {there}')
        base = self.extended(service, source, where, folder, variables, above)
        return base.without(*NOT_EXTENDED) if other and isinstance(base, Table) else base

    def included(self, table: Table, file: str, folder: str, variables: Mapping[str, str], above: tuple[str, ...]) -> list[Table]:
        """The documents that a file includes, each a project of its own."""
        wish = table.entries.get("include")
        if wish is None:
            return []
        items = wish.node.items if isinstance(wish.node, Sequence) else (wish.node,)
        found = []
        for number, item in enumerate(items):
            path = f"include.{number}"
            names = [item.text] if isinstance(item, Scalar) else _texts(item, "path")
            if not names:
                raise refuse(item.place, path, "expected a file, for example include: [other/compose.yaml]")
            files = [self.inside(os.path.join(os.path.dirname(file), name), item.place, path) for name in names]
            stated = "" if isinstance(item, Scalar) else text_at(item, "project_directory")
            own = self.inside(os.path.join(os.path.dirname(file), stated), item.place, path) if stated else os.path.dirname(files[0])
            env = (
                []
                if isinstance(item, Scalar)
                else [self.inside(os.path.join(folder, name), item.place, path) for name in _texts(item, "env_file")]
            )
            found.append(self.documents(files, own, {**self.variables(own, env), **variables}, above))
        return found

    def lies_inside(self, name: str) -> bool:
        """Whether a file lies in the project's folder, links followed."""
        return os.path.commonpath([os.path.realpath(name), self.root]) == self.root

    def inside(self, name: str, place: Place, path: str) -> str:
        """A file's path; a mistake where it is not in the project's folder, or not there."""
        real = os.path.realpath(name)
        if not self.lies_inside(real):
            said = f'expected a file in the project\'s folder {self.root}; got "{name}"; --project-directory names a folder further up'
            raise refuse(place, path, said)
        if not os.path.exists(real):
            raise refuse(place, path, f'there is no file "{os.path.relpath(name, self.root)}"')
        return os.path.normpath(name)


def _beneath(included: Table, table: Table) -> Table:
    """A document with an included one beneath it; what both define, the including one may change only by overriding files."""
    for part in PARTS:
        inner, outer = table_at(included, part), table_at(table, part)
        if inner is None:
            continue
        both = [name for name in inner.entries if outer and name in outer.entries]
        if both and part == "services":
            place = outer.entries[both[0]].place if outer else included.place
            raise refuse(
                place, f"services.{both[0]}", f"is defined in {os.path.basename(inner.entries[both[0]].place.file)} too, which is included"
            )
        entries = {**inner.entries, **(outer.entries if outer else {})}
        table = table.with_entry(part, Entry(included.entries[part].place, replace(outer or inner, entries=entries)))
    return table


def _with_profiles(root: Table, wanted: Many[str]) -> Table:
    """The document with the services that no profile holds back, and those of the profiles that are wanted."""
    services = table_at(root, "services")
    if services is None:
        return root
    kept = {name: entry for name, entry in services.entries.items() if _is_on(entry.node, wanted)}
    return root.with_entry("services", Entry(root.entries["services"].place, replace(services, entries=kept)))


def _is_on(service: Node, wanted: Many[str]) -> bool:
    held = _texts(service, "profiles")
    return not held or "*" in wanted or not set(held).isdisjoint(wanted)


def _texts(node: Node, key: str) -> list[str]:
    """The text or texts at a key of a mapping."""
    inner = node.entries[key].node if isinstance(node, Table) and key in node.entries else None
    items = inner.items if isinstance(inner, Sequence) else () if inner is None else (inner,)
    return [item.text for item in items if isinstance(item, Scalar) and item.value is not None]
