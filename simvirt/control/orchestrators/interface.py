"""What an orchestrator is: what is wanted of a service, what is there of it, what is to be done next.

*Model*: an orchestrator is a function of three frozen things: `Wanted`, `Seen` and the constants of its entry in the catalogue. It
    holds no state: whatever it has to remember it reads off the tasks (when they were asked for, became ready, failed, how often they
    have restarted). The loop (`simvirt.control.orchestrate`) calls it for a service whenever something happened to that service or to a
    host, after the delays of the entry, and carries out what it gives; `Look` makes it be asked again at an instant.
*Source*: the reconciling loops of Kubernetes (controllers), SwarmKit (orchestrator, updater) and Compose (convergence).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.placement import Hosts
from simvirt.scenario.spec.services import ServiceSpec

Phase = Literal["starting", "ready", "unhealthy", "stopping", "failed"]
"""How far a task is: being started, takes requests, runs but takes none for its checks fail, answers what it has and ends, is down and
waits for a decision (`Restart` or `Remove`)."""


@dataclass(frozen=True, slots=True)
class Task:
    """An instance of a service, from the instant at which it was asked for until it ended; instants in ns.

    `number` is its own forever; `slot` that of the replica that it stands for, from 0, which its successor takes over; `since` is when
    its phase began, `ready_at` when it was ready last; `restarts` counts those in place, `tries`
    those of them since it last ran for as long as sets a back-off back; `cause` says why it is failed or stopping.
    """

    number: int
    service: str
    slot: int
    version: int
    host: int
    phase: Phase
    asked_at: int
    since: int
    ready_at: int | None = None
    restarts: int = 0
    tries: int = 0
    cause: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it is there to stay: being started, or up."""
        return self.phase in ("starting", "ready", "unhealthy")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a service, counted from 0: what the scenario says of it as of then, and since when it is the wanted one [ns].

    `back` says that a failed update went back to it.
    """

    number: int
    spec: ServiceSpec
    since: int = 0
    back: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a service: so many replicas of a version; `before` is the version to go back to, None where there is none.

    `priority` is how important its replicas are, `preempts` whether they may drive out less important ones. `scaled_from` is how many
    were wanted before, where that has changed since the service was last looked at.
    """

    service: str
    replicas: int
    version: Version
    before: Version | None = None
    priority: int = 0
    preempts: bool = True
    scaled_from: int | None = None

    def scaled(self, replicas: int) -> Wanted:
        """The same with another number of replicas."""
        return replace(self, replicas=replicas, scaled_from=self.replicas if self.scaled_from is None else self.scaled_from)


@dataclass(frozen=True, slots=True)
class Failure:
    """A task of the wanted version that failed: when [ns], why, in which slot, on which host, how long it was ready [ns] or None."""

    at: int
    task: int
    cause: str
    slot: int = 0
    host: int = 0
    ran: int | None = None


@dataclass(frozen=True)
class Seen:
    """What an orchestrator sees at an instant [ns].

    `tasks` are those of the service that have not ended, by their number; `failures` what failed of the wanted version since it is
    wanted, oldest first. `hosts` are all hosts with what stands on them (`hosts.of_service`), `able` which of them are up and take
    new tasks; `hosts` is for reading (`hosts.only(able)` is a copy to count in). `others` has the tasks of all services, for those
    that look at them (affinity, preemption), `wants` what is wanted of each service. `nominated` are the hosts on which room is being
    made, by service and slot, `kept` is what is reserved for each task, `lost` the slots whose tasks were given up with their host.
    `completed` is when tasks of a job ended with their work done [ns], the first one first.
    """

    now: int
    tasks: Sequence[Task]
    hosts: Hosts
    able: Sequence[bool]
    failures: Sequence[Failure] = ()
    others: Mapping[str, Sequence[Task]] = field(default_factory=dict)
    wants: Mapping[str, Wanted] = field(default_factory=dict)
    nominated: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    kept: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    lost: Collection[int] = ()
    completed: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Start a task of a version in a slot on a host."""

    slot: int
    version: Version
    host: int
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a task gracefully: it takes no more requests, answers what it has within its time of grace, and is gone."""

    task: int
    why: str


@dataclass(frozen=True, slots=True)
class Kill:
    """End a task at once, with what it works on; it counts as ended by that cause."""

    task: int
    why: str
    cause: str = "killed"


@dataclass(frozen=True, slots=True)
class Restart:
    """Start a failed task again where it stood; it keeps its number."""

    task: int
    why: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Give a failed task up; its slot is free."""

    task: int
    why: str


@dataclass(frozen=True, slots=True)
class Move:
    """Let the VM of a task move to a host while it runs."""

    task: int
    host: int
    why: str


@dataclass(frozen=True, slots=True)
class Look:
    """Nothing now; ask again at an instant [ns], if nothing happens before."""

    at: int


@dataclass(frozen=True, slots=True)
class Revert:
    """Want the version before the present one again (a failed update goes back)."""

    why: str


@dataclass(frozen=True, slots=True)
class Stalled:
    """An update makes no progress, and why that is said; it is told once of each version."""

    why: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A replica that no host may take now, and why; it is told once, and tried again when a host or a task changes."""

    slot: int
    why: str


NO_IMAGE: Final = "its image could not be pulled"
"""How the cause begins with which a task fails that has no image to start from."""


@dataclass(frozen=True, slots=True)
class Preempt:
    """Make room for a replica on a host: less important tasks, by service and number, end gracefully there, and it waits for that."""

    slot: int
    host: int
    victims: tuple[tuple[str, int], ...]
    why: str


Action = Start | Stop | Kill | Restart | Remove | Move | Look | Revert | Pending | Preempt | Stalled

OF_TASKS: Final = (Stop, Kill, Restart, Remove, Move)
"""Actions that are about a task, which an action before may have ended."""
STOPPED: Final = "stopped"
"""Why an instance ended that was not wanted any more."""
PREEMPTED: Final = "preempted"
"""Why an instance ended that made room for a more important one."""
WAITING: Final = (Pending, Preempt)
"""Actions that leave a slot without a task."""

Orchestrator = Callable[[Wanted, Seen, OrchestratorEntry], Iterable[Action]]
"""What is to be done next for a service. A pure function: the same arguments give the same actions."""
