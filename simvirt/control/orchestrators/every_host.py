"""One task on each host that may take it: Swarm's global services and Kubernetes' DaemonSets.

*Model*: a host that takes tasks, that may take this one and has none gets one; where there is no room, it waits for that host alone, and
    makes room by preemption where it may. Tasks of other versions end a few at a time, hosts without a ready one counted as updated now,
    and new ones start in their places. A task that failed is started again where it stood.
*Ignores*: DaemonSets that start new pods beside old ones (maxSurge); that pods of DaemonSets on a node that is lost are not given up.
*Source*: moby/swarmkit manager/orchestrator/global; kubernetes/kubernetes pkg/controller/daemon/update.go, whose maxUnavailable is one pod;
    Kubernetes documentation, DaemonSet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Look, Pending, Seen, Stop, Task, Wanted
from simvirt.control.orchestrators.kube_scheduler import scheduled
from simvirt.control.orchestrators.rules import UPDATED
from simvirt.placement import asked_by
from simvirt.placement.filters import suited

Again = Callable[[Task], Iterator[Action]]
"""What becomes of a task that failed."""


def on_every_host(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, again: Again) -> Iterator[Action]:
    """Tasks of other versions, tasks that failed, and hosts that have none."""
    asked = asked_by(wanted.service, wanted.version.spec, constants.reserves)
    places = [host for host, suits in enumerate(suited(seen.hosts, asked)) if suits and seen.able[host]]
    yield from _updated(wanted, seen, places)
    yield from (action for task in seen.tasks if task.phase == "failed" and seen.able[task.host] for action in again(task))
    nominated = {host: slot for slot, host in seen.nominated.get(wanted.service, {}).items()}
    used = {*(task.slot for task in seen.tasks), *nominated.values()}
    free = (slot for slot in count() if slot not in used)
    for host in sorted(set(places) - {task.host for task in seen.tasks}):
        alone = replace(seen, able=[other == host for other in range(len(seen.able))])
        slot = nominated[host] if host in nominated else next(free)
        yield from (_named(action, seen.hosts.names[host]) for action in scheduled(wanted, alone, constants, [slot]))


def _named(action: Action, host: str) -> Action:
    """An action, with the host that a task which waits is for."""
    return replace(action, why=f"{host} has no room for it") if isinstance(action, Pending) else action


def _updated(wanted: Wanted, seen: Seen, places: Sequence[int]) -> Iterator[Action]:
    """The end of some tasks of other versions: all that do not serve, of the others as many as may be unavailable at a time."""
    old = [task for task in seen.tasks if task.version != wanted.version.number and task.phase != "stopping"]
    yield from (Stop(task.number, UPDATED) for task in old if task.phase != "ready")
    said = wanted.version.spec.deploy.update_config
    serving = [task for task in old if task.phase == "ready"]
    due = _last_ready(wanted, seen) + (0 if said is None or said.delay is None else said.delay)
    if serving and due > seen.now:
        yield Look(due)
        return
    at_once = 1 if said is None or said.parallelism is None else said.parallelism or len(serving)
    down = len(set(places) - {task.host for task in seen.tasks if task.phase == "ready"})
    yield from (Stop(task.number, UPDATED) for task in sorted(serving, key=lambda task: task.host)[: max(0, at_once - down)])


def _last_ready(wanted: Wanted, seen: Seen) -> int:
    """When the last task of the wanted version became ready [ns]."""
    return max((task.ready_at or 0 for task in seen.tasks if task.version == wanted.version.number), default=0)
