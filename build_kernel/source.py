"""Source files of a compiled module, the kernel or the machine, as data: which there are, their constants, tables and functions.

Reading writes out the table of schedulers (`dispatch.py`) or of instructions (`instructions.py`),
folds constants into the code, drops docstrings and
flattens the tables: `p.frames.kind[f]` becomes `p.frames_kind[f]`, and a function that takes one table takes the plane
instead. Needs nothing but the standard library, so that a build in isolation can load it.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from build_kernel import dispatch, instructions

PACKAGE = Path(__file__).resolve().parents[1] / "simvirt"
ROOT = "loop.py"
"""The file that Python calls; those that it imports, and so on, make up the module."""


@dataclass(frozen=True)
class Unit:
    """A module to build: where its files lie, what holds its tables, and the table that is written out as comparisons."""

    name: str  # of the extension
    package: str  # folder in simvirt
    plane: str  # class that holds all tables
    parameter: str  # what functions call it
    registry: str  # file that is read first
    expand: Callable[[dict[str, ast.Module], str], tuple[str, ...]]  # writes out the table
    not_compiled: frozenset[str]  # imported for what they mean to plain Python; the build reads their marks
    bodies: str = ""  # file whose functions have bodies of their own in C

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return PACKAGE / self.package

    @property
    def prefix(self) -> str:
        """What the names of its modules begin with."""
        return f"simvirt.{self.package}."


KERNEL = Unit("_kernel", "kernel", "Plane", "p", "schedulers/registry.py", dispatch.expand, frozenset({"boundary.py", "marks.py"}))
MACHINE = Unit("_machine", "machine", "Machine", "m", "steps.py", instructions.expand, frozenset({"isa/listing.py"}), "words.py")
UNITS = (KERNEL, MACHINE)
FOLDER = KERNEL.folder


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    table: str  # attribute of the plane
    name: str
    kind: str  # Ints, Floats, Shorts, IntArray, FloatArray, Bytes

    @property
    def flat(self) -> str:
        """Its name in the flattened plane."""
        return f"{self.table}_{self.name}"

    @property
    def of_row(self) -> bool:
        """Whether it has one value a row."""
        return self.kind in ("Ints", "Floats", "Shorts")


@dataclass(frozen=True)
class Function:
    """A function of the kernel: its flattened tree, and the file that it stands in."""

    file: str
    node: ast.FunctionDef
    marks: tuple[str, ...]  # `boundary`: Python may call it; `apart` and `rare`: not joined with its callers

    @property
    def boundary(self) -> bool:
        """Whether Python may call it."""
        return "boundary" in self.marks


@dataclass(frozen=True)
class Source:
    """The whole kernel: files in the order of their imports, columns, constants, schedulers, functions by name."""

    files: tuple[str, ...]
    columns: list[Column]
    constants: dict[str, int | float]
    schedulers: tuple[str, ...]
    functions: dict[str, Function]
    unit: Unit = KERNEL


def read_source(folder: Path | None = None, unit: Unit = KERNEL) -> Source:
    """Read all files; two functions or two constants of one name in different files are an error."""
    folder = folder or unit.folder
    trees = trees_of(unit, folder, ROOT, trees_of(unit, folder, unit.registry, {}))
    schedulers = unit.expand(trees, unit.registry)
    constants: dict[str, int | float] = {}
    for file, tree in trees.items():
        for name, value in constants_of(tree).items():
            if constants.setdefault(name, value) != value:
                raise SystemExit(f"{file}: {name} has another value elsewhere; the kernel's constants are unique")
    tables = tables_of(trees, unit.plane)
    flatten = Flatten(constants, tables, unit)
    functions: dict[str, Function] = {}
    for file, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                if node.name in functions:
                    other = functions[node.name].file
                    raise SystemExit(f"{file}: {node.name} is defined in {other} too; the kernel's names are unique")
                marks = tuple(ast.unparse(mark) for mark in node.decorator_list)
                functions[node.name] = Function(file, node if file == unit.bodies else flatten.visit(node), marks)
    return Source(tuple(trees), columns_of(tables), constants, schedulers, functions, unit)


def trees_of(unit: Unit, folder: Path, file: str, found: dict[str, ast.Module]) -> dict[str, ast.Module]:
    """Add a file to those found, after all that it imports from the module."""
    tree = ast.parse((folder / file).read_text())
    for other in imported(tree, unit.prefix):
        if other not in found and other not in unit.not_compiled:
            trees_of(unit, folder, other, found)
    found[file] = tree
    return found


def imported(tree: ast.Module, prefix: str) -> Iterator[str]:
    """Files of the module that a file imports from."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(prefix):
            yield str(node.module).removeprefix(prefix).replace(".", "/") + ".py"


