"""Every entry of the catalogue keeps the promises of the catalogue: sourced, with a unit, inside its spread, and it resolves."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from simvirt.catalog import OPERATIONS, RATE_OPERATIONS, Catalog, ProfileEntry
from simvirt.catalog.resolve import economy
from simvirt.catalog.entries.costs import PARTS, CostSpec
from simvirt.catalog.entries.software import KINDS, REFERENCES, ImageSpec
from simvirt.catalog.entries.hardware import FamilySpec, HostModelSpec
from simvirt.catalog.sourced import Sourced
from simvirt.scenario.spec.models import HostSpec, PlatformSpec, ServiceSpec

CATALOG = Catalog.load()
ENTRIES = [(kind, name) for kind in KINDS for name in CATALOG.names(kind)]
UNITS = {"ns", "bytes", "bytes/s", "per s", "ratio", "count", "cycles", "exits", "nested_walks", "entries", "W", "USD", "USD/kWh"}
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


NUMBERS = [
    pytest.param(number, id=f"{kind}.{name}.{path}") for kind, name in ENTRIES for path, number in numbers(CATALOG.entry(kind, name))
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_has_unit_source_and_lies_inside_its_spread(number: Sourced) -> None:
    assert number.unit in UNITS
    assert len(number.source) >= 8
    assert math.isfinite(number.value) and number.value >= 0
    low, high = number.spread or (number.value, number.value)
    assert low <= number.value <= high


@pytest.mark.parametrize("number", NUMBERS)
def test_an_estimate_has_a_spread_and_a_derived_number_is_marked(number: Sourced) -> None:
    if number.estimated:
        assert number.spread is not None
        assert number.spread[0] < number.spread[1]
    else:
        assert not number.source.lower().startswith(DERIVED)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_an_entry_says_what_it_is_and_names_only_entries_that_exist(kind: str, name: str) -> None:
    entry = CATALOG.entry(kind, name)
    assert entry.title
    assert entry.source
    for field, kinds in REFERENCES.get(kind, {}).items():
        named = getattr(entry, field)
        for other in (named,) if isinstance(named, str) else named or ():
            assert any(other in CATALOG.names(candidate) for candidate in kinds)


@pytest.mark.parametrize("name", CATALOG.names("hosts"))
def test_a_host_model_resolves(name: str) -> None:
    host = CATALOG.host_model(name)
    assert host.pcpus == host.sockets * host.cores * host.smt > 0
    assert 1e9 <= host.clock_hz <= 6e9
    assert host.memory >= 2**30
    assert 1.0 <= host.smt_yield <= 2.0
    assert 1e6 <= host.tick_ns <= 1e7
    assert host.nic.mtu <= host.nic.segment_bytes
    assert host.disk.channels >= 1


@pytest.mark.parametrize("host_name", CATALOG.names("hosts"))
@pytest.mark.parametrize("name", CATALOG.names("platforms"))
def test_a_platform_resolves_and_costs_something_for_every_operation_on_every_host(name: str, host_name: str) -> None:
    platform = CATALOG.platform(PlatformSpec(name=name))
    costs = CATALOG.platform_costs(platform, CATALOG.host_model(host_name))
    for column in (getattr(costs, f"{part}_ns") for part in PARTS):
        assert list(column) == list(OPERATIONS)
        assert all(0 <= cost < 1e6 for cost in column.values())


@pytest.mark.parametrize("name", CATALOG.names("platforms"))
def test_a_vm_has_a_guest_and_a_container_has_none(name: str) -> None:
    platform = CATALOG.platform(PlatformSpec(name=name))
    for layer in platform.layers:
        assert (layer.guest is not None) == (layer.kind == "hypervisor")
        assert layer.memory_bytes > 0


@pytest.mark.parametrize("name", [*CATALOG.names("hypervisors"), *CATALOG.names("runtimes")])
def test_every_operation_has_a_cost_or_a_reason_for_none(name: str) -> None:
    layer, = CATALOG.platform(PlatformSpec(name="x", stack=(name,))).layers
    assert tuple(layer.costs) == tuple(OPERATIONS)


@pytest.mark.parametrize("name", CATALOG.names("profiles"))
def test_a_profile_has_a_rate_of_every_operation_that_cpu_work_performs(name: str) -> None:
    rates = profile(name).rates
    assert set(rates) == set(RATE_OPERATIONS)
    assert rates["timer"] >= 250, "a busy CPU ticks"


def profile(name: str) -> ProfileEntry:
    """A profile by its name."""
    return CATALOG.profile(ServiceSpec.model_construct(profile=name))


def images() -> list[str]:
    """Profiles of server software that an image names."""
    return sorted({CATALOG.typed("images", name, ImageSpec).profile for name in CATALOG.names("images")})


@pytest.mark.parametrize("name", images())
def test_the_overhead_of_an_image_is_small_and_ordered_as_measured(name: str) -> None:
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


@pytest.mark.parametrize("name", CATALOG.names("families"))
def test_mitigations_never_make_an_entry_cheaper(name: str) -> None:
    family = CATALOG.entry("families", name)
    assert isinstance(family, FamilySpec)
    assert 0 < family.kernel_entry.value <= family.mitigated_entry.value


def test_image_names_and_aliases_are_unique() -> None:
    names = CATALOG.names("images")
    aliases = [alias for name in names for alias in getattr(CATALOG.entry("images", name), "aliases", ())]
    assert len({*names, *aliases}) == len(names) + len(aliases)


@pytest.mark.parametrize("name", CATALOG.names("families"))
def test_a_nested_exit_and_a_nested_walk_are_dearer_than_plain_ones(name: str) -> None:
    family = CATALOG.entry("families", name)
    assert isinstance(family, FamilySpec)
    assert family.nested_vm_exit.value > 4 * family.vm_exit.value
    assert family.nested_walk.value > family.native_walk.value



@pytest.mark.parametrize("name", [name for name in CATALOG.names("hosts") if name != "generic"])
def test_a_host_model_has_a_price_and_a_power_curve_of_its_own(name: str) -> None:
    spec = HostSpec(model=name)
    host = CATALOG.resolve_host(spec)
    entry = CATALOG.typed("hosts", name, HostModelSpec)
    price, power = economy.price(CATALOG, spec, host), economy.power(CATALOG, spec, host)
    assert (entry.price, entry.power) == (name, name)
    assert 500 <= (price.rent_per_year or price.buy) <= 100_000
    assert 1 <= power.at(0) < power.at(0.5) < power.at(1) <= 25 * host.sockets * host.cores + 250
