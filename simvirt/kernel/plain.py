"""The plain kernel: Python functions made from the kernel's source files, without a compiler and as fast as Python goes.

Columns become global variables of a namespace of each plane, loops over a row become slices, and functions are put in place where they
are called. A plane that has carried out many events goes on with code made for it, in which columns of one value are that value: a column that
lowering owns must not change without `bind`. Line numbers in tracebacks are those of the source files, or of the call of a function that
was put in place. The source files run as they are, too (SIMVIRT_PLAIN=source): slower, and easier to follow.
"""

import ast
import re
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

from simvirt.kernel.fold import constant_columns, simplify
from simvirt.kernel.inline import Functions, Inliner, clone, reachable
from simvirt.kernel.source import FOLDER, Source, read_source

CHANGING = ("cpus_phase", "groups_refilled_at", "run_frames", "run_entities")  # differ between replications, or grow
ENOUGH = 200_000  # events after which code made for a plane pays


class Untyped(ast.NodeTransformer):
    """Drops types, and turns loops that clear or copy or add a row of a table into slices."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function without the plane: its columns are global."""
        node.args.args = [ast.arg(a.arg, lineno=node.lineno, col_offset=0) for a in node.args.args if a.arg != "p"]
        node.returns, node.decorator_list = None, []
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """A declared variable."""
        self.generic_visit(node)
        return ast.copy_location(ast.Assign([node.target], node.value), node) if node.value is not None else None

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A column."""
        return ast.copy_location(ast.Name(node.attr, node.ctx), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The plane is not handed on."""
        self.generic_visit(node)
        node.args = [a for a in node.args if not (isinstance(a, ast.Name) and a.id == "p")]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """A loop over one row."""
        self.generic_visit(node)
        new = sliced(ast.unparse(node))
        return node if new is None else ast.fix_missing_locations(ast.copy_location(ast.parse(new).body[0], node))


SHORTER = {"octave": "def octave(value): return value.bit_length() - 1"}  # what Python has a method for
CLEAR = r"for (\w+) in range\((.+), \2 \+ (\d+)\):\n    (\w+)\[\1\] = 0$"
COPY = r"for (\w+) in range\((\w+)\):\n    (\w+)\[(.+) \+ \1\] = (\w+)\[(.+) \+ \1\]$"
ADD = r"for (\w+) in range\((\d+)\):\n    (\w+)\[(\w+) \+ \1\] \+= (\w+)\[(\w+) \+ \1\]$"


def sliced(loop: str) -> str | None:
    """A loop that clears, copies or adds a row, as what does it faster; None for any other loop."""
    if found := re.match(CLEAR, loop):
        _, first, n, column = found.groups()
        return f"{column}[{first}:{first} + {n}] = {'(' + '0, ' * int(n) + ')'}"
    if found := re.match(COPY, loop):
        _, n, to, first, column, start = found.groups()
        return f"{to}[{first}:{first} + {n}] = {column}[{start}:{start} + {n}]"
    if found := re.match(ADD, loop):
        at, n, to, first, column, start = found.groups()
        return f"for {at}, amount in enumerate({column}[{start}:{start} + {n}], {first}):\n    if amount:\n        {to}[{at}] += amount"
    return None


@cache
def plain_source() -> Source:
    """The kernel's functions without types."""
    source = read_source()
    for function in source.functions.values():
        Untyped().visit(function.node)
    for name, text in SHORTER.items():
        source.functions[name].node.body = ast.parse(text).body[0].body  # type: ignore[attr-defined]
    return source


Known = tuple[tuple[str, int | float], ...]


@cache
def code(uniform: Known = ()) -> tuple[Known, tuple[CodeType, ...]]:
    """The kernel's functions, ready to be run in a plane's namespace, where some columns have one value; which of them nobody changes."""
    source = plain_source()
    functions = {name: clone(function.node) for name, function in source.functions.items()}
    roots = {name for name, function in source.functions.items() if function.boundary}
    facts, known = constant_columns(functions, dict(uniform)), -1
    while known < len(facts):
        known = len(facts)
        functions = reachable({name: simplify(node, facts) for name, node in functions.items()}, roots)
        facts = constant_columns(functions, dict(uniform))
    made = Inliner(functions, roots, lambda node: simplify(node, facts)).run()
    return tuple(facts.items()), compiled(source, made)


def uniform_columns(columns: Mapping[str, Any]) -> Known:
    """Columns that lowering filled with one value."""
    owned = [c.flat for c in plain_source().columns if c.owner == "lowering" and c.flat not in CHANGING]
    return tuple((name, columns[name][0]) for name in owned if is_uniform(columns[name]))


def is_uniform(column: list[int | float]) -> bool:
    """Whether all rows of a column hold one value."""
    return len(column) > 0 and column.count(column[0]) == len(column) and abs(column[0]) < float("inf")


def compiled(source: Source, functions: Functions) -> tuple[CodeType, ...]:
    """One code object a source file."""
    by_file: dict[str, list[ast.stmt]] = {}
    for name, node in functions.items():
        by_file.setdefault(source.functions[name].file, []).append(node)
    modules = {file: ast.fix_missing_locations(ast.Module(body, [])) for file, body in by_file.items()}
    return tuple(compile(module, str(FOLDER / file), "exec") for file, module in modules.items())


class Plane:
    """The tables of one simulated host as the namespace in which the kernel's functions run."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.known: dict[str, int | float] = {}
        self.run_code(code()[1])

    def run_code(self, parts: tuple[CodeType, ...]) -> None:
        """Define the kernel's functions in the namespace."""
        for part in parts:
            exec(part, self.names)

    def bind(self, table: str, columns: Mapping[str, Any]) -> None:
        """Take the columns of a table; code that knows other values is given up."""
        for name, column in columns.items():
            flat = f"{table}_{name}"
            self.names[flat] = column
            if flat in self.known and not (is_uniform(column) and column[0] == self.known[flat]):
                self.known = {}
                self.run_code(code()[1])

    def specialise(self) -> None:
        """Go on with code made for the values that this plane's columns have."""
        known, parts = code(uniform_columns(self.names))
        self.known = dict(known)
        self.run_code(parts)


def advance(p: Plane, until: int) -> int:
    """Carry out all events before `until` [ns]; why it came back."""
    if not p.known and p.names["run_events"][0] >= ENOUGH:
        p.specialise()
    return int(p.names["advance"](until))


def launch(p: Plane, kind: int, i: int, pc: int, handle: int, now: int) -> int:
    """Let an instance carry out instructions on a thread of their own; the frame."""
    return int(p.names["launch"](kind, i, pc, handle, now))


def launch_client(p: Plane, now: int) -> int:
    """Create a client of a closed workload; its frame."""
    return int(p.names["launch_client"](now))


def set_ready(p: Plane, i: int, ready: int) -> int:
    """Put an instance into load balancing, or take it out."""
    return int(p.names["set_ready"](i, ready))


def crash(p: Plane, i: int, now: int) -> int:
    """An instance dies with all it was doing; the number of frames lost."""
    return int(p.names["crash"](i, now))
