"""Docker Compose on the Docker engine: as many containers as are wanted, restarted by the engine where they stood.

*Model*: Compose brings a service to its number of containers when it is told to: missing ones start, surplus ones stop, the highest
    numbers first, those of another version are recreated. The engine restarts a container that failed, as the service's restart
    policy says, after a delay that doubles. Where its image cannot be pulled there is no container, and no policy to restart it.
*Ignores*: containers that end by themselves.
*Source*: docker/compose pkg/compose/convergence.go; moby/moby daemon/internal/restartmanager/restartmanager.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import NO_IMAGE, Action, Look, Restart, Seen, Task, Wanted
from simvirt.control.orchestrators.rules import added, backoff_ns, outdated, surplus


def compose(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """Containers too many and too few, and those that the engine restarts."""
    yield from surplus(wanted, seen)
    yield from outdated(wanted, seen)
    yield from added(wanted, seen, constants)
    for task in seen.tasks:
        if task.phase == "failed" and task.slot < wanted.replicas and _may_restart(wanted, task):
            yield _again(task, seen.now, constants)


def _may_restart(wanted: Wanted, task: Task) -> bool:
    """Whether the policy of a service lets the engine restart one of its containers."""
    spec, policy = wanted.version.spec, wanted.version.spec.deploy.restart_policy
    if (task.cause or "").startswith(NO_IMAGE):
        return False
    if spec.restart != "no" or policy is None:
        return spec.restart != "no"
    return policy.condition != "none" and (policy.max_attempts == 0 or task.tries < policy.max_attempts)


def _again(task: Task, now: int, constants: OrchestratorEntry) -> Action:
    """The restart of a container by the engine, once its delay is over."""
    due = task.since + backoff_ns(task, constants)
    return Restart(task.number, f"{task.cause}; restart policy") if now >= due else Look(due)
