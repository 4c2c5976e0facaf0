"""How many run queues a group has, and on which CPUs: a queue for each CPU of the kernel that it is in."""

import numpy as np

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement, Group
from simvirt.lowering.rows import Columns, blank, column_of, fill


def width_of(plan: Arrangement, group: Group) -> int:
    """Queues of a group: one for each CPU of its machine; of a VM that may move, for each of the host that has most."""
    machine = plan.machines[group.machine]
    widest = plan.moves and machine.vm is None
    return max(plan.machines[host.machine].cpus for host in plan.hosts) if widest else machine.cpus


def span_of(plan: Arrangement, first_cpu: np.ndarray, group: Group) -> np.ndarray:
    """The CPU of each queue of a group; queues beyond those of its machine are none of theirs yet."""
    first, end = first_cpu[group.machine], first_cpu[group.machine + 1]
    return np.asarray(np.minimum(first + np.arange(width_of(plan, group)), end - 1))


def queue_table(plan: Arrangement, first_cpu: np.ndarray, rows: int) -> Columns:
    """A root queue for each CPU, then a queue for each group on each CPU of its machine."""
    n_cpus = int(first_cpu[-1])
    roots, spans = np.full(n_cpus, k.NONE), [span_of(plan, first_cpu, group) for group in plan.groups]
    cpu, parent = np.concatenate([np.arange(n_cpus), *spans]), np.concatenate([roots, *spans])
    group = np.concatenate([roots, *(np.full(len(span), of.row) for span, of in zip(spans, plan.groups, strict=True))])
    machine = np.repeat(np.arange(len(plan.machines)), column_of(plan.machines, "cpus"))[cpu]
    schedulers = column_of(plan.machines, "scheduler")
    policies = np.array(column_of(schedulers, "numbers"))
    policy = policies[machine, (parent != k.NONE).astype(int)]
    slices = np.array([scheduler["base_slice"] for scheduler in schedulers])[machine]
    return fill(blank(t.Queues, rows=rows), cpu=cpu, group=group, parent=parent, policy=policy, base_slice=slices)
