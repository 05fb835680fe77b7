"""The numbers of a condition: how near it came to its threshold, when, and for how long it held.

Called for alerts that failed their expectation, on the server that evaluated, while it still runs.
A condition is taken apart at its comparisons; each is asked with its filter open, at every
evaluation of the scenario. It judges nothing. Times are scenario seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

import numpy as np

from verifier.evidence.comparison import comparisons, opened
from verifier.evidence.stock import EvaluationSpan
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import promql_parser as promql
    from numpy.typing import NDArray

    from verifier.evidence.silence import WatchedRun
    from verifier.evidence.stock import Stock
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RuleGroup
    from verifier.servers.prometheus import Series

    Holds = Callable[[NDArray[np.float64]], NDArray[np.bool_]]

COMPARISONS_MAX: Final = 6
"""Comparisons of one condition that are measured: a longer one is not read to its end."""
BEFORE_EVALUATIONS: Final = 20
"""Evaluations before the scenario's start that are read too: what the value was without a cause."""


@dataclass(frozen=True, slots=True)
class DecisiveInstant:
    """An instant at which a value decided, in scenario seconds, and what it was the instant of."""

    moment: str
    at_s: float


@dataclass(frozen=True, slots=True)
class AlertView:
    """Which alert of a rule is measured, and where; times are scenario seconds.

    Series that contradict `labels` are left out; the cause began at `onset_s`.
    """

    labels: Labels = ()
    instants: tuple[DecisiveInstant, ...] = ()
    onset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DecisiveValue:
    """The value at the last evaluation up to a decisive instant; None where there was none."""

    moment: str
    at_s: float
    value: float | None


@dataclass(frozen=True, slots=True)
class ComparisonNumbers:
    """One comparison of a condition, measured over the scenario.

    `condition` is its text, with `operator` and the number `threshold` (None: the other side is no
    plain number, and `nearest` and `last` are the left side less the right one). `nearest` is the
    value nearest to holding, or furthest beyond, of the series with `labels`, at `at_s`; `last` the
    value of that series at the end. `held_s` is the longest time from an evaluation at which it
    held to the last in a row, None when it never held. `readings` are its values at the instants
    that decided. `healthy` is the mean of that series before the onset and `healthy_spread` its
    standard deviation there, None and 0 where nothing was read. `sustained` is the furthest value
    that it kept for the rule's `for`: the threshold that would just have let the alert fire.
    """

    condition: str
    operator: str
    threshold: float | None
    nearest: float
    at_s: float
    labels: Labels
    held_s: float | None
    last: float | None
    readings: tuple[DecisiveValue, ...] = ()
    healthy: float | None = None
    healthy_spread: float = 0.0
    sustained: float | None = None


@dataclass(frozen=True, slots=True)
class ConditionNumbers:
    """A rule's condition, measured: `held_s` and `held_from_s` are of the whole of it."""

    for_s: float
    held_s: float | None
    held_from_s: float | None
    comparisons: tuple[ComparisonNumbers, ...]


def measure(
    run: WatchedRun, group: RuleGroup, rule: AlertRule, view: AlertView | None = None
) -> ConditionNumbers:
    """Measure the condition of a rule for one alert of it, or for all of them."""
    span = run.span(group, rule).scenario
    probe = _Probe(run, run.stock, span, view or AlertView(), rule.for_s * run.factor)
    held = probe.longest(probe.answer(rule.expr), lambda values: np.ones_like(values, np.bool_))
    try:
        tree = parse(rule.expr)
    except ValueError:
        tree = None
    leaves = list(comparisons(tree))[:COMPARISONS_MAX] if tree is not None else []
    measured = (probe.comparison(leaf) for leaf in leaves)
    return ConditionNumbers(
        for_s=rule.for_s * run.factor,
        held_s=None if held is None else held[1],
        held_from_s=None if held is None else held[0],
        comparisons=tuple(numbers for numbers in measured if numbers is not None),
    )


class _Course(TypedDict):
    """What `ComparisonNumbers` says of a series beside its nearest value."""

    readings: tuple[DecisiveValue, ...]
    healthy: float | None
    healthy_spread: float


def _longer_span(span: EvaluationSpan) -> EvaluationSpan:
    """Return the evaluations of the scenario with some before it."""
    first_s = span.first_s - BEFORE_EVALUATIONS * span.interval_s
    return EvaluationSpan(first_s, span.start_s, span.end_s, span.interval_s)


