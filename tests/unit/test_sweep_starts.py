"""Sweeps of scenarios that begin with nothing up: when instances are ready is what is said of them, and what it depends on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import simvirt
from simvirt.charts.registry import chart_of
from simvirt.errors import UsageError
from simvirt.report.as_text import render
from simvirt.report.sweep_report import report
from simvirt.sweep import load
from simvirt.sweep.swept import Swept

SCENARIO = """
simvirt: 1
name: up
host: {cores: 2, memory: 8GiB}
platforms: [docker]
state: {instances: none}
services: {web: {cpus: 1, mem_limit: 64MiB, operations: {get: [{cpu: 1ms}]}}}
workload: {open: {rate: RATE, arrivals: deterministic}, mix: {web.get: 1}}
run: {duration: 2s, replications: 2, seed: 1}
"""


def swept(folder: Path, rate: str, duration: str = "2s") -> Swept:
    """One and four replicas at once."""
    (folder / "up.yaml").write_text(SCENARIO.replace("RATE", rate), encoding="utf-8")
    (folder / "sweep.yaml").write_text(
        f"simvirt: 1\nname: starts\nscenario: up.yaml\nset: {{run.duration: {duration}}}\naxes: {{services.web.scale: [1, 4], host.cores: [2, 4]}}\n",
        encoding="utf-8")
    with ThreadPoolExecutor(1) as here:
        return simvirt.sweep(load(folder / "sweep.yaml"), folder / "kept", jobs=1, executor=here)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A sweep in which no request comes."""
    return swept(tmp_path_factory.mktemp("silent"), "1/d")


def test_where_no_request_was_answered_the_sentence_is_about_starts(silent: Swept) -> None:
    found = silent.typed()
    last = [float(row["ready_last_s"] or 0) for row in found.rows]
    assert f"the last instance is ready between {1e3 * min(last):.0f} ms (docker, cell 0) and {1e3 * max(last):.0f} ms (docker, cell 2)" in found.answer
    assert "none of them answered a request" in found.answer
    assert "When the last instance is ready on docker depends most on services.web.scale" in found.answer
    assert {effect.measure for effect in found.effects} == {"ready_last_s"}


def test_its_table_has_readiness_and_no_empty_columns(silent: Swept) -> None:
    shown = render(report(silent.typed()), 80)
    head = next(line for line in shown.splitlines() if "ready p50" in line)
    assert head.split() == ["scale", "cores", "platform", "ready", "p50", "last", "ready", "CPU"]
    assert max(map(len, shown.splitlines())) <= 80


def test_its_charts_are_about_readiness(silent: Swept) -> None:
    found = silent.typed()
    drawn = [chart_of(found, name) for name in ("effects", "surface", "lines-readiness")]
    assert [one.title for one in drawn] == [
        "What the readiness of the last instance depends on", "readiness of the last instance on docker over web scale and cores",
        "readiness of the last instance over web scale",
    ]
    with pytest.raises(UsageError):
        chart_of(found, "lines-p99")


def test_where_requests_were_answered_there_is_both(tmp_path: Path) -> None:
    found = swept(tmp_path, "10/s").typed()
    assert "the last instance is ready between" in found.answer and "p99 lies between" in found.answer
    head = next(line for line in render(report(found), 80).splitlines() if "ready p50" in line)
    assert head.split()[-5:] == ["last", "ready", "p99", "throughput", "CPU"]


def test_where_not_all_are_ready_it_is_said_how_many(tmp_path: Path) -> None:
    """Half a second is enough for one replica, and for the first of four."""
    found = swept(tmp_path, "1/d", "0.5s").typed()
    assert "in 2 of 4 rows not all instances are ready in the end" in found.answer
    counts = {f"{row['ready'] or 0:g} of 4" for row in found.rows if row["services.web.scale"] in (4, "4")}
    assert all(count in render(report(found), 80) for count in counts)
    assert not any(effect.axes == ("services.web.scale",) for effect in found.effects), "the last of those that are ready is no measure"
