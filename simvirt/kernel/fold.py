"""Simplifies the plain kernel's functions by what is known of a plane: a column that lowering filled with one value is that value.

Known columns and constant variables are written into the code, decided conditions leave one branch, variables that nobody reads go.
Every operation left gives the value that it gave before: what is folded are operations on constants, done here as Python does them there.
"""

import ast
from collections.abc import Mapping

from simvirt.kernel.inline import Functions, Statements, calls_in, clone, falls_through

Facts = Mapping[str, int | float]  # flattened column: the value of all its rows
FOLDED = {"int": int, "float": float, "min": min, "max": max}
ROUNDS = 4  # simplifications of one function, each by what the one before left


class Fold(ast.NodeTransformer):
    """Evaluates what is known."""

    def __init__(self, facts: Facts, variables: dict[str, ast.expr]) -> None:
        self.facts, self.variables = facts, variables

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A variable that is always the same."""
        known = self.variables.get(node.id)
        if known is None or not isinstance(node.ctx, ast.Load):
            return node
        new: ast.AST = ast.copy_location(clone(known), node)
        return new

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """A column of one value; zeros in an index."""
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load) and node.value.id in self.facts:
            return constant(self.facts[node.value.id], node)
        self.generic_visit(node)
        node.slice = Index().visit(node.slice)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Arithmetic."""
        self.generic_visit(node)
        return evaluated(node) if is_known(node.left) and is_known(node.right) else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """A sign, or not."""
        self.generic_visit(node)
        return evaluated(node) if is_known(node.operand) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A comparison."""
        self.generic_visit(node)
        return evaluated(node) if is_known(node.left) and all(is_known(c) for c in node.comparators) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A conversion, or the lesser or larger of two."""
        self.generic_visit(node)
        known = isinstance(node.func, ast.Name) and node.func.id in FOLDED and all(is_known(a) for a in node.args)
        return evaluated(node) if known else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """`and` and `or` of conditions: parts that decide nothing go, a part that decides is the last."""
        self.generic_visit(node)
        decides = isinstance(node.op, ast.Or)
        left: list[ast.expr] = []
        for value in node.values:
            if not is_known(value):
                left.append(value)
            elif bool(value_of(value)) == decides:
                left.append(value)
                break
        if not left:
            return constant(not decides, node)
        return left[0] if len(left) == 1 else ast.copy_location(ast.BoolOp(node.op, left), node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """A choice between two values."""
        self.generic_visit(node)
        if not is_known(node.test):
            return node
        return node.body if value_of(node.test) else node.orelse

    def visit_If(self, node: ast.If) -> ast.AST | Statements:
        """A branch; a decided one is replaced by its statements."""
        node.test = self.visit(node.test)
        if is_known(node.test):
            return self.block(node.body if value_of(node.test) else node.orelse)
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        if not node.body and not node.orelse and not calls_in(node.test):
            return []
        if not node.body and node.orelse:
            node.test, node.body, node.orelse = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node), node.orelse, []
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_While(self, node: ast.While) -> ast.AST | Statements:
        """A loop."""
        node.test = self.visit(node.test)
        if is_known(node.test) and not value_of(node.test):
            return []
        node.body = self.block(node.body) or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """A loop."""
        node.iter = self.visit(node.iter)
        node.body = self.block(node.body) or [ast.copy_location(ast.Pass(), node)]
        return node

    def block(self, body: Statements) -> Statements:
        """Statements up to the first that control does not pass."""
        left: Statements = []
        for statement in body:
            new = self.visit(statement)
            left += new if isinstance(new, list) else [new]
            if not falls_through(left):
                break
        return [s for s in left if not isinstance(s, ast.Pass)]


