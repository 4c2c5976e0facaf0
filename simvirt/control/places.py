"""Where instances that are down come to stand: a row is put on the host that was chosen for it, with its group or its VM.

*Model*: a container or process goes to the host's own kernel, or to the VM there that has the fewest; a VM of its own goes as a whole,
    switched off. What an instance had written before stays on the host where it was.
*Ignores*: that unlike hosts would give a replica whose threads are as many as cores other threads, and its software another class.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from simvirt.control.cluster import Cluster
from simvirt.control.housing import limit_memory, rehouse
from simvirt.lowering.arrange import Machine, Place
from simvirt.lowering.fences import cgroup
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.workload.streams import OWN_VM

AGAIN_NS: Final = 10_000_000
"""How soon it is looked again for a free row whose last instance is still being taken apart [ns]."""


def put(cluster: Cluster, row: int, host: int) -> bool:
    """Put an instance that is down on a host; false where something of it still goes on, so that it cannot be moved yet."""
    if cluster.host_of(row) == host:
        return True
    plan, plane = cluster.plane.lowered.arrangement, cluster.plane
    guest = plan.machines[cluster.instance(row).machine]
    if guest.vm is not None and guest.key[0] == OWN_VM:
        if not plane.is_at_rest(guest.row):
            return False
        rehouse(plane, row, cluster.host_of(row), host)
        plane.move(guest.row, host)
        _serve(cluster, guest)
    elif not plane.is_settled(row):
        return False
    else:
        plane.stand(row, _place(cluster, row, host))
    cluster.stands(row, host)
    return True


def rows_for(cluster: Cluster, free: Iterable[int], host: int, own: int | None) -> list[int]:
    """Rows for an instance on a host, the best first: of what is somebody its own one, then those that stood there before."""
    return sorted(free, key=lambda row: (
        own is not None and cluster.instance(row).replica != own, cluster.host_of(row) != host))


def _serve(cluster: Cluster, guest: Machine) -> None:
    """What a VM needs runs where the VM does, also where it went down with the host on which it was before."""
    backends = [device.backend.row for device in (guest.net, guest.disk) if device is not None and device.backend is not None]
    for row in (*backends, *(one.row for one in cluster.internal_of(guest.row))):
        if not cluster.plane.is_ready(row):
            cluster.plane.admit(row)


def become(cluster: Cluster, row: int, spec: ServiceSpec) -> None:
    """Let an instance that is down be of a version: its image, and the limits of CPUs and memory of its own cgroup."""
    one = cluster.instance(row)
    cluster.specs[row] = spec
    limit_memory(cluster.plane, row, spec)
    if one.group is None or one.group.affinity:
        return
    limits = cgroup(spec, cluster.plane.lowered.arrangement.machines[one.machine].cpus)
    fence = replace(one.group.fence, quota=limits.quota, period=limits.period, burst=limits.burst)
    if fence != one.group.fence:
        one.place = replace(one.place, group=replace(one.group, fence=fence))
        cluster.plane.place(row, one.place)


def resize(cluster: Cluster, row: int, spec: ServiceSpec) -> None:
    """Let an instance that runs have the limit of CPUs of a version, where its own cgroup has one."""
    one = cluster.instance(row)
    cluster.specs[row] = spec
    if one.group is None or one.group.affinity or not one.group.fence.quota:
        return
    limits = cgroup(spec, cluster.plane.lowered.arrangement.machines[one.machine].cpus)
    fence = replace(one.group.fence, quota=limits.quota, period=limits.period)
    one.place = replace(one.place, group=replace(one.group, fence=fence))
    cluster.plane.set_quota(one.group.row, limits.quota)


def _place(cluster: Cluster, row: int, host: int) -> Place:
    """The place of a container or process on a host."""
    one, plan = cluster.instance(row), cluster.plane.lowered.arrangement
    shared = plan.shared_vms_of(host)
    kernel = min(shared, key=lambda guest: (_inside(cluster, guest), guest.row)) if shared else plan.machines[plan.hosts[host].machine]
    group = None if one.group is None else replace(one.group, machine=kernel.row)
    return Place(kernel.row, group, kernel.net, kernel.disk) if shared else Place(kernel.row, group, one.place.net, one.place.disk)


def _inside(cluster: Cluster, guest: Machine) -> int:
    """How many replicas in a VM are there."""
    return sum(one.machine == guest.row and cluster.is_made(one.row) for one in cluster.plane.lowered.arrangement.instances)


def power_off(cluster: Cluster, row: int) -> None:
    """Switch the VM off that an instance has for itself: nothing in it runs until it boots again."""
    plan, plane = cluster.plane.lowered.arrangement, cluster.plane
    guest = plan.machines[cluster.instance(row).machine]
    if guest.vm is None or guest.key[0] != OWN_VM:
        return
    for one in cluster.internal_of(guest.row):
        plane.crash(one.row)
        plane.admit(one.row)
    cluster.lose_kernels({guest.row})
