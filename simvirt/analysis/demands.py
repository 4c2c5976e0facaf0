"""What a scenario asks of each resource, without simulating it: visits and demands of its operations.

*Model*: expectations along the steps of each operation, in the order of calls; a step's CPU time has on top of it what the
    platform's costs say of its operations, as the simulation charges them. Demands are of one execution, calls excluded. Every
    device operation counts with a kick and an interrupt of its own: an upper bound, for they are fewer the higher the load.
*Ignores*: wake-ups of idle CPUs; page tables out of the caches; contention for memory, caches and kernel locks; waiting.
*Source*: operational analysis, Denning and Buzen 1978 (visit counts, service demands, the utilisation law).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import networkx as nx

from simvirt.catalog import Catalog, HostEntry, Platform, PlatformCosts
from simvirt.catalog.operations import PLURALS
from simvirt.catalog.records import S
from simvirt.catalog.resolve.files import Served, disk_accesses, file_habits
from simvirt.memory.visible import critical_part
from simvirt.scenario.graph import Name, calls, entries, operation_times, service_graph, visits
from simvirt.scenario.spec.models import CallStep, CpuStep, DelayStep, DiskSpec, DiskStep, FilesSpec, FilesStep, NetStep, Scenario
from simvirt.scenario.spec.steps import AnyStep
from simvirt.scenario.spec.workload import CONNECTING
from simvirt.scenario.walk import walk


@dataclass(frozen=True, slots=True)
class Demand:
    """What one execution of an operation asks for.

    CPU time in the instance and on threads that work for it, disk time, bytes, mere delay.
    """

    cpu_s: float = 0.0
    io_cpu_s: float = 0.0
    disk_s: float = 0.0
    out_bytes: float = 0.0
    in_bytes: float = 0.0
    delay_s: float = 0.0

    def __add__(self, other: Demand) -> Demand:
        return Demand(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def times(self, count: float) -> Demand:
        """The demand of so many executions."""
        return Demand(*(count * getattr(self, f.name) for f in fields(self)))

    @property
    def alone_s(self) -> float:
        """Time that one execution takes where nothing contends, calls and transmission excluded."""
        return self.cpu_s + self.io_cpu_s + self.disk_s + self.delay_s


@dataclass(frozen=True, slots=True)
class Analysis:
    """Visits to each operation per request of the mix, what one execution asks for, and the graph of the calls."""

    visits: Mapping[Name, float]
    demands: Mapping[Name, Demand]
    times: Mapping[Name, float]
    """Time of one execution where nothing contends, with what it calls and branches side by side [s]."""
    entries: Mapping[Name, float]
    """Share of the requests that enter at each operation."""
    graph: nx.DiGraph[Name]

    def service(self, service: str) -> Demand:
        """What a service is asked for per request of the mix."""
        parts = [self.demands[name].times(visits) for name, visits in self.visits.items() if name[0] == service]
        return sum(parts, Demand())

    @property
    def response_s(self) -> float:
        """Time that a request of the mix takes on average where nothing contends."""
        return math.fsum(share * self.times[name] for name, share in self.entries.items())


def analyse(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry) -> Analysis:
    """Visits and demands of a scenario on a platform and host."""
    reader = _Reader(scenario, catalog, platform, host)
    graph, edges = service_graph(scenario), calls(scenario)
    local = scenario.workload is not None and scenario.workload.local
    around = {name: reader.messages(name) if not local or graph.in_degree(name) > 0 else Demand() for name in graph}
    demands = {name: reader.operation(*name) + around[name] for name in graph}
    times = operation_times(scenario, reader.alone_s, lambda name: around[name].alone_s)
    return Analysis(visits(edges, scenario.mix), demands, times, entries(scenario.mix), graph)


class _Reader:
    """Reads demands off steps; one for each platform and host."""

    def __init__(self, scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry) -> None:
        self.scenario, self.catalog, self.host = scenario, catalog, host
        self.costs: PlatformCosts = catalog.platform_costs(platform, host)
        self.platform = platform
        self.file_costs = catalog.file_costs(platform, host, self.costs)

    def alone_s(self, service: str, step: AnyStep) -> float:
        """Time of one execution of a step where nothing contends: of a team's, what one thread does and its share of the rest."""
        demand = self.step(service, step)
        if not isinstance(step, CpuStep) or step.team is None:
            return demand.alone_s
        part = critical_part(step.team, self.scenario.services[service], self.platform, self.host)
        return replace(demand, cpu_s=demand.cpu_s * part).alone_s

    def operation(self, service: str, operation: str) -> Demand:
        """One execution of the steps of an operation."""
        steps = walk(self.scenario.services[service].operations[operation])
        return sum((self.step(service, visit.step).times(visit.expected) for visit in steps), Demand())

    def messages(self, name: Name) -> Demand:
        """A request and its answer, and what opens and closes a connection where each request of a client has its own."""
        workload, kept = self.scenario.workload, self._packets(1, 1)
        if workload is None or workload.connection == "kept" or ".".join(name) not in self.scenario.mix:
            return kept
        return kept + self._packets(CONNECTING, CONNECTING) + Demand(cpu_s=self.host.connection_ns / S)

    def step(self, service: str, step: AnyStep) -> Demand:
        """One execution of a step, its branches left out."""
        match step:
            case CpuStep():
                return self._cpu(service, step)
            case CallStep():
                return self._packets(1, 1) + Demand(delay_s=2 * self.costs.latency_ns["call_hop"] / S)
            case DiskStep():
                return self._disk(step.disk)
            case FilesStep():
                return self._files(step.files)
            case NetStep():
                return self._net(step)
            case DelayStep():
                return Demand(delay_s=step.delay.mean / S)
        return Demand()

    def _cpu(self, service: str, step: CpuStep) -> Demand:
        """Work, and the operations that come with it: stated for each execution, or those of the profile for each second."""
        mean = step.cpu.mean
        if step.ops:
            counts = [(PLURALS.get(op, op), float(count)) for op, count in step.ops.items()]
            return Demand(cpu_s=(mean * (1 - self.costs.spared(counts, mean)) + self.costs.charged(counts)) / S)
        spec = self.scenario.services[service]
        profile = self.catalog.profile(spec)
        habits = self.file_costs.habits(file_habits(spec, profile))
        own = Demand(cpu_s=mean / S * (1 + self.costs.added(list(profile.rates.items())) + habits.added))
        return sum((_served(one.times(mean)) for one in habits.served), own)

    def _packets(self, sent: float, received: float) -> Demand:
        return self._operations({"packet_out": sent, "packet_in": received})

    def _operations(self, counts: Mapping[str, float]) -> Demand:
        """What device operations cost in the instance, on the threads that work for it, and in time."""
        costs = self.costs
        parts = (costs.cpu_ns, costs.kick_ns, costs.notify_ns, costs.interrupt_ns)
        own = math.fsum(count * part[op] for op, count in counts.items() for part in parts)
        other = math.fsum(count * costs.backend_ns(op) for op, count in counts.items())
        return Demand(cpu_s=own / S, io_cpu_s=other / S)

    def _net(self, step: NetStep) -> Demand:
        """Packets and bytes of a transfer, and the packets by which each side acknowledges what it took."""
        nic, net = self.host.nic, step.net
        counts = {
            "packet_out": float(math.ceil(net.out / nic.segment) + nic.acknowledgements(net.in_)),
            "packet_in": float(math.ceil(net.in_ / nic.segment) + nic.acknowledgements(net.out)),
            "kib_out": net.out / 1024, "kib_in": net.in_ / 1024,
        }
        return self._operations(counts) + Demand(out_bytes=nic.wire_bytes(net.out), in_bytes=nic.wire_bytes(net.in_))

    def _files(self, spec: FilesSpec) -> Demand:
        """Operations on files: work, round trips to servers, accesses to the disk; those of a share are the host's own."""
        work = self.file_costs.work(spec)
        steps = [(count, DiskSpec.model_validate(fields)) for count, fields in disk_accesses(work)]
        disk = sum((self._disk(step).times(count) for count, step in steps), Demand())
        if not work.local:
            disk = Demand(disk_s=disk.disk_s)
        return sum((_served(one) for one in work.served), disk + Demand(cpu_s=(work.own_ns + work.added_ns) / S))

    def _disk(self, spec: DiskSpec) -> Demand:
        """An access: none where the page cache has it, with its flush where it is to be durable."""
        disk = self.host.disk
        write, size = spec.read is None, spec.size
        gathered = write and not (spec.sync or spec.direct)
        asked = self.catalog.reclaim().write_chunk if gathered else size  # the page cache writes in chunks
        busy = disk.latency_ns(write) + disk.longer_ns(asked, write) + (disk.flush_latency if spec.sync else 0.0)
        busy = max(busy, disk.passage_ns(asked, write) * disk.channels)  # of a channel: the path is as good as all of them
        busy *= size / asked
        if not write:
            counts = {"disk_read": 1.0, "kib_read": size / 1024}
        else:
            counts = {"disk_write": 1.0, "kib_written": size / 1024} | ({"disk_flush": 1.0} if spec.sync else {})
        wait = math.fsum((self.costs.latency_ns[op] + self.costs.wake_ns[op]) * count for op, count in counts.items()) / S
        crossed, missed = 1 - spec.hit * self.file_costs.keep_data, 1 - spec.hit
        return (self._operations(counts) + Demand(delay_s=wait)).times(crossed) + Demand(disk_s=busy / S).times(missed)


def _served(one: Served) -> Demand:
    """Requests to a server of files: work of whoever asks, of the thread that answers, and waiting."""
    cost = one.cost
    each = Demand(
        cpu_s=(cost.cpu_ns + cost.kick_ns + cost.notify_ns + cost.interrupt_ns) / S, io_cpu_s=cost.host_cpu_ns / S,
        delay_s=(cost.latency_ns + cost.wake_ns) / S,
    )
    return each.times(one.requests)
