"""One replication measured: what happened between the end of the warm-up and the end of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simvirt.catalog.heeded import unheeded
from simvirt.gauges import Mark, Snapshot
from simvirt.kernel.constants import NONE
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL, LOAD_SERVICE, host_scheduler
from simvirt.lowering.enforcement import sentences
from simvirt.lowering.network import DIRECTIONS
from simvirt.memory.ledger import Ledger
from simvirt.memory.working_set import Load
from simvirt.metrics import credits
from simvirt.metrics.answers import S, Seen, Spread, ends_of, mean_s, ratio, workloads_seen
from simvirt.metrics.layout import layout_of
from simvirt.metrics.memory_use import MemoryUsed, limits_of, memory_used, reclaim_of
from simvirt.metrics.messages import conservation, messages
from simvirt.metrics.messages import used as consumers_used
from simvirt.metrics.outcome import BEHIND, Growth, Outcome, ServiceOutcome
from simvirt.metrics.resilience import guarded
from simvirt.metrics.saturated import USED_UP
from simvirt.metrics.statistics import growing
from simvirt.plane import DataPlane

DEVICE_TOTALS = ("operations", "notifications", "interrupts")


def measured(
    plane: DataPlane, first: Snapshot, last: Snapshot, end: Snapshot, *, wall_s: float, arriving: Sequence[Mark],
    courses: Sequence[Spread], series: dict[str, Any],
) -> Outcome:
    """The numbers of the window between two snapshots of a run that ended at a third; `courses` of all requests, then of each workload."""
    span = (last.at - first.at) / S or float("nan")
    services = _services(plane, first, last, span)
    resources = _resources(plane, services, first, last, span)
    seen, used = Seen(plane, first, last, end), memory_used(plane, _loads(plane, services, end))
    return Outcome(
        events=end.events,
        wall_s=wall_s,
        **seen.answers(courses[0], range(len(plane.lowered.classes))),
        workloads=workloads_seen(seen, courses[1:]),
        **_cpu(plane, first, last, span),
        **_memory(plane, used),
        services=services,
        resources=resources,
        devices=_devices(plane, first, last),
        notes=_notes(plane),
        checks=checks(plane, end),
        unstable=_unstable(arriving, max(resources.values(), default=0.0)),
        full_at_s=end.at / S if plane.full else None,
        cut_off=plane.cut_off,
        series=series,
        layout=layout_of(plane.lowered.arrangement),
        hosts=_hosts(plane, first, last, span, used.of_hosts),
        links=links_used(plane, first, last),
        guarded=guarded(plane, first, last, span),
        messages=messages(plane, first, last, span),
    )


def _notes(plane: DataPlane) -> tuple[str, ...]:
    """What the platform does not do of what the scenario says; what is left of credits."""
    lowered = plane.lowered
    policy = host_scheduler(lowered.arrangement.hosts[0].site.view, lowered.platform).policy
    limits = sentences(lowered.scenario.services, lowered.platform, policy)
    return (*limits, *unheeded(lowered.scenario.services, lowered.platform), *credits.remarks(plane))


def _cpu(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> dict[str, Any]:
    """Shares of CPU time."""
    return {
        "utilisation": _host_busy(plane, first, last) / S / span / _pcpus(plane, first, last),
        "steal": _steal_ratio(plane, first, last),
        "costop": _costop_ratio(plane, first, last),
        "throttled": _throttled_ratio(plane, first, last, span),
        "virtualization": _virtualization(plane, first, last),
    }


def _hosts(
    plane: DataPlane, first: Snapshot, last: Snapshot, span: float, ledgers: Sequence[Ledger]
) -> dict[str, dict[str, float]]:
    """How full each of several hosts is, by its name."""
    hosts = plane.lowered.arrangement.hosts
    if len(hosts) == 1:
        return {}
    used = hosts_used(plane, first, last, span)
    used["memory"] = np.array([1.0 - one.free / one.capacity for one in ledgers])
    return {host.site.named.name: {kind: float(values[host.row]) for kind, values in used.items()} for host in hosts}


def links_used(plane: DataPlane, first: Snapshot, last: Snapshot) -> dict[str, float]:
    """What the links beyond the hosts' own NICs carried, over what they can, by their ends; nothing over no time."""
    links, nics = plane.lowered.topology.links, DIRECTIONS * len(plane.lowered.hosts)
    passed, time = last.link_passed - first.link_passed, max(last.at - first.at, 1)
    return {f"{link.source} > {link.to}": float(passed[row]) / time / link.bytes_per_ns for row, link in enumerate(links) if row >= nics}


