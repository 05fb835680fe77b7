"""What a person reads of a run in real time: who was notified of each alert and when, what broke.

Called by `text` for scenarios that were run on a real stack, in place of the table of virtual time.
Times are scenario seconds, written to the second. It judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from documents.durations import format_duration
from verifier.report.wording import (
    COUNTED_FROM,
    event_cell,
    fired_cell,
    pending_cell,
    reported_alerts,
    resolved_cell,
    title,
)
from verifier.time_compression import INERTIA_S, TimeCompression

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.judge.verdict import AlertVerdict, ClockDifference, ScenarioOutcome, Status
    from verifier.report.wording import TimeCell, Title

_CAPTION = (
    f"{COUNTED_FROM} Notified is the first receiver, resolve"
    " notified the last. The limit of notified follows from scrape, evaluation, `for` and"
    " group_wait."
)
HEAD = (
    "Alert",
    "Scenario",
    "Condition",
    "Pending",
    "Fired",
    "Notified",
    "Receivers",
    "Resolved",
    "Resolve notified",
    "Result",
)
DIFFERENCES_HEAD = ("Alert", "Scenario", "Transition", "Virtual", "Real", "Allowed", "Result")
_SAME_S = 0.005
"""Two times closer than this, in real time, are those of the same evaluation."""


@dataclass(frozen=True, slots=True)
class RealTimeRow:
    """An alert as a person reads it, from its condition to the notification that it resolved."""

    title: Title
    scenario: str
    alert: AlertVerdict

    @property
    def condition(self) -> TimeCell:
        """When its condition became true."""
        latency = self.alert.latency
        return _time(self.alert, latency.condition_s if latency else None)

    @property
    def fired(self) -> TimeCell:
        """When it fired, and its limit."""
        cell = _time(self.alert, self.alert.firing_s, self.alert.fires_within_s)
        return fired_cell(self.alert, cell)

    @property
    def notified(self) -> TimeCell:
        """When the first receiver was notified, and the limit that the intervals imply."""
        at_s = [each.at_s for each in self.alert.deliveries if each.status == "firing"]
        latency = self.alert.latency
        limit_s = latency.bound_s if latency else None
        return _time(self.alert, min(at_s) - self.alert.onset_s if at_s else None, limit_s)

    @property
    def receivers(self) -> str:
        """Who was notified that it fires."""
        return ", ".join(notified_receivers(self.alert, "firing")) or "nobody"

    @property
    def resolved(self) -> TimeCell:
        """When it resolved, and its limit."""
        cell = _time(self.alert, self.alert.resolved_s, self.alert.resolved_limit_s)
        return resolved_cell(self.alert, cell)

    @property
    def notice(self) -> TimeCell:
        """When the last receiver was notified that it resolved."""
        at_s = [each.at_s for each in self.alert.deliveries if each.status == "resolved"]
        return _time(self.alert, max(at_s) - self.alert.onset_s if at_s else None)

    @property
    def mark(self) -> str:
        """Whether it is as expected."""
        return "ok" if self.alert.ok else "FAIL"

    @property
    def cells(self) -> tuple[str, ...]:
        """All of it, column by column, under `HEAD`."""
        return (
            str(self.title),
            self.scenario,
            str(self.condition),
            str(pending_cell(self.alert, _time(self.alert, self.alert.pending_s))),
            str(self.fired),
            str(self.notified),
            self.receivers,
            str(self.resolved),
            str(self.notice),
            self.mark,
        )


def caption(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Say what the times count from, and by how much longer compression made the limits."""
    factor = max((outcome.compress for outcome in outcomes), default=1.0)
    if factor <= 1:
        return _CAPTION
    longer = format_duration(round(TimeCompression(factor).allowance_s(INERTIA_S)))
    return (
        f"{_CAPTION} Limits include {longer} on top of the scenario's own, for delays that cannot"
        " be compressed."
    )


def notified_receivers(alert: AlertVerdict, status: Status) -> list[str]:
    """Return the receivers that were notified of this status, in order."""
    deliveries = (delivery for delivery in alert.deliveries if delivery.status == status)
    return list(dict.fromkeys(delivery.receiver for delivery in deliveries))


def rows(outcomes: Sequence[ScenarioOutcome]) -> list[RealTimeRow]:
    """Return a row for every alert that had to fire or failed, in the order of verdicts."""
    reported = reported_alerts(outcomes)
    return [RealTimeRow(title_, outcome.name, alert) for outcome, alert, title_ in reported]


