"""The leaves of an expression: what it reads of stored samples, each put into a name of its own.

With its leaves replaced, an expression is arithmetic on values that we computed, and any Prometheus
can do that arithmetic. Raises `NotReckonedError` for what is not known here. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import promql_parser as promql
import re2

from verifier.engines.causes.over_time import WITH_ARGUMENT
from verifier.engines.causes.traits import INSTANT, Trait
from verifier.engines.causes.windows import RANGE_FUNCTIONS
from verifier.evidence.relaxed import is_scalar
from verifier.promql.conditions import quantity_of
from verifier.promql.parsing import parse
from verifier.promql.printing import Printer, matcher_text, text_of
from verifier.promql.reads import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.history.samples import LabelSet
    from verifier.engines.causes.traits import Traits

_CLOCKS: Final = ("timestamp",)
"""Functions that look past the value of what they are about."""


class NotReckonedError(Exception):
    """A part of an expression that is not recomputed here; the message names it."""


@dataclass(frozen=True, slots=True)
class ExpressionLeaf:
    """A selector with the function of its range, or `INSTANT`; `window_ms` is 0 of an instant.

    `argument` is the number that the function is called with, NaN without one.
    """

    function: str
    selector: promql.VectorSelector
    window_ms: int
    offset_ms: int
    argument: float = math.nan

    def selects(self, labels: LabelSet) -> bool:
        """Return whether the series with these labels is read."""
        known = dict(labels)
        if self.selector.name and known.get(NAME) != self.selector.name:
            return False
        return all(_meets(matcher, known) for matcher in self.selector.matchers.matchers)

    def labels(self, labels: LabelSet, name: str) -> LabelSet:
        """Return the labels of this leaf's value for a series, under the name that it has here."""
        return tuple(sorted({**dict(labels), NAME: name}.items()))


def leaves_of(expr: str) -> tuple[ExpressionLeaf, ...]:
    """Return the leaves of `expr`, in the order of its text."""
    printer = _LeafPrinter(frozenset(), "x")
    printer.text(parse(expr))
    return tuple(printer.leaves)


@lru_cache(1024)
def functions_of(expr: str) -> tuple[str, ...]:
    """Return the functions of the leaves of `expr`, `INSTANT` among them."""
    return tuple(dict.fromkeys(leaf.function for leaf in leaves_of(expr)))


def with_named_leaves(expr: str, traits: Traits, prefix: str) -> str:
    """Return `expr` with its n-th leaf replaced by the metric `prefix` n, for an engine's traits.

    What an engine does to values rather than to samples becomes part of the expression.
    """
    return _LeafPrinter(traits, prefix).text(parse(expr))


class _LeafPrinter(Printer):
    """Writes an expression with names in the place of its leaves."""

    def __init__(self, traits: Traits, prefix: str) -> None:
        super().__init__(1.0)
        self.prefix = prefix
        self.drops_nan = Trait.NAN_IS_MISSING in traits
        self.leaves: list[ExpressionLeaf] = []

    def text(self, node: promql.Expr) -> str:
        """Return `node`, a leaf by its name."""
        match node:
            case promql.Call() if _ranges_below(node):
                return self._range(node, _ranges_below(node)[0])
            case promql.VectorSelector():
                return self._leaf(INSTANT, node, 0)
            case promql.SubqueryExpr():
                raise NotReckonedError("a subquery")
            case promql.Call() if node.func.name in _CLOCKS:
                raise NotReckonedError(f"{node.func.name}()")
        text = super().text(node)
        is_vector = isinstance(node, (promql.BinaryExpr, promql.Call, promql.AggregateExpr))
        if self.drops_nan and is_vector and not is_scalar(node):
            return f"(({text}) >= -Inf)"
        return text

    def _range(self, node: promql.Call, selected: promql.MatrixSelector) -> str:
        name = node.func.name
        window_ms = round(selected.range.total_seconds() * 1000)
        if name == "absent_over_time":
            present = self._leaf("present_over_time", selected.vector_selector, window_ms)
            return f"absent({present})"
        if name not in RANGE_FUNCTIONS:
            raise NotReckonedError(f"{name}()")
        argument = math.nan
        if name in WITH_ARGUMENT:
            (number,) = (each for each in node.args if each is not selected)
            quantity = quantity_of(text_of(number))
            if quantity.core:
                raise NotReckonedError(f"{name}() of a number that changes")
            argument = quantity.offset
        return self._leaf(name, selected.vector_selector, window_ms, argument)

    def _leaf(
        self,
        function: str,
        selector: promql.VectorSelector,
        window_ms: int,
        argument: float = math.nan,
    ) -> str:
        if selector.at is not None:
            raise NotReckonedError("@")
        if selector.matchers.or_matchers:
            raise NotReckonedError("`or` between matchers")
        offset_ms = round(selector.offset.total_seconds() * 1000) if selector.offset else 0
        self.leaves.append(ExpressionLeaf(function, selector, window_ms, offset_ms, argument))
        own = [matcher for matcher in selector.matchers.matchers if matcher.name != NAME]
        inside = ",".join(map(matcher_text, own))
        return f"{self.prefix}{len(self.leaves) - 1}" + (f"{{{inside}}}" if inside else "")


def _ranges_below(node: promql.Call) -> list[promql.MatrixSelector]:
    return [each for each in node.args if isinstance(each, promql.MatrixSelector)]


def _meets(matcher: promql.Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    match str(matcher.op):
        case "MatchOp.Equal":
            return bool(value == matcher.value)
        case "MatchOp.NotEqual":
            return bool(value != matcher.value)
        case "MatchOp.Re":
            return _matches(matcher.value, value)
    return not _matches(matcher.value, value)


def _matches(pattern: str, value: str) -> bool:
    try:
        return re2.fullmatch(pattern, value) is not None
    except re2.error:
        raise NotReckonedError(f"the pattern {pattern!r}") from None
