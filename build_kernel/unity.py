"""Joins the kernel's source files into one Cython module: a unity build, so that small functions inline across files.

The kernel is plain typed Python, read by `source.py`; this step says what its types mean in C: `int` is a 64-bit
integer, `float` a double, `bool` a C truth value, a row of a table is a struct of its columns (`Ints`, `Floats`), a
column of a length of its own (`IntArray`, `FloatArray`) a pointer, the plane is an extension type that holds a pointer
for each table and each of these columns, a function is a C function without the GIL, and one marked `@boundary` is a
Python function that releases the GIL; those marked
`@apart` or `@rare` are not inlined. With bounds checks every column is a memoryview.
"""

import ast
import hashlib
import re
from pathlib import Path

from build_kernel.layout import in_order, padding
from build_kernel.source import KERNEL, Column, Source, Unit, read_source
from build_kernel.words import bodies

TYPES = {"int": "cython.longlong", "float": "cython.double", "bool": "cython.bint", "None": "cython.void"}
FIELDS = {"Ints": "cython.longlong", "Floats": "cython.double", "Shorts": "cython.short"}
FORMATS = {"Ints": "i8", "Floats": "f8", "Shorts": "i2"}
"""What a field is for numpy; its last letter is its bytes."""
POINTERS = {"IntArray": "cython.p_longlong", "FloatArray": "cython.p_double", "Bytes": "cython.p_uchar"}
ELEMENTS = {"Ints": "longlong", "Floats": "double", "Shorts": "longlong", "IntArray": "longlong", "FloatArray": "double", "Bytes": "uchar"}
VIEWS = {kind: f"cython.{c_type}[:]" for kind, c_type in ELEMENTS.items()}  # know their bounds
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
def IntArray_of(column: cython.longlong[::1]) -> cython.p_longlong:
    return cython.address(column[0])


@cython.cfunc
def FloatArray_of(column: cython.double[::1]) -> cython.p_double:
    return cython.address(column[0])


@cython.cfunc
def Bytes_of(column: cython.uchar[::1]) -> cython.p_uchar:
    return cython.address(column[0])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def ahead(place: cython.p_void) -> cython.void:
    pass
