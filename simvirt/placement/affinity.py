"""Beside which other replicas a replica stands, or does not.

*Model*: two hosts are beside each other where what a key says of them is the same. Required: as a filter; the first replica that wants to
    stand beside its own may go anywhere. Preferred: each replica beside which a host would put it counts its weight, for or against.
*Ignores*: that others do not want to stand beside this one (the rule is looked at only from the side that states it).
*Source*: kubernetes/kubernetes pkg/scheduler/framework/plugins/interpodaffinity (filtering.go, scoring.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from simvirt.placement.hosts import Asked, Counts, Hosts, Mask
from simvirt.placement.resources import MOST
from simvirt.scenario.spec.scheduling import AffinitySpec


def domain_counts(hosts: Hosts, service: str, key: str) -> Counts:
    """Replicas of a service that stand beside each host, on it included; none beside a host of which the key says nothing."""
    values = hosts.values_of(key)
    known = np.array([value is not None for value in values], bool)
    names, place = np.unique(values[known].astype(str), return_inverse=True)
    counts = np.zeros(len(values), np.int64)
    counts[known] = np.bincount(place, weights=hosts.of_service(service)[known], minlength=len(names))[place]
    return counts


def required(hosts: Hosts, asked: Asked) -> Iterator[tuple[str, Mask]]:
    """What is required in words, and the hosts that have it."""
    for rule in asked.affinity:
        if rule.weight is not None:
            continue
        if rule.near is not None:
            alone = rule.near == asked.service and not hosts.of_service(asked.service).any()
            known = np.array([value is not None for value in hosts.values_of(rule.topology_key)], bool)
            yield f"{rule.near} in its {rule.topology_key}", known if alone else domain_counts(hosts, rule.near, rule.topology_key) > 0
        if rule.away_from is not None:
            yield f"its {rule.topology_key} free of {rule.away_from}", domain_counts(hosts, rule.away_from, rule.topology_key) == 0


def preferred_scores(hosts: Hosts, asked: Asked, able: Mask) -> Counts:
    """Scores of hosts by what is preferred, from the least of those that are able to the most."""
    raw = np.zeros(len(hosts.names), np.int64)
    for rule, weight in _weighed(asked.affinity):
        for service, sign in ((rule.near, 1), (rule.away_from, -1)):
            if service is not None:
                raw += sign * weight * domain_counts(hosts, service, rule.topology_key)
    low, high = int(raw[able].min()), int(raw[able].max())
    return MOST * (raw - low) // (high - low) if high > low else np.zeros_like(raw)


def _weighed(rules: Sequence[AffinitySpec]) -> Iterator[tuple[AffinitySpec, int]]:
    for rule in rules:
        if rule.weight is not None:
            yield rule, rule.weight
