"""Whether a scenario can be run: it fits the catalogue, and its tables fit into memory; what is assumed where it is silent."""

from collections.abc import Iterator
from dataclasses import replace

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.catalog.images import is_known, meant, short_name
from simvirt.catalog.problems import Problems
from simvirt.control.orchestrators.registry import ORCHESTRATORS
from simvirt.images.resolve import content_name, named_image
from simvirt.images.room import beyond_disks
from simvirt.lowering.sites import dealt, sites_of
from simvirt.lowering.size import size_mistakes
from simvirt.scenario.order import canonical_services
from simvirt.scenario.spec.models import Scenario, ServiceSpec
from simvirt.units import format_size
from simvirt.workload.processors import taken_as_stated


def catalog_of(scenario: Scenario) -> Catalog:
    """The catalogue for a scenario that can be run; ScenarioError with every mistake of one that cannot."""
    catalog, problems = Catalog.of(scenario), Problems(scenario.locate)
    platforms = [catalog.platform(platform) for platform in scenario.platforms]
    for path, message in (*size_mistakes(scenario, catalog, platforms), *beyond_disks(scenario, catalog, platforms)):
        problems.add(path, message)
    for number, platform in enumerate(platforms):
        acts = catalog.typed("orchestrators", platform.orchestrator or "none", OrchestratorEntry).acts
        if acts not in ORCHESTRATORS:
            said = f'"{platform.orchestrator}" acts by rules that there are not, "{acts}"; expected one of {", ".join(ORCHESTRATORS)}'
            problems.add(("platforms", number, "orchestrator"), said)
    problems.settle()
    sites = sites_of(scenario, catalog)
    for places, reserves in dict.fromkeys((platform.places, platform.reserves) for platform in platforms):
        dealt(scenario, canonical_services(scenario), sites, replace(platforms[0], places=places, reserves=reserves))
    return catalog


def assumptions(scenario: Scenario, catalog: Catalog) -> tuple[str, ...]:
    """What is assumed where a scenario does not say it."""
    return tuple(_assumptions(scenario, catalog))


def _assumptions(scenario: Scenario, catalog: Catalog) -> Iterator[str]:
    if taken_as_stated(scenario):
        yield "CPU demands are taken as they stand, whatever the host, until measured_on says where they were measured"
    yield from unknown_images(scenario, catalog)
    if scenario.state is not None and scenario.state.images == "none":
        yield from unknown_layers(scenario, catalog)
    yield from unknown_sockets(scenario, catalog)


def unknown_layers(scenario: Scenario, catalog: Catalog) -> Iterator[str]:
    """Which images are pulled as one of median size, because neither the catalogue nor the scenario knows their layers."""
    own = [(f"images.{name}", image.from_) for name, image in scenario.images.items()]
    for place, image in [*((name, service.image) for name, service in scenario.services.items()), *own]:
        if place.startswith("images.") and image is None:
            continue
        if image is None or (short_name(image) not in scenario.images and content_name(catalog, image) is None):
            said = "no image is named" if image is None else f'the layers of "{image}" are not in the catalogue'
            size = format_size(named_image(catalog, scenario, image or place).size)
            yield f"{place}: {said}; one of median size, {size}, is pulled in its place, until images: says what it consists of"


def unknown_images(scenario: Scenario, catalog: Catalog) -> Iterator[str]:
    """What stands for images that the catalogue does not know, and what they may have meant."""
    for name, service in scenario.services.items():
        if service.profile is None and service.image is not None and not is_known(catalog, service.image):
            names = " or ".join(f'"{one}"' for one in meant(catalog, service.image))
            guess = f" (did you mean {names}?)" if names else ""
            yield (
                f'{name}: the image "{service.image}" is not in the catalogue{guess}; it is taken as server software without claims on '
                "caches and memory bandwidth, until a profile says what it does"
            )


def unknown_sockets(scenario: Scenario, catalog: Catalog) -> Iterator[str]:
    """What caches and memory bandwidth an inline host has, where a service claims some of it."""
    claimed = any(_claims(catalog, service) for service in scenario.services.values())
    for name, pool in scenario.pools.items():
        if claimed and pool.model is None:
            host, which = catalog.resolve_host(pool.host), f"inline hosts {name}" if scenario.several_hosts else "inline host"
            cache, bandwidth = format_size(host.family.llc or 0), (host.family.memory_bandwidth or 0.0) / 1e9
            yield f"each socket of the {which} has a cache of {cache} and {bandwidth:.3g} GB/s to memory"


def _claims(catalog: Catalog, service: ServiceSpec) -> bool:
    """Whether a service claims a shared cache or memory bandwidth."""
    profile = catalog.profile(service)
    return profile.llc is not None or profile.memory_bandwidth is not None
