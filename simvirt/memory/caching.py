"""Where page caches are, how large, and what they hold: one on the host for all containers and processes, one in each VM.

*Model*: the cache gets the memory that nobody else takes, within the limits of the containers that read; reads of all services of a
    kernel compete in it in proportion to their rates.
*Ignores*: caches of the host under a VM's disk (QEMU, cache=none), of the drive, and of the application.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from simvirt.memory.boxes import Census
from simvirt.memory.cache import DataSet, hit_ratios
from simvirt.memory.host_memory import PageCache
from simvirt.memory.working_set import Needs, data_read
from simvirt.scenario.graph import Name, name_of
from simvirt.scenario.spec.models import CallStep, Scenario
from simvirt.scenario.walk import walk

Key = tuple[str, DataSet]
"""A service, and data that it reads."""


def hits(scenario: Scenario, needs: Mapping[str, Needs], caches: Iterable[PageCache]) -> dict[Key, float]:
    """Share of the reads of each data set that page caches serve, over all replicas of its service."""
    found = {(name, data): 0.0 for name, need in needs.items() for data in need.data}
    if not found:
        return found
    rates, each = read_rates(scenario), list(caches)
    total: Counter[str] = Counter()
    for cache in each:
        total.update({name: n * cache.copies for name, (_, n) in cache.readers.items()})
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
        for key, often in _reads(scenario, name_of(name), weight / total if total else 0.0):
            found[key] = found.get(key, 0.0) + often
    return found


def _reads(scenario: Scenario, name: Name, share: float) -> Iterator[tuple[Key, float]]:
    """The reads of an operation that is executed so often, with those of what it calls."""
    service, operation = name
    for visit in walk(scenario.services[service].operations[operation], expected=share):
        yield from (((service, data), visit.expected) for data in data_read(visit.step))
        if isinstance(visit.step, CallStep):
            yield from _reads(scenario, visit.step.target, visit.expected)
