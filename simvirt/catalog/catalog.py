"""The catalogue: looks entries up by name and resolves them into what a simulation needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pydantic import ValidationError

from simvirt.catalog.entries.capacity import LimitSpec
from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.entries.software import KINDS, REFERENCES, GuestSpec, ImageSpec
from simvirt.catalog.images import GENERIC, resolve
from simvirt.catalog.loader import Raw, expand, shipped
from simvirt.catalog.problems import Locate, Path, Problems, dotted, nowhere, unknown
from simvirt.catalog.records import FootprintEntry, GuestEntry, HostEntry, Platform, PlatformCosts, ProfileEntry, ReclaimEntry
from simvirt.catalog.resolve import footprints, hosts, layers, profiles
from simvirt.catalog.scenario_check import check
from simvirt.catalog.sources import Constant, Listed, constants, listed
from simvirt.errors import Issue, ScenarioError

if TYPE_CHECKING:
    from simvirt.scenario.spec.models import HostSpec, PlatformSpec, Scenario, ServiceSpec

E = TypeVar("E", bound=Entry)
EXPLAINED = (
    "platforms", "hypervisors", "runtimes", "techniques", "devices", "guests", "hosts", "cpus", "families", "disks", "nics", "profiles",
    "images", "prices", "power", "sites", "footprints", "limits", "reclaim",
)
"""Kinds in the order in which `explain` looks a name up."""


class Catalog:
    """All entries: the shipped ones and a scenario's own, which win where names meet. Entries are read when asked for."""

    def __init__(self, extra: Mapping[str, Raw], locate: Locate = nowhere) -> None:
        self._extra = extra
        self._locate = locate
        self._entries: dict[tuple[str, str], Entry] = {}

    @classmethod
    def of(cls, scenario: Scenario) -> Catalog:
        """The catalogue with a scenario's own entries, and the scenario checked against it.

        ScenarioError with every mistake of the entries, else of the names and limits in the scenario.
        """
        catalog = cls.load(scenario.catalog, scenario.locate)
        catalog.check(scenario)
        return catalog

    @classmethod
    def load(cls, extra: Mapping[str, Any] | None = None, locate: Locate = nowhere) -> Catalog:
        """The catalogue with a scenario's `catalog:` section added; `locate` tells where a path of the scenario was written.

        ScenarioError with every mistake of the added entries.
        """
        problems = Problems(locate)
        catalog = cls(_sections(extra or {}, problems), locate)
        for kind, section in catalog._extra.items():
            for name in section:
                catalog._check(kind, name, problems)
        problems.settle()
        return catalog

    def names(self, kind: str) -> list[str]:
        """The names of one kind (`hosts`, `disks`, `hypervisors`, ...); the shipped ones first."""
        return list(self._raw(kind))

    def entry(self, kind: str, name: str, path: Path = ()) -> Entry:
        """The validated entry `name` of a kind.

        ScenarioError at `path` where there is none; pydantic's ValidationError or ValueError where it is malformed.
        """
        key = (kind, name)
        if key not in self._entries:
            self._entries[key] = self._read(kind, name, path)
        return self._entries[key]

    def typed(self, kind: str, name: str, model: type[E], path: Path = ()) -> E:
        """`entry` for callers that know the model of the kind."""
        found = self.entry(kind, name, path)
        assert isinstance(found, model)
        return found

    def resolve_host(self, spec: HostSpec) -> HostEntry:
        """The host that a scenario describes: its model, with the inline fields laid over it.

        ScenarioError where model, disk or NIC do not exist.
        """
        return hosts.resolve_host(self, spec)

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

    def guest(self, name: str, vmm_memory_bytes: int = 0) -> GuestEntry:
        """A guest operating system as it runs under a monitor that takes `vmm_memory_bytes`."""
        return layers.guest(self.typed("guests", name, GuestSpec), name, vmm_memory_bytes)

    def image_name(self, image: str) -> str:
        """The entry that speaks for an image reference; `generic` where none does."""
        raw = self._raw("images")
        aliases = {alias: name for name, entry in raw.items() for alias in entry.get("aliases", ())}
        return resolve(image, aliases, raw)

    def profile(self, service: ServiceSpec) -> ProfileEntry:
        """What a service does with its CPU time: the profile it names, else its image's; nothing where it has neither."""
        name = service.profile
        if name is None and service.image is not None:
            name = self.typed("images", self.image_name(service.image), ImageSpec).profile
        return profiles.profile(self, name)

    def named_profile(self, name: str) -> ProfileEntry:
        """A profile by its name, or that of an image; ScenarioError where neither exists."""
        if name not in self._raw("profiles") and name in self._raw("images"):
            name = self.typed("images", name, ImageSpec).profile
        return profiles.profile(self, name)

    def footprint(self, service: ServiceSpec) -> FootprintEntry:
        """Memory and disk space of a replica: those of the service's image, of its profile's name, or of any software."""
        return footprints.footprint(self, service)

    def reclaim(self) -> ReclaimEntry:
        """What memory management costs on a host, and how it decides."""
        return footprints.reclaim(self)

    def limits(self) -> list[LimitSpec]:
        """What a kernel or host has only so many of."""
        return [self.typed("limits", name, LimitSpec) for name in self.names("limits")]

    def explain(self, name: str, kind: str | None = None) -> list[Constant]:
        """Every constant behind a platform, hypervisor, host or other entry, with unit, spread and source.

        Where kinds share a name the first of platforms, hypervisors, runtimes, hosts, ... is meant, unless `kind` says which.
        ScenarioError where no entry has that name.
        """
        kinds = EXPLAINED if kind is None else (kind,)
        for candidate in kinds:
            if name in self._raw(candidate):
                return constants(self, candidate, name)
        self.fail((), "entries", name, [known for candidate in kinds for known in self._raw(candidate)])

    def listing(self, kind: str) -> list[Listed]:
        """One row for each entry of a kind: its name, its title and its main figures.

        ScenarioError where the kind does not exist.
        """
        return [listed(self, kind, name) for name in self.names(kind)]

    def check(self, scenario: Scenario) -> None:
        """ScenarioError with every name and limit of `scenario` that does not fit the catalogue; nothing where all fit."""
        check(self, scenario)

    def host_model(self, name: str = GENERIC) -> HostEntry:
        """A host model of the catalogue as it is; the generic one is what `explain` states costs for.

        ScenarioError where it does not exist.
        """
        return hosts.host_model(self, name)

    def fail(self, path: Path, kind: str, name: object, known: Iterable[str]) -> NoReturn:
        """ScenarioError: there is no `name` of that kind."""
        file, line, column = self._locate(path)
        raise ScenarioError([Issue(file=file, line=line, column=column, path=dotted(path), message=unknown(kind, name, known))])

    def _raw(self, kind: str) -> Raw:
        if kind not in KINDS:
            self.fail((), "kinds", kind, KINDS)
        return {**shipped(kind), **self._extra.get(kind, {})}

    def _read(self, kind: str, name: str, path: Path) -> Entry:
        raw = self._raw(kind)
        if name not in raw:
            self.fail(path, kind, name, raw)
        return KINDS[kind].model_validate(expand(name, raw))

    def _check(self, kind: str, name: str, problems: Problems) -> None:
        """Notes what is wrong with an added entry, the names it refers to included."""
        path = ("catalog", kind, name)
        try:
            entry = self.entry(kind, name, path)
        except ValidationError as error:
            return problems.add_invalid(path, error)
        except (ValueError, ScenarioError) as error:
            return problems.add(path, str(error))
        for field, kinds in REFERENCES.get(kind, {}).items():
            self._check_reference((*path, field), getattr(entry, field), kinds, problems)

    def _check_reference(self, path: Path, value: str | tuple[str, ...] | None, kinds: tuple[str, ...], problems: Problems) -> None:
        known = [name for kind in kinds for name in self._raw(kind)]
        for name in (value,) if isinstance(value, str) else value or ():
            if name not in known:
                problems.add(path, unknown(kinds[0], name, known))


def _sections(extra: Mapping[str, Any], problems: Problems) -> dict[str, Raw]:
    """The added sections by kind; notes kinds that do not exist and sections that are no mappings."""
    sections: dict[str, Raw] = {}
    for kind, section in extra.items():
        if kind not in KINDS:
            problems.add(("catalog", kind), unknown("kinds", kind, KINDS))
        elif not isinstance(section, Mapping):
            problems.add(("catalog", kind), f"expected a mapping of entries by name, got {section!r}")
        else:
            sections[kind] = section
    return sections
