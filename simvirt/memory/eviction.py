"""Eviction of pods by the kubelet of a host that is short of memory.

*Model*: every so often the kubelet compares memory.available with a threshold, and below it ends one pod: first those that use more
    than they requested, of these the one that exceeds its request by most. A request is `mem_reservation`, else the limit, else none.
*Ignores*: priority classes, soft thresholds and their grace periods, thresholds of disk; VMs that several services share, which are
    machines with a kubelet of their own.
*Source*: Kubernetes documentation, Node-pressure eviction (memory.available < 100 MiB, housekeeping every 10 s, selection of pods).
"""

from __future__ import annotations

from simvirt.memory.boxes import Box
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.killers import Kill, size
from simvirt.memory.seen import available, working_set


def evict(memory: HostMemory, threshold: float) -> Kill | None:
    """The pod that the kubelet ends now; None where enough memory is available, or nobody is there to end."""
    left = available(memory)
    pods = [box for box in memory.boxes if box.replicas and box.live and len(box.replicas) == 1] if left < threshold else []
    if not pods:
        return None
    used = {id(box): working_set(memory, box) for box in pods}
    victim = max(pods, key=lambda box: (used[id(box)] > _requested(box), used[id(box)] - _requested(box)))
    why = f"memory.available is {size(left)}, below {size(threshold)}; its working set of {size(used[id(victim)])} exceeds its request most"
    return Kill(tuple(replica for replica in victim.replicas if replica.live), why)


def _requested(box: Box) -> float:
    """Memory that a pod has requested [bytes]."""
    return sum(replica.request for replica in box.replicas if replica.live)
