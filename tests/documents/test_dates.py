"""Dates with a time of day, as scenarios write them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from documents.dates import parse_date
from documents.mistakes import InputError


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T09:00", "2026-03-02 09:00", "2026-03-02T09:00:00", "2026-03-02T09:00:00Z"],
)
def test_a_date_is_read_in_utc(text: str) -> None:
    """With seconds or without, with a Z or without."""
    assert parse_date(text) == datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("text", ["1980-01-01T00:00", "2100-12-31T23:59"])
def test_the_first_and_the_last_year_are_read_whole(text: str) -> None:
    """What lies beyond them is a mistake, as below."""
    assert parse_date(text) == datetime.fromisoformat(f"{text}Z").timestamp()


def test_where_the_machine_stands_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines read the same file alike."""
    here = parse_date("2026-03-02T09:00")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "JST-9")
        time.tzset()
        there = parse_date("2026-03-02T09:00")
    time.tzset()
    assert there == here


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("2026-03-02", "a date and a time of day in UTC, such as 2026-03-02T09:00"),
        ("09:00", "a date and a time of day"),
        ("2026-03-02T09:00+01:00", "in UTC"),
        ("2026-02-30T09:00", "a date and a time of day"),
        ("2026-03-02T25:00", "a date and a time of day"),
        ("1979-12-31T23:59", "in the years 1980 to 2100"),
        ("2101-01-01T00:00", "in the years 1980 to 2100"),
        ("tomorrow", "a date and a time of day"),
        (1_772_442_000, "a date and a time of day"),
    ],
)
def test_anything_else_is_a_mistake(value: object, sentence: str) -> None:
    """The sentence says what is allowed."""
    with pytest.raises(InputError, match=sentence):
        parse_date(value)
