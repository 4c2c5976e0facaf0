"""The document of `simvirt validate`: predictions beside published measurements, theory and a measured Linux kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from simvirt.result.document import Document, Number, Program

Kind = Literal["calibration", "bound", "prediction"]


class CellResult(Document):
    """One predicted number beside the measured one, in the cell's unit."""

    row: str = Field(description="the condition")
    column: str = Field(description="what was measured: a platform")
    unit: str = Field(description="unit of both numbers")
    predicted: Number | None = Field(description="the prediction, `null` where there is none")
    measured: Number = Field(description="the measured number, or the middle of its range")
    error: Number | None = Field(description="relative error; of a range over its nearest end, 0 inside it")
    kind: Kind = Field(
        description="a calibration input, a bound to be kept, or a prediction that is scored"
    )
    low: Number | None = Field(default=None, description="of a range: its lower end")
    high: Number | None = Field(default=None, description="of a range: its upper end")
    failure: str = Field(default="", description="why there is no prediction")


class ScoreResult(Document):
    """How good predictions are."""

    predicted: int = Field(description="cells that are scored")
    failed: int = Field(description="those without a prediction; each counts as an error of 100 %")
    calibrated: int = Field(description="calibration inputs")
    median_error: Number | None = Field(description="median of the absolute relative errors")
    within_15: int = Field(description="predictions within 15 %")
    bounds: int = Field(description="bounds")
    bounds_kept: int = Field(description="bounds that are kept")
    pairs: int = Field(description="pairs of cells whose order the tables are about")
    pairs_right: int = Field(description="pairs that are predicted in the measured order")
    platform_pairs: int = Field(description="those of the pairs that compare two platforms under one condition")
    platform_pairs_right: int = Field(description="those of them in the measured order")
    fitted_constants: int = Field(description="constants of the catalogue that were fitted to cells of these tables")
    rank_order: Number | None = Field(description="`pairs_right / pairs`, `null` where there are none")
    platform_rank_order: Number | None = Field(
        description="`platform_pairs_right / platform_pairs`, `null` where there are none"
    )


class TopicResult(Document):
    """The tables of one question."""

    number: int = Field(description="its number, as `--topic` takes it")
    title: str = Field(description="the question")
    score: ScoreResult = Field(description="the score of its tables")
    left_out: Mapping[str, str] = Field(description="tables that are left out, and why")


class TableResult(Document):
    """One published table."""

    id: str = Field(description="its name, as `--table` takes it")
    topic: int = Field(description="number of its topic")
    title: str = Field(description="what was measured")
    source: str = Field(description="the publication")
    found: str = Field(description="how the numbers were published")
    setup: str = Field(description="what they were measured on")
    use: Literal["validate", "calibrate"] = Field(
        description="`calibrate` where constants of the catalogue were calibrated on it"
    )
    better: Literal["higher", "lower"] = Field(description="which of two numbers is the better one")
    ranks: Literal["columns", "rows"] = Field(description="what its order is about")
    missing: str | None = Field(description="what is known to be left out of the scenario")
    calibration: tuple[str, ...] = Field(description="which columns are given rather than predicted, and why")
    cells: tuple[CellResult, ...] = Field(description="its numbers")
    score: ScoreResult = Field(description="its score")


class Summary(Document):
    """The score of all tables, and of those that are used for one thing."""

    all: ScoreResult = Field(description="all tables")
    validate_: ScoreResult = Field(alias="validate", description="tables that no constant was calibrated on")
    calibrate: ScoreResult = Field(description="tables that constants were calibrated on")


class TheoryRow(Document):
    """One number of a closed form beside the simulated one [s, per s]."""

    model: str = Field(description="the system in Kendall's notation, or the case's name")
    measure: str = Field(description="which number")
    source: str = Field(description="where the closed form is from")
    theory: Number = Field(description="what it says")
    simulated: Number = Field(description="what the simulation says")
    low: Number | None = Field(description="lower end of its 95 % interval")
    high: Number | None = Field(description="upper end of its 95 % interval")
    error: Number = Field(description="relative error of the simulation")


class LinuxRow(Document):
    """One measure of a replayed row of a Linux kernel [s]."""

    row: str = Field(description="the row and its seed")
    measure: str = Field(description="`mean`, `p50` or `p95` of the response")
    predicted_s: Number = Field(description="the prediction")
    measured_s: Number = Field(description="the measurement")
    error: Number = Field(description="relative error of the prediction")
    noisy: bool = Field(description="whether the measurement itself is doubtful: the machine underneath stole time")


class LinuxResult(Document):
    """The scheduler against a measured Linux kernel."""

    rows: tuple[LinuxRow, ...] = Field(description="all measures of all rows")
    median_error: Number = Field(description="median of the absolute relative errors")


class RefitResult(Document):
    """A constant of the catalogue without one table that it was fitted to."""

    name: str = Field(description="the constant")
    rule: Literal["other cells", "other tables", "otherwise", "nothing"] = Field(
        description="what it was taken from: cells of other tables that it is fitted to, cells of other tables that it moves, what the "
        "catalogue gives as `otherwise`, or nothing, which leaves the table without predictions"
    )
    factor: Number | None = Field(description="its value over the shipped one, `null` where it is `otherwise`")
    told: str = Field(description="the cells, or why it is taken as that")


class LeftOutTable(Document):
    """One table predicted by constants that know nothing of it."""

    id: str = Field(description="the table")
    topic: int = Field(description="number of its topic")
    constants: tuple[RefitResult, ...] = Field(description="the constants that were fitted to it, without it")
    cells: tuple[CellResult, ...] = Field(description="its numbers; those that constants were fitted to are predictions here")
    score: ScoreResult = Field(description="its score")


class LeftOutTopic(Document):
    """The tables of one question, each left out in turn."""

    number: int = Field(description="the topic")
    title: str = Field(description="the question")
    score: ScoreResult = Field(description="the score of its tables")


class ConstantScore(Document):
    """A fitted constant on tables that it was not fitted to."""

    name: str = Field(description="the constant")
    fitted_to: tuple[str, ...] = Field(description="the tables of its cells")
    serves: tuple[str, ...] = Field(description="other tables with cells that move when it is changed by 5 %")
    predicted: int = Field(description="predictions among those cells")
    median_error: Number | None = Field(description="median of their absolute relative errors, `null` where there are none")


class LeaveOneOut(Document):
    """With `--leave-one-out`: every table predicted by constants that were fitted to others."""

    topics: tuple[LeftOutTopic, ...] = Field(description="the questions, each with its score")
    tables: tuple[LeftOutTable, ...] = Field(description="the tables that constants were fitted to; the others stay as they are")
    constants: tuple[ConstantScore, ...] = Field(description="the fitted constants on tables that they were not fitted to")
    summary: Summary = Field(description="the score of all tables, each left out in turn")


class ValidationDocument(Document):
    """What `simvirt validate` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    seed: int = Field(description="seed of all random streams")
    replications: int = Field(description="replications of each prediction")
    topics: tuple[TopicResult, ...] = Field(description="the questions, each with its score")
    tables: tuple[TableResult, ...] = Field(description="the published tables")
    summary: Summary = Field(description="the score of all")
    theory: tuple[TheoryRow, ...] = Field(default=(), description="closed forms, where everything is validated")
    linux: LinuxResult | None = Field(default=None, description="with `--linux`: a measured Linux kernel")
    leave_one_out: LeaveOneOut | None = Field(default=None, description="with `--leave-one-out`: by constants fitted to others")
    wall_s: Number = Field(description="wall-clock time of the command")
