"""Measurements are read from what tools print, each by its own form, and refused with their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simvirt.cli.app import main
from simvirt.cli.import_measurements import TOOLS
from simvirt.errors import ScenarioError, UsageError
from simvirt.fit.observed import entry_of, service_of
from simvirt.measurements import table
from simvirt.measurements.points import Point
from simvirt.measurements.reading import points
from simvirt.measurements.registry import FORMATS

FILES = Path(__file__).resolve().parents[1] / "fixtures" / "measurements"
FORM = {
    "k6.json": "k6", "k6-handle-summary.json": "k6", "wrk.txt": "wrk", "hey.txt": "hey", "hey.csv": "hey", "locust_stats.csv": "locust",
    "docker-stats.json": "docker-stats", "docker-stats.txt": "docker-stats", "sar.txt": "sar", "sadf.json": "sar", "vmstat.txt": "vmstat",
    "prometheus-cpu.json": "prometheus", "prometheus-rate.json": "prometheus",
}


def one(name: str) -> Point:
    """The only point of a file."""
    (found,) = points([str(FILES / name)])
    return found


def test_every_form_has_a_file_and_is_recognised_as_no_other() -> None:
    assert set(FORM) == {path.name for path in FILES.iterdir()}
    assert set(FORM.values()) == set(TOOLS) == set(FORMATS) - {"table", "points"}
    for name, form in FORM.items():
        text = (FILES / name).read_text()
        assert [key for key, each in FORMATS.items() if each.recognises(text)] == [form], name


@pytest.mark.parametrize(("name", "throughput", "mean", "p95"), [
    ("k6.json", 399.875, 4.125e-3, 9.5e-3),
    ("k6-handle-summary.json", 99.98, 3.25e-3, 8e-3),
    ("wrk.txt", 3748.75, 4.25e-3, None),
    ("hey.txt", 499.8451, 4.2e-3, 8.8e-3),
    ("hey.csv", 2.0, 25e-3, 38.5e-3),
    ("locust_stats.csv", 100.0, 3.65e-3, 9e-3),
])
def test_load_generators(name: str, throughput: float, mean: float, p95: float | None) -> None:
    found = one(name)
    assert found.throughput_per_s == pytest.approx(throughput)
    assert found.latency_s["mean"] == pytest.approx(mean)
    assert found.latency_s.get("p95") == (None if p95 is None else pytest.approx(p95))


def test_what_else_they_tell() -> None:
    assert one("k6.json").clients == 20
    assert one("wrk.txt").clients == 16
    assert one("wrk.txt").latency_s["p99"] == pytest.approx(11.9e-3)
    assert one("locust_stats.csv").operations == {"GET /": 90.0, "POST /order": 10.0}


def test_containers() -> None:
    found = one("docker-stats.json")
    assert found.cpu_cores == pytest.approx({"shop-web-1": 0.67, "shop-db-1": 0.76})
    assert found.memory_bytes == pytest.approx({"shop-web-1": 46 * 2**20, "shop-db-1": 256 * 2**20})
    assert found.errors == pytest.approx({"shop-web-1": 0.01 / 0.67, "shop-db-1": 0.01 / 0.76})
    assert one("docker-stats.txt").cpu_cores == pytest.approx({"shop-web-1": 0.005, "shop-db-1": 0.023})


@pytest.mark.parametrize("name", ["sar.txt", "sadf.json", "vmstat.txt"])
def test_hosts(name: str) -> None:
    """Two samples, 25 and 29 % busy; waiting and stolen time are not."""
    assert one(name).host_cpu == pytest.approx(0.27)


def test_prometheus_joins_series_at_their_instants() -> None:
    found = points([str(FILES / "prometheus-cpu.json"), f"rate={FILES / 'prometheus-rate.json'}"])
    assert [(point.throughput_per_s, point.cpu_cores["web"]) for point in found] == [(400, 1.0), (800, 2.0), (410, 1.0)]


def test_an_expression_without_a_name_is_asked_for() -> None:
    with pytest.raises(ScenarioError, match=r"prometheus-rate.json: data.result.metric: expected a metric that is known .* rate=FILE"):
        points([str(FILES / "prometheus-rate.json")])


def test_a_folder_is_one_run(tmp_path: Path) -> None:
    for name in ("k6.json", "docker-stats.json"):
        (tmp_path / name).write_text((FILES / name).read_text())
    (found,) = points([str(tmp_path)])
    assert (found.file, found.throughput_per_s, found.cpu_cores["shop-web-1"]) == (str(tmp_path), 399.875, pytest.approx(0.67))
    (tmp_path / "wrk.txt").write_text((FILES / "wrk.txt").read_text())
    with pytest.raises(ScenarioError, match=r"throughput_per_s: is told by .*k6.json too; expected one file of each kind"):
        points([str(tmp_path)])


CSV = "throughput_per_s,duration_s,latency_mean_ms,web.cpu_percent,web.memory_mib,db.cpu_s,web.GET /.throughput_per_s,host.cpu_percent\n"


def test_a_table(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text(CSV + "100,60,4.5,35,128,12,90,8\n\n200,60,4.6,70,128,24,,16\n")
    first, second = points([str(file)])
    assert (first.throughput_per_s, first.latency_s, first.host_cpu, first.line) == (100, {"mean": pytest.approx(4.5e-3)}, 0.08, 2)
    assert first.cpu_cores == pytest.approx({"web": 0.35, "db": 0.2})
    assert (second.operations, second.memory_bytes, second.line) == ({}, {"web": 128 * 2**20}, 4)


def test_a_table_survives_writing(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text(CSV + "100,60,4.5,35,128,12,90,8\n")
    before = points([str(file)])
    file.write_text(table.text(before))
    assert points([str(file)]) == before


def test_points_in_json(tmp_path: Path) -> None:
    file = tmp_path / "points.json"
    file.write_text('{"points": [\n  {"throughput_per_s": 100, "web.cpu_cores": 0.4},\n  {"throughput_per_s": 50, "web.cpu_cores": 0.2}]}')
    assert [(point.line, point.cpu_cores) for point in points([str(file)])] == [(2, {"web": 0.4}), (3, {"web": 0.2})]


@pytest.mark.parametrize(("text", "message"), [
    ("throughput_per_s,web.cpu_cores\n100,much\n", 'p.csv:2: web.cpu_cores: expected a number that is not negative, for example 1.5; got "much"'),
    ("throughput_per_s,web.cpu_cores\n100,-1\n", "p.csv:2: web.cpu_cores: expected a number that is not negative"),
    ("throughput_per_s,web.cpu_cores\n100\n", "p.csv:2: expected 2 cells as in the first line; got 1"),
    ("throughput_per_s,web.cpu\n100,1\n", "p.csv:1: web.cpu: unknown column; expected names such as"),
    ("throughput_per_s,latency_mean\n100,1\n", 'p.csv:1: latency_mean: unknown column; did you mean "latency_mean_ms"?'),
    ("# p.csv: of a run\nthroughput_per_s,web.cpu_s\n\n-1,1\n", "p.csv:4: throughput_per_s: expected a number that is not negative"),
    ("throughput_per_s,web.cpu_s\n100,1\n", "p.csv:2: web.cpu_s: expected duration_s beside it"),
    ("throughput_per_s,web.cpu_cores\n", "p.csv: expected at least one line"),
    ('{"points": [{"web.cpu_cores": [1]}]}', "p.csv:1: web.cpu_cores: expected a number"),
    ('{"points": 3}', "p.csv:1: points: expected a list of points"),
    ("hello\n", 'p.csv:1: expected measurements in a form that is known .* got "hello"'),
    ('{"metrics": {"http_reqs": {}}}', 'p.csv: metrics.http_reqs.rate: expected the rate of requests, for example'),
    ('{"metrics": {"http_reqs": ', "p.csv:1: metrics: expected a summary of k6"),
    ("  2 threads and 16 connections\n  Thread Stats   Avg\n", "p.csv:2: expected a line with the throughput, for example Requests/sec"),
    ('{"BlockIO":"0B","CPUPerc":"1%"\n', "p.csv:1: expected an object on the line"),
])
def test_mistakes_have_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text(text)
    with pytest.raises(ScenarioError, match=message.replace("(", r"\(").replace("[", r"\[").replace("?", r"\?")):
        points(["p.csv"])


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.csv: no such file; expected measurements"):
        points(["nowhere.csv"])


@pytest.mark.parametrize("form", sorted(set(FORM.values())))
def test_any_prefix_of_a_file_is_read_or_refused(tmp_path: Path, form: str) -> None:
    """Outputs that were cut off anywhere end in points or a mistake, never in anything else."""
    for name in (name for name, of in FORM.items() if of == form):
        text, file = (FILES / name).read_text(), tmp_path / name
        for end in range(0, len(text), max(len(text) // 40, 1)):
            file.write_text(text[:end])
            try:
                assert points([str(file)])
            except (ScenarioError, UsageError) as error:
                assert str(file) in str(error)


def test_import_prints_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["import", "k6", str(FILES / "k6.json"), str(FILES / "k6-handle-summary.json")]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("throughput_per_s,clients,latency_mean_ms")
    assert [row.split(",")[:3] for row in rows] == [["399.875", "20", "4.125"], ["99.98", "", "3.25"]]
    assert main(["import", "sar", str(FILES / "sar.txt"), "-o", str(tmp_path / "host.csv")]) == 0
    assert (tmp_path / "host.csv").read_text() == "host.cpu_percent\n27\n"


@pytest.mark.parametrize(("container", "service"), [
    ("web", "web"), ("shop-web-1", "web"), ("shop_web_1", "web"), ("shop_web.1.x7k2m", "web"), ("web-5d9f8-abcde", "web"), ("/shop-db-1", "db"),
    ("shop-db-cache-1", "db-cache"), ("prometheus", None), ("webhook", None),
])
def test_containers_are_known_by_their_names(container: str, service: str | None) -> None:
    assert service_of(container, ["web", "db", "db-cache"]) == service


def test_operations_are_known_by_their_names() -> None:
    mix = ["web.GET /", "web.POST /order", "api.list"]
    assert [entry_of(name, mix) for name in ("web.GET /", "GET /", "/order", "list", "other")] == [
        "web.GET /", "web.GET /", "web.POST /order", "api.list", None]


def test_json_lines_of_docker_have_no_row_of_a_container_that_is_down(tmp_path: Path) -> None:
    rows = [{"Name": "a", "CPUPerc": "--", "MemUsage": "-- / --"}, {"Name": "b", "CPUPerc": "1.0%", "MemUsage": "1kB / 1GiB"}]
    (tmp_path / "s.json").write_text("\n".join(map(json.dumps, rows)))
    (found,) = points([str(tmp_path / "s.json")])
    assert found.cpu_cores == {"b": 0.01} and found.memory_bytes == {"b": 1000.0}
