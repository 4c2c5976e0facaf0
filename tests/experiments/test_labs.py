"""Every lab of the course: its parts are there, its sweep gives its table, its commands can be run as written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from helpers.labs import FOLDER, LABS, make
from typer.testing import CliRunner

import simvirt
from simvirt import kernel
from simvirt.charts import svg
from simvirt.cli.app import app

PARTS = ["Question", "Background", "Predict first", "Steps", "How to check", "What to try"]
FILES = ("README.md", "scenario.yaml", "sweep.yaml", "expected.csv", "figure.json", "figure.svg")
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SET = re.compile(r"`([^`]*--set [^`]*)`")
by_lab = pytest.mark.parametrize("lab", LABS, ids=lambda path: path.name)


def text_of(lab: Path) -> str:
    return (lab / "README.md").read_text(encoding="utf-8")


def test_the_labs_have_numbers_in_a_row_and_are_listed_in_their_order() -> None:
    assert [int(lab.name[:2]) for lab in LABS] == list(range(1, len(LABS) + 1))
    listed = re.findall(r"\]\((\d\d-[\w-]+)/README\.md\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert listed == [lab.name for lab in LABS]


@by_lab
def test_a_lab_has_all_its_parts(lab: Path) -> None:
    assert not [name for name in FILES if not (lab / name).exists()]
    assert re.findall(r"^## (.*)$", text_of(lab), re.MULTILINE) == PARTS
    assert text_of(lab).startswith(f"# {int(lab.name[:2])}. ")
    assert re.search(r"^\$\$ ", text_of(lab), re.MULTILINE)
    assert f"--check {lab.name[:2]}" in text_of(lab)


def commands(lab: Path) -> Iterator[list[str]]:
    """The words of each command in the blocks of a lab's text."""
    for block in BLOCK.findall(text_of(lab)):
        for line in block.splitlines():
            words = shlex.split(line.strip())
            assert words[0] in ("simvirt", "python"), line
            if words[0] == "simvirt":
                yield words[1:]


def options(words: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(words) if option == name]


@by_lab
def test_its_commands_are_about_files_that_load(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER.parent)
    written = list(commands(lab))
    assert ["sweep", f"experiments/{lab.name}/sweep.yaml", "--fresh"] in written
    for words in written:
        if words[0] == "sweep":
            simvirt.sweep.load(words[1], options(words, "--vary"), options(words, "--set"))
        elif words[0] in ("run", "check", "density", "plan", "knee"):
            simvirt.load(words[1], sets=options(words, "--set"))


@by_lab
def test_what_it_proposes_to_set_can_be_set(lab: Path) -> None:
    """Each `--set` in a line of the text, alone or with the others of its code, changes the lab's scenario."""
    plain = simvirt.load(lab / "scenario.yaml").digest
    for code in SET.findall(BLOCK.sub("", text_of(lab))):
        assert simvirt.load(lab / "scenario.yaml", sets=options(shlex.split(code), "--set")).digest != plain, code


@by_lab
def test_its_table_has_a_row_for_each_cell_and_platform(lab: Path) -> None:
    asked = simvirt.sweep.load(lab / "sweep.yaml")
    rows = make.rows_of((lab / "expected.csv").read_text(encoding="utf-8"))
    assert len(rows) % asked.cells == 0
    assert asked.cells <= len(rows) <= 100
    assert all(axis.name.rpartition(".")[2] in rows[0] for axis in asked.axes if len(axis.columns) == 1)


@pytest.mark.slow
@pytest.mark.skipif(kernel.MODE == "plain", reason="takes minutes without the compiled kernel")
@by_lab
def test_its_sweep_gives_its_table(lab: Path, update_golden: bool) -> None:
    made = make.table(lab)
    if update_golden:
        (lab / "expected.csv").write_text(made, encoding="utf-8")
    assert not list(make.differences(lab, made))


@by_lab
def test_its_figure_is_drawn_from_its_table(lab: Path, update_golden: bool) -> None:
    """By the same version of what draws it the same to the byte."""
    pytest.importorskip("vl_convert")
    drawn = svg(make.specification(lab))
    if update_golden:
        (lab / "figure.svg").write_text(drawn, encoding="utf-8")
    assert drawn == (lab / "figure.svg").read_text(encoding="utf-8")


def test_there_are_answers_to_each_lab() -> None:
    text = (FOLDER / "instructor.md").read_text(encoding="utf-8")
    assert [int(number) for number in re.findall(r"^## (\d+)\. ", text, re.MULTILINE)] == list(range(1, len(LABS) + 1))
    assert text.count("**Predictions.**") == text.count("**To try.**") == len(LABS)


@pytest.mark.verification
@by_lab
def test_its_commands_run_as_written(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER.parent)
    for words in commands(lab):
        out = [] if words[0] in ("explain", "list", "check", "schema") else ["--quiet", "--out", str(tmp_path)]
        done = CliRunner().invoke(app, [*words, *out])
        assert done.exit_code == 0, (words, done.output)
