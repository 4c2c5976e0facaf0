"""Which locks there are, and where each stands: those of a replica, and those of a kernel, by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement
from simvirt.lowering.rows import Columns, blank
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import LockStep
from simvirt.scenario.walk import walk

OF_KERNEL = "kernel"
KERNEL_LOCKS = "kernel lock "
"""How the name of a lock of kernels begins as a resource; no service is called so."""
OF_REPLICA = ".lock."
"""What stands between a service and the name of a lock of its replicas."""


@dataclass(frozen=True)
class Locks:
    """The names of locks: of each service, in its replicas, and of kernels."""

    of_service: Mapping[str, tuple[str, ...]]
    of_kernel: tuple[str, ...]
    plan: Arrangement

    @cached_property
    def first(self) -> tuple[list[int], list[int]]:
        """First row of each instance's locks, then of each machine's; the last element of each is the end."""
        instances = _starts(0, [len(self.of_service.get(i.service, ())) for i in self.plan.instances])
        return instances, _starts(instances[-1], [len(self.of_kernel)] * len(self.plan.machines))

    def place(self, service: str, step: LockStep) -> tuple[int, int]:
        """The lock of a step among those of its replica or kernel, and which of the two."""
        if step.scope == OF_KERNEL:
            return self.of_kernel.index(step.lock), k.KERNEL_LOCK
        return self.of_service[service].index(step.lock), k.REPLICA_LOCK

    def rows(self) -> dict[str, list[int]]:
        """The rows of each lock, by its name as a resource."""
        instances, machines = self.first
        found = {f"{KERNEL_LOCKS}{name}": [first + n for first in machines[:-1]] for n, name in enumerate(self.of_kernel)}
        for service, names in self.of_service.items():
            firsts = [first for i, first in zip(self.plan.instances, instances, strict=False) if i.service == service]
            found |= {f"{service}{OF_REPLICA}{name}": [first + n for first in firsts] for n, name in enumerate(names)}
        return found

    def table(self) -> Columns:
        """A row a lock."""
        rows = max(self.first[1][-1], 1)
        return blank(t.Locks, rows=rows, head=2 * rows, tail=2 * rows)


def is_lock(resource: str) -> bool:
    """Whether a resource is a lock, by its name."""
    return OF_REPLICA in resource or resource.startswith(KERNEL_LOCKS)


def locks_of(scenario: Scenario, plan: Arrangement, of_kernel: Sequence[str] = ()) -> Locks:
    """The locks that operations take, in the order in which they are first met, and then some of kernels."""
    steps = {
        name: [visit.step for operation in spec.operations.values() for visit in walk(operation) if isinstance(visit.step, LockStep)]
        for name, spec in scenario.services.items()
    }
    own = {name: tuple(dict.fromkeys(step.lock for step in found if step.scope != OF_KERNEL)) for name, found in steps.items()}
    shared = dict.fromkeys(step.lock for found in steps.values() for step in found if step.scope == OF_KERNEL)
    return Locks(own, tuple(dict.fromkeys([*shared, *of_kernel])), plan)


def _starts(first: int, lengths: Sequence[int]) -> list[int]:
    """Where stretches of these lengths begin, one after another; and the end."""
    found = [first]
    for length in lengths:
        found.append(found[-1] + length)
    return found
