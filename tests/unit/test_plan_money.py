"""Costs, power curves and regret, computed by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simvirt.catalog import Catalog
from simvirt.catalog.resolve import economy
from simvirt.catalog.entries.prices import Site
from simvirt.catalog.resolve.economy import LOADS, Power, Price
from simvirt.plan.money import HOURS, Terms, bill, evenly, host_year
from simvirt.plan.regret import Candidate, Need, cost, table
from simvirt.scenario.spec.models import HostSpec

LINE = Power(tuple(100 + 200 * load for load in LOADS))
TERMS = Terms(Price(buy=8000, upkeep_per_year=400), LINE, Site.model_construct(energy_price=0.1, pue=1.5, building=0.5, round_trip=0), 0.1, 1.5, 4)


def test_a_bill_adds_up() -> None:
    found = bill(TERMS, [(0.5, 2), (0.0, 1)], [(1.0, 2), (0.25, 1)])
    assert (found.hosts, found.buy_usd, found.hardware_usd, found.upkeep_usd) == (3, 24000, 6000, 1200)
    assert found.building_usd == pytest.approx(3 * 300 * 0.5)
    assert found.mean_w == pytest.approx(2 * 200 + 100)
    assert found.peak_w == pytest.approx(2 * 300 + 150)
    assert found.energy_kwh == pytest.approx(500 * 1.5 * HOURS / 1000)
    assert found.energy_usd == pytest.approx(found.energy_kwh * 0.1)
    assert found.year_usd == pytest.approx(6000 + 1200 + 450 + found.energy_usd)
    assert found.typed().month_usd == pytest.approx(found.year_usd / 12)


def test_rent_includes_everything_but_says_what_energy_it_takes() -> None:
    rented = replace(TERMS, price=Price(rent_per_year=9000))
    found = bill(rented, [(0.5, 2)], [(1.0, 2)])
    assert (found.year_usd, found.rent_usd, found.energy_usd, found.building_usd) == (18000, 18000, 0, 0)
    assert found.energy_kwh > 0


def test_power_lies_between_measured_loads() -> None:
    r740 = Catalog.load()
    spec = HostSpec.model_validate("dell-r740-gold-6132")
    curve = economy.power(r740, spec, r740.resolve_host(spec))
    assert curve.at(0) == pytest.approx(0.68 * 52.3)
    assert curve.at(0.15) == pytest.approx(0.68 * (129 + 147) / 2)
    assert curve.at(1) == pytest.approx(0.68 * 457)


def test_inline_hosts_are_priced_by_cores_and_memory() -> None:
    catalog = Catalog.load()

    def of(**fields: object) -> tuple[float, float]:
        spec = HostSpec.model_validate(fields)
        host = catalog.resolve_host(spec)
        return economy.price(catalog, spec, host).buy, economy.power(catalog, spec, host).at(1)

    def model(name: str, **fields: object) -> tuple[float, float]:
        return of(model=name, **fields)

    (small, small_w), (more, _) = of(cores=4, memory="16GiB"), of(cores=4, memory="32GiB")
    assert (small, small_w) == model("dell-t340-e-2224"), "a server of four cores"
    assert more - small == pytest.approx(16 * 8)
    assert of(cores=32, sockets=2, smt=2, memory="256GiB") == model("dell-r650-gold-6338"), "a server of its size, not of a small one"
    (half, half_w), (whole, whole_w) = of(cores=24, sockets=2, memory="256GiB"), model("dell-r650-gold-6338")
    assert half_w == pytest.approx(whole_w * 48 / 64)
    assert whole - half == pytest.approx(2 * 2612 * 16 / 64)


def test_the_load_of_busy_threads_counts_siblings_at_their_yield() -> None:
    catalog = Catalog.load()
    host = catalog.host_model("dell-r740-gold-6132")
    assert economy.load_of(0.5, host) == pytest.approx(1 / host.smt_yield)
    assert economy.load_of(0.25, host) == pytest.approx(0.5 / host.smt_yield)
    assert economy.load_of(1.0, host) == pytest.approx(1)
    assert economy.load_of(0.7, catalog.host_model("dell-t340-e-2224")) == 0.7


def test_a_choice_that_lacks_hosts_pays_a_premium_on_them() -> None:
    need = Need(hosts=3, mean_load=1.5, peak_load=3.0)
    enough = cost(TERMS, need, 3, 0.5)
    assert enough == pytest.approx(bill(TERMS, evenly(1.5, 3), evenly(3.0, 3)).year_usd)
    assert cost(TERMS, need, 1, 0.5) == pytest.approx(enough + 2 * 0.5 * host_year(TERMS))
    assert cost(TERMS, need, 5, 0.5) > enough


def test_the_minimax_choice_by_hand() -> None:
    """Hosts of 2450 USD a year without energy: 1 or 3 of them are needed. Idle and busy hosts draw the same, so that energy is 15 W x 8766 h x 0.1 each."""
    terms = replace(TERMS, power=Power((10.0,) * 11), price=Price(buy=8000, upkeep_per_year=0), site=Site.model_construct(energy_price=0.1, pue=1, building=0, round_trip=0), pue=1, energy_price=0)
    found = table([Candidate("docker", "h", terms, [Need(1, 0.1, 0.2), Need(3, 1.0, 2.0)])], [1.0, 3.0], premium=0.5)
    assert found is not None
    by_hosts = {choice.hosts: choice for choice in found.choices}
    assert by_hosts[1].regrets_usd == (0, pytest.approx(2 * 0.5 * 2000))
    assert by_hosts[3].regrets_usd == (pytest.approx(2 * 2000), 0)
    assert by_hosts[1].missing_hosts == (0, 2)
    assert found.minimax.document() == {"platform": "docker", "host": "h", "hosts": 1, "max_regret_usd": pytest.approx(2000)}


def test_what_cannot_carry_a_level_is_no_choice() -> None:
    assert table([Candidate("docker", "h", TERMS, [Need(1, 0.1, 0.2), None])], [1.0, 3.0], 0.5) is None
