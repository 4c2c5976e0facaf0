"""The kernel's own source files as data: what `build_kernel.py` and the plain kernel (`plain.py`) both make their code from.

Reading folds constants into the code, drops docstrings and flattens the tables: `p.frames.kind[f]` becomes `p.frames_kind[f]`, and a
function that takes one table takes the plane instead. Needs nothing but the standard library, so that a build in isolation can load it.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = (
    "constants.py",
    "table.py",
    "hardware.py",
    "ledgers.py",
    "tables.py",
    "calendar.py",
    "histogram.py",
    "tree.py",
    "runqueue.py",
    "schedulers/eevdf.py",
    "schedulers/cfs.py",
    "schedulers/credit.py",
    "schedulers/round_robin.py",
    "schedulers/credit2.py",
    "schedulers/hyperv.py",
    "schedulers/shares.py",
    "schedulers/esxi.py",
    "policy.py",
    "quota.py",
    "accounting.py",
    "fluid.py",
    "placement.py",
    "hierarchy.py",
    "interference.py",
    "running.py",
    "choosing.py",
    "balancing.py",
    "idling.py",
    "cpu.py",
    "review.py",
    "replicas.py",
    "requests.py",
    "storage.py",
    "network.py",
    "devices.py",
    "faults.py",
    "itinerary.py",
    "loop.py",
)
"""The files that make up the kernel, in the order of their imports."""
TABLES = ("hardware.py", "ledgers.py", "tables.py")
"""Those that declare tables."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    table: str  # attribute of the plane
    name: str
    kind: str  # Ints, Floats
    owner: str  # lowering, control, kernel

    @property
    def flat(self) -> str:
        """Its name in the flattened plane."""
        return f"{self.table}_{self.name}"


@dataclass(frozen=True)
class Function:
    """A function of the kernel: its flattened tree, and the file that it stands in."""

    file: str
    node: ast.FunctionDef
    boundary: bool  # Python may call it


@dataclass(frozen=True)
class Source:
    """The whole kernel: columns of the plane, constants, functions by name in the order of the files."""

    columns: list[Column]
    constants: dict[str, int | float]
    functions: dict[str, Function]


def read_source() -> Source:
    """Read all files; two functions of one name in different files are an error."""
    trees = {name: ast.parse((FOLDER / name).read_text()) for name in FILES}
    constants = {name: value for tree in trees.values() for name, value in constants_of(tree).items()}
    tables = tables_of([trees[name] for name in TABLES])
    flatten = Flatten(constants, tables)
    functions: dict[str, Function] = {}
    for file, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                if node.name in functions:
                    raise SystemExit(f"{file}: {node.name} is defined in {functions[node.name].file} too; kernel names are unique")
                functions[node.name] = Function(file, flatten.visit(node), bool(node.decorator_list))
    return Source(columns_of(tables), constants, functions)


def constants_of(tree: ast.Module) -> dict[str, int | float]:
    """Module-level CAPITALS bound to literals."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {t.id: ast.literal_eval(n.value) for n in assigned for t in n.targets if isinstance(t, ast.Name) and t.id.isupper()}


def tables_of(trees: list[ast.Module]) -> dict[str, ast.ClassDef]:
    """The classes of the tables by their attribute of the plane."""
    classes = {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}
    return {name: classes[kind] for name, kind in declared(classes["Plane"])}


def declared(node: ast.ClassDef) -> list[tuple[str, str]]:
    """Names and annotations of a class."""
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    return [(item.target.id, ast.unparse(item.annotation)) for item in fields if isinstance(item.target, ast.Name)]


def columns_of(tables: dict[str, ast.ClassDef]) -> list[Column]:
    """All columns, with the owner that the comment above them names."""
    texts = {name: (FOLDER / name).read_text() for name in TABLES}
    found = []
    for table, node in tables.items():
        owner = "kernel"
        text = next(text for text in texts.values() if f"class {node.name}(Table):" in text)
        for line in text.splitlines()[node.lineno - 1 : node.end_lineno]:
            name, _, rest = line.strip().partition(": ")
            if line.startswith("    # "):
                owner = line.split()[1].rstrip(",")
            elif rest.split(" ")[0] in ("Ints", "Floats"):
                found.append(Column(table, name, rest.split(" ")[0], owner))
    return found


class Flatten(ast.NodeTransformer):
    """Folds constants, drops docstrings and turns columns of tables into columns of the plane."""

    def __init__(self, constants: dict[str, int | float], tables: dict[str, ast.ClassDef]) -> None:
        self.constants = constants
        self.attribute = {node.name: name for name, node in tables.items()}  # class of a table: its attribute of the plane
        self.tables: dict[str, str] = {}  # parameter that is a table: its attribute of the plane

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function: its tables come with the plane."""
        kinds = {argument.arg: ast.unparse(argument.annotation) for argument in node.args.args if argument.annotation is not None}
        self.tables = {name: self.attribute[kind] for name, kind in kinds.items() if kind in self.attribute}
        for argument in node.args.args:
            if argument.arg in self.tables:
                argument.arg, argument.annotation = "p", ast.Name("Plane", ast.Load())
        if isinstance(node.body[0], ast.Expr):
            node.body = node.body[1:]
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
            if inner.id == "p":
                return ast.copy_location(ast.Name("p", ast.Load()), node)
            return ast.copy_location(self.flat(self.tables[inner.id], node.attr), node)
        assert isinstance(inner, ast.Attribute)
        return ast.copy_location(self.flat(inner.attr, node.attr), node)

    def flat(self, table: str, column: str) -> ast.Attribute:
        """A column of the plane."""
        return ast.Attribute(ast.Name("p", ast.Load()), f"{table}_{column}", ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A constant is its value, a table the plane."""
        if node.id in self.constants:
            return ast.copy_location(ast.Constant(self.constants[node.id]), node)
        if node.id in self.tables:
            return ast.copy_location(ast.Name("p", ast.Load()), node)
        return node
