"""The small changes of a module that its tests should notice, each of one expression or statement.

Drawn from the syntax tree and made in the text, so that everything else of the file stays as it is.
Left out: types, decorators, docstrings, formatted texts, and what is raised or asserted.
"""

from __future__ import annotations

import ast
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
"""At the edge, and the contrary."""
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitXor: ast.BitOr,
}  # fmt: skip
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
SWAPPED = (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp)
"""Arguments that may be mistaken for each other."""
LEFT_OUT = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the bytes `start` to `end` of a module become `new`. `where` is the function."""

    path: str
    line: int
    where: str
    start: int
    end: int
    old: str
    new: str

    def apply(self, text: str) -> str:
        """Return the module with the change. Raises SyntaxError when it is no Python any more."""
        raw = text.encode()
        changed = (raw[: self.start] + self.new.encode() + raw[self.end :]).decode()
        ast.parse(changed)
        return changed

    def __str__(self) -> str:
        """The place and the change, in one line."""
        old = " ".join(self.old.split())
        return f"{self.path}:{self.line} ({self.where}): {old}  ->  {self.new}"


def mutants_of(path: str, text: str) -> list[Mutant]:
    """Return every mutant of a module, in the order of its text."""
    starts, raw = [0], text.encode()
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    mutants = []
    for node, where, new in _changes(ast.parse(text), "module"):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        old = raw[start:end].decode()
        mutants.append(Mutant(path, node.lineno, where, start, end, old, new))
    return sorted(mutants, key=lambda mutant: (mutant.start, mutant.end, mutant.new))


def draw(sources: Mapping[str, str], count: int, seed: str) -> list[Mutant]:
    """Draw `count` mutants of these modules (or all there are), no two of them of one line."""
    every = [mutant for path, text in sorted(sources.items()) for mutant in mutants_of(path, text)]
    Random(seed).shuffle(every)  # noqa: S311 - a sample, no secret
    drawn: dict[tuple[str, int], Mutant] = {}
    for mutant in every:
        place = mutant.path, mutant.line
        if len(drawn) < count and place not in drawn and _is_python(mutant, sources[mutant.path]):
            drawn[place] = mutant
    return list(drawn.values())


def _is_python(mutant: Mutant, text: str) -> bool:
    try:
        mutant.apply(text)
    except SyntaxError:
        return False
    return True


def _changes(node: ast.AST, where: str) -> Iterator[tuple[Any, str, str]]:
    """Yield node, function and new text of every change below `node`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        where = node.name if where == "module" else f"{where}.{node.name}"
    for test, new in _conditions(node):
        yield test, where, new
    for child in _children(node):
        for new in _new_texts(child):
            yield child, where, new
        yield from _changes(child, where)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of a node in which something is computed."""
    if isinstance(node, LEFT_OUT) or _names_columns(node):
        return
    skipped = {"decorator_list", "returns", "annotation", "bases", "keywords", "type_params"}
    if isinstance(node, ast.Call):
        skipped -= {"keywords"}
    for name, value in ast.iter_fields(node):
        if name not in skipped:
            children = value if isinstance(value, list) else [value]
            yield from (child for child in children if isinstance(child, ast.AST))


def _names_columns(node: ast.AST) -> bool:
    """Whether names are numbered (`A, B = range(2)`), or types are imported for the checker."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "range"
    )


def _new_texts(node: ast.AST) -> Iterator[str]:
    """Yield what may stand in the place of a node."""
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.expr):
        yield from _operators(node)
    elif isinstance(node, ast.stmt):
        yield from _statements(node)


def _operators(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield _with(node, op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"bool({ast.unparse(node.operand)})"


def _statements(node: ast.stmt) -> Iterator[str]:
    if _can_go(node):
        yield "pass"
    if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield _with(node, op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.Break | ast.Continue):
        yield "continue" if isinstance(node, ast.Break) else "break"
    elif isinstance(node, ast.Return) and not isinstance(
        node.value, ast.Constant | ast.Compare | ast.BoolOp | None
    ):
        yield "return None"


def _with(node: ast.AST, **changes: Any) -> str:
    changed = deepcopy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return ast.unparse(changed)


def _comparisons(node: ast.Compare) -> Iterator[str]:
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            yield _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


def _constants(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int | float):
        yield repr(value + 1)
        if value:
            yield f"({value - 1!r})"


def _calls(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id in OPPOSITES:
        yield _with(node, func=ast.Name(OPPOSITES[node.func.id]))
        return
    for place, (first, second) in enumerate(pairwise(node.args)):
        alike = ast.dump(first) == ast.dump(second)
        if isinstance(first, SWAPPED) and isinstance(second, SWAPPED) and not alike:
            yield _with(node, args=[*node.args[:place], second, first, *node.args[place + 2 :]])


def _can_go(node: ast.AST) -> bool:
    """Whether a statement can be left out without a name being missing."""
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Subscript | ast.Attribute) for target in node.targets)
    return isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await)
    )


def _conditions(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Yield each condition that a node decides by, and what it may be taken for."""
    if _names_columns(node):
        return
    if isinstance(node, ast.If | ast.IfExp):
        yield node.test, "True"
        yield node.test, "False"
    elif isinstance(node, ast.While):
        yield node.test, "False"
    elif isinstance(node, ast.comprehension):
        yield from ((test, "True") for test in node.ifs)
