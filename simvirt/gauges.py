"""What a data plane shows to those who watch it, the control plane included; a look changes nothing.

*Levels* are how much of something there is now; a *snapshot* has the totals up to an instant, and the difference of two is what happened
in between. A *mark* has those of them that tell how a run goes on, for a tenth of the work.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from simvirt.kernel import constants as k
from simvirt.plane import DataPlane

GUARD_COUNTS: Final = (
    "calls", "tries", "retried", "hedged", "timed_out", "refused", "full", "spared", "given_up", "orphaned", "wasted",
)
"""What guards of calls count."""
MESSAGE_COUNTS: Final = (
    "published", "delivered", "consumed", "dropped", "lost", "dead", "returned", "repeated", "wait", "latency_sum", "waiting", "under_way",
    "longest",
)
"""What lines of messages count, and how long they are."""


@dataclass(frozen=True)
class Levels:
    """How much there is of something at an instant."""

    in_system: int  # requests under way
    completed: int  # requests answered so far
    busy_cpus: int  # pCPUs that run something
    queued: int  # requests that wait for a thread of a replica


def levels(plane: DataPlane) -> Levels:
    """What stands in a plane that has caught up."""
    read = plane.read
    running = (read("cpus", "current") != k.NONE) & (read("cpus", "vcpu") == k.NONE)
    return Levels(
        int(read("tallies", "in_system")[0]), int(read("tallies", "completed").sum()), int(np.count_nonzero(running)),
        int(read("instances", "queue_length").sum()),
    )


@dataclass(frozen=True, slots=True)
class Sparse:
    """A table of counts most of which are none: the places of those that are some, and these."""

    shape: tuple[int, ...]
    places: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, table: np.ndarray) -> "Sparse":
        """A copy of a table."""
        flat = table.reshape(-1)
        places = np.flatnonzero(flat)
        return cls(table.shape, places.astype(np.uint32), flat[places])

    def row(self, number: int) -> np.ndarray:
        """A row of the table."""
        width = self.shape[-1]
        first, after = np.searchsorted(self.places, (number * width, (number + 1) * width))
        found = np.zeros(width, dtype=self.counts.dtype)
        found[self.places[first:after] - number * width] = self.counts[first:after]
        return found

    def whole(self) -> np.ndarray:
        """The table."""
        found = np.zeros(self.shape, dtype=self.counts.dtype)
        found.reshape(-1)[self.places] = self.counts
        return found


@dataclass(frozen=True)
class Mark:
    """Where requests stand at an instant [ns]. Rows: c classes."""

    at: int
    arrived: np.ndarray  # (c,)
    completed: np.ndarray  # (c,)
    rejected: np.ndarray  # (c,)
    failed: np.ndarray  # (c,)
    in_system: int
    busy_cpus: int
    queued: int
    latencies: Sparse  # (c, buckets)
    in_line: list[int]  # messages of each subscription

    @property
    def histogram(self) -> np.ndarray:
        """Latencies of answered requests by class: counts in buckets (c, buckets)."""
        return self.latencies.whole()


@dataclass(frozen=True)
class Snapshot(Mark):
    """Totals since the start of a replication; times in ns. Rows: c classes, s services, i instances, v vCPUs, g groups."""

    latency_sum: np.ndarray  # (c,)
    spent: np.ndarray  # (c, categories)
    service_completed: np.ndarray  # (s,)
    service_latency_sum: np.ndarray  # (s,)
    service_queue_wait: np.ndarray  # (s,)
    causes: np.ndarray  # (k, causes)
    guards: dict[str, np.ndarray]  # (guards,) each
    messages: dict[str, np.ndarray]  # (subscriptions,) each, one row where there are none; histograms (subscriptions, buckets)
    service_latencies: Sparse  # (s, buckets)
    cpu_time: np.ndarray  # (i,)
    overhead_time: np.ndarray  # (i,)
    thread_time: np.ndarray  # (i,)
    instance_rejected: np.ndarray  # (i,)
    lived: np.ndarray  # (i,), how long each was up
    busy_of: np.ndarray  # (hosts,), their pCPUs together
    polled_of: np.ndarray  # (hosts,), by the host for halted vCPUs, and by backends that look for work
    device_operations: np.ndarray  # (d,) paths of VMs to network and disk
    device_notifications: np.ndarray  # (d,)
    device_interrupts: np.ndarray  # (d,)
    steal: np.ndarray  # (v,)
    costop: np.ndarray  # (v,), a part of steal
    throttled: np.ndarray  # (g,)
    nr_periods: np.ndarray  # (g,)
    nr_throttled: np.ndarray  # (g,)
    disk_busy: np.ndarray  # (hosts,)
    disk_passed: np.ndarray  # (hosts,)
    link_busy: np.ndarray  # (out, in of each host)
    link_bytes: np.ndarray  # (out, in of each host)
    link_passed: np.ndarray  # (links,) bytes of requests and of large transfers
    lock_held: np.ndarray  # (locks,)
    idle_exits: int
    switches: int
    events: int

    @property
    def busy(self) -> int:
        """Time that the pCPUs of all hosts were not idle [ns]."""
        return int(self.busy_of.sum())

    @property
    def polled(self) -> int:
        """Time that was spent on looking for work on all hosts [ns]."""
        return int(self.polled_of.sum())


def mark(plane: DataPlane, at: int) -> Mark:
    """Where requests of a plane that has caught up to `at` [ns] stand."""
    return Mark(**_requests(plane, at))


def _requests(plane: DataPlane, at: int) -> dict[str, Any]:
    """The fields of a mark."""
    read, now = plane.read, levels(plane)
    return {
        "at": at, "in_system": now.in_system, "busy_cpus": now.busy_cpus, "queued": now.queued,
        "latencies": Sparse.of(read("tallies", "histogram").reshape(-1, k.N_BUCKETS)), "in_line": in_line(plane),
        **{name: read("tallies", name).copy() for name in ("arrived", "completed", "rejected", "failed")},
    }


def snapshot(plane: DataPlane, at: int) -> Snapshot:
    """Totals of a plane that has caught up to `at` [ns]; what is under way counts up to there, and nothing is changed."""
    read = plane.read
    fluid = fluid_shares(plane, at)
    return Snapshot(
        **_requests(plane, at),
        causes=read("tallies", "causes").reshape(-1, k.CAUSES).copy(),
        guards={name: read("guards", name).copy() for name in GUARD_COUNTS},
        messages=_messages(plane, at),
        latency_sum=read("tallies", "latency_sum").copy(),
        spent=read("tallies", "spent").reshape(-1, k.N_CATEGORIES).copy(),
        service_completed=read("services", "completed").copy(),
        service_latency_sum=read("services", "latency_sum").copy(),
        service_queue_wait=read("services", "queue_wait").copy(),
        service_latencies=Sparse.of(read("services", "histogram").reshape(-1, k.N_BUCKETS)),
        cpu_time=_cpu_time(plane, at) + _of_threads(plane, fluid),
        overhead_time=read("instances", "overhead_time").copy(),
        thread_time=read("instances", "thread_time") + read("instances", "busy_threads") * (at - read("instances", "thread_time_at")),
        instance_rejected=read("instances", "rejected").copy(),
        lived=plane.lived(at),
        busy_of=_busy(plane, at) + _of_own_kernels(plane, fluid),
        polled_of=_polled(plane) + _polling(plane, at),
        device_operations=read("devices", "operations").copy(),
        device_notifications=read("devices", "notifications").copy(),
        device_interrupts=read("devices", "interrupts").copy(),
        steal=_steal(plane, at) + _of_vcpus(plane, fluid),
        costop=_costop(plane, at),
        throttled=_throttled(plane, at),
        nr_periods=_periods(plane, at),
        nr_throttled=read("groups", "nr_throttled").copy(),
        disk_busy=read("disks", "busy") + read("disks", "in_service") * (at - read("disks", "busy_at")),
        disk_passed=read("disks", "passed") - np.maximum(read("disks", "free_at") - at, 0),
        link_busy=read("links", "busy") + np.where(read("links", "transfers") > 0, at - read("links", "settled_at"), 0),
        link_bytes=read("links", "bytes").copy(),
        link_passed=plane.bytes_passed() if plane.large is None else plane.bytes_passed() + plane.large(),
        lock_held=read("locks", "held") + np.where(read("locks", "holder") != k.NONE, at - read("locks", "taken_at"), 0),
        idle_exits=int(read("cpus", "idle_exits").sum()),
        switches=int(read("cpus", "switches").sum()),
        events=int(read("run", "events")[0]),
    )


def cpu_time(plane: DataPlane, at: int) -> np.ndarray:
    """CPU time of each instance of a plane that has caught up to `at`, what is under way included [ns]."""
    used: np.ndarray = _cpu_time(plane, at) + _of_threads(plane, fluid_shares(plane, at))
    return used


def steal(plane: DataPlane, at: int) -> np.ndarray:
    """Time that each vCPU of a plane that has caught up to `at` was runnable without running, what is under way included [ns]."""
    waited: np.ndarray = _steal(plane, at) + _of_vcpus(plane, fluid_shares(plane, at))
    return waited


def in_line(plane: DataPlane) -> list[int]:
    """Messages in the line of each subscription."""
    found: list[int] = plane.read("subscriptions", "waiting").tolist() if plane.lowered.subscriptions else []
    return found


def backlog(plane: DataPlane) -> dict[str, int]:
    """Messages that wait for the replicas of each service that subscribes, those that these have in hand and have not done included."""
    found: dict[str, int] = {}
    counts = (plane.read("subscriptions", "waiting") + plane.read("subscriptions", "under_way")).tolist()
    for one, count in zip(plane.lowered.subscriptions, counts, strict=False):
        found[one.service] = found.get(one.service, 0) + count
    return found


def _messages(plane: DataPlane, at: int) -> dict[str, np.ndarray]:
    """Totals of lines of messages, with what is waited for and worked on up to an instant."""
    read = plane.read
    if not plane.lowered.subscriptions:
        return {}
    found = {name: read("subscriptions", name).copy() for name in MESSAGE_COUNTS}
    found["histogram"] = read("subscriptions", "histogram").reshape(-1, k.N_BUCKETS).copy()
    found["area"] = read("subscriptions", "area") + read("subscriptions", "waiting") * (at - read("subscriptions", "area_at"))
    found["busy"] = read("subscriptions", "busy").astype(float)
    worked = np.isin(read("frames", "standing"), (k.WORKED_ON, k.REPLACED)) & (read("frames", "consumer") != k.NONE)
    worked &= read("frames", "kind") == k.MESSAGE
    np.add.at(found["busy"], read("frames", "subscription")[worked], at - read("frames", "began")[worked])
    return found


def _periods(plane: DataPlane, at: int) -> np.ndarray:
    """Periods of each group, with those that the kernel has not looked at since its queues coast."""
    read = plane.read
    since = (at - read("groups", "refilled_at")) // np.maximum(read("groups", "period"), 1)
    periods: np.ndarray = read("groups", "nr_periods") + np.where(read("groups", "coasting") != k.NONE, np.maximum(since, 0), 0)
    return periods


def _polled(plane: DataPlane) -> np.ndarray:
    """Time that each host has spent on looking for work [ns]."""
    read, machine = plane.read, plane.read("instances", "machine")
    placed = machine != k.NONE
    of_backends = _summed(plane, read("machines", "host")[machine[placed]], read("instances", "polled")[placed])
    of_backends += _summed(plane, read("cpus", "host"), read("cpus", "polled"))
    return of_backends


def _polling(plane: DataPlane, at: int) -> np.ndarray:
    """Time that each host has polled so far for vCPUs that it still polls for [ns]."""
    read = plane.read
    polls = read("cpus", "polls_for") != k.NONE
    polled = np.minimum(read("cpus", "poll_ends"), at) - read("cpus", "halted_at")
    return _summed(plane, read("cpus", "host")[polls], polled[polls])


def _summed(plane: DataPlane, hosts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The sum of some whole numbers for each host."""
    total = np.zeros(len(plane.read("hosts", "machine")), np.int64)
    np.add.at(total, hosts, values)
    return total


