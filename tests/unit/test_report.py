"""Reports of a hand-made document: every promised figure is there, at any width, in every form."""

import copy
import csv
import io
import json
import math
import re

import numpy as np
import pytest
from helpers.documents import LEDGER, estimate, latency, platform, run_document, service
from rich.console import Console

import simvirt
from simvirt import units
from simvirt.report import as_json, as_text, run_report
from simvirt.report.available import WORDS
from simvirt.report.blocks import Prose
from simvirt.report.formats import rendered
from simvirt.result import figures
from simvirt.result.document import Estimate
from simvirt.result.resilience import GuardUse
from simvirt.result.messages import SubscriptionUse
from simvirt.result.run_document import PlatformResult, Ratio, RunDocument, Series


def ratio(value):
    return {key: {"ratio": value, "low": value - 0.01, "high": value + 0.01} for key in ("latency_mean", "latency_p99", "throughput")}


@pytest.fixture
def document():
    platforms = {
        "bare-metal": platform(0.0041), "docker": platform(0.00414, 0.0, 0.008), "kvm": platform(0.00463, 0.012, 0.05),
        "docker-on-kvm": platform(0.0148, 0.021, 0.06),
    }
    theory = {"model": "M/M/1", "latency_mean_s": 0.0042, "latency_p95_s": 0.0125, "assumptions": "Poisson arrivals"}
    return run_document(**platforms) | {
        "comparison": {"baseline": "bare-metal", "docker": ratio(1.01), "kvm": ratio(1.13), "docker-on-kvm": ratio(3.6)},
        "theory": theory | {"utilisation": 0.4, "throughput_per_s": 800.0, "platform": "bare-metal"},
        "warnings": ["docker-on-kvm: offered load is 1.3 x capacity"],
    }


def reported(document):
    return run_report.report(RunDocument.model_validate(document))


def text(document, width):
    return rendered(reported(document), "text", width)


def markdown(document):
    return rendered(reported(document), "markdown")


def csv_of(document):
    return rendered(reported(document), "csv")


def rows_of(document, title):
    """The rows of a section."""
    return dict(run_report.sections(RunDocument.model_validate(document)))[title]


# -- figures


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0041, "4.10 ms"),
        (0, "0"),
        (None, "–"),
        (3.2e-5, "32.0 us"),
        (5e-8, "50.0 ns"),
        (90, "90.0 s"),
        (600, "10.0 min"),
        (0.99999, "1.00 s"),
    ],
)
def test_time(seconds, shown):
    assert figures.time(seconds) == shown


def around(value, relative=0.02):
    return Estimate(value, value * (1 - relative), value * (1 + relative))


def test_estimates_show_their_half_width_in_their_own_unit():
    assert figures.time(around(0.0041)) == "4.10 ± 0.08 ms"
    assert figures.time(around(0.0041, 0.0001)) == "4.10 ± 0.00 ms"
    assert figures.time(Estimate(0.0041)) == "4.10 ms"
    assert figures.percent(around(0.008)) == "0.80 ± 0.02 %"
    assert figures.percent(3e-5) == "< 0.01 %"
    assert figures.rate(1290.0) == "1,290/s"
    assert figures.ratio(Ratio(ratio=1.013, low=1.002, high=1.024)) == "1.013 ± 0.011"
    assert figures.ratio(Ratio(ratio=None, low=None, high=None)) == "–"
    assert figures.time(math.nan) == "–"
    assert figures.short_count(533333) == "533 k"


# -- text


def test_text_has_every_promised_figure(document):
    shown = text(document, 120)
    for part in (
        "web-shop",
        "seed 1, 5 replications, scenario 1a2b3c4d, simvirt 0.1.0 (compiled)",
        "4.10 ± 0.08 ms",
        "799.6 ± 1.6/s",
        "41.0 ± 0.8 %",
        "db.cpu",
        "1,290/s",
        "p99 ≤ 100 ms",
        "31.2 ms met",
        "112 ms NOT MET",
        "1.130 ± 0.010",
        "12.0 s",
        "480,000",
        "533 k req/s",
        "3 ok",
        "warning: docker-on-kvm: offered load is 1.3 x capacity",
        "Theory: M/M/1 on bare-metal",
        "mean 4.20 ms, simulated 4.10 ± 0.08 ms (-2.4 %)",
    ):
        assert part in shown, part
    for label in (
        "mean",
        "p50",
        "p95",
        "p99",
        "throughput",
        "utilisation",
        "steal",
        "throttled",
        "virtualization",
        "queue",
        "cpu",
        "max throughput",
    ):
        assert f"\n  {label} " in shown, label


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_text_stays_inside_its_width(document, width):
    assert max(len(line) for line in text(document, width).splitlines()) <= width


