"""The traps that `slo check` knows, as findings: read there, and given their ids here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.check.findings.expressions import panel_subject
from verifier.check.findings.finding import CheckFinding
from verifier.evidence.relaxed import name_of
from verifier.promql.conditions import close, conditions_of
from verifier.promql.parsing import parse
from verifier.promql.walker import nodes_of
from verifier.slo.disagreements import (
    OtherHistogram,
    PercentTwice,
    RepeatedCondition,
    SilentHours,
    SilentWhenAbsent,
    SingleWindow,
    SplitQuantile,
)
from verifier.slo.panels import panel_differences, panels_of_alerts
from verifier.slo.sentences import disagreement_sentence, trap_sentence
from verifier.slo.traps import (
    HUMANIZE,
    LARGEST_RATIO,
    histogram_traps,
    is_split_quantile,
    rule_traps,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.check.exports.label_fold import LabelFold
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.pack.panels import Panel
    from verifier.pack.rules import RuleFiles
    from verifier.promql.conditions import Condition
    from verifier.slo.disagreements import Trap

TRAP_IDS: Final[dict[type[Trap], str]] = {
    PercentTwice: "percent-twice",
    SplitQuantile: "split-quantile",
    SingleWindow: "single-window-burn",
    SilentHours: "silent-hours",
    SilentWhenAbsent: "silent-when-absent",
    RepeatedCondition: "repeated-condition",
    OtherHistogram: "other-histogram",
}


def slo_traps(rules: RuleFiles, panels: Sequence[Panel]) -> Iterator[CheckFinding]:
    """Yield every trap of the rules, and every panel that tells another story than its alert."""
    for trap in (*rule_traps(rules), *_other_burns(rules), *_percents(rules)):
        yield _finding(trap, f"alert {trap.alert}")
    readable = [panel for panel in panels if all(_is_readable(q.expr) for q in panel.queries)]
    alerts = panels_of_alerts(rules, readable)
    subjects = {panel.position: panel_subject(panel) for panel in readable}
    for trap in histogram_traps(alerts):
        yield _finding(trap, subjects[trap.place])
    for wrong in panel_differences(alerts):
        yield CheckFinding(
            "panel-threshold", wrong.place, subjects[wrong.place], disagreement_sentence(wrong)
        )


def split_quantiles(expression: CheckedExpression, fold: LabelFold) -> Iterator[CheckFinding]:
    """Yield a quantile of each label set in what is no alert, where there are several sets."""
    if expression.alert is not None:
        return
    for call in nodes_of(expression.tree, promql.Call):
        if not is_split_quantile(call):
            continue
        sets = fold.sets(call, lambda _: None)
        if sets is not None and len(sets) > 1:
            reason = f"histogram_quantile without `sum by (le)` has {len(sets)} values"
            yield expression.finding("split-quantile", reason)


def _other_burns(rules: RuleFiles) -> Iterator[Trap]:
    """Yield the burn rates over a single window that do not have the label of ours.

    By their name, or by their form: a share of events, divided by a small budget, above 1.
    """
    for _, rule in rules.alerts:
        conditions = conditions_of(rule.expr)
        if ("slo", "burn_rate") in rule.labels or len(conditions) != 1:
            continue
        if "burn" in rule.alert.casefold() or _is_burn(conditions[0], rule.expr):
            yield SingleWindow(rule.position, rule.alert)


def _is_burn(condition: Condition, expr: str) -> bool:
    quantity = condition.quantity
    metrics = {name_of(each) for each in nodes_of(parse(expr), promql.VectorSelector)}
    is_share = "/" in quantity.core and len(metrics) == 1 and not quantity.offset
    above = condition.threshold > 1 and condition.operator.startswith(">")
    return is_share and above and quantity.slope > 1 and not close(quantity.slope, 100)


def _percents(rules: RuleFiles) -> Iterator[Trap]:
    """Yield what is shown as a percentage twice, where the threshold alone does not tell it."""
    for _, rule in rules.alerts:
        if not any(HUMANIZE in text for _, text in rule.annotations):
            continue
        for condition in conditions_of(rule.expr):
            times = abs(condition.quantity.slope)
            if close(times, 100) and condition.threshold <= LARGEST_RATIO:
                yield PercentTwice(rule.position, rule.alert, HUMANIZE, 100 * condition.threshold)


def _finding(trap: Trap, subject: str) -> CheckFinding:
    sentence = trap_sentence(trap).removeprefix(f"{trap.alert}: ")
    return CheckFinding(TRAP_IDS[type(trap)], trap.place, subject, sentence)


def _is_readable(expr: str) -> bool:
    try:
        parse(expr)
    except ValueError:
        return False
    return True