@dataclass(frozen=True)
class FluidShares:
    """What runnable entities of fluid schedulers have got, and missed, since the kernel last booked it [ns]."""

    entity: np.ndarray
    machine: np.ndarray
    got: np.ndarray
    lost: np.ndarray


def fluid_shares(plane: DataPlane, at: int) -> FluidShares:
    """What every vCPU and thread has got that is runnable under a fluid scheduler, as of an instant; queues are entities, and no tasks."""
    read = plane.read
    fluid, machine = read("machines", "fluid"), read("entities", "machine")
    if not fluid.any():
        none = np.zeros(0, np.int64)
        return FluidShares(none, none, none, none)
    first, last = int(read("run", "first_vcpu")[0]), int(read("run", "fresh_entity")[0])
    entity = first + np.flatnonzero((read("entities", "state")[first:last] == k.QUEUED) & (fluid[machine[first:last]] != 0))
    group = read("entities", "group")[entity]
    group = np.where(group == k.NONE, read("machines", "root_group")[machine[entity]], group)
    used = read("groups", "fluid_used")[group] + read("groups", "fluid_rate")[group] * (at - read("machines", "fluid_at")[machine[entity]])
    waited = at - read("entities", "waits_since")[entity]
    got = np.clip(np.floor(used - read("entities", "vruntime")[entity] + 0.5).astype(np.int64), 0, waited)
    return FluidShares(entity, machine[entity], got, waited - got)


