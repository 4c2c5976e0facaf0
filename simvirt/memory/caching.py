"""Where page caches are, how large, and what they hold: one on the host for all containers and processes, one in each VM.

*Model*: the cache gets the memory that nobody else takes, within the limits of the containers that read; reads of all services of a
    kernel compete in it in proportion to their rates.
*Ignores*: caches of the host under a VM's disk (QEMU, cache=none), of the drive, and of the application.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simvirt.catalog.records import HostEntry, Platform
from simvirt.memory.cache import DataSet, hit_ratios
from simvirt.memory.footprint import cacheable, ledger, machines, tenants
from simvirt.memory.working_set import IDLE, Load, Needs, data_read
from simvirt.scenario.graph import Name, name_of
from simvirt.scenario.spec.models import CallStep, Scenario
from simvirt.scenario.walk import walk

Key = tuple[str, DataSet]
"""A service, and data that it reads."""


def hits(
    scenario: Scenario, platform: Platform, host: HostEntry, wanted: Mapping[str, Needs], counts: Mapping[str, int],
    loads: Mapping[str, Load],
) -> dict[Key, float]:
    """Share of the reads of each data set that page caches serve; empty where no step states a working set."""
    if not any(need.data for need in wanted.values()):
        return {}
    rates = read_rates(scenario)
    if platform.hypervisors:
        return _in_guests(scenario, platform, host, wanted, counts, loads, rates)
    found = ledger(scenario, platform, host, wanted, counts, loads)
    files = tenants(scenario, platform.runtimes, counts, loads, wanted).files
    return _in_one(scenario, counts, wanted, loads, rates, found.page_cache - files, fenced=bool(platform.runtimes))


def _in_guests(
    scenario: Scenario, platform: Platform, host: HostEntry, wanted: Mapping[str, Needs], counts: Mapping[str, int],
    loads: Mapping[str, Load], rates: Mapping[Key, float],
) -> dict[Key, float]:
    """Each guest has a cache of its own; the ratio of a service is that of its replicas on average."""
    found: dict[Key, float] = {}
    for machine, n, share in machines(scenario, platform, host, counts, loads, wanted):
        inside = _in_one(scenario, share, wanted, loads, rates, machine.cached, fenced=bool(platform.runtimes))
        for key, hit in inside.items():
            name = key[0]
            found[key] = found.get(key, 0.0) + hit * n * share[name] / max(1, counts[name])
    return found


def _in_one(
    scenario: Scenario, counts: Mapping[str, int], wanted: Mapping[str, Needs], loads: Mapping[str, Load], rates: Mapping[Key, float],
    capacity: float, fenced: bool,
) -> dict[Key, float]:
    """Hit ratios in one kernel's cache: services whose limit leaves less than their data are on their own, the others share the rest."""
    alone: dict[Key, float] = {}
    open_: list[Key] = []
    for name, n in counts.items():
        keys = [(name, data) for data in wanted[name].data] if n > 0 else []
        kept = cacheable(scenario.services[name], wanted[name], wanted[name].at(loads.get(name, IDLE)), n, fenced)
        if keys and kept < sum(data.bytes for _, data in keys):
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


def hits_inside(
    scenario: Scenario, platform: Platform, caches: Mapping[str, tuple[Mapping[str, int], float]], wanted: Mapping[str, Needs],
    loads: Mapping[str, Load],
) -> dict[Key, float]:
    """Hit ratios from page caches as they are: of each the replicas that read through it, and its size [bytes]."""
    rates, found = read_rates(scenario), dict.fromkeys(((name, data) for name, need in wanted.items() for data in need.data), 0.0)
    total = {name: sum(share.get(name, 0) for share, _ in caches.values()) for name in wanted}
    for share, size in caches.values():
        inside = _in_one(scenario, share, wanted, loads, rates, size, fenced=bool(platform.runtimes))
        for key, hit in inside.items():
            found[key] += hit * share[key[0]] / max(1, total[key[0]])
    return found