def test_four_platforms_fit_beside_each_other_on_80_columns(document):
    assert text(document, 80).count("Latency") == 1


def test_more_platforms_than_fit_follow_below(document):
    document["platforms"] |= {f"more-{i}": platform(0.004) for i in range(6)}
    shown = text(document, 80)
    assert shown.count("Latency") == 3
    assert all(f"more-{i}" in shown for i in range(6))


def test_text_has_no_escape_codes_and_no_trailing_blanks(document):
    shown = text(document, 80)
    assert "\x1b" not in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_colour_on_a_terminal(document):
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80, no_color=False)
    console.print(as_text.laid_out(reported(document), 80))
    assert "\x1b[1;31m" in console.file.getvalue()  # the objective that is not met


def test_brackets_in_names_are_text_not_markup(document):
    document["scenario"]["name"] = "[bold]shop[/bold]"
    document["warnings"] = ["[red]web[/red] is [1, 2]"]
    shown = text(document, 80)
    assert "[bold]shop[/bold]" in shown
    assert "[red]web[/red] is [1, 2]" in shown


def test_breakdown_leaves_out_what_never_acts_and_shows_shares(document):
    rows = rows_of(document, "Breakdown")
    assert [row.label for row in rows] == ["queue", "steal", "cpu"]
    assert rows[0].cells[0].text == "1.03 ms  25 %"


def test_throttled_periods_show_only_where_there_are_some(document):
    assert [row.label for row in rows_of(document, "Services")] == ["web mean", "web cores", "db mean", "db cores", "db throttled"]


def test_costop_shows_where_a_platform_has_it(document):
    assert "costop" not in text(document, 120) + markdown(document)
    document["platforms"]["kvm"]["cpu"]["costop"] = estimate(0.048)
    assert "costop" in text(document, 120)
    assert "| costop | – | – | 4.80 ± 0.10 % | – |" in markdown(document)


TWO_VMS = """
simvirt: 1
name: two-vms
host: {cores: 2, memory: 16GiB, scheduler: esxi}
platforms: [kvm]
services: {server: {deploy: {replicas: 2}, threads: 4, cpus: 2, mem_limit: 1GiB, operations: {job: [{cpu: {exponential: 5ms}}]}}}
workload: {open: {rate: 250/s}, mix: {server.job: 1}}
run: {duration: 2s, replications: 2, seed: 1}
"""


def test_costop_of_vms_with_two_vcpus_is_reported(tmp_path):
    (tmp_path / "two-vms.yaml").write_text(TWO_VMS)
    found = run_report.report(simvirt.run(simvirt.load(tmp_path / "two-vms.yaml")).typed())
    assert found.document.platforms["kvm"].cpu.costop.value > 0
    assert "\n  costop " in rendered(found, "text")
    assert "\n| costop | " in rendered(found, "markdown")


