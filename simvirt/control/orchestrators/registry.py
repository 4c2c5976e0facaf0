"""The orchestrators by the name that an entry of the catalogue gives its rules."""

from __future__ import annotations

from typing import Final

from simvirt.control.orchestrators.compose import compose
from simvirt.control.orchestrators.interface import Orchestrator
from simvirt.control.orchestrators.kubernetes import kubernetes
from simvirt.control.orchestrators.mesos import mesos
from simvirt.control.orchestrators.none import none
from simvirt.control.orchestrators.swarm import swarm
from simvirt.control.orchestrators.vm_cluster import vm_cluster

ORCHESTRATORS: Final[dict[str, Orchestrator]] = {
    "none": none,
    "compose": compose,
    "swarm": swarm,
    "kubernetes": kubernetes,
    "mesos": mesos,
    "vm-cluster": vm_cluster,
}
