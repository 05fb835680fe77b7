"""Why an expression never had a value, however far its thresholds were moved.

Called for the roots of a relaxed expression. What is to blame is the lowest node that is empty
though everything that it reads is not: a selector that no series met, a window with one scrape,
sides whose labels never match. A recording that never had a value is traced to its own rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from exporter.metrics.catalogue import WORLD
from exporter.target import SCRAPE_S
from verifier.evidence.missing_series import SelectorCheck, catalogue_names
from verifier.evidence.naming.nearest_names import NearestNames
from verifier.evidence.relaxed import Relaxed, bare, is_unstored, name_of, relax
from verifier.evidence.stock import Answer
from verifier.promql.printing import duration_text, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot
    from verifier.evidence.stock import EvaluationSpan, Stock
    from verifier.servers.prometheus import Series

ALERTS: Final = ("ALERTS", "ALERTS_FOR_STATE")
"""What a server stores of its alerts: an alert that never came left nothing there."""
PAIRWISE: Final = (
    *("rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"),
    *("double_exponential_smoothing", "holt_winters"),
)
"""Functions that need two samples in their window."""
QUANTILES: Final = ("histogram_quantile", "histogram_fraction")
SETS: Final = ("and", "or", "unless")
"""Operators that match many series with many."""
_SCRAPED_LABELS: Final = {"job", "instance"}


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule: what it records, its syntax tree, and the labels that it sets."""

    name: str
    tree: promql.Expr
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EmptinessCheck:
    """What one scenario stored, the recordings, and the names of all alerts.

    `factor` is by how much the windows of the rules were divided: sentences name the written ones.
    `metrics` are what the exporter shows.
    """

    stock: Stock
    recordings: Sequence[Recording] = ()
    alerts: Collection[str] = ()
    scrape_s: float = SCRAPE_S
    factor: float = 1.0
    metrics: tuple[Metric[Snapshot], ...] = WORLD
    _tracing: list[str] = field(default_factory=list)
    _of_name: dict[str, list[Recording]] = field(init=False, default_factory=dict)
    _names: NearestNames = field(init=False)

    def __post_init__(self) -> None:
        """Index the recordings, of which every selector asks."""
        object.__setattr__(self, "_names", NearestNames(self._known_names))
        for recording in self.recordings:
            self._of_name.setdefault(recording.name, []).append(recording)

    def reason(self, node: Relaxed, span: EvaluationSpan) -> str | None:
        """Say why `node` never had a value in `span`; None when it had one, or could have had."""
        if node.always:
            return None
        answer = self._answer(node, span)
        if answer.series:
            return None
        if isinstance(node.source, promql.VectorSelector):
            return self._selector(node.source, span)
        reasons = [self.reason(child, span) for child in node.children]
        known = [reason for reason in reasons if reason is not None]
        if known:
            return known[0]
        # A child without a value that could have had one says nothing about this node.
        filled = all(self._has_value(child, span) for child in node.children)
        return self._own(node, span) if filled and not answer.refusal else None

    def _known_names(self) -> set[str]:
        return {*self.stock.metric_names, *catalogue_names(self.metrics), *self._of_name}

    def _has_value(self, node: Relaxed, span: EvaluationSpan) -> bool:
        return node.always or bool(self._answer(node, span).series)

    def _answer(self, node: Relaxed, span: EvaluationSpan) -> Answer:
        """Return what a node ever was; what needs a metric that is not stored is not asked for.

        Each of its parts would be asked for in turn, and a subquery over a month takes seconds.
        """
        if is_unstored(node, self.stock.metric_names):
            return Answer()
        return self.stock.answer(node.query, span)

    def _selector(self, selector: promql.VectorSelector, span: EvaluationSpan) -> str | None:
        """Say why no series met a selector; None when one could have."""
        name = name_of(selector)
        if name in ALERTS:
            return self._alert_state(selector)
        check = SelectorCheck(self.stock, span, self._names)
        recordings = self._of_name.get(name, ())
        if not recordings:
            reason = check.reason(selector)
            if reason is None and (selector.offset or selector.at is not None):
                return f"{self._text(selector)} reaches back to where nothing is stored"
            return reason or f"{self._text(selector)} has no value at any evaluation"
        if name in self._tracing:
            return None  # a rule that reads itself
        self._tracing.append(name)
        try:
            return self._recorded(selector, recordings, span, check)
        finally:
            self._tracing.pop()

    def _recorded(
        self,
        selector: promql.VectorSelector,
        recordings: Sequence[Recording],
        span: EvaluationSpan,
        check: SelectorCheck,
    ) -> str | None:
        """Say why a recording never had the value that a selector reads."""
        could_have: list[Mapping[str, str]] = []
        reasons: list[str] = []
        for recording in recordings:
            roots = relax(recording.tree).roots
            empty = [reason for root in roots if (reason := self.reason(root, span)) is not None]
            if empty:
                reasons.append(f"recording {recording.name} never has a value: {empty[0]}")
                continue
            values = self.stock.answer(roots[0].query, span).series
            if not values:
                return None  # it could have had a value; with which labels is not known
            could_have += [_recorded_labels(series.labels, recording) for series in values]
        if not could_have:
            return reasons[0] if reasons else None
        return check.reason(selector, could_have)

    def _alert_state(self, selector: promql.VectorSelector) -> str | None:
        for matcher in selector.matchers.matchers:
            if (
                matcher.name == "alertname"
                and matcher.op == promql.MatchOp.Equal
                and matcher.value not in self.alerts
            ):
                return f"no rule defines the alert {matcher.value}, whose state it reads"
        return None

    def _own(self, node: Relaxed, span: EvaluationSpan) -> str:
        """Say why a node is empty though its children are not."""
        source, text = node.source, self._text(node.source)
        if isinstance(source, promql.BinaryExpr):
            return self._no_match(source, node, span)
        if isinstance(source, (promql.MatrixSelector, promql.SubqueryExpr)):
            return f"{text} holds nothing at any evaluation"
        if isinstance(source, promql.Call):
            if source.func.name in QUANTILES:
                return (
                    f"{text} never has a value: what it reads has no label le (a histogram's"
                    " buckets, summed `by (le)`)"
                )
            window = next((a for a in source.args if isinstance(a, promql.MatrixSelector)), None)
            if source.func.name in PAIRWISE and window is not None:
                return f"{text} never has a value: {self._window(window)}"
        return f"{text} never has a value, though what it reads has one"

    def _window(self, window: promql.MatrixSelector) -> str:
        range_s, scrape_s = window.range.total_seconds(), self.scrape_s
        if range_s < 2 * scrape_s:
            length = duration_text(range_s * self.factor)
            every = duration_text(scrape_s * self.factor)
            held = "one scrape" if range_s >= scrape_s else "one scrape at most"
            return f"its window of {length} holds {held}, of one every {every}, and it needs two"
        return "its window never holds two samples"

    def _no_match(self, source: promql.BinaryExpr, node: Relaxed, span: EvaluationSpan) -> str:
        """Say which labels the sides of an operation have, that never match."""
        sides = [self.stock.answer(child.query, span).series for child in node.children]
        examples = [
            "{" + ", ".join(f'{name}="{text}"' for name, text in _shown_labels(series)) + "}"
            for series in sides
        ]
        problem = (
            f"the sides of `{source.op}` in {self._text(source)} never match: {examples[0]} against"
            f" {examples[1]}"
        )
        left, right = (child.query for child in node.children)
        operator = str(source.op) if str(source.op) in SETS else "-"
        for remedy in self._remedies(source, sides):
            # An advice that the engine refuses, at whatever evaluation, is worse than none.
            query = remedy.query(left, operator, right)
            if self.stock.over(query, span).series:
                return f"{problem}; {remedy.sentence}"
        return problem

    def _remedies(
        self, source: promql.BinaryExpr, sides: Sequence[Sequence[Series]]
    ) -> Iterator[_Remedy]:
        """Yield ways in which two sides may match, the most precise first; each is to be tried."""
        shared = sorted(_shared_labels(*sides))
        own = [name for name in shared if name not in _SCRAPED_LABELS]
        names = ", ".join(own or shared)
        yield _Remedy(f"match them with on({names})", f"on({names})")
        if str(source.op) in SETS:
            return
        if own:
            yield _Remedy.grouped(names, "left")
            yield _Remedy.grouped(names, "right")
        if _is_summable(source.lhs) and _is_summable(source.rhs):
            by = f" by ({names}) " if own else ""
            left, right = self._text(source.lhs), self._text(source.rhs)
            summed = f"`sum{by}({left}) {source.op} sum{by}({right})`"
            yield _Remedy(f"sum both sides first: {summed}", "", f"sum{by}")
        if not own and len(sides[1]) == 1:
            yield _Remedy.grouped(names, "left")

    def _text(self, node: promql.Expr) -> str:
        return text_of(node, self.factor)


