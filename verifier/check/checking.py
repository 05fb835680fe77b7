"""The whole check: every rule and panel, held against what is exported and against the traps.

Called by `agentaskit-sim check`. It reads nothing and asks nobody: rules, panels, routing and
exports are read before. The order of what it returns is that of the files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from verifier.check.findings.expressions import CheckedExpression, of_panels, of_rules
from verifier.check.findings.finding import CheckFinding, in_order
from verifier.check.findings.rule_texts import template_residue
from verifier.check.linters.dashboard_linter import dashboard_findings
from verifier.check.linters.pint import duplicates, of_alerts, of_expression
from verifier.check.linters.variable_questions import variable_questions
from verifier.check.traps.cells import SystemViews, only_with_cells
from verifier.check.traps.joins import joins
from verifier.check.traps.metric_uses import metric_uses
from verifier.check.traps.panel_units import panel_units
from verifier.check.traps.ratios import zero_by_zero
from verifier.check.traps.routing import routing_findings
from verifier.check.traps.slo_traps import slo_traps, split_quantiles
from verifier.check.traps.thresholds import thresholds
from verifier.check.traps.windows import windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from documents.mistakes import Place
    from verifier.check.exports.families import Exports
    from verifier.check.exports.label_fold import LabelFold
    from verifier.check.findings.rule_texts import RuleText
    from verifier.pack.panels import Dashboards
    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import RecordingRule, RuleFiles

SCRAPE_INTERVAL_S: Final = 15.0
RETENTION_S: Final = 15 * 86400.0
"""Prometheus's own default."""
WEAKER: Final[dict[str, tuple[str, ...]]] = {
    "split-quantile": ("quantile-without-le", "quantile-of-no-histogram"),
    "zero-by-zero": ("mismatched-labels", "many-to-many"),
    "repeated-condition": ("duplicate-rule",),
    "raw-counter": ("quantile-of-no-histogram",),
    "quantile-without-le": ("quantile-of-no-histogram",),
    "phantom-label": ("quantile-of-no-histogram",),
}
"""What is not worth saying beside a heavier finding of the same expression."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a pack runs in: what is exported, how often it is scraped, how long that is kept."""

    exports: Exports
    scrape_interval_s: float = SCRAPE_INTERVAL_S
    retention_s: float = RETENTION_S


@dataclass(frozen=True, slots=True)
class CheckedPack:
    """What is checked: rules with their texts by place, panels, routing, and files of boards."""

    rules: RuleFiles
    dashboards: Dashboards
    boards: Sequence[Path] = ()
    texts: Mapping[Place, RuleText] = field(default_factory=dict)
    routing: Routing | None = None


def check_pack(pack: CheckedPack, surroundings: Surroundings) -> tuple[CheckFinding, ...]:
    """Return every finding, by its place."""
    rules = pack.rules
    recordings: dict[str, list[RecordingRule]] = {}
    for _, rule in rules.recordings:
        recordings.setdefault(rule.record, []).append(rule)
    views = SystemViews(surroundings.exports, recordings)
    recorded_s = {rule.record: group.interval_s for group, rule in rules.recordings}
    parts = [*of_rules(rules), *of_panels(pack.dashboards.panels)]
    expressions = [each for each in parts if isinstance(each, CheckedExpression)]
    findings = [each for each in parts if isinstance(each, CheckFinding)]
    for expression in expressions:
        view = views.of(expression)
        findings += view.names.findings(expression)
        findings += only_with_cells(expression, view)
        findings += windows(
            expression, surroundings.scrape_interval_s, surroundings.retention_s, recorded_s
        )
        findings += _of_expression(expression, view.exports, view.fold)
        findings += of_expression(expression)
    for question in variable_questions(pack.boards):
        view = views.of(question)
        findings += view.names.findings(question)
        findings += only_with_cells(question, view)
    findings += of_alerts(rules, pack.texts, surroundings.scrape_interval_s)
    findings += duplicates(rules)
    findings += dashboard_findings(pack.boards)
    findings += zero_by_zero(expressions)
    findings += slo_traps(rules, pack.dashboards.panels)
    findings += template_residue(rules, pack.texts)
    if pack.routing is not None:
        findings += routing_findings(pack.routing, rules)
    return in_order(_without_weaker(findings))


def _of_expression(
    expression: CheckedExpression, exports: Exports, fold: LabelFold
) -> Iterator[CheckFinding]:
    yield from metric_uses(expression, exports)
    yield from thresholds(expression, exports, fold)
    yield from joins(expression, exports, fold)
    yield from split_quantiles(expression, fold)
    yield from panel_units(expression)


def _without_weaker(findings: Sequence[CheckFinding]) -> Iterator[CheckFinding]:
    """Yield findings without those that a heavier one of the same expression already says."""
    places = {(each.id, each.place, each.subject) for each in findings}
    for each in findings:
        heavier = WEAKER.get(each.id, ())
        if not any((name, each.place, each.subject) in places for name in heavier):
            yield each
