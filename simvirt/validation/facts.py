"""Published measurements: tables of numbers with the scenario that predicts them, read from the files beside this module.

A table has columns (the systems that were compared, each a platform of the scenario language) and rows (the conditions, each a set of
overrides). Its scenario is one for all of its cells: what differs between two columns is the platform, and what a platform costs stands in
the catalogue. One column may calibrate: the workload's demand, which no paper prints, is solved for until that column comes out. A number
that was published as a range is met anywhere in it; where the range is wide, it is a bound, to be kept and not to be scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simvirt.errors import UsageError

MeasureName = Literal[
    "throughput", "period", "latency_mean", "latency_p50", "latency_p90", "latency_p95", "latency_p99", "latency_p999",
    "run_queue", "cpu_cores", "utilisation", "cpu_per_request", "steal", "throttled", "exits", "interrupts", "memory",
    "memory_overhead", "memory_saved", "memory_used", "notifications",
    "start_p50", "start_p90", "start_p99", "start_last", "start_rate", "start_turn", "pull", "pull_last",
    "migration_downtime", "first_round", "further_rounds",
]
Found = Literal["raw data", "table", "text", "figure", "documentation", "source code", "mail", "second-hand"]
Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Value = Number | tuple[Number, Number]
WIDE = 2.0  # ratio of a range's ends from which it is a bound


class Fact(BaseModel):
    """What all parts of a table have in common: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Measure(Fact):
    """What is read from a result: a number by name, times a factor for the table's unit; with `cycles` times the host's clock.

    `operation` is whose latency; `device` whose notifications, interrupts and exits, `cause` which of the exits; `relative_to` a platform
    over whose number it is taken, with `complement` what that ratio lacks of one; `layer` whose phases of a start
    count, `without` which of them do not.
    """

    of: MeasureName
    times: float = 1.0
    cycles: bool = False
    operation: str | None = None
    workload: str | None = None
    device: Literal["net", "disk"] = "net"
    cause: Literal["kick", "injection", "completion"] | None = None
    relative_to: str | None = None
    complement: bool = False
    layer: str | None = None
    without: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Measure:
        if self.operation is not None and not self.of.startswith("latency_"):
            raise ValueError("operation: only the latency is available by operation, for example {of: latency_p99, operation: app.op}")
        if self.cause is not None and self.of != "exits":
            raise ValueError("cause: only exits have causes, for example {of: exits, cause: kick}")
        if (self.layer is not None or self.without) and self.of != "start_turn":
            raise ValueError("layer, without: only what a start takes in its turn has phases, for example {of: start_turn, layer: kvm}")
        if self.complement and self.relative_to is None:
            raise ValueError("complement: expected a platform beside it, for example relative_to: bare-metal")
        return self


class Calibration(Fact):
    """Which column is a given rather than a prediction, and what of the scenario it fixes.

    `path` is solved for, from `start`, in each row (or once, in `row`); `scale` turns the simulated numbers of a row into the table's unit
    with one factor; with neither, the column is what entries of the catalogue were made from.
    """

    by: str
    path: str | None = None
    start: str | None = None
    row: str | None = None
    scale: bool = False
    why: Text

    @model_validator(mode="after")
    def _one_thing(self) -> Calibration:
        if (self.path is None) != (self.start is None) or (self.path is not None and self.scale):
            raise ValueError("expected path with start, or scale, or neither")
        if self.row is not None and self.path is None:
            raise ValueError("row: expected the path that is solved for there, for example {path: services.web.cpus, start: 2, row: ...}")
        return self


class Column(Fact):
    """A system that was measured: its platform in the scenario language, and overrides that hold in its cells alone."""

    platform: Any
    set: Mapping[str, Any] = {}


class Apart(Fact):
    """What holds in one column of a row alone: overrides of the scenario, and what is read there."""

    set: Mapping[str, Any] = {}
    measure: Measure | None = None


class Row(Fact):
    """A condition: overrides of the scenario, and the measured number by column; `apart` is what holds in some of its columns alone."""

    values: Mapping[str, Value] = Field(min_length=1)
    set: Mapping[str, Any] = {}
    apart: Mapping[str, Apart] = {}
    measure: Measure | None = None
    unit: str | None = None
    better: Literal["higher", "lower"] | None = None

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Row:
        for column in self.values:
            low, high = self.limits(column)
            if low > high:
                raise ValueError(f"values.{column}: expected the lower end first, for example [{high:g}, {low:g}]; got [{low:g}, {high:g}]")
        return self

    def limits(self, column: str) -> tuple[float, float]:
        """The lowest and the highest number that agree with what was published."""
        value = self.values[column]
        return value if isinstance(value, tuple) else (value, value)

    def middle(self, column: str) -> float:
        """The number itself, or the middle of its range."""
        return sum(self.limits(column)) / 2.0


