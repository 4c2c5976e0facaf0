"""The table of services: where their replicas stand, how requests are spread over them, and which belong to a tenant."""

import numpy as np

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.scenario.spec.models import Scenario

BALANCES = {
    "round-robin": k.BALANCE_ROUND_ROBIN, "least-connections": k.BALANCE_LEAST_CONNECTIONS, "random": k.BALANCE_RANDOM,
    "two-choices": k.BALANCE_TWO_CHOICES,
}


def service_table(scenario: Scenario, plan: Arrangement, services: list[str], begins: list[int]) -> Columns:
    """Services; each has a stretch of `ready` as long as it has replicas; `begins` is where the balancers of callers begin."""
    counts = [sum(i.service == name for i in plan.instances) for name in services]
    known = scenario.services
    balance = [BALANCES[known[name].balance] if name in known else k.BALANCE_ROUND_ROBIN for name in services]
    per_home = [_per_home(scenario, name) for name in services]
    balance = [_at_home(policy) if own else policy for policy, own in zip(balance, per_home, strict=True)]
    n, replicas = len(services), max(sum(counts), 1)
    columns = blank(t.Services, rows=n, histogram=n * k.N_BUCKETS, ready=replicas, members=replicas, turns=replicas + len(begins))
    order = np.lexsort(([i.replica for i in plan.instances], [services.index(i.service) for i in plan.instances]))
    columns["members"][: len(order)] = order
    columns["turns"][replicas:] = begins
    return fill(columns, first=np.cumsum([0, *counts])[:-1], balance=balance, per_home=per_home)


def _per_home(scenario: Scenario, name: str) -> int:
    """Replicas of a service that each tenant has for itself, 0 where all share them."""
    tenants, service = scenario.tenants, scenario.services.get(name)
    return service.replicas // tenants.count if tenants is not None and service is not None and scenario.is_own(name) else 0


def _at_home(balance: int) -> int:
    """The heap of `least-connections` spans all replicas of a service; a tenant looks at its own."""
    return k.BALANCE_LEAST_AT_HOME if balance == k.BALANCE_LEAST_CONNECTIONS else balance
