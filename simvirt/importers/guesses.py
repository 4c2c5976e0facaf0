"""What a file cannot say, guessed in the open: demands by image, calls by addresses, entries by published ports, the host by what it holds.

*Model*: a service calls those whose names stand as hosts in its environment or command, else those that it is started after. Users ask the
front door, which is known by its name and by being reached from outside; it calls what no file says who calls, but stores whose names say
whose they are. What is called a worker, or calls others where there is no front door, works at the same rate. A
request costs what the catalogue's `demands` say of the image's profile.
*Ignores*: which request calls what and how often (each calls every callee once, one after the other); what only the application knows.
*Source*: the file itself; `demands` of the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.demands import DemandEntry
from simvirt.catalog.entries.software import ImageSpec
from simvirt.catalog.images import GENERIC, image_name, is_known, short_name
from simvirt.importers import values
from simvirt.importers.application import Application, Note, Service

RATE: Final = "20/s"
OBJECTIVE: Final = "1s"
LEAST_CORES, LEAST_MEMORY = 8, 16 << 30
UNLIMITED_MEMORY: Final = 1 << 30
"""Memory that is kept on the host for a replica without a limit, its guest included [bytes]."""
HINTS: Final = {
    "php": "php",
    "node": "node",
    "python": "python",
    "flask": "python",
    "django": "python",
    "java": "openjdk",
    "spring": "openjdk",
    "tomcat": "openjdk",
    "dotnet": "dotnet",
    "golang": "golang",
    "apache": "httpd",
    "postgres": "postgres",
    "pg": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mongo": "mongo",
    "redis": "redis",
    "cache": "redis",
    "rabbit": "rabbitmq",
    "kafka": "rabbitmq",
    "nginx": "nginx",
    "proxy": "haproxy",
    "memcache": "memcached",
    "db": "postgres",
}
"""Parts of a service's name -> the image that they suggest where none is named."""


FRONT: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:front|frontend|frontproxy|web|webui|webapp|ui|gateway|proxy|edge|router|ingress|www|portal|storefront|nginx)(?:$|[^a-z])"
)
"""Names of front doors."""
WORKER: Final = re.compile(r"(?i)(?:^|[^a-z])(?:worker|consumer|processor|scheduler|queue-?master|celery|cron|batch)")
"""Names of what works by itself."""
STORES: Final = {"redis", "memcached", "postgres-oltp", "mysql-oltp", "document-store"}


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
    _without_load(catalog, application)
    services = {service.name: service for service in application.lasting()}
    for service in services.values():
        _software(catalog, service, found)
    aside = {name for name, service in services.items() if _stands_aside(catalog, service)}
    _calls(services, aside, found)
    _entries(services, aside, found)
    _host(services, found)
    return found


def _without_load(catalog: Catalog, application: Application) -> None:
    """Leaves out what sends requests itself: the workload stands for it."""
    names = catalog.typed("demands", GENERIC, DemandEntry).load
    senders = [
        one for one in application.services.values() if any(word in names for word in (one.name.lower(), short_name(one.image or "")))
    ]
    for service in senders if len(senders) < len(application.services) else ():
        del application.services[service.name]
        application.left_out.append(Note(service.place, f"services.{service.name}", "sends requests itself; the workload stands for it"))
        for other in application.services.values():
            other.keys.get("depends_on", {}).pop(service.name, None)
            if other.keys.get("depends_on") == {}:
                del other.keys["depends_on"]


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
    found.assumed.append(
        Assumed(
            f"services.{service.name}.operations.request",
            values.said_time(float(demand.cpu) * 1e-9),
            f"{what}; {demand.title} in the catalogue's demands",
            demand=True,
        )
    )


def _stands_aside(catalog: Catalog, service: Service) -> bool:
    """Whether requests do not wait for a service: others report to it, or look addresses up there now and then."""
    names = catalog.typed("demands", GENERIC, DemandEntry).telemetry
    return any(word in names for word in (service.name.lower(), *((short_name(service.image),) if service.image else ())))


