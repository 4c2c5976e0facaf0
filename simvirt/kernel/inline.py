"""Puts the bodies of the kernel's functions where they are called: in plain mode a call costs as much as ten of the kernel's statements.

A function is put in place where its call is a statement of its own, the value of an assignment or of a `return`, or a condition; a
function that is one expression, anywhere. Local names are renamed apart. Recursive functions stay functions, and so do those that
return from inside a loop.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SMALL = 120  # nodes of a function that is put in place wherever it is called
Functions = dict[str, ast.FunctionDef]
Statements = list[ast.stmt]


class LoopReturn(Exception):
    """A function returns in a way that cannot be turned into branches."""


def clone(node: Any) -> Any:
    """A copy of a tree."""
    if isinstance(node, list):
        return [clone(item) for item in node]
    if not isinstance(node, ast.AST) or not node.__dict__:  # a plain value, or one of the parser's own marks
        return node
    new = type(node).__new__(type(node))
    for name, value in node.__dict__.items():
        new.__dict__[name] = clone(value) if isinstance(value, ast.AST | list) else value
    return new


def size(node: ast.AST | Statements) -> int:
    """Number of nodes of a tree."""
    return sum(1 for item in (node if isinstance(node, list) else [node]) for _ in ast.walk(item))


def calls_in(node: ast.AST) -> list[str]:
    """Names of the functions that a tree calls, once a call."""
    return [n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]


def has(node: ast.AST, *kinds: type[ast.AST]) -> bool:
    """Whether a tree holds a node of certain kinds."""
    return any(isinstance(n, kinds) for n in ast.walk(node))


def stored(nodes: Statements) -> set[str]:
    """Names of the variables that statements assign."""
    return {n.id for item in nodes for n in ast.walk(item) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def is_simple(node: ast.expr) -> bool:
    """Whether an expression may be repeated at no cost."""
    return isinstance(node, ast.Constant | ast.Name) or (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant))


class Substitute(ast.NodeTransformer):
    """Replaces names by expressions or other names."""

    def __init__(self, names: dict[str, ast.expr], at: ast.AST) -> None:
        self.names, self.at = names, at

    def visit(self, node: ast.AST) -> ast.AST:
        """All that is put in place stands on the line of the call."""
        if isinstance(node, ast.expr | ast.stmt):
            ast.copy_location(node, self.at)
        new: ast.AST = super().visit(node)
        return new

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name."""
        new = self.names.get(node.id)
        if new is None:
            return node
        if isinstance(new, ast.Name):
            return ast.copy_location(ast.Name(new.id, node.ctx), self.at)
        copied: ast.AST = ast.copy_location(clone(new), self.at)
        return copied


def falls_through(body: Statements) -> bool:
    """Whether control can reach the end of statements."""
    if not body:
        return True
    last = body[-1]
    if isinstance(last, ast.Return | ast.Break | ast.Continue):
        return False
    if isinstance(last, ast.If):
        return falls_through(last.body) or falls_through(last.orelse)
    return not (isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and not has(last, ast.Break))


def as_branches(body: Statements, give: Callable[[ast.expr | None], Statements]) -> Statements:
    """The same statements without `return`: what follows a conditional return becomes the other branch."""
    for at, statement in enumerate(body):
        if isinstance(statement, ast.Return):
            return body[:at] + give(statement.value)
        if isinstance(statement, ast.If) and has(statement, ast.Return):
            rest = body[at + 1 :]
            both = falls_through(statement.body) and falls_through(statement.orelse)
            if both and size(rest) > SMALL:
                raise LoopReturn
            arms = [arm + (clone(rest) if falls_through(arm) else []) for arm in (statement.body, statement.orelse)]
            then, other = (as_branches(arm, give) for arm in arms)
            return [*body[:at], ast.If(statement.test, then or [ast.Pass()], other)]
        if has(statement, ast.Return):
            raise LoopReturn
    return body


