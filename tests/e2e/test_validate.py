"""`simvirt validate` from end to end: its forms, what it keeps, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from simvirt.cli.app import main

TABLE = "kvm-vmexit-skx"


def said(capsys: pytest.CaptureFixture[str], tmp_path: Path, *options: str) -> tuple[int, str, str]:
    """Status and outputs of the command for one quick table."""
    status = main(["validate", "--replications", "1", "--out", str(tmp_path), *options])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_json_is_one_document_and_the_same_for_any_number_of_jobs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, err = said(capsys, tmp_path, "--table", TABLE, "--format", "json", "--quiet", "-j", "1")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert [table["id"] for table in document["tables"]] == [TABLE]
    assert "theory" not in document
    _, again, _ = said(capsys, tmp_path, "--table", TABLE, "--format", "json", "--quiet", "-j", "2")
    assert {**json.loads(again), "wall_s": 0} == {**document, "wall_s": 0}


def test_text_names_predictions_and_the_kept_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, err = said(capsys, tmp_path, "--table", TABLE)
    assert status == 0
    assert "vmcall" in out
    assert "Score" in out
    assert "result.json" in err
    assert sorted(path.name for path in (tmp_path / "validate").iterdir()) == ["accuracy.svg", "report.txt", "result.json"]


@pytest.mark.parametrize(("form", "begins"), [("markdown", "# Predictions"), ("csv", "topic,table,use,row,column")])
def test_other_forms(capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str, begins: str) -> None:
    status, out, _ = said(capsys, tmp_path, "--table", TABLE, "--format", form, "--quiet")
    assert status == 0
    assert out.startswith(begins)
    if form == "csv":
        assert {row["row"] for row in csv.DictReader(io.StringIO(out))} >= {"vmcall", "ipi"}


def test_a_topic_has_all_of_its_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, _ = said(capsys, tmp_path, "--topic", "4", "--format", "json", "--quiet")
    assert {table["topic"] for table in json.loads(out)["tables"]} == {4}


def test_a_file_of_tables_has_no_constants_to_leave_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = said(capsys, tmp_path, "--tables", str(tmp_path / "mine.yaml"), "--leave-one-out")
    assert status == 2
    assert "no constant was fitted to tables of a file" in err


def test_linux_rows_are_scored_beside(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "alone-1.csv").write_text("arrives_s,demand_ms,response_ms\n0.1,2.0,2.07\n0.2,2.0,2.07\n")
    row = {"name": "alone", "seed": 1, "cpus": 1, "workers": 1, "demand_mean_ms": 2, "quota_us": None, "period_us": 100000, "shares": 1024, "hogs": [],
           "seconds": 1.0, "steal_s": 0.0, "trace": "alone-1.csv"}
    (tmp_path / "reference.json").write_text(json.dumps({"rows": [row]}))
    status, out, _ = said(capsys, tmp_path, "--table", TABLE, "--linux", str(tmp_path / "reference.json"), "--format", "json", "--quiet")
    assert status == 0
    assert json.loads(out)["linux"]["median_error"] < 1e-9


@pytest.mark.parametrize("options", [["--table", "none-such"], ["--topic", "99"], ["--table", TABLE, "--linux", "none-such.json"], ["--replications", "0"]])
def test_what_does_not_exist_is_wrong_use(capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str]) -> None:
    status, out, err = said(capsys, tmp_path, *options)
    assert status == 2
    assert not out
    assert err
    assert not (tmp_path / "validate").exists()


def test_an_interrupted_validation_says_that_nothing_was_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("simvirt.validation.suite.validate", interrupted)
    assert main(["validate", "--table", "ibm-pxz", "--quiet", "--out", str(tmp_path / "kept")]) == 130
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "interrupted: nothing was kept\n")
    assert list(tmp_path.iterdir()) == []
