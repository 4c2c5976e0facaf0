"""Joins the kernel's source files into one Cython module: a unity build, so that small functions inline across files.

The kernel is plain typed Python, read by `source.py`; this step says what its types mean in C: `int` is a 64-bit
integer, `float` a double, `bool` a C truth value, `Ints` and `Floats` are pointers, the plane is an extension type
that holds one for each column, a function is a C function without the GIL, and one marked `@boundary` is a Python
function that releases the GIL.
"""

import ast
import hashlib
from pathlib import Path

from build_kernel.source import FOLDER, Column, read_source

TYPES = {"int": "cython.longlong", "float": "cython.double", "bool": "cython.bint", "None": "cython.void"}
POINTERS = {"Ints": "cython.p_longlong", "Floats": "cython.p_double"}
VIEWS = {"Ints": "cython.longlong[::1]", "Floats": "cython.double[::1]"}  # know their bounds
CASTS = {"int": "cython.longlong", "float": "cython.double"}
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "nonecheck": False,
    "infer_types": True,
    "binding": False,
}
ADDRESSES = '''
@cython.cfunc
def Ints_of(column: cython.longlong[::1]) -> cython.p_longlong:
    return cython.address(column[0])


@cython.cfunc
def Floats_of(column: cython.double[::1]) -> cython.p_double:
    return cython.address(column[0])
'''


def expression(text: str) -> ast.expr:
    """Source text as a tree."""
    return ast.parse(text, mode="eval").body


class Typed(ast.NodeTransformer):
    """Replaces annotations and conversions by what they mean in C."""

    def __init__(self, columns: dict[str, str]) -> None:
        self.types = TYPES | columns
        self.large: set[int] = set()

    def c_type(self, annotation: ast.expr | None) -> str:
        """What a type annotation means in C."""
        name = ast.unparse(annotation) if annotation is not None else "None"
        return self.types.get(name, name)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """A declared variable."""
        self.generic_visit(node)
        node.annotation = expression(self.c_type(node.annotation))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`int(x)` and `float(x)` are C casts."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in CASTS:
            return expression(f"cython.cast({CASTS[node.func.id]}, {ast.unparse(node.args[0])})")
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Integers beyond 31 bits are C variables: Cython would make them objects."""
        if isinstance(node.value, int) and abs(node.value) >= 2**31:
            self.large.add(node.value)
            return ast.Name(large_name(node.value), ast.Load())
        return node

    def function(self, node: ast.FunctionDef, boundary: bool) -> str:
        """A C function without the GIL, or a Python function that releases it."""
        for argument in node.args.args:
            argument.annotation = expression(self.c_type(argument.annotation))
        returns = self.c_type(node.returns)
        node.decorator_list, node.returns = [], None if boundary else expression(returns)
        node.body = [self.visit(statement) for statement in node.body]
        if not boundary:
            return "@cython.cfunc\n@cython.nogil\n@cython.exceptval(check=False)\n" + ast.unparse(node)
        statement = node.body[0]
        assert isinstance(statement, ast.Return) and statement.value is not None
        head, result = ast.unparse(node).splitlines()[0], ast.unparse(statement.value)
        return f"{head}\n    result: {returns}\n    with cython.nogil:\n        result = {result}\n    return result"


def large_name(value: int) -> str:
    """Name of the C variable that holds a large integer."""
    return f"large_{value}".replace("-", "minus_")


def plane_class(columns: list[Column], checked: bool) -> str:
    """The extension type that holds all columns: pointers, and the arrays that they point into."""
    types = VIEWS if checked else POINTERS
    lines = ["@cython.cclass", "class Plane:", "    arrays: dict"]
    lines += [f"    {c.flat}: {types[c.kind]}" for c in columns]
    lines += ["    def __init__(self):", "        self.arrays = {}"]
    lines += ["    def bind(self, table, columns):", "        self.arrays[table] = dict(columns)"]
    for table in dict.fromkeys(c.table for c in columns):
        lines.append(f"        if table == {table!r}:")
        for c in columns:
            if c.table == table:
                value = f"columns[{c.name!r}]"
                lines.append(f"            self.{c.flat} = {value if checked else f'{c.kind}_of({value})'}")
    return "\n".join(lines)


def unity_source(checked: bool = False) -> str:
    """The whole kernel as one Cython module in pure-Python syntax; `checked`: columns know their bounds."""
    source = read_source()
    typed = Typed(VIEWS if checked else POINTERS)
    functions = []
    for function in source.functions.values():
        functions.append(f"# {function.file}\n" + typed.function(function.node, function.boundary))
    digests = {file: hashlib.sha256((FOLDER / file).read_bytes()).hexdigest() for file in source.files}
    parts = ['"""Made by build_kernel from simvirt/kernel; do not edit."""', "import cython", f"SOURCES = {digests!r}"]
    parts.append(f"SCHEDULERS = {source.schedulers!r}")
    parts += [f"{large_name(value)} = cython.declare(cython.longlong, {value})" for value in sorted(typed.large)]
    return "\n\n".join([*parts, ADDRESSES, plane_class(source.columns, checked), *functions]) + "\n"


def write_unity(path: Path, checked: bool = False) -> None:
    """Write the joined module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unity_source(checked))
