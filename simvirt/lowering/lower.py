"""From words to rows: the only place where a scenario becomes tables."""

from dataclasses import dataclass

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry, Platform
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import INTERNAL, Arrangement, Host, arrange, row_of
from simvirt.lowering.balancers import Balancers
from simvirt.lowering.container_paths import (
    CONNTRACK,
    locks_connections,
)
from simvirt.lowering.cpus import cpu_table, idle_wakeup, machine_table
from simvirt.lowering.device_rows import device_table
from simvirt.lowering.entering import entry_of, trace_column
from simvirt.lowering.errands import (
    Background,
    Errand,
    Management,
    background_threads,
    flusher,
    management_errands,
    receive_work,
    reclaim_errand,
    softirq_work,
    start_ups,
)
from simvirt.lowering.guards import FRAME_COLUMNS, Guard, guard_tables
from simvirt.lowering.hosts import cstate_table, disk_table, host_table, miss_table
from simvirt.lowering.limiters import limiter_table
from simvirt.lowering.locks import Locks, locks_of
from simvirt.lowering.memory_needs import Memory, follows, memory_of
from simvirt.lowering.network import link_table, route_table, topology_of
from simvirt.lowering.network_threads import add_network_threads
from simvirt.lowering.program import Writer
from simvirt.lowering.queues import queue_table, width_of
from simvirt.lowering.rows import Columns, blank, chain_frames, column_of, fill
from simvirt.lowering.service_rows import service_table
from simvirt.lowering.sharing import Sharing, cache_table, class_table, sharing, socket_table
from simvirt.lowering.sites import Site, sites_of
from simvirt.lowering.topics import MESSAGE_COLUMNS, Subscription, subscriptions, topic_tables
from simvirt.lowering.traffic import Entry, RequestClass, clients_of, hop_of, ranks_of, request_classes, source_table, tallies_table
from simvirt.lowering.volumes import add_servers
from simvirt.lowering.writers import writers_of
from simvirt.memory.caching import Beneath, Key
from simvirt.network.topology import Topology
from simvirt.scenario.spec.models import Scenario
from simvirt.workload.draws import Variables
from simvirt.workload.streams import REFILLS, Phases

QUOTA_SLICE_NS = 5_000_000  # Linux sched_cfs_bandwidth_slice_us
STARTS = (k.OP_CALL, k.OP_ASK, k.OP_DISK, k.OP_IO, k.OP_ARRIVE, k.OP_DETACH, k.OP_BELL, k.OP_TRY, k.OP_RETRY, k.OP_SEND, k.OP_DELIVER)
"""Instructions that may start a frame each."""
MANY = (k.OP_FORK, k.OP_PUBLISH)
"""Instructions that start a frame for each branch or subscriber."""
SPARE_FRAMES, FIRST_FRAMES = 64, 256
"""Frames beyond those that one event may start, however long its itinerary; frames at the start beyond twice those that must be free.

With fewer at the start tables grow sooner, which takes time and changes nothing; each of many instances will have a thread before long.
"""


@dataclass(frozen=True)
class Lowered:
    """A scenario on a platform, ready to run: tables, and what is needed to read them."""

    scenario: Scenario
    platform: Platform
    arrangement: Arrangement
    services: list[str]
    classes: list[RequestClass]
    variables: list[Variables]
    trace_columns: list[int | None]
    startup: dict[str, Errand]
    reclaim: Errand | None
    management: Management | None
    background: list[Background]
    places: list[tuple[int, str]]  # first instruction of each body of the program, the operation that it carries out or ""
    tables: dict[str, Columns]
    width: int
    memories: list[Memory]  # of each host
    asks: dict[Key | Beneath, int]  # what page caches are asked, with its number in the table of misses
    locks: Locks
    topology: Topology
    wakes: tuple[tuple[float, float], ...]  # of each kind of host: what `idle_wakeup` says of its vCPUs
    guards: list[Guard]  # in the order of their rows

    @property
    def subscriptions(self) -> list[Subscription]:
        """Who subscribes to topics, in the order of their rows."""
        return subscriptions(self.scenario)

    @property
    def hosts(self) -> list[HostEntry]:
        """The hosts' entries in the catalogue."""
        return [host.entry for host in self.arrangement.hosts]

    @property
    def memory(self) -> Memory:
        """The memory of the first host, which has what is the same on all: costs, and whether it is followed."""
        return self.memories[0]


def lower(scenario: Scenario, catalog: Catalog, platform: Platform, phases: Phases) -> Lowered:
    """Tables for one replication; `phases` draws the offsets of ticks, quota periods and background cycles."""
    return lower_onto(sites_of(scenario, catalog), scenario, catalog, platform, phases)


