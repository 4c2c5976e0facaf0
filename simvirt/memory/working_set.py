"""The working set of a replica: what it keeps when idle, and what its load adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simvirt.catalog import Catalog
from simvirt.catalog.entries.capacity import FootprintEntry
from simvirt.catalog.records import HostEntry, Platform
from simvirt.memory.cache import DataSet
from simvirt.memory.visible import critical_part
from simvirt.scenario.graph import calls, entries, operation_times, visits
from simvirt.scenario.rates import mean_rate
from simvirt.scenario.spec.memory_demand import TmpfsSpec
from simvirt.scenario.spec.models import Scenario, ServiceSpec
from simvirt.scenario.spec.steps import AnyStep, CpuStep, DelayStep, DiskSpec, DiskStep
from simvirt.scenario.walk import walk


@dataclass(frozen=True, slots=True)
class Load:
    """What one replica has to do: requests in it, requests that its threads work on, requests answered since its start."""

    connections: float = 0.0
    requests: float = 0.0
    answered: float = 0.0


IDLE = Load()
PAGE = 4096


@dataclass(frozen=True, slots=True)
class WorkingSet:
    """Needs of one replica [bytes]: `hot` is the part that requests keep touching, `same` the part that all replicas have alike."""

    anonymous: float
    files: float
    hot: float
    same: float


@dataclass(frozen=True, slots=True)
class Needs:
    """How a replica's working set follows its load [bytes]: the words of the scenario over the entry of the catalogue.

    `data` is what it reads from its disk again and again, `written` what each answered request leaves in its page cache by writing, which
    is `appended` where that comes in pieces smaller than a page. `tmpfs_*` are files that it keeps in memory. `dirty` is what an answered
    request writes to pages, where that is stated.
    """

    base: int
    per_connection: int
    per_request: int
    growth: int
    heap: float
    files: int
    hot: float
    same: float
    touch: int
    disk: int
    writable: int
    data: tuple[DataSet, ...] = ()
    tmpfs_used: float = 0.0
    tmpfs_growth: float = 0.0
    tmpfs_size: float = float("inf")
    written: float = 0.0
    appended: bool = False
    dirty: int | None = None

    def tmpfs(self, load: Load = IDLE) -> float:
        """Files that it keeps in memory, at a load [bytes]."""
        return min(self.tmpfs_used + self.tmpfs_growth * load.answered, self.tmpfs_size)

    def anonymous(self, load: Load = IDLE) -> float:
        """Anonymous memory at a load [bytes].

        *Model*: base + per_connection x requests in the replica + per_request x requests at work + what answered requests left, up to
            the heap's size, + files in tmpfs, which a kernel treats like anonymous memory.
        *Ignores*: fragmentation; memory that is freed goes back at once.
        """
        grown = min(self.growth * load.answered, self.heap)
        return self.base + self.per_connection * load.connections + self.per_request * load.requests + grown + self.tmpfs(load)

    def at(self, load: Load = IDLE) -> WorkingSet:
        """The working set at a load."""
        anonymous = self.anonymous(load)
        return WorkingSet(anonymous, float(self.files), self.hot * (anonymous - self.tmpfs(load)), self.same * anonymous)


def needs(catalog: Catalog, service: ServiceSpec) -> Needs:
    """The needs of a service's replicas."""
    return needs_of(service, catalog.footprint(service))


def needs_of(service: ServiceSpec, entry: FootprintEntry) -> Needs:
    """The words of a service laid over the entry of its image."""
    told = service.memory
    growth = 0 if told is None else told.growth
    heap = float("inf") if told is None or told.heap is None else float(told.heap)

    def given(name: str) -> Any:
        value = None if told is None else getattr(told, name)
        return getattr(entry, name) if value is None else value

    tmpfs = service.tmpfs or TmpfsSpec()
    return Needs(
        tmpfs_used=float(tmpfs.used), tmpfs_growth=float(tmpfs.growth), tmpfs_size=float(tmpfs.size or "inf"),
        base=given("base"), per_connection=given("per_connection"), per_request=0 if told is None else told.per_request, growth=growth,
        heap=heap, files=given("files"), hot=given("hot"), same=entry.same, touch=given("touch"), disk=entry.disk, writable=entry.writable,
        dirty=None if told is None else told.dirty,
        data=tuple(dict.fromkeys(data for steps in service.operations.values() for visit in walk(steps) for data in data_read(visit.step))),
    )


