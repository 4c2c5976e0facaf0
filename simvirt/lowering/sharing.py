"""Classes of software as they meet in shared hardware and kernels, and the sockets where they meet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from simvirt.catalog.entries.software import ProfileEntry
from simvirt.catalog.records import HostEntry, Platform
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement, Host
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.lowering.topology import remote_share, socket_of

LINE = 64  # bytes of a line of a cache


@dataclass(frozen=True)
class SoftwareClass:
    """One row of the table of classes."""

    steady: float = 1.0
    stall: float = 0.0
    traffic: float = 0.0
    process_cache: float = 0.0
    thread_cache: float = 0.0
    reuses: int = 0
    smt_share: float = 0.5
    kernel_share: float = 0.0
    shootdowns: float = 0.0
    claimed: float = 0.0
    touched_in: float = 0.0
    refill: float = 0.0
    reload: float = 0.0
    crosses: float = 0.0
    apart: float = 0.0
    farther: float = 1.0
    nodes: tuple[int, ...] = ()

    @property
    def uses_memory(self) -> bool:
        """Whether it takes part in the memory or the cache of a socket."""
        return self.stall > 0 or self.traffic > 0 or self.process_cache > 0 or self.thread_cache > 0


@dataclass(frozen=True)
class Sharing:
    """All classes, the class of each instance, and on which hosts any of them matters."""

    classes: list[SoftwareClass]
    of_instance: list[int]
    acts: list[bool]

    def of_hosts(self, plan: Arrangement) -> list[list[SoftwareClass]]:
        """The classes of what runs on each host."""
        if plan.moves:
            return [list(self.classes) for _ in plan.hosts]
        rows: list[set[int]] = [set() for _ in plan.hosts]
        for instance, row in zip(plan.instances, self.of_instance, strict=True):
            rows[plan.host_of(instance).row].add(row)
        return [[self.classes[row] for row in sorted(of_host)] for of_host in rows]


def sharing(plan: Arrangement, platform: Platform, profiles: dict[str, ProfileEntry], added: Sequence[Mapping[str, float]]) -> Sharing:
    """Classes of a plan; `added` is the platform's work per unit of a service's own, on each kind of host.

    The fluid scheduler knows no hardware threads.
    """
    neutral = [SoftwareClass(smt_share=host.entry.smt_yield / 2) for host in plan.hosts]
    rows = {kind: row for row, kind in enumerate(dict.fromkeys(neutral))}
    own = [rows[kind] for kind in neutral]
    found, acts = [], [False] * len(plan.hosts)
    for instance in plan.instances:
        host = plan.host_of(instance)
        kind = neutral[host.row]
        if instance.service in profiles:
            machine, nodes = plan.machines[instance.machine], plan.nodes.get(instance.service, ())
            remote = remote_share(host.entry, platform, machine.cpus, machine.pins) if machine.vm is not None else 0.0
            kind = software_class(profiles[instance.service], host.entry, remote, added[host.kind][instance.service], nodes)
        found.append(rows.setdefault(kind, len(rows)))
        acts[host.row] |= found[-1] != own[host.row] and plan.machines[host.machine].scheduler.policy != "gps"
    if plan.moves:
        acts = [any(acts) and plan.machines[host.machine].scheduler.policy != "gps" for host in plan.hosts]
    return Sharing(list(rows), found, acts)


def software_class(
    profile: ProfileEntry, host: HostEntry, remote: float, added: float, nodes: tuple[int, ...] = (),
) -> SoftwareClass:
    """A profile on a host, with a share of remote accesses, the platform's work per unit of its own, and the nodes of its memory.

    *Model*: a remote access takes `remote_latency` times as long; data that are spread over the sockets anyway are no farther in a VM.
        What is bound to one node is spread over none.
        What the platform adds computes and does not wait for memory, so that its part of the time shrinks where memory is slow. A program
        that claims more than the cache streams through it: it fills all of it, and has no hits to lose.
        Threads of a process share `llc`; each brings `thread_llc`. What uses no memory is no farther from any.
    """
    stall = profile.stall or 0.0
    llc, family = host.family.llc or 0, host.family
    shared, own = float(profile.llc or 0), float(profile.thread_llc or 0)
    reuses = 0 < shared + own <= llc
    alone = math.sqrt(llc) if reuses else 1.0
    farther, anyway = (family.remote_latency or 1.0) - 1.0, profile.remote_share or 0.0
    crosses = 0.0 if len(nodes) == 1 else max(remote, anyway)
    longer = (1.0 + crosses * farther) / (1.0 + anyway * farther)
    kind = SoftwareClass(
        steady=(1.0 - stall + added) / (1.0 + added), stall=stall * longer / alone / (1.0 + added),
        traffic=(profile.memory_bandwidth or 0.0) / 1e9 / alone / (1.0 + added),
        process_cache=min(shared, llc), thread_cache=min(own, llc), reuses=int(reuses),
        smt_share=(host.smt_yield if profile.smt_yield is None or host.smt == 1 else profile.smt_yield) / 2,
        kernel_share=profile.kernel_share or 0.0, shootdowns=(profile.shootdowns or 0.0) / 1e9,
        crosses=crosses, apart=crosses * (1.0 + farther) / (1.0 + crosses * farther), farther=1.0 + farther, nodes=nodes,
        **_reloading(profile, host),
    )
    return kind if kind.uses_memory else replace(kind, crosses=0.0, apart=0.0, farther=1.0, nodes=())


def _reloading(profile: ProfileEntry, host: HostEntry) -> dict[str, float]:
    """How fast a profile touches the cache that it claims, and what a byte costs it that it has to fetch again: see `kernel/switching.py`.

    *Model*: misses of a program that holds W bytes are the slope of its footprint W (t / T)^(2/3) at T, so that its traffic b is 2 W / 3 T.
        Its stall over that traffic is what a byte costs it, no more than a line at a time at the latency of memory.
    """
    claim, traffic, family = float(profile.llc or 0) + float(profile.thread_llc or 0), (profile.memory_bandwidth or 0.0) / 1e9, host.family
    if not claim or not traffic or not family.llc:
        return {}
    kept = min(claim, family.llc)
    touched_in = claim / (1.5 * traffic) * (kept / claim) ** 1.5
    refill = (profile.stall or 0.0) / traffic
    if family.memory_latency is None:
        return {"claimed": kept, "touched_in": touched_in, "refill": refill}
    refill = min(refill, family.memory_latency / LINE)
    nearer = family.llc_latency / host.clock_hz * 1e9 / family.memory_latency if family.llc_latency is not None else 0.0
    return {"claimed": kept, "touched_in": touched_in, "refill": refill, "reload": refill * min(nearer, 1.0)}


def class_table(found: Sharing, plan: Arrangement) -> Columns:
    """The classes as columns."""
    names = [name for name in SoftwareClass.__dataclass_fields__ if name != "nodes"]
    values = {name: [getattr(kind, name) for kind in found.classes] for name in names}
    sockets = [(first, n) for first, of_host in _places(plan) for n in range(of_host)]
    memory = [first + _node(kind.nodes, n) for kind in found.classes for first, n in sockets]
    return fill(blank(t.Classes, rows=len(found.classes), memory=len(memory)), **values, memory=memory)


def _places(plan: Arrangement) -> list[tuple[int, int]]:
    """The first socket of each host, and how many it has."""
    counts = [host.entry.sockets for host in plan.hosts]
    return list(zip(accumulate(counts, initial=0), counts, strict=False))


def _node(nodes: tuple[int, ...], socket: int) -> int:
    """Where memory is taken on a socket: there, or from the first node that is allowed.

    *Source*: Linux Documentation/admin-guide/mm/numa_memory_policy.rst: the local node, else the others in order of distance.
    """
    return socket if not nodes or socket in nodes else nodes[0]


def _uses_far(host: HostEntry, kind: SoftwareClass) -> bool:
    """Whether a class may use other sockets' memory so that the way there matters: bound, or more of it than the way there has room for."""
    family = host.family
    bound = kind.uses_memory and any(_node(kind.nodes, n) != n for n in range(host.sockets))
    return bound or kind.crosses * (family.memory_bandwidth or 0.0) > (family.remote_bandwidth or math.inf)