def lower_onto(sites: list[Site], scenario: Scenario, catalog: Catalog, platform: Platform, phases: Phases) -> Lowered:
    """The same on hosts that differ from those of the scenario."""
    plan = arrange(scenario, platform, sites, follows(scenario, platform))
    memories = _memories(scenario, catalog, platform, plan)
    memory = memories[0]
    add_network_threads(plan, scenario, platform)
    volumes = add_servers(plan, scenario, catalog)
    services = [*plan.services, *INTERNAL]
    locks = locks_of(scenario, plan, (CONNTRACK,) if locks_connections(scenario, platform) else ())
    balancers = Balancers(scenario, plan)
    writers = writers_of(scenario, catalog, platform, plan, services, memory, locks, balancers, volumes)
    writer = writers[0]
    classes = request_classes(scenario)
    variables = [Variables() for _ in classes]
    entries = [entry_of(writer, of, drawn, hop_of(of, writer.paths.hop)) for of, drawn in zip(classes, variables, strict=True)]
    startup = start_ups(plan, writer)
    background = background_threads(scenario, platform, plan, writer, phases)
    trace = [trace_column(writer, of, entry, drawn) for of, entry, drawn in zip(classes, entries, variables, strict=True)]
    managed = management_errands(plan, writer, catalog)
    reclaim, receive, flushing = reclaim_errand(memory, writer), receive_work(plan, writer), flusher(writer)
    drain = softirq_work(plan, writer)
    errands = [*startup.values(), *([reclaim] if reclaim is not None else []), *([managed.native, managed.guest] if managed else [])]
    width = max([len(drawn.variables) for drawn in (*variables, *(errand.variables for errand in errands))], default=0) or 1
    profiles = {name: catalog.profile(scenario.services[name]) for name in plan.services}
    shared = sharing(plan, platform, profiles, [{name: max(one.added(name), 0.0) for name in plan.services} for one in writers])
    topology = topology_of([site.named.name for site in sites], [site.entry for site in sites], catalog, scenario.network)
    builder = Tables(plan, services, writers, phases, shared, platform, memories, locks, topology, balancers)
    tables = builder.build(scenario, classes, entries, width, len(background))
    tables["run"]["receive"][:], tables["run"]["flush"][:], tables["run"]["drain"][:] = receive, flushing, drain
    tables["run"]["notice"][:] = scenario.unanswered_ns
    return Lowered(
        scenario, platform, plan, services, classes, variables, trace, startup, reclaim, managed, background, writer.program.places,
        tables, width, memories, writer.text.asks, locks, topology, tuple(idle_wakeup(one.paths.costs) for one in writers),
        list(writer.text.guards.rows),
    )


def _memories(scenario: Scenario, catalog: Catalog, platform: Platform, plan: Arrangement) -> list[Memory]:
    """The memory of each host; hosts that are alike and have the same replicas share it."""
    followed, memories = follows(scenario, platform), []
    found: dict[tuple[int, ...], Memory] = {}
    several = len(plan.hosts) > 1
    for host in plan.hosts:
        counts = {name: host.counts.get(name, 0) for name in plan.services}
        key = (id(host.site.view), id(host.entry), *counts.values())
        if key not in found:
            found[key] = memory_of(host.site.view, catalog, platform, host.entry, followed, counts if several else None)
        memories.append(found[key])
    return memories


