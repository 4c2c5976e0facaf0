"""What several orchestrators do alike: fill free slots, end surplus tasks, wait longer after each restart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Pending, Seen, Start, Stop, Task, Wanted
from simvirt.orchestration.restart import SECOND, backoff_of
from simvirt.placement import POLICIES, asked_by, choose

UPDATED: Final = "update"
"""Why a task ends in whose slot one of another version is to start."""


def present(seen: Seen) -> list[Task]:
    """The tasks that hold a slot: all but those on their way out, unless another version waits for their end."""
    return [task for task in seen.tasks if task.phase != "stopping" or task.cause == UPDATED]


def outdated(wanted: Wanted, seen: Seen) -> Iterator[Action]:
    """The end of all tasks of other versions at once; those of the wanted one start in their slots once they have ended."""
    for task in present(seen):
        if task.version != wanted.version.number and task.phase != "stopping" and task.slot < wanted.replicas:
            yield Stop(task.number, UPDATED)


def surplus(wanted: Wanted, seen: Seen) -> Iterator[Action]:
    """The end of tasks in slots beyond those wanted, the highest first."""
    for task in sorted(present(seen), key=lambda task: -task.slot):
        if task.slot >= wanted.replicas and task.phase != "stopping":
            yield Stop(task.number, f"{wanted.replicas} wanted")


def missing(wanted: Wanted, seen: Seen) -> list[int]:
    """The slots in which there is nothing, the lowest first."""
    taken = {task.slot for task in present(seen)}
    return [slot for slot in range(wanted.replicas) if slot not in taken]


def added(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """Starts in the slots that are empty, on hosts that the orchestrator's policy chooses; those that no host takes wait."""
    yield from filled(wanted, seen, constants, missing(wanted, seen))


def filled(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, slots: Sequence[int]) -> Iterator[Action]:
    """Starts in some slots, one after the other, on hosts that the orchestrator's policy chooses, until no host takes one."""
    if not slots:
        return
    hosts, asked = seen.hosts.only(seen.able), asked_by(wanted.service, wanted.version.spec, constants.reserves)
    for slot in slots:
        choice = choose(hosts, asked, POLICIES[constants.places])
        if choice.host is None:
            yield Pending(slot, choice.reason)
            return
        hosts.add(wanted.service, choice.host, asked.reserves)
        yield Start(slot, wanted.version, choice.host, choice.reason)


def backoff_ns(task: Task, constants: OrchestratorEntry) -> int:
    """How long a failed task waits for its next restart [ns]: longer after each try that did not last."""
    return round(backoff_of(constants).nth(task.tries) * SECOND)
