"""`simvirt validate --tables FILE`: tables of a file are predicted as the shipped ones are; mistakes in it are all reported, with lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simvirt import validate
from simvirt.cli.app import main
from simvirt.validation import predict
from simvirt.validation.facts import Table
from simvirt.validation.predict import Conditions, Predicted

MINE = """
title: round trips of our own
x-op: &op
  host: {model: dell-r740-gold-6132}
  services: {app: {cpus: 1, mem_limit: 1GiB, threads: 1, operations: {op: [{cpu: 10us}]}}}
  workload: {closed: {clients: 1}, local: true}
  run: {requests: 200}
tables:
  - &first
    id: mine
    title: time of a job
    source: measured by us
    found: table
    setup: one thread
    use: validate
    unit: us
    better: lower
    scenario: *op
    measure: {of: period, times: 1e6}
    columns: {native: bare-metal, kvm: kvm}
    rows: {job: {values: {native: 10, kvm: [9, 12]}}}
  - {<<: *first, id: other, measure: {of: latency_p50, operation: none-such}}
"""


def told(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    """Status and outputs of the command for a file of tables."""
    (tmp_path / "mine.yaml").write_text(text)
    status = main(["validate", "--tables", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "kept"), "--quiet", *options])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_tables_of_a_file_are_scored_and_one_that_fails_loses_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = told(tmp_path, MINE, capsys, "--format", "json")
    first, other = json.loads(out)["tables"]
    assert (status, err) == (0, "")
    assert {cell["column"]: abs(cell["error"]) < 0.15 for cell in first["cells"]} == {"native": True, "kvm": True}
    assert {cell["failure"] for cell in other["cells"]} == {"the run has no operation none-such; it has app.op"}
    assert [topic["title"] for topic in json.loads(out)["topics"]] == ["round trips of our own"]
    assert "theory" not in json.loads(out)


def test_the_library_reads_the_same_file_and_a_table_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    assert [table.id for table in validate(tables=["other"], file=tmp_path / "mine.yaml").tables] == ["other"]


def test_whatever_ends_a_table_fails_its_cells_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(table: Table, conditions: Conditions) -> dict[tuple[str, str], Predicted]:
        if table.id == "other":
            raise KeyError("unforeseen")
        return {("job", "native"): Predicted(10.0), ("job", "kvm"): Predicted(10.0)}

    monkeypatch.setattr(predict, "predict", broken)
    (tmp_path / "mine.yaml").write_text(MINE)
    found = validate(file=tmp_path / "mine.yaml").tables
    assert [[cell.failure for cell in table.cells] for table in found] == [["", ""], ["internal error: KeyError: 'unforeseen'"] * 2]


@pytest.mark.parametrize(("old", "new", "line", "message"), [
    ("title: round", "titel: round", 2, 'titel: unknown key; did you mean "title"?'),
    ("unit: us", "units: us", 16, 'tables.0.units: unknown key; did you mean "unit"?'),
    ("found: table", "found: tabel", 13, 'did you mean "table"?, for example found: table'),
    ("measure: {of: period,", "measure: {off: period,", 19, "tables.0.measure.of: missing; expected a value, for example of: latency_p50"),
    ("native: 10,", "native: -10,", 21, "expected a number of more than 0.0, for example {native: 100, kvm: [110, 130]}; got -10"),
    ("[9, 12]", "[12, 9]", 21, "expected the lower end first, for example [9, 12]; got [12, 9]"),
    ("[9, 12]", "many", 21, 'expected a number, for example {native: 100, kvm: [110, 130]}; got "many"'),
    ("kvm: [9, 12]", "xen: 3", 21, "no such columns: ['xen']"),
    ("threads: 1", "thraeds: 1", 5, 'unknown key; did you mean "threads"?'),
    ("kvm: kvm", "kvm: kwm", 20, 'unknown platform "kwm"'),
    ("{values: {native", "{set: {services.app.cpus: many}, values: {native", 21, "expected a number above 0"),
    ("id: other", "id: mine", 22, "there is a table mine above"),
    ("tables:", "tables: [", 9, "not YAML"),
])
def test_mistakes_are_told_with_line_and_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, line: int, message: str
) -> None:
    status, out, err = told(tmp_path, MINE.replace(old, new, 1), capsys)
    assert (status, out) == (2, "")
    assert message in err
    assert f"mine.yaml:{line}:" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("text", ["", "3", "[1, 2]", "title: x", "{title: x, tables: []}", "{title: x, tables: 3}", "{title: x, tables: [3]}", "\0"])
def test_what_holds_no_tables_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    status, out, err = told(tmp_path, text, capsys)
    assert (status, out) == (2, "")
    assert "mine.yaml" in err
    assert "expected" in err


def test_all_mistakes_come_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = told(tmp_path, MINE.replace("unit: us", "units: us").replace("native: 10,", "native: 0,"), capsys)
    assert "unknown key" in err
    assert "more than 0" in err


def test_a_file_that_is_missing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--tables", str(tmp_path / "none.yaml"), "--out", str(tmp_path)]) == 2
    assert "no such file" in capsys.readouterr().err
