"""Which hosts may take a replica, and why others may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from simvirt.placement.affinity import required
from simvirt.placement.hosts import Asked, Hosts, Mask
from simvirt.placement.topology import TopologySpread, may_spread
from simvirt.scenario.spec.scheduling import untolerated
from simvirt.units import format_size


def filters(hosts: Hosts, asked: Asked) -> Iterator[tuple[str, Mask]]:
    """What is asked of a host in words, and which hosts have it."""
    if (hosts.cpus < 0).any():
        yield "being up", hosts.cpus >= 0
    for constraint in asked.constraints:
        values = hosts.said.get(constraint.key, np.full(len(hosts.names), None, object))
        yield str(constraint), (values == constraint.value) == constraint.equal
    if asked.cpus > 0:
        yield f"{asked.cpus:g} CPUs", hosts.cpus >= asked.cpus
    if asked.sockets > 0:
        yield f"{asked.sockets} sockets", hosts.sockets >= asked.sockets
    if asked.memory > 0:
        yield f"{format_size(asked.memory)} of memory", hosts.memory >= asked.memory
    for resource, amount in asked.reserves.items():
        yield f"{_amount(resource, amount)} left to reserve", hosts.room_of(resource) - hosts.taken_of(resource) >= amount
    if hosts.taints:
        yield "only taints that it tolerates", np.array([not untolerated(each, asked.tolerations) for each in hosts.taints], bool)
    yield from required(hosts, asked)
    for rule in asked.topologies:
        if rule.when_unsatisfiable == "DoNotSchedule":
            even = TopologySpread(rule.max_skew, rule.topology_key == "host")
            able = may_spread([even], [hosts.values_of(rule.topology_key)], [hosts.of_service(asked.service)], [True])
            yield f"room for one more in its {rule.topology_key}", able
    if asked.most is not None:
        yield f"fewer than {asked.most} replicas of {asked.service}", hosts.of_service(asked.service) < asked.most


def suited(hosts: Hosts, asked: Asked) -> Mask:
    """The hosts that may take a replica, whatever stands on them."""
    able = np.ones(len(hosts.names), bool)
    for _, mask in filters(hosts, replace(asked, reserves={}, affinity=(), topologies=(), most=None)):
        able &= mask
    return able


def _amount(resource: str, amount: int) -> str:
    """A reservation in words."""
    known = {"cpu": lambda: f"{amount / 1000:g} CPUs", "memory": lambda: f"{format_size(amount)} of memory"}
    return known.get(resource, lambda: f"{amount} of {resource}")()
