"""`simvirt plan`: its forms, its files, what it ends with."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from simvirt import loads
from simvirt.cli.app import main
from simvirt.plan import Plan, plan

SCENARIO = """
simvirt: 1
name: small
host: dell-t340-e-2224
platforms: [docker, bare-metal]
services: {server: {threads: 4, cpus: 1, mem_limit: 1GiB, operations: {job: [{cpu: {exponential: 5ms}}]}}}
workload: {open: {rate: 100/s}, mix: {server.job: 1}}
objective: {latency_p99: 200ms}
plan: {hosts: [dell-t340-e-2224, generic], growth: 20%, peak_to_mean: 1.5, demand: {low: 0.5, high: 2}}
run: {duration: 3s, replications: 2, seed: 1}
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SCENARIO)
    return tmp_path


@pytest.fixture(scope="module")
def whole() -> Plan:
    """Its plan."""
    return plan(loads(SCENARIO, name="small.yaml"))


@pytest.fixture
def planned(small: Path, whole: Plan, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, with a plan that is made once for all forms."""
    monkeypatch.setattr("simvirt.plan.plan", lambda *_, **__: whole)
    return small


def test_text_holds_every_table(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "small.yaml"]) == 0
    printed = capsys.readouterr()
    for title in ("Alternatives", "Headroom and objective", "Mean against peak", "Costs", "Placement of 1", "Hosts of 1 by year", "Regret"):
        assert f"\n{title}" in printed.out
    assert printed.out.count("docker") >= 2
    assert all(line == line.rstrip() and len(line) <= 100 for line in printed.out.splitlines())
    assert "result.json" in printed.err


def test_json_is_one_document_and_is_kept(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "small.yaml", "--format", "json", "--quiet"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.err == ""
    assert [a["rank"] for a in document["alternatives"]] == [1, 2, 3, 4]
    costs = [a["cost"]["year_usd"] for a in document["alternatives"]]
    assert costs == sorted(costs)
    assert document["simulations"] == sum(a["simulations"] for a in document["alternatives"]) > 0
    kept, = (planned / "results").glob("small-plan-*/result.json")
    assert json.loads(kept.read_text())["alternatives"] == document["alternatives"]
    for a in document["alternatives"]:
        assert sum(place["hosts"] for place in a["placement"]) == a["hosts"] >= a["lower_bound"]
        assert sum(place["hosts"] * place["replicas"].get("server", 0) for place in a["placement"]) == a["replicas"]["server"]
        verdicts = [a[state]["objective"]["latency_p99"] for state in ("peak", "lost")]
        assert all(v["value"] <= v["limit"] and v["verdict"] in ("met", "undecided") for v in verdicts)
        unsure = [w for w in document["warnings"] if w.startswith(f"{a['platform']} on {a['host']}: ") and "undecided" in w]
        assert bool(unsure) == any(v["met"] is None for v in verdicts)
        assert a["binding"]["utilisation"] == max(a["peak"]["resources"].values())


def test_csv_has_a_row_an_alternative(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "small.yaml", "--format", "csv", "--quiet"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert {row["host"] for row in rows} == {"dell-t340-e-2224", "generic"}
    assert all(float(row["year_usd"]) > 0 for row in rows)


def test_markdown_has_tables(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "small.yaml", "--format", "markdown", "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# small: plan\n")
    assert "## Alternatives, the cheapest first" in printed
    assert "|---|" in printed


def test_what_cannot_be_is_said_and_asserted(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    impossible = ["plan", "small.yaml", "--quiet", "--set", "services.server.mem_limit=15.9GiB", "--set", "plan.memory_ratio=0.5"]
    assert main([*impossible, "--assert"]) == 1
    assert "does not fit on the host: host.memory" in " ".join(capsys.readouterr().out.split())
    assert main(impossible) == 0


def test_a_plan_without_a_plan(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small / "plain.yaml").write_text("\n".join(line for line in SCENARIO.splitlines() if not line.startswith("plan:")))
    assert main(["plan", "plain.yaml", "--format", "json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [a["host"] for a in document["alternatives"]] == ["dell-t340-e-2224"] * 2
    assert document["alternatives"][0]["hosts"] == 2
    assert "regret" not in document


@pytest.mark.parametrize(("sets", "said"), [
    ("workload={trace: {file: x.csv, at: at_s}}", "trace"), ("plan.survive=200", "fewer than max_hosts"), ("plan.hosts=[dell-t341]", "unknown host"),
    ("plan.site=moon", "unknown site"), ("plan.keep=[sever]", 'did you mean "server"?'), ("plan.growth=-5%", "growth"),
    ("plan.energy_price=0.3", "0.12USD/kWh"), ("plan.demand={low: 2, high: 1}", "more than low"), ("plan.peak=3", "peak_to_mean"),
])
def test_mistakes_end_with_two(small: Path, capsys: pytest.CaptureFixture[str], sets: str, said: str) -> None:
    (small / "x.csv").write_text("at_s\n1\n2\n")
    assert main(["plan", "small.yaml", "--set", sets]) == 2
    assert said in capsys.readouterr().err


def test_an_interrupted_plan_says_that_nothing_was_kept(small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("simvirt.plan.plan", interrupted)
    assert main(["plan", "small.yaml", "--quiet"]) == 130
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "interrupted: nothing was kept\n")
    assert not list((small / "results").glob("*"))