def _memory(plane: DataPlane, used: MemoryUsed) -> dict[str, Any]:
    """Memory that is promised and used, and everything else that is limited in number."""
    return {
        "memory": {"capacity": sum(host.memory for host in plane.lowered.hosts), **plane.lowered.arrangement.memory},
        "ledger": used.ledger, "seen": used.seen,
        "limits": limits_of(plane),
        "reclaim": reclaim_of(plane),
    }


def _rows(plane: DataPlane, service: str) -> list[int]:
    return plane.instances_of(service)


def _service(plane: DataPlane, row: int, name: str, first: Snapshot, last: Snapshot, span: float) -> ServiceOutcome:
    """The numbers of one service."""
    rows = _rows(plane, name)
    completed = int(last.service_completed[row] - first.service_completed[row])
    groups = service_groups(plane, rows)
    return ServiceOutcome(
        latency_mean_s=mean_s(last.service_latency_sum[row] - first.service_latency_sum[row], completed),
        histogram=(histogram := last.service_latencies.row(row) - first.service_latencies.row(row)),
        ends_ns=ends_of(histogram, plane, "services", row),
        throughput_per_s=completed / span,
        queue_wait_s=mean_s(last.service_queue_wait[row] - first.service_queue_wait[row], completed),
        cpu_cores=float((last.cpu_time - first.cpu_time)[rows].sum()) / S / span,
        nr_throttled=float((last.nr_throttled - first.nr_throttled)[groups].sum()),
        nr_periods=float((last.nr_periods - first.nr_periods)[groups].sum()),
        throttled_s=float((last.throttled - first.throttled)[groups].sum()) / S,
        rejected=ratio((last.instance_rejected - first.instance_rejected)[rows].sum(), completed),
        costop_s=_costop_s(plane, rows, first, last),
        limit=_limit(plane, name, rows),
        threads_busy=float((last.thread_time - first.thread_time)[rows].sum()) / S / span,
    )


def _limit(plane: DataPlane, name: str, rows: list[int]) -> float | None:
    """Calls that a replica takes at once at the end, on average over them; None where that does not adapt."""
    if plane.lowered.scenario.services[name].limit is None:
        return None
    return float(np.floor(plane.read("limiters", "limit")[rows]).mean())


def service_groups(plane: DataPlane, rows: list[int]) -> list[int]:
    """Groups that fence a service's instances: their cgroups, or the VMs that are theirs alone."""
    plan = plane.lowered.arrangement
    found = set()
    for row in rows:
        instance = plan.instances[row]
        vm = plan.machines[instance.machine].vm
        if instance.group is not None and not instance.group.affinity:
            found.add(instance.group.row)
        elif vm is not None:
            found.add(vm.row)
    return sorted(found)


def _steal_ratio(plane: DataPlane, first: Snapshot, last: Snapshot) -> float:
    """Share of the time in which vCPUs were runnable that they did not run."""
    wanted = float((last.steal - first.steal).sum())
    return wanted / runnable if (runnable := wanted + _vcpu_time(plane, first, last)) > 0 else 0.0


def _holds_back(plane: DataPlane) -> bool:
    """Whether a host's scheduler holds vCPUs back."""
    return bool((plane.read("machines", "costop")[plane.read("hosts", "machine")] > 0).any())


