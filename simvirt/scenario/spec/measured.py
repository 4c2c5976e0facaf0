"""Where a CPU demand was measured, so that it can be said how long it takes elsewhere."""

from __future__ import annotations

from pydantic import Field, model_validator

from simvirt.scenario.fields import Hertz, Ratio
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.host import Reference


class MeasuredSpec(Spec):
    """The machine on which demands were measured, and how busy it was; a clock alone means processors like those of the scenario's host."""

    example = "{host: dell-r740-gold-6132, utilisation: 0.4} or {clock: 2.4GHz}"
    shorthand = "host"
    host: Reference | None = Field(default=None, description="a host of the catalogue", examples=["dell-r740-gold-6132"])
    clock: Hertz | None = Field(default=None, description="clock of its cores, where it is not the model's", examples=["2.4GHz"])
    utilisation: Ratio = Field(default=0.0, description="busy ratio of its hardware threads meanwhile, which slows siblings",
                               examples=["0.4"])

    @model_validator(mode="after")
    def _some_machine(self) -> MeasuredSpec:
        if self.host is None and self.clock is None:
            refuse(f"expected a host of the catalogue or a clock, for example {self.example}")
        return self
