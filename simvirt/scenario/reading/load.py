"""From a file to a Scenario: read, include, override, validate, cross-check; all mistakes at once, each where it was written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable, Final, Iterable, Mapping, Sequence

from pydantic import ValidationError

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.bounds import MOST_BYTES, first_of
from simvirt.scenario.checks.possible import impossibilities
from simvirt.scenario.checks.references import references
from simvirt.scenario.reading.csv_heads import table_mistakes
from simvirt.scenario.reading.files import beside
from simvirt.scenario.reading.includes import SCENARIO_KEYS, Assembly
from simvirt.scenario.reading.overrides import moved, override
from simvirt.scenario.reading.tree import Entry, Marks, Node, Path, Place, Scalar, Table, dotted, find, plain
from simvirt.scenario.spec.base import TOLD_OF_KEY, details
from simvirt.scenario.spec.models import Scenario
from simvirt.units import shown

COMPOSE_KEYS: Final = frozenset({
    "version", "volumes", "networks", "configs", "secrets", "ports", "environment", "env_file", "build", "depends_on", "command",
    "entrypoint", "healthcheck", "expose", "container_name", "labels", "image",
})
"""Keys of a Compose file or of a service in one."""
COMPOSE: Final = (
    "this is a Compose file; expected a scenario: simvirt import compose makes one of it, with assumed demands that are marked; "
    "a scenario says what each service does (operations: {get: [{cpu: 1ms}]}), and simvirt: 1, name, host: {cores: 4, memory: 16GiB}, "
    "platforms: [docker, kvm], workload: {open: {rate: 100/s}, mix: {web.get: 1}}"
)
Names = Callable[[Mapping[str, Any]], Iterable[tuple[Path, str]]]
"""What is wrong with the names of a catalogue in a scenario's plain data."""


def load(path: str | os.PathLike[str], sets: Sequence[str] = (), seed: int | None = None, names: Names | None = None) -> Scenario:
    """The scenario in a file, with the overrides `sets` (`services.web.threads=8`) and, if given, another seed.

    ScenarioError with every mistake, each with file, line and column; where there are some, also with those that `names` finds.
    """
    assembly = Assembly(names=names)
    return _finish(assembly, assembly.file(os.fspath(path)), sets, seed)


