"""Traces as scenarios: who calls whom, how often, in which order, how long each takes; both formats say the same; mistakes name their file."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from simvirt.cli.app import main
from simvirt.errors import ScenarioError
from simvirt.importers.callgraph import graph
from simvirt.importers.spans import Span, spans_of
from simvirt.importers.traced import traced
from simvirt.runs.run import run
from simvirt.scenario import load, loads

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces" / "dsb-call-trace" / "ms_collecter" / "trace.csv"
BARE = ("platforms=[bare-metal]", "host.switching=none", "host.max_cstate=none")
MS = 1_000_000
Row = tuple[str, str, str, str, int, int, str]
"""Id, parent, service, operation, begin and end [ms], kind."""


def jaeger(traces: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """Traces as Jaeger's JSON."""
    found = []
    for number, rows in enumerate(traces):
        spans = [
            {"traceID": f"t{number}", "spanID": own, "operationName": name, "references": [{"refType": "CHILD_OF", "spanID": parent}] if parent else [],
             "startTime": 1000 * begin, "duration": 1000 * (end - begin), "processID": service, "tags": [{"key": "span.kind", "value": kind}]}
            for own, parent, service, name, begin, end, kind in rows]
        found.append({"traceID": f"t{number}", "spans": spans, "processes": {row[2]: {"serviceName": row[2]} for row in rows}})
    return {"data": found}


def otlp(traces: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """Traces as OTLP's JSON."""
    kinds = {"internal": 1, "server": "SPAN_KIND_SERVER", "client": 3, "consumer": "SPAN_KIND_CONSUMER"}
    by_service = defaultdict(list)
    for number, rows in enumerate(traces):
        for own, parent, service, name, begin, end, kind in rows:
            by_service[service].append({"traceId": f"t{number}", "spanId": own, "parentSpanId": parent, "name": name, "kind": kinds[kind],
                                        "startTimeUnixNano": str(begin * MS), "endTimeUnixNano": str(end * MS)})
    return {"resourceSpans": [
        {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}, "scopeSpans": [{"spans": spans}]}
        for service, spans in by_service.items()]}


def file(folder: Path, data: object, name: str = "a.json") -> str:
    """A file with a document, or a text."""
    (folder / name).write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(folder / name)


def shop(slow: int = 0) -> list[Row]:
    """A request: own 2 ms, a call of 6 ms with 1 ms of way, own 1 ms, two calls at once, a database outside, own 1 ms."""
    return [
        ("1", "", "web", "GET /", 0, 22 + slow, "server"),
        ("2", "1", "web", "call cart", 2, 9 + slow, "client"),
        ("3", "2", "cart", "add", 2, 8 + slow, "server"),
        ("4", "1", "web", "inner", 9 + slow, 10 + slow, "internal"),
        ("5", "1", "web", "ask a", 10 + slow, 14 + slow, "client"),
        ("6", "5", "a", "ask", 10 + slow, 14 + slow, "server"),
        ("7", "1", "web", "ask b", 11 + slow, 17 + slow, "client"),
        ("8", "7", "b", "ask", 11 + slow, 17 + slow, "server"),
        ("9", "1", "web", "select", 18 + slow, 21 + slow, "client"),
    ]


def test_both_formats_say_the_same_graph(tmp_path: Path) -> None:
    traces = [shop(), shop(4)]
    one, other = (spans_of([file(tmp_path, make(traces), f"{kind}.json")], kind) for kind, make in (("jaeger", jaeger), ("otel", otlp)))
    assert sorted(one, key=lambda span: (span.trace, span.id)) == sorted(other, key=lambda span: (span.trace, span.id))
    lines = "\n".join(json.dumps(otlp([trace])) for trace in [shop()] * 2)
    assert len(spans_of([file(tmp_path, lines)], "otel")) == 2 * len(shop())


def test_the_graph_is_what_spans_say(tmp_path: Path) -> None:
    found = graph(spans_of([file(tmp_path, jaeger([shop()]))], "jaeger"))
    web = found.operations["web", "GET /"]
    assert [[(wait.name, wait.target, wait.offsets, wait.times) for wait in group] for group in web.groups] == [
        [("add", ("cart", "add"), [0], [MS])],
        [("ask", ("a", "ask"), [0], [0]), ("ask", ("b", "ask"), [MS], [0])],
        [("select", None, [0], [3 * MS])],
    ]
    assert web.gaps == [[2 * MS], [MS], [MS], [MS]] and found.entries == {("web", "GET /"): 1} and found.traces == 1


