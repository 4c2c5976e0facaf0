"""When agents look at what runs on their hosts: once in a period, each at instants of its own.

*Model*: what is up, or has ended, is seen at the next look of its host's agent. Periods are equally long on all hosts, and begin at an
    instant that is drawn for each from the seed.
*Ignores*: that a look takes longer where more runs or the host is busy; that periods begin anew where a host boots.
*Source*: kubernetes/kubernetes pkg/kubelet/pleg/generic.go (relist).
"""

from __future__ import annotations

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.cluster import Cluster
from simvirt.workload.streams import LOOKS, Phases


def next_look(cluster: Cluster, entry: OrchestratorEntry, host: int) -> int:
    """The instant of the next look of a host's agent [ns]: now, where it need not look."""
    now = int(cluster.clock.now)
    if not entry.looks:
        return now
    period = round(entry.looks)
    phase = round(Phases(cluster.plane.seed, cluster.plane.replication).of(LOOKS, host) * period)
    return now + (phase - now) % period
