"""Placement as Swarm does it: constraints, preferences, as few tasks of the service as possible, faulty hosts last.

*Model*: a group of tasks is split over a tree of preferences, a level for each label, so that branches end with like numbers of tasks;
    within a branch hosts are filled in the order of their tasks of the service, then of all tasks. Hosts where the service failed five
    times in five minutes come after all others. What a branch has no room for goes to the others.
*Ignores*: volumes, plugins and host ports that a task may need.
*Source*: moby/swarmkit manager/scheduler (scheduler.go scheduleNTasksOnSubtree and scheduleNTasksOnNodes, nodeset.go tree, nodeinfo.go)
    and manager/constraint/constraint.go. Where Go walks a map in no order, this takes the order of the hosts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simvirt.placement.filters import filters
from simvirt.placement.hosts import Asked, Hosts, Mask
from simvirt.scenario.spec.cluster import Constraint

MOST_FAILURES: Final = 5
"""Failures of a service on a host that put it behind all others: maxFailures."""
FAILURES_WITHIN_S: Final = 300.0
"""How long a failure counts [s]: monitorFailures."""
PLAIN_KEYS: Final = ("node.id", "node.hostname", "node.role", "node.platform.os", "node.platform.arch")
LABELS: Final = ("node.labels.", "engine.labels.")


# --- constraints -------------------------------------------------------------------------------------------------------


def node_matches(constraint: Constraint, node: Mapping[str, str]) -> bool:
    """Whether a node, given by the keys of constraints, keeps one: whole values, case ignored; a missing value is empty."""
    key = constraint.key
    if key.lower() == "node.ip":
        return _address_matches(constraint, node.get("node.ip", ""))
    prefix = next((each for each in LABELS if key.lower().startswith(each)), None)
    if prefix is None and key.lower() not in PLAIN_KEYS:
        return False
    name = key.lower() if prefix is None else prefix + key[len(prefix):]
    return (node.get(name, "").casefold() == constraint.value.casefold()) == constraint.equal


def _address_matches(constraint: Constraint, address: str) -> bool:
    """Whether an address is the one, or in the network, that a constraint names; False where either is none."""
    try:
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(constraint.value, strict=False)
    except ValueError:
        return False
    return inside == constraint.equal


# --- groups of tasks ---------------------------------------------------------------------------------------------------


@dataclass
class Branch:
    """Part of the tree of preferences: its tasks of the service, its parts or its hosts."""

    tasks: int = 0
    parts: dict[str, Branch] = field(default_factory=dict)
    hosts: list[int] = field(default_factory=list)


@dataclass
class Group:
    """Tasks of a service that are being placed: hosts, what is asked, the hosts that may at all, the places so far."""

    around: Hosts
    asked: Asked
    able: Mask
    count: int
    places: list[int] = field(default_factory=list)

    def key(self, host: int) -> tuple[int, int, int]:
        """What orders hosts: many failures, tasks of the service, all tasks."""
        failed = int(self.around.failures_of(self.asked.service)[host])
        own = int(self.around.of_service(self.asked.service)[host])
        return failed if failed >= MOST_FAILURES else 0, own, int(self.around.total[host])

    def fits(self, host: int) -> bool:
        """Whether one more task fits on a host now."""
        around, asked = self.around, self.asked
        if not self.able[host] or (asked.most is not None and around.of_service(asked.service)[host] >= asked.most):
            return False
        return all(around.room_of(name)[host] - around.taken_of(name)[host] >= amount for name, amount in asked.reserves.items())


def place_group(hosts: Hosts, asked: Asked, count: int, preferences: Sequence[str] | None = None) -> list[int]:
    """The hosts of up to `count` tasks, which stand there then; fewer where there is no room for all.

    `preferences` are what is said of hosts over whose values tasks are spread, the first first; else what is asked.
    """
    if preferences is None:
        preferences = () if asked.spread is None else (asked.spread,)
    able = np.ones(len(hosts.names), bool)
    for _, mask in filters(hosts, asked):
        able &= mask
    group = Group(hosts, asked, able, count)
    _on_branch(group, _tree(hosts, asked.service, preferences), count)
    return group.places


def _tree(hosts: Hosts, service: str, preferences: Sequence[str]) -> Branch:
    """The tree of preferences with the tasks that are there; hosts without a label form a branch of their own."""
    root, own = Branch(), hosts.of_service(service)
    for host in range(len(hosts.names)):
        branch = root
        branch.tasks += int(own[host])
        for key in preferences:
            value = hosts.said[key][host] if key in hosts.said else None
            branch = branch.parts.setdefault("" if value is None else str(value), Branch())
            branch.tasks += int(own[host])
        branch.hosts.append(host)
    return root


def _on_branch(group: Group, branch: Branch, count: int) -> int:
    """Places up to `count` tasks in a branch; the number placed."""
    if not branch.parts:
        return _on_hosts(group, sorted((host for host in branch.hosts if group.fits(host)), key=group.key)[: group.count], count)
    placed, usable, full = 0, branch.tasks, set[str]()
    while placed < count and len(full) != len(branch.parts):
        desired, rest = divmod(usable + count - placed, len(branch.parts) - len(full))
        for name, part in branch.parts.items():
            wanted = min(desired - part.tasks + (1 if rest > 0 else 0), count - placed)
            if name in full or wanted <= 0:
                continue
            here = _on_branch(group, part, wanted)
            part.tasks, usable, placed = part.tasks + here, usable + here, placed + here
            if here < wanted:
                full.add(name)
                usable -= part.tasks
            elif rest > 0:
                rest -= 1
    return placed


def _on_hosts(group: Group, hosts: Sequence[int], count: int) -> int:
    """Places up to `count` tasks on hosts in their order: first until they have the same number, then one each in turn."""
    if not hosts:
        return 0
    turn, failed = 0, set[int]()
    for placed in range(1, count + 1):
        host = hosts[turn % len(hosts)]
        group.around.add(group.asked.service, host, group.asked.reserves)
        group.places.append(host)
        if placed == count:
            return placed
        if turn + 1 >= len(hosts) or group.key(hosts[turn + 1]) < group.key(host):
            turn += 1
        from_here = turn
        while turn % len(hosts) in failed or not group.fits(hosts[turn % len(hosts)]):
            failed.add(turn % len(hosts))
            turn += 1
            if turn - from_here == len(hosts):
                return placed
    return 0
