"""The plain kernel, made from the source files, does what they do: its parts on small functions, and whole runs byte by byte."""

from __future__ import annotations

import ast
import itertools
import traceback
from typing import Any

import pytest
from helpers.worlds import crowd, eventful, fingerprint, limited, shop

from simvirt import kernel
from simvirt.kernel import plain, twin
from simvirt.kernel.fold import constant_columns, simplify
from simvirt.kernel.inline import Inliner, calls_in
from simvirt.kernel.source import FILES, FOLDER, read_source

SMALL = '''
def half(a):
    return a // 2

def sign(a):
    if a > 0:
        return 1
    if a < 0:
        return -1
    return 0

def note(a, b):
    if a == b:
        return
    seen[0] += a
    if b > 1:
        return
    seen[1] += half(b)

def first(a):
    for k in range(5):
        if k * k > a:
            return k
    return 9

def clamp(a, b):
    a = max(min(a, b), 0)
    return a

def depth(a):
    if a <= 0:
        return 0
    return depth(a - 1) + 1

def whole(a, b):
    s = sign(a - b)
    note(s, b)
    if not sign(a):
        note(a, half(b))
    if a > b and half(a) >= sign(b):
        seen[2] += first(a)
    a = clamp(a, b)
    return s + a + depth(half(b)) + min(a, s)
'''


def functions(text: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def run_small(made: dict[str, ast.FunctionDef], a: int, b: int, **names: Any) -> tuple[int, list[int]]:
    """What `whole` gives and leaves behind."""
    space: dict[str, Any] = {"seen": [0, 0, 0]} | names
    module = ast.fix_missing_locations(ast.Module(list(made.values()), []))
    exec(compile(module, "", "exec"), space)
    return space["whole"](a, b), space["seen"]


@pytest.mark.parametrize("small", [0, 60, 1000])
def test_functions_put_in_place_do_what_calls_did(small: int) -> None:
    made = Inliner(functions(SMALL), {"whole"}, small=small).run()
    left = set(calls_in(made["whole"]))
    assert {"depth", "first"} <= left  # recursive, and returning from a loop
    assert "note" not in left or small < 60
    for a, b in itertools.product(range(-3, 12), repeat=2):
        assert run_small(made, a, b) == run_small(functions(SMALL), a, b)


def test_what_is_known_of_a_column_is_written_into_the_code() -> None:
    text = "def f(i):\n    m = machine[i]\n    if kind[m] == 2:\n        return load[i] + m\n    if other[m] < 1:\n        load[i * 3 + m] += 1\n    return -1"
    node = simplify(functions(text)["f"], {"machine": 0, "kind": 1})
    assert ast.unparse(node) == "def f(i):\n    if other[0] < 1:\n        load[i * 3] += 1\n    return -1"


def test_a_column_that_may_change_is_not_known() -> None:
    text = "def f(i):\n    a[i] = 1\n    b[i] = 0\n    g(c)\n    d[i] += 0\n    return e[i]"
    assert constant_columns(functions(text), dict.fromkeys("abcde", 0)) == {"b": 0, "e": 0}


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for k in range(f * 9, f * 9 + 9):\n    spent[k] = 0", "spent[f * 9:f * 9 + 9] = (0, 0, 0, 0, 0, 0, 0, 0, 0, )"),
        ("for c in range(w):\n    to[f * w + c] = source[k * w + c]", "to[f * w:f * w + w] = source[k * w:k * w + w]"),
        (
            "for c in range(9):\n    total[row + c] += spent[at + c]",
            "for c, amount in enumerate(spent[at:at + 9], row):\n    if amount:\n        total[c] += amount",
        ),
        ("for k in range(n):\n    total[k] = other[k] + 1", None),
    ],
)
def test_loops_over_a_row_become_slices(loop: str, expected: str | None) -> None:
    assert plain.sliced(loop) == expected


def test_every_function_has_a_place_and_every_column_an_owner() -> None:
    source = read_source()
    assert {function.file for function in source.functions.values()} < set(FILES)
    assert {column.owner for column in source.columns} == {"lowering", "control", "kernel"}
    assert {name for name, function in source.functions.items() if function.boundary} == set(kernel.FUNCTIONS)


def test_a_traceback_names_the_source_file() -> None:
    plane = plain.Plane()
    with pytest.raises(NameError) as caught:
        plain.advance(plane, 1) if plane.names.setdefault("run_events", [0]) else None
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].filename.startswith(str(FOLDER))


def use(monkeypatch: pytest.MonkeyPatch, module: Any, enough: int) -> None:
    """Let data planes run on one of the kernel's twins."""
    monkeypatch.setattr(kernel, "_kernel", module)
    monkeypatch.setattr(kernel, "MODE", "plain")
    monkeypatch.setattr(plain, "ENOUGH", enough)
    for name in kernel.FUNCTIONS:
        monkeypatch.setattr(kernel, name, getattr(module, name))


WORLDS = {
    "crowd": crowd(60),
    "crowd, gps": crowd(60, host={"cores": 2, "scheduler": "gps"}),
    "shop": shop(40),
    "limited": limited(),
    "eventful": eventful(requests=40),
}


@pytest.mark.parametrize("name", WORLDS)
def test_sources_and_both_kinds_of_plain_code_give_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are; as plain code for any plane; as plain code for one plane, from its second hundred events on."""
    found = []
    for module, enough in ((twin, 0), (plain, 10**9), (plain, 100)):
        use(monkeypatch, module, enough)
        found.append(fingerprint(WORLDS[name]))
    assert found[0] == found[1] == found[2]
