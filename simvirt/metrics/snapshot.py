"""The running totals of a data plane at an instant; the difference of two snapshots is what happened in between."""

from dataclasses import dataclass

import numpy as np

from simvirt.dataplane import DataPlane
from simvirt.kernel import constants as k


@dataclass(frozen=True)
class Snapshot:
    """Totals since the start of a replication; times in ns. Rows: c classes, s services, i instances, v vCPUs, g groups."""

    at: int
    arrived: np.ndarray  # (c,)
    completed: np.ndarray  # (c,)
    rejected: np.ndarray  # (c,)
    failed: np.ndarray  # (c,)
    latency_sum: np.ndarray  # (c,)
    spent: np.ndarray  # (c, categories)
    histogram: np.ndarray  # (c, buckets)
    service_completed: np.ndarray  # (s,)
    service_latency_sum: np.ndarray  # (s,)
    service_queue_wait: np.ndarray  # (s,)
    service_histogram: np.ndarray  # (s, buckets)
    cpu_time: np.ndarray  # (i,)
    overhead_time: np.ndarray  # (i,)
    thread_time: np.ndarray  # (i,)
    instance_rejected: np.ndarray  # (i,)
    busy: int  # all pCPUs together
    steal: np.ndarray  # (v,)
    throttled: np.ndarray  # (g,)
    nr_periods: np.ndarray  # (g,)
    nr_throttled: np.ndarray  # (g,)
    disk_busy: int
    link_busy: np.ndarray  # (out, in)
    link_bytes: np.ndarray  # (out, in)
    idle_exits: int
    switches: int
    in_system: int
    events: int


def snapshot(plane: DataPlane, at: int) -> Snapshot:
    """Totals of a plane that has caught up to `at` [ns]; what is under way counts up to there, and nothing is changed."""
    read = plane.read
    pcpus = plane.lowered.host.pcpus
    histogram = read("tallies", "histogram").reshape(-1, k.N_BUCKETS).copy()
    return Snapshot(
        at=at,
        **{name: read("tallies", name).copy() for name in ("arrived", "completed", "rejected", "failed", "latency_sum")},
        spent=read("tallies", "spent").reshape(-1, k.N_CATEGORIES).copy(),
        histogram=histogram,
        service_completed=read("services", "completed").copy(),
        service_latency_sum=read("services", "latency_sum").copy(),
        service_queue_wait=read("services", "queue_wait").copy(),
        service_histogram=read("services", "histogram").reshape(-1, k.N_BUCKETS).copy(),
        cpu_time=_cpu_time(plane, at),
        overhead_time=read("instances", "overhead_time").copy(),
        thread_time=read("instances", "thread_time") + read("instances", "busy_threads") * (at - read("instances", "thread_time_at")),
        instance_rejected=read("instances", "rejected").copy(),
        busy=int((read("cpus", "busy")[:pcpus] + np.where(read("cpus", "idle_slot")[:pcpus] == k.NONE, at - read("cpus", "busy_since")[:pcpus], 0)).sum()),
        steal=_steal(plane, at),
        throttled=_throttled(plane, at),
        nr_periods=read("groups", "nr_periods").copy(),
        nr_throttled=read("groups", "nr_throttled").copy(),
        disk_busy=int((read("disks", "busy") + read("disks", "in_service") * (at - read("disks", "busy_at"))).sum()),
        link_busy=read("links", "busy") + np.where(read("links", "transfers") > 0, at - read("links", "settled_at"), 0),
        link_bytes=read("links", "bytes").copy(),
        idle_exits=int(read("cpus", "idle_exits").sum()),
        switches=int(read("cpus", "switches").sum()),
        in_system=int(read("tallies", "in_system")[0]),
        events=int(read("run", "events")[0]),
    )


def _cpu_time(plane: DataPlane, at: int) -> np.ndarray:
    """CPU time of each instance, what runs now included."""
    used = plane.read("instances", "cpu_time").copy()
    current, speed = plane.read("cpus", "current"), plane.read("cpus", "speed")
    charged_at, portion = plane.read("cpus", "charged_at"), plane.read("cpus", "portion")
    carries, instance = plane.read("entities", "carries"), plane.read("entities", "instance")
    for c in np.flatnonzero((current != k.NONE) & (speed > 0)):
        e = current[c]
        if carries[e] == k.NONE:
            used[instance[e]] += int((at - charged_at[c]) * portion[c])
    return used


def _steal(plane: DataPlane, at: int) -> np.ndarray:
    """Time that each vCPU was runnable without running."""
    first, last = (int(plane.read("run", name)[0]) for name in ("first_vcpu", "first_thread"))
    wait = plane.read("entities", "wait")[first:last].copy()
    queued = plane.read("entities", "state")[first:last] == k.QUEUED
    fluid = plane.read("machines", "policy")[0] == k.GPS
    runnable = queued & (plane.read("entities", "delayed")[first:last] == 0) & (not fluid)
    return wait + np.where(runnable, at - plane.read("entities", "waits_since")[first:last], 0)


def _throttled(plane: DataPlane, at: int) -> np.ndarray:
    """Throttled time of each group, over all its run queues."""
    read = plane.read
    clock = read("queues", "throttled_clock") + read("queues", "throttled") * (at - read("queues", "throttled_since"))
    group = read("queues", "group")
    total = np.zeros(len(read("groups", "quota")), np.int64)
    np.add.at(total, group[group != k.NONE], clock[group != k.NONE])
    return total
