"""Durations as people write them: `1h30m`, `200ms`, `0s`; as in Prometheus, plus fractions and us.

The one reader and writer of durations for scenario and topology files and for messages about them.
"""

from __future__ import annotations

import re

from documents.mistake_kinds import BrokenRule, Shown
from documents.mistakes import InputError, Mistake

UNITS_S = {
    "w": 604_800.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
}
PATTERN = "^" + "".join(rf"(\d+(?:\.\d+)?{unit})?" for unit in UNITS_S) + "$"
_WHOLE = re.compile(PATTERN, re.ASCII)
_PART = re.compile(r"([\d.]+)(\w+)", re.ASCII)
SECONDS_MAX = 100 * 365 * UNITS_S["d"]
"""A hundred years: no clock here counts further, in nanoseconds."""
EXAMPLES = "such as 1h30m, 200ms or 0s"


def parse_duration(text: object, *, field: str = "duration") -> float:
    """Return seconds; raise `InputError` about `field` when `text` is no duration.

    Units in falling order, each at most once: w d h m s ms us.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise InputError(Mistake(BrokenRule(field, f"be a duration with a unit, {EXAMPLES}", text)))
    whole = _WHOLE.fullmatch(text) if isinstance(text, str) else None
    if not text or whole is None:
        raise InputError(Mistake(BrokenRule(field, f"be a duration {EXAMPLES}", text)))
    parts = [_PART.fullmatch(part) for part in whole.groups() if part]
    parts_s = [float(part[1]) * UNITS_S[part[2]] for part in parts if part]
    if sum(parts_s) > SECONDS_MAX:
        raise InputError(Mistake(BrokenRule(field, "be at most 100 years", text)))
    # Summed in nanoseconds, so that 1h30m200ms is the nearest float and not a sum of errors.
    return sum(round(seconds * 1e9) for seconds in parts_s) / 1e9


def show_duration(seconds: float) -> Shown:
    """Return seconds as the value of a mistake, shown as a duration."""
    return Shown(seconds, format_duration(seconds))


def format_duration(seconds: float) -> str:
    """Return `seconds` as people write them, to the millisecond from 1 s on: 5415 -> 1h30m15s."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if 0 < seconds < 1:
        unit = "ms" if seconds >= 1e-3 else "us"
        return f"{seconds / UNITS_S[unit]:.6g}{unit}"
    rest_ms = round(seconds * 1000)  # rounded once, so that 59.9999 s are 1m and never 60s
    text = ""
    for unit in ("d", "h", "m"):
        count, rest_ms = divmod(rest_ms, round(UNITS_S[unit] * 1000))
        text += f"{count}{unit}" if count else ""
    return f"{text}{rest_ms / 1000:g}s" if rest_ms or not text else text
