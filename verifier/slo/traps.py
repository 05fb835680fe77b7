"""Traps in alert rules that load, and may even be right, and still mislead who relies on them.

Called by the SLO check; each is a `Finding`, told and never failed: users have such rules. Reads
promql-parser's syntax tree. It compares nothing with the policy: that is `slo_alignment`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import promql_parser as promql

from verifier.errors import Finding
from verifier.promql.conditions import close, conditions_of, is_response_time
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.slo.panels import AlertPanels

HUMANIZE = "humanizePercentage"
LARGEST_RATIO = 1.5
"""A threshold above this is no ratio, so it must be in per cent already."""


def find_traps(rules: RuleFiles) -> list[Finding]:
    """Return every trap in the rules, those found in reading them first."""
    alerts = [rule for _, rule in rules.alerts]
    guarded = {name for rule in alerts for name in _absent_metrics(rule.expr)}
    found = list(rules.findings)
    for index, rule in enumerate(alerts):
        messages = [*_one_rule(rule), *_silence(rule, guarded), *_twins(rule, alerts[:index])]
        found += [Finding(rule.position, f"{rule.alert}: {message}") for message in messages]
    return found


def find_other_stories(drawn: list[AlertPanels]) -> list[Finding]:
    """Return a finding for every panel that draws another histogram than its alert reads."""
    found = []
    for one in drawn:
        read = set(filter(is_response_time, _metrics(one.rule.expr)))
        for panel, _, _ in one.panels if read else ():
            metrics = {name for query in panel.queries for name in _metrics(query.expr)}
            for shown in sorted(filter(is_response_time, metrics - read)):
                message = (
                    f"panel {panel.title!r} draws {shown.removesuffix('_bucket')},"
                    f" {one.rule.alert} reads {min(read).removesuffix('_bucket')}: they must tell"
                    " the same story"
                )
                found.append(Finding(panel.position, message))
    return found


def _one_rule(rule: AlertRule) -> Iterator[str]:
    conditions = conditions_of(rule.expr)
    texts = [text for _, text in rule.annotations]
    for one in conditions:
        if one.threshold > LARGEST_RATIO and any(HUMANIZE in text for text in texts):
            yield (
                f"{HUMANIZE} multiplies by 100, the value is in per cent already: it would read"
                f" {100 * one.threshold:g}%"
            )
    if _splits_quantile(rule.expr):
        yield "histogram_quantile without `sum by (le)` alerts once for every label set"
    if ("slo", "burn_rate") in rule.labels and len(conditions) == 1:
        yield (
            "a burn rate over a single window keeps firing for most of the window after a short"
            " outage is over: add a short window with `and`"
        )


def _silence(rule: AlertRule, guarded: set[str]) -> Iterator[str]:
    conditions = conditions_of(rule.expr)
    below = len(conditions) == 1 and conditions[0].operator.startswith("<")
    sums = _aggregates(rule.expr)
    metrics = _metrics(rule.expr)
    if below and sums and len(metrics) == 1 and "/" not in conditions[0].quantity.core:
        [metric] = metrics
        if metric not in guarded:
            yield (
                f"a sum of nothing is nothing: when {metric} vanishes this goes silent instead of"
                " firing; guard it with absent()"
            )


def _twins(rule: AlertRule, earlier: list[AlertRule]) -> Iterator[str]:
    own = conditions_of(rule.expr)
    for other in earlier:
        theirs = conditions_of(other.expr)
        if len(own) != 1 or len(theirs) != 1 or rule.for_s != other.for_s:
            continue
        same = own[0].quantity.core == theirs[0].quantity.core
        if (
            same
            and own[0].core_operator == theirs[0].core_operator
            and close(own[0].core_threshold, theirs[0].core_threshold)
            and _aggregates(rule.expr) == _aggregates(other.expr)
        ):
            yield f"the same condition as {other.alert}: both fire for one cause"


def _aggregates(expr: str) -> bool:
    return bool(nodes_of(promql.parse(expr), promql.AggregateExpr))


def _splits_quantile(expr: str) -> bool:
    return any(
        call.func.name == "histogram_quantile" and not _sums_by_le(call.args[1])
        for call in nodes_of(promql.parse(expr), promql.Call)
    )


def _sums_by_le(node: promql.Expr) -> bool:
    if not isinstance(node, promql.AggregateExpr) or str(node.op) != "sum":
        return False
    split = node.modifier
    return split is not None and ("le" in split.labels) == (split.type == promql.AggModifierType.By)


def _absent_metrics(expr: str) -> set[str]:
    """Return the metrics whose absence `expr` asks about."""
    return {
        selector.name
        for call in nodes_of(promql.parse(expr), promql.Call)
        if call.func.name.startswith("absent")
        for selector in nodes_of(call, promql.VectorSelector)
        if selector.name
    }


def _metrics(expr: str) -> set[str]:
    return {
        selector.name
        for selector in nodes_of(promql.parse(expr), promql.VectorSelector)
        if selector.name
    }
