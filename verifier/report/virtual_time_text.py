"""What a person reads of a run in virtual time: when each alert came, and its limit.

Called by `text` for scenarios that were simulated. It judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from verifier.report.wording import (
    COUNTED_FROM,
    event_cell,
    fired_cell,
    pending_cell,
    reported_alerts,
    resolved_cell,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome
    from verifier.report.wording import TimeCell, Title

CAPTION: Final = COUNTED_FROM
HEAD: Final = ("Alert", "Scenario", "Pending", "Fired", "Resolved", "Result")


@dataclass(frozen=True, slots=True)
class VirtualTimeRow:
    """An alert that had to fire or failed, as a person reads it.

    All times of an alert count from the same moment, the limit of `resolved` too.
    """

    title: Title
    scenario: str
    alert: AlertVerdict

    @property
    def times(self) -> tuple[TimeCell, TimeCell, TimeCell]:
        """When it was pending, fired and resolved."""
        alert = self.alert
        return (
            pending_cell(alert, event_cell(alert, alert.pending_s)),
            fired_cell(alert, event_cell(alert, alert.firing_s, alert.fires_within_s)),
            resolved_cell(alert, event_cell(alert, alert.resolved_s, alert.resolved_limit_s)),
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's text, column by column."""
        mark = "ok" if self.alert.ok else "FAIL"
        return (str(self.title), self.scenario, *map(str, self.times), mark)


def rows(outcomes: Sequence[ScenarioOutcome]) -> list[VirtualTimeRow]:
    """Return a row for every alert that had to fire or failed, in the order of verdicts."""
    in_order = (
        VirtualTimeRow(title, outcome.name, alert)
        for outcome, alert, title in reported_alerts(outcomes)
    )
    return sorted(in_order, key=lambda row: str(row.title))


def table(rows_: Sequence[VirtualTimeRow]) -> Table:
    """Return the rows for a terminal; a cell that is too wide for it is folded, never cut."""
    text = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in (*HEAD[:-1], ""):
        text.add_column(name, overflow="fold")
    for row in rows_:
        text.add_row(*(Text(cell) for cell in row.cells), style="" if row.alert.ok else "red")
    return text
