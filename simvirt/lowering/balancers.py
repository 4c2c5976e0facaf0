"""Whose turn it is, for each that balances by turns: the workload's one balancer, and each instance that calls a service.

*Model*: an instance has a balancer for each service that it calls, and for each tenant where those have replicas of their own and it
    serves all of them. The n-th replica of a caller begins at the n-th multiple of the golden ratio, modulo one, of the way round:
    callers begin as evenly spread as with random starts, or better, and the first one at the first replica.
*Ignores*: that a balancer of connections, as a Service's virtual IP, decides once for all calls over a connection; replicas that a
    balancer takes for others than its peers do.
*Source*: grpc/grpc-go balancer/roundrobin, Envoy's round robin load balancer: each client its own, from a random start; Kubernetes and
    swarm: IPVS of each node, or of each network namespace. Golden ratio: Weyl 1916, Knuth, The Art of Computer Programming 3, 6.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Final

from simvirt.lowering.arrange import Arrangement
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.walk import calls_in

GOLDEN: Final = (sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class Balancers:
    """Balancers of calls: of each service, the place of that for each service which it calls, and how many there are of an instance."""

    scenario: Scenario
    plan: Arrangement

    @cached_property
    def callees(self) -> dict[str, dict[str, int]]:
        """Of each service, those that it calls, with the number of balancers that an instance has for each."""
        return {
            name: {call.service: self._width(name, call.service) for steps in service.operations.values() for call, _ in calls_in(steps)}
            for name, service in self.scenario.services.items()
        }

    def _width(self, caller: str, callee: str) -> int:
        """One balancer, or one for each tenant that has its own replicas where the caller serves all of them."""
        tenants = self.scenario.tenants
        return tenants.count if tenants is not None and self.scenario.is_own(callee) and not self.scenario.is_own(caller) else 1

    def place(self, caller: str, callee: str) -> int:
        """Place of the first balancer for a service among those of an instance."""
        names = list(self.callees[caller])
        return sum(self.callees[caller][name] for name in names[: names.index(callee)])

    def turns(self, before: int) -> tuple[list[int], list[int]]:
        """First row of each instance's balancers, which lie behind so many others, and the replica that each balancer begins with."""
        first: list[int] = []
        begins: list[int] = []
        for instance in self.plan.instances:
            first.append(before + len(begins))
            start = instance.replica * GOLDEN % 1.0
            for callee, width in self.callees.get(instance.service, {}).items():
                begins += [int(start * self._offered(callee))] * width
        return first, begins

    def _offered(self, service: str) -> int:
        """Replicas of a service that a balancer chooses from."""
        tenants, replicas = self.scenario.tenants, self.scenario.services[service].replicas
        return replicas // tenants.count if tenants is not None and self.scenario.is_own(service) else replicas
