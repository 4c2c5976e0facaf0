"""Limits of calls that adapt, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Instance
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.scenario.spec.resilience import LimitSpec
from simvirt.scenario.spec.services import ServiceSpec

RULES: Final = {"gradient2": k.GRADIENT2, "aimd": k.AIMD, "vegas": k.VEGAS}


def limiter_table(instances: list[Instance], services: Mapping[str, ServiceSpec], taken: Columns) -> Columns:
    """Limits of all replicas; what these take at first, in `taken`, is theirs already."""
    found = {i.row: of for i in instances if i.service in services and (of := services[i.service].limit) is not None}
    if not found:
        return blank(t.Limiters, rows=1)
    table = blank(t.Limiters, rows=len(instances))
    fill(table, threads=taken["threads"], line=taken["queue_limit"])
    for row, of in found.items():
        for name, value in _words(of).items():
            table[name][row] = value
        own = int(table["threads"][row])
        taken["threads"][row] = min(own, of.initial)
        taken["queue_limit"][row] = min(max(of.initial - own, 0), int(table["line"][row]))
    return table


def _words(of: LimitSpec) -> dict[str, float]:
    """What one limit says."""
    return {
        "rule": RULES[of.rule], "limit": of.initial, "smallest": of.min, "largest": of.max, "window": of.window, "window_ends": of.window,
        "smoothing": of.smoothing, "room": of.room, "memory": of.memory, "longest": of.timeout, "ratio": of.backoff,
    }
