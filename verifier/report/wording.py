"""Which alerts a report shows, how it names them, and how it writes a time.

Used by the reports of both clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.judge.verdict import AlertVerdict, ClockDifference, ScenarioOutcome


def reported_alerts(
    outcomes: Sequence[ScenarioOutcome],
) -> Iterator[tuple[ScenarioOutcome, AlertVerdict, str]]:
    """Yield every alert that had to fire or failed, with its scenario and its title."""
    for outcome in outcomes:
        reported = [a for a in outcome.alerts if a.expected == "fires" or not a.ok]
        for alert in reported:
            siblings = [other for other in reported if other.alert == alert.alert]
            yield outcome, alert, title(alert, siblings)


def title(
    alert: AlertVerdict | ClockDifference, siblings: Sequence[AlertVerdict | ClockDifference]
) -> str:
    """Return the alert's name, with the labels in which it differs from its `siblings`."""
    common = set(alert.labels).intersection(*(sibling.labels for sibling in siblings))
    own = [f"{name}={value}" for name, value in alert.labels if (name, value) not in common]
    return f"{alert.alert}{{{','.join(own)}}}" if own and siblings else alert.alert


def time_text(seconds: float | None, limit_s: float | None = None) -> str:
    """Write a time and its limit: `5m30s of 7m`; a dash for what did not happen."""
    text = "-" if seconds is None else format_duration(seconds)
    return text if limit_s is None else f"{text} of {format_duration(limit_s)}"
