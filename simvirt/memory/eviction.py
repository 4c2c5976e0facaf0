"""Pods that the kubelet of a host may end, with what they use and what they have requested.

*Model*: a request is `mem_reservation`, else what is reserved for it, else its limit, else none.
*Ignores*: VMs that several services share, which are machines with a kubelet of their own.
*Source*: Kubernetes documentation, Node-pressure eviction (selection of pods).
"""

from __future__ import annotations

from collections.abc import Iterator

from simvirt.memory.boxes import Box
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.seen import working_set


def pods(memory: HostMemory) -> Iterator[tuple[Box, float, float]]:
    """Each pod that lives, its working set and what it has requested [bytes]."""
    for box in memory.boxes:
        if len(box.replicas) == 1 and box.live and box.machine is None:
            yield box, working_set(memory, box), sum(replica.request for replica in box.replicas)
