"""Durations of Prometheus: whole numbers of falling units, nothing else."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from verifier.pack.durations import parse_duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("5m", 300), ("1h30m", 5400), ("100ms", 0.1), ("30d", 2592000),
     ("1y2w3d4h5m6s7ms", 31536000 + 14 * 86400 + 3 * 86400 + 4 * 3600 + 306.007)],
)  # fmt: skip
def test_durations_are_those_of_prometheus(text: str, seconds: float) -> None:
    """A year has 365 days."""
    assert parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "1.5h", "5m ", "-5m", "1m1h", "5 m", "m"])
def test_no_other_text_is_a_duration(text: str) -> None:
    """Better refused than guessed."""
    with pytest.raises(InputError, match="duration must be written like"):
        parse_duration_s(text)


def test_what_go_cannot_count_in_nanoseconds_is_refused() -> None:
    """Prometheus refuses it as well."""
    assert parse_duration_s("292y") == 292 * 31536000
    with pytest.raises(InputError, match="duration must be at most 292 years"):
        parse_duration_s("293y")
