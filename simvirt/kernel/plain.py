"""The plain kernel: Python functions made from the kernel's source files, without a compiler and as fast as Python goes.

Columns become global variables of a namespace of each plane, loops over a row become slices, and functions are put in place where they are called.
Line numbers in tracebacks are those of the source files. The source files run as they are, too (SIMVIRT_PLAIN=source): slower, and easier to follow.
"""

import ast
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

from simvirt.kernel.inline import Functions, Inliner
from simvirt.kernel.source import FOLDER, Source, read_source

Columns = Mapping[str, Mapping[str, Any]]


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


CLEAR = r"for (\w+) in range\((.+), \2 \+ (\d+)\):\n    (\w+)\[\1\] = 0$"
COPY = r"for (\w+) in range\((\w+)\):\n    (\w+)\[(.+) \+ \1\] = (\w+)\[(.+) \+ \1\]$"
ADD = r"for (\w+) in range\((\d+)\):\n    (\w+)\[(\w+) \+ \1\] \+= (\w+)\[(\w+) \+ \1\]$"


def sliced(loop: str) -> str | None:
    """A loop that clears, copies or adds a row, as what does it faster; None for any other loop."""
    import re

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
    return source


@cache
def code() -> tuple[CodeType, ...]:
    """The functions of the plain kernel, ready to be run in the namespace of a plane."""
    source = plain_source()
    roots = {name for name, function in source.functions.items() if function.boundary}
    made = Inliner({name: function.node for name, function in source.functions.items()}, roots).run()
    return compiled(source, made)


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
        for part in code():
            exec(part, self.names)

    def bind(self, table: str, columns: Mapping[str, Any]) -> None:
        """Take the columns of a table that has been made anew."""
        for name, column in columns.items():
            self.names[f"{table}_{name}"] = column


def advance(p: Plane, until: int) -> int:
    """Carry out all events before `until` [ns]; why it came back."""
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
