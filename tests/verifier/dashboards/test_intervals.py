"""Steps and interval variables, held to the figures of Grafana's own tests and documents."""

from __future__ import annotations

import pytest

from verifier.dashboards.intervals import (
    auto_interval,
    interval_variables,
    parse_interval_s,
    query_step_s,
    round_interval_s,
)
from verifier.dashboards.time_range import override_s, range_length_s
from verifier.pack.panels import Resolution

HOUR = 3600.0


@pytest.mark.parametrize(
    ("interval_s", "rounded_s"),
    [(0.03, 0.02), (3.6, 5), (16, 15), (21.6, 20), (60, 60), (91, 120), (360, 300), (2592, 1800)],
)
def test_intervals_are_rounded_as_people_read_them(interval_s: float, rounded_s: float) -> None:
    """`roundInterval` of Grafana."""
    assert round_interval_s(interval_s) == rounded_s


ROUNDED_MS = [
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000),
    (3_500, 2_000), (7_500, 5_000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000),
    (45_000, 30_000), (90_000, 60_000), (210_000, 120_000), (450_000, 300_000),
    (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000),
    (5_400_000, 3_600_000), (9_000_000, 7_200_000), (16_200_000, 10_800_000),
    (32_400_000, 21_600_000), (86_400_000, 43_200_000), (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000), (10**12, 31_536_000_000),
]  # fmt: skip
"""Grafana's own figures: an interval up to the first becomes the second."""


def test_an_interval_is_rounded_down_to_its_limit_and_up_beyond_it() -> None:
    """Every step of the table, at its limit and a millisecond later."""
    at = [(limit, round_interval_s(limit / 1000) * 1000) for limit, _ in ROUNDED_MS]
    assert at == [(limit, pytest.approx(rounded)) for limit, rounded in ROUNDED_MS]
    beyond = [round_interval_s((limit + 1) / 1000) * 1000 for limit, _ in ROUNDED_MS[:-1]]
    assert beyond == [pytest.approx(rounded) for _, rounded in ROUNDED_MS[1:]]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1m", 60),
        (">30s", 30),
        ("90", 90),
        ("1h30m", 5400),
        ("2w", 1209600),
        ("auto", None),
        (" >= 1.5m ", 90),
        ("<2M", 5184000),
        ("1y", 31536000),
        ("20ms", 0.02),
        ("1d", 86400),
        ("2.5", 2.5),
        ("", None),
        (" > ", None),
        ("5m?", None),
        ("=1s", 1),
        ("1000y", 3153600000),
        ("9999999999", 3153600000),
    ],
)
def test_intervals_are_read_as_grafana_writes_them(text: str, seconds: float | None) -> None:
    """With a bound before them, without a unit, in several units."""
    assert parse_interval_s(text) == seconds


@pytest.mark.parametrize(
    ("resolution", "min_step", "factor", "step_s"),
    [
        (Resolution(HOUR, 960), "", 1, 15),  # 3.75 s, but never below a scrape
        (Resolution(HOUR, 60), "", 1, 60),
        (Resolution(HOUR, 960, "1m"), "", 1, 60),
        (Resolution(HOUR, 960, ">=2m"), "", 1, 120),
        (Resolution(HOUR, 960, "1m"), "30s", 1, 30),  # a query's own beats the panel's
        (Resolution(HOUR, 960), "5s", 1, 5),  # shorter than a scrape, if a person says so
        (Resolution(HOUR, 960), "", 4, 60),
        (Resolution(HOUR, 960), "$__rate_interval", 4, 60),  # which no factor changes
        (Resolution(30 * 86400.0, 960), "", 1, 1800),
        (Resolution(30 * 86400.0, 1_000_000), "1s", 1, 300),  # 11,000 points at most
        (Resolution(11_000 * 7.5, 1_000_000), "1s", 1, 5),  # the very range of so many points
        (Resolution(11_000 * 7.501, 1_000_000), "1s", 1, 10),
        (Resolution(16.0, 1), "", 1, 15),  # one point: rounded, but not below the least
        (Resolution(HOUR, 0), "", 1, 3600),  # no point is one
        (Resolution(HOUR, 240), "7s", 1, 15),  # the range asks for more
        (Resolution(HOUR, 60), "", 0, 60),
        (Resolution(HOUR, 60), "$__interval", 2, 120),
        (Resolution(HOUR, 60), "${__rate_interval}", 2, 75),
        (Resolution(HOUR, 60, "1m"), "$__rate_interval", 1, 75),  # of the usual scrape
    ],
)
def test_a_step_follows_from_range_points_and_least(
    resolution: Resolution, min_step: str, factor: int, step_s: float
) -> None:
    """`calculatePrometheusInterval` of Grafana's Prometheus data source."""
    assert query_step_s(resolution, min_step, factor) == step_s


