"""Where page caches are, how large, and what they hold: one on the host for all containers and processes, one in each VM.

*Model*: the cache gets the memory that nobody else takes, within the limits of the containers that read; reads of all services of a
    kernel compete in it in proportion to their rates.
*Ignores*: caches of the drive and of the application; what guests write among what the host's cache holds beneath theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from simvirt.memory.boxes import Census
from simvirt.memory.cache import DataSet, Missed, characteristic_time, hit_ratios, hits_beneath
from simvirt.memory.host_memory import PageCache
from simvirt.memory.working_set import Needs, data_read
from simvirt.scenario.graph import Name, name_of, targets
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.walk import walk

Key = tuple[str, DataSet]
"""A service, and data that it reads."""


@dataclass(frozen=True, slots=True)
class Beneath:
    """What a service's guest has not of data that it reads, and the host's page cache may have."""

    key: Key


def hits(
    scenario: Scenario, needs: Mapping[str, Needs], caches: Iterable[PageCache], host: float | None = None,
) -> dict[Key | Beneath, float]:
    """Share of the reads of each data set that page caches serve, over all replicas of its service.

    With a page cache of the `host` beneath those of guests [bytes], what that serves of the rest.
    """
    found: dict[Key | Beneath, float] = {(name, data): 0.0 for name, need in needs.items() for data in need.data}
    if not found:
        return found
    rates, each = read_rates(scenario), list(caches)
    total: Counter[str] = Counter()
    for cache in each:
        total.update({name: n * cache.copies for name, (_, n) in cache.readers.items()})
    for cache in each:
        for key, hit in _in_one(cache.readers, rates, cache.size).items():
            found[key] += hit * cache.readers[key[0]][1] * cache.copies / total[key[0]]
    return found | (_beneath(each, rates, host) if host is not None else {})


def _beneath(caches: Iterable[PageCache], rates: Mapping[Key, float], capacity: float) -> dict[Key | Beneath, float]:
    """What the host's page cache serves of what those of guests let pass, over all guests that read a data set."""
    keys, missed = [], []
    for cache in caches:
        for group, room in _rooms(cache.readers, cache.size):
            time = _time(group, rates, room)
            keys += group
            missed += [Missed(key[1], rates.get(key, 0.0), time, cache.readers[key[0]][1] * cache.copies) for key in group]
    found: dict[Key | Beneath, float] = {}
    weight: Counter[Key] = Counter()
    for key, one, hit in zip(keys, missed, hits_beneath(missed, capacity), strict=True):
        found[Beneath(key)] = found.get(Beneath(key), 0.0) + one.copies * hit
        weight[key] += one.copies
    return {beneath: value / weight[beneath.key] for beneath, value in found.items() if isinstance(beneath, Beneath)}


def _time(keys: list[Key], rates: Mapping[Key, float], room: float) -> float:
    """How long a block stays that nobody reads."""
    return characteristic_time([data for _, data in keys], [rates.get(key, 0.0) for key in keys], room) if room > 0 else 0.0


def _in_one(readers: Census, rates: Mapping[Key, float], capacity: float) -> dict[Key, float]:
    """Hit ratios in one kernel's cache."""
    return {key: hit for keys, room in _rooms(readers, capacity) for key, hit in _shared(keys, rates, room).items()}


def _rooms(readers: Census, capacity: float) -> Iterator[tuple[list[Key], float]]:
    """Data sets that share room in one kernel's cache: services whose limit leaves less than their data alone, then the others."""
    open_: list[Key] = []
    for name, (replica, n) in readers.items():
        keys, kept = [(name, data) for data in replica.needs.data], replica.cacheable(n)
        if kept < sum(data.bytes for _, data in keys):
            kept = min(kept, capacity)
            yield keys, kept
            capacity -= kept
        else:
            open_ += keys
    yield open_, capacity


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
        for target in targets(scenario, visit.step):
            yield from _reads(scenario, target, visit.expected)
