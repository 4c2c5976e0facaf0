"""The memory of instances that start while a run goes on: each has its own where it stands, or a part of the VM that it is in.

*Model*: a container, a process or a VM of its own that starts where its memory is not yet takes a new box there, and gives the one up that
    it had; a replica in a VM that several share joins what is in it. It needs, and has been promised, what its version says.
*Ignores*: that another version may need more or less than the first one.
"""

from __future__ import annotations

from simvirt.control.cluster import Cluster
from simvirt.memory.account import MemoryAccount
from simvirt.memory.boxes import UNBOUNDED, Box, Replica
from simvirt.memory.populate import box_of_one, replica_of
from simvirt.memory.working_set import IDLE
from simvirt.plane import DataPlane
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.workload.streams import SHARED_VM


def house(cluster: Cluster, row: int) -> None:
    """Where memory is followed that of an instance which starts is on its host from now on, in its VM where others are in it too."""
    account = cluster.plane.memories.get(cluster.host_of(row))
    if account is None:
        return
    machine = cluster.plane.lowered.arrangement.machines[cluster.instance(row).machine]
    shared = machine.row if machine.vm is not None and machine.key[0] == SHARED_VM else None
    known = account.of_row.get(row)
    if known is not None and known.machine == shared:
        _begin_anew(account, known, row)
        return
    for other in cluster.plane.memories.values():
        other.give_up(row)
    account.take(*_new(cluster, account, row, shared))


def _begin_anew(account: MemoryAccount, box: Box, row: int) -> None:
    """An instance that starts where it was has answered nothing yet, and of what its container had nothing is left."""
    for replica in box.replicas:
        if replica.row == row:
            replica.load = IDLE
    if box.guest is None:
        box.out = box.packed = box.merged = 0.0
        account.memory.add_up()


def _new(cluster: Cluster, account: MemoryAccount, row: int, shared: int | None) -> tuple[Box, Replica]:
    """What an instance that begins takes, and the box that this is in."""
    one, spec = cluster.instance(row), cluster.spec_of(row)
    there = cluster.plane.lowered.memories[cluster.host_of(row)].there
    replica = replica_of(there, one.service, one.replica, spec)
    replica.row = row
    alone = box_of_one(there, replica, spec) if shared is None else None
    replica.load = IDLE
    return alone or next(box for box in account.memory.boxes if box.machine == shared), replica


def rehouse(plane: DataPlane, row: int, source: int, to: int) -> None:
    """Where memory is followed that of the VM of an instance is on another host from now on."""
    here, there = plane.memories.get(source), plane.memories.get(to)
    if here is None or there is None or source == to or (box := here.of_row.get(row)) is None:
        return
    here.remove(box)
    there.add(box)


def limit_memory(plane: DataPlane, row: int, spec: ServiceSpec) -> None:
    """Let an instance whose memory is followed have the limit of memory of a version."""
    boxes = [account.of_row[row] for account in plane.memories.values() if row in account.of_row]
    for replica in (replica for box in boxes for replica in box.replicas if replica.row == row):
        replica.limit = UNBOUNDED if spec.memory_limit is None else float(spec.memory_limit)