def _costop_s(plane: DataPlane, rows: list[int], first: Snapshot, last: Snapshot) -> float | None:
    """Time that the vCPUs of a service's VMs were held back; None where no scheduler does so."""
    if not _holds_back(plane):
        return None
    of_cpu = plane.read("cpus", "vcpu")
    vcpus = of_cpu[np.isin(plane.read("cpus", "machine"), plane.read("instances", "machine")[rows]) & (of_cpu != NONE)]
    return float((last.costop - first.costop)[vcpus - int(plane.read("run", "first_vcpu")[0])].sum()) / S


def _costop_ratio(plane: DataPlane, first: Snapshot, last: Snapshot) -> float | None:
    """Share of the time in which vCPUs were runnable that they were held back for their siblings; None where no scheduler does so."""
    if not _holds_back(plane):
        return None
    runnable = float((last.steal - first.steal).sum()) + _vcpu_time(plane, first, last)
    return float((last.costop - first.costop).sum()) / runnable if runnable > 0 else 0.0


def _vcpu_time(plane: DataPlane, first: Snapshot, last: Snapshot) -> float:
    """Time that vCPUs ran [ns]."""
    plan = plane.lowered.arrangement
    guests = [i.row for i in plan.instances if plan.machines[i.machine].vm is not None]
    return float((last.cpu_time - first.cpu_time)[guests].sum()) if guests else 0.0


