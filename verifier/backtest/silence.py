"""Whether an alert that was never active could have been, on the history that there is.

Called when all is replayed. An alert is vacuous when its condition, without its thresholds, never
had a value: then what it reads is not there, and that it stayed silent says nothing. An alert that
reads what a recording rule records is looked up under that name, fired or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.amounts import listed
from verifier.backtest.slices import GivenUp, SlicedQuery
from verifier.evaluation.timeline import Grid
from verifier.evidence.relaxed import relax
from verifier.promql.parsing import parse
from verifier.promql.printing import selector_text
from verifier.promql.reads import all_reads
from verifier.promql.walker import nodes
from verifier.servers.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.backtest.history_server import HistoryServer
    from verifier.backtest.replay import ReplayedAlert, ReplayRequest
    from verifier.pack.rules import AlertRule, RuleFiles

PROBES: Final = 500
"""Instants at which a condition is asked for before it is asked at every evaluation."""


@dataclass(frozen=True, slots=True)
class ReplayFinding:
    """What a person must know about an alert; `vacuous`: its silence says nothing.

    `recording` is the name that recording rules record and nobody stored.
    """

    alert: ReplayedAlert
    message: str
    vacuous: bool = False
    recording: str = ""


class SilenceCheck:
    """Asks the server about alerts, each question once."""

    def __init__(self, server: HistoryServer, request: ReplayRequest) -> None:
        """Ask nothing yet."""
        self._server, self._request = server, request
        self._stored: dict[tuple[str, float], bool] = {}
        self._valued: dict[tuple[str, float], bool] = {}

    def findings(self, alert: ReplayedAlert, rules: RuleFiles) -> list[ReplayFinding]:
        """Return what is to be said of an alert of `rules`, none where it could speak."""
        missing = [
            name for name in _recorded(alert.rule, rules) if not self._is_stored(name, alert.rule)
        ]
        findings = [
            ReplayFinding(
                alert,
                f"reads {name}, which a recording rule of these files records, and nothing is"
                " stored under that name: evaluate the recording rules on that server first",
                recording=name,
            )
            for name in missing
        ]
        if not alert.refused and not alert.record.noise.firing and not alert.record.noise.pending:
            reason = self._vacuous(alert)
            findings += [ReplayFinding(alert, reason, vacuous=True)] if reason else []
        return findings

    def _vacuous(self, alert: ReplayedAlert) -> str:
        """Return why an alert could not have been active, nothing where it could."""
        try:
            tree = parse(alert.rule.expr)
        except ValueError:
            return "only the engine can read its expression: nothing shows that it could fire"
        root = relax(tree).roots[0]
        if root.always or self._had_value(f"count({root.query})", alert):
            return ""
        selectors = dict.fromkeys(
            selector_text(node) for node in nodes(tree) if isinstance(node, promql.VectorSelector)
        )
        empty = [text for text in selectors if not self._is_stored(text, alert.rule)]
        if empty:
            return f"nothing is stored of {listed(empty)}"
        return "its condition, without thresholds, never had a value, though all it reads is stored"

    def _is_stored(self, selector: str, rule: AlertRule) -> bool:
        depth_s = max((read.depth_s for read in all_reads(rule.expr)), default=0.0)
        key = selector, depth_s
        if key not in self._stored:
            start_s, end_s = self._request.from_s - depth_s, self._request.to_s
            self._stored[key] = self._server.has_series(selector, start_s, end_s)
        return self._stored[key]

    def _had_value(self, expr: str, alert: ReplayedAlert) -> bool:
        """Whether an expression has a value at any evaluation; first at some, then at all."""
        grid = alert.run.grid
        key = expr, grid.interval_s
        if key not in self._valued:
            every = max(1, grid.count // PROBES)
            coarse = Grid(grid.start_s, grid.end_s, every * grid.interval_s)
            self._valued[key] = any(self._answers(expr, each) for each in (coarse, grid))
        return self._valued[key]

    def _answers(self, expr: str, grid: Grid) -> bool:
        query = SlicedQuery(self._server, expr, grid, epoch_s=self._request.from_s)
        try:
            # What fails has values that meet no partner.
            return any(part.answer or part.failed for part in query.slices())
        except (QueryError, GivenUp):
            return True  # the engine knows more than we


def _recorded(rule: AlertRule, rules: RuleFiles) -> Sequence[str]:
    """Return the names that an alert reads and that recording rules of its files record."""
    names = dict.fromkeys(recording.record for _, recording in rules.recordings)
    return [name for name in names if any(read.matches(name) for read in all_reads(rule.expr))]
