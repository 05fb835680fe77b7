"""How reports name an alert and write a time.

Used by the reports of both clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import AlertVerdict, ClockDifference


def title(
    alert: AlertVerdict | ClockDifference, twins: Sequence[AlertVerdict | ClockDifference]
) -> str:
    """Return the alert's name, with the labels in which it differs from its `twins`."""
    common = set(alert.labels).intersection(*(one.labels for one in twins))
    own = [f"{name}={value}" for name, value in alert.labels if (name, value) not in common]
    return f"{alert.alert}{{{','.join(own)}}}" if own and twins else alert.alert


def time_text(seconds: float | None, bound_s: float | None = None) -> str:
    """Write a time and its bound: `5m30s of 7m`; a dash for what did not happen."""
    text = "-" if seconds is None else format_duration(seconds)
    return text if bound_s is None else f"{text} of {format_duration(bound_s)}"