def test_text_shows_every_key_of_a_platform_or_leaves_it_out_on_purpose(document):
    """Each key is told by the rows that it moves, or stands among those that only JSON and CSV have."""
    shown = text(document, 200)
    operation = {"requests": 400, "throughput_per_s": estimate(40.0), "latency_s": latency(0.003)}
    changes = {
        "requests": 1234, "wall_s": 0.5, "warmup_s": 13.5, "simulated_s": 777.0, "latency_s": latency(0.005), "throughput_per_s": estimate(5.0),
        "rejected": estimate(0.1), "failed": estimate(0.1), "cpu": document["platforms"]["kvm"]["cpu"],
        "services": {"web": service(9.0, 1.0), "db": service(1.0, 1.0)}, "breakdown_s": document["platforms"]["kvm"]["breakdown_s"],
        "bottleneck": document["platforms"]["kvm"]["bottleneck"] | {"resource": "web.threads"}, "objective": {}, "operations": {"web.a": operation, "web.b": operation},
        "memory": document["platforms"]["kvm"]["memory"] | {"parts": {"vm": 1}, "ledger": {f"{name}_bytes": 1 for name in LEDGER}},
        "checks": {"little": "wrong", "flow": "ok", "utilisation_law": "ok"},
        "workloads": {"ping": {
            **operation, "rejected": estimate(0.0), "failed": estimate(0.0), "operations": {},
            "breakdown_s": document["platforms"]["kvm"]["breakdown_s"],
        }},
        "hosts": {"node[0]": {"cpu": 0.1, "disk": 0.2, "nic": 0.3, "memory": 0.4}}, "links": {"a > b": 0.5},
        "lifecycle": {"started": 2.0, "ready": 2.0, "readiness_s": dict.fromkeys(("first", "p50", "p90", "p99", "last"), estimate(1.0)), "services": {}, "phases": []},
        "scaling": {"services": {"web": {
            **dict.fromkeys(("wanted", "ready", "serving", "most", "short_s", "grown", "ready_after_s", "seen_s"), estimate(2.0)), "course": [],
            "changes": [{"at_s": 1.0, "before": 1, "after": 2, "why": "timeline"}],
        }}},
        "happened": {
            "events": [{"at_s": 1.0, "what": "ready", "who": "web-0", "where": "node[0]"}], "told": 1,
            **dict.fromkeys(("started", "running"), estimate(2.0)), "ended": {"stopped": estimate(1.0)}, "placement": {"web": {"node[0]": 2}},
        },
        "availability": {
            "limit_s": None, "interval_s": 1.0, "strip": [1.0, 0.5], "failures": 1.0, "outages": [], "causes": dict.fromkeys(WORDS, estimate(0.1)),
            **dict.fromkeys(("answered", "downtime_s", "worst"), estimate(0.9)),
            "services": {"web": dict.fromkeys(("answered", "ready"), estimate(0.9))},
        },
        "resilience": {"failed": {"timed_out": 0.1}, "workloads": {}, "guards": {"web > db": dict.fromkeys(GuardUse.model_fields, 0.5)}},
        "machines": {
            "pools": {"node": {"course": [], **dict.fromkeys(("asked", "up", "most", "host_hours", "cost_usd", "added", "removed", "up_after_s"), estimate(2.0))}},
            "waiting": {"web": estimate(1.0)}, "waiting_s": {"web": estimate(1.0)},
        },
        "messages": {"orders > web.a": {
            "latency_s": document["platforms"]["kvm"]["latency_s"],
            **dict.fromkeys(SubscriptionUse.model_fields.keys() - {"latency_s"}, estimate(2.0)),
        }},
        "migrations": [{
            "service": "web", "replica": 0, "source": "node[0]", "to": "node[1]", "how": "pre-copy", "asked_s": 1.0, "ended": 1, "why": "", "copied": [],
            **dict.fromkeys(("total_s", "waited_s", "downtime_s"), estimate(0.5)),
            **dict.fromkeys(("rounds", "memory_bytes", "sent_bytes", "disk_bytes", "throttled_s", "logging_s", "faults"), 1.0),
        }],
    }
    left_out = {"replications", "events", "limits", "devices", "series", "overload", "latency_histogram", "layout", "by_replication"}
    assert set(changes) | left_out == set(PlatformResult.model_fields) and not set(changes) & left_out
    for key, value in changes.items():
        changed = copy.deepcopy(document)
        for name in changed["platforms"] if key == "workloads" else ("docker",):
            changed["platforms"][name][key] = value
        assert text(changed, 200) != shown, key


def test_rejections_show_only_where_there_are_some(document):
    for p in document["platforms"].values():
        p["rejected"] = p["failed"] = estimate(0.0)
    assert "rejected" not in text(document, 80)
    document["platforms"]["kvm"]["rejected"] = estimate(0.03)
    assert "3.00 ± 0.06 %" in text(document, 80)
    assert "failed" not in text(document, 80)


def test_a_maximum_throughput_is_a_value_or_a_range_with_the_reason(document):
    known, *others = document["platforms"].values()
    for p in others:
        p["bottleneck"] |= {"max_throughput_per_s": None, "reason": "a reason"}
    others[0]["bottleneck"] |= {"max_throughput_low_per_s": 230.0, "max_throughput_high_per_s": 250.0}
    others[1]["bottleneck"] |= {"max_throughput_low_per_s": 170.0}
    others[2]["bottleneck"] |= {"max_throughput_high_per_s": 120.0}
    known["bottleneck"] |= {"max_throughput_per_s": 330.0, "max_throughput_low_per_s": 325.0, "max_throughput_high_per_s": 335.0}
    assert "| max throughput | 330.0/s | 230.0/s to 250.0/s | above 170.0/s | below 120.0/s |" in markdown(document)
    assert "| why no value | – | a reason | a reason | a reason |" in re.sub(r"(&nbsp;)+|  +", " ", markdown(document))
    known["bottleneck"] |= {"max_throughput_per_s": None}
    assert "325.0/s to 335.0/s" in text(document, 200)


def test_failed_checks_are_named(document):
    document["platforms"]["kvm"]["checks"]["flow"] = "arrivals 10, departures 9"
    assert "flow: arrivals 10" in text(document, 200)


def test_interruption_is_said(document):
    document["interrupted"] = True
    assert "interrupted: only the replications" in text(document, 80)


def test_theory_stands_beside_the_simulation_of_its_platform(document):
    document["theory"] |= {"platform": "docker", "model": "M/D/1", "latency_mean_s": 0.004, "latency_p95_s": None}
    (found,) = (block for block in reported(document).blocks if isinstance(block, Prose))
    assert found.label == "Theory: M/D/1 on docker"
    assert found.text == "mean 4.00 ms, simulated 4.14 ± 0.08 ms (+3.5 %). Holds for: Poisson arrivals"