def hosts_used(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> dict[str, np.ndarray]:
    """Utilisation of each host's CPUs, disk and NIC, by kind of resource."""
    pcpus = np.array([host.pcpus for host in plane.lowered.hosts])
    busy, n = last.busy_of - first.busy_of, len(pcpus)
    polled = np.clip(last.polled_of - first.polled_of, 0, np.maximum(pcpus * (last.at - first.at) - busy, 0))
    channels = (last.disk_busy - first.disk_busy) / plane.read("disks", "channels")
    links = (last.link_busy - first.link_busy)[:DIRECTIONS * n].reshape(n, DIRECTIONS)
    return {
        "cpu": (busy + polled) / S / span / pcpus,
        "disk": np.maximum(channels, last.disk_passed - first.disk_passed) / S / span,
        "nic": links.max(axis=1) / S / span,
    }


def _host_resources(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> dict[str, float]:
    """The same by name: of the one host, or of each by its own name."""
    hosts = plane.lowered.arrangement.hosts
    if len(hosts) == 1:
        channels = (last.disk_busy - first.disk_busy) / plane.read("disks", "channels")
        return {
            "host.cpu": _host_busy(plane, first, last) / S / span / _pcpus(plane, first, last),
            "host.disk": float(np.maximum(channels, last.disk_passed - first.disk_passed).max()) / S / span,
        }
    used = hosts_used(plane, first, last, span)
    return {f"{host.site.named.name}.{kind}": float(values[host.row]) for kind, values in used.items() for host in hosts}


def _pcpus(plane: DataPlane, first: Snapshot, last: Snapshot) -> float:
    """Hardware threads of all hosts; in the mean where hosts come and go."""
    each = [host.pcpus for host in plane.lowered.hosts]
    if plane.there is None or last.at == first.at:
        return sum(each)
    return max(float((plane.there(last.at) - plane.there(first.at)) @ each) / (last.at - first.at), 1e-9)


def _throttled_ratio(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> float:
    """Mean share of the time in which the run queues of groups with a quota were throttled."""
    limited = plane.read("groups", "quota") > 0
    if not limited.any():
        return 0.0
    queues = plane.read("machines", "cpus")[plane.read("groups", "machine")[limited]].sum()
    return float((last.throttled - first.throttled)[limited].sum()) / S / span / int(queues)


def _virtualization(plane: DataPlane, first: Snapshot, last: Snapshot) -> float:
    """Share of busy CPU time that exists because of the platform: added work, backends, guest operating systems, polling."""
    busy = _host_busy(plane, first, last)
    whole = [*_rows(plane, GUEST_SERVICE), *_rows(plane, LOAD_SERVICE)]
    added = last.overhead_time - first.overhead_time
    added[whole] = (last.cpu_time - first.cpu_time)[whole]  # all of it, the part that the platform adds included
    extra = added.sum() + _polled(plane, first, last)
    return float(extra) / busy if busy else 0.0


def _host_busy(plane: DataPlane, first: Snapshot, last: Snapshot) -> int:
    """Time that pCPUs were not idle, all together, polling included [ns]."""
    return last.busy - first.busy + _polled(plane, first, last)


def _polled(plane: DataPlane, first: Snapshot, last: Snapshot) -> int:
    """Time that was spent on looking for work: no more than tasks left idle, for whatever polls yields to them [ns]."""
    idle = round(_pcpus(plane, first, last) * (last.at - first.at)) - (last.busy - first.busy)
    return max(min(last.polled - first.polled, idle), 0)


def _devices(plane: DataPlane, first: Snapshot, last: Snapshot) -> dict[str, dict[str, int]]:
    """What passed the devices of VMs, and what that took, by role; nothing without VMs."""
    found: dict[str, dict[str, int]] = {}
    for device in plane.lowered.arrangement.devices:
        if device.entry is None or device.entry.side != "hypervisor":
            continue
        totals = found.setdefault(device.entry.role, dict.fromkeys(DEVICE_TOTALS, 0))
        for name in DEVICE_TOTALS:
            totals[name] += int((getattr(last, f"device_{name}") - getattr(first, f"device_{name}"))[device.row])
    return found


def _backends(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> dict[str, float]:
    """Utilisation of the busiest thread that serves devices, and of the domain that owns them."""
    plan, found = plane.lowered.arrangement, {}
    rows = sorted({d.backend.row for d in plan.devices if d.backend is not None})
    if rows:
        layers = plane.lowered.platform.hypervisors or plane.lowered.platform.layers
        threads = np.array([max(int(plan.instances[row].threads), 1) for row in rows])
        used = (last.thread_time - first.thread_time)[rows] / threads
        found[f"{layers[-1].name if layers else 'host'} I/O thread"] = float(used.max()) / S / span
    for dom0 in (host.dom0 for host in plan.hosts if host.dom0 is not None):
        inside = [i.row for i in plan.instances if i.machine == dom0.row]
        used = float((last.cpu_time - first.cpu_time)[inside].sum()) / S / span / dom0.cpus
        found["dom0.cpu"] = max(used, found.get("dom0.cpu", 0.0))
    return found


def _loads(plane: DataPlane, services: dict[str, ServiceOutcome], last: Snapshot) -> dict[str, Load]:
    """The mean load of a replica of each service."""
    rows, specs = plane.lowered.services, plane.lowered.scenario.services
    return {
        name: found.load(float(last.service_completed[rows.index(name)]), specs[name].replicas, specs[name].event_loops is not None)
        for name, found in services.items()
    }


def utilisations(plane: DataPlane, first: Snapshot, last: Snapshot) -> dict[str, float]:
    """Utilisation of everything that can run out in the window between two snapshots, by name."""
    span = (last.at - first.at) / S
    return _resources(plane, _services(plane, first, last, span), first, last, span)


def _services(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> dict[str, ServiceOutcome]:
    """The numbers of each service, by name."""
    rows = enumerate(plane.lowered.services)
    return {name: _service(plane, row, name, first, last, span) for row, name in rows if name not in INTERNAL}


def _resources(plane: DataPlane, services: dict[str, ServiceOutcome], first: Snapshot, last: Snapshot, span: float) -> dict[str, float]:
    """Utilisation of everything that can run out, by name."""
    scenario, plan = plane.lowered.scenario, plane.lowered.arrangement
    found = _host_resources(plane, first, last, span)
    found |= _backends(plane, first, last, span)
    if len(plan.hosts) == 1:
        found["host.nic"] = float(max(last.link_busy - first.link_busy)) / S / span
    for name, result in services.items():
        spec, rows = scenario.services[name], _rows(plane, name)
        vcpus = sum(plan.machines[m].cpus for m in {plan.instances[r].machine for r in rows} if plan.machines[m].vm is not None)
        limited = (plane.read("groups", "quota")[service_groups(plane, rows)] > 0).any()
        many = _worked(rows, first, last, spec.replicas)
        share = min(many / len(rows), 1.0) if len(rows) > spec.replicas else 1
        cores = [spec.cpu_limit * many] if spec.cpu_limit is not None and limited else []
        cores += [vcpus * share] if vcpus else []
        cap = plane.lowered.platform.cap
        cores += [cap * len({plan.instances[r].machine for r in rows}) * share] if cap is not None else []
        if isinstance(spec.workers, int):
            found[f"{name}.{spec.workers_name}"] = result.threads_busy / (spec.workers * many)
        if cores:
            found[f"{name}.cpu"] = result.cpu_cores / min(cores)
    found |= {f"link {name}": used for name, used in links_used(plane, first, last).items()}
    found |= consumers_used(plane, first, last)
    return found | _locks(plane, first, last, span)


def _worked(rows: list[int], first: Snapshot, last: Snapshot, replicas: int) -> float:
    """Replicas among which the work of a service is divided: those stated; where they come and go, as many as were up on average."""
    if len(rows) <= replicas:
        return replicas
    lived = float((last.lived - first.lived)[rows].sum()) / max(last.at - first.at, 1)
    return lived or float(replicas)


def _locks(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> dict[str, float]:
    """Share of the time for which each lock was held, of the replica or kernel where that is largest."""
    held = (last.lock_held - first.lock_held) / S / span
    return {name: float(held[rows].max(initial=0.0)) for name, rows in plane.lowered.locks.rows().items()}


def checks(plane: DataPlane, last: Snapshot) -> dict[str, str]:
    """The laws that hold exactly on a run's own counters, whatever its draws; "ok", or what is wrong.

    Source: Little 1961 (L = lambda W, here as sums of instants, modulo 2^62 ns); Denning, Buzen 1978 (operational analysis).
    """
    read = plane.read
    area = int(read("tallies", "area")[0]) + int(read("tallies", "in_system")[0]) * (last.at - int(read("tallies", "area_at")[0]))
    sojourn = int(read("tallies", "departure_sum").sum()) - int(read("tallies", "arrival_sum").sum()) + last.in_system * last.at
    ended = int((last.completed + last.rejected + last.failed).sum())
    arrived = int(last.arrived.sum())
    used = int(last.cpu_time.sum())
    tolerance = len(last.steal) + sum(host.pcpus for host in plane.lowered.hosts) + last.events if read("machines", "fluid").any() else 0
    return {
        "little": "ok" if (area - sojourn) % 2**62 == 0 else f"time in system {area} ns, latencies {sojourn} ns",
        "flow": "ok" if arrived == ended + last.in_system else f"{arrived} arrivals, {ended} ends, {last.in_system} under way",
        "utilisation_law": "ok" if abs(last.busy - used) <= tolerance else f"pCPUs busy {last.busy} ns, instances used {used} ns",
        **({"messages": conservation(last)} if last.messages else {}),
    }


def _unstable(arriving: Sequence[Mark], used: float) -> Growth | None:
    """Arrivals and answers while requests arrived, where their number in the system kept growing; None for a stable run.

    Looks at the second half of the arrivals, when a filling start is over. Where nothing is answered, requests may just be longer than the
    run; they pile up where a resource is used up, `used` being the utilisation of the fullest one.
    """
    population = [s.in_system for s in arriving]
    if len(population) < 10 or not growing(population):
        return None
    middle, last = arriving[len(arriving) // 2], arriving[-1]
    offered = int((last.arrived - middle.arrived).sum())
    answered = int((last.completed + last.rejected + last.failed - middle.completed - middle.rejected - middle.failed).sum())
    if offered < 100 or offered <= BEHIND * answered or not (answered or used >= USED_UP):
        return None
    span = (last.at - middle.at) / S
    return Growth(offered / span, answered / span)
