"""Tables from a file of the user's, in the form of the shipped ones: all mistakes at once, each where it was written.

*Model*: a file is a topic, `{title: ..., tables: [...]}`; its tables are read as the shipped ones are, and the scenario of every cell is
    read before anything is simulated. A mistake in one is put where the table states the value: in its scenario, in the overrides of a row
    or a column, or in a column's platform.
*Ignores*: what only a run finds, which fails the cell and no other.
*Source*: simvirt/validation/data has examples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from simvirt.errors import Issue, ScenarioError
from simvirt.runs.admission import catalog_of
from simvirt.scenario.bounds import first_of
from simvirt.scenario.reading.messages import sentence
from simvirt.scenario.reading.reader import read_file
from simvirt.scenario.reading.tree import Marks, Path, Table, dotted, plain
from simvirt.scenario.spec.base import details, unknown_key
from simvirt.validation import facts
from simvirt.validation.facts import Topic, spelled_out
from simvirt.validation.predict import Conditions, scenario_of

KEYS: Final = ("number", "title", "left_out", "tables")
EXAMPLES: Final[Mapping[str, str]] = {
    "number": "1", "title": "round trips", "tables": "[{id: mine, ...}]", "left_out": "{other: no scenario has it}",
    "id": "my-redis", "source": "measured by us, 2024", "found": "table", "setup": "Xeon Gold 6132, Linux 5.10", "use": "validate",
    "unit": "us", "better": "lower", "ranks": "columns", "measure": "{of: latency_p50, times: 1e6}", "of": "latency_p50", "times": "1e6",
    "scenario": "{host: {model: dell-r740-gold-6132}, services: {...}, workload: {...}}",
    "columns": "{native: bare-metal, kvm: kvm}", "platform": "kvm", "set": "{services.web.threads: 8}",
    "rows": "{read: {values: {native: 100, kvm: 120}}}", "values": "{native: 100, kvm: [110, 130]}",
    "calibration": "{by: native, path: services.web.operations.get.0.cpu, start: 10us, why: the demand is not stated}",
    "by": "native", "path": "services.web.operations.get.0.cpu", "start": "10us", "why": "the demand is not stated",
}
"""Key of a file of tables -> a value that it could have."""
ALTERNATIVES: Final = ("function-", "tuple[", "constrained-", "float")
"""How names begin that pydantic gives to the forms of a value, and that nobody wrote."""


class _Reading:
    """The tree of a file, and what is wrong with it."""

    def __init__(self, name: str, root: Table) -> None:
        self.name = name
        self.marks = Marks(root)
        self.raw: dict[str, Any] = plain(root, lambda path, node: node.value)
        self.issues: list[Issue] = []

    def tell(self, path: Path, message: str, of_key: bool = False) -> None:
        """Notes a mistake at a path."""
        place = self.marks.place(path, of_key)
        line, column = (None, None) if place is None else (place.line, place.column)
        self.issues.append(Issue(self.name, line, column, dotted(path), message))

    def settle(self) -> None:
        """ScenarioError where there are mistakes; each once, in the order of the lines."""
        found = sorted(dict.fromkeys(self.issues), key=lambda issue: (issue.line or 0, issue.column or 0))
        if found:
            raise ScenarioError(first_of(found))


def read_tables(path: str | os.PathLike[str]) -> Topic:
    """The tables in a file; ScenarioError with every mistake."""
    reading = _tree(os.fspath(path))
    topic = _topic(reading)
    reading.settle()
    assert topic is not None
    for index, table in enumerate(topic.tables):
        _check_scenarios(reading, index, table)
    reading.settle()
    return topic


def _tree(name: str) -> _Reading:
    """What is written in a file."""
    root = read_file(name)
    if not isinstance(root, Table):
        expected = "expected a mapping with a title and tables, for example {title: round trips, tables: [{id: mine, ...}]}"
        raise ScenarioError([Issue(name, 1, 1, "", f"{expected}; got {'nothing' if root is None else 'something else'}")])
    return _Reading(name, root)


def _topic(reading: _Reading) -> Topic | None:
    """The file as a topic; notes what is wrong with its tables."""
    for key in reading.raw:
        if key not in KEYS and not key.startswith("x-"):
            reading.tell((key,), unknown_key(key, KEYS), of_key=True)
    raw = {key: value for key, value in reading.raw.items() if key in KEYS}
    number = raw.setdefault("number", 0)
    if isinstance(raw.get("tables"), list):
        raw["tables"] = [spelled_out(table, number) if isinstance(table, Mapping) else table for table in raw["tables"]]
        if not raw["tables"]:
            reading.tell(("tables",), f"expected at least one table, for example {EXAMPLES['tables']}; got none")
        _told_twice(reading, raw["tables"])
    try:
        return Topic.model_validate(raw)
    except ValidationError as error:
        for line in details(error):
            _tell(reading, line)
        return None


def _told_twice(reading: _Reading, tables: list[Any]) -> None:
    """Notes tables of one name."""
    names = [table.get("id") if isinstance(table, Mapping) else None for table in tables]
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            reading.tell(("tables", index, "id"), f"expected a name of its own, for example {name}-2; there is a table {name} above")


def _tell(reading: _Reading, line: Mapping[str, Any]) -> None:
    """Notes what pydantic found, with an example of what was expected."""
    path = tuple(part for part in line["loc"] if not str(part).startswith(ALTERNATIVES))
    if "values" in path and line["type"] == ("float_type" if isinstance(line["input"], list) else "tuple_type"):
        return  # a value is a number or a range: what is wrong is noted of the one that was written
    key = str(next((part for part in reversed(path) if not isinstance(part, int)), ""))
    example = EXAMPLES.get(key, EXAMPLES["values"] if "values" in path else None)
    shape = "" if example is None else f", for example {key if key in EXAMPLES else 'values'}: {example}"
    if line["type"] == "extra_forbidden":
        reading.tell(path, unknown_key(key, _known(path)), of_key=True)
    elif line["type"] == "missing":
        reading.tell(path, f"missing; expected a value{shape}")
    elif line["type"] == "literal_error":
        reading.tell(path, sentence(line) + shape)
    elif line["type"] == "value_error":
        within, message = _within(sentence(line))
        reading.tell((*path, *within), message)
    else:
        reading.tell(path, sentence(line, example))


def _within(message: str) -> tuple[Path, str]:
    """The part of a table that a message begins with (`rows.read: ...`), and the rest."""
    head, _, rest = message.partition(": ")
    part, dot, name = head.partition(".")
    return ((part, name) if dot else (part,), rest) if part in ("rows", "values", "calibration") and rest else ((), message)


def _known(path: Path) -> Iterator[str]:
    """The keys of the part of a table that a path leads into."""
    parts: dict[str, type[facts.Fact]] = {
        "measure": facts.Measure, "calibration": facts.Calibration, "columns": facts.Column, "rows": facts.Row, "apart": facts.Apart,
    }
    model = next((parts[part] for part in reversed(path[:-1]) if isinstance(part, str) and part in parts), facts.Table)
    return (key for key in model.model_fields if key != "topic")


# --- scenarios -----------------------------------------------------------------------------------------------------------


def _check_scenarios(reading: _Reading, index: int, table: facts.Table) -> None:
    """Notes the mistakes in the scenarios of a table's cells."""
    given = {told.path: told.start for told in table.calibration if told.path is not None}
    for name, row in table.rows.items():
        for column in row.values:
            try:
                catalog_of(scenario_of(table, name, table.column_of(name, column), given, Conditions(1, 1)))
            except ScenarioError as error:
                for issue in error.issues:
                    reading.tell(("tables", index, *_place(table, name, column, issue)), issue.message)


def _place(table: facts.Table, row: str, column: str, issue: Issue) -> Path:
    """Where a table states what a mistake in a cell's scenario is about."""
    told = issue.path or (issue.file or "").removeprefix("--set ")
    places: tuple[tuple[Path, Mapping[str, Any]], ...] = (
        (("rows", row, "set"), table.rows[row].set), (("columns", column, "set"), table.columns[column].set),
        (("rows", row, "apart", column, "set"), table.rows[row].apart.get(column, facts.Apart()).set),
    )
    for path, sets in places:
        for key in sets:
            if told == key or told.startswith(f"{key}."):
                return (*path, key)
    if any(told == calibration.path for calibration in table.calibration):
        return ("calibration",)
    parts: Path = tuple(int(part) if part.isdigit() else part for part in told.split(".") if part)
    return ("columns", column) if parts[:1] == ("platforms",) else ("scenario", *parts)
