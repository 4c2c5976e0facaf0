"""Taints of hosts and what tolerates them.

*Model*: a taint keeps replicas away that do not tolerate it: NoSchedule and NoExecute as a filter, PreferNoSchedule as a score.
*Ignores*: that NoExecute also drives away what runs (taints of hosts do not change in a run); comparisons of numbers (the operators Gt
    and Lt, not on by default).
*Source*: kubernetes/kubernetes pkg/scheduler/framework/plugins/tainttoleration and staging/src/k8s.io/api/core/v1/toleration.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from simvirt.placement.hosts import Counts
from simvirt.placement.resources import normalised
from simvirt.scenario.spec.scheduling import Taint, Toleration, untolerated


def taint_scores(taints: Sequence[Iterable[Taint]], tolerations: Sequence[Toleration]) -> Counts:
    """Scores of hosts, high where few taints that ask politely are not tolerated."""
    polite = [each for each in tolerations if each.effect in (None, "PreferNoSchedule")]
    counts = [len(untolerated(each, polite, ("PreferNoSchedule",))) for each in taints]
    return normalised(np.array(counts, np.int64), reverse=True)
