"""One small change of a source file, made in its syntax tree: what may be changed, and the changed tree.

A change is a slip that a person could make: a limit that takes its end or not, a sign, a factor, one more or one less,
`and` for `or`, a condition turned round, the least for the greatest, a statement that is left out. Texts are left alone
(a name is either wrong everywhere or a message), and so are annotations, decorators and docstrings.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
}  # fmt: skip
NAMED = {
    one: other
    for pair in (
        ("min", "max"), ("any", "all"), ("floor", "ceil"), ("minimum", "maximum"), ("logical_and", "logical_or"),
        ("argmin", "argmax"), ("ROUND_FLOOR", "ROUND_CEILING"), ("keys", "values"),
    )
    for one, other in (pair, pair[::-1])
}  # fmt: skip
LEFT_OUT = (ast.Raise, ast.Continue, ast.Break, ast.AugAssign, ast.Assert, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    """One change: `kind` says which sort, `number` which place in the file's own order."""

    file: str
    line: int
    number: int
    kind: str
    before: str
    after: str

    @property
    def said(self) -> str:
        """What is changed, on one line and without its place: the name under which a survivor is argued."""
        return f"{self.before} → {self.after}"


Change = Callable[[], ast.AST]


def _other(operators: dict[type, type], operator: ast.AST) -> ast.AST | None:
    """The operator that is written by a slip instead, if there is one."""
    slip = operators.get(type(operator))
    return slip() if slip else None


def _compared(node: ast.Compare) -> Iterator[tuple[str, ast.AST]]:
    for place, operator in enumerate(node.ops):
        slip = _other(COMPARED, operator)
        if slip is not None:
            operators = [*node.ops[:place], slip, *node.ops[place + 1 :]]
            yield "comparison", ast.Compare(left=node.left, ops=operators, comparators=node.comparators)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every change of one node, with its kind."""
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BinOp() if (slip := _other(COMPUTED, node.op)) is not None:
            yield "arithmetic", ast.BinOp(left=node.left, op=slip, right=node.right)
        case ast.AugAssign() if (slip := _other(COMPUTED, node.op)) is not None:
            yield "arithmetic", ast.AugAssign(target=node.target, op=slip, value=node.value)
        case ast.BoolOp():
            yield "boolean", ast.BoolOp(op=ast.Or() if isinstance(node.op, ast.And) else ast.And(), values=node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield "sign", node.operand
        case ast.Constant(value=bool()):
            yield "constant", ast.Constant(value=not node.value)
        case ast.Constant(value=int() | float()):
            yield "constant", ast.Constant(value=node.value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in NAMED:
            yield (
                "extreme",
                ast.Call(func=ast.Name(id=NAMED[name], ctx=ast.Load()), args=node.args, keywords=node.keywords),
            )
        case ast.Attribute(attr=name) if name in NAMED:
            yield "extreme", ast.Attribute(value=node.value, attr=NAMED[name], ctx=node.ctx)
        case ast.If() | ast.While():
            yield "condition", type(node)(test=_negated(node.test), body=node.body, orelse=node.orelse)
        case ast.IfExp():
            yield "condition", ast.IfExp(test=_negated(node.test), body=node.body, orelse=node.orelse)
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "return", ast.Return(value=ast.Constant(value=None))
    left_out = isinstance(node, LEFT_OUT) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    if left_out:
        yield "left out", ast.Pass()


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.UnaryOp(op=ast.Not(), operand=test)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below that may be changed, with where it hangs."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params", "bases", "keywords") and not isinstance(
            node, ast.Call
        ):
            continue
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield node, field, place, child
                yield from _places(child)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _line(node: ast.AST) -> str:
    """A node as it is written, its first line (a condition without what hangs on it)."""
    return ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]


def mutants(file: Path, root: Path) -> list[Mutant]:
    """Every change of one file, in the order of its places."""
    found: list[Mutant] = []
    for *_, node in _places(ast.parse(file.read_text())):
        for kind, changed in _changes(node):
            found.append(
                Mutant(
                    file=str(file.relative_to(root)),
                    line=getattr(node, "lineno", 0),
                    number=len(found),
                    kind=kind,
                    before=_line(node),
                    after=_line(changed),
                )
            )
    return found


def changed(text: str, number: int) -> ast.Module:
    """The tree of a source with the change of this number made.

    Raises
    ------
    IndexError
        If there is no such change.
    """
    tree = ast.parse(text)
    counted = 0
    for parent, field, place, node in _places(tree):
        for _, change in _changes(node):
            if counted == number:
                ast.copy_location(change, node)
                if place is None:
                    setattr(parent, field, change)
                else:
                    getattr(parent, field)[place] = change
                return ast.fix_missing_locations(tree)
            counted += 1
    raise IndexError(number)
