"""Rows of hosts, and of what each has for itself: idle states, a disk."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from simvirt.catalog.entries.capacity import ReclaimEntry
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement, Host
from simvirt.lowering.memory_needs import Memory
from simvirt.lowering.network import DIRECTIONS
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.lowering.sharing import Sharing, reloads
from simvirt.memory.caching import Beneath, Key

MIB = 2**20


def host_table(plan: Arrangement, shared: Sharing, spots: Sequence[int]) -> Columns:
    """What each host has in other tables, and which mechanisms act on it."""
    hosts, n = plan.hosts, len(plan.hosts)
    states = [len(host.entry.cstates) for host in hosts]
    standing, wide = Counter(plan.host_of(instance).row for instance in plan.instances), _with_wide_guests(plan)
    return fill(
        blank(t.Hosts, rows=n),
        machine=[host.machine for host in hosts],
        kind=[host.kind for host in hosts],
        first_disk=np.arange(n),
        first_link=np.arange(n) * DIRECTIONS,
        spot=spots,
        first_cstate=np.cumsum([0, *(1 + count for count in states)])[:-1],
        cstates=states,
        interference=shared.acts,
        coscheduled=[
            plan.machines[host.machine].scheduler["costop"] > 0 and (host.row in wide or (plan.moves and bool(wide))) for host in hosts],
        cores=[plan.machines[host.machine].scheduler.cores and host.entry.smt > 1 for host in hosts],
        switches=[_switches(plan, host, standing[host.row]) for host in hosts],
        reloads=[reloads(shared, host) for host in hosts],
        process_switch=[host.entry.switch_ns(vcpu=False) for host in hosts],
        vcpu_switch=[host.entry.switch_ns(vcpu=True) for host in hosts],
        core_cache=[host.entry.family.core_cache or 0 for host in hosts],
    )


def _switches(plan: Arrangement, host: Host, instances: int) -> bool:
    """Whether a host has several processes or vCPUs, so that changing them costs something; a fluid host never does."""
    several = host.vcpus + instances > 1 or plan.moves
    return several and host.entry.switching and plan.machines[host.machine].scheduler.policy != "gps"


def _with_wide_guests(plan: Arrangement) -> set[int]:
    """Hosts with VMs of several vCPUs, which a scheduler may hold back that have got ahead of their siblings."""
    return {machine.host for machine in plan.machines if machine.vm is not None and machine.cpus > 1}


def miss_table(memories: Sequence[Memory], asks: Mapping[Key | Beneath, int]) -> Columns:
    """How often page caches of each host have not what they are asked for; data that no operation reads, as a start-up may, are in none."""
    ratios = [1.0 - memory.hits.get(key, 0.0) for memory in memories for key in asks]
    return fill(blank(t.Misses, rows=max(len(ratios), 1), asked=1), asked=[len(asks)], ratio=ratios or [0.0])


def cstate_table(plan: Arrangement) -> Columns:
    """Idle states of each host, after one in which a thread is awake."""
    residencies = [time for host in plan.hosts for time in (0, *(round(state.residency) for state in host.entry.cstates))]
    exits = [time for host in plan.hosts for time in (0, *(round(state.exit) for state in host.entry.cstates))]
    return fill(blank(t.Cstates, rows=len(exits)), residency=residencies, exit=exits)


def disk_table(plan: Arrangement, costs: ReclaimEntry) -> Columns:
    """The disk of each host, and how its page cache writes back: limits are shares of the memory that the system leaves."""
    disks, n = [host.entry.disk for host in plan.hosts], len(plan.hosts)
    dirtyable = np.array([max(host.entry.memory - host.entry.system_memory, 0) for host in plan.hosts])
    return fill(
        blank(t.Disks, rows=n),
        channels=[disk.channels for disk in disks],
        write_path=[1e9 / disk.write_throughput for disk in disks],
        write_turn=[disk.passage_ns(0, True) for disk in disks],
        write_latency=[disk.latency_ns(True) for disk in disks],
        write_stream=[(disk.longer_ns(2 * MIB, True) - disk.longer_ns(MIB, True)) / MIB for disk in disks],
        chunk=[costs.write_chunk] * n,
        background_limit=costs.dirty_background * dirtyable,
        dirty_limit=costs.dirty_most * dirtyable,
        interval=[round(costs.flush_interval)] * n,
        expiry=[round(costs.dirty_expiry)] * n,
    )
