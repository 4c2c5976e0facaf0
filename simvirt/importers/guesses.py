"""What a file cannot say, guessed in the open: demands by image, calls by addresses, entries by published ports, the host by what it holds.

*Model*: a service calls those whose names stand as hosts in its environment or command, else those that it is started after. What is
reached from outside is asked by users; what nobody calls and calls others works at the same rate, as a worker does. A request costs what
the catalogue's `demands` say of the image's profile.
*Ignores*: which request calls what and how often (each calls every callee once, one after the other); what only the application knows.
*Source*: the file itself; `demands` of the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.demands import DemandEntry
from simvirt.catalog.entries.software import ImageSpec
from simvirt.catalog.images import GENERIC, image_name, is_known, short_name
from simvirt.importers import values
from simvirt.importers.application import Application, Service

RATE: Final = "20/s"
OBJECTIVE: Final = "1s"
LEAST_CORES, LEAST_MEMORY = 8, 16 << 30
UNLIMITED_MEMORY: Final = 1 << 30
"""Memory that is kept on the host for a replica without a limit, its guest included [bytes]."""
HINTS: Final = {"postgres": "postgres", "pg": "postgres", "mysql": "mysql", "mariadb": "mysql", "mongo": "mongo", "redis": "redis", "cache": "redis",
                "rabbit": "rabbitmq", "kafka": "rabbitmq", "nginx": "nginx", "proxy": "haproxy", "memcache": "memcached", "db": "postgres"}
"""Parts of a service's name -> the image that they suggest where none is named."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """A number or a call that no file says: the key in the scenario, its value, and why."""

    path: str
    value: str
    reason: str
    demand: bool = False


@dataclass(slots=True)
class Guesses:
    """What completes an application to a scenario."""

    image: dict[str, str | None] = field(default_factory=dict)
    profile: dict[str, str] = field(default_factory=dict)
    demand: dict[str, DemandEntry] = field(default_factory=dict)
    calls: dict[str, list[str]] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    cores: int = LEAST_CORES
    memory: int = LEAST_MEMORY
    assumed: list[Assumed] = field(default_factory=list)


def guessed(application: Application) -> Guesses:
    """All that an application leaves open."""
    catalog, found = Catalog.load(None), Guesses()
    services = {service.name: service for service in application.lasting()}
    for service in services.values():
        _software(catalog, service, found)
    watchers = {name for name, service in services.items() if _watches(catalog, service)}
    _calls(services, watchers, found)
    _entries(services, watchers, found)
    _host(services, found)
    return found


def _software(catalog: Catalog, service: Service, found: Guesses) -> None:
    """Which image speaks for a service, and what a request costs there."""
    named = service.image or service.base
    reason = "its image says" if service.image else "the image that it is built on says"
    if named is None or not is_known(catalog, named):
        hint = next((image for part, image in HINTS.items() if part in re.split(r"[^a-z]+", service.name.lower())), None)
        hint = hint or next((image for part, image in HINTS.items() if len(part) > 3 and part in service.name.lower()), None)
        if hint is not None and (named is None or not is_known(catalog, named)):
            named, reason = hint, "its name suggests"
    entry = catalog.typed("images", image_name(catalog, named), ImageSpec) if named else catalog.typed("images", GENERIC, ImageSpec)
    profile = entry.profile if entry.profile in catalog.names("demands") else GENERIC
    found.image[service.name] = service.image
    found.profile[service.name] = entry.profile
    demand = catalog.typed("demands", profile, DemandEntry)
    found.demand[service.name] = demand
    what = f"{reason} {entry.title}" if profile != GENERIC else "nothing says what software it is"
    found.assumed.append(Assumed(
        f"services.{service.name}.operations.request", values.said_time(float(demand.cpu) * 1e-9), f"{what}; {demand.title} in the catalogue's demands",
        demand=True))


def _watches(catalog: Catalog, service: Service) -> bool:
    """Whether others report to a service without waiting for it."""
    names = catalog.typed("demands", GENERIC, DemandEntry).telemetry
    return any(word in names for word in (service.name.lower(), *((short_name(service.image),) if service.image else ())))


