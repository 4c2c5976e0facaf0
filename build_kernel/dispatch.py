"""Writes out what plain Python looks up: `SCHEDULERS[policy].pick(...)` becomes comparisons with direct calls.

The table stands in `simvirt/kernel/schedulers/registry.py`: one `Scheduler(...)` an entry, whose keywords name
functions, and whose defaults stand in the class. The number of a scheduler is its place.
"""

import ast
from dataclasses import dataclass

TABLE = "SCHEDULERS"
ENTRY = "Scheduler"


@dataclass(frozen=True)
class Registry:
    """The schedulers, and the functions that carry out each move in their order."""

    names: tuple[str, ...]
    moves: dict[str, list[str]]

    @classmethod
    def read(cls, tree: ast.Module) -> "Registry":
        """The table of a file."""
        entry = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == ENTRY)
        fields = [node for node in entry.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
        defaults = {node.target.id: node.value for node in fields if isinstance(node.target, ast.Name)}
        assigned = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
        table = assigned[TABLE]
        assert isinstance(table, ast.Tuple)
        calls = [call for call in table.elts if isinstance(call, ast.Call)]
        rows = [defaults | {k.arg: k.value for k in call.keywords if k.arg} for call in calls]
        moves = {field: [row[field] for row in rows] for field in defaults if field != "name"}
        names = tuple(str(ast.literal_eval(call.args[0])) for call in calls)
        return cls(names, {move: [ast.unparse(name) for name in found if name] for move, found in moves.items()})


class Expand(ast.NodeTransformer):
    """Replaces a look-up in the table by a call of the function that compares; knows which of them are needed."""

    def __init__(self) -> None:
        self.needed: set[str] = set()

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`SCHEDULERS[policy].move(a, b)` is `scheduler_move(policy, a, b)`."""
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(ast.Subscript(ast.Name(name), policy), move) if name == TABLE:
                self.needed.add(move)
                function = ast.Name(f"scheduler_{move}", ast.Load())
                return ast.copy_location(ast.Call(function, [policy, *node.args], []), node)
        return node


def dispatcher(move: str, names: list[str], functions: dict[str, ast.FunctionDef]) -> ast.FunctionDef:
    """The function that carries out a move as the scheduler of a number does."""
    first = functions[names[0]]
    arguments = ", ".join(argument.arg for argument in first.args.args)
    returns = ast.unparse(first.returns or ast.Constant(None))
    result = "" if returns == "None" else "return "
    *some, last = dict.fromkeys(names)
    lines = [f"def scheduler_{move}(policy: int, {ast.unparse(first.args)}) -> {returns}:"]
    for word, name in zip(["if", *["elif"] * len(some)], some, strict=False):
        numbers = " or ".join(f"policy == {number}" for number, other in enumerate(names) if other == name)
        lines += [f"    {word} {numbers}:", f"        {result}{name}({arguments})"]
    lines += ["    else:", f"        {result}{last}({arguments})"] if some else [f"    {result}{last}({arguments})"]
    made = ast.parse("\n".join(lines)).body[0]
    assert isinstance(made, ast.FunctionDef)
    return made


def expand(trees: dict[str, ast.Module], registry: str) -> tuple[str, ...]:
    """Write out all look-ups, with the functions that compare in the registry's file; the names of the schedulers."""
    found = Registry.read(trees[registry])
    expander = Expand()
    for tree in trees.values():
        expander.visit(tree)
    functions = {node.name: node for tree in trees.values() for node in tree.body if isinstance(node, ast.FunctionDef)}
    trees[registry].body += [dispatcher(move, found.moves[move], functions) for move in sorted(expander.needed)]
    for tree in trees.values():
        ast.fix_missing_locations(tree)
    return found.names
