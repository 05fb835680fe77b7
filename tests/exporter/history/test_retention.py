"""Retention: how deep each series is kept, in which steps, as the recorder's history shows it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from exporter.history.recorder import Recorder
from exporter.history.retention import COARSE_S, FINE_PAST_S, WITHOUT_GAPS, Need
from exporter.metrics.series import Catalogue, Metric
from exporter.target import SCRAPE_S
from tests.exporter.history.recordings import (
    HOUR_S,
    Reading,
    make_recorder,
    record_exactly,
    record_rows,
    samples,
    small_catalogue,
)


def test_each_series_is_kept_as_deep_as_it_is_read():
    """The depth, rounded up, and one scrape more; a series that is never read is not kept."""
    recorder = make_recorder(requests_total=2 * HOUR_S, errors_total=100.0, depth=0.0)
    assert recorder.past_s == 7500
    record_rows(recorder, -recorder.past_s, [[1, 1]], [0] * 500)
    record_exactly(recorder, [Reading(1, 1, 1)])
    recorded = samples(recorder)
    assert "depth" not in recorded
    assert recorded["requests_total"][0][0] == -7215
    assert recorded["errors_total"][0][0] == -120
    assert recorded["up"][0][0] == -7500 + SCRAPE_S
    assert all(b - a == SCRAPE_S for a, b in pairwise(recorded["requests_total"][0]))
    assert all(b - a == 1 for a, b in pairwise(recorded["requests_total"][1]))


def test_a_scenario_can_limit_the_depth():
    """`history: {depth: 1h}`; with a depth of 0, the first sample is the first scrape."""
    recorder = make_recorder(past_s=HOUR_S, requests_total=6 * HOUR_S)
    assert recorder.past_s == HOUR_S
    assert make_recorder(past_s=3 * HOUR_S, requests_total=HOUR_S / 2).past_s < HOUR_S
    assert make_recorder(past_s=0, requests_total=6 * HOUR_S).past_s == 0


def test_the_far_past_is_kept_in_coarse_steps():
    """Beyond a day: a 30-day window needs no more, and its increase is the same."""
    depth_s = 3 * 24 * HOUR_S
    recorder = make_recorder(requests_total=depth_s)
    record_rows(recorder, -recorder.past_s, [[1, 0, 0]], [0] * round(recorder.past_s / SCRAPE_S))
    times_s, values = samples(recorder)["requests_total"]
    steps = {
        (b - a, y - x) for (a, b), (x, y) in zip(pairwise(times_s), pairwise(values), strict=True)
    }
    assert steps == {(COARSE_S, COARSE_S / SCRAPE_S), (SCRAPE_S, 1)}
    assert next(b for a, b in pairwise(times_s) if b - a == SCRAPE_S) == -FINE_PAST_S + SCRAPE_S
    assert len(times_s) < 7000


def test_steps_are_fine_as_far_back_as_a_narrow_window_is_offset():
    """`rate(x[5m] offset 2d)` would find two samples in coarse steps, or one."""
    recorder = make_recorder(requests_total=3 * 24 * HOUR_S, fine=[(-48 * HOUR_S, 0.0)])
    record_rows(recorder, -recorder.past_s, [[1, 0, 0]], [0] * round(recorder.past_s / SCRAPE_S))
    times_s, _ = samples(recorder)["requests_total"]
    assert next(b for a, b in pairwise(times_s) if b - a == SCRAPE_S) == -48 * HOUR_S + SCRAPE_S


def test_a_failed_scrape_between_coarse_steps_marks_the_next_step():
    """Otherwise the series would seem to continue for five minutes more."""
    recorder = make_recorder(requests_total=3 * 24 * HOUR_S)
    start_s = -2 * 24 * HOUR_S
    record_rows(recorder, start_s - 300, [[1, 0, 0]], [0] * 20)
    record_rows(recorder, start_s, [[1, 0, 0]], [0], up=True)
    record_rows(recorder, start_s + SCRAPE_S, [[1, 0, 0]], [0] * 39, up=False)
    record_rows(recorder, start_s + 600, [[1, 0, 0]], [0] * 20)
    recorded = samples(recorder)
    assert recorded["requests_total"] == (
        [start_s, start_s + 300, start_s + 900],
        [20, "stale", 80],
    )
    assert recorded["up"][1] == [1, 0, 0, 1]


def test_steps_are_fine_where_a_window_begins_and_around_events_alone():
    """The ends of a wide window decide its increase; between them coarse steps do."""
    day_s = 24 * HOUR_S
    recorder = make_recorder(
        requests_total=6 * day_s,
        fine=[(-6 * day_s, -6 * day_s + 600)],
        eventful=[(-3 * day_s, -3 * day_s + 100)],
    )
    record_rows(recorder, -recorder.past_s, [[1, 0, 0]], [0] * round(recorder.past_s / SCRAPE_S))
    times_s, values = samples(recorder)["requests_total"]
    fine = [b for a, b in pairwise(times_s) if b - a == SCRAPE_S and b <= -FINE_PAST_S]
    begins = [-6 * day_s + SCRAPE_S * step for step in range(1, 41)]
    event = [-3 * day_s + SCRAPE_S * step for step in range(1, 21)]
    assert [at_s for at_s in fine if at_s < -5 * day_s] == begins
    assert [at_s for at_s in fine if at_s > -5 * day_s] == event
    assert all((y - x) * SCRAPE_S == b - a for (a, b), (x, y) in
               zip(pairwise(times_s), pairwise(values), strict=True))  # fmt: skip


@pytest.mark.parametrize(
    ("eventful", "fine"),
    [
        ([(-4, -3)], [(-4, -3), (-25, 0)]),
        ([(-100, -60), (-90, -80)], [(-100, -60), (-25, 0)]),
        ([(-100, -60), (-70, -40)], [(-100, -40), (-25, 0)]),
        ([(-100, -60), (-60, -40)], [(-100, -40), (-25, 0)]),
        ([(-100, -60), (-50, -40)], [(-100, -60), (-50, -40), (-25, 0)]),
        ([(-30, -20)], [(-30, 0)]),
        ([(-140, -1)], [(-140, 0)]),
        ([(-99.99, -60.01)], [(-100, -60), (-25, 0)]),
    ],
)
def test_events_within_one_another_or_side_by_side_keep_every_scrape_of_all_of_them(eventful, fine):
    """Hours before the start: none cuts a longer one short, nor the last day."""
    recorder = make_recorder(
        requests_total=150 * HOUR_S, eventful=[(a * HOUR_S, b * HOUR_S) for a, b in eventful]
    )
    record_rows(recorder, -recorder.past_s, [[1, 0, 0]], [0] * round(recorder.past_s / SCRAPE_S))
    times_s, _ = samples(recorder)["requests_total"]
    expected = {False: COARSE_S, True: SCRAPE_S}
    for before_s, at_s in pairwise(times_s):
        inside = any(a * HOUR_S < at_s <= b * HOUR_S for a, b in fine)
        assert at_s - before_s == expected[inside], at_s / HOUR_S


def test_a_metric_with_every_scrape_leaves_the_others_their_coarse_steps():
    """`avg_over_time(depth[3d])` beside `increase(requests_total[3d])`."""
    far_s = 3 * 24 * HOUR_S
    recorder = make_recorder(fine_of={"depth": [(-far_s, 0.0)]}, depth=far_s, requests_total=far_s)
    record_rows(recorder, -recorder.past_s, [[1, 0, 4]], [0] * round(recorder.past_s / SCRAPE_S))
    recorded = samples(recorder)
    assert {b - a for a, b in pairwise(recorded["depth"][0])} == {SCRAPE_S}
    before = [at_s for at_s in recorded["requests_total"][0] if at_s <= -FINE_PAST_S]
    assert {b - a for a, b in pairwise(before)} == {COARSE_S}
    assert recorded["requests_total"][1] == [
        (at_s + recorder.past_s) / SCRAPE_S for at_s in recorded["requests_total"][0]
    ]


def test_a_gap_is_marked_at_the_first_scrape_that_lacks_a_series_with_every_scrape():
    """Beside it, one in coarse steps is marked at its next step."""
    far_s = 3 * 24 * HOUR_S
    recorder = make_recorder(fine_of={"depth": [(-far_s, 0.0)]}, depth=far_s, requests_total=far_s)
    start_s = -2 * 24 * HOUR_S
    record_rows(recorder, start_s - 300, [[1, 0, 4]], [0] * 20)
    record_rows(recorder, start_s, [[1, 0, 4]], [0] * 25, up=False)
    recorded = samples(recorder)
    assert recorded["depth"][0][-2:] == [start_s, start_s + SCRAPE_S]
    assert recorded["requests_total"][0][-2:] == [start_s, start_s + COARSE_S]
    assert recorded["depth"][1][-1] == recorded["requests_total"][1][-1] == "stale"


def test_a_day_and_an_hour_has_no_coarse_step_of_its_own():
    """Every scrape of it is kept anyway; a second more, and a window begins between two steps."""
    for depth_s, first_s in ((FINE_PAST_S, FINE_PAST_S), (FINE_PAST_S + 1, FINE_PAST_S + 600)):
        recorder = make_recorder(requests_total=depth_s)
        record_rows(recorder, -recorder.past_s - SCRAPE_S, [[1, 0, 0]], [0] * 100)
        assert samples(recorder)["requests_total"][0][0] == -first_s


def test_without_gaps_the_past_before_two_hours_is_kept_by_the_hour():
    """No window is cut short then: a rate is that of the ends of its window."""
    recorder = Recorder(small_catalogue(), lambda _: Need(10 * HOUR_S), steps=WITHOUT_GAPS)
    record_rows(recorder, -recorder.past_s, [[1, 0, 4]], [0] * round(recorder.past_s / SCRAPE_S))
    times_s, values = samples(recorder)["requests_total"]
    steps_s = [(b - a, b <= -2 * HOUR_S) for a, b in pairwise(times_s)]
    assert set(steps_s) == {(HOUR_S, True), (SCRAPE_S, False)}
    assert values == [2 + (at_s - times_s[0]) / SCRAPE_S for at_s in times_s]


@pytest.mark.parametrize("name", ["node_cpu_seconds_total", "agentaskit_sim_cpu_seconds_total"])
def test_the_counter_that_shows_every_restart_is_kept_though_nothing_reads_it(name):
    """Under the name that it has with us, and beside metrics of the user."""
    metrics = [Metric(name=each, kind="counter", help="", monotone=True, read=lambda r: r.requests)
               for each in ("other_total", name)]  # fmt: skip
    catalogue = Catalogue(tuple(metrics), Reading(0, 0, 0))
    assert Recorder(catalogue, lambda _: Need(0.0), 0).names == (name,)
