"""What a server holds of one run: whether an expression ever had a value, and which series exist.

Called by everything in this room, and by what draws conditions; asks the server on which the rules
were evaluated, each question once. Times are Unix seconds. It decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.servers.prometheus import QueryError, RangeQuery, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from verifier.servers.prometheus import Prometheus

POINTS_MAX: Final = 10_000
"""Evaluations of a run that are looked at; of a longer one every n-th."""
MILLISECOND_S: Final = 0.001
"""Instants that are nearer to each other are the same to the engine."""


@dataclass(frozen=True, slots=True)
class EvaluationSpan:
    """The evaluations of a group: first_s, first_s + interval_s, ... up to end_s, Unix seconds.

    `start_s` is the scenario's start: what comes before is past.
    """

    first_s: float
    start_s: float
    end_s: float
    interval_s: float

    @property
    def last_s(self) -> float:
        """The last evaluation."""
        steps = int((self.end_s - self.first_s) / self.interval_s + 1e-9)
        return self.first_s + steps * self.interval_s

    @property
    def scenario_first_s(self) -> float:
        """The first evaluation of the scenario itself."""
        steps = max(0, int(np.ceil((self.start_s - self.first_s) / self.interval_s - 1e-9)))
        return self.first_s + steps * self.interval_s

    @property
    def scenario(self) -> EvaluationSpan:
        """The evaluations of the scenario alone."""
        return EvaluationSpan(self.scenario_first_s, self.start_s, self.end_s, self.interval_s)

    def query(self, expr: str) -> RangeQuery:
        """Return the query of `expr` at every evaluation, or at every n-th of very many."""
        count = (self.end_s - self.first_s) / self.interval_s
        stride = max(1, int(np.ceil(count / POINTS_MAX)))
        return RangeQuery(expr, self.first_s, self.end_s, self.interval_s * stride)


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of an expression, at an instant or over a run; `refusal` is the engine's error."""

    series: tuple[Series, ...] = ()
    refusal: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it was answered, with nothing."""
        return not self.series and not self.refusal

    @property
    def is_nan(self) -> bool:
        """Whether there are values, and none of them is a number."""
        return bool(self.series) and all(np.isnan(series.values).all() for series in self.series)


class Stock:
    """What one server holds; every question is asked once."""

    def __init__(self, server: Prometheus) -> None:
        """Ask nothing yet."""
        self.server = server
        self._answers: dict[tuple[str, float, float], Answer] = {}
        self._ranges: dict[RangeQuery, list[Series] | QueryError] = {}
        self._ranges_of: dict[str, list[RangeQuery]] = {}
        self._label_sets: dict[tuple[str, float], tuple[Mapping[str, str], ...]] = {}
        self._names: frozenset[str] | None = None

    def answer(self, expr: str, span: EvaluationSpan) -> Answer:
        """Return what `expr` ever was in a span: at its last evaluation, else at all of them.

        Most expressions have a value at the end, which one instant shows; a range that was asked
        and ends there shows the same.
        """
        key = (expr, span.first_s, span.interval_s)
        if key not in self._answers:
            answer = self._at_end(expr, span) or self._asked(expr, span, whole=False)
            if answer.is_empty or answer.is_nan:
                answer = self._asked(expr, span, whole=True)
            self._answers[key] = answer
        return self._answers[key]

    def over(self, expr: str, span: EvaluationSpan) -> Answer:
        """Return `expr` at every evaluation of a span."""
        return self._asked(expr, span, whole=True)

    def ranges(
        self, queries: Iterable[RangeQuery]
    ) -> Mapping[RangeQuery, list[Series] | QueryError]:
        """Return the answer to every query, several asked at a time; QueryError for a refused one.

        `answer` knows from then on what they say of their ends.
        """
        new = [query for query in dict.fromkeys(queries) if query not in self._ranges]
        asked = [replace(query, expr=self._as_engine_calls_it(query.expr)) for query in new]
        for query, answer in zip(new, self.server.query_ranges(asked), strict=True):
            self._ranges[query] = answer
            self._ranges_of.setdefault(query.expr, []).append(query)
        return self._ranges

    def known(self, expr: str, span: EvaluationSpan) -> tuple[float, list[Series]] | None:
        """Return the step and the series of `expr` where `ranges` has answered for a span already.

        That of the span itself, or of every n-th of its evaluations; None where nothing is known.
        """
        queries = (span.query(expr), *self._ranges_of.get(expr, ()))
        for query in queries:
            answer = self._ranges.get(query)
            within = span.first_s <= query.start_s and query.end_s <= span.end_s
            if within and isinstance(answer, list):
                return query.step_s, answer
        return None

    def label_sets(self, selector: str, span: EvaluationSpan) -> Sequence[Mapping[str, str]]:
        """Return the labels of the series of `selector` that were stored by the end of a span."""
        key = (selector, span.end_s)
        if key not in self._label_sets:
            labels = self.server.label_sets(selector, 0.0, span.end_s)
            self._label_sets[key] = tuple(labels)
        return self._label_sets[key]

    @property
    def metric_names(self) -> frozenset[str]:
        """The names of all stored metrics."""
        if self._names is None:
            self._names = frozenset(self.server.metric_names())
        return self._names

    def _at_end(self, expr: str, span: EvaluationSpan) -> Answer | None:
        """Return the value at the last evaluation of a span, where a range says it."""
        if "@" in expr:
            return None  # `@ start()` of a range is another instant
        for query in self._ranges_of.get(expr, ()):
            answer = self._ranges[query]
            if isinstance(answer, QueryError) or not _is_point(query, span.last_s):
                continue
            there = (s for s in answer if abs(s.times_s[-1] - span.last_s) < MILLISECOND_S)
            ends = (Series(s.labels, s.times_s[-1:], s.values[-1:]) for s in there)
            return Answer(_ordered(ends))
        return None

    def _asked(self, expr: str, span: EvaluationSpan, *, whole: bool) -> Answer:
        expr = self._as_engine_calls_it(expr)
        try:
            if whole:
                return Answer(_ordered(self.server.query_range(span.query(expr))))
            return Answer(_ordered(self.server.query(expr, span.last_s)))
        except QueryError as error:
            return Answer(refusal=str(error))

    def _as_engine_calls_it(self, expr: str) -> str:
        """Return `expr` with the names that functions have in this engine."""
        if self.server.version.startswith("2."):
            return expr.replace("double_exponential_smoothing(", "holt_winters(")
        return expr


def _is_point(query: RangeQuery, at_s: float) -> bool:
    """Whether `at_s` is the last point that a query asks for."""
    steps = int((query.end_s - query.start_s) / query.step_s + 1e-9)
    return abs(query.start_s + steps * query.step_s - at_s) < MILLISECOND_S


def _ordered(series: Iterable[Series]) -> tuple[Series, ...]:
    """Return series by their labels: engines answer in any order, and reports name the first."""
    return tuple(sorted(series, key=lambda each: sorted(each.labels.items())))