@pytest.mark.parametrize(
    ("step_s", "min_step", "interval", "rate_interval"),
    [
        (15.0, "", "15s", "60s"),
        (60.0, "", "1m", "75s"),
        (120.0, "2m", "2m", "480s"),  # four of what the query says is its least step
        (60.0, "$__interval", "1m", "240s"),
        (60.0, "$__rate_interval", "1m", "60s"),
        (80.0, "", "1m", "95s"),  # the largest whole unit, rounded down
        (0.5, "", "500ms", "60s"),
        (0.0001, "", "1ms", "60s"),
        (0.25, "250ms", "250ms", "1s"),
        (0.1, "0.05", "100ms", "200ms"),
        (0.0004, "0.1", "1ms", "400ms"),
        (1.0, "", "1s", "60s"),
        (59.0, "", "59s", "74s"),
        (60.0, "${__interval}", "1m", "240s"),
        (60.0, "${__rate_interval}", "1m", "60s"),
        (3600.0, "", "1h", "3615s"),
        (86400.0 * 8, "", "8d", "691215s"),
        (31536000.0, "", "1y", "31536015s"),
        (0.7, "1s", "700ms", "4s"),
        (0.75, "$__rate_interval", "750ms", "750ms"),
    ],
)
def test_interval_variables_follow_from_the_step(
    step_s: float, min_step: str, interval: str, rate_interval: str
) -> None:
    """`interpolateVariables` of Grafana's Prometheus data source."""
    variables = interval_variables(HOUR, step_s, min_step)
    assert (variables["__interval"], variables["__rate_interval"]) == (interval, rate_interval)
    assert (variables["__range"], variables["__range_ms"]) == ("3600s", "3600000")


def test_every_interval_variable_is_there_in_its_unit() -> None:
    """Whole seconds and milliseconds, rounded."""
    assert interval_variables(90.6, 0.7504, "0.2001") == {
        "__range": "91s",
        "__range_s": "91",
        "__range_ms": "90600",
        "__interval": "750ms",
        "__interval_ms": "750",
        "__rate_interval": "950ms",
        "__rate_interval_ms": "950",
    }


@pytest.mark.parametrize(
    ("range_s", "steps", "least", "expected"),
    [
        (HOUR, 30, "10s", "2m"),
        (HOUR, 1000, "1m", "1m"),
        (HOUR, 0, "10s", "1h"),
        (HOUR, 1000, "", "10s"),  # the least where none is said
        (HOUR, 1000, "no", "10s"),
        (120.0, 10, "12s", "10s"),  # just the least is rounded
        (119.0, 10, "12s", "12s"),
    ],
)
def test_auto_follows_from_range_and_steps(
    range_s: float, steps: int, least: str, expected: str
) -> None:
    """Thirty steps of an hour are two minutes each; not below what is the least."""
    assert auto_interval(range_s, steps, least) == expected


@pytest.mark.parametrize(
    ("start", "end", "length_s"),
    [
        ("now-6h", "now", 6 * HOUR),
        ("now-2d", "now-1d", 24 * HOUR),
        ("now/d", "now/d", 24 * HOUR),
        ("now-7d/d", "now", 8 * 24 * HOUR),
        ("2024-03-01T00:00:00Z", "2024-03-02T12:00:00.000Z", 36 * HOUR),
        ("1709251200000", "1709254800000", HOUR),
        ("now-1M", "now", 30 * 24 * HOUR),
        ("now-1Q", "now", 90 * 24 * HOUR),
        ("now-1y", "now", 365 * 24 * HOUR),
        ("now-1w", "now", 7 * 24 * HOUR),
        ("now-90m", "now-30s", 1.5 * HOUR - 30),
        ("now-1h", "now+1h", 2 * HOUR),
        ("now-1d/d", "now-1d/d", 24 * HOUR),
        ("now/M", "now/d", 30 * 24 * HOUR),
        ("now/d", "now", 24 * HOUR),
        ("now/fQ", "now/fQ", 90 * 24 * HOUR),
        (" now-2h ", "now", 2 * HOUR),
        ("now-1000y", "now", 100 * 365 * 24 * HOUR),
        ("now", "now", HOUR),
        ("now-1h", "now-2h", HOUR),
        ("now-2h", "2024-03-01", HOUR),
        ("2024-03-01", "now", HOUR),
        ("2024-03-01", "2024-03-01", HOUR),
        ("2024-03-02", "2024-03-01", HOUR),
        ("2024-03-01T00:00:00", "2024-03-01T02:00:00+00:00", 2 * HOUR),  # without a zone: UTC
        ("2024-03-01T00:00:00+01:00", "2024-03-01T01:00:00Z", 2 * HOUR),
        ("2024-03-01", "never", HOUR),
        ("", "", HOUR),
        ("yesterday", "now", HOUR),
    ],
)
def test_a_range_of_time_has_a_length(start: str, end: str, length_s: float) -> None:
    """Relative, cut to a unit, as dates or as milliseconds; an hour where nothing is said."""
    assert range_length_s(start, end) == length_s


def test_a_panel_may_have_a_range_of_its_own() -> None:
    """`timeFrom`, with or without `now-`."""
    texts = ("30d", "now-2h", "", " now-3h/h", "1d/d", "yesterday")
    assert [override_s(text) for text in texts] == [2592000, 7200, None, 10800, 86400, None]