def socket_table(found: Sharing, plan: Arrangement, first_cpu: np.ndarray) -> Columns:
    """The sockets of all hosts, with the hardware threads of each."""
    of_host = [host for host in plan.hosts for _ in range(host.entry.sockets)]
    members = [first_cpu[host.machine] + cpu for host in plan.hosts for cpu in _by_socket(host.entry)]
    each, n = [host.entry.pcpus // host.entry.sockets for host in of_host], len(of_host)
    uses = [found.acts[host.row] and any(kind.uses_memory for kind in found.classes) for host in of_host]
    llc = [host.entry.family.llc or 0 for host in of_host]
    floor = [math.sqrt(size) if size else 1.0 for size in llc]
    classes = found.of_hosts(plan)
    far = {host.row for host in plan.hosts if found.acts[host.row] and any(_uses_far(host.entry, kind) for kind in classes[host.row])}
    most = max(host.entry.sockets for host in plan.hosts)
    columns = len(found.classes) * (2 if far else 1)
    return fill(
        blank(
            t.Sockets, rows=n, members=len(members), load=n * columns, classes=1, threads=most * len(plan.instances), most=1, stride=1,
            sockets=1,
        ),
        far_used=[host.row in far for host in of_host], link=[(host.entry.family.remote_bandwidth or 0.0) / 1e9 for host in of_host],
        first=[first for first, count in _places(plan) for _ in range(count)], of_host=[host.entry.sockets for host in of_host],
        stride=[columns], sockets=[n], asker=range(n), far=[1.0] * n,
        shared=uses, bandwidth=[(host.entry.family.memory_bandwidth or 0.0) / 1e9 for host in of_host], llc=llc,
        floor=floor, misses=floor, latency=[1.0] * n, first_member=np.cumsum([0, *each])[:-1], member_count=each,
        classes=[len(found.classes)], most=[most], members=members,
    )


def cache_table(found: Sharing, plan: Arrangement, cpus: int) -> Columns:
    """What processes hold of the caches of cores and sockets: nothing yet."""
    used = any(reloads(found, host) for host in plan.hosts)
    rows = k.WAYS * cpus + k.SOCKET_WAYS * sum(host.entry.sockets for host in plan.hosts) if used else 1
    return fill(blank(t.Caches, rows=rows, first_of_sockets=1), first_of_sockets=[k.WAYS * cpus])


def reloads(found: Sharing, host: Host) -> bool:
    """Whether some software of a host finds its caches filled by others."""
    return host.entry.switching and found.acts[host.row] and any(kind.touched_in > 0 for kind in found.classes)


def _by_socket(host: HostEntry) -> list[int]:
    """A host's hardware threads, socket by socket."""
    return sorted(range(host.pcpus), key=lambda cpu: (socket_of(host, cpu), cpu))


def most(found: Sharing, plan: Arrangement, name: str) -> list[float]:
    """For each machine the largest value of a class that may run there; 0 where classes do not act."""
    values = [0.0] * len(plan.machines)
    each = [getattr(kind, name) for kind in found.classes]
    pairs = {(instance.machine, row) for instance, row in zip(plan.instances, found.of_instance, strict=True)}
    if plan.moves:
        pairs |= {(machine.row, row) for machine in plan.machines for row in range(len(found.classes))}
    for machine, row in pairs:
        if found.acts[plan.machines[machine].host]:
            values[machine] = max(values[machine], each[row])
    return values
