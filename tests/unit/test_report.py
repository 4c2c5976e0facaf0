"""Reports of a hand-made document: every promised figure is there, at any width, in every form."""

import copy
import csv
import io
import json
import math
import os
import stat

import numpy as np
import pytest
from rich.console import Console

from simvirt.errors import UsageError
from simvirt.report import csvtable, figures, jsondoc, markdown, progress, sections, store, text


def estimate(value, relative=0.02):
    return {"value": value, "low": value * (1 - relative), "high": value * (1 + relative)}


def platform(mean, steal=0.0, virtualization=0.0):
    return {
        "requests": 480000,
        "events": 3600000,
        "wall_s": 0.9,
        "warmup_s": 12.0,
        "simulated_s": 600.0,
        "latency_s": {
            "mean": estimate(mean),
            "p50": estimate(mean * 0.7),
            "p90": {},
            "p95": estimate(mean * 3),
            "p99": estimate(mean * 7.6),
        },
        "throughput_per_s": estimate(799.6, 0.002),
        "cpu": {
            "utilisation": estimate(0.41),
            "steal": estimate(steal),
            "throttled": estimate(0.0),
            "virtualization": estimate(virtualization),
        },
        "services": {
            "web": {"latency_s": {"mean": estimate(mean)}, "cpu_cores": estimate(1.7), "nr_throttled": estimate(0.0)},
            "db": {"latency_s": {"mean": estimate(mean / 3)}, "cpu_cores": estimate(1.3), "nr_throttled": estimate(steal * 1e4)},
        },
        "breakdown_s": {"queue": mean * 0.25, "throttled": 0.0, "steal": steal * mean, "cpu": mean * (0.75 - steal)},
        "bottleneck": {"resource": "db.cpu", "utilisation": 0.62, "max_throughput_per_s": 1290.0},
        "objective": {"latency_p99": {"limit": 0.1, "value": mean * 7.6, "met": mean * 7.6 <= 0.1}},
        "checks": {"little": "ok", "flow": "ok", "utilisation_law": "ok"},
    }


def ratio(value):
    return {"latency_mean": {"ratio": value, "low": value - 0.01, "high": value + 0.01}}


@pytest.fixture
def document():
    return {
        "simvirt": {"version": "0.1.0", "schema": 1, "kernel": "compiled"},
        "scenario": {"name": "web-shop", "digest": "1a2b3c4d5e6f"},
        "seed": 1,
        "replications": 5,
        "platforms": {
            "bare-metal": platform(0.0041),
            "docker": platform(0.00414, 0.0, 0.008),
            "kvm": platform(0.00463, 0.012, 0.05),
            "docker-on-kvm": platform(0.0148, 0.021, 0.06),
        },
        "comparison": {"baseline": "bare-metal", "docker": ratio(1.01), "kvm": ratio(1.13), "docker-on-kvm": ratio(3.6)},
        "theory": {"model": "M/M/1", "latency_mean_s": 0.0042, "latency_p95_s": 0.0125, "assumptions": "Poisson arrivals"},
        "warnings": ["docker-on-kvm: offered load is 1.3 x capacity"],
    }


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


def test_estimates_show_their_half_width_in_their_own_unit():
    assert figures.time(estimate(0.0041)) == "4.10 ± 0.08 ms"
    assert figures.time(estimate(0.0041, 0.0001)) == "4.10 ± 0.00 ms"
    assert figures.time({"value": 0.0041, "low": None, "high": None}) == "4.10 ms"
    assert figures.percent(estimate(0.008)) == "0.80 ± 0.02 %"
    assert figures.percent(3e-5) == "< 0.01 %"
    assert figures.rate(1290.0) == "1,290/s"
    assert figures.ratio({"ratio": 1.013, "low": 1.002, "high": 1.024}) == "1.013 ± 0.011"
    assert figures.ratio({"ratio": None, "low": None, "high": None}) == "–"
    assert figures.time(math.nan) == "–"
    assert figures.short_count(533333) == "533 k"


# -- text


