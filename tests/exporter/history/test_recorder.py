"""The record of a run: levels without seams, depths as asked, scrapes that failed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from exporter.history.recorder import Recorder
from exporter.history.retention import COARSE_S, FINE_PAST_S
from exporter.history.samples import EPOCH_S, STALE_BITS
from exporter.metrics.series import Catalogue, Metric
from exporter.target import SCRAPE_S

HOUR_S = 3600.0


@dataclass(frozen=True)
class Reading:
    """What a small world shows: two counters and a gauge."""

    requests: float
    errors: float
    depth: float


def catalogue():
    """Return the layout of a `Reading`."""
    return Catalogue(
        (
            Metric(name="requests_total", kind="counter", help="", monotone=True,
                   read=lambda r: r.requests),
            Metric(name="errors_total", kind="counter", help="", monotone=True,
                   read=lambda r: r.errors),
            Metric(name="depth", kind="gauge", help="", read=lambda r: r.depth),
        ),
        Reading(0, 0, 0),
    )  # fmt: skip


def recorder(past_s=None, fine_s=0.0, **depths):
    """Return a recorder that keeps each metric so deep, by default five minutes."""
    asked = {"requests_total": 300.0, "errors_total": 300.0, "depth": 300.0, **depths}
    return Recorder(catalogue(), lambda name: asked.get(name, 0.0), past_s, fine_s)


def samples(record):
    """Return all samples by metric name: virtual times and values, markers included."""
    history = record.history()
    found = {dict(labels)["__name__"]: ([], []) for labels in history.series}
    for block in history.blocks:
        times_s = block.timestamps_ms / 1000 - EPOCH_S
        for index, values in zip(block.series, block.values, strict=True):
            stale = values.view(np.uint64) == STALE_BITS
            seen = ~np.isnan(values) | stale
            name = dict(history.series[index])["__name__"]
            found[name][0].extend(times_s[seen].tolist())
            found[name][1].extend(
                "stale" if s else v for v, s in zip(values[seen], stale[seen], strict=True)
            )
    return found


def live(record, readings, start_s=SCRAPE_S, *, up=True):
    """Record one exact scrape for each reading."""
    for step, reading in enumerate(readings):
        record.record(start_s + step * SCRAPE_S, record.read(reading), up=up)


def add(record, from_s, pool, picks, *, up=True):
    """Record drawn scrapes after `from_s`."""
    times_s = from_s + SCRAPE_S * np.arange(1, len(picks) + 1, dtype=np.float64)
    record.record_rows(times_s, np.array(pool, dtype=np.float64), np.array(picks), up=up)


def test_lived_and_drawn_scrapes_join_without_a_seam():
    """Counters go up by what each scrape adds, whoever tells it; gauges are what they are."""
    record = recorder(past_s=0)
    record.continue_from(record.read(Reading(1000, 50, 7)))
    live(record, [Reading(1010, 50, 3), Reading(1025, 52, 4)])
    add(record, 30, [[10, 1, 8], [20, 0, 9]], [1, 1, 0])
    live(record, [Reading(1026, 53, 5)], start_s=90)
    found = samples(record)
    assert found["requests_total"] == ([15, 30, 45, 60, 75, 90], [10, 25, 45, 65, 75, 76])
    assert found["errors_total"][1] == [0, 2, 2, 2, 3, 4]
    assert found["depth"][1] == [3, 4, 9, 9, 8, 5]


def test_another_worlds_counters_go_on_where_the_last_ones_stood():
    """A scenario begins with a copy of the healthy world, or with a new one."""
    record = recorder(past_s=0)
    record.continue_from(record.read(Reading(500, 0, 0)))
    live(record, [Reading(510, 0, 0)])
    record.continue_from(record.read(Reading(0, 0, 0)))
    live(record, [Reading(4, 0, 0)], start_s=30)
    assert samples(record)["requests_total"][1] == [10, 14]


def test_a_restart_is_the_only_thing_that_lets_a_counter_fall():
    """From 0, by what came after it; what came between the last scrape and it is lost, as live."""
    record = recorder(past_s=0)
    live(record, [Reading(10, 1, 7), Reading(20, 2, 8)])
    record.restart(record.read(Reading(24, 2, 9)))
    live(record, [Reading(30, 3, 9), Reading(40, 4, 9)], start_s=45)
    found = samples(record)
    assert found["requests_total"][1] == [10, 20, 6, 16]
    assert found["errors_total"][1] == [1, 2, 1, 2]
    assert found["depth"][1] == [7, 8, 9, 9]


def test_a_dead_exporter_leaves_up_at_0_and_one_marker_in_every_other_series():
    """Whatever way the scrapes are told; what happened meanwhile is in the counter afterwards."""
    record = recorder(past_s=0)
    live(record, [Reading(10, 0, 1)])
    live(record, [Reading(20, 0, 1), Reading(30, 0, 1)], start_s=30, up=False)
    add(record, 45, [[10, 0, 1]], [0, 0], up=False)
    live(record, [Reading(41, 0, 2)], start_s=90)
    found = samples(record)
    assert found["up"] == ([15, 30, 45, 60, 75, 90], [1, 0, 0, 0, 0, 1])
    assert found["requests_total"] == ([15, 30, 90], [10, "stale", 61])
    assert found["depth"] == ([15, 30, 90], [1, "stale", 2])


def test_what_was_never_seen_up_is_not_marked():
    """A marker ends a series; there is none yet."""
    record = recorder(past_s=0)
    live(record, [Reading(1, 0, 0)], up=False)
    assert samples(record)["depth"] == ([], [])


def test_each_series_is_kept_as_deep_as_it_is_read():
    """And no deeper: the depth, rounded up, and one scrape more; what nobody reads is not there."""
    record = recorder(requests_total=2 * HOUR_S, errors_total=100.0, depth=0.0)
    assert record.past_s == 7500
    add(record, -record.past_s, [[1, 1, 1]], [0] * 500)
    live(record, [Reading(1, 1, 1)])
    found = samples(record)
    assert "depth" not in found
    assert found["requests_total"][0][0] == -7215
    assert found["errors_total"][0][0] == -120
    assert found["up"][0][0] == -7500 + SCRAPE_S
    assert all(b - a == SCRAPE_S for a, b in pairwise(found["requests_total"][0]))
    assert all(b - a == 1 for a, b in pairwise(found["requests_total"][1]))


def test_a_depth_that_a_scenario_limits_is_that_depth():
    """`history: {depth: 1h}`; with none, the first sample is the first scrape."""
    record = recorder(past_s=HOUR_S, requests_total=6 * HOUR_S)
    assert record.past_s == HOUR_S
    assert recorder(past_s=0, requests_total=6 * HOUR_S).past_s == 0


def test_the_far_past_is_kept_in_coarse_steps():
    """Beyond a day: a 30-day window needs no more, and its increase is the same."""
    depth_s = 3 * 24 * HOUR_S
    record = recorder(requests_total=depth_s)
    add(record, -record.past_s, [[1, 0, 0]], [0] * round(record.past_s / SCRAPE_S))
    times_s, values = samples(record)["requests_total"]
    steps = {
        (b - a, y - x) for (a, b), (x, y) in zip(pairwise(times_s), pairwise(values), strict=True)
    }
    assert steps == {(COARSE_S, COARSE_S / SCRAPE_S), (SCRAPE_S, 1)}
    assert next(b for a, b in pairwise(times_s) if b - a == SCRAPE_S) == -FINE_PAST_S + SCRAPE_S
    assert len(times_s) < 7000


def test_the_past_is_fine_as_far_back_as_a_narrow_window_is_moved():
    """`rate(x[5m] offset 2d)` would find two samples in coarse steps, or one."""
    record = recorder(requests_total=3 * 24 * HOUR_S, fine_s=48 * HOUR_S)
    add(record, -record.past_s, [[1, 0, 0]], [0] * round(record.past_s / SCRAPE_S))
    times_s, _ = samples(record)["requests_total"]
    assert next(b for a, b in pairwise(times_s) if b - a == SCRAPE_S) == -48 * HOUR_S + SCRAPE_S


def test_a_failed_scrape_between_coarse_steps_marks_the_next_step():
    """It must not be lost: the series would seem to live on for five minutes more."""
    record = recorder(requests_total=3 * 24 * HOUR_S)
    start_s = -2 * 24 * HOUR_S
    add(record, start_s - 300, [[1, 0, 0]], [0] * 20)
    add(record, start_s, [[1, 0, 0]], [0], up=True)
    add(record, start_s + SCRAPE_S, [[1, 0, 0]], [0] * 39, up=False)
    add(record, start_s + 600, [[1, 0, 0]], [0] * 20)
    found = samples(record)
    assert found["requests_total"] == (
        [start_s, start_s + 300, start_s + 900],
        [20, "stale", 80],
    )
    assert found["up"][1] == [1, 0, 0, 1]


def test_what_is_before_the_past_is_lived_but_not_kept():
    """An incident may begin before anything is read; its counters are no part of the record."""
    record = recorder()
    add(record, -2 * HOUR_S, [[1, 0, 4]], [0] * 480)
    times_s, values = samples(record)["depth"]
    assert times_s[0] == -315
    assert set(values) == {4}


@pytest.mark.parametrize("seed", range(5))
def test_however_a_run_is_cut_the_record_is_the_same(seed):
    """Scrape by scrape or by the hundred, across every change of depth and step."""
    chance = np.random.default_rng(seed)
    rows = chance.integers(0, 50, size=(8, 3)).astype(np.float64)
    total = round((27 * HOUR_S + 600) / SCRAPE_S)
    picks = chance.integers(0, 8, total)
    cuts = sorted({0, total, *chance.integers(1, total, 12).tolist()})
    records = []
    for edges in ([0, total], cuts):
        record = recorder(requests_total=26 * HOUR_S, errors_total=900.0)
        for first, last in pairwise(edges):
            add(record, -27 * HOUR_S + first * SCRAPE_S, rows, picks[first:last])
        records.append(samples(record))
    assert records[0] == records[1]
    for name, column in (("requests_total", 0), ("errors_total", 1)):
        times_s, values = records[0][name]
        assert sorted(values) == values
        since = picks[round((times_s[0] + 27 * HOUR_S) / SCRAPE_S) :]
        assert values[-1] - values[0] == rows[since, column].sum()