def test_times_of_a_simulated_request_are_those_of_its_spans(tmp_path: Path) -> None:
    """All constant: 22 ms at the front, 6, 4 and 6 behind it, without anything that a platform or another request adds."""
    text = traced("jaeger", [file(tmp_path, jaeger([shop()]))], None).text
    services = run(loads(text, sets=(*BARE, "run.duration=10s", "run.replications=1", "workload.open.rate=1/s")), maximum=False, jobs=1).typed().platforms["bare-metal"].services
    assert {name: round(one.latency_s.p50.value * 1e3, 2) for name, one in services.items()} == {"web": 22.0, "cart": 6.0, "a": 4.0, "b": 6.0}


def test_what_is_done_sometimes_is_done_as_often(tmp_path: Path) -> None:
    """One request in four calls; another calls three times."""
    call: list[Row] = [("2", "1", "web", "c", 1, 3, "client"), ("3", "2", "db", "get", 1, 3, "server")]
    more: list[Row] = [row for n in range(3) for row in ((f"{n}c", "1", "web", "c", 1 + 2 * n, 2 + 2 * n, "client"), (f"{n}s", f"{n}c", "db", "get", 1 + 2 * n, 2 + 2 * n, "server"))]
    root: Row = ("1", "", "web", "get", 0, 9, "server")
    found = graph(spans_of([file(tmp_path, jaeger([[root], [root], [root, *call], [root, *more]]))], "jaeger"))
    assert [wait.share for group in found.operations["web", "get"].groups for wait in group] == [0.5, 0.25, 0.25]
    scenario = loads(traced("jaeger", [str(tmp_path / "a.json")], None).text, sets=(*BARE, "run.duration=400s", "run.replications=1"))
    platform = run(scenario, maximum=False, jobs=1).typed().platforms["bare-metal"]
    rates = {name: one.throughput_per_s.value for name, one in platform.services.items()}
    assert rates["db"] / rates["web"] == pytest.approx(1.0, rel=0.06)  # 4 calls of 4 requests


def test_tables_hold_what_was_seen_and_laws_its_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traces = [[("1", "", "web", "get", 0, 1 + n, "server")] for n in range(9)]
    source = file(tmp_path, jaeger(traces))
    assert main(["import", "jaeger", source, "-o", str(tmp_path / "seen.yaml")]) == 0
    rows = list(csv.DictReader((tmp_path / "seen.csv").read_text(encoding="utf-8").splitlines()))
    assert {float(row["t1_us"]) for row in rows} == {1000.0 * (1 + n) for n in range(9)}
    assert main(["import", "jaeger", source]) == 0
    assert "lognormal: {mean: 5ms, cv: 0.516}" in capsys.readouterr().out
    for text in (load(tmp_path / "seen.yaml", sets=(*BARE, "run.duration=60s", "run.replications=2")), loads(traced("jaeger", [source], None).text, sets=(*BARE, "run.duration=60s", "run.replications=2"))):
        mean = run(text, maximum=False, jobs=1).typed().platforms["bare-metal"].services["web"].latency_s.mean.value
        assert mean == pytest.approx(5e-3, rel=0.08)


def span(own: str, parent: str, service: str, begin: int, end: int, **more: bool) -> Span:
    return Span("t", own, parent, service, "do", begin * MS, end * MS, **more)


def test_what_nobody_waits_for_is_asked_by_nobody() -> None:
    late = [span("1", "", "web", 0, 5), span("2", "1", "mail", 7, 9), span("3", "1", "log", 1, 20, beside=True), span("4", "gone", "cron", 0, 1)]
    found = graph(late)
    assert found.entries == {("web", "do"): 1, ("mail", "do"): 1, ("log", "do"): 1, ("cron", "do"): 1} and found.orphans == 1
    assert found.operations["web", "do"].groups == []


