"""What several orchestrators do alike: fill free slots, end surplus tasks, wait longer after each restart."""

from __future__ import annotations

from collections.abc import Iterator

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Pending, Seen, Start, Stop, Task, Wanted
from simvirt.placement import Policy, Reserves, asked_by, choose
from simvirt.placement.spread import spread


def present(seen: Seen) -> list[Task]:
    """The tasks that hold a slot: all but those on their way out."""
    return [task for task in seen.tasks if task.phase != "stopping"]


def surplus(wanted: Wanted, seen: Seen) -> Iterator[Action]:
    """The end of tasks in slots beyond those wanted, the highest first."""
    for task in sorted(present(seen), key=lambda task: -task.slot):
        if task.slot >= wanted.replicas:
            yield Stop(task.number, f"{wanted.replicas} wanted")


def missing(wanted: Wanted, seen: Seen) -> list[int]:
    """The slots in which there is nothing, the lowest first."""
    taken = {task.slot for task in present(seen)}
    return [slot for slot in range(wanted.replicas) if slot not in taken]


def added(wanted: Wanted, seen: Seen, policy: Policy = spread, reserves: Reserves | None = None) -> Iterator[Action]:
    """Starts in the slots that are empty, on hosts that a policy chooses; those that no host takes wait."""
    empty = missing(wanted, seen)
    if not empty:
        return
    hosts, asked = seen.hosts.only(seen.able), asked_by(wanted.service, wanted.version.spec, reserves)
    for slot in empty:
        choice = choose(hosts, asked, policy)
        if choice.host is None:
            yield Pending(slot, choice.reason)
            return
        hosts.add(wanted.service, choice.host, asked.reserves)
        yield Start(slot, wanted.version, choice.host, choice.reason)


def backoff_ns(task: Task, constants: OrchestratorEntry) -> int:
    """How long a failed task waits for its next restart [ns]: longer after each try that did not last."""
    delay = float(constants.backoff or 0.0) * float(constants.backoff_factor or 1.0) ** min(task.tries, 60)
    return round(min(delay, constants.backoff_most or delay))
