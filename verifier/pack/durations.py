"""Durations as Prometheus and Alertmanager write them: `1h30m`, `90s`, `0`.

Stricter than `documents.durations`, which reads scenarios: whole numbers only, no microseconds.
"""

from __future__ import annotations

import re
from typing import Final

from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Mistake

SECONDS_MAX: Final = (1 << 63) / 1e9
"""What Go counts in nanoseconds: Prometheus refuses more."""
_UNITS_S: Final = {"y": 31536000, "w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_DURATION: Final = re.compile("".join(rf"(?:(\d+){unit})?" for unit in _UNITS_S))


def parse_duration_s(text: str, *, field: str = "duration") -> float:
    """Return the seconds of a Prometheus duration; raise `InputError` about `field` otherwise."""
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        if text == "0":
            return 0.0
        rule = "be written like 30s, 5m or 1h30m"
        raise InputError(Mistake(BrokenRule(field, rule, text)))
    numbers = zip(match.groups(), _UNITS_S.values(), strict=True)
    seconds = sum(float(number) * unit_s for number, unit_s in numbers if number)
    if seconds > SECONDS_MAX:
        raise InputError(Mistake(BrokenRule(field, "be at most 292 years", text)))
    return seconds
