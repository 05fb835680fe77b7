"""Rules of pint that need no server, under pint's names.

Where a trap of ours says the same, its kind names pint's rule in `also` and nothing is said here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.check.exports.selecting import matchers_of
from verifier.check.findings.expressions import rule_subject
from verifier.check.findings.finding import CheckFinding
from verifier.evidence.clock_reading import CALENDAR
from verifier.evidence.value_bounds import KnownFacts, unreachable
from verifier.promql.conditions import COMPARISONS
from verifier.promql.parsing import parse
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from documents.mistakes import Place
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.rule_texts import RuleText
    from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles

COMPARING: Final = (*COMPARISONS, "==", "!=")
EXPLAINING: Final = ("summary", "description", "message")
_PATTERN: Final = re.compile(r"[.*+?()\[\]{}|^$\\]")
_ANCHORED: Final = re.compile(r"\^.*|.*[^\\]\$", re.DOTALL)


def of_expression(expression: CheckedExpression) -> Iterator[CheckFinding]:
    """Yield what is said of any expression, of a rule or of a panel."""
    for selector in nodes_of(expression.tree, promql.VectorSelector):
        for matcher in matchers_of(selector):
            if not matcher.is_pattern or not expression.is_written(matcher.value):
                continue
            if not _PATTERN.search(matcher.value) and matcher.value:
                reason = f"{matcher} is no pattern"
                yield expression.finding("pint/promql/regexp", reason)
            elif _ANCHORED.fullmatch(matcher.value):
                reason = f"{matcher} has an anchor, and is anchored without it"
                yield expression.finding("pint/promql/regexp", reason)
    for node in nodes_of(expression.tree, promql.BinaryExpr):
        sides = (node.lhs, node.rhs)
        if any(_is_without(side) for side in sides) and all(map(_reads, sides)):
            reason = f"a side of {str(node.op)!r} is grouped by without(): a new label parts them"
            yield expression.finding("pint/promql/fragile", reason)
        if str(node.op) in COMPARING and not any(map(_reads, sides)):
            reason = f"{' '.join(node.prettify().split())} compares no measured value"
            yield expression.finding("pint/promql/impossible", reason)
    if expression.alert is not None and _reads(expression.tree):
        # Of whichever exporter: what only ours promises is for `verify` to say.
        reasons = unreachable(expression.tree, KnownFacts(metrics=()))
        yield from (expression.finding("pint/promql/impossible", reason) for reason in reasons)


def of_alerts(
    rules: RuleFiles, texts: Mapping[Place, RuleText], scrape_interval_s: float
) -> Iterator[CheckFinding]:
    """Yield what is said of alerts as a whole."""
    recordings = {rule.record: rule for _, rule in rules.recordings}
    for _, rule in rules.alerts:
        subject, place = rule_subject(rule), rule.position
        if not _has_condition(rule.expr, recordings, frozenset()):
            reason = "it is compared with nothing: it fires for whatever has a value"
            yield CheckFinding("pint/alerts/comparison", place, subject, reason)
        if not any(name in EXPLAINING for name, _ in rule.annotations):
            reason = f"it has none of {', '.join(EXPLAINING)}"
            yield CheckFinding("pint/alerts/annotation", place, subject, reason)
        text = texts.get(place)
        if text is not None and text.raw.get("for") is not None and not rule.for_s:
            reason = f"for: {text.raw['for']} is the default"
            yield CheckFinding("pint/alerts/for", text.place("for"), subject, reason)
        if _asks_absence(rule) and rule.for_s < 2 * scrape_interval_s:
            reason = "absent() holds between a start of the server and its first scrape"
            yield CheckFinding("pint/alerts/absent", place, subject, reason)


def duplicates(rules: RuleFiles) -> Iterator[CheckFinding]:
    """Yield every rule that records, or alerts, what a rule before it does."""
    first: dict[tuple[str, ...], AlertRule | RecordingRule] = {}
    for group in rules.groups:
        for rule in group.rules:
            subject = rule_subject(rule)
            labels = tuple(f"{name}={value}" for name, value in rule.labels)
            # Two alerts of a name are one with two branches, unless the condition is the same.
            own = (rule.expr,) if subject.startswith("alert") else ()
            earlier = first.setdefault((subject, *labels, *own), rule)
            if earlier is not rule:
                reason = f"the same as in {earlier.position}, with the same labels"
                yield CheckFinding("duplicate-rule", rule.position, subject, reason)


def _is_without(node: promql.Expr) -> bool:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    if not isinstance(node, promql.AggregateExpr) or node.modifier is None:
        return False
    return bool(node.modifier.type != promql.AggModifierType.By)


def _reads(node: promql.Expr) -> bool:
    """Whether an expression reads series, or the clock."""
    calls = [call.func.name for call in nodes_of(node, promql.Call)]
    reads_clock = any(name in ("time", *CALENDAR) for name in calls)
    return bool(nodes_of(node, promql.VectorSelector)) or reads_clock


def _has_condition(
    expr: str, recordings: Mapping[str, RecordingRule], inside: frozenset[str]
) -> bool:
    """Whether an expression has a result only sometimes, by itself or by what it reads."""
    tree = parse(expr)
    for node in nodes_of(tree, promql.BinaryExpr):
        returns_bool = node.modifier is not None and node.modifier.return_bool
        if (str(node.op) in COMPARING and not returns_bool) or str(node.op) == "unless":
            return True
    if any(call.func.name.startswith("absent") for call in nodes_of(tree, promql.Call)):
        return True
    names = {each.name for each in nodes_of(tree, promql.VectorSelector) if each.name}
    return "ALERTS" in names or any(
        _has_condition(recordings[name].expr, recordings, inside | {name})
        for name in names - inside
        if name in recordings
    )


def _asks_absence(rule: AlertRule) -> bool:
    return any(call.func.name == "absent" for call in nodes_of(parse(rule.expr), promql.Call))
