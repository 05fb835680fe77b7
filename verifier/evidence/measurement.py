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

from verifier.evidence.comparison import best_from, comparisons, furthest, holds, opened, scores
from verifier.evidence.emptiness import ALERTS
from verifier.evidence.firing_bounds import (
    ANY_TIME,
    BEFORE_EVALUATIONS,
    ComparedValues,
    FiringBounds,
    HeldTime,
    longest_wait_s,
)
from verifier.evidence.relaxed import bare
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of
from verifier.promql.reads import all_reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import promql_parser as promql
    from numpy.typing import NDArray

    from verifier.evidence.firing_bounds import FiringWindow
    from verifier.evidence.silence import WatchedRun
    from verifier.evidence.stock import EvaluationSpan, Stock
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RuleGroup
    from verifier.servers.prometheus import Series

    Holds = Callable[[NDArray[np.float64]], NDArray[np.bool_]]

COMPARISONS_MAX: Final = 6
"""Comparisons of one condition that are measured: a longer one is not read to its end."""
PLATEAU_EVALUATIONS: Final = 5
"""Evaluations that make a plateau."""


@dataclass(frozen=True, slots=True)
class DecisiveInstant:
    """An instant at which a value decided, in scenario seconds, and what it was the instant of."""

    moment: str
    at_s: float


@dataclass(frozen=True, slots=True)
class AlertView:
    """Which alert of a rule is measured, and where; times are scenario seconds.

    Series that contradict `labels` are left out; the cause began at `onset_s`, and the alert had
    to fire in `window`. `reached` is from when it was first pending to the end of its cause.
    `history_s` is how far the history reaches back where a scenario asks for less than is read.
    """

    labels: Labels = ()
    instants: tuple[DecisiveInstant, ...] = ()
    onset_s: float = 0.0
    window: FiringWindow = ANY_TIME
    reached: HeldTime | None = None
    history_s: float = math.inf


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
    value nearest to holding (since the onset, where there was one), or furthest beyond, of the
    series with `labels`, at `at_s`; `last` the
    value of that series at the end. `held_s` is the longest time from an evaluation at which it
    held to the last in a row, None when it never held. `readings` are its values at the instants
    that decided. `healthy` is the mean of that series before the onset and `healthy_spread` its
    standard deviation there, None and 0 where no window was full. `sustained` is the furthest value
    that it kept for the rule's `for` when it had to fire, None where it was as far before.
    `firing_threshold` is a threshold with which the alert would have fired, where this comparison
    is the whole condition and there is one. `plateau` is the mean of the series while the cause
    held it where it had first let the alert be pending, `plateau_spread` its standard deviation.
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
    firing_threshold: float | None = None
    plateau: float | None = None
    plateau_spread: float = 0.0


@dataclass(frozen=True, slots=True)
class ConditionNumbers:
    """A rule's condition, measured: `held_s` and `held_from_s` are of the whole of it.

    `firing_for_s` is the longest `for` with which the alert would have fired when it had to.
    """

    for_s: float
    held_s: float | None
    held_from_s: float | None
    comparisons: tuple[ComparisonNumbers, ...]
    firing_for_s: float | None = None


def measure(
    run: WatchedRun, group: RuleGroup, rule: AlertRule, view: AlertView | None = None
) -> ConditionNumbers:
    """Measure the condition of a rule for one alert of it, or for all of them."""
    past = run.span(group, rule)
    probe = _Probe(run, past, view or AlertView(), rule.for_s * run.factor)
    # An alert of a run in real time begins with it; only in virtual time it may be pending before.
    is_older = any(instant.at_s < 0 for instant in probe.view.instants)
    answer = probe.answer(rule.expr, past if is_older else None)
    held = [each for each in probe.held(answer, _any_value) if each.until_s >= 0]
    longest = _longest(held)
    try:
        tree = parse(rule.expr)
    except ValueError:
        tree = None
    leaves = list(comparisons(tree))[:COMPARISONS_MAX] if tree is not None else []
    measured = (probe.comparison(leaf, whole=_is_whole(tree, leaf)) for leaf in leaves)
    return ConditionNumbers(
        for_s=rule.for_s * run.factor,
        held_s=None if longest is None else longest.until_s - longest.from_s,
        held_from_s=None if longest is None else longest.from_s,
        comparisons=tuple(numbers for numbers in measured if numbers is not None),
        firing_for_s=None if tree is None else probe.firing_for_s(rule.expr, held),
    )


