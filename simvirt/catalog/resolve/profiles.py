"""Workload profiles in internal units."""

from __future__ import annotations

from types import MappingProxyType

from simvirt.catalog.entries.software import ProfileSpec
from simvirt.catalog.images import GENERIC
from simvirt.catalog.records import ProfileEntry
from simvirt.catalog.sourced import Sourced
from simvirt.catalog.store import Store


def profile(store: Store, name: str | None) -> ProfileEntry:
    """The profile of that name; where there is no name, pure work: instructions and nothing else. ScenarioError where it does not exist."""
    if name is None:
        plain = store.typed("profiles", GENERIC, ProfileSpec).rates["instruction"].value
        return ProfileEntry("", MappingProxyType({"instruction": plain}))
    spec = store.typed("profiles", name, ProfileSpec)
    llc = _value(spec.llc)
    return ProfileEntry(
        name=name, rates=MappingProxyType({operation: rate.value for operation, rate in spec.rates.items()}),
        memory_bandwidth=_value(spec.memory_bandwidth), llc_bytes=None if llc is None else int(llc), stall=_value(spec.stall),
        smt_yield=_value(spec.smt_yield), kernel_share=_value(spec.kernel_share),
        shootdowns=_value(spec.shootdowns), walk_miss=_value(spec.walk_miss), remote_share=_value(spec.remote_share),
    )


def _value(number: Sourced | None) -> float | None:
    return None if number is None else number.value
