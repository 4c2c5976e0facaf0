"""Spreading over topologies: hosts, zones, racks may differ by so many replicas, or had better not.

*Model*: a constraint names a label of hosts, whose values are domains. As a filter, a host may take a replica where its domain then has
    at most `max_skew` more than the emptiest; as a score, matching replicas of each domain weigh by the logarithm of the number of
    domains. Hosts without one of the labels count nowhere.
*Ignores*: namespaces, and policies that count hosts which the pod may not go to (`nodeTaintsPolicy`).
*Source*: kubernetes/kubernetes pkg/scheduler/framework/plugins/podtopologyspread (filtering.go, scoring.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simvirt.placement.hosts import Counts, Mask
from simvirt.placement.resources import MOST

Labels = Sequence[NDArray[np.object_]]
"""For each constraint the value of its label on each host, None where a host has none."""


@dataclass(frozen=True, slots=True)
class TopologySpread:
    """How even replicas have to be over the values of a label; `per_host` where every host is a domain of its own."""

    max_skew: int = 1
    per_host: bool = False
    min_domains: int | None = None


def may_spread(constraints: Sequence[TopologySpread], labels: Labels, matching: Sequence[Counts], itself: Sequence[bool]) -> Mask:
    """Which hosts keep all constraints with one more replica; `matching` replicas per constraint and host, `itself` where it counts too."""
    labelled = _labelled(labels)
    able = labelled.copy()
    for constraint, values, counts, own in zip(constraints, labels, matching, itself, strict=True):
        domains, per_domain = _domains(values, labelled, counts)
        few = constraint.min_domains is not None and len(per_domain) < constraint.min_domains
        least = 0 if few or not len(per_domain) else int(per_domain.min())
        able[labelled] &= per_domain[domains] + int(own) - least <= constraint.max_skew
    return able


def spread_scores(
    constraints: Sequence[TopologySpread], labels: Labels, matching: Sequence[Counts], candidates: Mask, *, rounded: bool = True,
) -> Counts:
    """Scores of the candidates, high where few matching replicas stand; `rounded` as releases since 1.25 do, else cut off."""
    labelled = _labelled(labels)
    scored = candidates & labelled
    raw = np.zeros(len(candidates))
    for constraint, values, counts in zip(constraints, labels, matching, strict=True):
        seen = counts.copy()
        size = int(scored.sum())
        if not constraint.per_host:
            domains, per_domain = _domains(values, labelled, counts)
            seen[labelled] = per_domain[domains]
            size = len(set(values[scored]))
        raw += seen * np.log(size + 2) + (constraint.max_skew - 1)
    whole = np.asarray(np.floor(raw + 0.5) if rounded else np.trunc(raw), np.int64)
    return np.where(scored, _turned(whole, scored), 0)


def _turned(raw: Counts, scored: Mask) -> Counts:
    """The fewest become the highest score, the most the lowest."""
    found = raw[scored]
    highest, lowest = (int(found.max()), int(found.min())) if len(found) else (0, 0)
    if highest == 0:
        return np.full(len(raw), MOST, np.int64)
    turned: Counts = MOST * (highest + lowest - raw) // highest
    return turned


def _labelled(labels: Labels) -> Mask:
    """Hosts that have every label."""
    found = np.ones(len(labels[0]), bool)
    for values in labels:
        found &= np.array([value is not None for value in values], bool)
    return found


def _domains(values: NDArray[np.object_], labelled: Mask, counts: Counts) -> tuple[Counts, Counts]:
    """The domain of each labelled host, and the count of each domain."""
    names, place = np.unique(values[labelled].astype(str), return_inverse=True)
    return place, np.asarray(np.bincount(place, weights=counts[labelled], minlength=len(names)), np.int64)
