"""What CPUs each replica has as its usage changes: bounds, and how a change is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from simvirt.scenario.fields import Number
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.host import Reference

BoundCpus = Annotated[float, Number(0.01, 65536, 2)]


class VerticalSpec(Spec):
    """Changes the CPUs of each container with its usage, as Kubernetes' vertical pod autoscaler does."""

    example = "{min: 0.1, max: 4, update: in-place}"
    hints: ClassVar[Mapping[str, str]] = {"mode": 'did you mean "update"?', "updateMode": 'did you mean "update"?'}
    min: BoundCpus = Field(default=0.01, description="fewest CPUs of a replica", examples=["0.1"])
    max: BoundCpus = Field(description="most CPUs of a replica", examples=["4"])
    update: Literal["recreate", "in-place"] = Field(
        default="recreate", examples=["in-place"],
        description="how a replica gets others: another one takes its place, at most half of them at once; or its limit changes while it "
        "runs, where its host has room for that (InPlaceOrRecreate)")
    by: Reference = Field(
        default="vpa", description="whose periods it has: an entry of the catalogue's vertical_autoscalers", examples=["vpa"])

    @model_validator(mode="after")
    def _bounds(self) -> VerticalSpec:
        if self.max < self.min:
            refuse(f"expected at least min, which is {self.min:g}; got {self.max:g}", "max")
        return self
