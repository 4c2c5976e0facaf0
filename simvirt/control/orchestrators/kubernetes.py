"""A Kubernetes Deployment: replica sets of versions grow and shrink within surge and unavailability; kubelets restart what crashes.

*Model*: syncs of the Deployment's controller are far faster than starts, so that one decision goes as far as it can before
    something becomes ready. A smaller set loses first what is not ready, then what stands beside others of its set, then what
    became ready last. Where another number is wanted in the middle of a rollout, all sets share the change in proportion. The kubelet
    starts a container that failed again where it stood, at once after the first crash and with a growing wait after others
    (CrashLoopBackOff); pods of a node that does not answer count as not available, and are replaced once they are given up.
    An update without progress for its deadline is said to be stalled, which Kubernetes does nothing about; with failure_action: rollback
    it goes back, as a pipeline that waits for it would have it.
*Ignores*: pauses of rollouts, minReadySeconds, the deletion cost of pods; that of pods which became ready at about the same time
    a random one goes; of sets older than the version before that they grow.
*Source*: kubernetes/kubernetes pkg/controller/deployment, pkg/controller/controller_utils.go (ActivePodsWithRanks), pkg/kubelet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.every_host import on_every_host
from simvirt.control.orchestrators.interface import Action, Look, Restart, Revert, Seen, Stalled, Stop, Task, Version, Wanted
from simvirt.control.orchestrators.jobs import kubernetes_job
from simvirt.control.orchestrators.kube_scheduler import scheduled
from simvirt.control.orchestrators.rules import present
from simvirt.control.orchestrators.stateful import stateful_set
from simvirt.orchestration.restart import SECOND, backoff_of
from simvirt.orchestration.rollout import ReplicaSet, Sets, Strategy, scaled, story, surge_of, timed_out
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.units import format_time


def kubernetes(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """Pods too many and too few of each version, and containers that the kubelet restarts where it answers."""
    if wanted.version.spec.is_global:
        yield from on_every_host(wanted, seen, constants, lambda task: iter([_again(task, seen.now, constants)]))
        return
    if wanted.version.spec.is_stateful:
        yield from stateful_set(wanted, seen, constants, lambda task: _again(task, seen.now, constants))
        return
    if wanted.version.spec.is_job:
        yield from kubernetes_job(wanted, seen, constants)
        return
    pods = _by_version(present(seen), wanted.version.number)
    sizes = sized(wanted, pods, seen.able)
    surplus = [task for of, size in zip(pods, sizes, strict=True) for task in victims(of)[: max(0, len(of) - size)]]
    yield from (Stop(task.number, _why(task, wanted)) for task in surplus)
    going = {task.number for task in surplus}
    staying = [task for of in pods for task in of if task.number not in going]
    taken = {task.slot for task in staying}
    free = (slot for slot in count() if slot not in taken)
    for version, size, of in zip(_versions(pods, wanted), sizes, pods, strict=True):
        yield from scheduled(replace(wanted, version=version), seen, constants, list(islice(free, max(0, size - len(of)))))
    yield from (_again(task, seen.now, constants) for task in staying if task.phase == "failed" and seen.able[task.host])
    if len(pods) > 1 or sum(task.phase == "ready" for task in pods[-1]) < wanted.replicas:
        yield from _stalled(wanted, pods[-1], seen.now, constants)


def _stalled(wanted: Wanted, new: Sequence[Task], now: int, constants: OrchestratorEntry) -> Iterator[Action]:
    """An update that is not complete has made no progress for too long: that is said, and it goes back where that is asked for."""
    said = wanted.version.spec.deploy.update_config
    deadline = constants.progress if said is None or said.progress_deadline is None else said.progress_deadline
    if deadline is None or (wanted.version.number == 0 and not wanted.version.back):
        return
    progress = max([wanted.version.since, *(task.asked_at for task in new), *(task.ready_at or 0 for task in new)])
    if not timed_out(float(deadline), now - progress):
        yield Look(progress + round(deadline) + 1)
        return
    yield Stalled(f"no progress for {format_time(float(deadline) / 1e9)}")
    if said is not None and said.failure_action == "rollback" and not wanted.version.back:
        yield Revert("its update is stalled")


def _by_version(pods: Sequence[Task], newest: int) -> list[list[Task]]:
    """Pods of each version from the oldest; those of the wanted one come last, even where there are none."""
    old = sorted({task.version for task in pods} - {newest})
    return [[task for task in pods if task.version == version] for version in (*old, newest)]


def _versions(pods: Sequence[Sequence[Task]], wanted: Wanted) -> list[Version]:
    """The version of each set; of those of which nothing is known any more, which do not grow, the wanted one."""
    known = {one.number: one for one in (wanted.before, wanted.version) if one is not None}
    return [known.get(of[0].version, wanted.version) if of else wanted.version for of in pods]


def sized(wanted: Wanted, pods: Sequence[Sequence[Task]], able: Sequence[bool]) -> list[int]:
    """How many pods of each version there shall be now: as many as are wanted, or as far as a rollout can go before others are ready.

    Pods of nodes that do not answer are not available.
    """
    *old, new = (ReplicaSet(len(of), sum(task.phase == "ready" and able[task.host] for task in of)) for of in pods)
    if not old:
        return [wanted.replicas]
    strategy, before = strategy_of(wanted.version.spec), Sets(new, tuple(old))
    if wanted.scaled_from not in (None, wanted.replicas):
        before = _scaled(strategy, wanted, before, [of[0].version for of in pods[:-1]])
    after = [before, *story(strategy, wanted.replicas, before, ready=False)][-1]
    return [*(one.replicas for one in after.old), after.new.replicas]


def _scaled(strategy: Strategy, wanted: Wanted, sets: Sets, versions: Sequence[int]) -> Sets:
    """The sets once another number is wanted in the middle of a rollout: shared in proportion; none of an unknown version grows."""
    was = wanted.scaled_from or 0
    most = was + surge_of(strategy, was)
    shared = scaled(strategy, wanted.replicas, Sets(replace(sets.new, most=most), tuple(replace(one, most=most) for one in sets.old)))
    known = wanted.before.number if wanted.before is not None else None
    old = tuple(
        after if number == known or after.replicas <= before.replicas else before
        for number, before, after in zip(versions, sets.old, shared.old, strict=True))
    return Sets(shared.new, old)


def strategy_of(spec: ServiceSpec) -> Strategy:
    """How pods are replaced: as many as `parallelism` says too many or too few, by `order`; as Kubernetes has it where nothing is said.

    *Source*: kubernetes/kompose pkg/kobject/kobject.go (GetKubernetesUpdateStrategy).
    """
    said = spec.deploy.update_config
    if said is None:
        return Strategy()
    if said.max_surge is not None or said.max_unavailable is not None:
        known = Strategy()
        return Strategy(
            max_surge=known.max_surge if said.max_surge is None else said.max_surge,
            max_unavailable=known.max_unavailable if said.max_unavailable is None else said.max_unavailable)
    if said.order is None:
        return Strategy()
    many = Strategy().max_surge if said.parallelism is None else said.parallelism or "100%"
    return Strategy(max_surge=many, max_unavailable=0) if said.order == "start-first" else Strategy(max_surge=0, max_unavailable=many)


def _why(task: Task, wanted: Wanted) -> str:
    """Why a pod is one too many."""
    return f"{wanted.replicas} wanted" if task.version == wanted.version.number else "another version takes its place"


def victims(pods: Sequence[Task]) -> list[Task]:
    """The pods of a set in the order in which they go where there are too many."""
    beside = Counter(task.host for task in pods)
    return sorted(pods, key=lambda task: (
        task.phase == "ready", -beside[task.host], -(task.ready_at or 0), -task.restarts, -task.asked_at, -task.number,
    ))


def _again(task: Task, now: int, constants: OrchestratorEntry) -> Action:
    """The restart of a container, once its wait is over; it has none after the first crash."""
    due = task.since + (round(backoff_of(constants).nth(task.tries - 1) * SECOND) if task.tries else 0)
    waited = ", CrashLoopBackOff" if task.tries else ""
    return Restart(task.number, f"{task.cause}; crashed {task.tries + 1} times{waited}") if now >= due else Look(due)
