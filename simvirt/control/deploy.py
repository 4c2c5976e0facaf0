"""A whole deployment: everything that a scenario has is started, from what is there at the beginning."""

from __future__ import annotations

import simpy

from simvirt.control.cluster import Cluster
from simvirt.control.start import start
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL


def begin(cluster: Cluster) -> None:
    """Let what is internal to hosts be there; guests begin their own load once they have booted."""
    for instance in cluster.plane.lowered.arrangement.instances:
        if instance.service in INTERNAL:
            cluster.plane.admit(instance.row)
            if instance.service != GUEST_SERVICE:
                cluster.plane.start_background(instance.row)


def deploy(cluster: Cluster) -> simpy.Event:
    """Start all instances of all services at once; the event at which the last one is ready."""
    return simpy.AllOf(cluster.clock, [cluster.clock.process(start(cluster, one.row)) for one in cluster.replicas])
