"""What a person reads of a run in virtual time: when each alert came, and its limit.

Called by `text` for scenarios that were simulated. It judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from verifier.report.wording import pending_cell, reported_alerts, time_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome
    from verifier.report.wording import TimeCell, Title

CAPTION: Final = (
    "All times count from the onset of the cause, from the scenario's start where there is none."
)
HEAD: Final = ("Alert", "Scenario", "Pending", "Fired", "Resolved", "Result")


@dataclass(frozen=True, slots=True)
class VirtualTimeRow:
    """An alert that had to fire or failed, as a person reads it.

    All times count from the cause's onset, the limit of `resolved` too.
    """

    title: Title
    scenario: str
    pending: TimeCell
    fired: TimeCell
    resolved: TimeCell
    ok: bool
    reason: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's text, column by column."""
        mark = "ok" if self.ok else "FAIL"
        times = map(str, (self.pending, self.fired, self.resolved))
        return (str(self.title), self.scenario, *times, mark)


def rows(outcomes: Sequence[ScenarioOutcome]) -> list[VirtualTimeRow]:
    """Return a row for every alert that had to fire or failed, in the order of verdicts."""
    in_order = [_row(*reported) for reported in reported_alerts(outcomes)]
    return sorted(in_order, key=lambda row: str(row.title))


def table(rows_: Sequence[VirtualTimeRow]) -> Table:
    """Return the rows for a terminal; a cell that is too wide for it is folded, never cut."""
    text = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in (*HEAD[:-1], ""):
        text.add_column(name, overflow="fold")
    for row in rows_:
        text.add_row(*(Text(cell) for cell in row.cells), style="" if row.ok else "red")
    return text


def _row(outcome: ScenarioOutcome, alert: AlertVerdict, title: Title) -> VirtualTimeRow:
    return VirtualTimeRow(
        title=title,
        scenario=outcome.name,
        pending=pending_cell(alert, time_cell(alert.pending_s)),
        fired=time_cell(alert.firing_s, alert.fires_within_s),
        resolved=time_cell(alert.resolved_s, alert.resolved_limit_s),
        ok=alert.ok,
        reason=alert.reason,
    )
