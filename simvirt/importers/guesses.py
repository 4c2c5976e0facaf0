"""What a file cannot say, guessed in the open: demands by image, calls by addresses, entries by published ports, the host by what it holds.

*Model*: a service calls those whose names stand as hosts in its environment or command, else those that it is started after. Users ask
the front door, which is known by its name and by being reached from outside; it calls what no file says who calls, but stores whose names
say whose they are. What is called a worker, or calls others where there is no front door, works at the same rate. A request costs what
the catalogue's `demands` say of the image's profile.
*Ignores*: which request calls what and how often (each calls every callee once, one after the other); what only the application knows.
*Source*: the file itself; `demands` of the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from simvirt.catalog import Catalog
from simvirt.catalog.entries.demands import AssumedSpec, DemandEntry
from simvirt.catalog.entries.software import ImageSpec
from simvirt.catalog.images import GENERIC, image_name, is_known, short_name
from simvirt.importers import values
from simvirt.importers.application import Application, Note, Service
from simvirt.importers.assumed import Assumed, Guesses
from simvirt.importers.calling import assume_calls
from simvirt.importers.placing import pools


def guessed(application: Application) -> Guesses:
    """All that an application leaves open."""
    catalog, found = Catalog.load(None), Guesses()
    assumed = catalog.typed("demands", GENERIC, DemandEntry).assumed
    assert assumed is not None
    _without_load(catalog, application)
    services = {service.name: service for service in application.lasting()}
    for service in services.values():
        _software(catalog, assumed, service, found)
    aside = {name for name, service in services.items() if _stands_aside(catalog, service)}
    assume_calls(services, aside, found, assumed)
    _load(assumed, found)
    _host(services, assumed, found)
    return found


def _load(assumed: AssumedSpec, found: Guesses) -> None:
    """How many requests come, and what users expect."""
    found.rate, found.objective = f"{assumed.rate:g}/s", values.said_time(assumed.objective * 1e-9)
    found.assumed.append(Assumed("workload.open.rate", found.rate, "no file says how many requests come"))
    found.assumed.append(Assumed("objective.latency_p99", found.objective, "no file says what users expect"))


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


def _software(catalog: Catalog, assumed: AssumedSpec, service: Service, found: Guesses) -> None:
    """Which image speaks for a service, and what a request costs there."""
    named = service.image or service.base
    reason = "its image says" if service.image else "the image that it is built on says"
    if named is None or not is_known(catalog, named):
        hint = _suggested(assumed, service.name.lower())
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


def _suggested(assumed: AssumedSpec, name: str) -> str | None:
    """The image that a service's name suggests: by one of its words, else by the longest known word in it."""
    words = re.split(r"[^a-z]+", name)
    whole = next((image for part, image in assumed.names.items() if part in words), None)
    inside = max((part for part in assumed.names if len(part) > 3 and part in name), key=len, default="")
    return whole or assumed.names.get(inside)


def _stands_aside(catalog: Catalog, service: Service) -> bool:
    """Whether requests do not wait for a service: others report to it, or look addresses up there now and then."""
    names = catalog.typed("demands", GENERIC, DemandEntry).telemetry
    return any(word in names for word in (service.name.lower(), *((short_name(service.image),) if service.image else ())))


def _host(services: Mapping[str, Service], assumed: AssumedSpec, found: Guesses) -> None:
    """A host with room for what is limited, and for guests; pools of them where services say on which they stand."""
    cores = sum(_cpus(service) * _replicas(service) for service in services.values())
    memory = sum((_memory(service, assumed) + assumed.guest_memory) * _replicas(service) for service in services.values())
    found.cores = max(assumed.cores, _power_of_two(cores))
    found.memory = max(assumed.memory, _power_of_two(memory / assumed.used))
    found.pools = pools(services.values(), assumed.zones)
    found.assumed.append(
        Assumed("host", f"{found.cores} cores, {found.memory >> 30} GiB", "room for the limits of all services, each in a VM too")
    )
    for pool in found.pools:
        found.assumed.append(Assumed(f"hosts.{pool.name}", f"{pool.count} hosts", pool.reason))


def _replicas(service: Service) -> int:
    return int(service.keys.get("deploy", {}).get("replicas", 1))


def _limits(service: Service) -> Mapping[str, object]:
    found: Mapping[str, object] = service.keys.get("deploy", {}).get("resources", {}).get("limits", {})
    return found


def _cpus(service: Service) -> float:
    return float(str(service.keys.get("cpus") or _limits(service).get("cpus") or 0.0))


def _memory(service: Service, assumed: AssumedSpec) -> float:
    said = service.keys.get("mem_limit") or _limits(service).get("memory")
    return float((values.size(str(said)) if said else None) or assumed.replica_memory)


def _power_of_two(value: float) -> int:
    return 1 << max(int(-(-value // 1)) - 1, 0).bit_length()