def _of_own_kernels(plane: DataPlane, fluid: FluidShares) -> np.ndarray:
    """What has been got on the kernels of hosts themselves."""
    own = np.isin(fluid.machine, plane.read("hosts", "machine"))
    return _summed(plane, plane.read("machines", "host")[fluid.machine[own]], fluid.got[own])


def _of_threads(plane: DataPlane, fluid: FluidShares) -> np.ndarray:
    """What the threads of each instance have got."""
    total = np.zeros(len(plane.read("instances", "cpu_time")), np.int64)
    if not len(fluid.entity):
        return total
    threads = plane.read("entities", "carries")[fluid.entity] == k.NONE
    np.add.at(total, plane.read("entities", "instance")[fluid.entity[threads]], fluid.got[threads])
    return total


def _of_vcpus(plane: DataPlane, fluid: FluidShares) -> np.ndarray:
    """What each vCPU has missed."""
    first, last = (int(plane.read("run", name)[0]) for name in ("first_vcpu", "first_thread"))
    total = np.zeros(last - first, np.int64)
    if not len(fluid.entity):
        return total
    vcpus = plane.read("entities", "carries")[fluid.entity] != k.NONE
    total[fluid.entity[vcpus] - first] = fluid.lost[vcpus]
    return total


def _busy(plane: DataPlane, at: int) -> np.ndarray:
    """Time that the pCPUs of each host were not idle."""
    since = np.where(plane.read("cpus", "idle_slot") == k.NONE, np.maximum(at - plane.read("cpus", "busy_since"), 0), 0)
    own = plane.read("cpus", "vcpu") == k.NONE
    return _summed(plane, plane.read("cpus", "host")[own], (plane.read("cpus", "busy") + since)[own])