def test_text_has_every_promised_figure(document):
    shown = text.text(document, 120)
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
    assert max(len(line) for line in text.text(document, width).splitlines()) <= width


def test_four_platforms_fit_beside_each_other_on_80_columns(document):
    assert text.text(document, 80).count("Latency") == 1


def test_more_platforms_than_fit_follow_below(document):
    document["platforms"] |= {f"more-{i}": platform(0.004) for i in range(6)}
    shown = text.text(document, 80)
    assert shown.count("Latency") == 3
    assert all(f"more-{i}" in shown for i in range(6))


def test_text_has_no_escape_codes_and_no_trailing_blanks(document):
    shown = text.text(document, 80)
    assert "\x1b" not in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_colour_on_a_terminal(document):
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80, no_color=False)
    console.print(text.report(document, 80))
    assert "\x1b[1;31m" in console.file.getvalue()  # the objective that is not met


def test_brackets_in_names_are_text_not_markup(document):
    document["scenario"]["name"] = "[bold]shop[/bold]"
    document["warnings"] = ["[red]web[/red] is [1, 2]"]
    shown = text.text(document, 80)
    assert "[bold]shop[/bold]" in shown
    assert "[red]web[/red] is [1, 2]" in shown


def test_breakdown_leaves_out_what_never_acts_and_shows_shares(document):
    breakdown = next(s for s in sections.sections(document) if s.title == "Breakdown")
    assert [row.label for row in breakdown.rows] == ["queue", "steal", "cpu"]
    assert breakdown.rows[0].cells[0].text == "1.03 ms  25 %"


def test_throttled_periods_show_only_where_there_are_some(document):
    services = next(s for s in sections.sections(document) if s.title == "Services")
    assert [row.label for row in services.rows] == ["web mean", "web cores", "db mean", "db cores", "db throttled"]


def test_rejections_show_only_where_there_are_some(document):
    for p in document["platforms"].values():
        p["rejected"] = p["failed"] = estimate(0.0)
    assert "rejected" not in text.text(document, 80)
    document["platforms"]["kvm"]["rejected"] = estimate(0.03)
    assert "3.00 ± 0.06 %" in text.text(document, 80)
    assert "failed" not in text.text(document, 80)


def test_failed_checks_are_named(document):
    document["platforms"]["kvm"]["checks"]["flow"] = "arrivals 10, departures 9"
    assert "flow: arrivals 10" in text.text(document, 200)


def test_a_bare_document_is_reported_as_far_as_it_goes():
    bare = {
        "scenario": {"name": "x"},
        "platforms": {"docker": {"latency_s": {"mean": {"value": 0.01, "low": None, "high": None}, "p99": {}}}},
    }
    shown = text.text(bare, 80)
    assert "10.0 ms" in shown
    assert "p99" not in shown
    assert "# x" in markdown.markdown(bare)
    assert csvtable.table(bare).startswith("scenario,digest,seed,replications,platform,latency_s.mean.value")


def test_interruption_is_said(document):
    document["interrupted"] = True
    assert "interrupted: only the replications" in text.text(document, 80)


def test_theory_of_a_platform_stands_beside_its_own_simulation(document):
    del document["theory"]
    document["platforms"]["docker"]["theory"] = {"model": "M/D/1", "latency_mean_s": 0.004, "latency_p95_s": None}
    (title, sentence), *rest = sections.theory(document)
    assert (title, rest) == ("M/D/1 on docker", [])
    assert sentence == "mean 4.00 ms, simulated 4.14 ± 0.08 ms (+3.5 %)"


# -- JSON, CSV, Markdown


def test_json_is_one_document_that_round_trips(document):
    assert json.loads(jsondoc.dumps(document)) == document


def test_json_knows_numpy_and_has_no_nan():
    made = {"a": np.float64(1.5), "b": np.int64(3), "c": np.arange(3), "d": math.nan, "e": np.bool_(True), "f": (1, math.inf), 7: None}
    assert json.loads(jsondoc.dumps(made)) == {"a": 1.5, "b": 3, "c": [0, 1, 2], "d": None, "e": True, "f": [1, None], "7": None}


