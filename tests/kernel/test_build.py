"""What the build makes of the kernel's source files."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from simvirt import kernel
from simvirt.catalog import Catalog
from simvirt.lowering.rows import LINE, Room, lengthen, lie_together, words_of
from simvirt.runs.replicate import make_plane
from simvirt.scenario import load

ROOT = Path(__file__).resolve().parents[2]
NOT_COMPILED = {"__init__.py", "schedulers/__init__.py", "plain.py", "boundary.py", "marks.py"}
PYTHON_API = re.compile(r"\b(?:Py[A-Z]\w*_\w+|__Pyx_(?!div_|mod_|pow_)\w+)\(")
C_FUNCTION = re.compile(r"^static [^\n;]*__pyx_f_\w*_kernel_(\w+)\([^\n;]*\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
SETTERS = {"IntArray_of", "FloatArray_of", "Bytes_of"}  # take the address of an array when a plane is bound
SMALL = {
    "loop.py": """
from simvirt.kernel.boundary import boundary
from simvirt.kernel.other import TWO, Calendar, Plane, later

@boundary
def advance(p: Plane, until: int) -> int:
    \"\"\"Go on.\"\"\"
    return later(p.calendar, 0) + p.calendar.at[TWO]
""",
    "schedulers/registry.py": """
from simvirt.kernel.schedulers.own import fast_pick, slow_pick

class Scheduler(NamedTuple):
    name: str
    pick: Callable[[Plane, int], int] = slow_pick
    note: Callable[[Plane, int], None] = noted

SCHEDULERS = (Scheduler("a"), Scheduler("b", pick=fast_pick), Scheduler("c"))
""",
    "schedulers/own.py": """
def slow_pick(p: Plane, q: int) -> int:
    return q

def fast_pick(p: Plane, q: int) -> int:
    return q + 1

def noted(p: Plane, q: int) -> None:
    \"\"\"Nothing.\"\"\"
""",
    "other.py": """
TWO = 2

class Calendar:
    at: Ints  # [ns]

class Plane:
    calendar: Calendar

def later(cal: Calendar, i: int) -> int:
    return cal.at[i] + TWO
