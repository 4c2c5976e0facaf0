"""What `simvirt sweep` prints with `--format json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number, Program, ScenarioName


class AxisResult(Document):
    """One direction in which cells differ."""

    name: str = Field(description="its name: the leaf that it sets, or the name of leaves that change together")
    sets: tuple[str, ...] = Field(description="the leaves that it sets")
    columns: tuple[str, ...] = Field(description="the columns of `rows` that say its levels")
    levels: tuple[tuple[str, ...], ...] = Field(description="its levels, a text for each column; empty where values are drawn from a range")


class Effect(Document):
    """How much of the variation of a measure over the cells goes with one axis, or with two together."""

    measure: str = Field(description="column of `rows`")
    platform: str = Field(description="on which platform")
    axes: tuple[str, ...] = Field(description="one axis, or two for their interaction: what they explain together beyond each alone")
    share: float = Field(
        description="ratio of the variance of the means by level to that over all cells; ranges are cut in parts of equal counts"
    )
    low: str = Field(default="", description="of one axis: the level with the smallest mean")
    low_mean: float | None = Field(default=None, description="the mean there, in the unit of the measure")
    high: str = Field(default="", description="of one axis: the level with the largest mean")
    high_mean: float | None = Field(default=None, description="the mean there")


class SobolIndex(Document):
    """How much of the variance of a measure goes with an axis, over levels that are equally likely."""

    measure: str = Field(description="column of `rows`")
    platform: str = Field(description="on which platform")
    axis: str = Field(description="which axis")
    first: Estimate = Field(description="first-order index: the share that goes with the axis alone")
    total: Estimate = Field(description="total index: the share that goes with it and all that it interacts with")


class FrontPoint(Document):
    """A cell on a platform that nothing beats."""

    cell: int = Field(description="number of the cell, as in `rows`")
    platform: str = Field(description="on which platform")
    values: Mapping[str, Number] = Field(description="what it comes to in each objective")


class ParetoFront(Document):
    """The cells that nothing beats in one objective without losing in another."""

    objectives: Mapping[str, Literal["min", "max"]] = Field(description="columns of `rows`, or `cost`, and which way they are better")
    points: tuple[FrontPoint, ...] = Field(description="what is on it, the best of the first objective first")


class SweptKnee(Document):
    """What becomes of a platform along an axis that is a load, all other axes at one level."""

    axis: str = Field(description="which axis")
    platform: str = Field(description="on which platform")
    at: Mapping[str, str | Number] = Field(description="the levels of the other columns")
    met: str | None = Field(description="the highest load at which the objective is met, below all at which it is missed; `null` without")
    missed: str | None = Field(description="the lowest load at which it is missed; `null` where at none")
    saturated: str | None = Field(description="the lowest load of which less than 98 % is answered; `null` where there is none")
    most_per_s: Number | None = Field(description="the largest throughput along the axis")
    power: str | None = Field(description="the load with the largest throughput over mean latency")


class SweepDocument(Document):
    """What `simvirt sweep` prints with `--format json`: nothing in it depends on how long anything took, or in which order."""

    simvirt: Program = Field(description="what made the document")
    sweep: ScenarioName = Field(description="name and digest of the sweep")
    scenario: ScenarioName = Field(description="name and digest of the base scenario, with what holds for all cells")
    answer: str = Field(description="what came of it in a sentence or two, computed from the numbers below")
    design: str = Field(description="`grid`, `random`, `latin-hypercube` or `sobol`")
    seed: int = Field(description="seed from which the points of the design were drawn")
    axes: tuple[AxisResult, ...] = Field(description="what differs between cells")
    cells: int = Field(description="cells of the design")
    done: int = Field(description="cells that were simulated")
    failed: Mapping[str, str] = Field(default={}, description="cells that could not be simulated, by number, and why")
    rows: tuple[Mapping[str, str | Number | bool | None], ...] = Field(
        description="one row a cell and platform, in their order: `cell`, the columns of the axes, `platform`, `objective` "
        "(`met`, `missed`, `undecided`, empty without one), `half_width` (the largest relative half-width of mean latency and "
        "throughput), then measures as `frame()` of a run has them; what is not known is `null`"
    )
    effects: tuple[Effect, ...] = Field(default=(), description="what the measures depend on, the strongest first")
    indices: tuple[SobolIndex, ...] = Field(default=(), description="of a design `sobol-indices`: the largest total index first")
    pareto: ParetoFront | None = Field(default=None, description="the Pareto front, where one was asked for")
    knees: tuple[SweptKnee, ...] = Field(default=(), description="where objectives break along an axis that is a load")
    interrupted: bool = Field(default=False, description="`true` where Ctrl-C ended the sweep: the cells that are kept are in it")
