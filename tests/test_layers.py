"""Imports go one way: a module imports from its own layer and from those before it, also inside functions and under TYPE_CHECKING."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import networkx as nx
import pytest
from helpers.collecting import hold_all

PACKAGE = Path(__file__).resolve().parents[1] / "simvirt"
LAYERS = (
    ("version",),
    ("errors",),
    ("units",),
    ("scenario",),
    ("catalog",),
    ("images",),
    ("measurements",),
    ("network",),
    ("memory",),
    ("capacity",),
    ("workload",),
    ("analysis",),
    ("kernel",),
    ("machine",),
    ("placement", "orchestration"),
    ("migration",),
    ("lowering",),
    ("moving",),
    ("plane",),
    ("gauges",),
    ("clock",),
    ("control",),
    ("trace",),
    ("result",),
    ("metrics",),
    ("runs",),
    ("calibrate", "compare", "density", "deploy", "emulation", "fit", "importers", "knee", "plan", "sweep", "validation"),
    ("charts",),
    ("report",),
    ("lab",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = {re.split(r"[^\w-]", requirement)[0] for requirement in PROJECT["dependencies"]}
OPTIONAL = {
    re.split(r"[^\w-]", requirement)[0]
    for extra, requirements in PROJECT["optional-dependencies"].items() if extra not in ("docs", "test") for requirement in requirements
}
"""What extras bring."""
PACKAGES = {"pyyaml": "yaml", "vl-convert-python": "vl_convert", "arro3-core": "arro3", "arro3-io": "arro3"}
"""Declared name -> the package that is imported, where it is another."""
ALONG = {"pydantic_core"}
"""What comes along with a declared package and belongs to its interface."""
INSTEAD = {"pyarrow"}
"""What is taken in the place of an extra where it is installed."""
CHOOSES = {"__init__.py", "plain.py"}
"""Files of the kernel that choose how it runs."""
KERNEL_MAY = {"collections", "typing"}  # of types only


def module_of(path: Path) -> str:
    """Dotted name of a file's module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Modules that a file imports, wherever it does."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)
            yield from (f"{name}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> str | None:
    """First part of a module's name inside the package; None outside it, and for names of the package itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "simvirt" and len(parts) > 1 and not parts[1].startswith("_") else None


def test_every_module_has_a_layer_and_every_layer_is_there() -> None:
    found = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name for name in found if not name.startswith("_")} == set(RANK)


def test_imports_go_one_way() -> None:
    hold_all(looks_down, FILES)


def looks_down(path: Path) -> None:
    """A file imports from its own layer and below; `__init__` and `__main__` of the package hand out what lies below."""
    own = layer_of(module_of(path))
    if own is not None:
        assert not [module for module in imported(path) if RANK.get(layer_of(module) or "", 0) > RANK[own]]


def test_imports_form_no_cycle() -> None:
    """Late imports and those for types alone included; the package itself, which only hands out names, left out."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    modules = {module_of(path): path for path in FILES}
    for name, path in modules.items():
        found = {module if module in modules else module.rpartition(".")[0] for module in imported(path)}
        graph.add_edges_from((name, module) for module in found & modules.keys() - {name, "simvirt"} if name != "simvirt")
    assert not [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1]


def test_the_kernel_imports_only_itself() -> None:
    hold_all(stays_in_the_kernel, [path for path in FILES if layer_of(module_of(path)) == "kernel"])


def stays_in_the_kernel(path: Path) -> None:
    """Files that are compiled take nothing but the kernel's and types; those that choose how it runs also the standard library."""
    compiled = path.relative_to(PACKAGE / "kernel").as_posix() not in CHOOSES
    for module in imported(path):
        top = module.partition(".")[0]
        assert layer_of(module) in ("kernel", None)
        assert top == "simvirt" or top in (KERNEL_MAY if compiled else sys.stdlib_module_names), module


def test_only_declared_packages_are_imported() -> None:
    """The standard library, what `pyproject.toml` declares, for an extra or for all, and what comes along with it."""
    allowed = {"simvirt", *ALONG, *(PACKAGES.get(name, name) for name in DECLARED | OPTIONAL), *sys.stdlib_module_names}
    assert not {f"{path.name}: {module}" for path in FILES for module in imported(path) if module.partition(".")[0] not in allowed}
    wanted = {match[1].partition(".")[0] for path in FILES for match in re.finditer(r'import_module\("([^"]+)"\)', path.read_text(encoding="utf-8"))}
    assert wanted - {"simvirt"} <= {PACKAGES.get(name, name) for name in OPTIONAL} | INSTEAD


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_declared_package_is_imported(name: str) -> None:
    assert PACKAGES.get(name, name) in {module.partition(".")[0] for path in FILES for module in imported(path)}


def test_no_test_imports_from_another() -> None:
    """What tests share lies in `tests/helpers`."""
    tests = sorted(PACKAGE.parent.joinpath("tests").rglob("*.py"))
    assert not [f"{path.name}: {name}" for path in tests for name in imported(path) if name.partition(".")[0].startswith("test_")]