""",
}


def written(folder: Path, **changed: str) -> Path:
    """A small kernel."""
    (folder / "schedulers").mkdir(exist_ok=True)
    for name, text in (SMALL | {f"{name}.py": text for name, text in changed.items()}).items():
        (folder / name).write_text(text)
    return folder


def test_tables_are_flattened_and_constants_folded(build: ModuleType, tmp_path: Path) -> None:
    import ast

    source = build.read_source(written(tmp_path))
    assert source.files == ("schedulers/own.py", "schedulers/registry.py", "other.py", "loop.py")
    assert [(column.flat, column.kind) for column in source.columns] == [("calendar_at", "Ints")]
    assert ast.unparse(source.functions["advance"].node).splitlines()[1:] == ["def advance(p: Plane, until: int) -> int:", "    return later(p, 0) + p.calendar_at[2]"]
    assert ast.unparse(source.functions["later"].node).splitlines()[1:] == ["    return p.calendar_at[i] + 2"]


PICK = """def scheduler_pick(policy: int, p: Plane, q: int) -> int:
    if policy == 0 or policy == 2:
        return slow_pick(p, q)
    else:
        return fast_pick(p, q)"""
NOTE = """def scheduler_note(policy: int, p: Plane, q: int) -> None:
    noted(p, q)"""


def test_look_ups_in_the_table_of_schedulers_are_written_out(build: ModuleType, tmp_path: Path) -> None:
    import ast

    more = "\ndef both(p: Plane, q: int) -> int:\n    SCHEDULERS[p.calendar.at[q]].note(p, q)\n    return SCHEDULERS[q].pick(p, q)"
    functions = build.read_source(written(tmp_path, loop=SMALL["loop.py"] + more)).functions
    made = [ast.unparse(functions[name].node) for name in ("scheduler_pick", "scheduler_note", "both")]
    assert made == [PICK, NOTE, "def both(p: Plane, q: int) -> int:\n    scheduler_note(p.calendar_at[q], p, q)\n    return scheduler_pick(q, p, q)"]


@pytest.mark.parametrize("again", ["def later(p: Plane) -> int:\n    return 0", "TWO = 3"])
def test_a_name_defined_twice_is_an_error(build: ModuleType, tmp_path: Path, again: str) -> None:
    with pytest.raises(SystemExit, match=r"loop\.py: (later|TWO)"):
        build.read_source(written(tmp_path, loop=SMALL["loop.py"] + again))


def test_every_file_is_compiled_but_those_that_say_so(build: ModuleType) -> None:
    source = build.read_source()
    assert set(source.files) | NOT_COMPILED == {path.relative_to(build.FOLDER).as_posix() for path in build.FOLDER.rglob("*.py")}
    assert {name for name, function in source.functions.items() if function.boundary} == set(kernel.FUNCTIONS)


def test_a_changed_or_missing_source_makes_an_extension_stale(tmp_path: Path) -> None:
    import hashlib

    sources = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in SMALL.items()}
    assert kernel.is_current(sources, written(tmp_path))
    (tmp_path / "plain.py").write_text("# not compiled")
    assert kernel.is_current(sources, tmp_path)
    assert not kernel.is_current(sources, written(tmp_path, other="# changed"))
    (tmp_path / "other.py").unlink()
    assert not kernel.is_current(sources, tmp_path)
    assert not kernel.is_current({}, tmp_path)  # an extension that does not say what it was built from


DECLARED = """/* Generated by Cython */
static CYTHON_INLINE int __pyx_f_7simvirt_7_kernel_signal(struct S *, int); /*proto*/
static int __pyx_f_7simvirt_7_kernel_book(struct S *, int); /*proto*/
static int __pyx_f_7simvirt_7_kernel_book_time(struct S *, int); /*proto*/
"""


def test_marked_functions_are_kept_apart_from_their_callers(build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from build_kernel import unity

    functions = build.read_source().functions
    assert {"signal", "book"} < set(functions) and functions["signal"].marks == ("rare",) and functions["book"].marks == ("apart",)
    few = build.Source((), [], {}, (), {name: functions[name] for name in ("signal", "book", "book_time")})
    monkeypatch.setattr(unity, "read_source", lambda unit: few)
    made = tmp_path / "_kernel.c"
    made.write_text(DECLARED)
    unity.keep_apart(made)
    first, *marked = made.read_text().replace(unity.KEPT, "").splitlines()
    assert first == "/* Generated by Cython */"  # or it is not overwritten by the next build
    assert [line.split(" __pyx")[0] for line in marked] == ["static KEPT_rare CYTHON_INLINE int", "static KEPT_apart int", "static int"]
    made.write_text("/* Generated by Cython */\n")
    with pytest.raises(AssertionError, match="declares"):
        unity.keep_apart(made)


@pytest.mark.slow
def test_the_kernels_functions_are_free_of_python_calls(build: ModuleType, tmp_path: Path) -> None:
    """Only what Python calls itself may call Python: an unannotated variable would make a hot function a hundred times slower."""
    pytest.importorskip("Cython")
    from build_kernel import unity
    from Cython.Compiler.Main import CompilationOptions, compile_single
    from Cython.Compiler.Options import get_directive_defaults

    path = tmp_path / "_kernel.py"
    unity.write_unity(path)
    options = CompilationOptions(compiler_directives=get_directive_defaults() | unity.DIRECTIVES, language_level=3)
    made = compile_single(str(path), options, None)
    text = Path(made.c_file).read_text()
    functions = {name: body for name, body in C_FUNCTION.findall(text) if name not in SETTERS}
    assert len(functions) > 100
    assert {name: PYTHON_API.findall(body) for name, body in functions.items() if PYTHON_API.search(body)} == {}


def test_columns_that_lie_together_have_a_value_for_every_row(build: ModuleType) -> None:
    """A column of another length in a row's record would be read beyond its end."""
    spec = load(str(ROOT / "configs/web.yaml"))
    catalog = Catalog.of(spec)
    columns = make_plane(spec, catalog, catalog.platform(spec.platforms[3]), 1, 0).columns
    lengths: dict[str, set[int]] = {}
    for column in build.read_source().columns:
        if column.of_row:
            lengths.setdefault(column.table, set()).add(len(columns[column.table][column.name]))
    assert len(lengths) > 15
    assert {table: found for table, found in lengths.items() if len(found) > 1} == {}


def test_a_value_of_a_row_is_a_field_of_its_record(build: ModuleType, tmp_path: Path) -> None:
    import ast

    from build_kernel.unity import POINTERS, Typed, plane_class, record_types

    other = SMALL["other.py"].replace("    at: Ints", "    heap: IntArray\n    at: Ints") + "\ndef both(p: Plane, i: int) -> int:\n    return p.calendar.at[i + 1] + p.calendar.heap[i]"
    source = build.read_source(written(tmp_path, other=other))
    typed = Typed(POINTERS, {c.flat: c for c in source.columns if c.of_row})
    assert typed.function(source.functions["both"].node, False).splitlines()[-1] == "    return p.calendar[i + 1].at + p.calendar_heap[i]"
    assert record_types(source.columns) == ["calendar_row = cython.struct(at=cython.longlong)"]
    lines = plane_class(source.columns, False).splitlines()
    assert lines[3:5] == ["    calendar: cython.pointer(calendar_row)", "    calendar_heap: cython.p_longlong"]
    ast.parse("\n".join(lines))


