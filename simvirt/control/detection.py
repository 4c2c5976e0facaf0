"""How failures are noticed: after which time load balancing and orchestrators know.

*Model*: who looks after hosts sees nothing of a failure until so much time has passed; load balancing leaves out what it sent requests to
    until then.
*Ignores*: the phase of the looks, which come at regular instants.
*Source*: HAProxy configuration manual, `inter` (2 s) and `fall` (3) of health checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.control.outages import Outage

CHECKED_NS: Final = 6_000_000_000
"""Time after which a load balancer that checks its servers leaves out one that does not answer [ns].

Source: HAProxy configuration manual: checks every 2 s (`inter`), three that fail (`fall`).
"""


@dataclass
class Detection:
    """Who notices what, and when."""

    cluster: Cluster
    after_ns: int = CHECKED_NS

    def of_host(self, host: int, outage: Outage) -> Process:
        """Those who send requests to a host notice that it is gone; unless it is back before."""
        yield self.cluster.clock.timeout(self.after_ns)
        outage.noticed = int(self.cluster.clock.now)
        for row in outage.rows:
            if not self.cluster.plane.is_ready(row):
                self.cluster.plane.withdraw(row)

    def of_cut(self, hosts: Sequence[int], outage: Outage) -> Process:
        """Those who look after hosts notice that some do not answer."""
        yield self.cluster.clock.timeout(self.after_ns)
        outage.noticed = int(self.cluster.clock.now)