'''
KEEPS = {"apart", "rare"}
AHEAD = "ahead"  # the mark of values
KEPT = """#ifdef __GNUC__
#define KEPT_apart __attribute__((noinline))
#define KEPT_rare __attribute__((cold, noinline))
#define AHEAD(place) do { __builtin_prefetch(place); __asm__ __volatile__(""); } while (0)
#else
#define KEPT_apart
#define KEPT_rare
#define AHEAD(place) ((void)(place))
#endif
"""


def expression(text: str) -> ast.expr:
    """Source text as a tree."""
    return ast.parse(text, mode="eval").body


def unsigned(node: ast.expr) -> str:
    """A sum, difference or product whose parts are taken as words without a sign."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(node.op)]
        return f"({unsigned(node.left)} {sign} {unsigned(node.right)})"
    return f"cython.cast(cython.ulonglong, {ast.unparse(node)})"


class Typed(ast.NodeTransformer):
    """Replaces annotations, conversions and values of rows by what they mean in C."""

    def __init__(self, kinds: dict[str, str], fields: dict[str, Column], parameter: str = KERNEL.parameter) -> None:
        self.types = TYPES | kinds
        self.fields = fields  # by their names in the flattened plane
        self.parameter = parameter  # what functions call the plane

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`p.table_column[row]` is a field of a row's record."""
        self.generic_visit(node)
        if not isinstance(node.value, ast.Attribute) or node.value.attr not in self.fields:
            return node
        field = self.fields[node.value.attr]
        return ast.Attribute(expression(f"{self.parameter}.{field.table}[{ast.unparse(node.slice)}]"), field.name, node.ctx)

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
        """`int(x)` and `float(x)` are C casts; `wrap(a + b)` is taken modulo 2**64, without an overflow that C does not define."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == AHEAD:
            return self.fetched(node)
        if isinstance(node.func, ast.Name) and node.func.id in CASTS:
            return expression(f"cython.cast({CASTS[node.func.id]}, {ast.unparse(node.args[0])})")
        if isinstance(node.func, ast.Name) and node.func.id == "wrap" and isinstance(node.args[0], ast.BinOp):
            return expression(f"cython.cast(cython.longlong, {unsigned(node.args[0])})")
        return node

    def fetched(self, node: ast.Call) -> ast.AST:
        """A value that is needed soon: its place; nothing where columns know their bounds, which it need not keep."""
        value = ast.unparse(node.args[0])
        return expression(f"{AHEAD}(cython.cast(cython.p_void, cython.address({value})))") if self.fields else ast.Constant(0)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Integers beyond 31 bits are put together from smaller ones: Cython would make them objects."""
        if isinstance(node.value, int) and abs(node.value) >= 2**31:
            high, low = divmod(node.value, 2**31)
            return expression(f"((cython.cast(cython.longlong, {high}) << 31) + {low})")
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A number that is shifted to the left is a word, not an `int` of C."""
        if isinstance(node.op, ast.LShift) and isinstance(node.left, ast.Constant):
            node.left = expression(f"cython.cast(cython.longlong, {ast.unparse(node.left)})")
        self.generic_visit(node)
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


def record_types(columns: list[Column]) -> list[str]:
    """The record of a row of each table that has columns with one value a row."""
    types = {(c.table, c.name): FIELDS[c.kind] for c in columns if c.of_row}
    found = {table: [f"{name}={types[table, name]}" for name in names] for table, names in record_fields(columns, False).items() if names}
    words = record_words(columns, False)
    free = {table: [f"unused_{at}=cython.longlong" for at in range(padding(words[table]))] for table in found}
    return [f"{table}_row = cython.struct({', '.join(fields + free[table])})" for table, fields in found.items()]


def plane_class(columns: list[Column], checked: bool, name: str = KERNEL.plane) -> str:
    """The extension type that holds all tables: pointers, and the arrays that they point into."""
    tables = dict.fromkeys(c.table for c in columns if c.of_row and not checked)
    apart = [c for c in columns if checked or not c.of_row]
    lines = ["@cython.cclass", f"class {name}:", "    arrays: dict"]
    lines += [f"    {table}: cython.pointer({table}_row)" for table in tables]
    lines += [f"    {c.flat}: {(VIEWS if checked else POINTERS)[c.kind]}" for c in apart]
    lines += ["    def __init__(self):", "        self.arrays = {}"]
    lines += ["    def bind(self, table, columns, records):", "        self.arrays[table] = (dict(columns), records)"]
    for table in dict.fromkeys(c.table for c in columns):
        lines.append(f"        if table == {table!r}:")
        if table in tables:
            lines.append(f"            self.{table} = cython.cast(cython.pointer({table}_row), IntArray_of(records))")
        for c in apart:
            if c.table == table:
                value = f"columns[{c.name!r}]"
                lines.append(f"            self.{c.flat} = {value if checked else f'{c.kind}_of({value})'}")
    return "\n".join(lines)


def record_fields(columns: list[Column], checked: bool) -> dict[str, tuple[str, ...]]:
    """The columns that make up the records of each table, in their order; none where every column is apart."""
    tables = dict.fromkeys(c.table for c in columns)
    narrow = {(c.table, c.name) for c in columns if c.kind == "Shorts"}
    found = {table: in_order(table, (c.name for c in columns if c.table == table and c.of_row and not checked)) for table in tables}
    return {table: tuple(sorted(names, key=lambda name: (table, name) in narrow)) for table, names in found.items()}


def record_formats(columns: list[Column], checked: bool) -> dict[str, tuple[str, ...]]:
    """What the columns of each record are for numpy."""
    formats = {(c.table, c.name): FORMATS[c.kind] for c in columns if c.of_row}
    return {table: tuple(formats[table, name] for name in names) for table, names in record_fields(columns, checked).items()}


def record_words(columns: list[Column], checked: bool) -> dict[str, int]:
    """Words of 64 bits that the columns of each record take, without what is left free behind them."""
    return {table: -(-sum(int(found[1:]) for found in formats) // 8) for table, formats in record_formats(columns, checked).items()}


def unity_source(checked: bool = False, unit: Unit = KERNEL) -> str:
    """A whole module in Cython's pure-Python syntax; `checked`: columns know their bounds."""
    source = read_source(unit=unit)
    kinds = VIEWS if checked else POINTERS
    typed = Typed(kinds, {} if checked else {c.flat: c for c in source.columns if c.of_row}, unit.parameter)
    functions = [bodies(kinds["Bytes"], checked)] if unit.bodies else []
    for function in source.functions.values():
        if function.file != unit.bodies:
            functions.append(f"# {function.file}\n" + typed.function(function.node, function.boundary))
    parts = [*heads(source, checked), *([] if checked else record_types(source.columns))]
    return "\n\n".join([*parts, ADDRESSES, plane_class(source.columns, checked, unit.plane), *functions]) + "\n"


def heads(source: Source, checked: bool) -> list[str]:
    """What a module says about itself: digests of its files, the table that was written out, columns of its records."""
    unit = source.unit
    digests = {file: hashlib.sha256((unit.folder / file).read_bytes()).hexdigest() for file in source.files}
    table = f"{'SCHEDULERS' if unit is KERNEL else 'INSTRUCTIONS'} = {source.schedulers!r}"
    title = f'"""Made by build_kernel from simvirt/{unit.package}; do not edit."""'
    records, formats = record_fields(source.columns, checked), record_formats(source.columns, checked)
    words = {name: used + padding(used) for name, used in record_words(source.columns, checked).items()}
    rows = [f"RECORDS = {records!r}", f"FORMATS = {formats!r}", f"WORDS = {words!r}"]
    return [title, "import cython", f"SOURCES = {digests!r}", table, *rows]


def keep_apart(path: Path, unit: Unit = KERNEL) -> None:
    """Write into the C file what the marks `apart` and `rare` of functions say, for compilers that can be asked for it."""
    text = path.read_text()
    for name, function in read_source(unit=unit).functions.items():
        for mark in KEEPS.intersection(function.marks):
            declared = rf"^static (?=[^\n;]*\b__pyx_f_\w*{unit.name}_{name}\()"
            text, found = re.subn(declared, f"static KEPT_{mark} ", text, count=1, flags=re.M)
            assert found, f"Cython declares {name}"
    text = re.sub(rf"(?<!void )\b__pyx_f_\w*{unit.name}_{AHEAD}(?=\()", AHEAD.upper(), text)
    generated, rest = text.split("\n", 1)
    path.write_text(f"{generated}\n{KEPT}{rest}")  # whose first line Cython looks for before it writes the file again


def write_unity(path: Path, checked: bool = False, unit: Unit = KERNEL) -> None:
    """Write the joined module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unity_source(checked, unit))
