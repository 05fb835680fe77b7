"""The whole check: every rule and panel, held against what is exported and against the traps.

Called by `agentaskit-sim check`. It reads nothing and asks nobody: rules, panels, routing and
exports are read before. The order of what it returns is that of the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.check.exports.label_fold import LabelFold
from verifier.check.expressions import CheckedExpression, of_panels, of_rules
from verifier.check.findings import CheckFinding, in_order
from verifier.check.names import NameCheck

if TYPE_CHECKING:
    from verifier.check.exports.families import Exports
    from verifier.pack.panels import Dashboards
    from verifier.pack.rules import RecordingRule, RuleFiles

SCRAPE_INTERVAL_S: Final = 15.0
RETENTION_S: Final = 15 * 86400.0
"""Prometheus's own default."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a pack runs in: what is exported, how often it is scraped, how long that is kept."""

    exports: Exports
    scrape_interval_s: float = SCRAPE_INTERVAL_S
    retention_s: float = RETENTION_S


def check_pack(
    rules: RuleFiles, dashboards: Dashboards, surroundings: Surroundings
) -> tuple[CheckFinding, ...]:
    """Return every finding, by its place."""
    recordings: dict[str, list[RecordingRule]] = {}
    for _, rule in rules.recordings:
        recordings.setdefault(rule.record, []).append(rule)
    fold = LabelFold(surroundings.exports, recordings)
    parts = [*of_rules(rules), *of_panels(dashboards.panels)]
    expressions = [each for each in parts if isinstance(each, CheckedExpression)]
    findings = [each for each in parts if isinstance(each, CheckFinding)]
    names = NameCheck(surroundings.exports, fold)
    for expression in expressions:
        findings += names.findings(expression)
    return in_order(findings)
