"""Every entry of the catalogue keeps the promises of the catalogue: sourced, with a unit, inside its spread, and it resolves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.collecting import hold_all
from pydantic import BaseModel

from simvirt.catalog import OPERATIONS, RATE_OPERATIONS, Catalog, HostEntry, Platform, ProfileEntry
from simvirt.catalog.loader import shipped
from simvirt.catalog.resolve import economy
from simvirt.catalog.entries.costs import PARTS, CostSpec
from simvirt.catalog.entries.software import KINDS, ImageSpec
from simvirt.catalog.entries.hardware import CpuFamily, HostModelSpec
from simvirt.catalog.sourced import Sourced
from simvirt.scenario.spec.models import HostSpec, PlatformSpec, ServiceSpec

CATALOG = Catalog.load()
ENTRIES = [(kind, name) for kind in KINDS for name in CATALOG.names(kind)]
DERIVED = ("estimate", "between", "as ", "like", "scaled", "no measurement", "little's law", "middle", "set ")


def numbers(model: BaseModel) -> Iterator[tuple[str, Sourced]]:
    """Every sourced number below a model, with its path."""
    for field in type(model).model_fields:
        value = getattr(model, field)
        children = value.items() if isinstance(value, dict) else [("", value)]
        for key, child in children:
            path = f"{field}.{key}" if key else field
            if isinstance(child, Sourced):
                yield path, child
            elif isinstance(child, tuple):
                yield from ((f"{path}.{i}", term) for i, term in enumerate(child) if isinstance(term, Sourced))
            elif isinstance(child, CostSpec):
                yield from ((f"{path}.{part}", number) for part, number in numbers(child))


def test_every_shipped_entry_reads_and_names_only_entries_that_exist() -> None:
    """As what a scenario adds, the shipped entries go through all checks at once."""
    Catalog.load({kind: shipped(kind) for kind in KINDS})
    assert not [f"{kind}.{name}" for kind, name in ENTRIES if not CATALOG.entry(kind, name).title]


def test_an_estimate_has_a_spread_and_a_derived_number_is_marked() -> None:
    found = {f"{kind}.{name}.{path}": (number,) for kind, name in ENTRIES for path, number in numbers(CATALOG.entry(kind, name))}
    assert len(found) > 2000
    hold_all(marked, found)


def marked(number: Sourced) -> None:
    """What is estimated has a spread; the source of what is not does not say that it was derived."""
    if number.estimated:
        assert number.spread is not None
        assert number.spread[0] < number.spread[1]
    else:
        assert not number.source.lower().startswith(DERIVED)


def resolves(name: str) -> None:
    """A host model has sizes of a machine."""
    host = CATALOG.host_model(name)
    assert host.pcpus == host.sockets * host.cores * host.smt > 0
    assert 1e9 <= host.clock_hz <= 6e9
    assert host.memory >= 2**30
    assert 1.0 <= host.smt_yield <= 2.0
    assert 1e6 <= host.tick_ns <= 1e7
    assert host.nic.mtu <= host.nic.segment
    assert host.disk.channels >= 1


def test_a_host_model_resolves() -> None:
    hold_all(resolves, CATALOG.names("hosts"))


def costs_something(platform: Platform, host: HostEntry) -> None:
    """Every operation has a cost, and none takes a millisecond."""
    costs = CATALOG.platform_costs(platform, host)
    for column in (getattr(costs, f"{part}_ns") for part in PARTS):
        assert list(column) == list(OPERATIONS)
        assert all(0 <= cost < 1e6 for cost in column.values())


def test_a_platform_costs_something_for_every_operation_on_every_host() -> None:
    platforms = {name: CATALOG.named_platform(name) for name in CATALOG.names("platforms")}
    hosts = {name: CATALOG.host_model(name) for name in CATALOG.names("hosts")}
    hold_all(costs_something, {f"{name} on {where}": (platform, host) for name, platform in platforms.items() for where, host in hosts.items()})


def test_a_vm_has_a_guest_and_a_container_has_none() -> None:
    layers = [(name, layer) for name in CATALOG.names("platforms") for layer in CATALOG.named_platform(name).layers]
    assert len(layers) > len(CATALOG.names("platforms"))
    assert not [name for name, layer in layers if (layer.guest is not None) != (layer.kind == "hypervisor")]
    assert not [name for name, layer in layers if layer.memory_bytes <= 0]


def has_all_costs(name: str) -> None:
    """A layer says of every operation what it costs, or why nothing."""
    layer, = CATALOG.platform(PlatformSpec(name="x", stack=(name,))).layers
    assert tuple(layer.costs) == tuple(OPERATIONS)


def test_every_operation_has_a_cost_or_a_reason_for_none() -> None:
    hold_all(has_all_costs, [*CATALOG.names("hypervisors"), *CATALOG.names("runtimes")])


def has_all_rates(name: str) -> None:
    """A profile says how often its CPU work performs each operation."""
    rates = profile(name).rates
    assert set(rates) == set(RATE_OPERATIONS)
    assert rates["timer"] >= 250, "a busy CPU ticks"


def test_a_profile_has_a_rate_of_every_operation_that_cpu_work_performs() -> None:
    hold_all(has_all_rates, CATALOG.names("profiles"))


def profile(name: str) -> ProfileEntry:
    """A profile by its name."""
    return CATALOG.profile(ServiceSpec.model_construct(profile=name))


def images() -> list[str]:
    """Profiles of server software that an image names."""
    return sorted({CATALOG.typed("images", name, ImageSpec).profile for name in CATALOG.names("images")})


def test_the_overhead_of_an_image_is_small_and_ordered_as_measured() -> None:
    hold_all(costs_little, images())


def costs_little(name: str) -> None:
    """Costs x rates of CPU work alone: containers within 2 %, VMs within 5 %, bare metal nothing."""
    host = CATALOG.host_model("dell-r740-gold-6132")
    rates = profile(name).rates

    def overhead(platform_name: str) -> float:
        platform = CATALOG.platform(PlatformSpec(name=platform_name))
        costs = CATALOG.platform_costs(platform, host)
        return sum(costs.cpu_ns[operation] * rate for operation, rate in rates.items()) / 1e9

    assert overhead("bare-metal") == 0
    assert 0 < overhead("docker") < 0.02
    assert 0 < overhead("kvm") < 0.05
    assert overhead("docker-on-kvm") == pytest.approx(overhead("docker") + overhead("kvm"))


def orders_its_costs(name: str) -> None:
    """Mitigations never make an entry cheaper; a nested exit and a nested walk are dearer than plain ones."""
    family = CATALOG.typed("families", name, CpuFamily)
    assert 0 < family.kernel_entry.value <= family.mitigated_entry.value
    assert family.nested_vm_exit.value > 4 * family.vm_exit.value
    assert family.nested_walk.value > family.native_walk.value


def test_a_family_orders_its_costs() -> None:
    hold_all(orders_its_costs, CATALOG.names("families"))


def test_image_names_and_aliases_are_unique() -> None:
    names = CATALOG.names("images")
    aliases = [alias for name in names for alias in getattr(CATALOG.entry("images", name), "aliases", ())]
    assert len({*names, *aliases}) == len(names) + len(aliases)


def test_a_host_model_has_a_price_and_a_power_curve_of_its_own() -> None:
    hold_all(is_priced, [name for name in CATALOG.names("hosts") if name != "generic"])


def is_priced(name: str) -> None:
    """A host's price and power are those of its own entries, in the range of servers."""
    spec = HostSpec(model=name)
    host = CATALOG.resolve_host(spec)
    entry = CATALOG.typed("hosts", name, HostModelSpec)
    price, power = economy.price(CATALOG, spec, host), economy.power(CATALOG, spec, host)
    assert (entry.price, entry.power) == (name, name)
    assert 500 <= (price.rent_per_year or price.buy) <= 100_000
    assert 1 <= power.at(0) < power.at(0.5) < power.at(1) <= 25 * host.sockets * host.cores + 250
