"""What the package says it exports is what it exports."""

from __future__ import annotations

import ast
import importlib
import tomllib
from pathlib import Path

import pytest
from helpers.collecting import hold_all

import simvirt

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "simvirt").rglob("__init__.py") if "__all__" in path.read_text()
)


def test_all_names_exist() -> None:
    hold_all(exports_what_it_names, PACKAGES)


def exports_what_it_names(name: str) -> None:
    """`__all__` has each name once, and the package has each of them."""
    module = importlib.import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    assert not [key for key in module.__all__ if not hasattr(module, key)]


def test_the_public_names() -> None:
    assert set(simvirt._HOMES) == set(simvirt.__all__)
    assert {name: getattr(simvirt, name).__module__.split(".")[1] for name in simvirt.__all__}


def test_importing_the_package_is_cheap() -> None:
    tree = ast.parse((ROOT / "simvirt" / "__init__.py").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == [
        "from typing import TYPE_CHECKING, Any", "from simvirt.version import __version__ as __version__",
    ]
    assert not [node for node in ast.walk(ast.parse((ROOT / "simvirt" / "version.py").read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'density_of_states'"):
        simvirt.density_of_states  # noqa: B018


def test_the_command_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["simvirt"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_kernel_names_what_it_hands_out() -> None:
    from simvirt import kernel
    from simvirt.kernel import advance  # the function in use, compiled or plain

    assert callable(advance)
    assert all(callable(getattr(kernel, name)) for name in kernel.FUNCTIONS)