# -- JSON, CSV, Markdown


def test_json_is_one_document_that_round_trips(document):
    assert json.loads(as_json.dumps(document)) == document


def test_json_knows_numpy_and_has_no_nan():
    made = {"a": np.float64(1.5), "b": np.int64(3), "c": np.arange(3), "d": math.nan, "e": np.bool_(True), "f": (1, math.inf), 7: None}
    assert json.loads(as_json.dumps(made)) == {"a": 1.5, "b": 3, "c": [0, 1, 2], "d": None, "e": True, "f": [1, None], "7": None}


def test_csv_has_a_row_a_platform_with_dotted_columns(document):
    rows = list(csv.DictReader(io.StringIO(csv_of(document))))
    assert [row["platform"] for row in rows] == list(document["platforms"])
    assert rows[2]["latency_s.mean.value"] == "0.00463"
    assert rows[2]["comparison.latency_mean.ratio"] == "1.13"
    assert rows[0]["comparison.latency_mean.ratio"] == ""
    assert (rows[0]["objective.latency_p99.met"], rows[3]["objective.latency_p99.met"]) == ("true", "false")


def test_csv_leaves_time_series_out(document):
    document["platforms"]["kvm"]["series"] = {key: {"orders > billing.charge": [1, 2, 3]} if key == "messages" else [1, 2, 3] for key in Series.model_fields}
    assert "series" not in csv_of(document)


def test_csv_columns_keep_their_order_whatever_the_platforms(document):
    head = csv_of(document).splitlines()[0].split(",")
    assert head[:8] == ["scenario", "digest", "seed", "replications", "platform", "requests", "events", "wall_s"]
    turned = copy.deepcopy(document)
    turned["platforms"] = {"docker": dict(reversed(document["platforms"]["docker"].items()))}
    turned_head = csv_of(turned).splitlines()[0].split(",")
    assert turned_head == head


def test_markdown_is_a_table_with_equally_many_cells_a_line(document):
    lines = [line for line in markdown(document).splitlines() if line.startswith("|")]
    assert {line.count("|") - line.count("\\|") for line in lines} == {6}
    assert "| **Latency** |" in lines[2]
    assert "**112 ms NOT MET**" in markdown(document)


@pytest.mark.parametrize(
    ("per_s", "shown"),
    [(0, "0/s"), (799.6, "799.6/s"), (1.0, "1.000/s"), (0.5, "30.00/min"), (1 / 60, "1.000/min"), (0.01652, "59.47/h"), (2e-5, "1.728/d")],
)
def test_rates_below_one_a_second_are_read_in_longer_units(per_s, shown):
    assert figures.rate(per_s) == shown
    if per_s:
        unit = shown.lstrip("0123456789.")
        assert units.format_rate(per_s).endswith(unit)
        assert units.parse_rate(units.format_rate(per_s)) == pytest.approx(per_s, rel=0.005)
        assert figures.rate(around(per_s)).endswith(unit)


def test_operations_have_their_rate_mean_and_the_tails_that_the_objective_limits(document):
    slow = {"requests": 4000, "throughput_per_s": estimate(80.0), "latency_s": latency(0.02)}
    quick = {"requests": 40, "throughput_per_s": estimate(0.5), "latency_s": latency(0.002)}
    for found in document["platforms"].values():
        found["operations"] = {"web.POST /order": slow, "web.GET /": quick}
    rows = {row.label: row.cells[0] for row in rows_of(document, "Operations")}
    assert list(rows) == ["web.POST /order", "  mean", "  p99", "web.GET /"]
    labels = [(row.label, row.cells[0].text, row.cells[0].tone) for row in rows_of(document, "Operations")]
    assert labels == [
        ("web.POST /order", "80.00/s", ""), ("  mean", "20.0 ms", ""), ("  p99", "152 ms", "off"),
        ("web.GET /", "30.00/min", ""), ("  mean", "2.00 ms", ""), ("  p99", "15.2 ms", ""),
    ]
    for found in document["platforms"].values():
        found["operations"].pop("web.GET /")
    assert "Operations" not in dict(run_report.sections(RunDocument.model_validate(document)))


def test_rates_beside_each_other_have_one_unit_where_they_are_near() -> None:
    """A maximum of 1.67 a minute beside 59 an hour is 100 an hour; one of 222 a second beside 3 a minute has its own unit."""
    assert figures.rate(1.67 / 60, beside=59.19 / 3600) == "100.2/h"
    assert figures.rate(222.3, beside=3 / 60) == "222.3/s"
    assert figures.rate(8 / 60, beside=80.0) == "8.000/min"
    assert figures.rate(99.0, beside=None) == "99.00/s"
