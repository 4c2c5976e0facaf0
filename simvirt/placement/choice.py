"""The choice of a host: filters, then a policy among the hosts that are left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.placement.filters import filters
from simvirt.placement.hosts import Asked, Hosts, Mask
from simvirt.placement.kubernetes import kubernetes
from simvirt.placement.packing import first, roomiest, tightest
from simvirt.placement.spread import spread

Policy = Callable[[Hosts, Asked, Mask], int]
"""Which of the hosts that are able takes a replica."""
POLICIES: Final[Mapping[str, Policy]] = {
    "spread": spread, "kubernetes": kubernetes, "first-fit": first, "best-fit": tightest, "worst-fit": roomiest,
}
"""The policies by name."""


@dataclass(frozen=True)
class Choice:
    """The host of a replica, or None where none may take it, and why."""

    host: int | None
    reason: str


def choose(hosts: Hosts, asked: Asked, policy: Policy = spread) -> Choice:
    """The host for one replica; nothing is placed yet."""
    able, refused = np.ones(len(hosts.names), bool), []
    for what, mask in filters(hosts, asked):
        lacking = int((able & ~mask).sum())
        if lacking:
            refused.append(f"{lacking} without {what}")
        able &= mask
    if not able.any():
        return Choice(None, f"of {_counted(len(able))} {', '.join(refused)}")
    found = policy(hosts, asked, able)
    left = f" of {int(able.sum())} that may take it" if refused else ""
    here = int(hosts.of_service(asked.service)[found])
    return Choice(found, f"{hosts.names[found]}{left} has {here} of {asked.service} and {int(hosts.total[found])} replicas in all")


def place_all(hosts: Hosts, asked: Asked, count: int, policy: Policy = spread) -> list[Choice]:
    """The hosts of some replicas, one after the other, which stand there then; it ends with the first that none may take."""
    if len(hosts.names) == 1 and not (asked.most or asked.reserves or asked.topologies or asked.affinity):
        return _all_on_the_only_one(hosts, asked, count, policy)
    found: list[Choice] = []
    for _ in range(count):
        found.append(choose(hosts, asked, policy))
        where = found[-1].host
        if where is None:
            break
        hosts.add(asked.service, where, asked.reserves)
    return found


def _all_on_the_only_one(hosts: Hosts, asked: Asked, count: int, policy: Policy) -> list[Choice]:
    """The same where there is one host, which takes all or none."""
    only = choose(hosts, asked, policy)
    for _ in range(count if only.host is not None else 0):
        hosts.add(asked.service, 0, asked.reserves)
    return [only] * count


def _counted(number: int) -> str:
    return "1 host" if number == 1 else f"{number} hosts"