def _calls(services: Mapping[str, Service], watchers: set[str], found: Guesses) -> None:
    """Who calls whom; calls that would close a circle are left out."""
    names = {alias: name for name, service in services.items() for alias in service.names}
    pattern = _hosts_in(names)
    wanted: dict[str, dict[str, str]] = {}
    for name, service in services.items():
        addressed = {names[word]: "its address stands in the environment or the command" for text in service.texts for word in pattern.findall(text)}
        linked = {names[word]: "links says so" for word in service.others if word in names}
        after = {word: "it is started after it" for word in service.after if word in services}
        wanted[name] = {other: why for other, why in {**after, **linked, **addressed}.items() if other != name}
    for name in services:
        for other, why in wanted[name].items() if name not in watchers else ():
            if other in watchers:
                continue
            if _reaches(found.calls, other, name):
                found.assumed.append(Assumed(f"services.{name}", f"no call of {other}", f"{other} calls {name} already, perhaps by way of others"))
                continue
            found.calls.setdefault(name, []).append(other)
            found.assumed.append(Assumed(f"services.{name}.operations.request", f"call {other}", why))


def _hosts_in(names: Mapping[str, str]) -> re.Pattern[str]:
    """What finds the names of services where they stand as hosts: at the beginning of a text, behind `/`, `@`, `,`, `=`, before `:`, `/`, `,` or the end."""
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?:^|(?<=[/@,=;\s\"']))({words or '(?!)'})(?=$|[:/,;\s\"'])")


def _reaches(calls: Mapping[str, list[str]], first: str, last: str) -> bool:
    """Whether one service calls another, perhaps by way of others."""
    seen, line = set(), [first]
    while line:
        name = line.pop()
        if name == last:
            return True
        if name not in seen:
            seen.add(name)
            line += calls.get(name, [])
    return False


def _entries(services: Mapping[str, Service], watchers: set[str], found: Guesses) -> None:
    """What users ask: what is reached from outside and is not called; then workers, which nobody calls."""
    called = {other for others in found.calls.values() for other in others}
    roots = [name for name in services if name not in called and name not in watchers]
    doors = [name for name in roots if services[name].published]
    workers = [name for name in roots if not services[name].published and found.calls.get(name)]
    chosen = [*doors, *workers] or roots or list(services)
    for name in chosen:
        why = "it is reached from outside" if name in doors else "nobody calls it and it calls others" if name in workers else "nobody calls it"
        found.entries.append(name)
        found.assumed.append(Assumed(f"workload.mix.{name}.request", "1", why))
    found.assumed.append(Assumed("workload.open.rate", RATE, "no file says how many requests come"))
    found.assumed.append(Assumed("objective.latency_p99", OBJECTIVE, "no file says what users expect"))


def _host(services: Mapping[str, Service], found: Guesses) -> None:
    """One host with room for what is limited, and for guests."""
    cores = sum(_cpus(service) * _replicas(service) for service in services.values())
    memory = sum((_memory(service) + (UNLIMITED_MEMORY >> 1)) * _replicas(service) for service in services.values())
    found.cores = max(LEAST_CORES, _power_of_two(cores))
    found.memory = max(LEAST_MEMORY, _power_of_two(1.25 * memory))
    found.assumed.append(Assumed("host", f"{found.cores} cores, {found.memory >> 30} GiB", "room for the limits of all services, each in a VM too"))


def _replicas(service: Service) -> int:
    return int(service.keys.get("deploy", {}).get("replicas", 1))


def _limits(service: Service) -> Mapping[str, object]:
    found: Mapping[str, object] = service.keys.get("deploy", {}).get("resources", {}).get("limits", {})
    return found


def _cpus(service: Service) -> float:
    return float(str(service.keys.get("cpus") or _limits(service).get("cpus") or 0.0))


def _memory(service: Service) -> float:
    said = service.keys.get("mem_limit") or _limits(service).get("memory")
    return float(values.size(str(said)) or UNLIMITED_MEMORY) if said else float(UNLIMITED_MEMORY)


def _power_of_two(value: float) -> int:
    return 1 << max(int(-(-value // 1)) - 1, 0).bit_length()


def ordered(assumed: Mapping[str, float]) -> Iterator[str]:
    """Paths of demands, that on which the answer depends most first."""
    yield from sorted(assumed, key=lambda path: (-assumed[path], path))
