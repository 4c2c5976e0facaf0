"""What the build makes of the machine's source files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from simvirt import machine

ROOT = Path(__file__).resolve().parents[2]
NOT_COMPILED = {"__init__.py", "isa/__init__.py", "devices/__init__.py", "isa/listing.py", "plain.py"}
PYTHON_API = re.compile(r"\b(?:Py[A-Z]\w*_\w+|__Pyx_(?!div_|mod_|pow_)\w+)\(")
C_FUNCTION = re.compile(r"^static [^\n;]*__pyx_f_\w*_machine_(\w+)\([^\n;]*\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
SETTERS = {"IntArray_of", "FloatArray_of", "Bytes_of"}  # take the address of an array when a machine is bound


@pytest.fixture(autouse=True)
def build_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])


def test_every_file_is_compiled_but_those_that_say_so() -> None:
    from build_kernel.source import MACHINE, read_source

    source = read_source(unit=MACHINE)
    assert set(source.files) | NOT_COMPILED == {path.relative_to(MACHINE.folder).as_posix() for path in MACHINE.folder.rglob("*.py")}
    assert {name for name, function in source.functions.items() if function.boundary} == set(machine.FUNCTIONS)


def test_instructions_have_the_same_numbers_compiled_and_plain() -> None:
    from build_kernel.source import MACHINE, read_source
    from simvirt.machine.steps import INSTRUCTIONS

    assert read_source(unit=MACHINE).schedulers == machine.INSTRUCTIONS == tuple(one.mnemonic for one in INSTRUCTIONS)


def test_the_step_has_a_case_for_each_instruction() -> None:
    from build_kernel.unity import unity_source
    from build_kernel.source import MACHINE

    step = unity_source(unit=MACHINE).partition("def step(")[2].partition("\n\n")[0]
    assert re.findall(r"if op == (\d+):", step) == [str(number) for number in range(len(machine.INSTRUCTIONS))]
    assert "EXECUTE" not in step and "SIZES" not in step


def test_words_have_the_same_names_in_c() -> None:
    import ast

    from build_kernel.words import bodies

    plain = ast.parse((ROOT / "simvirt/machine/words.py").read_text())
    names = {node.name for node in plain.body if isinstance(node, ast.FunctionDef)}
    assert set(re.findall(r"^def (\w+)\(", bodies("cython.p_uchar", False), re.MULTILINE)) == names


@pytest.mark.slow
def test_the_machines_functions_are_free_of_python_calls(tmp_path: Path) -> None:
    pytest.importorskip("Cython")
    from build_kernel import unity
    from build_kernel.source import MACHINE
    from Cython.Compiler.Main import CompilationOptions, compile_single
    from Cython.Compiler.Options import get_directive_defaults

    path = tmp_path / "_machine.py"
    unity.write_unity(path, unit=MACHINE)
    options = CompilationOptions(compiler_directives=get_directive_defaults() | unity.DIRECTIVES, language_level=3)
    text = Path(compile_single(str(path), options, None).c_file).read_text()
    functions = {name: body for name, body in C_FUNCTION.findall(text) if name not in SETTERS}
    assert len(functions) > 100
    assert {name: PYTHON_API.findall(body) for name, body in functions.items() if PYTHON_API.search(body)} == {}
