"""The hosts that an event names: by name, by pool, by zone or label."""

from __future__ import annotations

from simvirt.scenario.spec.cluster import Constraint, NamedHost, constraint
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.network import named


def hosts_of(scenario: Scenario, target: str) -> tuple[int, ...]:
    """Rows of the hosts that a target stands for: `node[1]`, `node[0-2]`, `node`, `zone == b`; none where it is no such."""
    hosts = scenario.each_host
    asked = constraint(target)
    if asked is not None:
        return tuple(row for row, host in enumerate(hosts) if meets(host, asked))
    rows = {host.name: row for row, host in enumerate(hosts)}
    return tuple(rows[name] for name in named(target, rows))


def meets(host: NamedHost, asked: Constraint) -> bool:
    """Whether a host is what a constraint asks for."""
    return (host.said(asked.key) == asked.value) == asked.equal