@dataclass
class Inliner:
    """Puts functions in place, callees first."""

    functions: Functions
    keep: set[str]  # functions that must stay, because Python calls them
    simplify: Callable[[ast.FunctionDef], ast.FunctionDef] = lambda node: node  # what is done to a function when it is complete
    small: int = SMALL
    counter: int = 0
    done: Functions = field(default_factory=dict)
    placeable: set[str] = field(default_factory=set)
    open: list[str] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)

    def run(self) -> Functions:
        """All functions that are still called, with the others put in place."""
        for node in self.functions.values():
            for name in calls_in(node):
                self.uses[name] = self.uses.get(name, 0) + 1
        for name in self.functions:
            self.finish(name)
        return reachable(self.done, self.keep)

    def finish(self, name: str) -> None:
        """Complete one function after those that it calls."""
        if name in self.done or name in self.open:
            return
        self.open.append(name)
        node = clone(self.functions[name])
        for callee in dict.fromkeys(calls_in(node)):
            if callee in self.functions:
                self.finish(callee)
        node.body = self.block(node.body)
        self.open.pop()
        self.done[name] = node = self.simplify(node)
        if name not in self.keep and name not in calls_in(node) and (self.uses.get(name) == 1 or size(node) <= self.small):
            self.placeable.add(name)

    def chosen(self, call: ast.expr | None) -> ast.FunctionDef | None:
        """The function that a call is to be replaced by."""
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return None
        node = self.done.get(call.func.id)
        return node if node is not None and call.func.id in self.placeable else None

    def block(self, body: Statements) -> Statements:
        """Statements with calls replaced by what they do."""
        return [new for statement in body for new in self.statement(statement)]

    def statement(self, node: ast.stmt) -> Statements:
        """One statement, which may become several."""
        node = Expressions(self).visit(node)
        for name in ("body", "orelse"):
            if hasattr(node, name):
                setattr(node, name, self.block(getattr(node, name)))
        try:
            return self.replaced(node)
        except LoopReturn:
            return [node]

    def replaced(self, node: ast.stmt) -> Statements:
        """A statement whose call is replaced, if it is one that can be."""
        if isinstance(node, ast.If):
            negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
            call = node.test.operand if isinstance(node.test, ast.UnaryOp) and negated else node.test
            if self.chosen(call) is None:
                return [node]
            name = self.fresh("answer")
            before = self.put(call, lambda value: assign(ast.Name(name, ast.Store()), value, node))
            test: ast.expr = ast.copy_location(ast.Name(name, ast.Load()), node)
            node.test = ast.copy_location(ast.UnaryOp(ast.Not(), test), node) if negated else test
            return [*before, node]
        if not isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return) or self.chosen(node.value) is None:
            return [node]
        assert node.value is not None
        if isinstance(node, ast.Return):
            return self.put(node.value, None)
        if isinstance(node, ast.Expr):
            return self.put(node.value, lambda result: drop(result, node))
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        return self.put(node.value, lambda result: assign(clone(target), result, node))

    def fresh(self, name: str) -> str:
        """A name that no other variable has."""
        self.counter += 1
        return f"{name.rstrip('0123456789').rstrip('_')}_{self.counter}"

    def put(self, call: ast.expr, give: Callable[[ast.expr | None], Statements] | None) -> Statements:
        """The body of the called function; `give` says what becomes of its result, None that it stays a `return`."""
        assert isinstance(call, ast.Call)
        node = self.chosen(call)
        assert node is not None
        node = clone(node)
        changed = stored(node.body)
        names: dict[str, ast.expr] = {}
        before: Statements = []
        for parameter, argument in zip(node.args.args, call.args, strict=True):
            if is_simple(argument) and parameter.arg not in changed:
                names[parameter.arg] = argument
            else:
                new = self.fresh(parameter.arg)
                before += assign(ast.Name(new, ast.Store()), argument, call)
                names[parameter.arg] = ast.Name(new, ast.Load())
        for name in sorted(changed - names.keys()):
            names[name] = ast.Name(self.fresh(name), ast.Load())
        substitute: Any = Substitute(names, call)
        body: Statements = [substitute.visit(statement) for statement in node.body]
        return before + (body if give is None else as_branches(body, give))


class Expressions(ast.NodeTransformer):
    """Replaces calls of one-expression functions inside an expression; statements inside a statement are left alone."""

    def __init__(self, inliner: Inliner) -> None:
        self.inliner = inliner

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Go into expressions, not into blocks."""
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, name, self.visit(value))
            elif isinstance(value, list) and name not in ("body", "orelse"):
                setattr(node, name, [self.visit(item) if isinstance(item, ast.expr) else item for item in value])
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name):
            return node
        if node.func.id in ("min", "max") and len(node.args) == 2 and all(is_simple(argument) for argument in node.args):
            return smaller_or_larger(node)
        called = self.inliner.done.get(node.func.id)
        if called is None or node.func.id in self.inliner.keep or len(called.body) != 1 or not isinstance(called.body[0], ast.Return):
            return node
        expression = called.body[0].value
        if expression is None or any(name not in ("int", "float") for name in calls_in(expression)):
            return node
        used = [n.id for n in ast.walk(expression) if isinstance(n, ast.Name)]
        pairs = list(zip(called.args.args, node.args, strict=True))
        if any(not is_simple(a) and (used.count(parameter.arg) > 1 or calls_in(a)) for parameter, a in pairs):
            return node
        names = {parameter.arg: a for parameter, a in pairs}
        new: ast.AST = Substitute(names, node).visit(clone(expression))
        return new


def smaller_or_larger(node: ast.Call) -> ast.expr:
    """`min(a, b)` as `b if b < a else a`, which is what it means, also of a zero and of equals."""
    assert isinstance(node.func, ast.Name)
    a, b = node.args
    sign = ast.Lt() if node.func.id == "min" else ast.Gt()
    new = ast.IfExp(ast.Compare(b, [sign], [a]), clone(b), clone(a))
    return ast.fix_missing_locations(ast.copy_location(new, node))


def assign(target: ast.expr, value: ast.expr | None, at: ast.AST) -> Statements:
    """`target = value`."""
    assert value is not None
    return [ast.fix_missing_locations(ast.copy_location(ast.Assign([target], value), at))]


def drop(value: ast.expr | None, at: ast.AST) -> Statements:
    """A result that nobody wants; what it calls is called."""
    return [ast.copy_location(ast.Expr(value), at)] if value is not None and calls_in(value) else []


def reachable(functions: Functions, roots: set[str]) -> Functions:
    """The functions that the roots need."""
    found: set[str] = set()
    open_names = [name for name in functions if name in roots]
    while open_names:
        name = open_names.pop()
        if name in functions and name not in found:
            found.add(name)
            open_names += calls_in(functions[name])
    return {name: node for name, node in functions.items() if name in found}
