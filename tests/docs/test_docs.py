"""Whatever the documentation shows works: its YAML loads, its Python runs, its commands print what it says, its links lead somewhere."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml

import simvirt
from simvirt import kernel
from simvirt.cli.app import app
from simvirt.importers.importing import imported
from simvirt.validation.rules.cases import read_cases
from simvirt.validation.rules.judge import judge
from simvirt.validation.tables_file import read_tables
from simvirt.result.schema import DOCUMENTS, result_schema

ROOT = Path(__file__).resolve().parents[2]


def module(path: Path) -> ModuleType:
    """A script of the documentation as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


docs = module(ROOT / "docs" / "reprint.py")
PAGES = [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in docs.pages()]
COMMAND = Path(sys.executable).parent / "simvirt"
BASE = yaml.safe_load((ROOT / "configs" / "mm1.yaml").read_text())
TEST_NAME = re.compile(r"`(tests/[\w/.:-]+)`")
SAID = re.compile(r"`simvirt ([a-z]+)((?:[^`\n]|\n(?!\n))*)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def pages_with(*languages: str) -> list[object]:
    """The pages that have a block in one of the languages."""
    return [p for p in PAGES if any(b.language in languages for b in docs.blocks(p.values[0].read_text()))]


def whole(text: str) -> str:
    """A scenario from a block: the block itself, or a fragment laid over the M/M/1 scenario."""
    data = yaml.safe_load(text)
    if "simvirt" in data:
        return text
    merged = BASE | data
    if "workloads" in data:
        del merged["workload"]
    if "hosts" in data:
        del merged["host"]
    if "services" in data and not data.keys() & {"workload", "workloads"}:
        name, service = next(iter(data["services"].items()))
        operation = next(iter(service.get("operations", {"none": 0})))
        merged["workload"] = {"open": {"rate": "1/s"}, "mix": {f"{name}.{operation}": 1}}
    return yaml.safe_dump(merged, sort_keys=False)


@pytest.mark.parametrize("path", pages_with("yaml"))
def test_yaml_blocks_load(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in docs.blocks(path.read_text()):
        docs.keep_file(block, tmp_path)
        if block.language == "yaml" and "wrong" not in block.options:
            loads_as_what_it_is(block.text, tmp_path)


def loads_as_what_it_is(text: str, folder: Path) -> None:
    """A scenario or a part of one, a Compose file, a sweep over one, tables of measurements, or cases of rules, which hold."""
    content = yaml.safe_load(text)
    if text.startswith("# compose.yaml"):
        simvirt.loads(imported("compose", [str(folder / "compose.yaml")], ordered=False).text)
        return
    if ("axes" in content or "include" in content) and not (folder / "configs").exists():
        docs.workplace(folder)
    if isinstance(content, list):
        (folder / "cases.yaml").write_text(text, encoding="utf-8")
        assert {case.verdict for case in judge(read_cases(folder / "cases.yaml"), "cases.yaml").cases} == {"same"}
    elif "axes" in content:
        (folder / "sweep.yaml").write_text(text, encoding="utf-8")
        assert simvirt.sweep.load(folder / "sweep.yaml").cells
    elif "tables" in content:
        (folder / "tables.yaml").write_text(text, encoding="utf-8")
        assert read_tables(folder / "tables.yaml").tables
    else:
        simvirt.loads(whole(text))


@pytest.mark.parametrize("path", pages_with("python"))
def test_python_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs.workplace(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in docs.blocks(path.read_text()):
        docs.keep_file(block, tmp_path)
        if block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block.text, str(path), "exec"), names)


def shape(text: str) -> list[str]:
    """The words of an output: what stands where its numbers, units and rules stand does not matter."""
    words = (re.sub(r"[\d.,±%─]+|\b(?:ns|us|ms|s|min|k|M)\b|scenario \w+", " ", line) for line in text.splitlines())
    return [" ".join(line.split()) for line in words]


LONG = {
    "docs/knee-and-compare.md-1": "", "docs/knee-and-compare.md-2": "", "docs/import.md-2": "",
    "README.md-3": "--set run.duration=10s --no-maximum", "docs/tutorial/compare.md-1": "--set run.duration=2min",
    "docs/tutorial/compare.md-2": "--set run.duration=2min --no-maximum", "docs/tutorial/plan-a-cluster.md-1": "",
    "docs/tutorial/plan-a-cluster.md-2": "--set run.duration=200ms --set run.replications=1", "docs/tutorial/run-it.md-6": "--set run.duration=1min --no-maximum",
    "docs/tutorial/run-it.md-8": "--no-maximum", "docs/tutorial/size-a-host.md-1": "", "docs/tutorial/size-a-host.md-2": "",
}
"""Console blocks that are run as they stand by verification only, and what shortens them without another word in their output, where something does."""


def console_blocks() -> Iterator[object]:
    """Page, number in it and further options of each console block, those that take long also as they stand."""
    for path in docs.pages():
        for number, block in enumerate(docs.blocks(path.read_text(encoding="utf-8"))):
            name = f"{path.relative_to(ROOT).as_posix()}-{number}"
            if block.language == "console":
                yield pytest.param(path, number, "", id=name, marks=[pytest.mark.verification] if name in LONG else [])
            if shorter := LONG.get(name):
                yield pytest.param(path, number, shorter, id=f"{name}-shorter")


def asked(block: Any, options: str) -> Any:
    """A block whose simulations have further options."""
    return replace(block, text=re.sub(r"^(\$ simvirt \w+ [\w./-]+)", rf"\1 {options}", block.text, flags=re.MULTILINE)) if options else block


@pytest.mark.slow
@pytest.mark.skipif(kernel.MODE == "plain", reason="runs as large as in the documentation")
@pytest.mark.skipif(not COMMAND.exists(), reason="simvirt is not installed")
@pytest.mark.parametrize(("path", "number", "options"), list(console_blocks()))
def test_a_console_block_prints_what_is_shown(path: Path, number: int, options: str, tmp_path: Path) -> None:
    """With the files that blocks before it hold, and without what their commands left."""
    docs.workplace(tmp_path)
    blocks = list(docs.blocks(path.read_text(encoding="utf-8")))
    for block in blocks[: number + 1]:
        docs.keep_file(block, tmp_path)
    block = asked(blocks[number], options)
    assert shape(docs.printed(block, tmp_path)) == shape(block.text), "print it anew: python docs/reprint.py"


SETTING = re.compile(r"simvirt (?:run|check|density|plan) (?P<file>[\w./-]+)(?P<rest>[^|;&\n]*)")


def settings_of(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each command of a page that has `--set`: its file and what it sets."""
    for match in SETTING.finditer(path.read_text(encoding="utf-8")):
        words = shlex.split(match["rest"].partition("`")[0])
        if sets := [value for option, value in pairwise(words) if option == "--set"]:
            yield match["file"], sets


@pytest.mark.parametrize("path", [page for page in PAGES if any(settings_of(page.values[0]))])  # type: ignore[arg-type]
def test_every_set_works(path: Path, tmp_path: Path) -> None:
    docs.workplace(tmp_path)
    for block in docs.blocks(path.read_text(encoding="utf-8")):
        docs.keep_file(block, tmp_path)
    for file, sets in settings_of(path):
        assert simvirt.load(tmp_path / file, sets=sets).digest != simvirt.load(tmp_path / file).digest


def test_links_lead_somewhere() -> None:
    links = [(path, target) for path in docs.pages() for target in LINK.findall(path.read_text(encoding="utf-8"))]
    assert links
    assert not [f"{path.name}: {target}" for path, target in links if not (path.parent / target).exists()]


def test_named_tests_exist() -> None:
    """The file, and after `::` a test in it."""
    named = [(path, *name.partition("::")[::2]) for path in docs.pages() for name in TEST_NAME.findall(path.read_text(encoding="utf-8"))]
    assert named
    assert not [f"{path.name}: {file}::{test}" for path, file, test in named if not has_test(ROOT / file, test)]


def has_test(file: Path, test: str) -> bool:
    """Whether there is such a file or folder, with a test of that name where one is given."""
    return file.exists() and (not test or f"def {test}(" in file.read_text(encoding="utf-8"))


def test_the_ci_calls_the_second_command_of_the_readme() -> None:
    commands = [b.text.strip() for b in docs.blocks((ROOT / "README.md").read_text()) if b.language == "sh"]
    assert len(commands) == 2
    assert "simvirt run configs/web.yaml" in commands[0]
    assert commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "CHANGELOG.md"])
def test_every_command_is_mentioned(page: str) -> None:
    from simvirt.cli.app import app

    text = (ROOT / page).read_text()
    assert not [command.name for command in app.registered_commands if not re.search(rf"(?:simvirt |`){command.name}\b", text)]


def test_every_option_that_a_page_names_is_there() -> None:
    """`simvirt explain kvm --start` in a sentence is no block that is run; its options are those of the command."""
    commands: Any = typer.main.get_command(app)
    known = {
        name: {option for one in (command, *getattr(command, "commands", {}).values()) for each in one.params
               for option in (*each.opts, *each.secondary_opts)} | {"--help"}
        for name, command in commands.commands.items()}
    said = [(page, *found.groups()) for page in docs.pages() for found in SAID.finditer(page.read_text(encoding="utf-8"))]
    wrong = [(page.name, name, option) for page, name, rest in said for option in OPTION.findall(rest) if option not in known.get(name, {option})]
    assert len(said) > 50 and not wrong
    assert not [(page.name, name) for page, name, _ in said if name not in known]


def test_the_readme_has_the_score_on_tables_that_no_constant_knows() -> None:
    headline = re.search(r"median error of a\s+prediction is \*\*([0-9.]+ %)\*\*", (ROOT / "docs" / "accuracy.md").read_text())
    assert headline is not None
    assert f"off by less than {headline.group(1)}" in (ROOT / "README.md").read_text()


def test_the_scenario_reference_is_up_to_date() -> None:
    generate = module(ROOT / "docs" / "reference" / "generate.py")
    assert (ROOT / "docs" / "reference" / "scenario.md").read_text() == generate.page(), "run python docs/reference/generate.py"


def test_the_reference_of_results_is_up_to_date() -> None:
    generate = module(ROOT / "docs" / "reference" / "generate_results.py")
    assert (ROOT / "docs" / "reference" / "results.md").read_text() == generate.page(), "run python docs/reference/generate_results.py"


def test_every_key_of_a_result_has_a_meaning() -> None:
    """The page is made from the models; that documents have no other keys is tested with the commands."""
    wrong = [f"{kind}: {part}.{key}" for kind in DOCUMENTS for part, key, schema in keys_of(result_schema(kind)) if not schema.get("description")]
    assert not wrong


def keys_of(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each key of a document and of its parts: the part, the key, its schema."""
    for part, inner in {"": schema, **schema.get("$defs", {})}.items():
        yield from ((part, key, found) for key, found in inner.get("properties", {}).items())
