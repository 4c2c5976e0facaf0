"""The document of `simvirt calibrate`: what this machine's Linux takes, how that was measured, and what is predicted from it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Number, Program


class Measure(Document):
    """A quantity that was measured, or not."""

    unit: str = Field(description="`s`, `bytes/s`, `per s` or `ratio`")
    value: Number | None = Field(description="median, `null` where it could not be measured")
    low: Number | None = Field(description="lowest sample")
    high: Number | None = Field(description="highest sample")
    samples: int = Field(description="how many there are")
    method: str = Field(description="how it was measured")
    nearest: Number | None = Field(default=None, description="what the nearest host of the catalogue has")
    why: str = Field(default="", description="why it could not be measured")


class HeldOut(Document):
    """A micro-measurement that no entry was made from."""

    what: str = Field(description="what was measured")
    unit: str = Field(description="its unit")
    predicted: Number = Field(description="as predicted from the entries")
    measured: Number = Field(description="as measured")
    error: Number = Field(description="relative error of the prediction")


class CalibrationDocument(Document):
    """What `simvirt calibrate` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    answer: str = Field(default="", description="the answer in a sentence, computed from the numbers below")
    name: str = Field(description="name of the entries")
    machine: Mapping[str, str] = Field(description="the machine, as its kernel describes it")
    nearest: str = Field(description="the host of the catalogue that it is most like")
    measured: Mapping[str, Measure] = Field(description="quantities, by name")
    held_out: tuple[HeldOut, ...] = Field(description="other measurements beside their predictions")
    median_error: Number | None = Field(description="median of their relative errors; `null` where there are none")
    wall_s: Number = Field(description="wall-clock time of the command")
    warnings: tuple[str, ...] = Field(description="what could not be measured, and what misleads")
