"""Alerts on quantiles are read as strictly as those on shares."""

from __future__ import annotations

import pytest

from tests.verifier.slo.packs import disagreements

P95 = {"slo": "latency", "percentile": "p95"}
STARTUP = {"slo": "startup_time"}
BUCKETS = "rate(x_duration_seconds_bucket[5m])"
SUMMED = f"histogram_quantile(0.95, sum by (le) ({BUCKETS}))"


@pytest.mark.parametrize(
    "expr",
    [
        f"{SUMMED} > 0.05",
        f"1000 * {SUMMED} > 50",
        f"0.05 < {SUMMED}",
        f"histogram_quantile(0.95, {BUCKETS}) > 0.05",
        f"histogram_quantile(0.95, sum without (job) ({BUCKETS})) > 0.05",
        f"{SUMMED} > 0.05 and on() (hour() >= 8)",
    ],
)
def test_the_same_quantile_in_another_form_is_read(expr):
    """In any unit; unsummed it is a finding only, for there may be one series."""
    assert disagreements(expr, P95) == ""


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (f"{SUMMED} > bool 0.05", "always has a value: it always fires"),
        (f"histogram_quantile(0.95, sum({BUCKETS})) > 0.05", "its buckets have lost the label le"),
        (f"histogram_quantile(0.95, avg by (le) ({BUCKETS})) > 0.05", "avg() of the series is ano"),
        (f"{SUMMED.replace('[5m]', '[5m] offset 1h')} > 0.05", "3600 s before the evaluation"),
        (f"{SUMMED} > 0.06", "fires at > 0.06, it must be > 0.05"),
        (f"{SUMMED} < 0.05", "fires at < 0.05, it must be > 0.05"),
        (f"{SUMMED} > 0.05 or vector(0)", "'vector(0)' is compared with nothing"),
        (f"{SUMMED} > 0.05 and sum({BUCKETS}) > 1", "is no quantile of the response time"),
        (f"{SUMMED} > 0.05 unless on() maintenance == 1", "ever lets it fire is not to be seen"),
        (f"{SUMMED.replace('0.95', '0.9')} > 0.05", "reads the 0.9 quantile"),
        ("sum(rate(x_sum[5m])) / sum(rate(x_count[5m])) > 0.05", "is no quantile of the response"),
    ],
)
def test_another_quantile_and_what_is_not_understood_are_named(expr, reason):
    """Each has its own reason."""
    assert reason in disagreements(expr, P95)


def test_an_alert_on_start_up_that_reads_the_response_time_is_named():
    """The threshold may be right by chance."""
    expr = SUMMED.replace("x_duration", "http_request_duration")
    assert "is no time to start up" in disagreements(f"{expr} > 0.1", STARTUP)
    assert disagreements(f"{SUMMED} > 0.1", STARTUP) == ""


@pytest.mark.parametrize(
    ("expr", "own", "expected"),
    [
        (f"{SUMMED} > 0.06", "> 0.06", "> 0.05"),
        (f"{SUMMED} >= 0.04", ">= 0.04", ">= 0.05"),
        (f"{SUMMED} < 0.05", "< 0.05", "> 0.05"),
        (f"1000 * {SUMMED} > 60", "> 60", "> 50"),
        (f"0.06 < {SUMMED}", "> 0.06", "> 0.05"),
        (f"-{SUMMED} < -0.06", "< -0.06", "< -0.05"),
        (f"-{SUMMED} >= -0.05", ">= -0.05", "< -0.05"),
        (f"1 - {SUMMED} < 0.9", "< 0.9", "< 0.95"),
    ],
)
def test_the_threshold_that_would_agree_is_in_the_unit_of_the_alert(expr, own, expected):
    """With its own sign where it fires on the right side."""
    assert disagreements(expr, P95) == (
        f"rules.yaml:1:1: Burn fires at {own}, it must be {expected}:"
        " policies.yaml:16:11 says 50 ms (latency p95)"
    )


@pytest.mark.parametrize("quantile", ["0.5", "0.94", "0.951", "0.99"])
def test_a_quantile_below_and_one_above_are_both_another(quantile):
    """Nobody else's percentile will do."""
    assert disagreements(f"{SUMMED.replace('0.95', quantile)} > 0.05", P95) == (
        f"rules.yaml:1:1: Burn reads the {quantile} quantile, policies.yaml:16:11 says 50 ms"
        " (latency p95)"
    )
