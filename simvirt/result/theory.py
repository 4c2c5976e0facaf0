"""What closed forms say, in documents: the prediction beside a run, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document


class TheoryBeside(Document):
    """What the closed form says of another platform, or why it says nothing."""

    latency_mean_s: float | None = Field(default=None, description="the mean latency that it predicts there")
    latency_p95_s: float | None = Field(default=None, description="the 95th percentile, where there is an exact form")
    overhead: float | None = Field(default=None, description="what the platform adds to each demand, as a ratio; it is in the prediction")
    reason: str = Field(default="", description="why there is no closed form")


class TheoryResult(Document):
    """The closed form that holds for the scenario."""

    model: str = Field(description="the system in Kendall's notation")
    latency_mean_s: float = Field(description="the mean latency that it predicts")
    latency_p95_s: float | None = Field(description="the 95th percentile, `null` where there is no exact form")
    assumptions: str = Field(description="under which it holds")
    utilisation: float = Field(description="of its servers")
    throughput_per_s: float = Field(description="through them")
    platform: str = Field(description="the platform that it is compared with")
    others: Mapping[str, TheoryBeside] = Field(default={}, description="what it says of each other platform, by name")


class NoTheory(Document):
    """Why no closed form holds for the scenario."""

    reason: str = Field(description="what acts in it that no closed form knows")
