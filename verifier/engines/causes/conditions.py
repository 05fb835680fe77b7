"""Where the condition of an alert says different things in two engines: which part, and when.

Both are asked the same questions on the rule's own grid, since VictoriaMetrics's answer depends on
the range that is asked for. Raises `QueryError` where one of them refuses a question.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from verifier.engines.causes.reckoning import values_of
from verifier.evidence.comparison import comparisons, holds, opened
from verifier.evidence.relaxed import is_scalar
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of
from verifier.servers.prometheus import RangeQuery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.engines.causes.reckoning import Values
    from verifier.evaluation.engine import SpreadSchedule
    from verifier.evaluation.timeline import Grid
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RecordingRule, RuleGroup
    from verifier.servers.prometheus import Prometheus

ROUNDING: Final = 1e-12
"""Values that are nearer than this share of them differ in how sums are rounded."""
Servers: TypeAlias = "tuple[Prometheus, Prometheus]"


@dataclass(frozen=True, slots=True)
class ConditionSide:
    """What one comparison of a condition measures: `expr`, against `threshold`.

    `written` is the same as it stands in the rule. Without an `operator` it is the whole condition,
    which holds where it has a value.
    """

    expr: str
    written: str
    operator: str = ""
    threshold: float = 0.0

    def says(self, value: float | None) -> bool:
        """Return whether it holds at this value."""
        if value is None or not self.operator:
            return value is not None
        return bool(holds(np.array([value]), self.operator, self.threshold)[0])


@dataclass(frozen=True, slots=True)
class DifferingValue:
    """One value of a side at one evaluation, in both engines; None where there is none."""

    side: ConditionSide
    query: RangeQuery
    labels: Labels
    step: int
    values: tuple[float | None, float | None]


def query_of(expr: str, group: RuleGroup, grid: Grid, epoch_s: float) -> RangeQuery:
    """Return `expr` asked as a rule of `group` is evaluated."""
    start_s = epoch_s + grid.start_s - group.query_offset_s
    return RangeQuery(expr, start_s, start_s + (grid.count - 1) * grid.interval_s, grid.interval_s)


class RuleInBoth:
    """A rule on the same histories in two engines; an alert, or one that records."""

    def __init__(
        self,
        servers: Servers,
        group: RuleGroup,
        rule: AlertRule | RecordingRule,
        schedule: SpreadSchedule,
    ) -> None:
        """Ask both for the whole condition."""
        self._servers = servers
        self.group, self.rule = group, rule
        self.grid, self._epoch_s = schedule.grid(group, rule), schedule.epoch_s
        self._answers: dict[str, tuple[Values, Values]] = {}
        self.sides = tuple(_sides(rule.expr))
        self._written = text_of(parse(rule.expr))

    def differing(self, labels: Labels) -> Iterator[tuple[int, list[DifferingValue]]]:
        """Yield each evaluation at which one engine has an alert with these labels of series.

        With it the values that decide it: those of the sides that say different things, or of the
        whole condition where no side does.
        """
        whole = self._answer(self.rule.expr)
        own = [answer.get(labels, {}) for answer in whole]
        steps = sorted(set(own[0]) ^ set(own[1]))
        # A label or an annotation may be made of the value.
        steps = steps or [step for step in sorted(own[0]) if own[0][step] != own[1][step]]
        agreeing = {
            side: [each for each in self._label_sets(side.expr) if _agree(each, labels)]
            for side in (self.sides if steps else ())
        }
        for step in steps:
            values = [
                value
                for side in self.sides
                for value in self._values(side, step, agreeing[side])
                if side.says(value.values[0]) != side.says(value.values[1])
            ]
            if not values:
                condition = ConditionSide(self.rule.expr, self._written)
                values = list(self._values(condition, step, [labels]))
            yield step, values

    def differing_values(self, most: int) -> list[DifferingValue]:
        """Return values of the whole expression that are not the same in both, `most` of them."""
        condition = ConditionSide(self.rule.expr, self._written)
        every = self._label_sets(condition.expr)
        values = (
            value
            for step in range(self.grid.count)
            for value in self._values(condition, step, every)
            if not is_nearly(*value.values)
        )
        return list(islice(values, most))

    def label_sets(self) -> list[Labels]:
        """Return the labels of all series of the condition, in either engine."""
        return self._label_sets(self.rule.expr)

    def time_s(self, step: int) -> float:
        """Return the scenario second of an evaluation."""
        return float(self.grid.times_s[step])

    def _answer(self, expr: str) -> tuple[Values, Values]:
        if expr not in self._answers:
            query = self._query(expr)
            first, second = (
                values_of(server.query_range(query), query) for server in self._servers
            )
            self._answers[expr] = first, second
        return self._answers[expr]

    def _query(self, expr: str) -> RangeQuery:
        return query_of(expr, self.group, self.grid, self._epoch_s)

    def _label_sets(self, expr: str) -> list[Labels]:
        first, second = self._answer(expr)
        return sorted({*first, *second})

    def _values(
        self, side: ConditionSide, step: int, label_sets: Sequence[Labels]
    ) -> Iterator[DifferingValue]:
        first, second = self._answer(side.expr)
        for labels in label_sets:
            pair = first.get(labels, {}).get(step), second.get(labels, {}).get(step)
            if pair != (None, None):
                yield DifferingValue(side, self._query(side.expr), labels, step, pair)


def _sides(expr: str) -> Iterator[ConditionSide]:
    for node in comparisons(parse(expr)):
        comparison = opened(node)
        if comparison.literal is not None:
            written = comparison.expr
            if comparison.constant is not None:
                written = text_of(node.rhs if is_scalar(node.lhs) else node.lhs)
            yield ConditionSide(comparison.expr, written, comparison.operator, comparison.literal)


def _agree(first: Labels, second: Labels) -> bool:
    """Whether no label has one value here and another there."""
    known = dict(second)
    return all(known.get(name, text) == text for name, text in first)


def is_nearly(first: float | None, second: float | None) -> bool:
    """Whether two values are the same but for rounding, two that are no numbers too."""
    if first is None or second is None:
        return first is second
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    return math.isclose(first, second, rel_tol=ROUNDING)
