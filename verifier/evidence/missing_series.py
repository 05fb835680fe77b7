"""What is wrong with a selector that no series ever met, with the nearest right word.

Called for selectors of alerts that stayed silent. The words come from what is stored, from what the
exporter could show and nobody reads, and from the recording rules. Every matcher is tried by the
engine itself, so that its regular expressions mean here what they mean there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from exporter.metrics.catalogue import BURST, RUN
from verifier.evidence.naming.nearest_names import NEAR_ENOUGH
from verifier.evidence.relaxed import name_of
from verifier.promql.printing import matcher_text, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.metrics.series import Metric, Source
    from verifier.evidence.naming.nearest_names import NearestNames
    from verifier.evidence.stock import EvaluationSpan, Stock

Labels = Mapping[str, str]
Pairs = frozenset[tuple[str, str]]

TARGET_LABELS: Final = ("__name__", "instance", "job")
"""Labels that every scraped series has: a list of labels is shorter without them."""
SHOWN_MAX: Final = 8
"""Values of a label that a sentence lists."""


@dataclass(frozen=True, slots=True)
class SelectorCheck:
    """The series that there were, and the names that there could have been.

    `known` are the names of all metrics and recording rules.
    """

    stock: Stock
    span: EvaluationSpan
    known: NearestNames

    def reason(self, selector: promql.VectorSelector, others: Sequence[Labels] = ()) -> str | None:
        """Say what is wrong with a selector that no series met; None when some did.

        `others` are label sets that the name could have had beside the stored ones.
        """
        name = name_of(selector)
        named = [*self._stored(name), *others]
        matchers = [m for m in selector.matchers.matchers if not (name and m.name == "__name__")]
        if name and not named:
            return self._no_metric(name)
        met: list[set[Pairs]] = []
        for matcher in matchers:
            stored = {_pairs(labels) for labels in self._stored(name, matcher_text(matcher))}
            met.append(stored | {_pairs(each) for each in others if _meets(each, matcher)})
            if not met[-1]:
                return self._no_value(name, matcher, named)
        if not met or set.intersection(*met):
            return None
        texts = ", ".join(map(matcher_text, matchers))
        return f"no series of {name or 'any metric'} has {texts} together"

    def _stored(self, name: str, matcher: str = "") -> Sequence[Labels]:
        if name and name not in self.stock.metric_names:
            return ()
        exact = f"__name__={quoted(name)}" if name else '__name__=~".+"'
        return self.stock.label_sets(f"{{{exact}{',' if matcher else ''}{matcher}}}", self.span)

    def _no_metric(self, name: str) -> str:
        if name in _names(RUN):
            return f"only a world that is served shows {name}: nothing scrapes it in virtual time"
        if name in _names(BURST):
            return f"no series of {name} exists: only a cardinality burst makes them"
        near = self.known.nearest(name)
        return f"no metric {name} exists{f', did you mean {near}?' if near else ''}"

    def _no_value(self, name: str, matcher: promql.Matcher, named: Sequence[Labels]) -> str:
        subject = name or "the metrics that are stored"
        values = sorted({labels[matcher.name] for labels in named if matcher.name in labels})
        is_positive = matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re)
        if values:
            # Whoever excludes a value means it: no other one is nearer.
            asked = values if is_positive else ()
            nearest = get_close_matches(matcher.value, asked, n=1, cutoff=NEAR_ENOUGH)
            near = f", did you mean {nearest[0]!r}?" if nearest else ""
            return (
                f"no series of {subject} has {matcher_text(matcher)}{near or ': '}"
                f"{' ' if near else ''}{matcher.name} is {_listed(values)}"
            )
        labels = sorted({label for series in named for label in series} - set(TARGET_LABELS))
        fitting = [label for label in labels if is_positive and self._met_as(name, label, matcher)]
        near_names = fitting or get_close_matches(matcher.name, labels, n=1, cutoff=NEAR_ENOUGH)
        if near_names:
            meant = f", did you mean {near_names[0]!r}?"
        elif labels:
            meant = f": beside job and instance it has {_listed(labels)}"
        else:
            meant = ": it has job and instance only"
        return f"{subject} {'has' if name else 'have'} no label {matcher.name}{meant}"

    def _met_as(self, name: str, label: str, matcher: promql.Matcher) -> bool:
        """Whether the matcher would be met if it named another label."""
        text = matcher_text(matcher).removeprefix(matcher.name)
        return bool(self._stored(name, f"{label}{text}"))


def _pairs(labels: Labels) -> Pairs:
    return frozenset(labels.items())


def _meets(labels: Labels, matcher: promql.Matcher) -> bool:
    """Return whether labels that are not stored meet a matcher; one that Python cannot read does.

    What is called dead must be: in doubt it is not.
    """
    value = labels.get(matcher.name, "")
    if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        return (value == matcher.value) == bool(matcher.op == promql.MatchOp.Equal)
    try:
        matches = re.fullmatch(matcher.value, value) is not None
    except re.error:
        return True
    return matches == bool(matcher.op == promql.MatchOp.Re)


def catalogue_names(metrics: Iterable[Metric[Source]]) -> set[str]:
    """Return the names of the series of `metrics`, whether anybody reads them or not."""
    return _names(metrics)


def _names(metrics: Iterable[Metric[Source]]) -> set[str]:
    """Return the names of the series that metrics have."""
    names: set[str] = set()
    for metric in metrics:
        parts = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
        names |= {metric.name + part for part in parts}
    return names


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(values[:SHOWN_MAX])
    return f"{shown} and {len(values) - SHOWN_MAX} more" if len(values) > SHOWN_MAX else shown
