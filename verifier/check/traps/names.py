"""Names, labels, label values and bucket bounds of an expression, held against what is exported.

What nobody exports is a phantom; what is declared, or a child that was not counted so far, is
legitimately empty. The two are told apart by what the page itself says: a type without a series, a
label without that value. Only of our own catalogue are the lists of values closed.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.amounts import listed
from documents.sentences import did_you_mean
from verifier.check.exports.label_fold import label_names, label_values
from verifier.check.exports.selecting import LabelMatcher, matchers_of
from verifier.evidence.naming.nearest_names import NearestNames
from verifier.evidence.relaxed import name_of
from verifier.promql.reads import NAME
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from verifier.check.exports.families import Exports
    from verifier.check.exports.label_fold import LabelFold
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding
    from verifier.labels import Labels

NEAR_ENOUGH: Final = 0.75
NAMES_ALIKE: Final = 0.8
"""Names of one exporter share their first word: what is less alike was not meant."""
NEAR_LETTERS_MIN: Final = 4
VALUES_LISTED_MAX: Final = 8
_DIGITS: Final = re.compile(r"\d+")
_BOUND: Final = "le"


class NameCheck:
    """Holds expressions against what is exported and what the rules record."""

    def __init__(self, exports: Exports, fold: LabelFold) -> None:
        """Check against these; nothing is asked yet."""
        self.exports, self.fold = exports, fold
        self._nearest = NearestNames(lambda: {*exports.names, *fold.recordings})

    def findings(self, expression: CheckedExpression) -> Iterator[CheckFinding]:
        """Yield what is wrong with the names of an expression, or empty for good reason."""
        for selector in nodes_of(expression.tree, promql.VectorSelector):
            metric = name_of(selector)
            if not metric:
                yield from self._named_by_pattern(expression, selector)
            elif expression.is_written(metric) or self._is_known(metric):
                yield from self._selector(expression, metric, matchers_of(selector))

    def _is_known(self, metric: str) -> bool:
        return metric in self.fold.recordings or self.exports.knows(metric)

    def _named_by_pattern(
        self, expression: CheckedExpression, selector: promql.VectorSelector
    ) -> Iterator[CheckFinding]:
        patterns = [m for m in selector.matchers.matchers if m.name == NAME]
        for each in patterns:
            matcher = LabelMatcher(NAME, "=~", each.value)
            known = (*self.exports.names, *self.fold.recordings)
            if expression.is_written(each.value) and not any(map(matcher.takes, known)):
                reason = f"no metric of {self.exports.source} has a name like {each.value!r}"
                yield expression.finding("phantom-metric", reason)

    def _selector(
        self, expression: CheckedExpression, metric: str, matchers: tuple[LabelMatcher, ...]
    ) -> Iterator[CheckFinding]:
        if not self._is_known(metric):
            yield expression.finding("phantom-metric", self._phantom(metric))
            return
        if metric in self.exports.declared and metric not in self.fold.recordings:
            reason = f"{metric} is declared by {self.exports.source}, and has no series so far"
            yield expression.finding("empty-metric", reason)
            return
        sets = self.fold.of_metric(metric)
        if sets is None:
            return
        told_apart = False
        for matcher in matchers:
            if matcher.name in self.exports.target_labels or not self._stands(expression, matcher):
                continue
            for finding in self._matcher(expression, metric, matcher, sets):
                told_apart = True
                yield finding
        if not told_apart and self.fold.selected(metric, matchers) is None:
            yield from self._combination(expression, metric, matchers)

    def _stands(self, expression: CheckedExpression, matcher: LabelMatcher) -> bool:
        return matcher.name not in self.exports.open_labels and expression.is_written(matcher.value)

    def _phantom(self, metric: str) -> str:
        hint = ""
        if metric in self.exports.kinds or f"{metric}_bucket" in self.exports.kinds:
            hint = f", only {metric}_bucket, {metric}_count and {metric}_sum"
        elif (near := self._nearest.nearest(metric)) is not None and _is_alike(metric, near):
            hint = f", did you mean {near}?"
        if ":" in metric:
            return f"no rule of those read records {metric}, nor does anybody export it{hint}"
        return f"nobody exports {metric} ({self.exports.source}){hint}"

    def _matcher(
        self,
        expression: CheckedExpression,
        metric: str,
        matcher: LabelMatcher,
        sets: frozenset[Labels],
    ) -> Iterator[CheckFinding]:
        values = label_values(sets, matcher.name)
        if not values:
            if matcher.is_positive and matcher.takes(""):
                return  # asks for series without it
            hint = did_you_mean(matcher.name, label_names(sets))
            reason = f"no series of {metric} has the label {matcher.name}: {matcher}{hint}"
            yield expression.finding("phantom-label", reason)
        elif matcher.name == _BOUND and metric.endswith("_bucket"):
            yield from self._bound(expression, metric, matcher, values)
        elif matcher.is_positive:
            missing = [each for each in matcher.alternatives if each not in values]
            if not missing and not any(map(matcher.takes, values)):
                missing = [matcher.value]
            for value in missing:
                yield self._value(expression, metric, matcher, (value, values))
        elif self.exports.is_closed and matcher.alternatives:
            for value in (each for each in matcher.alternatives if each not in values):
                yield self._value(expression, metric, matcher, (value, values))

    def _bound(
        self,
        expression: CheckedExpression,
        metric: str,
        matcher: LabelMatcher,
        values: frozenset[str],
    ) -> Iterator[CheckFinding]:
        for bound in (each for each in matcher.alternatives if each not in values):
            same = [each for each in values if _number(each) == _number(bound)]
            spelt = f"; the bound is spelt {same[0]!r}" if same else ""
            near = sorted(values, key=lambda each: abs(_number(each) - _number(bound)))[:2]
            listed_bounds = "" if same else f"; the nearest are {listed(sorted(near, key=_number))}"
            reason = f"{metric} has no bucket le={bound!r}{spelt}{listed_bounds}"
            yield expression.finding("phantom-bucket", reason)

    def _value(
        self,
        expression: CheckedExpression,
        metric: str,
        matcher: LabelMatcher,
        missing: tuple[str, Collection[str]],
    ) -> CheckFinding:
        value, values = missing
        known = sorted(values)
        some = listed(known[:VALUES_LISTED_MAX])
        more = (
            f" and {len(known) - VALUES_LISTED_MAX} more" if len(known) > VALUES_LISTED_MAX else ""
        )
        reason = f"no series of {metric} has {matcher.name}={value!r}, it has {some}{more}"
        if self.exports.is_closed and metric in self.exports.series:
            return expression.finding("phantom-label-value", reason + did_you_mean(value, known))
        if (near := _near(value, values)) is not None:
            return expression.finding("near-label-value", f"{reason}, did you mean {near!r}?")
        return expression.finding("empty-child", reason)

    def _combination(
        self, expression: CheckedExpression, metric: str, matchers: tuple[LabelMatcher, ...]
    ) -> Iterator[CheckFinding]:
        """Yield that no series meets all matchers at once, though one meets each."""
        if not all(self._stands(expression, matcher) for matcher in matchers):
            return
        pairs = ", ".join(map(str, matchers))
        reason = f"no series of {metric} has all of {pairs} at once"
        closed = self.exports.is_closed and metric in self.exports.series
        yield expression.finding("phantom-label-value" if closed else "empty-child", reason)


def _is_alike(metric: str, other: str) -> bool:
    return SequenceMatcher(None, metric, other).ratio() >= NAMES_ALIKE


def _near(value: str, values: Collection[str]) -> str | None:
    """Return the value that was meant, when one is so near that this looks like a slip."""
    for other in sorted(values):
        if value.casefold() == other.casefold():
            return other
        if min(len(value), len(other)) < NEAR_LETTERS_MIN:
            continue
        numbered = _DIGITS.sub("0", value) == _DIGITS.sub("0", other)
        prefixed = value.endswith(other) or other.endswith(value)  # active, inactive
        if numbered or prefixed or value.isdecimal():
            continue
        if SequenceMatcher(None, value, other).ratio() >= NEAR_ENOUGH:
            return other
    return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