def written_by(scenario: Scenario) -> dict[str, tuple[float, bool]]:
    """What an answered request of each service leaves in its page cache by writing [bytes], and whether its pieces are below a page."""
    found: dict[str, tuple[float, bool]] = {}
    often = visits(calls(scenario), scenario.mix) if scenario.workload is not None else {}
    for (service, operation), times in often.items():
        sizes = [
            (visit.expected, float(visit.step.disk.size)) for visit in walk(scenario.services[service].operations[operation])
            if isinstance(visit.step, DiskStep) and _cached(visit.step)
        ]
        before, small = found.get(service, (0.0, True))
        found[service] = before + times * sum(n * size for n, size in sizes), small and all(size < PAGE for _, size in sizes)
    requests: dict[str, float] = {}
    for (service, _), times in often.items():
        requests[service] = requests.get(service, 0.0) + times
    return {name: (total / requests[name] if requests[name] > 0 else 0.0, small) for name, (total, small) in found.items()}


def _cached(step: DiskStep) -> bool:
    """Whether a step writes through the page cache."""
    return step.disk.write is not None and not step.disk.direct


def data_read(step: AnyStep) -> Iterator[DataSet]:
    """The blocks that a step reads from, where they are stated."""
    if isinstance(step, DiskStep) and step.disk.working_set is not None:
        yield data_set(step.disk)


def data_set(disk: DiskSpec) -> DataSet:
    """The blocks that a disk step reads from."""
    assert disk.working_set is not None and disk.read is not None
    return DataSet(max(1, disk.working_set // disk.read), disk.read, disk.zipf)


def expected_loads(scenario: Scenario, platform: Platform, host: HostEntry, replicas: Mapping[str, int]) -> dict[str, Load]:
    """The load of each service's replicas by Little's law, as if nobody waited.

    *Model*: L = rate x time, where the time of a request at a service is its CPU time (a team's divided among its threads), its delays,
        its disk's service times and the times of what it calls, branches side by side. Clients of a closed workload are spread in
        proportion.
    *Ignores*: waiting, and what the platform adds; a run measures both. A trace has no load before it is run.
    """
    if scenario.workloads:
        return added([expected_loads(view, platform, host, replicas) for view in scenario.alone.values()])
    if scenario.workload is None or sum(scenario.mix.values()) <= 0:
        return {}
    times = operation_times(scenario, lambda service, step: _alone(step, scenario.services[service], platform, host))
    often = visits(calls(scenario), scenario.mix)
    rate = mean_rate(scenario, sum(share * times[name] for name, share in entries(scenario.mix).items()) / 1e9)
    held: dict[str, float] = {}
    for name, visited in often.items():
        if visited:
            held[name[0]] = held.get(name[0], 0.0) + visited * times[name]
    each = {service: rate / 1e9 * time / max(1, replicas.get(service, 1)) for service, time in held.items()}
    return {service: Load(population, population) for service, population in each.items()}


def added(loads: Sequence[Mapping[str, Load]]) -> dict[str, Load]:
    """The loads that several workloads bring."""
    found: dict[str, Load] = {}
    for of in loads:
        for service, load in of.items():
            here = found.get(service, IDLE)
            found[service] = Load(here.connections + load.connections, here.requests + load.requests)
    return found


def _alone(step: AnyStep, service: ServiceSpec, platform: Platform, host: HostEntry) -> float:
    """Expected time of one execution of a step [ns], of a call without what is called."""
    match step:
        case CpuStep():
            return step.cpu.mean * critical_part(step.team, service, platform, host)
        case DelayStep():
            return step.delay.mean
        case DiskStep():
            return _disk(step.disk, host)
    return 0.0


def _disk(disk: DiskSpec, host: HostEntry) -> float:
    """Expected service time of a disk step [ns]."""
    if disk.read is not None:
        return float((1.0 - disk.hit) * (host.disk.read_latency + disk.read / host.disk.read_throughput * 1e9))
    if not disk.sync:
        return 0.0
    return float(host.disk.write_latency + host.disk.flush_latency + disk.size / host.disk.write_throughput * 1e9)