def loads(text: str, name: str = "<string>", sets: Sequence[str] = (), seed: int | None = None) -> Scenario:
    """The scenario in a text; files that it names are relative to the folder of `name`."""
    assembly = Assembly()
    assembly.files.append(name)
    if len(text) > MOST_BYTES:
        raise ScenarioError([Issue(name, None, None, "", f"expected a scenario of at most {MOST_BYTES >> 20} MiB; this text is larger")])
    return _finish(assembly, assembly.text(text, name, (name,)), sets, seed)


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario as it is written, with what it includes, from which scenarios come that differ by overrides."""

    root: Node
    files: tuple[str, ...]

    def scenario(self, sets: Sequence[str] = (), seed: int | None = None, names: Names | None = None) -> Scenario:
        """The scenario with overrides; ScenarioError with every mistake."""
        return _finish(Assembly(names=names, files=list(self.files)), self.root, sets, seed)

    def data(self, sets: Sequence[str] = ()) -> dict[str, Any]:
        """What is written, with overrides, as plain data; files by their absolute paths. It is not checked."""
        found: dict[str, Any] = plain(_overridden(Assembly(), self.root, sets, None), _value)
        return found


def source(path: str | os.PathLike[str]) -> Source:
    """What a file and those that it includes say, not yet checked; ScenarioError where they cannot be read."""
    assembly = Assembly()
    root = assembly.file(os.fspath(path))
    if root is None or assembly.issues:
        raise ScenarioError(_ordered(assembly))
    return Source(root, tuple(assembly.files))


def _finish(assembly: Assembly, root: Node | None, sets: Iterable[str], seed: int | None) -> Scenario:
    """The scenario in an assembled tree."""
    if root is not None and not isinstance(root, Table):
        got = shown(root.value) if isinstance(root, Scalar) else "a list"
        assembly.tell(root.place, f"expected a mapping, which begins with simvirt: 1; got {got}")
    if not isinstance(root, Table):
        raise ScenarioError(_ordered(assembly))
    if _is_compose(root):
        raise ScenarioError([Issue(root.place.file, root.place.line, root.place.column, "", COMPOSE)])
    tree = _overridden(assembly, root, sets, seed)
    scenario = _validated(assembly, tree)
    if scenario is None or assembly.issues:
        raise ScenarioError(_ordered(assembly))
    return scenario


def _is_compose(root: Table) -> bool:
    """Whether a tree is a Compose file: services, nothing that only scenarios have, and a key that only Compose has."""
    services = root.entries["services"].node if "services" in root.entries else None
    if not isinstance(services, Table) or not SCENARIO_KEYS.isdisjoint(root.entries.keys() - {"services", "name", "include"}):
        return False
    inside = [key for entry in services.entries.values() if isinstance(entry.node, Table) for key in entry.node.entries]
    return not COMPOSE_KEYS.isdisjoint({*root.entries, *inside})


def _overridden(assembly: Assembly, root: Node, sets: Iterable[str], seed: int | None) -> Node:
    """The tree with all overrides applied."""
    for text in sets:
        root, issues = override(root, text)
        assembly.issues += issues
    if seed is None or not isinstance(root, Table):
        return root
    place = Place("--seed")
    run = root.entries["run"].node if "run" in root.entries else None
    table = run if isinstance(run, Table) else Table(place, {})
    return root.with_entry("run", Entry(place, table.with_entry("seed", Entry(place, moved(Scalar(place, seed, str(seed)), place)))))


def _validated(assembly: Assembly, tree: Node) -> Scenario | None:
    """The scenario of a tree; notes all mistakes and gives None where there are any."""
    data, marks = plain(tree, _value), Marks(tree)
    for path, message in (*references(data), *table_mistakes(data)):
        _note(assembly, marks, path, message)
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        for line in details(error):
            _note(assembly, marks, line["loc"], str(line["msg"]), of_key=line["type"] == TOLD_OF_KEY)
        _also_names(assembly, marks, data)
        return None
    if assembly.issues:
        _also_names(assembly, marks, data)
        return None
    for path, message in impossibilities(scenario):
        _note(assembly, marks, path, message)
    if assembly.issues:
        _also_names(assembly, marks, data)
    scenario._marks = marks
    return scenario


def _also_names(assembly: Assembly, marks: Marks, data: Mapping[str, Any]) -> None:
    """Notes wrong names of the catalogue beside other mistakes; where there are none, the catalogue itself finds them."""
    for path, message in assembly.names(data) if assembly.names is not None else ():
        _note(assembly, marks, path, message)


def _value(path: Path, node: Scalar) -> Any:
    """The value of a scalar; the name of a file as an absolute path."""
    if not isinstance(node.value, str) or not node.value or not _names_file(path):
        return node.value
    return os.path.abspath(beside(node.place.file, node.value)) if "\0" not in node.value else node.value


def _names_file(path: Path) -> bool:
    """Whether the scalar at `path` is the name of a CSV file."""
    if len(path) < 3 or path[0] not in ("workload", "workloads", "services", "failures"):
        return False
    return path[-1] == "empirical" or (path[-1] == "file" and path[-2] in ("trace", "rates", "empirical"))


def _note(assembly: Assembly, marks: Marks, path: Path, message: str, of_key: bool = False) -> None:
    """Notes a mistake at a path, where that was written."""
    of_key = of_key or path[-1:] == ("[key]",)
    path = tuple(part for part in path if part != "[key]")
    place = marks.place(path, of_key)
    file, line, column = (place.file, place.line, place.column) if place is not None else (None, None, None)
    assembly.issues.append(Issue(file, line, column, dotted(_as_written(marks, path)), message))


def _as_written(marks: Marks, path: Path) -> Path:
    """A path without the indexes that are not there in the text."""
    if marks.root is None:
        return path
    found = find(marks.root, path)
    return found.path if found.complete else (*found.path, *path[-1:])


def _ordered(assembly: Assembly) -> list[Issue]:
    """The issues file by file and line by line, each once; those of options last; the first hundred."""
    files = {file: index for index, file in enumerate(assembly.files)}
    unique = list(dict.fromkeys(assembly.issues))
    unique.sort(key=lambda issue: (files.get(issue.file or "", len(files)), issue.line or 0, issue.column or 0))
    return first_of(unique)
