"""The page of results: every section, numbers of the right platform, names as text, nothing loaded; and results read back from files."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import simvirt
from simvirt import charts
from simvirt.cli.app import main
from simvirt.errors import UsageError
from simvirt.report.as_json import dumps
from simvirt.report.page.page import page
from simvirt.report.results import document, read
from simvirt.result import figures
from simvirt.scenario.written import written

NAME = "small <script>alert(1)</script> & \"co\""
SMALL = f"""
simvirt: 1
name: {json.dumps(NAME)}
host: {{cores: 4, memory: 8GiB}}
platforms: [bare-metal, docker, kvm]
services:
  web:
    threads: 8
    cpus: 1
    deploy: {{replicas: 2}}
    operations: {{"GET <b>": [{{cpu: {{exponential: 4ms}}}}, {{call: db.select, times: 2, probability: 0.5}}]}}
  db: {{threads: 4, operations: {{select: [{{cpu: {{exponential: 2ms}}}}]}}}}
workload: {{open: {{rate: 60/s}}, mix: {{"web.GET <b>": 1}}}}
objective: {{latency_p99: 100ms}}
run: {{requests: 600, replications: 2, seed: 1}}
"""


@pytest.fixture(scope="module")
def result() -> simvirt.Result:
    return simvirt.run(simvirt.loads(SMALL))


@pytest.fixture
def plain(result: simvirt.Result, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page where charts cannot be drawn."""
    monkeypatch.setattr("simvirt.report.page.page.can_draw", lambda: False)
    return page([result.typed()])


