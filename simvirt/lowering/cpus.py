"""Rows of machines and of their CPUs: pCPUs, then the vCPUs of each guest."""

import numpy as np

from simvirt.catalog.resolved import HostEntry, PlatformCosts
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement
from simvirt.lowering.rows import Columns, blank, column_of, fill
from simvirt.lowering.sharing import Sharing, most
from simvirt.lowering.topology import siblings, socket_of
from simvirt.scenario.host import RESERVING


def idle_wakeup(costs: PlatformCosts) -> float:
    """Work that leaving HLT adds to the task that wakes a vCPU [ns]."""
    return costs.cpu_ns["idle_wakeup"] + costs.latency_ns["idle_wakeup"]


def coscheduled(plan: Arrangement) -> int:
    """1 where the host's scheduler holds back vCPUs that have got ahead of their siblings."""
    return int(plan.machines[0].scheduler["costop"] > 0 and any(m.cpus > 1 for m in plan.machines[1:]))


def machine_table(plan: Arrangement, shared: Sharing, first_cpu: np.ndarray) -> Columns:
    """The host and its guests."""
    machines, schedulers = plan.machines, column_of(plan.machines, "scheduler")
    roots = [next(group.row for group in plan.groups if group.machine == m.row and group.per_task_weight) for m in machines[:1]]
    roots += [m.vm.row + 1 for m in machines[1:] if m.vm is not None]
    heaviest = np.zeros(len(machines))
    np.maximum.at(heaviest, column_of(plan.groups, "machine"), column_of(plan.groups, "shares"))
    named = dict.fromkeys(name for scheduler in schedulers for name in scheduler.columns)
    reserving = {g.machine for g in plan.groups if g.reserve > 0}
    return fill(
        blank(t.Machines, rows=len(machines)),
        first_cpu=first_cpu[:-1],
        cpus=column_of(machines, "cpus"),
        halt_poll=column_of(machines, "halt_poll"),
        spin_wait=column_of(machines, "spin_wait"),
        root_group=roots,
        most_kernel=most(shared, plan, "kernel_share"),
        most_shootdowns=most(shared, plan, "shootdowns"),
        heaviest=heaviest,
        reserved=[m.scheduler.policy in RESERVING and m.row in reserving for m in machines],
        **{name: [scheduler[name] for scheduler in schedulers] for name in named},
    )


def cpu_table(
    plan: Arrangement, host: HostEntry, seen: bool, first_cpu: np.ndarray, n_queues: int, phases: np.random.Generator, wake_work: float
) -> Columns:
    """All CPUs; guests that see the topology know which pinned vCPUs share a core. `phases` draws the offsets of ticks."""
    pcpus, n_cpus = host.pcpus, int(first_cpu[-1])
    machine = np.repeat(np.arange(len(plan.machines)), column_of(plan.machines, "cpus"))
    ticks = [max(m.scheduler["tick"], 1) for m in plan.machines]
    phase = np.array([int(phases.random() * tick) for tick in ticks])
    vcpu = np.full(n_cpus, k.NONE)
    vcpu[pcpus:] = n_queues + np.arange(n_cpus - pcpus)
    socket = np.full(n_cpus, k.NONE)
    socket[:pcpus] = [socket_of(host, c) for c in range(pcpus)]
    return fill(
        blank(t.Cpus, rows=n_cpus),
        machine=machine, sibling=sibling_column(plan, host, seen, first_cpu), vcpu=vcpu, phase=phase[machine], socket=socket,
        smt_share=np.full(n_cpus, host.smt_yield / 2.0),
        speed=np.where(np.arange(n_cpus) < pcpus, 1.0, 0.0),
        wake_work=np.where(vcpu == k.NONE, 0.0, wake_work),
    )


def cstate_table(host: HostEntry) -> Columns:
    """Idle states of the host; in row 0 a thread is awake."""
    return fill(
        blank(t.Cstates, rows=1 + len(host.cstates)),
        residency=[0, *(round(state.residency_ns) for state in host.cstates)],
        exit=[0, *(round(state.exit_ns) for state in host.cstates)],
    )


def sibling_column(plan: Arrangement, host: HostEntry, seen: bool, first_cpu: np.ndarray) -> np.ndarray:
    """The other thread of each CPU's core. Those of a host's core are n and n + number of cores, as Linux numbers them."""
    sibling, half = np.full(int(first_cpu[-1]), k.NONE), host.pcpus // 2
    if host.smt == 2:
        sibling[:half], sibling[half : host.pcpus] = np.arange(half, host.pcpus), np.arange(half)
    for machine in plan.machines if seen else ():
        for vcpu, other in enumerate(siblings(host, machine.pins)):
            if other is not None:
                sibling[first_cpu[machine.row] + vcpu] = first_cpu[machine.row] + other
    return sibling
