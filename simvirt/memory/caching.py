"""Where page caches are, how large, and what they hold: one on the host for all containers and processes, one in each VM.

*Model*: the cache gets the memory that nobody else takes, within the limits of the containers that read; reads of all services of a
    kernel compete in it in proportion to their rates.
*Ignores*: caches of the host under a VM's disk (QEMU, cache=none), of the drive, and of the application.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simvirt.memory.boxes import Census
from simvirt.memory.cache import DataSet, hit_ratios
from simvirt.memory.host_memory import PageCache
from simvirt.memory.working_set import Needs, data_set
from simvirt.scenario.spec.models import Scenario

Key = tuple[str, DataSet]
"""A service, and data that it reads."""


def hits(scenario: Scenario, needs: Mapping[str, Needs], caches: Iterable[PageCache]) -> dict[Key, float]:
    """Share of the reads of each data set that page caches serve, over all replicas of its service."""
    found = {(name, data): 0.0 for name, need in needs.items() for data in need.data}
    if not found:
        return found
    rates, each = read_rates(scenario), list(caches)
    total = {name: sum(cache.readers[name][1] * cache.copies for cache in each if name in cache.readers) for name in needs}
    for cache in each:
        for key, hit in _in_one(cache.readers, rates, cache.size).items():
            found[key] += hit * cache.readers[key[0]][1] * cache.copies / total[key[0]]
    return found


def _in_one(readers: Census, rates: Mapping[Key, float], capacity: float) -> dict[Key, float]:
    """Hit ratios in one kernel's cache: services whose limit leaves less than their data are on their own, the others share the rest."""
    alone: dict[Key, float] = {}
    open_: list[Key] = []
    for name, (replica, n) in readers.items():
        keys, kept = [(name, data) for data in replica.needs.data], replica.cacheable(n)
        if kept < sum(data.bytes for _, data in keys):
            kept = min(kept, capacity)
            alone |= _shared(keys, rates, kept)
            capacity -= kept
        else:
            open_ += keys
    return alone | _shared(open_, rates, capacity)


def _shared(keys: list[Key], rates: Mapping[Key, float], capacity: float) -> dict[Key, float]:
    found = hit_ratios([data for _, data in keys], [rates.get(key, 0.0) for key in keys], capacity)
    return dict(zip(keys, found, strict=True))


def read_rates(scenario: Scenario) -> dict[Key, float]:
    """Reads of each data set for one request of the mix, on average."""
    total = sum(scenario.mix.values())
    found: dict[Key, float] = {}
    for name, weight in scenario.mix.items():
        service, _, operation = name.partition(".")
        for key, often in _reads(scenario, service, scenario.services[service].operations[operation], weight / total if total else 0.0):
            found[key] = found.get(key, 0.0) + often
    return found


def _reads(scenario: Scenario, service: str, steps: Iterable[Any], share: float) -> Iterator[tuple[Key, float]]:
    """The reads of some steps, with those of what they call."""
    for step in steps:
        often = share * step.times * step.probability
        if hasattr(step, "disk") and step.disk.working_set is not None:
            yield (service, data_set(step.disk)), often
        elif hasattr(step, "call"):
            yield from _reads(scenario, step.service, scenario.services[step.service].operations[step.operation], often)
        elif hasattr(step, "parallel"):
            for branch in step.parallel:
                yield from _reads(scenario, service, branch, often)
