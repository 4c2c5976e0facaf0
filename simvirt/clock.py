"""The seam, in time: one clock for the control plane's story and the data plane's requests."""

from collections.abc import Generator, Mapping
from typing import Any, Protocol

import simpy

from simvirt.plane import DataPlane


class Starting(Protocol):
    """How instances start where that is more than what their service does before it is ready."""

    def start(self, instance: int) -> Generator[simpy.Event, Any, None]:
        """Start an instance."""

    def abandon(self, instance: int) -> None:
        """End the start of an instance that is not ready yet."""

    def is_down(self, host: int) -> bool:
        """Whether nothing can start on a host, nor does anything happen there."""

    def stopped(self, instance: int) -> None:
        """Takes in that an instance was stopped, and what was there for it alone."""

    def crashed(self, instance: int, why: str) -> bool:
        """Takes in that an instance has failed; whether somebody decides what becomes of it."""

    def evicted(self, instance: int, why: str) -> bool:
        """Takes in that a host ends an instance for its own sake; whether another one takes its place."""

    def pressed(self, host: int, under: bool) -> None:
        """Takes in that a host is under pressure of memory, or is not any more."""

    def priority_of(self, instance: int) -> int:
        """How important an instance is to what orchestrates it."""

    def standing(self, service: str) -> Mapping[int, int] | None:
        """The rows of a service's instances that are there, by the replicas that they are; None where nothing orchestrates them."""


class Clock(simpy.Environment):
    """SimPy's environment in integer nanoseconds: before each of its events, the data plane catches up to it.

    Every request event strictly before a control-plane event is settled when that happens; at the same instant the control plane goes
    first.
    """

    def __init__(self, plane: DataPlane) -> None:
        super().__init__(initial_time=0)
        self.plane = plane
        self.starts: Starting | None = None
        plane.clock = self

    def step(self) -> None:
        """Let the data plane catch up, then process the next event: the control plane's, or one that the data plane settled first."""
        settled = self.plane.catch_up(self.peek())
        if settled is not None:
            settled.happen(self.plane.now)
        super().step()
