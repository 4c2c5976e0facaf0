"""What fails: as an event of the timeline, by chance, or as a trace says."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from simvirt.scenario.fields import Nanoseconds, PositiveNanoseconds, Title
from simvirt.scenario.spec.base import Spec, refuse

How = Literal["power", "kernel-panic", "guest-panic", "container", "process"]
OF_HOSTS: Final = ("power", "kernel-panic")
"""Failures of hosts."""
OF_SERVICES: Final = ("guest-panic", "container", "process")
"""Failures of instances of a service."""
OWN: Final = ("how", "for")
"""Keys of an event that have no effect unless something fails."""
UNANSWERED_NS: Final = 15_000_000_000
"""Time after which a caller gives up on a host that does not answer [ns]. Source: Envoy, route.RouteAction.timeout: 15 s by default."""


class FailEvent(Spec):
    """Something that fails, and when it is repaired. Times in ns."""

    later: ClassVar[tuple[str, ...]] = ("fail", "how", "for_")
    fail: Title | None = Field(
        default=None, examples=['"node[1]"'],
        description="what fails: hosts by name (node[1], node[0-2]), pool, zone or label (zone == b), or a service")
    how: How = Field(default="power", description="what happens to it", examples=["power"])
    for_: PositiveNanoseconds | None = Field(
        default=None, alias="for", description="time until it is repaired: power is back; for ever by default", examples=["10min"])

    @model_validator(mode="after")
    def _fails(self) -> Self:
        if self.fail is None and (stray := next((key for key in OWN if key.replace("for", "for_") in self.model_fields_set), None)):
            refuse('says how something fails, and nothing does; expected fail, for example fail: "node[1]"', stray)
        if self.for_ is not None and self.how in OF_SERVICES:
            refuse(f"has no effect: what {self.how} ends is started anew as its restart policy says, for example restart: always", "for")
        return self


class FailuresSpec(Spec):
    """What failures mean to those who are not hit. Times in ns."""

    example = "{unanswered: 5s}"
    unanswered: Nanoseconds = Field(
        default=UNANSWERED_NS, examples=["5s"], description="time after which callers and clients give up on a host that does not answer")