def test_csv_has_a_row_a_platform_with_dotted_columns(document):
    rows = list(csv.DictReader(io.StringIO(csvtable.table(document))))
    assert [row["platform"] for row in rows] == list(document["platforms"])
    assert rows[2]["latency_s.mean.value"] == "0.00463"
    assert rows[2]["comparison.latency_mean.ratio"] == "1.13"
    assert rows[0]["comparison.latency_mean.ratio"] == ""
    assert (rows[0]["objective.latency_p99.met"], rows[3]["objective.latency_p99.met"]) == ("true", "false")


def test_csv_leaves_time_series_out(document):
    document["platforms"]["kvm"]["series"] = {"at_s": [1, 2, 3]}
    assert "series" not in csvtable.table(document)


def test_csv_columns_keep_their_order_whatever_the_platforms(document):
    head = csvtable.table(document).splitlines()[0].split(",")
    assert head[:8] == ["scenario", "digest", "seed", "replications", "platform", "requests", "events", "wall_s"]
    turned = copy.deepcopy(document)
    turned["platforms"] = {"docker": dict(reversed(document["platforms"]["docker"].items()))}
    turned_head = csvtable.table(turned).splitlines()[0].split(",")
    assert turned_head == head


def test_markdown_is_a_table_with_equally_many_cells_a_line(document):
    lines = [line for line in markdown.markdown(document).splitlines() if line.startswith("|")]
    assert {line.count("|") - line.count("\\|") for line in lines} == {6}
    assert "| **Latency** |" in lines[2]
    assert "**112 ms NOT MET**" in markdown.markdown(document)


# -- store


def test_store_writes_whole_files_with_ordinary_rights(tmp_path):
    folder = store.folder_of(tmp_path / "results", "a shop/../x", "0123456789abcdef")
    assert folder.name == "a-shop-..-x-01234567"
    with store.prepared(folder):
        store.save(folder, {"result.json": "{}\n"})
    assert [f.name for f in folder.iterdir()] == ["result.json"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((folder / "result.json").stat().st_mode) == 0o666 & ~umask


def test_store_leaves_no_empty_folder_behind_and_keeps_what_was_there(tmp_path):
    with pytest.raises(KeyboardInterrupt), store.prepared(tmp_path / "results" / "x-1"):
        raise KeyboardInterrupt
    assert not (tmp_path / "results").exists()
    (tmp_path / "results").mkdir()
    with store.prepared(tmp_path / "results" / "x-1"):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "results"]


def test_store_keeps_the_old_file_when_writing_fails(tmp_path, monkeypatch):
    store.save(tmp_path, {"result.json": "old"})
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        store.save(tmp_path, {"result.json": "new"})
    assert (tmp_path / "result.json").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_store_says_where_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write results here: .*--out"), store.prepared(tmp_path / "file" / "x-1"):
        pass


# -- progress


class Event:
    def __init__(self, platform, replication, done_ratio, events=1000, wall_s=0.5):
        self.platform, self.replication, self.done_ratio, self.events, self.wall_s = platform, replication, done_ratio, events, wall_s
        self.replications = 4


def test_progress_sums_replications_of_each_platform():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress.shown(console) as lines:
        for event in (Event("docker", 1, 1.0), Event("docker", 2, 0.5), Event("kvm", 1, 0.25), Event("docker", 1, 1.0)):
            lines(event)
        tasks = {task.description: task for task in lines._progress.tasks}
        assert {name: task.completed for name, task in tasks.items()} == {"docker": 0.375, "kvm": 0.0625}
        assert tasks["docker"].fields == {"replication": "2/4", "speed": "2.00 k events/s"}


def test_no_progress_where_there_is_no_terminal_or_no_wish():
    console = Console(file=io.StringIO())
    with progress.shown(console) as lines:
        assert lines is None
    with progress.shown(Console(file=io.StringIO(), force_terminal=True), wanted=False) as lines:
        assert lines is None
    assert console.file.getvalue() == ""
