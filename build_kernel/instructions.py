"""Writes out the machine's step: one comparison of the operation's number for each instruction, with a direct call.

The function `step` in `simvirt/machine/steps.py` has a branch for each shape of an instruction (`if SHAPES[op] == LOAD:`).
Instructions are functions in `simvirt/machine/isa/`, marked by `@instruction(SHAPE, syntax, pattern, size)`, once for each
encoding. The number of an instruction is the place of its mark; a function's marks count from the lowest.
"""

import ast
import copy
from dataclasses import dataclass

STEP = "step"
MARK = "instruction"
SHAPE, SIZE, EXECUTE = "SHAPES", "SIZES", "EXECUTE"


@dataclass(frozen=True)
class Instruction:
    """One mark."""

    function: str
    shape: str
    syntax: str
    size: int

    @property
    def mnemonic(self) -> str:
        """Its name in assembler."""
        return self.syntax.split()[0]


def marked(trees: dict[str, ast.Module]) -> list[Instruction]:
    """All instructions in the order of their numbers."""
    functions = [node for tree in trees.values() for node in tree.body if isinstance(node, ast.FunctionDef)]
    calls = [(node.name, mark) for node in functions for mark in reversed(node.decorator_list) if isinstance(mark, ast.Call)]
    return [read(name, mark) for name, mark in calls if ast.unparse(mark.func) == MARK]


def read(function: str, mark: ast.Call) -> Instruction:
    """What a mark says."""
    shape, syntax, _, *size = mark.args
    return Instruction(function, ast.unparse(shape), str(ast.literal_eval(syntax)), int(ast.literal_eval(size[0])) if size else 0)


class Specialize(ast.NodeTransformer):
    """Puts an instruction in the place of what is looked up by its number."""

    def __init__(self, found: Instruction) -> None:
        self.found = found

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`EXECUTE[op]` is the function, `SIZES[op]` the number."""
        self.generic_visit(node)
        match ast.unparse(node.value):
            case "EXECUTE":
                return ast.Name(self.found.function, ast.Load())
            case "SIZES":
                return ast.Constant(self.found.size)
        return node


def branches(step: ast.FunctionDef) -> dict[str, list[ast.stmt]]:
    """Statements of the step by shape."""
    found: dict[str, list[ast.stmt]] = {}
    for node in step.body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and ast.unparse(node.test.left) == f"{SHAPE}[op]":
            found[ast.unparse(node.test.comparators[0])] = node.body
    return found


def expand(trees: dict[str, ast.Module], file: str) -> tuple[str, ...]:
    """Write out the step; the mnemonics of the instructions."""
    found = marked(trees)
    step = next(node for node in trees[file].body if isinstance(node, ast.FunctionDef) and node.name == STEP)
    bodies = branches(step)
    head = [node for node in step.body if not isinstance(node, ast.If)]
    chain: list[ast.stmt] = []
    for number, instruction in reversed(list(enumerate(found))):
        body = [Specialize(instruction).visit(copy.deepcopy(statement)) for statement in bodies[instruction.shape]]
        test = ast.parse(f"op == {number}", mode="eval").body
        chain = [ast.If(test, body, chain)]
    step.body = [*head[:-1], *chain, head[-1]]
    ast.fix_missing_locations(trees[file])
    return tuple(instruction.mnemonic for instruction in found)
