"""A Kubernetes StatefulSet: pods that are somebody each, one after the other.

*Model*: a pod keeps its ordinal for ever, and no two have the same one at a time. The lowest one that is missing starts once all before it
    are ready; the highest one too many ends once all that stay are ready, and the one above it has ended. An update ends pods of other
    versions from the highest ordinal on, each once all others are ready. With `pod_management: Parallel` starts and ends do not wait for
    each other, updates still do. A container that failed is started again where it stood.
*Ignores*: partitions, maxUnavailable; that the pods of a lost node end only when the node is back or deleted; that a pod which starts anew
    in the middle of an update may be of the old version.
*Source*: kubernetes/kubernetes pkg/controller/statefulset/stateful_set_control.go; Kubernetes documentation, StatefulSets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Seen, Stop, Task, Wanted
from simvirt.control.orchestrators.kube_scheduler import scheduled
from simvirt.control.orchestrators.rules import UPDATED


def stateful_set(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, again: Callable[[Task], Action]) -> Iterator[Action]:
    """Containers that failed, and what may be done next for the set."""
    yield from (again(task) for task in seen.tasks if task.phase == "failed" and seen.able[task.host])
    the_set = _Set(wanted, seen, constants)
    yield from the_set.started()
    if the_set.parallel or the_set.all_ready:
        yield from the_set.condemned()
    if the_set.all_ready and not the_set.surplus:
        yield from the_set.updated()


@dataclass(frozen=True)
class _Set:
    """What is wanted of a set, and what there is."""

    wanted: Wanted
    seen: Seen
    constants: OrchestratorEntry

    @property
    def parallel(self) -> bool:
        """Whether pods do not wait for each other when they come or go."""
        return self.wanted.version.spec.deploy.pod_management == "Parallel"

    @cached_property
    def pods(self) -> dict[int, Task]:
        """The pods by their ordinals, those included that are on their way out."""
        return {task.slot: task for task in self.seen.tasks}

    @cached_property
    def surplus(self) -> list[Task]:
        """Pods beyond those wanted, the highest ordinal first."""
        return sorted((task for task in self.seen.tasks if task.slot >= self.wanted.replicas), key=lambda task: -task.slot)

    def _is_ready(self, ordinal: int) -> bool:
        pod = self.pods.get(ordinal)
        return pod is not None and pod.phase == "ready" and self.seen.able[pod.host]

    @cached_property
    def all_ready(self) -> bool:
        """Whether all pods that are to stay are ready."""
        return all(map(self._is_ready, range(self.wanted.replicas)))

    def started(self) -> Iterator[Action]:
        """Starts of pods that are missing: of all, or of the first one whose predecessors are ready."""
        missing = [ordinal for ordinal in range(self.wanted.replicas) if ordinal not in self.pods]
        if not self.parallel:
            missing = [ordinal for ordinal in missing[:1] if all(map(self._is_ready, range(ordinal)))]
        yield from scheduled(self.wanted, self.seen, self.constants, missing)

    def condemned(self) -> Iterator[Action]:
        """The end of pods too many: of all, or of the last one, once none is on its way out."""
        going = [task for task in self.surplus if task.phase != "stopping"]
        if not self.parallel:
            going = going[:1] if len(going) == len(self.surplus) else []
        yield from (Stop(task.number, f"{self.wanted.replicas} wanted") for task in going)

    def updated(self) -> Iterator[Action]:
        """The end of the last pod of another version; all are ready."""
        old = [ordinal for ordinal, task in self.pods.items() if task.version != self.wanted.version.number]
        if old:
            yield Stop(self.pods[max(old)].number, UPDATED)
