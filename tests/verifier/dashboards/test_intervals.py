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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m", 60), (">30s", 30), ("90", 90), ("1h30m", 5400), ("2w", 1209600), ("auto", None)],
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
    ],
)
def test_interval_variables_follow_from_the_step(
    step_s: float, min_step: str, interval: str, rate_interval: str
) -> None:
    """`interpolateVariables` of Grafana's Prometheus data source."""
    variables = interval_variables(HOUR, step_s, min_step)
    assert (variables["__interval"], variables["__rate_interval"]) == (interval, rate_interval)
    assert (variables["__range"], variables["__range_ms"]) == ("3600s", "3600000")


def test_auto_follows_from_range_and_steps() -> None:
    """Thirty steps of an hour are two minutes each; not below what is the least."""
    assert auto_interval(HOUR, 30, "10s") == "2m"
    assert auto_interval(HOUR, 1000, "1m") == "1m"


@pytest.mark.parametrize(
    ("start", "end", "length_s"),
    [
        ("now-6h", "now", 6 * HOUR),
        ("now-2d", "now-1d", 24 * HOUR),
        ("now/d", "now/d", 24 * HOUR),
        ("now-7d/d", "now", 8 * 24 * HOUR),
        ("2024-03-01T00:00:00Z", "2024-03-02T12:00:00.000Z", 36 * HOUR),
        ("1709251200000", "1709254800000", HOUR),
        ("", "", HOUR),
        ("yesterday", "now", HOUR),
    ],
)
def test_a_range_of_time_has_a_length(start: str, end: str, length_s: float) -> None:
    """Relative, cut to a unit, as dates or as milliseconds; an hour where nothing is said."""
    assert range_length_s(start, end) == length_s


def test_a_panel_may_have_a_range_of_its_own() -> None:
    """`timeFrom`, with or without `now-`."""
    assert [override_s(text) for text in ("30d", "now-2h", "")] == [2592000, 7200, None]
