"""The document of `simvirt knee`: at which rate the objective breaks on each platform, what breaks it, and where it saturates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from simvirt.result.density_document import BindingResult, Measures
from simvirt.result.document import UNKNOWN, Document, Estimate, Judgement, Number, Program, ScenarioName


class RatePoint(Measures):
    """A rate that was simulated."""

    rate: Number = Field(description="the load: requests per second, or clients")
    verdict: Judgement = Field(description="whether the objective holds there with the confidence of the result")


class BrokenBy(BindingResult):
    """What the lowest rate at which the objective is surely missed fails."""

    limit: Number | None = Field(default=None, description="the limit that is missed there [s, per s, ratio]; `null` of an overload")
    value: Number | None = Field(default=None, description="the value there")


class SaturationResult(Document):
    """The rate beyond which requests come faster than they are answered."""

    rate: Estimate = Field(
        default=UNKNOWN, description="requests per second: the maximum throughput, the highest rate that a simulation kept up with and the "
        "lowest that one did not; of clients the rate that they cannot exceed however many they are"
    )
    resource: str = Field(default="", description="what is used up just above it")
    reason: str = Field(default="", description="why it is not known, or only as a range")


class PlatformKnee(Document):
    """Where the objective breaks on one platform."""

    knee: Estimate = Field(
        description="the load at which it breaks: where the value is likely to cross the limit, the highest load at which it is surely met "
        "(`null` where it is met at none) and the lowest at which it is surely missed (`null` where at none)"
    )
    lightest: Number = Field(description="the lightest load that was simulated")
    broken_by: BrokenBy | None = Field(description="what breaks it; `null` where nothing does")
    saturation: SaturationResult = Field(description="the saturation rate")
    curve: tuple[RatePoint, ...] = Field(description="every load that was simulated, ascending")
    simulations: int = Field(description="how many simulations were run, those for the saturation rate left out")
    wall_s: Number = Field(description="wall-clock time of the search")


class KneeDocument(Document):
    """What `simvirt knee` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    answer: str = Field(default="", description="the answer in a sentence, computed from the numbers below")
    scenario: ScenarioName = Field(description="which scenario was asked about")
    seed: int = Field(description="seed of all random streams")
    counts: Literal["per_s", "clients"] = Field(description="the unit of loads: requests per second, or clients")
    objective: Mapping[str, Number] = Field(description="the limits as the scenario states them [s, per s, ratio]")
    confidence: Number = Field(description="confidence of each verdict, however often a load was looked at")
    precision: Number = Field(description="width of the range that was asked for, over its upper end")
    simulations: int = Field(description="how many simulations were run")
    wall_s: Number = Field(description="wall-clock time of the command")
    knees: Mapping[str, PlatformKnee] = Field(description="an answer for each platform, by name")
    assumptions: tuple[str, ...] = Field(default=(), description="what was assumed where the scenario does not say it")
    warnings: tuple[str, ...] = Field(description="messages that say what makes the numbers misleading")
    failed: Mapping[str, str] = Field(default={}, description="platforms without an answer, by name, and why")
    interrupted: bool = Field(
        default=False, description="`true` where Ctrl-C ended the search: only platforms that are answered are in it"
    )
