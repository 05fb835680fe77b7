"""How far rules may be compressed: which are refused, for what reason, with what way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documents.mistakes import InputError
from tests.verifier.histories import rules
from tests.verifier.simulations import NINETEEN, pack_rules
from verifier.real_time.rule_compression import check_compression
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from verifier.pack.rules import RuleFiles


def refused(files: RuleFiles, factor: float) -> list[str]:
    """Return the sentence of `check_compression` on each rule, without the path."""
    try:
        check_compression(files, factor, TimeCompression(factor).scrape_s)
    except InputError as error:
        return [f"{mistake.place.line}: {mistake.sentence}" for mistake in error.mistakes]
    return []


@pytest.mark.parametrize("factor", [1, 1.5, 2, 7, 13, 29.9, 30])
def test_the_pack_can_be_compressed_up_to_30(factor):
    """Four scrapes in the shortest window, whatever is lost to rounding."""
    assert refused(pack_rules(*NINETEEN, "extras"), factor) == []


def test_beyond_30_every_rule_of_one_minute_is_refused_with_the_way_out():
    """At 60 they would silently never fire: one or two samples in a window."""
    sentences = refused(pack_rules("performance"), 60)
    assert sentences == [
        f"{line}: [1m] must hold at least 4 scrapes, got 2 at --compress 60:"
        " the highest factor that these rules allow is 30"
        for line in (10, 24)
    ]
    assert len(refused(pack_rules(*NINETEEN), 31)) == 3
    assert refused(pack_rules("slo"), 60) == []


def test_a_window_too_short_at_any_factor_is_refused_without_one(tmp_path):
    """Compressed or not it holds two scrapes; uncompressed it is the user's own business."""
    original = rules(tmp_path, {"alert": "A", "expr": "max_over_time(x[30s:5s]) > 0"})
    assert refused(original, 1) == []
    (only,) = refused(original, 2)
    assert only.endswith("[30s] must hold at least 4 scrapes, got 2 at --compress 2:"
                         " leave --compress out")  # fmt: skip


@pytest.mark.parametrize(
    "expr",
    [
        "rate(x[5m]) > 1 and irate(x[5m]) > 1",
        "avg_over_time(x[5m]) > max_over_time(y[5m])",
        "absent_over_time(x[5m]) or absent(x)",
        "x > 1 and x offset 1h < 1",
        "hour(x) > 3 and sqrt(rate(x[5m])) ^ 2 > 1",
        "increase(x[5m]) > 0",
        "0 != sum(increase(x[5m]))",
        "sum(increase(x[5m])) / sum(increase(y[5m])) > 0.01",
        "sum(increase(x[5m])) > 0.01 * sum(increase(y[5m]))",
        "histogram_quantile(0.9, sum by (le) (increase(x[5m]))) > 1",
        "(sum(increase(x[5m])) or vector(0)) == 0",
        "(increase(x[5m]) > bool 0) + 1 > 1",
        "count(increase(x[5m])) > 3 unless absent(increase(x[5m]))",
        "stddev(increase(x[5m])) / avg(increase(x[5m])) > 1",
        "resets(x[5m]) > 0 or max(deriv(x[5m])) < 0",
        "count_over_time((x > 1)[5m:1m]) > 4",
    ],
)
def test_a_rule_that_means_the_same_is_accepted(tmp_path, expr):
    """Its value does not depend on how much time has passed, or only its sign matters."""
    original = rules(tmp_path, {"alert": "A", "expr": expr})
    assert [refused(original, factor) for factor in (1, 30, 60)] == [[], [], []]


@pytest.mark.parametrize(
    ("expr", "at_30", "at_60"),
    [
        # What grows with its window.
        ("increase(x[5m]) > 3", "increase", "increase"),
        ("sum(increase(x[5m])) > sum(rate(y[5m])) * 300", "increase", "increase"),
        ("increase(x[5m]) * increase(y[5m]) > increase(z[5m])", "increase", "increase"),
        ("(sum(increase(x[5m])) or vector(1)) == 2", "increase", "increase"),
        ("log2(increase(x[5m])) > 0", "increase", "increase"),
        ("clamp_max(increase(x[5m]), 3) > 0", "increase", "increase"),
        ("count(increase(x[5m]) > 7) > 3", "increase", "increase"),
        ('count_values("v", increase(x[5m])) > 0', "increase", "increase"),
        ("stdvar(increase(x[5m])) / increase(y[5m]) ^ 2 > 1", "increase", "increase"),
        ("max_over_time(increase(x[5m])[1h:1m]) > 3", "increase", "increase"),
        # What may grow with it, or not.
        ("delta(x[5m]) > 5", "delta", "delta"),
        ("idelta(x[5m]) < -5", "idelta", "idelta"),
        ("deriv(x[5m]) > 1", "deriv", "deriv"),
        ("changes(x[5m]) > 3", "changes", "changes"),
        ("resets(x[5m]) > 1", "resets", "resets"),
        ("sum(delta(x[5m])) > 0", "delta", "delta"),
        ("changes(x[5m]) / changes(y[5m]) > 1", "changes", "changes"),
        ("changes(x[5m]) > changes(y[5m])", "changes", "changes"),
        # What counts samples: as many as before, up to 30.
        ("count_over_time(x[5m]) < 20", "", "count_over_time"),
        ("sum_over_time(up[5m]) < 20", "", "sum_over_time"),
        # What reads the clock.
        ("time() - x > 60", "time", "time"),
        ("time() - timestamp(x) > 60", "time", "time"),
        ("timestamp(x) - y > 60", "timestamp", "timestamp"),
        ("x > 1 and on() hour() > 8", "hour", "hour"),
        ("predict_linear(x[1h], 3600) < 0", "predict_linear", "predict_linear"),
    ],
)
def test_a_rule_that_would_mean_something_else_is_refused(tmp_path, expr, at_30, at_60):
    """By the name of the function; the way out is a smaller factor, or none.

    At 30 a window still holds as many samples as uncompressed, so counting is refused above only.
    """
    original = rules(tmp_path, {"alert": "A", "expr": expr})
    way_out = (
        "the highest factor that these rules allow is 30" if not at_30 else "leave --compress out"
    )
    for factor, function in ((30, at_30), (60, at_60)):
        expected = function and (
            f"1: {function} must not decide a compressed rule: its value depends on how much time"
            f" has passed: {way_out}"
        )
        assert refused(original, factor) == ([expected] if expected else [])
    assert refused(original, 1) == []


def test_what_is_recorded_must_stay_as_it_is(tmp_path):
    """Others read its value, so that even its sign is not enough."""
    ratio = {"record": "a", "expr": "increase(x[5m]) / increase(y[5m])"}
    assert refused(rules(tmp_path, ratio), 30) == []
    (only,) = refused(rules(tmp_path, {"record": "a", "expr": "increase(x[5m])"}), 30)
    assert "increase must not decide" in only


def test_samples_of_a_group_that_is_too_fast_are_counted_as_fewer(tmp_path):
    """Every 5 s becomes every half second at 30, not every sixth of one."""
    counting = {"alert": "A", "expr": "count_over_time(y[5m]) < 60"}
    assert refused(rules(tmp_path, counting, interval="15s"), 30) == []
    for interval, way_out in (
        ("5s", "the highest factor that these rules allow is 10"),
        ("1s", "the highest factor that these rules allow is 2"),
        ("500ms", "leave --compress out"),
    ):
        (only,) = refused(rules(tmp_path, counting, interval=interval), 30)
        assert only.endswith(f": {way_out}")
