"""How a service is brought to another version, and when what ended is replaced: Compose's words for Swarm."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from simvirt.scenario.fields import MOST_REPLICAS, Nanoseconds, PositiveNanoseconds, Ratio, Whole
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.units import UnitError, shown

_SHARE: Final = re.compile(r"\d{1,3}%")


def _amount(value: object) -> int | str:
    """A number of replicas, or a share of them in whole per cent."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_REPLICAS:
        return value
    if isinstance(value, str) and _SHARE.fullmatch(value.strip()):
        return value.strip()
    raise UnitError(f"expected a number of replicas, or a share of them in whole per cent, for example 1 or 25%; got {shown(value)}")


Amount = Annotated[
    int | str, BeforeValidator(_amount),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]{1,3}%$"}], "examples": [1, "25%"]}),
]
"""A number of replicas, or a share of them, as Kubernetes writes both."""


NONE: Final = (0, "0%")


class DisruptionBudgetSpec(Spec):
    """How many replicas those who make room on purpose leave: Kubernetes' PodDisruptionBudget."""

    example = "{min_available: 2}"
    min_available: Amount | None = Field(default=None, description="how many stay ready", examples=["2"])
    max_unavailable: Amount | None = Field(default=None, description="how many are not ready at a time", examples=["25%"])

    @model_validator(mode="after")
    def _one_of_them(self) -> DisruptionBudgetSpec:
        if (self.min_available is None) == (self.max_unavailable is None):
            refuse(f"expected min_available or max_unavailable, for example {self.example}", "min_available")
        return self


class UpdateConfigSpec(Spec):
    """How instances are replaced by those of another version; what is not given is as the orchestrator has it."""

    example = "{parallelism: 1, delay: 10s, order: start-first}"
    later = ("max_surge", "max_unavailable", "progress_deadline")
    parallelism: Annotated[int, Whole(0, 100_000, 2)] | None = Field(
        default=None, description="how many are replaced at once; 0 for all", examples=["2"])
    delay: Nanoseconds | None = Field(default=None, description="time between one and the next", examples=["10s"])
    failure_action: Literal["pause", "continue", "rollback"] | None = Field(
        default=None, description="what becomes of the update where too many new ones fail", examples=["rollback"])
    monitor: PositiveNanoseconds | None = Field(
        default=None, description="how long a new one is watched for failures", examples=["30s"])
    max_failure_ratio: Ratio | None = Field(
        default=None, description="ratio of new ones that may fail without that", examples=["0.2"])
    order: Literal["stop-first", "start-first"] | None = Field(
        default=None, description="whether the old one ends before the new one starts, or when it is ready", examples=["start-first"])
    max_surge: Amount | None = Field(
        default=None, description="how many there may be too many meanwhile, under Kubernetes; shares are rounded up", examples=["25%"])
    max_unavailable: Amount | None = Field(
        default=None, description="how many may be too few meanwhile, under Kubernetes; shares are rounded down", examples=["1"])

    progress_deadline: PositiveNanoseconds | None = Field(
        default=None, examples=["10min"],
        description="how long an update may make no progress under Kubernetes before it counts as stalled, and goes back with "
        "failure_action: rollback")

    @model_validator(mode="after")
    def _said_in_one_way(self) -> UpdateConfigSpec:
        for key in ("max_surge", "max_unavailable"):
            if getattr(self, key) is not None and (self.order is not None or self.parallelism is not None):
                refuse("says the same as order and parallelism; expected one or the other, for example {max_surge: 1}", key)
        if self.max_surge in NONE and self.max_unavailable in NONE:
            refuse("lets nothing move beside max_surge: 0; expected at least 1, for example {max_surge: 1, max_unavailable: 0}",
                   "max_unavailable")
        return self


class RestartPolicySpec(Spec):
    """When an instance that ended is replaced; what is not given is as the orchestrator has it."""

    example = "{condition: on-failure, delay: 5s, max_attempts: 3}"
    condition: Literal["none", "on-failure", "any"] = Field(
        default="any", description="whether one that ended is replaced", examples=["on-failure"])
    delay: Nanoseconds | None = Field(default=None, description="time before it is", examples=["5s"])
    max_attempts: Annotated[int, Whole(0, 1_000_000, 3)] = Field(
        default=0, description="how often each replica is replaced; 0 for ever", examples=["3"])
    window: Nanoseconds = Field(default=0, description="how long a replacement counts; 0 for ever", examples=["2min"])
