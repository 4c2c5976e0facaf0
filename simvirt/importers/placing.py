"""Hosts for services that say where they stand: pools of labelled hosts, as few as what is asked for allows.

*Model*: what services ask hosts to be goes on one pool, until it contradicts what others ask; then there is another pool. A pool has as
many hosts as the most replicas of a service need that may stand on so many of a host; what is spread is over some zones.
*Ignores*: hosts that no service asks for.
*Source*: compose-spec, deploy.md (`placement`); Kubernetes documentation, Assigning Pods to Nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from simvirt.importers.application import Service
from simvirt.scenario.spec.cluster import Constraint, constraint

RENAMED: Final = {"host": "hostname", "pool": "node_pool"}
"""Labels whose names mean something else to a scenario."""
ZONED: Final = {"zone", "topology_kubernetes_io_zone", "failure-domain_beta_kubernetes_io_zone"}


@dataclass(slots=True)
class Pool:
    """Hosts that are alike: their labels, labels that they must not have, how many they are, over which zones they stand."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    without: set[tuple[str, str]] = field(default_factory=set)
    zones: tuple[str, ...] = ()
    count: int = 1
    reason: str = "services say what their hosts are called or labelled"

    def takes(self, wanted: Iterable[Constraint]) -> bool:
        """Whether hosts of it can be what is wanted, beside what they are already."""
        return all(self._takes(one) for one in wanted)

    def _takes(self, one: Constraint) -> bool:
        if not one.equal:
            return self.labels.get(one.key) != one.value
        return self.labels.get(one.key, one.value) == one.value and (one.key, one.value) not in self.without

    def become(self, wanted: Iterable[Constraint]) -> None:
        """Makes its hosts what is wanted."""
        for one in wanted:
            if one.equal:
                self.labels[one.key] = one.value
            else:
                self.without.add((one.key, one.value))


def label(key: str) -> str:
    """A label of hosts as a scenario names it."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", key)
    return "zone" if plain in ZONED else RENAMED.get(plain, plain)


def demanded(text: str) -> Constraint | None:
    """What a host must be, by a comparison of Compose's; None where it is none."""
    found = constraint(text)
    return None if found is None else Constraint(label(found.key), found.equal, found.value)


def pools(services: Iterable[Service], zones: int) -> tuple[Pool, ...]:
    """The pools of hosts that services need; none where no service says where it stands."""
    found: list[Pool] = []
    for service in services:
        placement = service.keys.get("deploy", {}).get("placement")
        if placement is not None:
            _take_in(found, service, placement, zones)
    for pool in found:
        if (zone := pool.labels.pop("zone", None)) is not None:
            pool.zones = (zone,)
    return tuple(found)


def _take_in(found: list[Pool], service: Service, placement: dict[str, Any], zones: int) -> None:
    """Finds the pool on which a service can stand, or makes it."""
    wanted = [one for text in placement.get("constraints", ()) if (one := constraint(text)) is not None]
    pool = next((pool for pool in found if pool.takes(wanted)), None)
    if pool is None:
        pool = Pool("node" if not found else f"node-{len(found) + 1}")
        found.append(pool)
    pool.become(wanted)
    replicas = int(service.keys["deploy"].get("replicas", 1))
    pool.count = max(pool.count, -(-replicas // int(placement.get("max_replicas_per_node", replicas))))
    if "spread" in placement:
        pool.zones = tuple("abcdefghijklmnopqrstuvwxyz"[:zones])
        pool.count = max(pool.count, zones)
        pool.reason += "; what is spread needs some zones"
