"""Spread: as few replicas of a service on a host as possible, then as few of all.

*Model*: of the hosts that may take it, one in the zone (or whatever replicas are spread over) with the fewest replicas of the service;
    there the host with the fewest of the service, then of all, then the first.
*Ignores*: what replicas need and use.
*Source*: moby/swarmkit manager/scheduler (nodes are compared by tasks of the service, then by all tasks; spread preferences form a tree
    above that).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from simvirt.placement.hosts import Asked, Hosts, Mask

MANY: Final = 2**31
"""More replicas than a host has."""


def spread(hosts: Hosts, asked: Asked, able: Mask) -> int:
    """The host for one replica among those that are able."""
    rows, own = np.flatnonzero(able), hosts.of_service(asked.service)
    if asked.spread is not None and asked.spread in hosts.said:
        rows = _in_emptiest(rows, own, hosts.said[asked.spread].astype(str))
    return int(rows[np.argmin(own[rows] * MANY + hosts.total[rows])])


def _in_emptiest(rows: np.ndarray, own: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Those of some hosts that are in the group with the fewest replicas, those on all hosts of it counted."""
    names, place = np.unique(groups, return_inverse=True)
    counts = np.bincount(place, weights=own, minlength=len(names))
    mine = place[rows]
    found: np.ndarray = rows[mine == mine[np.argmin(counts[mine])]]
    return found
