"""Instants as the command line gives them: RFC3339, Unix seconds, `now`, or so long ago (`7d`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from documents.durations import UNITS_S, parse_duration
from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Mistake

_RULE: Final = "be RFC3339 (2026-03-02T09:00:00Z), Unix seconds, `now`, or so long ago (7d, 1h30m)"
_AGO: Final = re.compile(rf"[\d.]+(?:{'|'.join(UNITS_S)}).*", re.ASCII)
_UNIX: Final = re.compile(r"\d{1,11}(\.\d+)?", re.ASCII)


def parse_instant(text: str, *, field: str, now_s: float) -> float:
    """Return Unix seconds, whole milliseconds; raise `InputError` about `field` for another text.

    A date without a zone is in UTC.
    """
    if text == "now":
        return round(now_s, 3)
    if _UNIX.fullmatch(text):
        return round(float(text), 3)
    if _AGO.fullmatch(text):
        return round(now_s - parse_duration(text, field=field), 3)
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(Mistake(BrokenRule(field, _RULE, text))) from None
    return round((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp(), 3)


def instant_text(unix_s: float) -> str:
    """Write Unix seconds as RFC3339 in UTC, to the second or the millisecond."""
    date = datetime.fromtimestamp(round(unix_s, 3), UTC)
    spec = "milliseconds" if date.microsecond else "seconds"
    return date.isoformat(timespec=spec).replace("+00:00", "Z")
