"""Work that the control plane has instances perform: compute, read, write, wait; it competes with all else that runs there."""

from __future__ import annotations

from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.lowering.management import amounts


def compute(cluster: Cluster, on: int, work_ns: float) -> Process:
    """Let an instance compute so much CPU work [ns]."""
    yield from perform(cluster, on, cpu_ns=work_ns)


def read(cluster: Cluster, on: int, size: int) -> Process:
    """Let an instance read so many bytes from the disk, one window of the read-ahead after another."""
    yield from perform(cluster, on, read=size)


def write(cluster: Cluster, on: int, size: int, sync: bool = False) -> Process:
    """Let an instance write so many bytes: to the page cache, or with `sync` to the drive, whose cache is flushed in the end."""
    yield from perform(cluster, on, write=size, sync=sync)


def perform(
    cluster: Cluster, on: int, cpu_ns: float = 0.0, read: int = 0, write: int = 0, wait_ns: int = 0, sync: bool = False,
    piece: int = 0, flushes: int = 0,
) -> Process:
    """Let an instance compute, then read (at random where it is in pieces), then write, then flush so many small writes, then wait."""
    plane, managed = cluster.plane, cluster.plane.lowered.management
    assert managed is not None
    errand = managed.native if cluster.instance(on).place.disk is None else managed.guest
    with plane.perform(errand, on, *amounts(cpu_ns, read, write, sync, float(wait_ns), piece, flushes)) as done:
        yield done
