"""How far back in time rules and panels read, metric by metric.

Called before a run to decide how deep each series' history must be, and by the engine to order
recording rules. What a single expression reads is decided in `verifier.promql.reads`; this module
knows no metric by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule
from exporter.history.retention import COARSE_S
from verifier.promql.reads import Read, reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.pack.dashboards import Panel
    from verifier.pack.rules import RecordingRule, RuleFiles

WIDE_S: Final = 12.0 * COARSE_S
"""A window at least this wide may be read from the coarse part of the history, of which it then
holds twelve samples or more; a narrower one needs every scrape."""


@dataclass(frozen=True, slots=True)
class HistoryDepths:
    """The history that rules and panels need."""

    reads: tuple[Read, ...]

    def depth_s(self, metric: str) -> float:
        """Return how many seconds before an evaluation `metric` is read; 0 when it never is."""
        return max((read.depth_s for read in self.reads if read.matches(metric)), default=0.0)

    @property
    def longest_s(self) -> float:
        """The longest depth of all."""
        return max((read.depth_s for read in self.reads), default=0.0)

    @property
    def fine_s(self) -> float:
        """How far back a window too narrow for coarse steps is moved, by offset or subquery."""
        return max((read.depth_s for read in self.reads if read.window_s < WIDE_S), default=0.0)


def depths(rules: RuleFiles, panels: Iterable[Panel] = ()) -> HistoryDepths:
    """Return how deep every metric is read by any rule or panel, through recording rules too."""
    expressions = [rule.expr for _, rule in rules.alerts]
    expressions += [query.expr for panel in panels for query in panel.queries]
    all_reads = [read for expr in expressions for read in reads(expr)]
    # Backwards, so that every rule that reads a recorded metric comes before the rule that records.
    for rule in reversed(in_dependency_order(rules)):
        outer_s = HistoryDepths(tuple(all_reads)).depth_s(rule.record)
        all_reads += [replace(read, depth_s=read.depth_s + outer_s) for read in reads(rule.expr)]
    return HistoryDepths(tuple(all_reads))


def in_dependency_order(rules: RuleFiles) -> list[RecordingRule]:
    """Return the recording rules, each after those it reads; raise InputError on a circle."""
    waiting = [rule for _, rule in rules.recordings]
    ordered: list[RecordingRule] = []
    while waiting:
        ready = [rule for rule in waiting if not _reads_any(rule, waiting)]
        if not ready:
            subject = f"recording rule {waiting[0].record}"
            rule = "not read itself, not even through others"
            raise waiting[0].position.error(BrokenRule(subject, rule))
        ordered += ready
        waiting = [rule for rule in waiting if rule not in ready]
    return ordered


def _reads_any(rule: RecordingRule, others: Sequence[RecordingRule]) -> bool:
    return any(read.matches(other.record) for read in reads(rule.expr) for other in others)