class Table(Fact):
    """One table of a publication, its scenario and how to read a prediction from it."""

    id: Text
    topic: int = 0
    title: Text
    source: Text
    found: Found
    setup: Text
    use: Literal["validate", "calibrate"]
    unit: Text
    better: Literal["higher", "lower"]
    ranks: Literal["columns", "rows"] = "columns"
    missing: str | None = None
    scenario: Mapping[str, Any]
    measure: Measure
    calibration: tuple[Calibration, ...] = ()
    columns: Mapping[str, Column]
    rows: Mapping[str, Row] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_exist(self) -> Table:
        for name, row in self.rows.items():
            if unknown := sorted(set(row.values) - set(self.columns)):
                raise ValueError(f"rows.{name}: no such columns: {unknown}; expected some of {', '.join(self.columns)}")
            if unknown := sorted(set(row.apart) - set(row.values)):
                raise ValueError(f"rows.{name}: apart: no values of {unknown}; expected some of {', '.join(row.values)}")
        for told in self.calibration:
            if told.by not in self.columns or (told.row is not None and told.row not in self.rows):
                raise ValueError("calibration: its column or row does not exist")
            if told.scale and any(told.by not in row.values for row in self.rows.values()):
                raise ValueError(f"calibration: scale: expected a number of {told.by} in each row, for example values: {{{told.by}: 100}}")
        return self

    def unit_of(self, row: str) -> str:
        """Unit of a row's numbers."""
        return self.rows[row].unit or self.unit

    def measure_of(self, row: str, column: str) -> Measure:
        """What a cell reads from a result."""
        apart = self.rows[row].apart.get(column, Apart())
        return apart.measure or self.rows[row].measure or self.measure

    def column_of(self, row: str, column: str) -> Column:
        """A column as it is in a row."""
        apart = self.rows[row].apart.get(column, Apart())
        return Column(platform=self.columns[column].platform, set={**self.columns[column].set, **apart.set})


class Topic(Fact):
    """The tables of one question, and why others are left out."""

    number: int
    title: Text
    tables: tuple[Table, ...]
    left_out: Mapping[str, Text] = {}


@cache
def topics() -> tuple[Topic, ...]:
    """All topics with their tables, in the order of their numbers."""
    folder = files("simvirt.validation").joinpath("data")
    found = [_topic(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.startswith("topic-")]
    return tuple(sorted(found, key=lambda topic: topic.number))


def _topic(text: str) -> Topic:
    """One file as a topic; its tables know the topic's number, its columns may be bare platforms."""
    raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    tables = [spelled_out(table, raw["number"]) for table in raw["tables"]]
    return Topic.model_validate({key: raw[key] for key in ("number", "title", "left_out") if key in raw} | {"tables": tables})


def spelled_out(table: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A raw table with its shorthands spelled out: `native: bare-metal` is a column with that platform; a calibration is a list.

    What has not the form of a table stays as it is, to be refused.
    """
    columns, rows, told = table.get("columns"), table.get("rows"), table.get("calibration", [])
    found = {**table, "topic": number, "calibration": told if isinstance(told, list) else [told]}
    if isinstance(columns, Mapping):
        found["columns"] = {str(name): column if _is_column(column) else {"platform": column} for name, column in columns.items()}
    if isinstance(rows, Mapping):
        found["rows"] = {str(name): _named(row) for name, row in rows.items()}
    return found


def _named(row: Any) -> Any:
    """A row with texts as names of its columns."""
    if not isinstance(row, Mapping) or not isinstance(row.get("values"), Mapping):
        return row
    return {**row, "values": {str(key): value for key, value in row["values"].items()}}


def _is_column(raw: Any) -> bool:
    """Whether a column is spelled out already."""
    return isinstance(raw, Mapping) and "platform" in raw


def chosen(numbers: tuple[int, ...] = (), ids: tuple[str, ...] = (), among: Sequence[Topic] | None = None) -> list[Table]:
    """The tables of some topics, or those of some names; all where nothing is asked for; of the shipped topics or of those given.

    UsageError where there is none of a name.
    """
    known = topics() if among is None else among
    tables = [table for topic in known for table in topic.tables]
    known_topics, known_ids = {topic.number for topic in known}, {table.id for table in tables}
    if unknown := sorted(set(numbers) - known_topics):
        raise UsageError(f"no topic {unknown[0]}; there are {', '.join(map(str, sorted(known_topics)))}")
    if missing := sorted(set(ids) - known_ids):
        raise UsageError(f"no table {missing[0]}; there are {', '.join(sorted(known_ids))}")
    if not numbers and not ids:
        return tables
    return [table for table in tables if table.topic in numbers or table.id in ids]
