"""How many hosts a pool has as what runs on them needs room: bounds, and when a host that is little used goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field, model_validator

from simvirt.scenario.fields import Nanoseconds, PositiveNanoseconds, Ratio, Whole
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.host import Reference

MOST_MACHINES: Final = 10_000


class MachineScalingSpec(Spec):
    """Adds hosts for replicas that wait for room, and takes away those that are little used, as Kubernetes' cluster autoscaler does."""

    example = "{min: 1, max: 10}"
    hints: ClassVar[Mapping[str, str]] = {
        "utilization": 'did you mean "utilisation"?', "threshold": 'did you mean "utilisation"?',
        "cooldown": 'did you mean "delay_after_add"?',
        "provisioning": 'did you mean "boot: server"? It names the phases in which a host comes.',
    }
    min: Annotated[int, Whole(0, MOST_MACHINES, 1)] = Field(default=1, description="fewest hosts of the pool", examples=["1"])
    max: Annotated[int, Whole(1, MOST_MACHINES, 10)] = Field(description="most hosts of the pool", examples=["10"])
    by: Reference = Field(
        default="cluster-autoscaler", examples=["cluster-autoscaler"],
        description="whose periods it has: an entry of the catalogue's machine_autoscalers, the same for all pools")
    boot: Reference = Field(
        default="server", examples=["cloud-instance"],
        description="how a host comes: the phases of an entry of the catalogue's startups, a server that is switched on by default")
    unneeded: PositiveNanoseconds | None = Field(
        default=None, description="how long a host is little used before it goes; as `by` has it by default", examples=["10min"])
    utilisation: Ratio | None = Field(
        default=None, examples=["50%"],
        description="what replicas request of a host over what it has, below which it is little used; as `by` has it by default")
    delay_after_add: Nanoseconds | None = Field(
        default=None, description="time after a host was added in which none goes; as `by` has it by default", examples=["10min"])

    @model_validator(mode="after")
    def _bounds(self) -> MachineScalingSpec:
        if self.max < self.min:
            refuse(f"expected at least min, which is {self.min}; got {self.max}", "max")
        return self
