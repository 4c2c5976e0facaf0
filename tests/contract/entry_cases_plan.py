"""Cases: prices, power curves and sites."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from field_cases_plan import HOSTS, PLANNED, REPLICAS
from helpers.fields import CHANGES, RISES, Case, patched

ECONOMY: Final = patched(PLANNED, {
    "host": {"model": "mine"}, "plan/site": "mine", "plan/survive": 1, "services/server/operations/job": [{"cpu": {"exponential": "10ms"}}, {"call": "db.query"}],
    "catalog": {
        "hosts": {"mine": {"like": "dell-t340-e-2224", "price": "mine", "power": "mine"}}, "prices": {"mine": {"like": "dell-t340-e-2224"}},
        "power": {"mine": {"like": "dell-t340-e-2224"}}, "sites": {"mine": {"like": "average"}},
    },
})
"""A plan in which everything that costs comes from entries called `mine`."""
COST: Final = "/alternatives/0/cost/"
WATTS: Final = [f"{watts}W" for watts in (50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150)]


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def priced(kind: str, field: str, value: Any, read: str, moves: str = RISES) -> Case:
    """A case of one field of the entry `mine`."""
    return Case(f"{kind}.{field}", ECONOMY, {}, {f"catalog/{kind}/mine/{field}": value}, COST + read, moves, ask="plan")


CASES: Final = (
    priced("hosts", "price", "dell-r740-gold-6132", "buy_usd"),
    priced("hosts", "power", "dell-r740-gold-6132", "energy_kwh"),
    Case("families.work_per_cycle", patched(PLANNED, {"plan/hosts": [{"model": "mine"}], "catalog": {
        "hosts": {"mine": {"like": "dell-t340-e-2224", "cpu": "mine"}}, "cpus": {"mine": {"like": "xeon-e-2224", "family": "mine"}}, "families": {"mine": {"like": "client-core"}},
    }}), {}, {"catalog/families/mine/work_per_cycle": number(0.5)}, REPLICAS, RISES, ask="plan"),
    Case("images.stateful", patched(PLANNED, {"plan/growth": "60%", "services/db/image": "mine", "catalog": {"images": {"mine": {"like": "mysql", "aliases": []}}}}),
         {}, {"catalog/images/mine/stateful": False}, "/alternatives/0/replicas/db", RISES, ask="plan"),
    priced("prices", "base", number("5000USD"), "buy_usd"),
    priced("prices", "socket", number("5000USD"), "buy_usd"),
    priced("prices", "gib", number("100USD"), "hardware_usd"),
    priced("prices", "upkeep", number(0.3), "upkeep_usd"),
    Case("prices.rent", ECONOMY, {}, {"catalog/prices/mine": {"title": "rented", "rent": number("9000USD"), "source": "made up for a test"}}, f"{COST}rent_usd", CHANGES, ask="plan"),
    priced("power", "watts", WATTS, "mean_w"),
    priced("power", "scale", number(3), "peak_w"),
    priced("sites", "energy_price", number("1USD/kWh"), "energy_usd"),
    priced("sites", "pue", number(3), "energy_kwh"),
    priced("sites", "building", number("9USD"), "building_usd"),
    Case("sites.round_trip", patched(ECONOMY, {"workload/open/rate": "20/s"}), {}, {"catalog/sites/mine/round_trip": number("20ms")}, "/alternatives/0/peak/latency_s/mean", RISES, ask="plan"),
    Case("hosts.price", ECONOMY, {}, {"catalog/hosts/mine/memory": "64GiB"}, f"{COST}buy_usd", RISES, ask="plan"),
    Case("hosts.power", ECONOMY, {"workload/open/rate": "10/s"}, {"workload/open/rate": "80/s"}, f"{COST}mean_w", RISES, ask="plan"),
    Case("hosts.power", ECONOMY, {"workload/open/rate": "10/s"}, {"workload/open/rate": "700/s"}, HOSTS, RISES, ask="plan"),
)
