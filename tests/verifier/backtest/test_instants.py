"""An instant of the command line is Unix seconds, whichever way it is written."""

from __future__ import annotations

import time

import pytest

from documents.mistakes import InputError
from verifier.backtest.instants import instant_text, parse_instant

NOW_S = 1_800_000_000.1236


@pytest.mark.parametrize(
    ("text", "unix_s"),
    [
        ("now", 1_800_000_000.124),
        ("7d", 1_800_000_000.124 - 7 * 86_400),
        ("1h30m", 1_800_000_000.124 - 5400),
        ("0.5s", 1_799_999_999.624),
        ("1700000000", 1_700_000_000.0),
        ("1700000000.25", 1_700_000_000.25),
        ("2026-03-02T09:00:00Z", 1_772_442_000.0),
        ("2026-03-02T09:00:00", 1_772_442_000.0),
        ("2026-03-02T09:00:00+01:00", 1_772_438_400.0),
    ],
)
def test_every_form_is_the_same_clock(text, unix_s, monkeypatch):
    """Whole milliseconds; a date without a zone is in UTC, wherever it is read."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert parse_instant(text, field="--from", now_s=NOW_S) == unix_s
    time.tzset()


@pytest.mark.parametrize("text", ["yesterday", "-7d", "", "123456789012"])
def test_anything_else_is_refused_with_the_forms(text):
    """About the option that has it."""
    with pytest.raises(InputError, match="--from must be RFC3339"):
        parse_instant(text, field="--from", now_s=NOW_S)


def test_an_instant_is_written_to_the_millisecond_only_where_it_has_some():
    """In UTC."""
    assert instant_text(1_772_442_000.0) == "2026-03-02T09:00:00Z"
    assert instant_text(1_772_442_000.0004) == "2026-03-02T09:00:00Z"
    assert instant_text(1_772_442_000.05) == "2026-03-02T09:00:00.050Z"