def _calls(services: Mapping[str, Service], aside: set[str], found: Guesses) -> None:
    """Who calls whom; calls that would close a circle are left out."""
    names = {alias: name for name, service in services.items() for alias in service.names}
    pattern = _hosts_in(names)
    wanted: dict[str, dict[str, str]] = {}
    for name, service in services.items():
        addressed = {
            names[word]: "its address stands in the environment or the command" for text in service.texts for word in pattern.findall(text)
        }
        linked = {names[word]: "links says so" for word in service.others if word in names}
        after = {word: "it is started after it" for word in service.after if word in services}
        wanted[name] = {other: why for other, why in {**after, **linked, **addressed}.items() if other != name}
    for name in services:
        for other, why in wanted[name].items() if name not in aside else ():
            if other in aside:
                continue
            if _reaches(found.calls, other, name):
                found.assumed.append(
                    Assumed(f"services.{name}", f"no call of {other}", f"{other} calls {name} already, perhaps by way of others")
                )
                continue
            found.calls.setdefault(name, []).append(other)
            found.assumed.append(Assumed(f"services.{name}.operations.request", f"call {other}", why))


def _hosts_in(names: Mapping[str, str]) -> re.Pattern[str]:
    """What finds the names of services where they stand as hosts: at a text's begin or behind `/@,=`, at its end or before `:/,`."""
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


def _entries(services: Mapping[str, Service], aside: set[str], found: Guesses) -> None:
    """What users ask, and who calls what no file names: front doors do; workers work by themselves."""
    _owned_stores(services, found)
    called = {other for others in found.calls.values() for other in others}
    roots = [name for name in services if name not in called and name not in aside]
    fronts = [name for name in roots if FRONT.search(name)]
    workers = [
        name
        for name in roots
        if found.calls.get(name) and name not in fronts and (WORKER.search(name) or not (fronts or services[name].published))
    ]
    doors = [name for name in fronts if services[name].published] or fronts[:1] or [name for name in roots if services[name].published]
    if fronts:
        inner = next((name for name in fronts if name not in doors), doors[-1])
        _called_by(inner, [name for name in roots if name not in (*doors, *workers, inner)], found)
        _called_by(doors[0], [inner] if inner not in doors else [], found)
    for name in [*doors, *workers] or roots or list(services):
        why = (
            "it is reached from outside"
            if name in doors
            else "it calls others, and nobody calls it"
            if name in workers
            else "nobody calls it"
        )
        found.entries.append(name)
        found.assumed.append(Assumed(f"workload.mix.{name}.request", "1", why))
    found.assumed.append(Assumed("workload.open.rate", RATE, "no file says how many requests come"))
    found.assumed.append(Assumed("objective.latency_p99", OBJECTIVE, "no file says what users expect"))


def _owned_stores(services: Mapping[str, Service], found: Guesses) -> None:
    """Calls of stores whose names say whose they are: carts-db, mongodb-geo."""
    called = {other for others in found.calls.values() for other in others}
    for store in services:
        if store in called or found.profile[store] not in STORES:
            continue
        owner = next(
            (
                name
                for name in services
                if name != store and found.profile[name] not in STORES and re.search(rf"(?:^|[-_.]){re.escape(name)}(?:$|[-_.])", store)
            ),
            None,
        )
        if owner is not None and not _reaches(found.calls, store, owner):
            found.calls.setdefault(owner, []).append(store)
            found.assumed.append(Assumed(f"services.{owner}.operations.request", f"call {store}", "its name says whose it is"))


def _called_by(caller: str, others: list[str], found: Guesses) -> None:
    """Calls of services that no file says who calls."""
    for other in others:
        if not _reaches(found.calls, other, caller):
            found.calls.setdefault(caller, []).append(other)
            found.assumed.append(
                Assumed(f"services.{caller}.operations.request", f"call {other}", "no file says who calls it; the front door is assumed to")
            )


def _host(services: Mapping[str, Service], found: Guesses) -> None:
    """One host with room for what is limited, and for guests."""
    cores = sum(_cpus(service) * _replicas(service) for service in services.values())
    memory = sum((_memory(service) + (UNLIMITED_MEMORY >> 1)) * _replicas(service) for service in services.values())
    found.cores = max(LEAST_CORES, _power_of_two(cores))
    found.memory = max(LEAST_MEMORY, _power_of_two(1.25 * memory))
    found.assumed.append(
        Assumed("host", f"{found.cores} cores, {found.memory >> 30} GiB", "room for the limits of all services, each in a VM too")
    )


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