@dataclass(frozen=True, slots=True)
class _Remedy:
    """A way in which two sides may match: what to write, and what both sides are wrapped in."""

    sentence: str
    modifier: str
    aggregation: str = ""

    @classmethod
    def grouped(cls, names: str, side: str) -> _Remedy:
        """Match many series of one side with one of the other."""
        modifier = f"on({names}) group_{side}()"
        return cls(f"match them with {modifier}", modifier)

    def query(self, left: str, operator: str, right: str) -> str:
        """Return the operation of two sides that has a value where this remedy matches them."""
        wrapped = (f"{self.aggregation}({side})" for side in (left, right))
        return f" {operator} {self.modifier} ".join(wrapped)


def _is_summable(node: promql.Expr) -> bool:
    """Whether the sum of an expression's series means what each of them means: it counts."""
    node = bare(node)
    if isinstance(node, promql.AggregateExpr):
        return str(node.op) in ("sum", "count")
    return isinstance(node, promql.Call) and node.func.name in ("rate", "irate", "increase")


def _shared_labels(left: Sequence[Series], right: Sequence[Series]) -> set[str]:
    """Return the labels that every series of both sides has, with a text in common."""
    names = _label_names(left) & _label_names(right)
    texts = [{n: {each.labels[n] for each in side} for n in names} for side in (left, right)]
    return {name for name in names if texts[0][name] & texts[1][name]}


def _recorded_labels(labels: Mapping[str, str], recording: Recording) -> Mapping[str, str]:
    return {**labels, **recording.labels, "__name__": recording.name}


def _label_names(series: Sequence[Series]) -> set[str]:
    """Return the labels that every series of an answer has."""
    names = [set(each.labels) - {"__name__"} for each in series]
    return set.intersection(*names) if names else set()


def _shown_labels(series: Sequence[Series]) -> list[tuple[str, str]]:
    """Return the labels of the first series, without its name."""
    first = series[0].labels
    return sorted((name, text) for name, text in first.items() if name != "__name__")
