"""The lab about the spike: what its table says against the steps and the time that it teaches."""

from __future__ import annotations

import math
from typing import Any

import pytest
from helpers.labs import LABS, expected, shows

import simvirt
from simvirt.catalog import Catalog
from simvirt.catalog.entries.autoscalers import AutoscalerEntry
from simvirt.catalog.resolve.startups import alone_ns

CATALOG = Catalog.load()
SECOND = 1e9
LOAD, FIRST = 5.0, 2
"""CPUs that the spike computes, and replicas before it."""


def alone(platform: str) -> float:
    """The start of a replica on a host where nothing else runs [s]."""
    host = CATALOG.resolve_hosts(simvirt.load(LABS[21] / "scenario.yaml"))[0]
    return sum(alone_ns(phase, host) for phase in CATALOG.phases_of(CATALOG.named_platform(platform), host)) / SECOND


def ratio(row: dict[str, Any]) -> float:
    """What a row's autoscaler aims at."""
    return float(str(row["cpu"]).removesuffix("%")) / 100


def steps(target: float, wanted: float) -> int:
    """The fewest steps from the first replicas to those that are wanted."""
    replicas, count = FIRST, 0
    while replicas < wanted:
        replicas, count = math.ceil(replicas / target), count + 1
    return count


def figure(value: float, form: str) -> str:
    """A number of the table; a dash of what never happened."""
    return "-" if math.isnan(value) else form.format(value)


def test_22_steps_and_their_time(update_golden: bool) -> None:
    entry, lines = CATALOG.typed("autoscalers", "hpa", AutoscalerEntry), []
    rows = {(row["cpu"], row["platform"]): row for row in expected(22)}
    for row in rows.values():
        target, platform = ratio(row), row["platform"]
        if row["grown"]:
            assert row["grown"] >= steps(target, min(row["most"], LOAD / target))
            assert entry.sampling / 2 / SECOND <= row["seen_s"] <= (1.5 * entry.sampling + entry.resolution + entry.sync) / SECOND
            assert alone(platform) <= row["ready_after_s"] <= 1.6 * alone(platform)
            assert row["short_s"] == pytest.approx(row["grown"] * row["ready_after_s"], rel=0.05)
        lines.append((
            str(row["cpu"]), platform, f"{row['grown']:.1f}", figure(row["seen_s"], "{:.1f} s"),
            figure(row["ready_after_s"], "{:.3g} s"), f"{row['downtime_s']:.0f} s",
        ))
    for cpu in ("30%", "60%"):
        late = {platform: rows[cpu, platform]["downtime_s"] for platform in ("docker", "firecracker", "kvm")}
        assert late["kvm"] > max(late["docker"], late["firecracker"])
        assert abs(late["docker"] - late["firecracker"]) < late["kvm"] - late["docker"]
    shows(22, lines, update_golden)
