"""Joins the kernel's source files into one Cython module: a unity build, so that small functions inline across files.

The kernel is plain typed Python. This step says what its types mean in C: `int` is a 64-bit integer, `float` a double, `bool` a C truth value,
`Ints` and `Floats` are memoryviews, a `Table` is an extension type with a constructor, a function is a C function without the GIL,
one marked `@boundary` is a Python function that releases the GIL, and a CONSTANT is its value.
"""

import ast
import hashlib
from pathlib import Path

KERNEL = Path(__file__).parent / "simvirt" / "kernel"
FILES = (
    "constants.py",
    "tables.py",
    "calendar.py",
    "histogram.py",
    "tree.py",
    "runqueue.py",
    "schedulers/eevdf.py",
    "schedulers/cfs.py",
    "schedulers/credit.py",
    "schedulers/round_robin.py",
    "policy.py",
    "quota.py",
    "accounting.py",
    "fluid.py",
    "placement.py",
    "cpu.py",
    "requests.py",
    "storage.py",
    "network.py",
    "itinerary.py",
    "advance.py",
)
TYPES = {"int": "cython.longlong", "float": "cython.double", "bool": "cython.bint", "None": "cython.void"}
COLUMNS = {"Ints": "cython.longlong[::1]", "Floats": "cython.double[::1]"}
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


def source_digest() -> str:
    """SHA-256 of the kernel's source files; `simvirt.kernel.source_digest` computes the same at run time."""
    digest = hashlib.sha256()
    for path in sorted(KERNEL.rglob("*.py")):
        digest.update(path.relative_to(KERNEL).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def constant_values(trees: dict[str, ast.Module]) -> dict[str, str]:
    """Module-level CAPITALS bound to literals, as source text."""
    values = {}
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
                values[node.targets[0].id] = repr(ast.literal_eval(node.value))
    return values


def is_large(value: str) -> bool:
    """Whether a literal is an integer beyond 31 bits."""
    return value.lstrip("-").isdigit() and abs(int(value)) >= 2**31


def c_type(annotation: ast.expr | None) -> str:
    """What a type annotation means in C."""
    name = ast.unparse(annotation) if annotation is not None else "None"
    return TYPES.get(name) or COLUMNS.get(name) or name


class Typed(ast.NodeTransformer):
    """Replaces annotations, conversions and constants by what they mean in C."""

    def __init__(self, constants: dict[str, str]) -> None:
        self.constants = constants

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """A declared variable."""
        self.generic_visit(node)
        node.annotation = ast.parse(c_type(node.annotation), mode="eval").body
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`int(x)` and `float(x)` are C casts."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in CASTS:
            cast = ast.parse(f"cython.cast({CASTS[node.func.id]}, None)", mode="eval").body
            assert isinstance(cast, ast.Call)
            cast.args[1] = node.args[0]
            return cast
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A constant is its value, but for large integers, which are C variables (Cython would make them objects)."""
        if node.id in self.constants and not is_large(self.constants[node.id]):
            return ast.parse(f"({self.constants[node.id]})", mode="eval").body
        return node


def table_class(node: ast.ClassDef) -> str:
    """An extension type with typed columns and a constructor that takes them by name."""
    columns = [item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    names = [item.target.id for item in columns if isinstance(item.target, ast.Name)]
    lines = ["@cython.cclass", f"class {node.name}:"]
    lines += [f"    {name}: {c_type(item.annotation)}" for name, item in zip(names, columns, strict=True)]
    lines += ["    def __init__(self, columns):"]
    lines += [f"        self.{name} = columns[{name!r}]" for name in names]
    return "\n".join(lines)


def kernel_function(node: ast.FunctionDef, typed: Typed) -> str:
    """A C function without the GIL, or a Python function that releases it."""
    for argument in node.args.args:
        argument.annotation = ast.parse(c_type(argument.annotation), mode="eval").body
    returns = c_type(node.returns)
    boundary = bool(node.decorator_list)
    node.decorator_list = []
    node.returns = None if boundary else ast.parse(returns, mode="eval").body
    node = typed.visit(node)
    node.body = node.body[1:] if isinstance(node.body[0], ast.Expr) else node.body
    if boundary:
        statement = node.body[0]
        assert isinstance(statement, ast.Return) and statement.value is not None
        result = ast.unparse(statement.value)
        head = ast.unparse(node).splitlines()[0]
        return f"{head}\n    result: {returns}\n    with cython.nogil:\n        result = {result}\n    return result"
    return "@cython.cfunc\n@cython.nogil\n@cython.exceptval(check=False)\n" + ast.unparse(node)


def unity_source() -> str:
    """The whole kernel as one Cython module in pure-Python syntax."""
    trees = {name: ast.parse((KERNEL / name).read_text()) for name in FILES}
    typed = Typed(constant_values(trees))
    parts = ['"""Made by build_kernel.py from simvirt/kernel; do not edit."""', "import cython", f"DIGEST = {source_digest()!r}"]
    parts += [f"{name} = cython.declare(cython.longlong, {value})" for name, value in typed.constants.items() if is_large(value)]
    for name, tree in trees.items():
        parts.append(f"# --- {name}")
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name != "Table":
                parts.append(table_class(node))
            elif isinstance(node, ast.FunctionDef):
                parts.append(kernel_function(node, typed))
    return "\n\n".join(parts) + "\n"


def check_unique_names() -> None:
    """Two functions of one name in different files would silently replace each other."""
    seen: dict[str, str] = {}
    for name in FILES:
        for node in ast.parse((KERNEL / name).read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                if node.name in seen:
                    raise SystemExit(f"{name}: {node.name} is defined in {seen[node.name]} too; names are unique across the kernel")
                seen[node.name] = name


def write_unity(path: Path) -> None:
    """Write the joined module."""
    check_unique_names()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unity_source())
