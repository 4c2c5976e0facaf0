"""Swarm's rolling update: how many tasks at once, when a failure counts, what it leads to.

*Model*: `parallelism` workers replace task after task and sleep the delay after each; failures of new tasks in their first `monitor`
    count, and where they are more than the ratio allows the update pauses, goes on or is rolled back; after the last task it watches on.
*Ignores*: tasks that never come up at all, for which an update waits without end.
*Source*: moby/swarmkit manager/orchestrator/update/updater.go (Run, worker), api/defaults/service.go; docker/cli raises the monitoring
    time to a second more than the delay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

FailureAction = Literal["pause", "continue", "rollback"]
Order = Literal["stop-first", "start-first"]


@dataclass(frozen=True, slots=True)
class SwarmUpdate:
    """How tasks are replaced; times in seconds."""

    parallelism: int = 1
    delay_s: float = 0.0
    failure_action: FailureAction = "pause"
    monitor_s: float = 5.0
    max_failure_ratio: float = 0.0
    order: Order = "stop-first"

    def workers(self, tasks: int) -> int:
        """How many tasks are replaced at once; 0 is all."""
        return min(self.parallelism, tasks) if self.parallelism else tasks

    def watches_s(self) -> float:
        """How long new tasks are watched [s]."""
        return self.delay_s + 1.0 if self.delay_s >= self.monitor_s else self.monitor_s

    def counts(self, ran_s: float | None) -> bool:
        """Whether the failure of a new task counts that ran so long, None for never."""
        return ran_s is None or ran_s <= self.watches_s()

    def action(self, failures: int, tasks: int) -> FailureAction | None:
        """What so many failures lead to; None for nothing."""
        exceeded = np.float32(failures) / np.float32(tasks) > np.float32(self.max_failure_ratio)
        return self.failure_action if exceeded and self.failure_action != "continue" else None

    def duration_s(self, tasks: int, replace_s: float) -> float:
        """How long an update of some tasks takes, where each is replaced in the same time [s]."""
        return math.ceil(tasks / self.workers(tasks)) * (replace_s + self.delay_s) + self.watches_s() if tasks else 0.0