class Index(ast.NodeTransformer):
    """Leaves zeros and ones out of the arithmetic of an index, which is about integers."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """An index within has been visited."""
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A sum or a product."""
        self.generic_visit(node)
        for this, other in ((node.left, node.right), (node.right, node.left)):
            value = this.value if isinstance(this, ast.Constant) else None
            if (value == 0 and isinstance(node.op, ast.Add)) or (value == 1 and isinstance(node.op, ast.Mult)):
                return other
            if value == 0 and isinstance(node.op, ast.Mult) and not calls_in(other):
                return constant(0, node)
        return node


def constant(value: int | float | bool, at: ast.AST) -> ast.expr:
    """A constant in a place."""
    return ast.copy_location(ast.Constant(value), at)


def is_known(node: ast.expr) -> bool:
    """Whether an expression is a constant."""
    return isinstance(node, ast.Constant)


def value_of(node: ast.expr) -> int | float | bool:
    """Value of a constant."""
    assert isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return node.value


def evaluated(node: ast.expr) -> ast.expr:
    """An expression of constants as its value; as it is where it has none."""
    whole = ast.fix_missing_locations(ast.Expression(clone(node)))
    try:
        return constant(eval(compile(whole, "", "eval"), {"__builtins__": FOLDED}), node)
    except ArithmeticError:
        return node


def simplify(node: ast.FunctionDef, facts: Facts) -> ast.FunctionDef:
    """A function with all that is known written into it."""
    variables: dict[str, ast.expr] = {}
    for _ in range(ROUNDS):
        node.body = Fold(facts, variables).block(node.body) or [ast.copy_location(ast.Pass(), node)]
        drop = Drop(node, variables)
        node.body = drop.block(node.body)
        if not drop.changed:
            break
        variables = drop.known
    return node


class Drop:
    """Takes out assignments of constants to variables that are assigned once, and of variables that nobody reads."""

    def __init__(self, node: ast.FunctionDef, known: dict[str, ast.expr]) -> None:
        self.changed = False
        self.known: dict[str, ast.expr] = {}
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        self.parameters = {a.arg for a in node.args.args}
        self.stores: dict[str, int] = {}
        for n in names:
            if isinstance(n.ctx, ast.Store):
                self.stores[n.id] = self.stores.get(n.id, 0) + 1
        self.loads = {n.id for n in names if isinstance(n.ctx, ast.Load)}

    def block(self, body: Statements) -> Statements:
        """Statements without those that are not needed."""
        left: Statements = []
        for statement in body:
            for name in ("body", "orelse"):
                if getattr(statement, name, None):
                    inner = self.block(getattr(statement, name))
                    setattr(statement, name, inner or ([ast.copy_location(ast.Pass(), statement)] if name == "body" else []))
            if self.goes(statement):
                self.changed = True
            else:
                left.append(statement)
        return left or [ast.copy_location(ast.Pass(), body[0])]

    def goes(self, statement: ast.stmt) -> bool:
        """Whether an assignment can be left out."""
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return False
        name = statement.targets[0].id
        if name not in self.loads and not calls_in(statement.value):
            return True
        alone = self.stores.get(name) == 1 and name not in self.parameters
        if alone and (is_known(statement.value) or self.is_fixed(statement.value)):
            self.known[name] = statement.value
            return True
        return False

    def is_fixed(self, value: ast.expr) -> bool:
        """Whether a value is a parameter that keeps its value."""
        return isinstance(value, ast.Name) and value.id in self.parameters and value.id not in self.stores


def constant_columns(functions: Functions, uniform: Facts) -> dict[str, int | float]:
    """The columns of one value, of those given, that no function changes."""
    facts = dict(uniform)
    for node in functions.values():
        inner = {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Subscript)}
        for n in ast.walk(node):
            if isinstance(n, ast.Assign | ast.AugAssign):
                target = n.targets[0] if isinstance(n, ast.Assign) else n.target
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    same = isinstance(n, ast.Assign) and is_known(n.value) and value_of(n.value) == uniform.get(target.value.id)
                    if not same:
                        facts.pop(target.value.id, None)
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        for n in names:  # a column that is handed on as a whole may be changed
            if n.id in facts and id(n) not in inner:
                del facts[n.id]
    return facts
