"""Traps in alert rules: what loads, and may even be right, and still misleads who relies on it.

Called by the SLO check, where a trap is a finding and never a failure, for users have such rules;
and by `verifier.check`. Reads promql-parser's syntax tree. Nothing is compared with the policy
here: `verifier.slo.alignment` does that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.promql.conditions import close, conditions_of, is_response_time
from verifier.promql.parsing import parse
from verifier.promql.walker import nodes_of
from verifier.slo.alignment import recordings_of
from verifier.slo.conditions.branches import branches_of
from verifier.slo.conditions.unreadable import UnreadableConditionError
from verifier.slo.disagreements import (
    OtherHistogram,
    PercentTwice,
    RepeatedCondition,
    SilentHours,
    SilentWhenAbsent,
    SingleWindow,
    SplitQuantile,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.slo.conditions.recordings import Recordings
    from verifier.slo.disagreements import Trap
    from verifier.slo.panels import AlertPanels

HUMANIZE: Final = "humanizePercentage"
LARGEST_RATIO: Final = 1.5
"""A threshold above this is no ratio, so it must be in per cent already."""


def rule_traps(rules: RuleFiles) -> list[Trap]:
    """Return every trap in the rules, by rule."""
    alerts = [rule for _, rule in rules.alerts]
    watched = {name for rule in alerts for name in _absent_metrics(rule.expr)}
    recordings = recordings_of(rules)
    traps: list[Trap] = []
    for index, rule in enumerate(alerts):
        traps += [
            *_percent_twice(rule),
            *_split_quantile(rule),
            *_single_window(rule),
            *_silent_hours(rule, recordings),
            *_silent_when_absent(rule, watched),
            *_repeated_condition(rule, alerts[:index]),
        ]
    return traps


def histogram_traps(alerts: Sequence[AlertPanels]) -> list[Trap]:
    """Return every panel that shows another histogram of the response time than its alert reads."""
    traps: list[Trap] = []
    for alert in alerts:
        read = set(filter(is_response_time, _metrics(alert.rule.expr)))
        for shown in alert.panels if read else ():
            panel = shown.panel
            metrics = {name for query in panel.queries for name in _metrics(query.expr)}
            traps += [
                OtherHistogram(
                    panel.position,
                    alert.rule.alert,
                    panel.title,
                    metric.removesuffix("_bucket"),
                    min(read).removesuffix("_bucket"),
                )
                for metric in sorted(filter(is_response_time, metrics - read))
            ]
    return traps


def _percent_twice(rule: AlertRule) -> Iterator[Trap]:
    humanized = any(HUMANIZE in text for _, text in rule.annotations)
    for condition in conditions_of(rule.expr) if humanized else ():
        if condition.threshold > LARGEST_RATIO:
            yield PercentTwice(rule.position, rule.alert, HUMANIZE, 100 * condition.threshold)


def _split_quantile(rule: AlertRule) -> Iterator[Trap]:
    if any(map(is_split_quantile, nodes_of(parse(rule.expr), promql.Call))):
        yield SplitQuantile(rule.position, rule.alert)


def is_split_quantile(call: promql.Call) -> bool:
    """Return whether a call is a quantile whose buckets are not summed by `le`."""
    return call.func.name == "histogram_quantile" and not _sums_by_le(call.args[1])


def _single_window(rule: AlertRule) -> Iterator[Trap]:
    if ("slo", "burn_rate") in rule.labels and len(conditions_of(rule.expr)) == 1:
        yield SingleWindow(rule.position, rule.alert)


def _silent_hours(rule: AlertRule, recordings: Recordings) -> Iterator[Trap]:
    """Yield the guards that keep an objective's alert silent at some hours."""
    if "slo" not in dict(rule.labels):
        return
    try:
        branches = branches_of(rule.expr, recordings)
    except UnreadableConditionError:
        return  # a disagreement already
    for guard in (guard for branch in branches for guard in branch.guards):
        yield SilentHours(rule.position, rule.alert, guard.text, 1 - guard.open_share)


def _silent_when_absent(rule: AlertRule, watched: set[str]) -> Iterator[Trap]:
    """Yield the trap of a sum below a limit, unless some alert asks whether its metric is there."""
    conditions = conditions_of(rule.expr)
    below = len(conditions) == 1 and conditions[0].operator.startswith("<")
    metrics = _metrics(rule.expr)
    is_ratio = below and "/" in conditions[0].quantity.core
    if below and not is_ratio and _aggregates(rule.expr) and len(metrics) == 1:
        [metric] = metrics
        if metric not in watched:
            yield SilentWhenAbsent(rule.position, rule.alert, metric)


def _repeated_condition(rule: AlertRule, earlier: list[AlertRule]) -> Iterator[Trap]:
    own = conditions_of(rule.expr)
    if len(own) != 1:
        return
    for other in earlier:
        # First what is cheap: the conditions of each rule are parsed anew for each pair.
        if rule.for_s != other.for_s or len(theirs := conditions_of(other.expr)) != 1:
            continue
        same = own[0].quantity.core == theirs[0].quantity.core
        if (
            same
            and own[0].core_operator == theirs[0].core_operator
            and close(own[0].core_threshold, theirs[0].core_threshold)
            and _aggregates(rule.expr) == _aggregates(other.expr)
        ):
            yield RepeatedCondition(rule.position, rule.alert, other.alert)


def _aggregates(expr: str) -> bool:
    return bool(nodes_of(parse(expr), promql.AggregateExpr))


def _sums_by_le(node: promql.Expr) -> bool:
    if not isinstance(node, promql.AggregateExpr) or str(node.op) != "sum":
        return False
    split = node.modifier
    return split is not None and ("le" in split.labels) == (split.type == promql.AggModifierType.By)


def _absent_metrics(expr: str) -> set[str]:
    """Return the metrics whose absence `expr` asks about."""
    return {
        selector.name
        for call in nodes_of(parse(expr), promql.Call)
        if call.func.name.startswith("absent")
        for selector in nodes_of(call, promql.VectorSelector)
        if selector.name
    }


def _metrics(expr: str) -> set[str]:
    selectors = nodes_of(parse(expr), promql.VectorSelector)
    return {selector.name for selector in selectors if selector.name}