def constants_of(tree: ast.Module) -> dict[str, int | float]:
    """Module-level CAPITALS bound to numbers."""
    assigned = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
    numbers = {name: value for name, value in assigned.items() if isinstance(value, ast.Constant | ast.UnaryOp)}
    return {name: ast.literal_eval(value) for name, value in numbers.items() if name.isupper()}


def tables_of(trees: dict[str, ast.Module], plane: str) -> dict[str, ast.ClassDef]:
    """The classes of the tables by their attribute of the plane."""
    classes = {node.name: node for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)}
    return {name: classes[kind] for name, kind in declared(classes[plane])}


def declared(node: ast.ClassDef) -> list[tuple[str, str]]:
    """Names and annotations of a class."""
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    return [(item.target.id, ast.unparse(item.annotation)) for item in fields if isinstance(item.target, ast.Name)]


def columns_of(tables: dict[str, ast.ClassDef]) -> list[Column]:
    """All columns of all tables."""
    return [Column(table, name, kind) for table, node in tables.items() for name, kind in declared(node)]


class Flatten(ast.NodeTransformer):
    """Folds constants, drops docstrings and turns columns of tables into columns of the plane."""

    def __init__(self, constants: dict[str, int | float], tables: dict[str, ast.ClassDef], unit: Unit = KERNEL) -> None:
        self.constants = constants
        self.unit = unit
        self.attribute = {node.name: name for name, node in tables.items()}  # by the class of a table
        self.tables: dict[str, str] = {}  # parameter that is a table: its attribute of the plane

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function: its tables come with the plane."""
        kinds = {argument.arg: ast.unparse(argument.annotation) for argument in node.args.args if argument.annotation}
        self.tables = {name: self.attribute[kind] for name, kind in kinds.items() if kind in self.attribute}
        for argument in node.args.args:
            if argument.arg in self.tables:
                argument.arg, argument.annotation = self.unit.parameter, ast.Name(self.unit.plane, ast.Load())
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        node.body = [self.visit(statement) for statement in node.body]
        return ast.fix_missing_locations(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """The annotation stays as it is."""
        node.value = self.visit(node.value) if node.value is not None else None
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`p.table.column` and `table.column` are `p.table_column`; `p.table` alone is the plane."""
        inner = node.value
        if isinstance(inner, ast.Name):
            if inner.id == self.unit.parameter:
                return ast.copy_location(ast.Name(inner.id, ast.Load()), node)
            return ast.copy_location(self.flat(self.tables[inner.id], node.attr), node)
        assert isinstance(inner, ast.Attribute)
        return ast.copy_location(self.flat(inner.attr, node.attr), node)

    def flat(self, table: str, column: str) -> ast.Attribute:
        """A column of the plane."""
        return ast.Attribute(ast.Name(self.unit.parameter, ast.Load()), f"{table}_{column}", ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A constant is its value, a table the plane."""
        if node.id in self.constants:
            return ast.copy_location(ast.Constant(self.constants[node.id]), node)
        if node.id in self.tables:
            return ast.copy_location(ast.Name(self.unit.parameter, ast.Load()), node)
        return node
