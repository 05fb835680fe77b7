"""Every expression that differs from one by a single edit, as people make mistakes in rules.

Called by `mutants` for each alert. A tree is printed again with one node written otherwise. Which
edits there are follows what goes wrong in rule files: comparators, thresholds, other numbers and
operators, windows, metrics and matchers, functions, quantiles, aggregations and what they group by.
It knows no metric by name. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import promql_parser as promql

from verifier.promql.parsing import parse
from verifier.promql.printing import Printer, duration_text, matcher_text, number_of, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Written: TypeAlias = "Callable[[Printer], str]"
"""What writes a node otherwise, with the printer of the rest."""
MutantKind: TypeAlias = Literal[
    "comparator", "boundary", "threshold", "unit", "number", "operator", "for", "window", "metric",
    "matcher", "function", "aggregation", "grouping", "quantile", "label", "interval",
]  # fmt: skip

REVERSED: Final = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "!=", "!=": "=="}
AT_LIMIT: Final = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}
FACTORS: Final = (0.75, 0.9, 1.1, 1.25)
"""By which a threshold is moved: 10 and 25 % to both sides."""
UNIT_FACTORS: Final = (0.001, 1000.0)
"""Between units of a kind: milliseconds for seconds, kilobytes for bytes."""
NUMBER_FACTORS: Final = (0.9, 1.1)
"""By which a number of the arithmetic is moved: the size of a fleet, the budget of an objective."""
OPERATORS: Final = {"/": "*", "*": "/", "-": "+", "+": "-"}
FUNCTIONS: Final = {
    "rate": "increase", "irate": "increase", "increase": "rate", "delta": "deriv", "deriv": "delta",
    "avg_over_time": "max_over_time", "max_over_time": "min_over_time",
    "min_over_time": "max_over_time",
}  # fmt: skip
WINDOW_FACTORS: Final = (0.5, 2.0)
WINDOW_MAX_S: Final = 7 * 86400.0
"""A longer window is not doubled: thirty days would ask for sixty days of history."""
AGGREGATIONS: Final = {"sum": "avg", "avg": "max", "max": "min", "min": "max", "count": "sum"}
QUANTILES: Final = {0.5: 0.9, 0.9: 0.5, 0.95: 0.99, 0.99: 0.95}
NEGATED: Final = {
    "MatchOp.Equal": "!=", "MatchOp.NotEqual": "=", "MatchOp.Re": "!~", "MatchOp.NotRe": "=~",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of an expression: `before` and `after` are the part that changed, as written."""

    kind: MutantKind
    before: str
    after: str
    expr: str


class _Rewriter(Printer):
    """Prints a tree; the node that is visited as number `target` is written by `written`."""

    def __init__(self, target: int, written: _Written | None) -> None:
        super().__init__(1.0)
        self.target, self.written = target, written
        self.visited: list[promql.Expr] = []

    def text(self, node: promql.Expr) -> str:
        number = len(self.visited)
        self.visited.append(node)
        if number == self.target and self.written is not None:
            return self.written(self)
        return super().text(node)


def expression_edits(
    expr: str, siblings: Callable[[str], Sequence[str]] = lambda _: ()
) -> Iterator[Edit]:
    """Yield every edit of `expr`, each result once; nothing of what our parser does not read.

    `siblings` returns the metrics that may be taken for one by mistake.
    """
    try:
        tree = parse(expr)
    except ValueError:
        return
    plain = _Rewriter(-1, None)
    seen = {plain.text(tree)}
    for number, node in enumerate(plain.visited):
        for kind, written in _edits_of(node, siblings):
            before, after = Printer(1.0).text(node), written(Printer(1.0))
            text = _Rewriter(number, written).text(tree)
            if text not in seen and _is_valid(text):
                seen.add(text)
                yield Edit(kind, *_where_they_differ(kind, before, after), text)


def _where_they_differ(kind: MutantKind, before: str, after: str) -> tuple[str, str]:
    """Return two comparisons from their sign on, other parts as they are: `> 5` of `x > 5`."""
    if kind not in ("comparator", "boundary", "threshold", "unit"):
        return before, after
    old, new = before.split(" "), after.split(" ")
    same = next(
        (n for n, words in enumerate(zip(old, new, strict=False)) if len(set(words)) > 1), 0
    )
    first = max(same - (kind in ("threshold", "unit")), 0)
    first -= old[first] == "bool" and first > 0
    return " ".join(old[first:]), " ".join(new[first:])


