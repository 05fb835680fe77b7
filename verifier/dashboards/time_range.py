"""How long the range of time is that a dashboard or a panel shows.

Only its length matters here: a panel is asked over a scenario, whatever the hour. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from documents.document import decimal
from verifier.dashboards.intervals import INTERVAL_MAX_S, parse_interval_s

DEFAULT_S: Final = 3600.0
"""What is taken for a dashboard that does not say: the last hour."""

_RELATIVE: Final = re.compile(r"now(?:([+-])(\d+[smhdwMQy]))?(?:/(?:f?)([smhdwMQy]))?")
_UNITS_S: Final = {
    "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "M": 2592000.0,
    "Q": 7776000.0, "y": 31536000.0,
}  # fmt: skip


def range_length_s(start: str, end: str) -> float:
    """Return the seconds from `start` to `end`, `now-6h` and `now` or dates; in doubt an hour.

    A bound cut to a unit (`now/d`) reaches to the end of that unit.
    """
    first, last = _before_now(start), _before_now(end)
    if first is not None and last is not None:
        # A start cut down to its unit lies up to that unit earlier, an end up to its end later.
        length_s = first[0] - last[0] + max(first[1], last[1])
        return length_s if length_s > 0 else DEFAULT_S
    dates = _date(start), _date(end)
    if dates[0] is not None and dates[1] is not None and dates[1] > dates[0]:
        return dates[1] - dates[0]
    return DEFAULT_S


def override_s(text: str) -> float | None:
    """Return the length of a panel's own range, `1h` or `now-1h`; None when it says none."""
    return parse_interval_s(text.strip().removeprefix("now-").split("/")[0]) if text else None


def _before_now(text: str) -> tuple[float, float] | None:
    """Return how long before now a bound is, and the unit that it is cut to; None for a date."""
    match = _RELATIVE.fullmatch(text.strip())
    if match is None:
        return None
    sign, amount, unit = match.groups()
    seconds = min(float(amount[:-1]) * _UNITS_S[amount[-1]], INTERVAL_MAX_S) if amount else 0.0
    return (-seconds if sign == "+" else seconds), _UNITS_S[unit] if unit else 0.0


def _date(text: str) -> float | None:
    if (milliseconds := decimal(text)) is not None:
        return milliseconds / 1000
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
