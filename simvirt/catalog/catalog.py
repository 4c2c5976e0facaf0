"""The catalogue: looks entries up by name and resolves them into what a simulation needs."""

from __future__ import annotations

from typing import Self

from simvirt.catalog.entries.capacity import FootprintEntry, LimitSpec, ReclaimEntry
from simvirt.catalog.entries.software import GuestEntry, ImageSpec, ProfileEntry
from simvirt.catalog.images import GENERIC, footprint_name, image_name, is_known
from simvirt.catalog.problems import Path
from simvirt.catalog.records import HostEntry, Platform, PlatformCosts
from simvirt.catalog.resolve import hosts, layers, profiles
from simvirt.catalog.resolve.files import FileCosts
from simvirt.catalog.resolve.startups import Phase, phases_of, start_up
from simvirt.catalog.scenario_check import check
from simvirt.catalog.sources import Constant, Listed, constants, listed
from simvirt.catalog.store import Store
from simvirt.scenario.spec.models import HostSpec, PlatformSpec, Scenario, ServiceSpec

EXPLAINED = (
    "platforms", "hypervisors", "runtimes", "techniques", "devices", "filesystems", "guests", "hosts", "cpus", "families", "disks", "nics",
    "profiles", "images", "prices", "power", "sites", "footprints", "limits", "reclaim", "burstable",
    "startups", "contents", "disk_images", "registries", "pullers", "codecs", "drivers", "migrators",
    "orchestrators",
    "volume_drivers",
    "autoscalers",
    "priorities",
    "machine_autoscalers",
    "vertical_autoscalers",
    "demands",
)
"""Kinds in the order in which `explain` looks a name up."""


class Catalog(Store):
    """The entries, and what a simulation needs of them: hosts, platforms, costs, profiles, footprints, explanations."""

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """The catalogue with a scenario's own entries, and the scenario checked against it.

        ScenarioError with every mistake of the entries, else of the names and limits in the scenario.
        """
        catalog = cls.load(scenario.catalog, scenario.locate)
        check(catalog, scenario)
        return catalog

    def resolve_host(self, spec: HostSpec) -> HostEntry:
        """The host that a scenario describes: its model, with the inline fields laid over it.

        ScenarioError where model, disk or NIC do not exist.
        """
        return hosts.resolve_host(self, spec)

    def resolve_hosts(self, scenario: Scenario) -> list[HostEntry]:
        """All hosts of a scenario, in their order; those of a pool are one entry."""
        pools = {name: hosts.resolve_host(self, pool.host, scenario.path_of_pool(name)) for name, pool in scenario.pools.items()}
        return [pools[host.pool] for host in scenario.each_host]

    def platform(self, spec: PlatformSpec, path: Path = ("platforms",)) -> Platform:
        """The layers that a scenario's platform stacks up, outermost first.

        ScenarioError at `path` where the platform or one of its layers does not exist.
        """
        return layers.platform(self, spec, path)

    def named_platform(self, name: str) -> Platform:
        """A platform of the catalogue as it is; ScenarioError where it does not exist."""
        return layers.named_platform(self, name)

    def platform_costs(self, platform: Platform, host: HostEntry) -> PlatformCosts:
        """What each operation costs on `platform` on `host`, in ns."""
        return layers.platform_costs(platform, host)

    def file_costs(self, platform: Platform, host: HostEntry, costs: PlatformCosts) -> FileCosts:
        """What operations on files cost on `platform` on `host`, where operations of software cost `costs`."""
        return FileCosts(self, platform, host, costs)

    def start_up(self, platform: Platform, host: HostEntry, service: ServiceSpec) -> tuple[Phase, ...]:
        """The phases in which a replica of a service starts on `platform` on `host`, in their order."""
        return start_up(self, platform, host, service)

    def phases_of(self, platform: Platform, host: HostEntry, image: str | None = None) -> tuple[Phase, ...]:
        """The phases of a start on `platform` on `host`, and of the software of an image, in their order."""
        return phases_of(self, platform, host, image)

    def guest(self, name: str) -> GuestEntry:
        """A guest operating system by name."""
        return self.typed("guests", name, GuestEntry)

    def image_name(self, image: str) -> str:
        """The entry that speaks for an image reference; `generic` where none does."""
        return image_name(self, image)

    def profile(self, service: ServiceSpec) -> ProfileEntry:
        """What a service does with its CPU time: the profile it names, else its image's, known or not; nothing where it has neither."""
        name = service.profile
        if name is None and service.image is not None and not is_known(self, service.image):
            return profiles.unknown(self)
        if name is None and service.image is not None:
            name = self.typed("images", self.image_name(service.image), ImageSpec).profile
        return profiles.profile(self, name)

    def named_profile(self, name: str) -> ProfileEntry:
        """A profile by its name, or that of an image; ScenarioError where neither exists."""
        if name not in self.raw("profiles") and name in self.raw("images"):
            name = self.typed("images", name, ImageSpec).profile
        return profiles.profile(self, name)

    def footprint(self, service: ServiceSpec) -> FootprintEntry:
        """Memory and disk space of a replica: those of the service's image, of its profile's name, or of any software."""
        return self.typed("footprints", footprint_name(self, service), FootprintEntry)

    def reclaim(self) -> ReclaimEntry:
        """What memory management costs on a host, and how it decides."""
        return self.typed("reclaim", GENERIC, ReclaimEntry)

    def limits(self) -> list[LimitSpec]:
        """What a kernel or host has only so many of."""
        return [self.typed("limits", name, LimitSpec) for name in self.names("limits")]

    def explain(self, name: str, kind: str | None = None, host: str = GENERIC) -> list[Constant]:
        """Every constant behind an entry of any kind, with unit, spread and source; costs also in ns on a host model.

        Where kinds share a name the first of platforms, hypervisors, runtimes, hosts, ... is meant, unless `kind` says which; a profile
        comes with the demands of its name.
        ScenarioError where no entry or no host has that name.
        """
        kinds = EXPLAINED if kind is None else (kind,)
        for candidate in kinds:
            if name in self.raw(candidate):
                along = ("demands",) if kind is None and candidate == "profiles" and name in self.raw("demands") else ()
                return [row for each in (candidate, *along) for row in constants(self, each, name, self.host_model(host))]
        self.fail((), "entries", name, [known for candidate in kinds for known in self.raw(candidate)])

    def listing(self, kind: str) -> list[Listed]:
        """One row for each entry of a kind: its name, its title and its main figures.

        ScenarioError where the kind does not exist.
        """
        return [listed(self, kind, name) for name in self.names(kind)]

    def host_model(self, name: str = GENERIC) -> HostEntry:
        """A host model of the catalogue as it is; the generic one is what `explain` states costs for by default.

        ScenarioError where it does not exist.
        """
        return hosts.host_model(self, name)