def test_circles_of_calls_end(tmp_path: Path) -> None:
    """web calls api, which calls web's same operation again: the inner one is time outside."""
    found = graph([span("1", "", "web", 0, 9), span("2", "1", "api", 1, 8), span("3", "2", "web", 2, 4)])
    targets = [wait.target for one in found.operations.values() for group in one.groups for wait in group]
    assert targets.count(None) == 1 and len(targets) == 2
    text = traced("jaeger", [file(tmp_path, jaeger([[("1", "", "w", "o", 0, 9, "server"), ("2", "1", "a", "o", 1, 8, "server"), ("3", "2", "w", "o", 2, 4, "server")]]))], None).text
    assert loads(text).services.keys() == {"w", "a"}


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("jaeger", "{", "a.json:1:2: expected JSON"),
        ("jaeger", "[" * 100_000, "expected JSON"),
        ("jaeger", "{}", "expected spans, as Jaeger's API gives them"),
        ("otel", '{"data": []}', "expected spans, as OTLP's JSON"),
        ("otel", '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "t", "spanId": "s", "startTimeUnixNano": "x"}]}]}]}', "startTimeUnixNano: expected a time"),
        ("jaeger", '{"spans": [{"traceID": "t", "startTime": 1, "duration": 1}], "processes": {}}', "expected a trace, an id"),
        ("jaeger", '{"spans": [{"traceID": "t", "spanID": "s", "startTime": 1, "duration": -1}]}', "duration: expected a time from 0 on"),
        ("otel", '{"resourceSpans": 3}', "expected spans"),
        ("otel", '{"a": 1}\n{"b": ', "a.json:2"),
    ],
)
def test_mistakes_in_traces_name_their_file(tmp_path: Path, kind: str, text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as told:
        spans_of([file(tmp_path, text)], kind)
    assert said in str(told.value) and "a.json" in str(told.value)


def death_star() -> dict[str, Any]:
    """The call traces of DeathStarBench's social network as Jaeger's JSON: what ends in `_client` waits."""
    with open(DATA, encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    traces: dict[str, dict[str, Any]] = defaultdict(dict)

    def put(row: dict[str, str], who: str, begin: int) -> None:
        name = row[f"{who}Operation"]
        kind = "client" if name.endswith("_client") else "internal"
        traces[row["traceId"]][row[f"{who}Id"]] = {
            "traceID": row["traceId"], "spanID": row[f"{who}Id"], "operationName": name, "startTime": begin, "duration": int(row[f"{who}Duration"]),
            "references": [{"spanID": row["parentId"]}] if who == "child" else [], "process": {"serviceName": row[f"{who}MS"]},
            "tags": [{"key": "span.kind", "value": kind}]}

    for row in rows:
        put(row, "child", int(row["startTime"]))
    for row in rows:
        if row["parentId"] not in traces[row["traceId"]]:
            put(row, "parent", min(int(row["traceTime"]), int(row["startTime"])))
    return {"data": [{"spans": list(spans.values())} for spans in traces.values()]}


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.skipif(not DATA.is_file(), reason=f"no traces: {DATA} is absent")
def test_simulated_times_are_those_of_deathstarbench(tmp_path: Path) -> None:
    """The mean of each service within 5 %, p50 and p90 within 10 % of what twenty requests were seen to take: between the neighbours of the quantile."""
    source = file(tmp_path, death_star())
    assert main(["import", "jaeger", source, "-o", str(tmp_path / "dsb.yaml")]) == 0
    found = graph(spans_of([source], "jaeger"))
    spec = load(tmp_path / "dsb.yaml", sets=(*BARE, "run.duration=300s", "run.replications=1"))
    services = run(spec, maximum=False, jobs=1).typed().platforms["bare-metal"].services
    wrong = {}
    for (service, _), operation in found.operations.items():
        seen, latency = sorted(operation.durations), services[service].latency_s
        for name, count, value in (("p50", 10, latency.p50.value), ("p90", 18, latency.p90.value)):
            low, high = seen[count - 1], seen[count]
            error = max(low / (value * 1e9), value * 1e9 / high, 1.0) - 1
            wrong |= {(service, name): error} if error > 0.1 else {}
        mean = sum(seen) / len(seen)
        wrong |= {(service, "mean"): latency.mean.value * 1e9 / mean} if not 0.95 < latency.mean.value * 1e9 / mean < 1.05 else {}
    assert not wrong
