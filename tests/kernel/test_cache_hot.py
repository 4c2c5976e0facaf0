"""The balancer of a Linux kernel leaves a task that has just run where its cache is warm."""

import pytest
from twins import plane, table

from simvirt.kernel import balancing
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t


def movable(policy: int, ago: int) -> int:
    """What may be pulled from a run queue with one task, which left its CPU so long ago."""
    now = 10_000_000
    p = plane(
        run=table(t.Run, 1, now=[now], first_vcpu=[2]),
        machines=table(t.Machines, 1, policy=[policy], cpus=[2]),
        queues=table(t.Queues, 2, tree=[2, k.NONE], current=[k.NONE] * 2, group=[k.NONE] * 2),
        entities=table(t.Entities, 3, ran_at=[0, 0, now - ago], pin=[k.NONE] * 3, group=[k.NONE] * 3, left=[k.NONE] * 3, right=[k.NONE] * 3),
    )
    return int(balancing.movable(p, 0, 1, 1e300))


@pytest.mark.parametrize("policy", [k.EEVDF, k.CFS])
def test_a_task_that_has_just_run_stays(policy: int) -> None:
    assert movable(policy, k.MIGRATION_COST - 1) == k.NONE
    assert movable(policy, k.MIGRATION_COST) == 2


@pytest.mark.parametrize("policy", [k.CREDIT, k.CREDIT2, k.ESXI, k.HYPERV, k.ROUND_ROBIN])
def test_other_schedulers_pull_at_once(policy: int) -> None:
    assert movable(policy, 0) == 2
