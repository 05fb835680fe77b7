"""The cells that values show: near miss of the threshold, absent data, no traffic.

Called once for each rule of a scenario that accepts what the rule's alerts did, on the server that
evaluated. It asks each question once, and decides nothing but whether the judge would object.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import promql_parser as promql

from exporter.metrics.catalogue import CONTRACT
from exporter.target import SCRAPE_S
from verifier.coverage.cells import Observation
from verifier.coverage.counterfactuals import changed, is_refused, with_firing
from verifier.coverage.stretches import TimeSpan, is_near, longest, stretches
from verifier.evaluation.timeline import Episode
from verifier.evidence.comparison import comparisons, opened
from verifier.evidence.firing_bounds import ABOVE, BEFORE_EVALUATIONS, BELOW
from verifier.evidence.relaxed import bare
from verifier.judge.expectation_matching import time_text
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scenarios.scenario import Scenario
    from verifier.coverage.cells import AlertCourse, Cell
    from verifier.evidence.comparison import OpenComparison
    from verifier.evidence.silence import WatchedRun
    from verifier.evidence.stock import EvaluationSpan
    from verifier.labels import Labels
    from verifier.servers.prometheus import Series

REQUESTS: Final = CONTRACT[0].name
"""The contract begins with the counter of requests."""
NO_TRAFFIC: Final = f"sum(increase({REQUESTS}[1m])) == 0"
"""True where no request was answered between the first sample of the minute and the last."""
SINCE_S: Final = 60.0 - SCRAPE_S
"""How far apart these two samples are at least."""


class ValueCells:
    """What the values that one rule reads show in a scenario."""

    def __init__(self, run: WatchedRun, scenario: Scenario, course: AlertCourse) -> None:
        """Ask nothing yet."""
        self.run = run
        self.scenario = scenario
        self.course = course
        self.span: EvaluationSpan = run.span(course.group, course.rule)
        self.least_s = max(course.rule.for_s, course.group.interval_s)

    def observe(self) -> Iterator[Observation]:
        """Yield what they show."""
        tree = tree_of(self.course.rule.expr)
        if tree is None:
            return
        yield from self.near_threshold(bare(tree))
        selectors = dict.fromkeys(text_of(node) for node in nodes_of(tree, promql.VectorSelector))
        for selector in selectors:
            absent = self._absent(selector)
            if absent is not None:
                yield self._during("absent_data", absent, f"{selector} was absent")
                break
        idle_spans = [
            TimeSpan(max(0.0, each.from_s - SINCE_S), each.until_s)
            for each in self._where_there(NO_TRAFFIC)
        ]
        idle = longest(idle_spans, self.least_s)
        if idle is not None:
            yield self._during("no_traffic", idle, "no request was answered")

    def near_threshold(self, tree: promql.Expr) -> Iterator[Observation]:
        """Yield the longest time in which the condition of an alert nearly held.

        Of a condition of one comparison with a number, by an order: of any other it is not known
        which value is near.
        """
        open_ = threshold_comparison(tree)
        if open_ is None or (threshold := open_.literal) is None:
            return
        for series in self.run.stock.over(open_.expr, self.span).series:
            near = self._near(series, open_.operator, threshold)
            if near is None:
                continue
            stretch, value, healthy = near
            shown = (
                f"{value:.6g} from {time_text(stretch.from_s)} for {time_text(stretch.length_s)},"
                f" threshold {threshold:.6g}, healthy {healthy:.6g}"
            )
            labels = {k: v for k, v in series.labels.items() if k != "__name__"}
            labels |= {k: v for k, v in self.course.rule.labels if "{{" not in v}
            binds = self._refuses_firing(stretch, tuple(sorted(labels.items())))
            yield self._observation("near_threshold", shown, binds=binds)

    def _near(
        self, series: Series, operator: str, threshold: float
    ) -> tuple[TimeSpan, float, float] | None:
        """Return when a series was near its threshold, its mean then and while it was healthy."""
        times_s = series.times_s - self.run.epoch_s
        onset_s = min((f.start_s for f in self.scenario.plan.faults), default=np.inf)
        before = series.values[(times_s < onset_s) & np.isfinite(series.values)]
        if not len(before):
            return None
        healthy = float(before[-BEFORE_EVALUATIONS:].mean())
        near = is_near(series.values, operator, threshold, healthy) & (times_s >= 0)
        part = longest(stretches(times_s, near, self._step_s(series)), self.least_s)
        if part is None:
            return None
        inside = (times_s >= part.from_s) & (times_s <= part.until_s)
        return part, float(series.values[inside].mean()), healthy

    def _absent(self, selector: str) -> TimeSpan | None:
        """Return the longest time in which no series of a selector was there, that were before."""
        series = self.run.stock.over(selector, self.span).series
        if not series:
            return None
        query = self.span.query(selector)
        count = int((query.end_s - query.start_s) / query.step_s + 1e-6) + 1
        times_s = query.start_s + query.step_s * np.arange(count, dtype=np.float64)
        times_s -= self.run.epoch_s
        there = np.zeros(count, dtype=bool)
        for each in series:
            there |= np.isin(_steps(times_s), _steps(each.times_s - self.run.epoch_s))
        first = int(np.argmax(there))
        gone = ~there & (times_s >= 0) & (np.arange(count) > first)
        return longest(stretches(times_s, gone, query.step_s), self.least_s)

    def _where_there(self, expr: str) -> list[TimeSpan]:
        """Return when an expression had a value in the scenario."""
        return [
            part
            for series in self.run.stock.over(expr, self.span.scenario).series
            for part in stretches(
                series.times_s - self.run.epoch_s,
                np.ones(len(series.times_s), dtype=bool),
                self._step_s(series),
            )
        ]

    def _step_s(self, series: Series) -> float:
        """Return the time between two evaluations that were asked for."""
        least = float(np.diff(series.times_s).min()) if len(series.times_s) > 1 else 0.0
        return max(least, self.course.group.interval_s)

    def _during(self, cell: Cell, stretch: TimeSpan, what: str) -> Observation:
        """Return what the alert did in a stretch, and whether the opposite would be refused."""
        shown = f"{what} from {time_text(stretch.from_s)} for {time_text(stretch.length_s)}"
        firing = [
            each
            for timeline in self.course.own
            for each in timeline.episodes
            if each.firing_s is not None and _touches(each, stretch)
        ]
        if not firing:
            binds = all(self._refuses_firing(stretch, each) for each in self.course.label_sets)
            return self._observation(cell, f"{shown}: silent", binds=binds)
        other = changed(
            self.course.own, lambda each: _without(each, stretch) if each in firing else each
        )
        binds = is_refused(self.scenario, self.course, other)
        return self._observation(cell, f"{shown}: firing", binds=binds)

    def _refuses_firing(self, stretch: TimeSpan, labels: Labels) -> bool:
        """Whether the judge refuses an alert that fires in a stretch, after its `for`."""
        fired = Episode(
            stretch.from_s,
            stretch.from_s + self.course.rule.for_s,
            stretch.until_s + self.course.group.interval_s,
        )
        own = with_firing(self.course.own, self.course.rule.alert, labels, fired)
        return is_refused(self.scenario, self.course, own)

    def _observation(self, cell: Cell, shown: str, *, binds: bool) -> Observation:
        return Observation(number=self.course.number, cell=cell, shown=shown, binds=binds)


def threshold_comparison(tree: promql.Expr) -> OpenComparison | None:
    """Return the one comparison with a number, by an order, that a condition is.

    None where it is anything else: then it is not known which value is near.
    """
    whole = bare(tree)
    parts = list(comparisons(whole))
    if len(parts) != 1 or parts[0] is not whole:
        return None
    open_ = opened(parts[0])
    is_ordered = open_.literal is not None and open_.operator in (*ABOVE, *BELOW)
    return open_ if is_ordered else None


def has_threshold(expr: str) -> bool:
    """Whether a condition has a threshold that a value can come near to."""
    tree = tree_of(expr)
    return tree is not None and threshold_comparison(tree) is not None


def tree_of(expr: str) -> promql.Expr | None:
    """Return the syntax tree of a rule; None where only the engine can read it."""
    try:
        return parse(expr)
    except ValueError:
        return None


def _steps(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return times as whole milliseconds."""
    steps: NDArray[np.int64] = np.rint(times_s * 1000).astype(np.int64)
    return steps


def _touches(episode: Episode, stretch: TimeSpan) -> bool:
    """Whether an alert fires in a stretch."""
    ends_s = np.inf if episode.resolved_s is None else episode.resolved_s
    return episode.firing_s is not None and (
        episode.firing_s <= stretch.until_s and ends_s > stretch.from_s
    )


def _without(episode: Episode, stretch: TimeSpan) -> Episode | None:
    """Return an episode that ends where a stretch begins; None for one that fires in it alone."""
    if episode.firing_s is None or episode.firing_s >= stretch.from_s:
        return None
    return replace(episode, resolved_s=stretch.from_s)
