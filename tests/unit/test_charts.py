"""Charts of results: valid Vega-Lite, the numbers of their document, one look for what is the same, files that stay the same."""

from __future__ import annotations

import json
import math
from importlib import import_module, resources
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

import simvirt
from simvirt import charts
from simvirt.charts import theme
from simvirt.charts.registry import CHARTS
from simvirt.charts.sweeps import effects
from simvirt.errors import UsageError
from simvirt.metrics.outcome import CATEGORIES
from simvirt.result.holders import PARTS
from simvirt.result.run_document import RunDocument
from simvirt.sweep import load
from simvirt.validation.facts import chosen
from simvirt.validation.predict import Conditions
from simvirt.validation.suite import validate

SMALL = """
simvirt: 1
name: small
host: {cores: 2, memory: 8GiB}
platforms: [bare-metal, docker, my-own]
services: {app: {threads: 2, cpus: 1, mem_limit: 512MiB, operations: {job: [{cpu: {exponential: 10ms}}]}}}
workload: {open: {rate: 120/s}}
objective: {latency_p99: 400ms}
density: {per_instance: {rate: 5/s}, max: 3}
plan: {hosts: [generic], growth: {uncertainty: 0.5}}
run: {requests: 400, replications: 2, seed: 1}
""".replace("my-own", "{name: my-own, stack: [kvm]}").replace(", growth: {uncertainty: 0.5}", "")


@pytest.fixture(scope="module")
def run() -> simvirt.Result:
    return simvirt.run(simvirt.loads(SMALL))


