"""Durations are read and written as people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.durations import PATTERN, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0.0),
        ("200ms", 0.2),
        ("1h30m", 5400.0),
        ("1w2d3h4m5s6ms7us", 788645.006007),
        ("1.5h", 5400.0),
        ("20us", 2e-5),
    ],
)
def test_a_duration_is_read(text, seconds):
    """Every unit, whole and with a fraction."""
    assert parse_duration(text) == seconds
    assert re.match(PATTERN, text)


@pytest.mark.parametrize(
    "text", ["", "5 minutes", "30m1h", "1h1h", "-5m", "5", "h", "٣m", "5s\n", None]
)
def test_what_is_no_duration_is_refused(text):
    """Wrong order, repeated units, spaces, signs and bare numbers."""
    with pytest.raises(ValueError, match="must be a duration such as 1h30m, 200ms or 0s, got"):
        parse_duration(text)


def test_a_number_is_asked_for_its_unit():
    """A bare ten may mean seconds or minutes."""
    with pytest.raises(
        ValueError, match="must be a duration with a unit, such as 1h30m, 200ms or 0s, got 10"
    ):
        parse_duration(10)


def test_a_duration_is_of_a_hundred_years_at_most():
    """That long it may be; a millisecond more is a mistake of the field that it was written for."""
    assert parse_duration("36500d") == 36500 * 86400
    with pytest.raises(ValueError, match=r"^wait must be at most 100 years, got '36500d1ms'$"):
        parse_duration("36500d1ms", field="wait")


@pytest.mark.parametrize(
    ("value", "words"), [("soon", "'soon'"), (True, "true"), (None, "nothing")]
)
def test_a_refusal_names_its_field(value, words):
    """And shows what stood there; `true` is no number that lacks its unit."""
    with pytest.raises(ValueError, match=f"^wait must be a duration such as .*, got {words}$"):
        parse_duration(value, field="wait")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (5400, "1h30m"),
        (86400, "1d"),
        (90.5, "1m30.5s"),
        (0.2, "200ms"),
        (2e-5, "20us"),
        (-75, "-1m15s"),
        (-0.5, "-500ms"),
        (59.9999, "1m"),
        (1, "1s"),
        (0.001, "1ms"),
        (0.1234567, "123.457ms"),
        (14 * 86400, "14d"),
    ],
)
def test_a_duration_is_written(seconds, text):
    """The shortest form, never 60 seconds."""
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_whole_milliseconds_survive_writing_and_reading(milliseconds):
    """What is printed can be pasted into a file."""
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000
