"""Which alerts a report shows, how it names them, and how it writes a time.

Used by the reports of both clocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from exporter.target import CELL
from verifier.judge.expectation_matching import at_least

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.judge.verdict import AlertVerdict, ClockDifference, ScenarioOutcome


@dataclass(frozen=True, slots=True)
class Title:
    """An alert's name, and the labels by which it differs from its siblings, as text."""

    alert: str
    labels: str = ""

    def __str__(self) -> str:
        """Write `Queue{priority=high}`."""
        return self.alert + self.labels


@dataclass(frozen=True, slots=True)
class TimeCell:
    """A time and its limit, both as text; the limit is empty where there is none."""

    time: str
    limit: str = ""

    def __str__(self) -> str:
        """Write `5m30s of 7m`."""
        return f"{self.time} of {self.limit}" if self.limit else self.time


def reported_alerts(
    outcomes: Sequence[ScenarioOutcome],
) -> Iterator[tuple[ScenarioOutcome, AlertVerdict, Title]]:
    """Yield every alert that had to fire or failed, with its scenario and its title.

    What kept a silence that proves nothing is listed elsewhere.
    """
    for outcome in outcomes:
        reported = [
            a for a in outcome.alerts if a.expected == "fires" or not (a.ok or a.is_vacuous)
        ]
        for alert in reported:
            siblings = [other for other in reported if other.alert == alert.alert]
            yield outcome, alert, title(alert, siblings)


def title(
    alert: AlertVerdict | ClockDifference, siblings: Sequence[AlertVerdict | ClockDifference]
) -> Title:
    """Return the alert's name, with the labels in which it differs from its `siblings`.

    And with its cell, also where it is alone: of several cells it could have been another.
    """
    common = set(alert.labels).intersection(*(sibling.labels for sibling in siblings))
    cells = [dict(sibling.labels).get(CELL) for sibling in siblings]
    # Each cell is an instance, whose name only repeats it.
    repeated = "instance" if None not in cells and len({*cells}) == len(cells) else ""
    own = [
        f"{name}={value}"
        for name, value in alert.labels
        if name == CELL or (name != repeated and (name, value) not in common)
    ]
    return Title(alert.alert, f"{{{','.join(own)}}}" if own and siblings else "")


COUNTED_FROM: Final = (
    "All times count from the onset of the cause; `at 5m` is a time of the scenario, from its"
    " start, for an alert without one."
)
"""What the times of a table count from."""


def event_cell(
    alert: AlertVerdict, seconds: float | None, limit_s: float | None = None
) -> TimeCell:
    """Return a time of an alert by the clock that it counts from, and its limit.

    `5m30s` is after the onset of its cause, `at 5m30s` a time of the scenario; what came earlier is
    said in words.
    """
    cell = time_cell(None if seconds is None else abs(seconds), limit_s)
    if seconds is None:
        return cell
    from_start = alert.cause is None or alert.onset_s == 0
    if seconds < 0:
        return TimeCell(f"{cell.time} before the {'start' if from_start else 'onset'}", cell.limit)
    return TimeCell(f"at {cell.time}", cell.limit) if from_start else cell


def pending_cell(alert: AlertVerdict, cell: TimeCell) -> TimeCell:
    """Return when an alert was pending, marked where it had been so before and did not fire."""
    times = len(alert.lost_pending)
    if alert.firing_s is None or not times:
        return cell
    return TimeCell(f"{cell.time} ({ordinal(times + 1)} time)", cell.limit)


def fired_cell(alert: AlertVerdict, cell: TimeCell) -> TimeCell:
    """Return when an alert first fired, marked where it fired again."""
    times = len(alert.firings)
    if times < 2:
        return cell
    return TimeCell(f"{cell.time} (1st of {at_least(alert.firings)}{times})", cell.limit)


def resolved_cell(alert: AlertVerdict, cell: TimeCell) -> TimeCell:
    """Return when an alert resolved; of one that fires to the end, that it still does."""
    lasts = alert.firing_s is not None and alert.resolved_s is None
    return TimeCell("still firing", cell.limit) if lasts else cell


def ordinal(number: int) -> str:
    """Write 2 as `2nd`."""
    teens = 11 <= number % 100 <= 13
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def time_cell(seconds: float | None, limit_s: float | None = None) -> TimeCell:
    """Return a time, to a tenth of a second, and its limit; a dash for what did not happen."""
    return TimeCell(
        "-" if seconds is None else format_duration(round(seconds, 1)),
        "" if limit_s is None else format_duration(limit_s),
    )


def instant(seconds: float) -> str:
    """Return a time of a scenario; of its past, how long before the start."""
    text = format_duration(abs(round(seconds, 1)))
    return f"{text} before the start" if seconds < 0 else text


def cause_span(outcome: ScenarioOutcome, alert: AlertVerdict) -> str:
    """Return from when to when an alert's cause lasts: one of the past, before the start."""
    from_s, to_s = alert.onset_s, alert.onset_s + (alert.cause_end_s or 0.0)
    for fault in outcome.record.faults if outcome.record else ():
        if fault.name == alert.cause:
            from_s, to_s = fault.start_s, fault.end_s
    return f"{instant(from_s)} to {instant(to_s)}"