def table(rows_: Sequence[RealTimeRow]) -> Table:
    """Return the rows for a terminal of 80 columns, by scenario.

    Below each alert stand its receivers and the hop that broke; below each time stands its limit.
    """
    text = _narrow("Alert", "Fired", "Notified", "Resolved", "Resolve\nnotified", "")
    scenario = None
    for row in rows_:
        if row.scenario != scenario:
            text.add_row(Text(row.scenario, style="bold"))
        scenario = row.scenario
        below = notified_receivers(row.alert, "firing") or ["nobody"]
        if row.alert.broke_at is not None:
            below.append(f"broke at {row.alert.broke_at}")
        times = map(_limit_below, (row.fired, row.notified, row.resolved, row.notice))
        style = "" if row.alert.ok else "red"
        text.add_row(_stacked(row.title, *below), *times, Text(row.mark), style=style)
    return text


def differences(
    outcomes: Sequence[ScenarioOutcome],
) -> list[tuple[ScenarioOutcome, ClockDifference]]:
    """Return every transition that differs between the clocks, those that fail first."""
    differing = [
        (outcome, difference)
        for outcome in outcomes
        for difference in outcome.clocks or ()
        if not difference.ok or not _same(outcome, difference)
    ]
    return sorted(differing, key=lambda pair: pair[1].ok)


def difference_cells(outcome: ScenarioOutcome, difference: ClockDifference) -> tuple[str, ...]:
    """Return a difference column by column, under `DIFFERENCES_HEAD`."""
    name = str(_difference_title(outcome, difference))
    return (name, outcome.name, *_transition_cells(difference))


def difference_table(differing: Sequence[tuple[ScenarioOutcome, ClockDifference]]) -> Table:
    """Return differences for a terminal of 80 columns; the scenario stands below the alert."""
    table = _narrow("Alert", *DIFFERENCES_HEAD[2:-1], "")
    for outcome, difference in differing:
        name = _stacked(_difference_title(outcome, difference), outcome.name)
        style = "" if difference.ok else "red"
        table.add_row(name, *map(Text, _transition_cells(difference)), style=style)
    return table


def comparison(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return a sentence on how the two clocks compare; empty when they were not compared."""
    if all(outcome.clocks is None for outcome in outcomes):
        return ""
    transitions = [(outcome, each) for outcome in outcomes for each in outcome.clocks or ()]
    same = sum(_same(outcome, each) for outcome, each in transitions)
    wrong = sum(not each.ok for _, each in transitions)
    apart = len(transitions) - same
    return (
        f"{same} of {len(transitions)} transitions came at the same evaluation in virtual and in"
        f" real time, {apart - wrong} within the allowed difference, {wrong} not"
    )


def notes(outcomes: Sequence[ScenarioOutcome]) -> Iterator[str]:
    """Yield the incidents of each run."""
    for outcome in outcomes:
        for note in outcome.notes:
            yield f"{outcome.name}: {note}"


def _narrow(*head: str) -> Table:
    """Return an empty narrow table; a cell that is still too wide is folded."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in head:
        table.add_column(name, overflow="fold")
    return table


def _difference_title(outcome: ScenarioOutcome, difference: ClockDifference) -> Title:
    siblings = [other for other in outcome.clocks or () if other.alert == difference.alert]
    return title(difference, siblings)


def _transition_cells(difference: ClockDifference) -> tuple[str, ...]:
    times = (_tenth(difference.virtual_s), _tenth(difference.real_s), _tenth(difference.allowed_s))
    return (difference.transition, *times, "ok" if difference.ok else "FAIL")


def _stacked(title_: Title, *below: str) -> Text:
    """Return an alert's name with its own labels and other lines below it."""
    lines = [title_.labels] if title_.labels else []
    return Text("\n  ".join((title_.alert, *lines, *below)))


def _limit_below(cell: TimeCell) -> Text:
    return Text(f"{cell.time}\nof {cell.limit}" if cell.limit else cell.time)


def _same(outcome: ScenarioOutcome, difference: ClockDifference) -> bool:
    if difference.virtual_s is None or difference.real_s is None:
        return False
    return abs(difference.real_s - difference.virtual_s) <= _SAME_S * outcome.compress


def _time(alert: AlertVerdict, seconds: float | None, limit_s: float | None = None) -> TimeCell:
    """Return times to the second: what is finer is the machine's."""
    whole_s = None if seconds is None else round(seconds)
    return event_cell(alert, whole_s, None if limit_s is None else round(limit_s))


def _tenth(seconds: float | None) -> str:
    return "never" if seconds is None else format_duration(round(seconds, 1))