class Seen(HTMLParser):
    """Elements with their attributes and text; they must close in their order."""

    VOID = ("meta", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def test_every_section_is_there_and_linked(plain: str) -> None:
    seen = Seen(plain)
    keys = [str(attrs["id"]) for attrs in seen.all("section")]
    assert [key.partition("-")[2] for key in keys] == [
        "compare", "latency", "time", "resources", "course", "layout", "numbers", "scenario", "checks", "provenance"]
    assert [attrs["href"] for attrs in seen.all("a")] == ["#main", *(f"#{key}" for key in keys)]
    assert len(seen.all("h1")) == 1 and seen.all("html")[0]["lang"] == "en"


def test_without_what_draws_them_charts_are_tables_and_the_page_says_how_to_get_them(plain: str, result: simvirt.Result) -> None:
    seen = Seen(plain)
    made = charts.charts_of(result.typed())
    assert "pip install &#39;simvirt[report]&#39;" in plain and 'id="runtime"' not in plain
    assert len([attrs for attrs in seen.all("details") if "open" in attrs]) == len(made) > 5
    for chart in made:
        head, rows = chart.table
        assert chart.title in seen.text and set(head) | {cell for row in rows for cell in row if cell} <= set(seen.text)


def test_names_are_text(plain: str) -> None:
    assert "<script>alert" not in plain and "GET <b>" not in plain
    assert "small &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;co&#34;" in plain


def test_the_answer_and_the_numbers_of_each_platform_are_on_the_page(plain: str, result: simvirt.Result) -> None:
    found, seen = result.typed(), Seen(plain)
    assert found.answer in seen.text
    rows = re.findall(r"<tr><th scope=\"row\">([\w-]+)</th>(.*?)</tr>", plain, re.S)
    for name, cells in rows[: len(found.platforms)]:
        platform = found.platforms[name]
        assert figures.time(platform.latency_s.p99) in cells and f">{platform.bottleneck.resource}<" in cells
        assert figures.rate(platform.bottleneck.max_throughput_per_s, beside=platform.throughput_per_s) in cells
    assert len(rows) > len(found.platforms)


def test_no_sentence_gives_a_platform_the_number_of_another(result: simvirt.Result) -> None:
    """Times and rates that are said to be `on` a platform are that platform's own."""
    found, said = result.typed(), 0
    for text in (found.answer, *(chart.description for chart in charts.charts_of(found) if not chart.name.startswith(("series", "added")))):
        for value, unit, name in re.findall(r"([\d.,]+) (ms|us|s|/s)? ?on (bare-metal|docker|kvm)\b", text):
            platform = found.platforms[name]
            most = platform.bottleneck.max_throughput_per_s
            own = [figures.time(getattr(platform.latency_s, key), interval=False) for key in ("mean", "p50", "p99")]
            assert f"{value} {unit}".strip() in [*own, figures.rate(most)] or not unit, text
            said += bool(unit)
    assert said >= 5
    resources = re.findall(r"(\S+) at ([\d,.]+/s) on ([\w-]+)", result.chart("throughput").description)
    assert len(resources) == len(found.platforms)
    for resource, rate, name in resources:
        most = found.platforms[name].bottleneck
        assert resource == most.resource and rate == figures.rate(most.max_throughput_per_s, beside=found.platforms[name].throughput_per_s)


def test_a_page_with_charts_loads_nothing_and_has_each_name_once(result: simvirt.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vl_convert")
    monkeypatch.setattr("simvirt.report.page.page._runtime", lambda: "x = '</script><!--'")
    text = page([result.typed()])
    assert text == page([result.typed()])
    seen = Seen(text)
    assert len(seen.all("figure")) == text.count('<div class="wide"><svg') + len(result.typed().platforms) + 1
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert not [attrs for _, attrs in seen.elements if "src" in attrs or str(attrs.get("href", "#"))[0] != "#"]
    assert "@import" not in text and "url(http" not in text and "<script>alert" not in text
    specs = re.findall(r'<script type="application/json">(.*?)</script>', text, re.S)
    assert len(specs) == text.count('<div class="wide">') and all(json.loads(spec)["layer"] for spec in specs)
    assert "x = '<\\/script><\\!--'" in text


def test_several_results_have_a_section_each(result: simvirt.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simvirt.report.page.page.can_draw", lambda: False)
    seen = Seen(page([result.typed(), result.typed()]))
    assert [attrs["id"] for attrs in seen.all("article")] == ["r1", "r2"]
    assert [attrs["href"] for attrs in seen.all("a")] == ["#main", "#r1", "#r2"]


def test_services_and_hosts_are_drawn_with_what_is_on_them(plain: str, result: simvirt.Result) -> None:
    assert "web calls db. Requests enter at web." in plain and ">1 x</text>" in plain
    layouts = {name: platform.layout for name, platform in result.typed().platforms.items()}
    assert layouts["docker"][0].replicas == {"web": 2, "db": 1} and not layouts["docker"][0].vms
    vms = {tuple(vm.replicas.items()): (vm.count, vm.vcpus) for vm in layouts["kvm"][0].vms}
    assert vms[("web", 1),] == (2, 1) and vms[("db", 1),][0] == 1 and not layouts["kvm"][0].replicas
    assert "2 VMs of 1 vCPU" in plain


def test_the_scenario_stands_in_the_result_with_defaults_and_units(plain: str, result: simvirt.Result) -> None:
    content = result.typed().scenario.content
    assert content == written(simvirt.loads(SMALL))
    assert content["services"]["web"]["operations"]["GET <b>"][0]["cpu"] == {"kind": "exponential", "mean": "4ms"}
    assert content["workload"]["open"]["rate"] == "60/s" and content["objective"] == {"latency_p99": "100ms"}
    assert content["services"]["web"]["balance"] == "round-robin" and content["host"]["memory"] == "8GiB"
    assert "balance: round-robin" in plain


def test_units_are_written_exactly_and_dumps_without_them_stay_numbers() -> None:
    spec = simvirt.loads(SMALL.replace("4ms", "1.234567ms").replace("60/s", "90/min"))
    assert written(spec)["services"]["web"]["operations"]["GET <b>"][0]["cpu"]["mean"] == "1.234567ms"
    assert written(spec)["workload"]["open"]["rate"] == "1.5/s"
    assert spec.model_dump(mode="json")["objective"]["latency_p99"] == 100_000_000


# -- files ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(result: simvirt.Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a result in it."""
    folder = tmp_path_factory.mktemp("results") / "small-1"
    folder.mkdir()
    (folder / "result.json").write_text(dumps(result.document()))
    return folder


def test_a_folder_and_its_file_are_the_same_result(kept: Path, result: simvirt.Result) -> None:
    assert read([kept]) == read([kept / "result.json"])
    assert dumps(read([kept])[0].document()) == dumps(result.document())


def test_the_command_writes_the_page_beside_the_result(kept: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simvirt.report.page.page.can_draw", lambda: False)
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    assert main(["report", str(kept), "--open"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == str(kept / "report.html")
    assert (kept / "report.html").read_text().startswith("<!doctype html>") and opened == [(kept / "report.html").as_uri()]
    assert main(["report", str(kept / "result.json"), "-q", "-o", str(kept / "other.html")]) == 0
    assert (kept / "other.html").read_text() == (kept / "report.html").read_text()


@pytest.mark.parametrize(("name", "content", "said"), [
    ("none", None, "no such file or folder; expected what a command has kept, for example results/web-shop-1a2b3c4d"),
    ("text.json", "{", "text.json:1:2: expected JSON, as in result.json"),
    ("list.json", "[]", "list.json: no result of simvirt; expected what run, density, plan, sweep or another command has kept"),
    ("old.json", '{"simvirt": {"version": "9", "schema": 1, "kernel": "plain"}, "comparison": {}}', "scenario: field required; expected a result of simvirt with form 1, got one of version 9"),
])
def test_what_is_no_result_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert main(["report", str(tmp_path / name)]) == 2
    found = capsys.readouterr()
    assert said in found.err and not found.out and "Traceback" not in found.err and not list(tmp_path.glob("*.html"))


def test_a_folder_without_a_result_names_those_below(tmp_path: Path, kept: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"which are in {kept}")):
        read([kept.parent])
    with pytest.raises(UsageError, match="no result in this folder"):
        read([tmp_path])
    with pytest.raises(UsageError, match="cannot be read"):
        (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
        document(tmp_path / "binary")


@pytest.mark.parametrize("to", ["folder", "none/page.html"])
def test_a_page_that_cannot_be_written_is_a_mistake(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, to: str,
) -> None:
    monkeypatch.setattr("simvirt.report.page.page.can_draw", lambda: False)
    (tmp_path / "folder").mkdir()
    assert main(["report", str(kept), "-o", str(tmp_path / to)]) == 2
    assert str(tmp_path / to) in capsys.readouterr().err
