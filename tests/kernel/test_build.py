"""What the build makes of the kernel's source files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON_API = re.compile(r"\b(?:Py[A-Z]\w*_\w+|__Pyx_(?!div_|mod_|pow_)\w+)\(")
C_FUNCTION = re.compile(r"^static [^\n;]*__pyx_f_\w*_kernel_(\w+)\([^\n;]*\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
SETTERS = {"Ints_of", "Floats_of"}  # take the address of an array when a plane is bound


@pytest.mark.slow
def test_the_kernels_functions_are_free_of_python_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what Python calls itself may call Python: an unannotated variable would make a hot function a hundred times slower."""
    pytest.importorskip("Cython")
    from Cython.Compiler.Main import CompilationOptions, compile_single
    from Cython.Compiler.Options import get_directive_defaults

    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    import build_kernel

    path = tmp_path / "_kernel.py"
    build_kernel.write_unity(path)
    options = CompilationOptions(compiler_directives=get_directive_defaults() | build_kernel.DIRECTIVES, language_level=3)
    made = compile_single(str(path), options, None)
    text = Path(made.c_file).read_text()
    functions = {name: body for name, body in C_FUNCTION.findall(text) if name not in SETTERS}
    assert len(functions) > 100
    assert {name: PYTHON_API.findall(body) for name, body in functions.items() if PYTHON_API.search(body)} == {}
