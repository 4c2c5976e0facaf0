"""The documents of `simvirt list` and `simvirt explain`: rows of the catalogue."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from simvirt.result.document import Document, Number


class KindRow(Document):
    """One entry, by kind and name: what `simvirt list` prints."""

    kind: str = Field(description="kind of entry: `hosts`, `hypervisors`, `images` ...")
    name: str = Field(description="its name")


class EntryRow(Document):
    """One entry of a kind, with figures: what `simvirt list KIND` prints."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    name: str = Field(description="its name; platforms have a key for each of their figures besides")
    title: str = Field(description="what it is")
    figures: str = Field(description="its main figures")
    source: str = Field(description="where they are from")


class ConstantRow(Document):
    """One constant behind an entry: what `simvirt explain NAME` prints."""

    kind: str = Field(description="kind of entry")
    layer: str = Field(description="the entry")
    name: str = Field(description="the constant, or the operation that it is a cost of")
    part: str = Field(description="part of the cost")
    value: Number | None = Field(description="the value in its unit, `null` where the layer charges nothing")
    unit: str = Field(description="its unit")
    spread: tuple[Number, Number] | None = Field(description="lowest and highest published value")
    source: str = Field(description="where it is from")
    estimated: bool = Field(description="whether it is an estimate")
    meaning: str = Field(description="what it is")
    ns: Number | None = Field(description="of a cost: its time on the host [ns]")
    fitted: str = Field(description="cells of published tables that it was calibrated on")


class DifferenceRow(Document):
    """One part of what an operation costs on two platforms: what `simvirt explain NAME --against PLATFORM` prints."""

    operation: str = Field(description="the operation")
    part: str = Field(description="part of its cost")
    ns: Number = Field(description="on the first platform [ns]")
    against_ns: Number = Field(description="on the second platform [ns]")
    difference_ns: Number = Field(description="the second less the first [ns]")


class SpentRow(Document):
    """What becomes of CPU time: what `simvirt explain NAME --workload PROFILE` prints."""

    platform: str = Field(description="the platform")
    operation: str = Field(description="the operation, empty for the application itself")
    rate_per_s: Number = Field(description="operations in a second of the application's CPU time")
    ns: Number = Field(description="cost of one [ns]")
    seconds: Number = Field(description="CPU time beside each second of the application")
    share: Number = Field(description="share of all CPU time")