@dataclass(frozen=True, slots=True)
class _Probe:
    """Asks one server about the evaluations of one rule."""

    run: WatchedRun
    stock: Stock
    span: EvaluationSpan
    view: AlertView
    for_s: float

    def answer(self, expr: str, span: EvaluationSpan | None = None) -> Sequence[Series]:
        """Return the series of `expr` that do not contradict the labels."""
        labels = dict(self.view.labels)
        return [
            series
            for series in self.stock.over(expr, span or self.span).series
            if all(labels.get(name, text) == text for name, text in series.labels.items())
        ]

    def comparison(self, node: promql.BinaryExpr) -> ComparisonNumbers | None:
        """Measure one comparison; None when it never had a value."""
        open_ = opened(node)
        expr, operator = open_.expr, open_.operator
        threshold = None if open_.constant is None else self._constant(open_.constant)
        series = [each for each in self.answer(expr) if not np.isnan(each.values).all()]
        if not series:
            return None
        limit = threshold or 0.0
        score = [_score(each.values, operator, limit) for each in series]
        best = max(range(len(series)), key=lambda index: float(np.nanmax(score[index])))
        at = int(np.nanargmax(score[best]))
        held = self.longest(series, lambda values: _holds(values, operator, limit))
        nearest = series[best]
        return ComparisonNumbers(
            condition=text_of(node, self.run.factor),
            operator=operator,
            threshold=threshold,
            nearest=float(nearest.values[at]),
            at_s=self._scenario_s(nearest.times_s[at]),
            labels=tuple(sorted((k, v) for k, v in nearest.labels.items() if k != "__name__")),
            held_s=None if held is None else held[1],
            last=_last(nearest, self.span),
            sustained=self._sustained(nearest, score[best]),
            **self._course(expr, nearest),
        )

    def _course(self, expr: str, nearest: Series) -> _Course:
        """Return the values of a series at the decisive instants, and what it was before."""
        longer = _longer_span(self.span)
        whole = next((s for s in self.answer(expr, longer) if s.labels == nearest.labels), nearest)
        times_s = (whole.times_s - self.run.epoch_s) * self.run.factor
        is_before = (times_s < self.view.onset_s) & ~np.isnan(whole.values)
        before = whole.values[is_before][-BEFORE_EVALUATIONS:]
        known = len(before) and bool(np.isfinite(before).all())
        return _Course(
            readings=tuple(
                DecisiveValue(instant.moment, instant.at_s, self._at(whole, instant.at_s))
                for instant in self.view.instants
            ),
            healthy=float(before.mean()) if known else None,
            healthy_spread=float(before.std()) if known else 0.0,
        )

    def _at(self, series: Series, at_s: float) -> float | None:
        """Return the value at the last evaluation up to a scenario time."""
        unix_s = self.run.epoch_s + at_s / self.run.factor
        place = int(np.searchsorted(series.times_s, unix_s + 1e-6, side="right")) - 1
        if place < 0 or unix_s - series.times_s[place] > 1.5 * self.span.interval_s:
            return None
        value = float(series.values[place])
        return None if math.isnan(value) else value

    def _sustained(self, series: Series, score: NDArray[np.float64]) -> float | None:
        """Return the value furthest towards holding that was kept for the whole `for`."""
        length = math.ceil(self.for_s / self.run.factor / self.span.interval_s - 1e-9) + 1
        if len(score) < length:
            return None
        windows = np.lib.stride_tricks.sliding_window_view(score, length)
        is_whole = ~np.isnan(windows).any(axis=1)
        spans_s = series.times_s[length - 1 :] - series.times_s[: len(windows)]
        is_whole &= spans_s < (length - 0.5) * self.span.interval_s
        if not is_whole.any():
            return None
        kept = np.where(is_whole, windows.min(axis=1), -np.inf)
        start = int(np.argmax(kept))
        return float(series.values[start + int(np.argmin(windows[start]))])

    def longest(self, series: Iterable[Series], holds: Holds) -> tuple[float, float] | None:
        """Return since when and for how long it held the longest, in scenario seconds."""
        best: tuple[float, float] | None = None
        for each in series:
            times_s = each.times_s[holds(each.values)]
            if not len(times_s):
                continue
            breaks = np.flatnonzero(np.diff(times_s) > 1.5 * self.span.interval_s) + 1
            for part in np.split(times_s, breaks):
                length_s = float(part[-1] - part[0]) * self.run.factor
                if best is None or length_s > best[1]:
                    best = self._scenario_s(part[0]), length_s
        return best

    def _scenario_s(self, unix_s: float) -> float:
        return float(unix_s - self.run.epoch_s) * self.run.factor

    def _constant(self, expr: str) -> float | None:
        """Return the value of a plain number; None where the engine has none."""
        series = self.stock.answer(expr, self.span).series
        return float(series[0].values[0]) if series else None


def _holds(values: NDArray[np.float64], operator: str, limit: float) -> NDArray[np.bool_]:
    """Return where `values` satisfy a comparison with a number."""
    compare = {
        ">": np.greater,
        "<": np.less,
        ">=": np.greater_equal,
        "<=": np.less_equal,
        "==": np.equal,
        "!=": np.not_equal,
    }
    holds: NDArray[np.bool_] = compare[operator](values, limit)
    return holds


def _score(values: NDArray[np.float64], operator: str, limit: float) -> NDArray[np.float64]:
    """Return how near each value is to holding, or how far beyond: more is nearer."""
    if operator in (">", ">="):
        return values
    if operator in ("<", "<="):
        return -values
    distance = np.abs(values - limit)
    return -distance if operator == "==" else distance


def _last(series: Series, span: EvaluationSpan) -> float | None:
    """Return the value at the last evaluation, None when there is none."""
    is_last = math.isclose(series.times_s[-1], span.last_s, abs_tol=span.interval_s / 2)
    value = float(series.values[-1])
    return value if is_last and not math.isnan(value) else None
