"""The labs about what an application is cut into: what each table says against the formula that the lab teaches, and the table in its text."""

from __future__ import annotations

import math
from typing import Any

import pytest
from helpers.labs import LABS, expected, shows

import simvirt
from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.catalog.resolve.startups import alone_ns

CATALOG = Catalog.load()
SECOND = 1e9
TARGET, RATE, LENGTH_S, REPLICATIONS = 0.6, 30.0, 360.0, 2
WORK_S = {"front": 0.008, "finder": 0.080, "till": 0.020}
SHARE = {"front": 1.0, "finder": 0.32, "till": 0.04}
SIZE = {"front": 128, "finder": 1024, "till": 384}  # MiB
TOLERANCE = 0.1
"""Of the autoscaler: within it nothing changes."""
EVENTS = {"crash": "a crash", "update": "a new version", "load": "four times the load"}


def gib(replicas: dict[str, float]) -> float:
    """Memory of so many replicas of each service."""
    return sum(many * SIZE[name] for name, many in replicas.items()) / 1024


def event_of(row: dict[str, Any]) -> str:
    return next((said for name, said in EVENTS.items() if name in row["timeline"]), "nothing")


def test_26_a_cut_saves_memory_and_failures_and_costs_calls(update_golden: bool) -> None:
    lines = []
    needed = {name: math.ceil(4 * RATE * SHARE[name] * WORK_S[name] / TARGET) for name in WORK_S}
    whole = math.ceil(4 * RATE * sum(SHARE[name] * WORK_S[name] for name in WORK_S) / TARGET)
    assert (whole, needed) == (7, {"front": 2, "finder": 6, "till": 1})
    for row in expected(26):
        event, one, split = event_of(row), row["scaling.shop.most"], {name: row[f"scaling.{name}.most"] for name in WORK_S}
        if event == "four times the load":
            assert all(many / (1 + TOLERANCE) <= found <= 1.5 * many for many, found in [(whole, one), *((needed[n], split[n]) for n in WORK_S)])
            assert gib(split) < 0.62 * one * sum(SIZE.values()) / 1024
        down = {"one": row["scaling.shop.short_s"], "split": SHARE["finder"] * row["scaling.finder.short_s"]}
        gone = event == "a crash" or (event == "a new version" and row["platform"] == "kvm")
        said = {name: seconds / LENGTH_S if gone else 0.0 for name, seconds in down.items()}
        for name, column in (("one", "monolith.rejected"), ("split", "split.rejected")):
            many = said[name] * RATE * LENGTH_S * REPLICATIONS
            assert row[column] * RATE * LENGTH_S * REPLICATIONS == pytest.approx(many, abs=max(4 * math.sqrt(many), 0.1))
        if event != "nothing":
            lines.append((
                event, row["platform"], f"{one * sum(SIZE.values()) / 1024:.1f} and {gib(split):.1f} GiB",
                f"{100 * row['monolith.rejected']:.2f} and {100 * row['split.rejected']:.2f} %",
                f"{100 * said['one']:.2f} and {100 * said['split']:.2f} %",
                f"{row['scaling.shop.short_s']:.1f} and {row['scaling.finder.short_s']:.1f} s"))
    shows(26, lines, update_golden)


def test_26_a_call_takes_microseconds_and_no_line_milliseconds() -> None:
    """CPU time of the front beyond its own work, for each call; and what front pages no longer wait for."""
    for row in (row for row in expected(26) if event_of(row) == "nothing"):
        calls = row["services.finder.throughput_per_s"] + row["services.till.throughput_per_s"]
        each = (row["services.front.cpu_cores"] - row["split.throughput_per_s"] * WORK_S["front"]) / calls
        assert each == pytest.approx({"kvm": 21e-6}.get(row["platform"], 9e-6), abs=1.5e-6)
        assert row["split.latency_mean_s"] < row["monolith.latency_mean_s"]


def orchestrator_of(platform: str) -> OrchestratorEntry:
    """What orchestrates a platform of the lab."""
    stated = next(one for one in simvirt.load(LABS[26] / "scenario.yaml").platforms if one.name == platform)
    return CATALOG.typed("orchestrators", stated.orchestrator or "none", OrchestratorEntry)


def restart_s(platform: str, state_s: float) -> float:
    """How long there is no replica of a service, if the old one ends before the new one starts and has its state again after some time.

    It is seen to be up half a period of looks later in the mean.
    """
    scenario, entry = simvirt.load(LABS[26] / "scenario.yaml"), orchestrator_of(platform)
    stated = next(one for one in scenario.platforms if one.name == platform)
    host = CATALOG.resolve_hosts(scenario)[0]
    begins = sum(alone_ns(phase, host) for phase in CATALOG.phases_of(CATALOG.platform(stated), host))
    return (entry.notice + (entry.start_delay or 0) + begins + (entry.looks or 0) / 2 + (entry.publish or 0)) / SECOND + state_s


def test_27_what_is_replaced_alone_costs_what_it_alone_costs(update_golden: bool) -> None:
    lines, length = [], 300.0
    for row in expected(27):
        back, database = "rollback" in row["timeline"], '"update": "db"' in row["timeline"]
        times, state = 2 if back else 1, 4.147
        whole = times * restart_s(row["platform"], state)
        part = restart_s(row["platform"], state) if database else times * restart_s(row["platform"], 0.0) if row["platform"] == "kvm" else 0.0
        tiers, one = length * row["tiers.rejected"], length * row["one.rejected"]
        chance = times * (orchestrator_of(row["platform"]).looks or 0.0) / 2 / SECOND
        assert one == pytest.approx(whole, abs=0.04 * whole + chance)
        assert tiers == pytest.approx(part, abs=0.04 * part + 0.01 + (chance if part else 0.0))
        what = "the database" if database else "web, and back" if back else "web"
        lines.append((what, row["platform"], f"{tiers:.1f} s", f"{part:.1f} s", f"{one:.1f} s", f"{whole:.1f} s"))
    shows(27, lines, update_golden)
