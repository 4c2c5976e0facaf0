"""Services that may have no replica: what comes waits in a buffer and brings the first one; after a time without requests all go.

*Model*: the first request that waits is noticed at once. A service of which nothing was asked for the whole of `cooldown` has none.
*Ignores*: the way of a request through the buffer while there are replicas.
*Source*: KEDA documentation, Scaling Deployments (cooldownPeriod) and HTTP add-on (interceptor); Knative Serving, cmd/activator.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from simvirt.control.demand import Demand, demand_of
from simvirt.control.metrics_server import SECOND
from simvirt.control.orchestrate import Orchestration
from simvirt.units import format_time

Process = Generator[simpy.Event, Any, None]


@dataclass
class Zero:
    """A service that may have no replica: after a `cooldown` without requests it has none [ns]; None where others decide that."""

    orchestration: Orchestration
    service: str
    buffer: int
    cooldown: float | None
    last: Demand | None = None
    active_s: float = field(default=0.0)

    def begin(self) -> None:
        """From now on what finds no replica waits, and brings one."""
        plane = self.orchestration.cluster.plane
        plane.set_condition("services", plane.lowered.services.index(self.service), line_limit=self.buffer)
        self.orchestration.cluster.clock.process(self._wake())

    def _wake(self) -> Process:
        """Whenever a request waits and nothing is wanted, one replica is."""
        while True:
            yield self.orchestration.cluster.plane.asked(self.service)
            self.active_s = self.orchestration.now / SECOND
            if self.orchestration.ledger[self.service].wanted.replicas == 0:
                self.orchestration.scale(self.service, 1, "a request waits")

    def look(self) -> None:
        """Take in whether anything was asked since the last look; after the whole of a cooldown without that nothing is wanted."""
        found = demand_of(self.orchestration.cluster.plane, self.service)
        if self.last is None or found.under_way or found.arrived != self.last.arrived:
            self.active_s = found.at_s
        self.last = found
        wanted = self.orchestration.ledger[self.service].wanted.replicas
        if self.cooldown is not None and wanted and found.at_s - self.active_s >= self.cooldown / SECOND:
            self.orchestration.scale(self.service, 0, f"no request for {format_time(self.cooldown / SECOND)}")
