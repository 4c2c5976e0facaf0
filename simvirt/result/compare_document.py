"""The document of `simvirt compare`: what changed from one result to another, how surely, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number, Program, ScenarioName

Direction = Literal["time", "rate", "answers", "share"]
"""What a measure is: less of a time is faster, more of a possible rate too; of answers there may be fewer as fewer were asked for."""
Method = Literal["paired", "unpaired", "ranges"]


class Side(Document):
    """One of the two results."""

    name: str = Field(description="what it was read from, or the name of its scenario")
    simvirt: Program = Field(description="what made it")
    scenario: ScenarioName = Field(description="its scenario; of a sweep the sweep")
    seed: int = Field(description="its seed")


class Change(Document):
    """What became of a measure."""

    before: Estimate = Field(description="in the first result")
    after: Estimate = Field(description="in the second one")
    difference: Estimate = Field(description="after less before")
    ratio: Estimate = Field(description="after over before")
    method: Method = Field(
        description="`paired` replications with the same draws, `unpaired` ones, or `ranges` of maximum throughputs, which have no interval"
    )
    verdict: str = Field(
        description="`faster`, `slower`, of throughput and shares `lower`, `higher`; `no difference seen` where the interval lies within "
        "the margin, else `undecided`"
    )


class CellChange(Document):
    """What became of a platform in one cell of two sweeps."""

    cell: Mapping[str, str | Number] = Field(description="what the cell sets")
    platform: str = Field(description="on which platform")
    measures: Mapping[str, Change] = Field(description="each measure, by column of `frame()`")


class Difference(Document):
    """Something that differs between the two."""

    what: str = Field(description="a path in the scenario, or `version`, `kernel`, `seed`")
    before: Any = Field(description="in the first result; `null` where it is as by default there")
    after: Any = Field(description="in the second one")


class Asserted(Document):
    """A change that was not to be exceeded."""

    said: str = Field(description="as it was given")
    platform: str = Field(description="on which platform")
    measure: str = Field(description="which measure")
    cell: Mapping[str, str | Number] = Field(default={}, description="in which cell of a sweep")
    holds: bool | None = Field(description="whether the change surely is within it; `null` where that is undecided")
    change: Estimate = Field(description="the relative change, of shares the difference")


class CompareDocument(Document):
    """What `simvirt compare` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    answer: str = Field(default="", description="what changed in a sentence, computed from the numbers below")
    before: Side = Field(description="the first result")
    after: Side = Field(description="the second one")
    differs: tuple[Difference, ...] = Field(description="what differs between the two, apart from their numbers")
    margin: Number = Field(description="a change that is no larger is none: relative, of shares the difference")
    platforms: Mapping[str, Mapping[str, Change]] = Field(
        description="each platform that both have, and each measure by column of `frame()`; of sweeps the geometric mean over all cells"
    )
    cells: tuple[CellChange, ...] = Field(default=(), description="of sweeps: each cell that both have")
    asserted: tuple[Asserted, ...] = Field(default=(), description="what was asserted, platform by platform, and whether it holds")
    warnings: tuple[str, ...] = Field(default=(), description="what is not compared, and why")
