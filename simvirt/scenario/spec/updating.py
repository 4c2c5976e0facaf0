"""How a service is brought to another version, and when what ended is replaced: Compose's words for Swarm."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simvirt.scenario.fields import Nanoseconds, PositiveNanoseconds, Ratio, Whole
from simvirt.scenario.spec.base import Spec


class UpdateConfigSpec(Spec):
    """How instances are replaced by those of another version; what is not given is as the orchestrator has it."""

    example = "{parallelism: 1, delay: 10s, order: start-first}"
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


class RestartPolicySpec(Spec):
    """When an instance that ended is replaced; what is not given is as the orchestrator has it."""

    example = "{condition: on-failure, delay: 5s, max_attempts: 3}"
    condition: Literal["none", "on-failure", "any"] = Field(
        default="any", description="whether one that ended is replaced", examples=["on-failure"])
    delay: Nanoseconds | None = Field(default=None, description="time before it is", examples=["5s"])
    max_attempts: Annotated[int, Whole(0, 1_000_000, 3)] = Field(
        default=0, description="how often each replica is replaced; 0 for ever", examples=["3"])
    window: Nanoseconds = Field(default=0, description="how long a replacement counts; 0 for ever", examples=["2min"])
