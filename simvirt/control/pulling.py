"""The pulls of a cluster: its hosts' work, network and caches, and the registries that its scenario has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.images import RegistryEntry
from simvirt.catalog.sourced import SourcedTime, SourcedWhole, Written
from simvirt.control.cluster import Cluster
from simvirt.control.pull import Pulls
from simvirt.control.registries import Process, Registry, Transfers
from simvirt.control.transfers import Transfers as LargeTransfers
from simvirt.control.work import perform
from simvirt.images.layers import Image
from simvirt.images.resolve import engine
from simvirt.lowering.network import topology_of
from simvirt.network.topology import Endpoint
from simvirt.scenario.spec.images import RegistrySpec
from simvirt.scenario.spec.models import Scenario

DEFAULT: Final = "docker-hub"
"""The registry that images come from where a scenario names none."""
STATED: Final = "the scenario"


@dataclass(frozen=True)
class HostWork:
    """Work on the kernels of a cluster: hosts' own, and those of guests that have a runtime."""

    cluster: Cluster

    def perform(self, host: int, cpu_ns: float, write: int = 0, flushes: int = 0) -> Process:
        """CPU work [ns] on a kernel, then bytes for the page cache, then small writes that the drive has flushed."""
        yield from perform(self.cluster, self.cluster.guest_hands(host), cpu_ns=cpu_ns, write=write, flushes=flushes)


def pulls_of(cluster: Cluster, transfers: Transfers) -> Pulls:
    """The pulls of a cluster, none begun; what pulls are kernels, by their rows."""
    lowered, plan = cluster.plane.lowered, cluster.plane.lowered.arrangement
    engines = [engine(cluster.catalog, lowered.platform, host) for host in lowered.hosts]

    def host_of(machine: int) -> int:
        return plan.machines[machine].host

    return Pulls(
        cluster.clock, transfers, HostWork(cluster), lambda machine: engines[host_of(machine)],
        lambda machine: plan.hosts[host_of(machine)].site.named.name, lambda machine: int(lowered.hosts[host_of(machine)].disk.size or 0),
    )


def transfers_of(cluster: Cluster) -> LargeTransfers:
    """The network of a cluster, which requests use too, with its registries outside; the same whoever asks."""
    if cluster.network is not None:
        return cluster.network
    plane, hosts = cluster.plane, cluster.plane.lowered.arrangement.hosts
    names, entries = [host.site.named.name for host in hosts], [host.entry for host in hosts]
    outside = endpoints(cluster.catalog, cluster.scenario)
    made = LargeTransfers(cluster.clock, topology_of(names, entries, cluster.catalog, cluster.scenario.network, outside), plane)
    plane.large, cluster.network = made.carried_inside, made
    cluster.watchers.append(lambda host: made.lose(names[host]))
    return made


def has_image(pulls: Pulls, machine: int, image: Image) -> None:
    """Let a kernel have an image from the beginning."""
    for layer in image.layers:
        pulls.cache(machine).add(layer)


def is_new(scenario: Scenario, image: str) -> bool:
    """Whether an image is built anew, so that hosts have that of the last build at most."""
    return image in scenario.images and any(step.changed for step in scenario.images[image].build)


# --- registries ----------------------------------------------------------------------------------------------------------


def specs_of(scenario: Scenario) -> Mapping[str, RegistrySpec]:
    """The registries of a scenario, Docker Hub where it names none; those that are only mirrored are there too."""
    found = dict(scenario.registries) or {DEFAULT: RegistrySpec()}
    for spec in scenario.registries.values():
        if spec.mirror_of is not None:
            found.setdefault(spec.mirror_of, RegistrySpec())
    return found


def registries_of(catalog: Catalog, scenario: Scenario) -> dict[str, Registry]:
    """The registries of a scenario by name, mirrors with what they mirror."""
    specs = specs_of(scenario)
    found = {
        name: Registry(name, spec.host or name, entry_of(catalog, name, spec), peers=spec.peers) for name, spec in specs.items()
    }
    for name, spec in specs.items():
        found[name].upstream = found[spec.mirror_of] if spec.mirror_of is not None else None
    return found


def entry_of(catalog: Catalog, name: str, spec: RegistrySpec) -> RegistryEntry:
    """The entry of a registry, with what the scenario says of it."""
    usual = name if name in catalog.raw("registries") else "local" if spec.host is not None else "region"
    entry = catalog.typed("registries", spec.entry or usual, RegistryEntry, ("registries", name, "entry"))
    changes: dict[str, object] = {}
    if spec.latency is not None:
        changes["latency"] = SourcedTime(Written(value=spec.latency, unit="ns", source=STATED))
    if spec.limit is not None and spec.window is not None:
        changes |= {"limit": SourcedWhole(Written(value=spec.limit, unit="count", source=STATED)),
                    "window": SourcedTime(Written(value=spec.window, unit="ns", source=STATED))}
    return entry.model_copy(update=changes).named(entry.name)


def registry_for(registries: Mapping[str, Registry], scenario: Scenario, image: Image) -> Registry:
    """Where hosts ask for an image: the registry that its entry names, else the scenario's first; a mirror of it in its place."""
    own = scenario.images.get(image.name)
    name = own.registry if own is not None and own.registry is not None else _first(scenario)
    return next((one for one in registries.values() if one.upstream is registries[name]), registries[name])


def _first(scenario: Scenario) -> str:
    """The first registry, or what it mirrors."""
    name, spec = next(iter(scenario.registries.items()), (DEFAULT, RegistrySpec()))
    return spec.mirror_of or name


def endpoints(catalog: Catalog, scenario: Scenario) -> list[Endpoint]:
    """The registries outside of all hosts, as ends of the network; the way to one takes no time beyond what its requests take."""
    found = []
    for name, spec in specs_of(scenario).items():
        if spec.host is None:
            stated = entry_of(catalog, name, spec).bandwidth
            found.append(Endpoint(name, spec.bandwidth or (inf if stated is None else 8.0 * stated)))
    return found
