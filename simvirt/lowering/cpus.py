"""Rows of machines and of their CPUs: the pCPUs of a host, then the vCPUs of each of its guests."""

from collections.abc import Sequence

import numpy as np

from simvirt.catalog.records import PlatformCosts
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement
from simvirt.lowering.rows import Columns, blank, column_of, fill
from simvirt.lowering.sharing import Sharing, most
from simvirt.lowering.topology import siblings, socket_of
from simvirt.scenario.spec.host import RESERVING
from simvirt.workload.streams import TICKS, Phases


def idle_wakeup(costs: PlatformCosts) -> tuple[float, float]:
    """Work that leaving HLT adds to the task that wakes a vCPU: the exit alone, and with the wake-up of the vCPU's thread [ns]."""
    return costs.cpu_ns["idle_wakeup"], costs.cpu_ns["idle_wakeup"] + costs.latency_ns["idle_wakeup"]


def machine_table(plan: Arrangement, shared: Sharing, first_cpu: np.ndarray) -> Columns:
    """Hosts and their guests."""
    machines, schedulers = plan.machines, column_of(plan.machines, "scheduler")
    roots = {group.machine: group.row for group in plan.groups if group.per_task_weight}
    heaviest = np.zeros(len(machines))
    np.maximum.at(heaviest, column_of(plan.groups, "machine"), [group.fence.shares for group in plan.groups])
    named = dict.fromkeys(name for scheduler in schedulers for name in scheduler.columns)
    reserving = {g.machine for g in plan.groups if g.fence.reserve > 0}
    return fill(
        blank(t.Machines, rows=len(machines)),
        host=column_of(machines, "host"),
        first_cpu=first_cpu[:-1],
        cpus=column_of(machines, "cpus"),
        halt_poll=column_of(machines, "halt_poll"),
        poll_start=[k.IDLE_POLL_START if m.polls_itself else k.HALT_POLL_START for m in machines],
        poll_shrink=[k.IDLE_POLL_SHRINK * m.polls_itself for m in machines],
        spin_wait=column_of(machines, "spin_wait"),
        root_group=[roots[m.row] for m in machines],
        most_kernel=most(shared, plan, "kernel_share"),
        most_shootdowns=most(shared, plan, "shootdowns"),
        heaviest=heaviest,
        reserved=[m.scheduler.policy in RESERVING and m.row in reserving for m in machines],
        **{name: [scheduler[name] for scheduler in schedulers] for name in named},
    )


def cpu_table(
    plan: Arrangement, seen: bool, first_cpu: np.ndarray, n_queues: int, phases: Phases, wake_work: Sequence[tuple[float, float]]
) -> Columns:
    """All CPUs; guests that see the topology know which pinned vCPUs share a core. `phases` draws the offsets of ticks.

    `wake_work` is that of `idle_wakeup` on each kind of host.
    """
    n_cpus = int(first_cpu[-1])
    machine = np.repeat(np.arange(len(plan.machines)), column_of(plan.machines, "cpus"))
    ticks = [max(m.scheduler["tick"], 1) for m in plan.machines]
    phase = np.array([int(phases.of(TICKS, *m.key) * tick) for m, tick in zip(plan.machines, ticks, strict=True)])
    is_guest = np.array([m.vm is not None for m in plan.machines])[machine]
    polls_itself = np.array([m.polls_itself for m in plan.machines])[machine]
    vcpu = np.where(is_guest, n_queues + np.cumsum(is_guest) - 1, k.NONE)
    host = np.array(column_of(plan.machines, "host"))[machine]
    wakes = np.array(wake_work)[column_of(plan.hosts, "kind")][host]
    yields = np.array([host.entry.smt_yield / 2.0 for host in plan.hosts])
    return fill(
        blank(t.Cpus, rows=n_cpus),
        machine=machine, host=host, sibling=sibling_column(plan, seen, first_cpu), vcpu=vcpu, phase=phase[machine],
        socket=socket_column(plan, first_cpu),
        smt_share=yields[host],
        speed=np.where(is_guest, 0.0, 1.0),
        exit_work=np.where(is_guest & ~polls_itself, wakes[:, 0], 0.0), wake_work=np.where(is_guest, wakes[:, 1], 0.0),
    )


def socket_column(plan: Arrangement, first_cpu: np.ndarray) -> np.ndarray:
    """The socket of each pCPU."""
    socket, before = np.full(int(first_cpu[-1]), k.NONE), 0
    for host in plan.hosts:
        first = first_cpu[host.machine]
        socket[first : first + host.entry.pcpus] = [before + socket_of(host.entry, c) for c in range(host.entry.pcpus)]
        before += host.entry.sockets
    return socket


def sibling_column(plan: Arrangement, seen: bool, first_cpu: np.ndarray) -> np.ndarray:
    """The next thread of each CPU's core, a ring. Those of a host's core are n, n + number of cores and so on, as Linux numbers them."""
    sibling = np.full(int(first_cpu[-1]), k.NONE)
    for host in plan.hosts:
        if host.entry.smt > 1:
            rows = (first_cpu[host.machine] + np.arange(host.entry.pcpus)).reshape(host.entry.smt, -1)
            sibling[rows] = np.roll(rows, -1, axis=0)
    for machine in plan.machines if seen else ():
        for vcpu, other in enumerate(siblings(plan.hosts[machine.host].entry, machine.pins)):
            if other is not None:
                sibling[first_cpu[machine.row] + vcpu] = first_cpu[machine.row] + other
    return sibling
