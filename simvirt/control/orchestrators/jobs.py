"""Jobs: tasks that end by themselves, so many times, some at a time; what fails is tried again.

*Model*: as many tasks run as may at a time, and as completions are missing. Under Kubernetes a pod that failed is given up and another one
    starts, after a wait that doubles with each failure since the last completion; after more failures than its limit the Job has failed,
    and what runs of it ends. Under Swarm a task that failed is started again as the restart policy says.
*Ignores*: pods that are restarted in place (restartPolicy: OnFailure), indexed Jobs, deadlines, what is kept of finished ones.
*Source*: kubernetes/kubernetes pkg/controller/job; moby/swarmkit manager/orchestrator/jobs/replicated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Look, Remove, Seen, Stop, Task, Wanted
from simvirt.control.orchestrators.kube_scheduler import scheduled
from simvirt.orchestration.restart import SECOND
from simvirt.orchestration.workloads import failures_in_a_row, job_delay


def kubernetes_job(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """Pods that failed, the end of a Job that failed too often, and further pods once their wait is over."""
    failures, limit = len(seen.failures), wanted.version.spec.job.backoff_limit
    over = failures > limit
    why = f"{failures} failures, backoff_limit {limit}: the job has failed" if over else "another pod takes its place"
    failed = [task for task in seen.tasks if task.phase == "failed"]
    yield from (Remove(task.number, f"{task.cause}; {why}") for task in failed)
    if over:
        yield from (Stop(task.number, "the job has failed") for task in seen.tasks if task.alive)
        return
    more = missing(wanted, seen, [task for task in seen.tasks if task.alive])
    if more and (due := _due(seen)) > seen.now:
        yield Look(due)
        return
    yield from begun(wanted, seen, constants, more)


def _due(seen: Seen) -> int:
    """When further pods may start [ns]."""
    ends = [float(at) for at in seen.completed]
    failures = [float(failure.at) for failure in seen.failures]
    last = seen.failures[-1].at if seen.failures else 0
    return last + round(job_delay(failures_in_a_row(0, ends, failures)) * SECOND)


def missing(wanted: Wanted, seen: Seen, there: Sequence[Task]) -> int:
    """How many tasks are to start now, beside those that are there."""
    job = wanted.version.spec.job
    return max(0, min(job.parallelism, job.completions - len(seen.completed)) - len(there))


def begun(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, more: int) -> Iterator[Action]:
    """Starts of so many tasks in slots that are free."""
    used = {task.slot for task in seen.tasks}
    yield from scheduled(wanted, seen, constants, list(islice((slot for slot in count() if slot not in used), more)))