class Tables:
    """Builds the tables of an arrangement; one method a table."""

    def __init__(
        self, plan: Arrangement, services: list[str], writers: list[Writer], phases: Phases, shared: Sharing, platform: Platform,
        memories: list[Memory], locks: Locks, topology: Topology, balancers: Balancers,
    ) -> None:
        self.balancers = balancers
        self.memories, self.locks, self.writers, self.topology = memories, locks, writers, topology
        self.shared, self.seen = shared, platform.topology == "exposed"
        self.plan, self.services, self.program, self.phases = plan, services, writers[0].program, phases
        self.first_cpu = np.concatenate([[0], np.cumsum(column_of(plan.machines, "cpus"))]).astype(int)
        self.n_cpus = int(self.first_cpu[-1])
        self.first_queue = self._first_queues()
        self.n_queues = self.first_queue[-1]
        self.n_vcpus = sum(host.vcpus for host in plan.hosts)

    def _first_queues(self) -> list[int]:
        """First queue row of each group, and the number of queues; root queues come first, a row a CPU."""
        first, rows = self.n_cpus, []
        for group in self.plan.groups:
            rows.append(first)
            first += width_of(self.plan, group)
        return [*rows, first]

    def build(
        self, scenario: Scenario, classes: list[RequestClass], entries: list[Entry], width: int, n_background: int
    ) -> dict[str, Columns]:
        """All tables, by their attribute in the plane."""
        costs = [writer.paths.costs for writer in self.writers]
        guards, callers = guard_tables(self.writers[0].text.guards, column_of(self.plan.instances, "service"))
        clients = clients_of(scenario)
        subscribed, ranks = subscriptions(scenario), self.ranks(classes)
        lines, consumers = topic_tables(subscribed, self.services, column_of(self.plan.instances, "service"))
        spare = SPARE_FRAMES + sum(max(row.entry, 1) if row.op in MANY else row.op in STARTS for row in self.program.rows)
        many = len(self.plan.instances) if len(self.plan.instances) > FIRST_FRAMES else 0
        frames = FIRST_FRAMES + many + sum(clients) + n_background + 2 * spare
        first_turn, begins = self.balancers.turns(before=max(len(self.plan.instances), 1))
        tables = {
            "run": self.run(spare, frames),
            "hosts": host_table(self.plan, self.shared, self.topology.spots().of_host),
            "misses": miss_table(self.memories, self.writers[0].text.asks),
            "machines": machine_table(self.plan, self.shared, self.first_cpu),
            "cpus": cpu_table(self.plan, self.seen, self.first_cpu, self.n_queues, self.phases, [idle_wakeup(of) for of in costs]),
            "classes": class_table(self.shared, self.plan),
            "caches": cache_table(self.shared, self.plan, self.n_cpus),
            "cstates": cstate_table(self.plan),
            "sockets": socket_table(self.shared, self.plan, self.first_cpu),
            "stacks": blank(t.IdleStacks, rows=self.n_cpus),
            "queues": queue_table(self.plan, self.first_cpu, self.n_queues),
            "entities": self.entities(frames),
            "groups": self.groups(),
            "services": service_table(scenario, self.plan, self.services, begins),
            "instances": self.instances(first_turn, ranks),
            "devices": device_table(self.plan, self.writers),
            "frames": blank(
                t.Frames, rows=frames, spent=frames * k.N_CATEGORIES, draws=frames * width,
                **dict.fromkeys(FRAME_COLUMNS, frames if self.writers[0].text.guards.rows else 1),
                **dict.fromkeys(MESSAGE_COLUMNS, frames if subscribed else 1), front=frames if ranks else 1),
            "program": self.program_table(),
            "disks": disk_table(self.plan, self.memories[0].costs),
            "links": link_table(self.topology, frames),
            "routes": route_table(self.topology),
            "source": source_table(classes, entries, width, scenario, self.writers[0].paths.hop),
            "tallies": tallies_table(classes, len(clients)),
            "guards": guards,
            "callers": callers,
            "subscriptions": lines,
            "consumers": consumers,
            "ranks": blank(t.Ranks, rows=max(ranks * len(self.plan.instances), 1)),
            "locks": self.locks.table(),
            "trace": blank(t.Trace, rows=1),
        }
        tables["limiters"] = limiter_table(self.plan.instances, scenario.services, tables["instances"])
        tables["run"]["subscriptions"][:], tables["run"]["ranks"][:] = len(subscribed), ranks
        tables["machines"]["first_lock"][:] = self.locks.first[1][:-1]
        tables["calendar"] = blank(t.Calendar, rows=int(tables["run"]["first_frame_timer"][0]) + frames, size=1)
        tables["calendar"]["size"][0] = 0
        self._list_idle(tables)
        chain_frames(tables, 0, frames)
        return tables

    def run(self, spare: int, frames: int) -> Columns:
        """The run's own row: where each kind of timer and entity begins."""
        n_groups, n_machines = len(self.plan.groups), len(self.plan.machines)
        first_thread = self.n_queues + self.n_vcpus
        return fill(
            blank(t.Run, rows=1, signals=2 * k.MOST_SIGNALS),
            first_cpu_timer=[n_groups],
            first_machine_timer=[n_groups + self.n_cpus],
            first_link_timer=[n_groups + self.n_cpus + n_machines],
            first_frame_timer=[n_groups + self.n_cpus + n_machines + len(self.topology.links)],
            first_vcpu=[self.n_queues],
            first_thread=[first_thread],
            fresh_entity=[first_thread],
            loops=[int(any(instance.loops for instance in self.plan.instances))],
            limited=[int(any(group.fence.quota > 0 for group in self.plan.groups))],
            spare=[spare],
            frames=[frames],
            entities=[first_thread + frames],
        )

    def entities(self, frames: int) -> Columns:
        """Group entities and vCPUs; threads come into being as they are needed."""
        first_thread = self.n_queues + self.n_vcpus
        columns = blank(t.Entities, rows=first_thread + frames)
        rows = [row for host in self.plan.hosts for row in self._vcpus(host)]
        for name, values in zip(("group", "carries", "machine", "cpu", "pin"), zip(*rows, strict=True), strict=False):
            columns[name][self.n_queues : first_thread] = values
        return columns

    def _vcpus(self, host: Host) -> list[tuple[int, int, int, int, int]]:
        """The vCPUs of a host: VM, CPU, the host's machine, the pCPU where each begins, and that which it is pinned to."""
        found: list[tuple[int, int, int, int, int]] = []
        first = int(self.first_cpu[host.machine])
        for machine in self.plan.guests_of(host):
            assert machine.vm is not None
            for n in range(machine.cpus):
                cpu = first + (machine.pins[n] if machine.pins else len(found) % host.entry.pcpus)
                carries = int(self.first_cpu[machine.row]) + n
                found.append((machine.vm.row, carries, host.machine, cpu, cpu if machine.pins else k.NONE))
        return found

    def groups(self) -> Columns:
        """cgroups and VMs."""
        groups = self.plan.groups
        masks = [self.first_cpu[g.machine] + c for g in groups for c in g.fence.cpuset]
        sizes = [len(g.fence.cpuset) for g in groups]
        per_machine = np.bincount(column_of(groups, "machine"), minlength=len(self.plan.machines))
        if self.plan.moves:
            fluid = [host.machine for host in self.plan.hosts if self.plan.machines[host.machine].scheduler.policy == "gps"]
            per_machine[fluid] += sum(not group.per_task_weight for group in groups)
        return fill(
            blank(
                t.Groups, rows=len(groups), masks=max(len(masks), 1), fluid_active=int(per_machine.sum()),
                fluid_count=len(self.plan.machines), fluid_first=len(self.plan.machines),
            ),
            first_queue=self.first_queue[:-1],
            slice=np.full(len(groups), QUOTA_SLICE_NS),
            first_mask=np.cumsum([0, *sizes])[:-1],
            mask_cpus=sizes,
            masks=masks or [0],
            refilled_at=[-int(self.phases.of(REFILLS, *g.key) * g.fence.period) if g.fence.quota > 0 else 0 for g in groups],
            pool=[g.fence.quota if g.fence.start is None else g.fence.start for g in groups],
            machine=column_of(groups, "machine"),
            expires=[int(self.plan.machines[g.machine].expires) for g in groups],
            fluid_first=np.cumsum([0, *per_machine])[:-1],
            each=[int(g.affinity or self.plan.machines[g.machine].scheduler.weighs_each) for g in groups],
            **{name: column_of(column_of(groups, "fence"), name) for name in ("shares", "reserve", "quota", "period", "burst")},
        )

    def ranks(self, classes: list[RequestClass]) -> int:
        """Priorities of requests that differ, 0 where all are alike."""
        found = len(set(ranks_of(classes)))
        return found if found > 1 else 0

    def instances(self, first_turn: list[int], ranks: int) -> Columns:
        """Replicas, which the control plane places; with so many ranks of calls."""
        first_rank = [i.row * ranks if i.service not in INTERNAL else k.NONE for i in self.plan.instances] if ranks else [k.NONE]
        instances, rows = self.plan.instances, {name: row for row, name in enumerate(self.services)}
        return fill(
            blank(t.Instances, rows=max(len(instances), 1), first_rank=len(first_rank)),
            first_rank=first_rank,
            service=[rows[i.service] for i in instances],
            threads=[k.NEVER if i.threads == "unlimited" else i.threads for i in instances],
            loops=column_of(instances, "loops"),
            receiver=[row_of(self.plan.receivers.get(i.machine)) if i.service not in INTERNAL else k.NONE for i in instances],
            queue_limit=[k.NEVER if i.queue == "unlimited" else i.queue for i in instances],
            softirq=[row_of(self.plan.beside.get(i.row)) for i in instances],
            softirqs=column_of(instances, "softirqs"),
            poll=column_of(instances, "poll"),
            profile=self.shared.of_instance,
            first_lock=self.locks.first[0][:-1],
            first_turn=first_turn,
        )

    def program_table(self) -> Columns:
        """Instructions."""
        rows = self.program.rows
        columns = blank(t.Program, rows=max(len(rows), 1), branches=max(len(self.program.branches), 1))
        if rows:
            fill(columns, **{name: column_of(rows, name) for name in columns if name != "branches"})
        if self.program.branches:
            fill(columns, branches=self.program.branches)
        return columns

    def _list_idle(self, tables: dict[str, Columns]) -> None:
        """All CPUs are idle; the first ones lie on top of the stacks."""
        cpus, stacks, machines = tables["cpus"], tables["stacks"], tables["machines"]
        for machine in self.plan.machines:
            first = self.first_cpu[machine.row]
            order = range(first + machine.cpus - 1, first - 1, -1)
            for place, c in enumerate(order):
                stacks["cpus"][first + place] = stacks["cores"][first + place] = c
                cpus["idle_slot"][c] = cpus["core_slot"][c] = place
            machines["idle_cpus"][machine.row] = machines["idle_cores"][machine.row] = machine.cpus
