"""The sources hold what belongs there: readable texts, sourced numbers, and nothing about the place where they were written."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.collecting import hold_all

from simvirt.scenario.reading.reader import read

ROOT = Path(__file__).resolve().parents[1]
SELF = Path(__file__).resolve()
FOLDERS = ("simvirt", "tests", "docs", "configs", "experiments", "benchmarks", ".ci")
TEXTS = {".py", ".md", ".yaml", ".toml", ".in", ".csv", ".json", ""}
REGISTRIES = ("pypi" + ".org", "pythonhosted", "docker" + ".io", "ghcr" + ".io", "quay" + ".io", "gcr" + ".io", "npmjs", "huggingface")
ABSOLUTE = re.compile(r"(?<![\w.~/}\])*-])/(?:home|root|work|tmp|usr/local|opt|mnt|Users|var/tmp)/[\w.-]+")
PLACES = re.compile(r"\b(?:claude|chatgpt|copilot|anthropic|openai|LLM|language model|AI assistant|this session|sub-?agent|TODO|FIXME|XXX)\b", re.IGNORECASE)
MAX_LINES = 400


def sources() -> list[Path]:
    """All text files of the project."""
    found = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted(path for path in found if path.suffix in TEXTS)


SOURCES = sources()
CODE = [path for path in SOURCES if path.suffix == ".py"]
DATA = sorted((ROOT / "simvirt" / "catalog" / "data").glob("*.yaml"))


def test_there_is_something_to_read() -> None:
    assert len(CODE) > 200 and len(SOURCES) > len(CODE) and len(DATA) > 10


def test_texts_are_clean() -> None:
    hold_all(is_clean, SOURCES)


def is_clean(path: Path) -> None:
    """Unix lines without tabs."""
    text = path.read_text(encoding="utf-8")
    assert "\r" not in text
    assert "\t" not in text or path.suffix == ".csv"
    assert not text or text.endswith("\n")


def test_nothing_about_the_place_where_it_was_written() -> None:
    hold_all(names_no_place, [path for path in SOURCES if path != SELF and path.name != "LICENSE"])


def names_no_place(path: Path) -> None:
    """No registry, no absolute path, no word about how it was written."""
    text = path.read_text(encoding="utf-8")
    assert not [host for host in REGISTRIES if host in text]
    assert not ABSOLUTE.findall(text)
    assert not PLACES.findall(text)


def test_files_are_short_and_say_what_they_are() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in CODE}
    assert not [path for path, text in texts.items() if len(text.splitlines()) > MAX_LINES]
    assert not [path for path, text in texts.items() if text and not text.startswith('"""')]


def test_what_tests_read_is_in_the_source_distribution() -> None:
    """Its tests, unpacked, find the folders that they read."""
    read_from = re.compile(r"""(?:ROOT|parents\[\d\])(?: / |\.glob\()["']([\w.]+)""")
    read_by_tests = {name for path in CODE if "tests" in path.parts for name in read_from.findall(path.read_text(encoding="utf-8"))}
    folders = {name for name in read_by_tests if (ROOT / name).is_dir()} - {".git"}
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()]
    packaged = {"simvirt"} | {line[1] for line in lines if line[0] in ("graft", "recursive-include")}
    assert {".ci", "configs", "docs", "experiments"} <= folders
    assert folders <= packaged


def constants(data: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All constants of a catalogue file with their paths."""
    if isinstance(data, dict):
        if "value" in data:
            yield where, data
        else:
            for key, value in data.items():
                yield from constants(value, f"{where}.{key}")
    elif isinstance(data, list):
        for row, value in enumerate(data):
            yield from constants(value, f"{where}[{row}]")


def test_every_number_and_every_entry_of_the_catalogue_has_a_source() -> None:
    hold_all(is_sourced, DATA)


def is_sourced(path: Path) -> None:
    """Numbers, and entries but for those that take all from another, say where they come from."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert not [where for where, constant in constants(data) if len(str(constant.get("source", ""))) < 10]
    kinds = {kind: entries for kind, entries in data.items() if not kind.startswith("x-")}
    assert not [f"{kind}.{name}" for kind, entries in kinds.items() for name, entry in entries.items() if not ("source" in entry or "like" in entry)]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not in a repository")
def test_nothing_large_or_built_is_kept() -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    files = [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    assert not [path for path in files if path.suffix in {".so", ".pyd", ".pyc", ".c"}]
    assert not [path for path in files if path.stat().st_size > 1_000_000]


def test_data_can_be_read_as_strictly_as_scenarios() -> None:
    """No key twice, of which one would win without a word."""
    hold_all(reads_strictly, [*DATA, *sorted((ROOT / "simvirt" / "validation" / "data").glob("*.yaml"))])


def reads_strictly(path: Path) -> None:
    """The scenarios' reader has nothing to say against it."""
    tree, issues = read(path.read_text(encoding="utf-8"), path.name)
    assert tree is not None
    assert not issues
