"""Workload profiles by name, and that of software which has none."""

from __future__ import annotations

from simvirt.catalog.entries.software import ProfileEntry
from simvirt.catalog.images import GENERIC
from simvirt.catalog.store import Store


def profile(store: Store, name: str | None) -> ProfileEntry:
    """The profile of that name; where there is no name, pure work: instructions and nothing else. ScenarioError where it does not exist."""
    if name is not None:
        return store.typed("profiles", name, ProfileEntry)
    return _pure_work(store)


def unknown(store: Store) -> ProfileEntry:
    """The profile of software that the catalogue does not know: the operations of any server software, no claim on what others use too."""
    generic = store.typed("profiles", GENERIC, ProfileEntry)
    return ProfileEntry.model_construct(title="unknown software", source=generic.source, rates=generic.rates)


def _pure_work(store: Store) -> ProfileEntry:
    """Instructions and nothing else."""
    generic = store.typed("profiles", GENERIC, ProfileEntry)
    return ProfileEntry.model_construct(title="pure work", source=generic.source, rates={"instruction": generic.rates["instruction"]})
