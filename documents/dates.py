"""Dates with a time of day, as files of users write them: `2026-03-02T09:00`, in UTC.

Called by the readers of files. Seconds and a final `Z` may stand there; other zones may not, for
two files that name the same instant should look alike.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Mistake

DATE_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?Z?$"
YEARS: Final = (1980, 2100)
"""Prometheus stores samples of any date; remote write encodes those of 1971 to 2109 alike."""
_RULE: Final = "be a date and a time of day in UTC, such as 2026-03-02T09:00"


def parse_date(value: object) -> float:
    """Return a date and time of day as Unix seconds; raise InputError for anything else."""
    if isinstance(value, str) and re.match(DATE_PATTERN, value):
        try:
            date = datetime.fromisoformat(value.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError:
            raise InputError(Mistake(BrokenRule("", _RULE, value))) from None
        first, last = YEARS
        if not first <= date.year <= last:
            rule = f"be in the years {first} to {last}"
            raise InputError(Mistake(BrokenRule("", rule, value)))
        return date.timestamp()
    raise InputError(Mistake(BrokenRule("", _RULE, value)))
