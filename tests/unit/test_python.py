"""What Python sees: the public names, results that show themselves, frames that tables of any kind take."""

from __future__ import annotations

import math
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import simvirt
from simvirt.density.answer import DensityResult
from simvirt.plan.document import Plan
from simvirt.sweep import load as load_sweep

SMALL = """
simvirt: 1
name: "small <b>&amp;"
host: {cores: 2, memory: 8GiB}
platforms: [bare-metal, docker]
services: {app: {threads: 2, cpus: 1, mem_limit: 512MiB, operations: {job: [{cpu: {exponential: 10ms}}]}}}
workload: {open: {rate: 20/s}}
objective: {latency_p99: 400ms}
density: {per_instance: {rate: 5/s}, max: 3}
plan: {hosts: [generic]}
run: {requests: 300, replications: 2, seed: 1}
"""


@pytest.fixture(scope="module")
def scenario() -> simvirt.Scenario:
    return simvirt.loads(SMALL)


@pytest.fixture(scope="module")
def results(scenario: simvirt.Scenario) -> dict[str, Any]:
    return {"run": simvirt.run(scenario), "density": simvirt.density(scenario), "plan": simvirt.plan(scenario)}


def test_the_public_names_are_listed_before_they_are_imported() -> None:
    code = "import simvirt; print(set(simvirt.__all__) <= set(dir(simvirt)), callable(simvirt.density), callable(simvirt.plan))"
    code += "\nfrom simvirt.density import density\nprint(callable(simvirt.density), simvirt.density.density is density)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["True"] * 5


def test_results_are_of_their_kinds(results: dict[str, Any]) -> None:
    assert isinstance(results["run"], simvirt.Result)
    assert isinstance(results["density"], DensityResult)
    assert isinstance(results["plan"], Plan)


def asked(kind: str, folder: Path, jobs: int) -> Any:
    """A small question of each kind, with so many tasks at a time."""
    small = simvirt.loads(SMALL.replace("[bare-metal, docker]", "[bare-metal]"))
    if kind == "sweep":
        (folder / "s.yaml").write_text(SMALL)
        return simvirt.sweep(load_sweep(folder / "s.yaml", ["services.app.threads=1,2"]), folder / "out", jobs=jobs)
    if kind == "validate":
        return simvirt.validate(tables=["kvm-cpuid-2024"], jobs=jobs)
    return getattr(simvirt, kind)(small, jobs=jobs)


@pytest.mark.parametrize("kind", ["run", "density", "knee", "plan", "validate", "sweep"])
def test_every_call_takes_the_same_numbers_of_jobs(kind: str, tmp_path: Path) -> None:
    """0 is one per CPU, and what is below it is refused before anything is there."""
    with pytest.raises(simvirt.SimvirtError, match="jobs: expected a whole number"):
        asked(kind, tmp_path, -1)
    assert not (tmp_path / "out").exists()
    assert asked(kind, tmp_path, 0) is not None


@pytest.mark.parametrize("kind", ["run", "density", "plan"])
def test_a_result_is_short_in_an_interpreter(results: dict[str, Any], kind: str) -> None:
    text = repr(results[kind])
    assert text.startswith(f"<{type(results[kind]).__name__} small <b>&amp;: ")
    assert len(text) < 500


class Balanced(HTMLParser):
    """Reads HTML whose elements must close in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", ["run", "density", "plan"])
def test_a_notebook_gets_html_in_which_names_are_text(results: dict[str, Any], kind: str) -> None:
    text = results[kind]._repr_html_()
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert parser.seen >= {"div", "table", "td", "h3"}
    assert parser.seen.isdisjoint({"b", "script", "img", "link", "style"})
    assert "small &lt;b&gt;&amp;amp;" in text


@pytest.mark.parametrize("kind", ["run", "density", "plan"])
def test_a_frame_is_columns_of_equal_length_and_of_one_kind(results: dict[str, Any], kind: str) -> None:
    columns = results[kind].frame()
    assert len({len(values) for values in columns.values()}) == 1
    assert columns["platform"]
    for name, values in columns.items():
        numeric = all(isinstance(value, int | float) for value in values)
        assert numeric or all(isinstance(value, str) for value in values), name
        if name.endswith("_low"):
            middle, high = columns[name.removesuffix("_low")], columns[name.removesuffix("_low") + "_high"]
            for ends in zip(values, middle, high, strict=True):
                assert any(map(math.isnan, ends)) or list(ends) == sorted(ends), name


def test_the_frame_of_a_run_has_the_numbers_of_its_document(results: dict[str, Any]) -> None:
    columns, platforms = results["run"].frame(), results["run"].typed().platforms
    assert columns["platform"] == ["bare-metal", "docker"]
    for key in ("mean", "p50", "p99"):
        found = [getattr(p.latency_s, key) for p in platforms.values()]
        assert columns[f"latency_{key}_s"] == [e.value for e in found]
        assert columns[f"latency_{key}_s_low"] == [e.low for e in found]
        assert columns[f"latency_{key}_s_high"] == [e.high for e in found]


def test_the_frame_of_a_run_tells_where_time_and_memory_go(results: dict[str, Any]) -> None:
    columns, platforms = results["run"].frame(), results["run"].typed().platforms
    parts = [name for name in columns if name.startswith("breakdown_")]
    for n, found in enumerate(platforms.values()):
        assert sum(columns[part][n] for part in parts) == pytest.approx(found.latency_s.mean.value, rel=1e-6)
        assert columns["memory_free_bytes"][n] == found.memory.ledger.free_bytes
        for name, service in found.services.items():
            assert columns[f"services.{name}.threads_busy"][n] == service.threads_busy.value


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("kind", ["run", "density", "plan"])
def test_tables_take_a_frame_as_it_is(results: dict[str, Any], kind: str, library: str) -> None:
    columns = results[kind].frame()
    table = pytest.importorskip(library).DataFrame(columns)
    assert list(table.columns) == list(columns)
    assert len(table) == len(columns["platform"])


def test_what_the_calls_raise_is_at_hand_and_nothing_else_is() -> None:
    with pytest.raises(simvirt.ScenarioError, match="empty"):
        simvirt.loads("")
    assert issubclass(simvirt.SimulationError, simvirt.SimvirtError)
    assert not {"Any", "TYPE_CHECKING"} & set(dir(simvirt))
