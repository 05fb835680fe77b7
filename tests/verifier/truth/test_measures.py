"""What a panel must show, worked out by hand from a small record of counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.snapshot import DURATION_BOUNDS_S
from tests.verifier.truth.records import LAYOUT, counts
from verifier.truth.declared import PanelTruth
from verifier.truth.ledger import TruthLedger
from verifier.truth.measures import TruthRange, bound_text, expected_at

RATE = PanelTruth(
    dashboard="D", panel="P", quantity="agents started", take="rate", unit="none", window_s=60.0
)
WAITING = replace(RATE, quantity="tasks waiting", take="value", window_s=0.0)
HALF = replace(RATE, quantity="response durations", take="quantile", quantile=0.5)


def record(row, scrapes=40, *, drawn=0, disturbed=()):
    """Return a record in which every scrape is this row; the last `drawn` are resampled."""
    ledger = TruthLedger(LAYOUT)
    for number in range(scrapes - drawn):
        ledger.record(15.0 * number, row, whole=number not in disturbed)
    if drawn:
        times_s = 15.0 * np.arange(scrapes - drawn, scrapes)
        ledger.record_rows(times_s, row[None, :], np.zeros(drawn, np.int64), whole=True)
    return ledger.world_record(300.0)


def test_a_rate_is_what_was_counted_over_the_time_between_scrapes():
    """30 every 15 s is 2 a second, whether scrapes were simulated or drawn."""
    row = counts(agents_started=30)
    for drawn in (0, 10, 40):
        ranges = expected_at(RATE, record(row, drawn=drawn), 200.0)
        assert ranges[""].likely == pytest.approx(2.0)
        assert ranges[""].holds(2.0)
        assert not ranges[""].holds(2.02)
        assert not ranges[""].holds(1.98)


def test_a_counter_near_zero_may_be_extrapolated_less():
    """What was counted in the whole window is the least; more than was counted is never right."""
    ranges = expected_at(RATE, record(counts(agents_started=30)), -53.0)
    # Four scrapes, 45 s from the first to the last, which was 7 s before the end of the window.
    assert ranges[""].low == pytest.approx(90 / (60 * 45 / (45 + 7)) * 0.995)
    assert not ranges[""].holds(2.02)


def test_nothing_is_compared_where_a_scrape_was_disturbed_or_the_record_begins():
    """Neither in the window nor at the instant itself."""
    disturbed = record(counts(agents_started=30), disturbed={30})
    assert expected_at(RATE, disturbed, 160.0) is None
    assert expected_at(WAITING, disturbed, 151.0) is None
    assert expected_at(RATE, disturbed, 240.0) is not None
    assert expected_at(replace(RATE, window_s=3600.0), disturbed, 100.0) is None


def test_a_value_is_exact_and_summed_by_its_label():
    """By priority a series each, without it one."""
    run = record(counts(tasks_waiting=[1, 2, 3, 4]))
    assert expected_at(WAITING, run, 10.0)[""].likely == 10
    by = expected_at(replace(WAITING, by="priority"), run, 10.0)
    assert sorted(each.likely for each in by.values()) == [1, 2, 3, 4]
    assert list(expected_at(replace(WAITING, where=(("priority", "low|high"),)), run, 10.0)) == [""]
    for by in ("", "priority"):  # an expression matches the whole of a label's value
        part = expected_at(replace(WAITING, by=by, where=(("priority", "lo"),)), run, 10.0)
        assert sum(each.likely for each in part.values()) == 0


def test_a_quantile_is_interpolated_in_the_cell_that_holds_it():
    """Half of the durations end in the middle of (0.04, 0.05]; without any there is none."""
    cells = np.zeros(31, np.int64)
    cells[10] = 100  # (0.04, 0.05]
    ranges = expected_at(HALF, record(counts(response_durations=cells)), 100.0)
    assert ranges[""].likely == pytest.approx(0.045, rel=1e-4)
    assert expected_at(HALF, record(counts()), 100.0) == {}


def test_a_share_of_nothing_is_not_defined():
    """No request, no availability."""
    share = replace(RATE, quantity="requests", of="requests", where=(("status", "5.."),))
    assert expected_at(share, record(counts()), 100.0) == {}
    ranges = expected_at(share, record(counts(requests=[90, 0, 10, 0, 0])), 200.0)
    assert ranges[""].likely == pytest.approx(0.1)
    # Near 0 either may be extrapolated less than the other.
    near_zero = expected_at(share, record(counts(requests=[90, 0, 10, 0, 0])), -53.0)[""]
    assert (near_zero.holds(0.09), near_zero.holds(0.11)) == (True, True)


WINDOWED = {
    "agents_started": 30, "tasks_arrived": [15, 30, 45, 60], "requests": [90, 0, 10, 0, 0],
    "tasks_processed": range(15, 15 * 9, 15), "CPU_time": 15_000_000_000, "bytes_sent": [15, 45],
}  # fmt: skip
BY_PRIORITY = ("critical", "high", "normal", "low")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"take": "increase"}, {"": 120.0}),
        ({"scale": 2.0, "offset": 1.0}, {"": 5.0}),
        ({"scale": -1.0, "offset": 1.0}, {"": -1.0}),
        ({"quantity": "tasks arrived"}, {"": 10.0}),
        (
            {"quantity": "tasks arrived", "by": "priority"},
            dict(zip(BY_PRIORITY, (1, 2, 3, 4), strict=True)),
        ),
        (
            {"quantity": "tasks arrived", "by": "priority", "where": (("priority", "h.*|low"),)},
            {"high": 2, "low": 4},
        ),
        (
            {"quantity": "tasks arrived", "by": "priority", "of": "tasks arrived"},
            {"critical": 1.0, "high": 1.0, "normal": 1.0, "low": 1.0},
        ),
        (
            {"quantity": "tasks arrived", "by": "priority", "of": "agents started"},
            {"critical": 0.5, "high": 1.0, "normal": 1.5, "low": 2.0},
        ),
        (
            {"quantity": "agents started", "of": "tasks arrived", "where": (("priority", "low"),)},
            {"": 0.2},
        ),
        ({"quantity": "tasks processed", "where": (("priority", "low"),)}, {"": 7 + 8}),
        (
            {"quantity": "tasks processed", "by": "priority"},
            dict(zip(BY_PRIORITY, (3, 7, 11, 15), strict=True)),
        ),
        ({"quantity": "requests", "by": "status", "where": (("status", "5.."),)},
         {"500": 10 / 15, "503": 0, "504": 0}),
        ({"quantity": "CPU time", "where": (("cpu", "0"), ("mode", "idle"))}, {"": 1.0}),
        ({"quantity": "bytes sent", "by": "traffic"}, {"message": 1.0, "request": 3.0}),
    ],
)  # fmt: skip
def test_what_is_taken_of_a_window_is_summed_shared_and_scaled(fields, expected):
    """By the label of the panel; matchers are those of the part, not of the whole."""
    ranges = expected_at(replace(RATE, **fields), record(counts(**WINDOWED)), 200.0)
    assert {key: each.likely for key, each in ranges.items()} == pytest.approx(expected)
    offset = fields.get("offset", 0.0)
    for key, each in ranges.items():
        tolerance = abs(expected[key] - offset) * 0.005
        assert each.low == pytest.approx(expected[key] - tolerance)
        assert each.high == pytest.approx(expected[key] + tolerance)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"": 10.0}),
        ({"scale": 0.5, "offset": 3.0}, {"": 8.0}),
        ({"where": (("priority", "low|high"),), "of": "tasks in flight"}, {"": 6 / 20}),
        ({"by": "priority", "of": "tasks in flight"},
         dict(zip(BY_PRIORITY, (0.5, 0.4, 0.6, 0.5), strict=True))),
        ({"by": "priority", "where": (("priority", "low"),)}, {"low": 4.0}),
        ({"of": "messages waiting"}, {}),
    ],
)  # fmt: skip
def test_what_is_held_is_exact(fields, expected):
    """Both ends of its range are the value; of nothing there is no share."""
    held = record(counts(tasks_waiting=[1, 2, 3, 4], tasks_in_flight=[2, 5, 5, 8]))
    ranges = expected_at(replace(WAITING, **fields), held, 10.0)
    assert {key: (each.low, each.likely, each.high) for key, each in ranges.items()} == {
        key: (value, value, value) for key, value in expected.items()
    }


def test_a_range_is_widened_moved_and_holds_but_for_rounding():
    """Both ends belong to it; a scale below 0 changes their places."""
    between = TruthRange(2.0, 4.0, 3.0)
    assert between.widened(0.5) == TruthRange(1.0, 6.0, 3.0)
    assert TruthRange(-4.0, -2.0, -3.0).widened(0.5) == TruthRange(-6.0, -1.0, -3.0)
    assert between.moved(-1.0, 1.0) == TruthRange(-3.0, -1.0, -2.0)
    values = (2.0, 4.0, 2.0 - 3e-9, 4.0 + 3e-9, 2.0 - 5e-9, 4.0 + 5e-9)
    assert [between.holds(value) for value in values] == [True] * 4 + [False] * 2
    assert TruthRange(-4.0, 0.0, 0.0).holds(3e-9)


def quantile_of(quantile, **cells):
    """Return the range of a quantile of durations that fell into such cells."""
    held = np.zeros(31, np.int64)
    for number, count in cells.items():
        held[int(number.removeprefix("at"))] = count
    truth = replace(HALF, quantile=quantile)
    return expected_at(truth, record(counts(response_durations=held)), 200.0)[""]


def test_a_quantile_lies_where_its_rank_is():
    """In the first cell from 0, in the last at its bound; between cells in one or the other."""
    bounds = DURATION_BOUNDS_S
    assert quantile_of(0.5, at0=4).likely == pytest.approx(bounds[0] / 2, rel=1e-5)
    assert quantile_of(0.99, at0=1, at30=9).likely == bounds[-1]
    between = quantile_of(0.5, at3=5, at8=5)
    assert between.low == pytest.approx(bounds[3] * 0.99, rel=1e-5)
    assert between.high == pytest.approx(bounds[7] * 1.01, rel=1e-5)
    assert between.likely == pytest.approx(bounds[3], rel=1e-5)
    assert quantile_of(0.0, at3=5).low == pytest.approx(0.0)
    assert quantile_of(1.0, at3=5).high == pytest.approx(bounds[3] * 1.01)
    assert quantile_of(0.9, at3=3, at4=5, at5=2).likely == pytest.approx(
        bounds[4] + (bounds[5] - bounds[4]) / 2, rel=1e-4
    )


def test_buckets_count_all_that_was_at_most_so_long():
    """A second, by the text of the bound; near 0 they may be extrapolated less."""
    cells = np.zeros(31, np.int64)
    cells[1], cells[30] = 15, 30
    truth = replace(HALF, take="buckets", quantity="task durations")
    run = record(counts(task_durations=cells))
    ranges = expected_at(truth, run, 200.0)
    bounds = [bound_text(bound) for bound in DURATION_BOUNDS_S]
    assert list(ranges) == [*bounds, "inf"]
    likely = [each.likely for each in ranges.values()]
    assert likely == pytest.approx([0.0] + [1.0] * 29 + [3.0])
    assert (ranges["inf"].low, ranges["inf"].high) == pytest.approx((3 * 0.995, 3 * 1.005))
    early = expected_at(truth, run, -53.0)["inf"]
    assert (early.low, early.high) == pytest.approx((3 * 52 / 60 * 0.995, 3 * 1.005))


def test_bounds_are_one_text_however_they_are_written():
    """As many digits as a bound has."""
    assert [bound_text(float(text)) for text in ("0.50", "5e-1", "1", "+Inf", "0.0025")] == [
        "0.5", "0.5", "1", "inf", "0.0025",
    ]  # fmt: skip