def _is_whole(tree: promql.Expr | None, leaf: promql.BinaryExpr) -> bool:
    """Whether a condition is one comparison and nothing else."""
    return tree is not None and bare(tree) is leaf and not any(comparisons(leaf.lhs))


def _any_value(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return that a condition holds wherever it has a value."""
    return np.ones_like(values, np.bool_)


def _longest(held: Sequence[HeldTime]) -> HeldTime | None:
    """Return the longest of some times, the first of several."""
    return max(held, key=lambda each: round(each.until_s - each.from_s, 6), default=None)


class _Course(TypedDict):
    """What `ComparisonNumbers` says of a series beside its nearest value."""

    readings: tuple[DecisiveValue, ...]
    healthy: float | None
    healthy_spread: float
    plateau: float | None
    plateau_spread: float


@dataclass(frozen=True, slots=True)
class _Probe:
    """Asks one server about the evaluations of one rule.

    `past` begins with the evaluations before the scenario that the rule remembers. For those its
    history is deep enough, whatever else is read; before them a window may not be full.
    """

    run: WatchedRun
    past: EvaluationSpan
    view: AlertView
    for_s: float

    @property
    def stock(self) -> Stock:
        """What the server was asked so far."""
        return self.run.stock

    @property
    def span(self) -> EvaluationSpan:
        """The evaluations of the scenario alone."""
        return self.past.scenario

    def answer(self, expr: str, span: EvaluationSpan | None = None) -> Sequence[Series]:
        """Return the series of `expr` that do not contradict the labels."""
        labels = dict(self.view.labels)
        return [
            series
            for series in self.stock.over(expr, span or self.span).series
            if all(labels.get(name, text) == text for name, text in series.labels.items())
        ]

    def comparison(self, node: promql.BinaryExpr, *, whole: bool) -> ComparisonNumbers | None:
        """Measure one comparison, the `whole` of a condition or a part; None without any value."""
        open_ = opened(node)
        expr, operator = open_.expr, open_.operator
        threshold = None if open_.constant is None else self._constant(open_.constant)
        series = [each for each in self.answer(expr) if not np.isnan(each.values).all()]
        if not series:
            return None
        limit = threshold or 0.0
        held = _longest(list(self.held(series, lambda values: holds(values, operator, limit))))
        compared = [self._compared(each, (operator, limit)) for each in series]
        scored = [(each.times_s, each.scores) for each in compared]
        best, at = best_from(scored, self.view.onset_s, only=held is None)
        nearest = series[best]
        sustained, firing = self._sustained(expr, nearest, (operator, limit))
        course = self._course(expr, nearest)
        points = [(self._scenario_s(nearest.times_s[at]), float(nearest.values[at]))]
        if held is not None:
            points += [(r.at_s, r.value) for r in course["readings"] if r.value is not None]
        at_s, value = furthest(points, operator, limit, held=held is not None)
        return ComparisonNumbers(
            condition=text_of(node, self.run.factor),
            operator=operator,
            threshold=threshold,
            nearest=value,
            at_s=at_s,
            labels=tuple(sorted((k, v) for k, v in nearest.labels.items() if k != "__name__")),
            held_s=None if held is None else held.until_s - held.from_s,
            last=_last(nearest, self.span),
            sustained=sustained,
            firing_threshold=firing if whole and threshold is not None else None,
            **course,
        )

    def firing_for_s(self, expr: str, held: Sequence[HeldTime]) -> float | None:
        """Return the longest `for` with which the alert would have fired when it had to."""
        is_whole = self.span.query(expr).step_s == self.span.interval_s
        own_state = any(read.matches(name) for read in all_reads(expr) for name in ALERTS)
        if not is_whole or own_state:
            return None  # another `for` may change what a rule reads that reads states of alerts
        everywhere = self.stock.over(expr, self.past).series
        wait_s = longest_wait_s(
            held,
            self.held(everywhere, _any_value),
            self.view.window,
            self.span.interval_s * self.run.factor,
        )
        return wait_s if wait_s is not None and wait_s < self.for_s else None

    def _course(self, expr: str, nearest: Series) -> _Course:
        """Return the values of a series at the decisive instants, and what it was before."""
        whole = next(
            (s for s in self.answer(expr, self.past) if s.labels == nearest.labels), nearest
        )
        times_s = (whole.times_s - self.run.epoch_s) * self.run.factor
        full_after_s = max((read.full_after_s for read in all_reads(expr)), default=0.0)
        is_full = times_s >= full_after_s * self.run.factor - self.view.history_s
        is_before = (times_s < self.view.onset_s) & is_full & ~np.isnan(whole.values)
        before = whole.values[is_before][-BEFORE_EVALUATIONS:]
        known = len(before) and bool(np.isfinite(before).all())
        there = self._plateau(whole)
        return _Course(
            readings=tuple(
                DecisiveValue(instant.moment, instant.at_s, self._at(whole, instant.at_s))
                for instant in self.view.instants
            ),
            healthy=float(before.mean()) if known else None,
            healthy_spread=float(before.std()) if known else 0.0,
            plateau=None if there is None else float(there.mean()),
            plateau_spread=0.0 if there is None else float(there.std()),
        )

    def _plateau(self, series: Series) -> NDArray[np.float64] | None:
        """Return the values of a series while its cause held it; None for too few to tell."""
        reached = self.view.reached
        if reached is None:
            return None
        times_s = (series.times_s - self.run.epoch_s) * self.run.factor
        values = series.values[(times_s >= reached.from_s) & (times_s <= reached.until_s)]
        known = len(values) >= PLATEAU_EVALUATIONS and bool(np.isfinite(values).all())
        return values if known else None

    def _at(self, series: Series, at_s: float) -> float | None:
        """Return the value at the last evaluation up to a scenario time."""
        unix_s = self.run.epoch_s + at_s / self.run.factor
        place = int(np.searchsorted(series.times_s, unix_s + 1e-6, side="right")) - 1
        if place < 0 or unix_s - series.times_s[place] > 1.5 * self.span.interval_s:
            return None
        value = float(series.values[place])
        return None if math.isnan(value) else value

    def _sustained(
        self, expr: str, nearest: Series, compared: tuple[str, float]
    ) -> tuple[float | None, float | None]:
        """Return the value that was kept for the whole `for`, and the threshold that would fire."""
        everywhere = [self._compared(s, compared) for s in self.stock.over(expr, self.past).series]
        evaluations = math.ceil(self.for_s / self.run.factor / self.span.interval_s - 1e-9) + 1
        interval_s = self.span.interval_s * self.run.factor
        bounds = FiringBounds(compared[0], evaluations, self.view.window, interval_s)
        return bounds.of(self._compared(nearest, compared), everywhere)

    def _compared(self, series: Series, compared: tuple[str, float]) -> ComparedValues:
        times_s = (series.times_s - self.run.epoch_s) * self.run.factor
        return ComparedValues(times_s, series.values, scores(series.values, *compared))

    def held(self, series: Iterable[Series], where: Holds) -> Iterator[HeldTime]:
        """Yield the times in which some series held, of each by itself, in scenario seconds."""
        for each in series:
            times_s = each.times_s[where(each.values)]
            if not len(times_s):
                continue
            breaks = np.flatnonzero(np.diff(times_s) > 1.5 * self.span.interval_s) + 1
            for part in np.split(times_s, breaks):
                yield HeldTime(self._scenario_s(part[0]), self._scenario_s(part[-1]))

    def _scenario_s(self, unix_s: float) -> float:
        return float(unix_s - self.run.epoch_s) * self.run.factor

    def _constant(self, expr: str) -> float | None:
        """Return the value of a plain number; None where the engine has none."""
        series = self.stock.answer(expr, self.span).series
        return float(series[0].values[0]) if series else None


def _last(series: Series, span: EvaluationSpan) -> float | None:
    """Return the value at the last evaluation, None when there is none."""
    is_last = math.isclose(series.times_s[-1], span.last_s, abs_tol=span.interval_s / 2)
    value = float(series.values[-1])
    return value if is_last and not math.isnan(value) else None
