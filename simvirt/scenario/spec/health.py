"""Health checks of a service, in Compose's words."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simvirt.scenario.fields import Nanoseconds, PositiveNanoseconds, Whole
from simvirt.scenario.spec.base import Spec


class HealthcheckSpec(Spec):
    """How it is found out whether an instance is well. Times in ns."""

    example = "{interval: 10s, timeout: 1s, retries: 3, start_period: 5s}"
    interval: PositiveNanoseconds = Field(
        default=30_000_000_000, description="time between checks, and before the first one", examples=["10s"])
    timeout: PositiveNanoseconds = Field(default=30_000_000_000, description="time after which a check has failed", examples=["1s"])
    retries: Annotated[int, Whole(1, 1000, 3)] = Field(
        default=3, description="checks that fail in a row until an instance counts as unhealthy", examples=["3"])
    start_period: Nanoseconds = Field(
        default=0, description="time in which it is checked more often, until it is well for the first time", examples=["5s"])
    start_interval: PositiveNanoseconds = Field(default=5_000_000_000, description="time between these checks", examples=["1s"])

    @property
    def noticed(self) -> int:
        """How long it takes at most until an instance that answers no more counts as unhealthy [ns]."""
        return self.retries * (self.interval + self.timeout)