def test_what_lies_together_is_a_copy_that_stays_in_step() -> None:
    columns = {"a": np.array([1, 2]), "b": np.array([0.5, 1.5]), "c": np.arange(3)}
    kept, words = lie_together(columns, ("a", "b"), 2)
    assert [kept[name].tolist() for name in columns] == [column.tolist() for column in columns.values()]
    kept["a"][1] = 7
    assert words.tolist()[::2] == [1, 7]
    assert words.view(np.float64)[1::2].tolist() == [0.5, 1.5]
    assert columns["a"].tolist() == [1, 2]


def test_rows_that_are_added_lie_behind_the_others() -> None:
    kept, words = lie_together({"a": np.array([1, 2]), "b": np.array([0.5, 1.5]), "c": np.arange(3)}, ("a", "b"), 2)
    kept["a"][1] = 7
    longer, words = lengthen(kept, words, {"a": np.full(2, 9), "b": np.zeros(2), "c": np.array([4])}, ("a", "b"), 2)
    assert {name: column.tolist() for name, column in longer.items()} == {"a": [1, 7, 9, 9], "b": [0.5, 1.5, 0.0, 0.0], "c": [0, 1, 2, 4]}
    longer["a"][3] = 8
    assert words.tolist()[::2] == [1, 7, 9, 8]


def test_rows_of_more_than_a_cache_line_begin_with_one() -> None:
    columns = {name: np.arange(3) for name in "abcdefghi"}
    kept, words = lie_together(columns, tuple(columns), 16)
    assert words.ctypes.data % (8 * LINE) == 0
    assert words.reshape(3, 16)[:, :9].tolist() == [[row] * 9 for row in range(3)]
    longer, words = lengthen(kept, words, {name: np.full(2, 7) for name in columns}, tuple(columns), 16)
    assert words.ctypes.data % (8 * LINE) == 0
    assert words.reshape(5, 16)[3:].tolist() == 2 * [[7] * 9 + [0] * 7]
    assert longer["i"].tolist() == [0, 1, 2, 7, 7]


def test_the_build_pads_rows_of_more_than_a_cache_line_alone(build: ModuleType) -> None:
    from build_kernel.layout import padding

    assert [padding(columns) for columns in (1, 8, 9, 16, 43)] == [0, 0, 7, 0, 5]


def test_columns_that_lie_first_in_their_rows_are_there(build: ModuleType) -> None:
    from build_kernel.layout import NEAR, in_order

    columns = build.read_source().columns
    for table, near in NEAR.items():
        there = [c.name for c in columns if c.table == table and c.of_row]
        assert len(set(near)) == len(near)
        assert set(near) <= set(there)
        assert sorted(in_order(table, there)) == sorted(there)


def test_tables_of_one_room_lie_behind_each_other_and_apart() -> None:
    columns = {"a": np.array([1, 2, 3]), "c": np.array([0.5, 1.5])}
    room = Room(2 * words_of(columns, ("a",), 1))
    (first, _), (second, words) = (lie_together(columns, ("a",), 1, room.take) for _ in range(2))
    assert words.ctypes.data - first["a"].ctypes.data == 2 * 8 * LINE
    second["a"][:] = second["c"][:] = 9
    assert (first["a"].tolist(), first["c"].tolist(), first["c"].dtype) == ([1, 2, 3], [0.5, 1.5], np.float64)
    assert room.take(LINE + 1).tolist() == [0] * (LINE + 1)  # beyond its end: of its own


def test_a_value_that_is_needed_soon_is_fetched_without_waiting_for_it(build: ModuleType, tmp_path: Path) -> None:
    from build_kernel.unity import POINTERS, VIEWS, Typed

    other = SMALL["other.py"] + "\ndef soon(p: Plane, i: int) -> None:\n    ahead(p.calendar.at[i])"
    source = build.read_source(written(tmp_path, other=other))
    node = source.functions["soon"].node
    checked = Typed(VIEWS, {}).function(copy.deepcopy(node), False)
    compiled = Typed(POINTERS, {c.flat: c for c in source.columns if c.of_row}).function(node, False)
    assert compiled.splitlines()[-1] == "    ahead(cython.cast(cython.p_void, cython.address(p.calendar[i].at)))"
    assert checked.splitlines()[-1] == "    0"