def _is_valid(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _edits_of(
    node: promql.Expr, siblings: Callable[[str], Sequence[str]]
) -> Iterator[tuple[MutantKind, _Written]]:
    """Yield the kinds of edit of one node, each with what writes it."""
    match node:
        case promql.BinaryExpr() if str(node.op) in REVERSED:
            yield from _of_comparison(node)
        case promql.BinaryExpr() if str(node.op) in OPERATORS:
            yield from _of_arithmetic(node)
        case promql.MatrixSelector():
            window = duration_text(node.range.total_seconds())
            yield from _of_window(node)
            yield from _of_metric(node.vector_selector, siblings, window)
            yield from _of_matchers(node.vector_selector, window)
        case promql.VectorSelector():
            yield from _of_metric(node, siblings, None)
            yield from _of_matchers(node, None)
        case promql.AggregateExpr():
            yield from _of_aggregation(node)
        case promql.Call():
            yield from _of_call(node)


def _of_comparison(node: promql.BinaryExpr) -> Iterator[tuple[MutantKind, _Written]]:
    sign = str(node.op)
    yield "comparator", _with_sign(node, REVERSED[sign])
    if sign in AT_LIMIT:
        yield "boundary", _with_sign(node, AT_LIMIT[sign])
    for side in ("lhs", "rhs"):
        literal = getattr(node, side)
        if isinstance(literal, promql.NumberLiteral):
            for value in _moved(literal.val):
                yield "threshold", _with_side(node, side, number_of(value))
            for value in _moved(literal.val, UNIT_FACTORS) if literal.val else ():
                yield "unit", _with_side(node, side, number_of(value))


def _of_arithmetic(node: promql.BinaryExpr) -> Iterator[tuple[MutantKind, _Written]]:
    """Yield the other operator, and each number of it moved."""
    yield "operator", _with_sign(node, OPERATORS[str(node.op)])
    for side in ("lhs", "rhs"):
        literal = getattr(node, side)
        if isinstance(literal, promql.NumberLiteral):
            for value in _moved(literal.val, NUMBER_FACTORS):
                yield "number", _with_side(node, side, number_of(value))


def _moved(value: float, factors: Sequence[float] = FACTORS) -> list[float]:
    """Return the numbers beside one; of 0, one to each side."""
    return [-1.0, 1.0] if value == 0 else [float(f"{value * factor:.12g}") for factor in factors]


def _with_sign(node: promql.BinaryExpr, sign: str) -> _Written:
    return lambda printer: (
        f"{printer.text(node.lhs)} {sign}{_modifier(node)} {printer.text(node.rhs)}"
    )


def _with_side(node: promql.BinaryExpr, side: str, number: str) -> _Written:
    def write(printer: Printer) -> str:
        left = number if side == "lhs" else printer.text(node.lhs)
        right = number if side == "rhs" else printer.text(node.rhs)
        return f"{left} {node.op}{_modifier(node)} {right}"

    return write


def _modifier(node: promql.BinaryExpr) -> str:
    return f" {text}" if (text := str(node.modifier or "").strip()) else ""


def _of_window(node: promql.MatrixSelector) -> Iterator[tuple[MutantKind, _Written]]:
    length_s = node.range.total_seconds()
    for factor in WINDOW_FACTORS:
        if factor < 1 or length_s <= WINDOW_MAX_S:
            window = duration_text(round(length_s * factor, 3))
            yield "window", _selector(node.vector_selector, list, window)


def _of_metric(
    selector: promql.VectorSelector, siblings: Callable[[str], Sequence[str]], window: str | None
) -> Iterator[tuple[MutantKind, _Written]]:
    """Yield each metric that may be taken for the one that is read."""
    for name in siblings(selector.name) if selector.name else ():
        yield "metric", _selector(selector, list, window, name)


def _of_matchers(
    selector: promql.VectorSelector, window: str | None
) -> Iterator[tuple[MutantKind, _Written]]:
    """Yield each matcher dropped, negated, and widened to all that begins as it does."""
    for place, matcher in enumerate(selector.matchers.matchers):
        negated = f"{matcher.name}{NEGATED[str(matcher.op)]}{quoted(matcher.value)}"
        yield "matcher", _selector(selector, _without(place), window)
        yield "matcher", _selector(selector, _replaced(place, negated), window)
        if wider := _widened(matcher):
            yield "matcher", _selector(selector, _replaced(place, wider), window)


def _widened(matcher: promql.Matcher) -> str:
    """Return a matcher of all values that begin as one does, of a pattern any; "" of another."""
    if not matcher.value or str(matcher.op) not in ("MatchOp.Equal", "MatchOp.Re"):
        return ""
    first = re.escape(matcher.value[0])
    return f"{matcher.name}=~{quoted('.+' if str(matcher.op) == 'MatchOp.Re' else f'{first}.*')}"


def _without(place: int) -> Callable[[list[str]], list[str]]:
    return lambda matchers: [text for number, text in enumerate(matchers) if number != place]


def _replaced(place: int, other: str) -> Callable[[list[str]], list[str]]:
    return lambda matchers: [other if n == place else text for n, text in enumerate(matchers)]


def _selector(
    selector: promql.VectorSelector,
    change: Callable[[list[str]], list[str]],
    window: str | None,
    name: str | None = None,
) -> _Written:
    """Return what writes a selector with other matchers, another window or another name."""

    def write(printer: Printer) -> str:
        matchers = ",".join(change([matcher_text(each) for each in selector.matchers.matchers]))
        inside = f"{{{matchers}}}" if matchers or not selector.name else ""
        length = f"[{window}]" if window is not None else ""
        return f"{name or selector.name or ''}{inside}{length}{printer.moved(selector)}"

    return write


def _of_aggregation(node: promql.AggregateExpr) -> Iterator[tuple[MutantKind, _Written]]:
    name = str(node.op)
    if name in AGGREGATIONS:
        yield "aggregation", _aggregation(node, AGGREGATIONS[name], _grouping(node, None))
        # Left out: the threshold is then held against each series, or two sides no longer match.
        yield "aggregation", lambda printer: _alone(node.expr, printer)
    labels = list(node.modifier.labels) if node.modifier is not None else []
    for label in labels:
        yield "grouping", _aggregation(node, name, _grouping(node, label))


def _alone(node: promql.Expr, printer: Printer) -> str:
    """Return what stood inside of something, in brackets where it would be torn apart without."""
    text = printer.text(node)
    return f"({text})" if isinstance(node, (promql.BinaryExpr, promql.UnaryExpr)) else text


def _grouping(node: promql.AggregateExpr, dropped: str | None) -> str:
    """Return what an aggregation groups by, without one of its labels."""
    if node.modifier is None:
        return ""
    kept = [label for label in node.modifier.labels if label != dropped]
    word = str(node.modifier).split(" ", maxsplit=1)[0].split("(", maxsplit=1)[0]
    return f" {word} ({', '.join(kept)}) " if kept else ""


def _aggregation(node: promql.AggregateExpr, name: str, grouping: str) -> _Written:
    def write(printer: Printer) -> str:
        parameter = f"{printer.text(node.param)}, " if node.param is not None else ""
        return f"{name}{grouping}({parameter}{printer.text(node.expr)})"

    return write


def _of_call(node: promql.Call) -> Iterator[tuple[MutantKind, _Written]]:
    name = node.func.name
    if name in FUNCTIONS:
        arguments = list(node.args)
        yield (
            "function",
            lambda printer: f"{FUNCTIONS[name]}({', '.join(map(printer.text, arguments))})",
        )
    if name == "histogram_quantile":
        yield from _of_quantile(node)


def _of_quantile(node: promql.Call) -> Iterator[tuple[MutantKind, _Written]]:
    quantile = node.args[0]
    if not isinstance(quantile, promql.NumberLiteral):
        return
    other = number_of(QUANTILES.get(quantile.val, 0.5))

    def write(printer: Printer) -> str:
        rest = ", ".join(printer.text(argument) for argument in list(node.args)[1:])
        return f"histogram_quantile({other}, {rest})"

    yield "quantile", write