def _cpu_time(plane: DataPlane, at: int) -> np.ndarray:
    """CPU time of each instance, what runs now included."""
    used = plane.read("instances", "cpu_time").copy()
    current, speed = plane.read("cpus", "current"), plane.read("cpus", "speed")
    charged_at, portion = plane.read("cpus", "charged_at"), plane.read("cpus", "portion")
    carries, instance = plane.read("entities", "carries"), plane.read("entities", "instance")
    running = np.flatnonzero((current != k.NONE) & (speed > 0))
    running = running[carries[current[running]] == k.NONE]
    np.add.at(used, instance[current[running]], ((at - charged_at[running]) * portion[running]).astype(np.int64))
    return used


def _steal(plane: DataPlane, at: int) -> np.ndarray:
    """Time that each vCPU was runnable without running."""
    first, last = (int(plane.read("run", name)[0]) for name in ("first_vcpu", "first_thread"))
    if first == last:
        return np.zeros(0, np.int64)
    wait = plane.read("entities", "wait")[first:last].copy()
    state = plane.read("entities", "state")[first:last]
    queued = (state == k.QUEUED) | (state == k.HELD)
    fluid = plane.read("machines", "fluid")[plane.read("entities", "machine")[first:last]] != 0
    runnable = queued & (plane.read("entities", "delayed")[first:last] == 0) & ~fluid
    return wait + np.where(runnable, at - plane.read("entities", "waits_since")[first:last], 0)


def _costop(plane: DataPlane, at: int) -> np.ndarray:
    """Time that each vCPU was held back because it was ahead of its siblings."""
    first, last = (int(plane.read("run", name)[0]) for name in ("first_vcpu", "first_thread"))
    held = plane.read("entities", "state")[first:last] == k.HELD
    return plane.read("entities", "held")[first:last] + np.where(held, at - plane.read("entities", "waits_since")[first:last], 0)


def _throttled(plane: DataPlane, at: int) -> np.ndarray:
    """Throttled time of each group, over all its run queues."""
    read = plane.read
    if not read("run", "limited")[0]:
        return np.zeros(len(read("groups", "quota")), np.int64)
    clock = read("queues", "throttled_clock") + read("queues", "throttled") * (at - read("queues", "throttled_since"))
    group = read("queues", "group")
    total = np.zeros(len(read("groups", "quota")), np.int64)
    np.add.at(total, group[group != k.NONE], clock[group != k.NONE])
    return total