@pytest.fixture(scope="module")
def results(run: simvirt.Result, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A document of each kind."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "small.yaml").write_text(SMALL)
    axes = {"workload.open.rate": ["20/s", "80/s"], "services.app.threads": [1, 2]}
    (folder / "sweep.yaml").write_text(json.dumps({
        "simvirt": 1, "name": "s", "scenario": "small.yaml", "axes": axes, "set": {"run.requests": 100, "platforms": ["docker", "kvm"]}}))
    scenario = simvirt.loads(SMALL)
    return {
        "run": run.typed(), "density": simvirt.density(scenario).typed(), "plan": simvirt.plan(scenario).typed(),
        "sweep": simvirt.sweep(load(folder / "sweep.yaml"), folder / "out", jobs=1).typed(),
        "deploy": simvirt.deploy(scenario).typed(), "compare": simvirt.compare(run, run).typed(),
        "knee": simvirt.knee(scenario.model_copy(update={"platforms": scenario.platforms[:1]}), precision=0.6).typed(), "validate": validate(chosen((), ("ibm-pxz",)), Conditions(1, 1), 1, False),
    }


KINDS = ("run", "compare", "density", "deploy", "knee", "plan", "sweep", "validate")
RUN = tuple(CHARTS[RunDocument])


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_is_valid_vega_lite(results: dict[str, Any], kind: str) -> None:
    altair = pytest.importorskip("altair")
    schema = json.loads((resources.files(altair) / "vegalite/v6/schema/vega-lite-schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    found = charts.charts_of(results[kind])
    assert found
    for one in found:
        validator.validate(json.loads(json.dumps(one, allow_nan=False)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_says_what_it_shows(results: dict[str, Any], kind: str) -> None:
    names = charts.names_of(results[kind])
    for one in charts.charts_of(results[kind]):
        head, rows = one.table
        assert one.name in names and one.title and one.description.endswith(".") and len(one.description) > 20
        assert rows and all(len(row) == len(head) and all(isinstance(cell, str) for cell in row) for row in rows)


def test_every_kind_of_document_has_charts_and_they_are_found_by_name(results: dict[str, Any]) -> None:
    assert {type(document) for document in results.values()} == set(CHARTS)
    for document in results.values():
        made = {one.name: one for one in charts.charts_of(document)}
        assert {name: charts.chart_of(document, name) for name in made} == made


def rows(chart: charts.Chart) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chart["data"]["values"]
    return found


def test_the_tail_is_that_of_the_histogram_and_passes_through_the_quantiles(run: simvirt.Result) -> None:
    document, chart = run.typed(), run.chart("latency")
    unit = {"latency [ms]": 1e-3, "latency [s]": 1.0, "latency [us]": 1e-6}[chart["layer"][0]["encoding"]["x"]["title"]]
    for name, platform in document.platforms.items():
        histogram = platform.latency_histogram
        assert sum(histogram.count) == sum(o.requests for o in run.outcomes(name))
        assert list(histogram.upper_s) == sorted(histogram.upper_s) and min(histogram.count) > 0
        line = [row for row in rows(chart) if row["platform"] == name and not row["quantile"]]
        assert 10 < len(line) < 300
        for key, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            value = getattr(platform.latency_s, key).value
            beyond = [row["above"] for row in line if row["time"] * unit >= value]
            before = [row["above"] for row in line if row["time"] * unit <= value * 63 / 64]
            assert max(beyond, default=0.0) <= 1 - share + 0.03 and min(before) >= 1 - share - 0.03


def test_parts_of_a_bar_are_those_of_the_document(run: simvirt.Result) -> None:
    document = run.typed()
    for name, platform in document.platforms.items():
        bars = [row for row in rows(run.chart("breakdown")) if row["name"] == name]
        assert {theme.CAUSES[key][0] for key, value in platform.breakdown_s if value > 1e-3 * platform.latency_s.mean.value} <= {row["part"] for row in bars}
        assert max(row["to"] for row in bars) == pytest.approx(sum(dict(platform.breakdown_s).values()) * 1e3, rel=0.01)
        held = {row["part"]: row["to"] - row["from"] for row in rows(run.chart("memory")) if row["name"] == name}
        assert sum(held.values()) == pytest.approx(sum(of(platform.memory.ledger) for of in PARTS.values()) / 2**20, rel=0.01)


def test_what_is_added_has_the_sign_of_the_difference(run: simvirt.Result) -> None:
    document = run.typed()
    base = dict(document.platforms["bare-metal"].breakdown_s)
    found = rows(run.chart("added"))
    assert {row["name"] for row in found} == set(document.platforms) - {"bare-metal"}
    for row in found:
        key = next(key for key, (name, _) in theme.CAUSES.items() if name == row["part"])
        more = dict(document.platforms[row["name"]].breakdown_s)[key] - base[key]
        assert math.copysign(1, row["to"] - row["from"]) == math.copysign(1, more)


def test_the_maximum_is_that_of_its_own_platform(run: simvirt.Result) -> None:
    for row in rows(run.chart("throughput")):
        found = run.typed().platforms[row["platform"]].bottleneck
        assert row["resource"] == found.resource and row["most"] == pytest.approx(found.max_throughput_per_s, rel=1e-5)


def test_a_run_that_nothing_observes_has_few_samples(run: simvirt.Result) -> None:
    for platform in run.typed().platforms.values():
        taken = platform.series
        assert 10 <= len(taken.at_s) <= 65 and not taken.messages and len({len(values) for name, values in taken if name != "messages"}) == 1
        assert list(taken.at_s) == sorted(taken.at_s) and list(taken.completed) == sorted(taken.completed)
        assert max(taken.busy_cpus) <= 2 and all(queued <= inside for queued, inside in zip(taken.queued, taken.in_system, strict=True))
    assert rows(run.chart("series"))


def test_one_cause_and_one_platform_have_one_colour_everywhere(results: dict[str, Any]) -> None:
    seen: dict[str, set[str]] = {}
    for document in results.values():
        for chart in charts.charts_of(document):
            for layer in chart["layer"]:
                scale = layer["encoding"].get("color", {}).get("scale", {})
                for name, colour in zip(scale.get("domain", ()), scale.get("range", ()), strict=False):
                    seen.setdefault(name, set()).add(colour)
    assert {"CPU work", "docker", "bare-metal", "my-own"} <= set(seen)
    assert not {name: colours for name, colours in seen.items() if len(colours) > 1}


def test_all_causes_and_all_parts_of_memory_have_a_colour() -> None:
    assert set(theme.CAUSES) == set(CATEGORIES) and set(PARTS) <= set(theme.MEMORY)


def luminance(colour: str) -> float:
    """Relative luminance. Source: WCAG 2.2."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_can_be_seen_on_white_and_in_the_dark() -> None:
    used = [*(style.colour for style in theme.STYLES), *(colour for _, colour in theme.CAUSES.values()), *theme.MEMORY.values()]
    for colour in used:
        assert 1.05 / (luminance(colour) + 0.05) >= 3, colour
        assert (luminance(colour) + 0.05) / (luminance("#0d1117") + 0.05) >= 3, colour


def test_platforms_differ_by_more_than_colour() -> None:
    names = ["bare-metal", "docker", "kvm", "docker-on-kvm", "one", "two", "three", "four"]
    found = theme.styles(names)
    assert list(found) == names and found["docker"] == theme.styles(["x", "docker"])["docker"]
    for one, other in combinations(found.values(), 2):
        assert one.colour != other.colour and one.shape != other.shape and one.dash != other.dash
    assert len(theme.styles(map(str, range(20)))) == 20


@pytest.mark.parametrize("name", ["nothing", "curve"])
def test_an_unknown_chart_names_those_that_there_are(run: simvirt.Result, name: str) -> None:
    with pytest.raises(UsageError, match=rf"no chart '{name}' of this result; expected one of latency, .*, for example chart\('latency'\)"):
        run.chart(name)


def test_a_chart_with_nothing_to_draw_says_so(run: simvirt.Result) -> None:
    alone = simvirt.run(simvirt.loads(SMALL), maximum=False)
    with pytest.raises(UsageError, match="'throughput': there is nothing to draw"):
        alone.chart("throughput")


def test_files_are_the_same_bytes_each_time(run: simvirt.Result, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    chart = run.chart("breakdown")
    for ending in ("svg", "png", "json"):
        first, second = (chart.save(tmp_path / f"{number}.{ending}").read_bytes() for number in (1, 2))
        assert first == second and len(first) > 1000
    assert (tmp_path / "1.svg").read_text().startswith("<svg") and (tmp_path / "1.png").read_bytes()[1:4] == b"PNG"
    assert json.loads((tmp_path / "1.json").read_text()) == json.loads(json.dumps(chart))


def test_files_that_cannot_be_written_are_mistakes(run: simvirt.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"expected a name that ends in \.svg, \.png, \.json, such as latency\.svg; got '\.pdf'"):
        run.chart("latency").save(tmp_path / "latency.pdf")
    with pytest.raises(UsageError, match="cannot be written"):
        run.chart("latency").save(tmp_path / "no" / "latency.json")
    monkeypatch.setattr("builtins.__import__", without("vl_convert"))
    with pytest.raises(UsageError, match=r"charts cannot be drawn: pip install 'simvirt\[report\]'"):
        run.chart("latency").save(tmp_path / "latency.svg")
    assert "image/svg+xml" not in run.chart("latency")._repr_mimebundle_()


def without(missing: str) -> Any:
    """An import without one package."""
    real = import_module("builtins").__import__

    def imported(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == missing:
            raise ImportError(name)
        return real(name, *rest, **more)

    return imported


def test_a_notebook_gets_the_specification(run: simvirt.Result) -> None:
    shown = run.chart("latency")._repr_mimebundle_()
    assert shown["application/vnd.vegalite.v6+json"]["layer"] and "latency" in shown["text/plain"]


def test_charts_of_a_document_that_was_read_back_are_the_same(results: dict[str, Any]) -> None:
    for document in results.values():
        again = TypeAdapter(type(document)).validate_json(json.dumps(document.document()))
        assert [json.dumps(one) for one in charts.charts_of(again)] == [json.dumps(one) for one in charts.charts_of(document)]


def test_of_one_axis_alone_no_chart_says_how_much_depends_on_it(results: dict[str, Any]) -> None:
    document = results["sweep"]
    lone = document.model_copy(update={"effects": tuple(one for one in document.effects if one.axes == ("services.app.threads",))})
    assert effects(document) is not None and lone.effects
    assert effects(lone) is None


def test_what_acts_on_instances_is_drawn() -> None:
    """Replicas as they are wanted and ready from each instant on, the story with who, where and why, replicas on each host at the end."""
    text = SMALL.replace("host: {cores: 2, memory: 8GiB}", "hosts: {node: {count: 2, cores: 2, memory: 8GiB}}").replace(
        "platforms: [bare-metal, docker, {name: my-own, stack: [kvm]}]", "platforms: [docker]")
    text = text.replace("run: {requests: 400,", "timeline: [{at: 1s, scale: app, replicas: 3}]\nrun: {duration: 3s, warmup: 0s,")
    document = simvirt.run(simvirt.loads(text), maximum=False).typed()
    found = document.platforms["docker"]
    assert found.scaling is not None and found.happened is not None
    course = found.scaling.services["app"].course
    drawn = {one.name: one for one in charts.charts_of(document)}
    rows = drawn["replicas"]["data"]["values"]
    assert [(row["wanted"], row["ready"]) for row in rows[:-1]] == [(level.wanted, level.ready) for level in course]
    assert rows[-1]["at"] == 3.0 and rows[-1]["ready"] == 3 and "Replicas of app" in drawn["replicas"].title
    assert [row[3] for row in drawn["events"].table[1] if row[2] == "ready"] == ["app-1", "app-2"]
    assert drawn["placed"].table[1][0][0] == "app on docker" and sum(map(int, drawn["placed"].table[1][0][1:])) == 3
    strip = found.availability
    assert ("answered" in drawn) == (strip is not None and any(ratio is not None and ratio < 1 for ratio in strip.strip))
