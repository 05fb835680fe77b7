"""Every expression that is checked, with where it stands and what it belongs to.

Made of the rules and panels of a pack once, so that each check is a function of an expression. What
no parser of ours can follow is no expression: it is named elsewhere as not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verifier.check.findings.finding import CheckFinding
from verifier.pack.rules import AlertRule
from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import promql_parser as promql

    from documents.mistakes import Place
    from verifier.pack.panels import Panel, Query
    from verifier.pack.rules import RecordingRule, RuleFiles, RuleGroup


@dataclass(frozen=True, slots=True)
class CheckedExpression:
    """An expression of a rule or of a panel's query; `interval_s` is how often it is evaluated.

    `template` is the text of a panel's query with its variables; of a rule it is the text itself.
    """

    text: str
    tree: promql.Expr = field(repr=False, compare=False)
    place: Place
    subject: str
    interval_s: float
    template: str
    rule: AlertRule | RecordingRule | None = None
    panel: Panel | None = None
    query: Query | None = None

    @property
    def alert(self) -> AlertRule | None:
        """The alert that it belongs to, None for anything else."""
        return self.rule if isinstance(self.rule, AlertRule) else None

    def is_written(self, text: str) -> bool:
        """Whether a name or value stands in the file, and is not what a variable stands for."""
        if self.rule is not None:
            return True
        # A pattern is written with each backslash twice.
        return text.replace("\\", "") in self.template.replace("\\", "")

    def finding(self, kind: str, reason: str) -> CheckFinding:
        """Return a finding about it."""
        return CheckFinding(kind, self.place, self.subject, reason)


def of_rules(rules: RuleFiles) -> Iterator[CheckedExpression]:
    """Yield the expression of every rule that can be followed."""
    for group in rules.groups:
        for rule in group.rules:
            yield of_rule(group, rule)


def of_rule(group: RuleGroup, rule: AlertRule | RecordingRule) -> CheckedExpression:
    """Return the expression of a rule; raises ValueError for one that cannot be followed."""
    return CheckedExpression(
        rule.expr,
        parse(rule.expr),
        rule.position,
        rule_subject(rule),
        group.interval_s,
        rule.expr,
        rule=rule,
    )


def of_panels(panels: Sequence[Panel]) -> Iterator[CheckedExpression | CheckFinding]:
    """Yield the expression of every query, or a finding for one that is no PromQL."""
    for panel in panels:
        for query in panel.queries:
            subject = panel_subject(panel)
            try:
                tree = parse(query.expr)
            except ValueError as error:
                why = str(error)  # of the parser, on several lines
                reason = f"it is no PromQL: {' '.join(why.split())}"
                yield CheckFinding(
                    "dashboard-linter/target-promql-rule", query.position, subject, reason
                )
                continue
            yield CheckedExpression(
                query.expr,
                tree,
                query.position,
                subject,
                query.step_s,
                query.template or query.expr,
                panel=panel,
                query=query,
            )


def rule_subject(rule: AlertRule | RecordingRule) -> str:
    """Return what people call a rule."""
    return f"alert {rule.alert}" if isinstance(rule, AlertRule) else f"record {rule.record}"


def panel_subject(panel: Panel) -> str:
    """Return what people call a panel."""
    return f"panel {panel.dashboard} / {panel.title}"
