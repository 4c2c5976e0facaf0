"""Imports go one way: a module imports from its own layer and from those before it, also inside functions and under TYPE_CHECKING."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

from simvirt.kernel import source as kernel_source

PACKAGE = Path(__file__).resolve().parents[1] / "simvirt"
LAYERS = (
    ("version",),
    ("errors",),
    ("units",),
    ("scenario",),
    ("catalog",),
    ("memory",),
    ("capacity",),
    ("workload",),
    ("analysis",),
    ("kernel",),
    ("lowering",),
    ("plane",),
    ("gauges",),
    ("clock",),
    ("control",),
    ("result",),
    ("metrics",),
    ("runs",),
    ("density", "plan", "validation"),
    ("report",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FILES = [pytest.param(path, id=path.relative_to(PACKAGE).as_posix()) for path in sorted(PACKAGE.rglob("*.py"))]
COMPILED = set(kernel_source.FILES)
KERNEL_MAY = {"collections", "typing"}  # of types only


def module_of(path: Path) -> str:
    """Dotted name of a file's module."""
    parts = ("simvirt", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Modules that a file imports, wherever it does."""
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)
            yield from (f"{name}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> str | None:
    """First part of a module's name inside the package; None outside it, and for names of the package itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "simvirt" and len(parts) > 1 and not parts[1].startswith("_") else None


def test_every_module_has_a_layer() -> None:
    found = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name for name in found if not name.startswith("_")} <= set(RANK)


@pytest.mark.parametrize("path", FILES)
def test_imports_go_one_way(path: Path) -> None:
    own = layer_of(module_of(path))
    if own is None:  # __init__ and __main__ hand out what lies below
        return
    wrong = [module for module in imported(path) if (layer := layer_of(module)) is not None and layer in RANK and RANK[layer] > RANK[own]]
    assert not wrong, f"{own} imports {wrong}"


@pytest.mark.parametrize("path", [p for p in FILES if layer_of(module_of(p.values[0])) == "kernel"])
def test_the_kernel_imports_only_itself(path: Path) -> None:
    """Files that are compiled take nothing but the kernel's and types; those that read and choose the kernel also the standard library."""
    compiled = path.relative_to(PACKAGE / "kernel").as_posix() in COMPILED
    for module in imported(path):
        top = module.partition(".")[0]
        assert layer_of(module) in ("kernel", None)
        assert top == "simvirt" or top in (KERNEL_MAY if compiled else sys.stdlib_module_names), module


@pytest.mark.parametrize("path", FILES)
def test_only_declared_packages_are_imported(path: Path) -> None:
    allowed = {"simvirt", "networkx", "numpy", "pydantic", "pydantic_core", "rich", "scipy", "simpy", "typer", "yaml", *sys.stdlib_module_names}
    assert not {module.partition(".")[0] for module in imported(path)} - allowed
