"""The recorder: levels without seams, restarts, scrapes that failed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history import recorder as recorder_module
from exporter.history.recorder import Recorder
from exporter.history.retention import Need
from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.series import Catalogue, Metric
from exporter.scrape_path.losses import rank_series
from exporter.target import SCRAPE_S
from simulator.faults.kinds.scrape_path import ScrapeOutcome
from simulator.snapshot import ScrapePath
from tests.exporter.history.recordings import (
    HOUR_S,
    Reading,
    arrival,
    make_recorder,
    record_exactly,
    record_rows,
    samples,
    small_catalogue,
)
from tests.simulator.worlds import fault, make


def test_exact_and_resampled_scrapes_join_without_a_seam():
    """Counters grow by what each scrape adds, of either kind; gauges are as they are."""
    recorder = make_recorder(past_s=0)
    recorder.continue_from(recorder.read(Reading(1000, 50, 7)))
    record_exactly(recorder, [Reading(1010, 50, 3), Reading(1025, 52, 4)])
    record_rows(recorder, 30, [[10, 1, 8], [20, 0, 9]], [1, 1, 0])
    record_exactly(recorder, [Reading(1026, 53, 5)], start_s=90)
    recorded = samples(recorder)
    assert recorded["requests_total"] == ([15, 30, 45, 60, 75, 90], [10, 25, 45, 65, 75, 76])
    assert recorded["errors_total"][1] == [0, 2, 2, 2, 3, 4]
    assert recorded["depth"][1] == [3, 4, 9, 9, 8, 5]


def test_another_worlds_counters_continue_from_the_last_worlds():
    """A scenario begins with a copy of the healthy world, or with a new one."""
    recorder = make_recorder(past_s=0)
    recorder.continue_from(recorder.read(Reading(500, 0, 0)))
    record_exactly(recorder, [Reading(510, 0, 0)])
    recorder.continue_from(recorder.read(Reading(0, 0, 0)))
    record_exactly(recorder, [Reading(4, 0, 0)], start_s=30)
    assert samples(recorder)["requests_total"][1] == [10, 14]


def test_only_a_restart_lets_a_counter_fall():
    """It grows again from 0; what came between the last scrape and the restart is lost."""
    recorder = make_recorder(past_s=0)
    record_exactly(recorder, [Reading(10, 1, 7), Reading(20, 2, 8)])
    recorder.restart(recorder.read(Reading(24, 2, 9)))
    record_exactly(recorder, [Reading(30, 3, 9), Reading(40, 4, 9)], start_s=45)
    recorded = samples(recorder)
    assert recorded["requests_total"][1] == [10, 20, 6, 16]
    assert recorded["errors_total"][1] == [1, 2, 1, 2]
    assert recorded["depth"][1] == [7, 8, 9, 9]


def test_an_exporter_that_is_down_leaves_up_at_0_and_one_marker_in_every_other_series():
    """Of exact and of resampled scrapes; afterwards the counter includes the time between."""
    recorder = make_recorder(past_s=0)
    record_exactly(recorder, [Reading(10, 0, 1)])
    record_exactly(recorder, [Reading(20, 0, 1), Reading(30, 0, 1)], start_s=30, up=False)
    record_rows(recorder, 45, [[10, 0, 1]], [0, 0], up=False)
    record_exactly(recorder, [Reading(41, 0, 2)], start_s=90)
    recorded = samples(recorder)
    assert recorded["up"] == ([15, 30, 45, 60, 75, 90], [1, 0, 0, 0, 0, 1])
    assert recorded["requests_total"] == ([15, 30, 90], [10, "stale", 61])
    assert recorded["depth"] == ([15, 30, 90], [1, "stale", 2])


def test_a_series_without_a_sample_gets_no_marker():
    """A marker ends a series, and there is none yet."""
    recorder = make_recorder(past_s=0)
    record_exactly(recorder, [Reading(1, 0, 0)], up=False)
    assert samples(recorder)["depth"] == ([], [])


def test_samples_before_the_past_are_not_kept():
    """An incident may begin before the earliest sample that is read."""
    recorder = make_recorder()
    record_rows(recorder, -2 * HOUR_S, [[1, 0, 4]], [0] * 480)
    times_s, values = samples(recorder)["depth"]
    assert times_s[0] == -315
    assert set(values) == {4}


CLOCKED = Catalogue(
    (
        Metric(name="requests_total", kind="counter", help="", monotone=True,
               read=lambda r: r.requests),
        Metric(name="now_seconds", kind="gauge", help="", clock=True, read=lambda r: r.depth),
    ),
    Reading(0, 0, 0),
)  # fmt: skip


def clocked_recorder():
    """Return a recorder of a counter and of the world's clock."""
    return Recorder(CLOCKED, lambda _: Need(300.0, ()), 0)


def test_a_clock_begins_where_its_world_stands_and_goes_on_with_another_world():
    """A counter begins at 0; a later world's clock, wherever it stands, only ticks on."""
    recorder = clocked_recorder()
    recorder.continue_from(recorder.read(Reading(500, 0, 100)))
    record_exactly(recorder, [Reading(510, 0, 115)])
    recorder.continue_from(recorder.read(Reading(0, 0, 7000)))
    record_exactly(recorder, [Reading(4, 0, 7015), Reading(9, 0, 7030)], start_s=30)
    recorded = samples(recorder)
    assert recorded["now_seconds"][1] == [115, 130, 145]
    assert recorded["requests_total"][1] == [10, 14, 19]


def test_a_clock_does_not_restart_with_the_exporter():
    """It catches up with what passed since it was last read; the counter begins at 0."""
    recorder = clocked_recorder()
    recorder.continue_from(recorder.read(Reading(0, 0, 100)))
    record_exactly(recorder, [Reading(10, 0, 115)])
    recorder.restart(recorder.read(Reading(14, 0, 124)))
    record_exactly(recorder, [Reading(20, 0, 130)], start_s=30)
    recorded = samples(recorder)
    assert recorded["now_seconds"][1] == [115, 130]
    assert recorded["requests_total"][1] == [10, 6]


def test_a_clock_goes_on_while_scrapes_are_drawn_and_its_world_need_not_catch_up():
    """Three drawn scrapes take three quarters of a minute of the world's time."""
    recorder = clocked_recorder()
    recorder.continue_from(recorder.read(Reading(0, 0, 100)))
    record_rows(recorder, 0, [[1, SCRAPE_S]], [0, 0, 0])
    record_exactly(recorder, [Reading(2, 0, 160)], start_s=60)
    recorded = samples(recorder)
    assert recorded["now_seconds"][1] == [115, 130, 145, 160]
    assert recorded["requests_total"][1] == [1, 2, 3, 5]


def test_a_clock_ticks_alike_whatever_binary_fraction_it_stands_at():
    """Else rows of the same world would differ in their last bit."""
    readings = np.array([[0.0, 0.1 + SCRAPE_S * step] for step in range(50)])
    assert set(clocked_recorder().rows(readings)[:, 1]) == {SCRAPE_S}


@pytest.mark.parametrize("chunk_values", [1, 20, 10_000])
@pytest.mark.parametrize("start_s", [-600, -300])
def test_series_are_new_at_the_first_of_alike_scrapes_alone(monkeypatch, chunk_values, start_s):
    """In however many pieces they are written, and whether or not the first is kept."""
    monkeypatch.setattr(recorder_module, "CHUNK_VALUES", chunk_values)
    recorder = make_recorder(past_s=300.0, requests_total=100.0, scrape_series_added=300.0)
    brought = arrival(recorder)
    times_s = start_s + SCRAPE_S * np.arange(1.0, 61.0)
    report = np.array([*brought.report[:3], 2.0, 1.0])
    brought = replace(brought, report=np.concatenate((report, brought.report[5:])))
    recorder.record_rows(times_s, np.ones((1, 3)), np.zeros(60, np.int64), brought)
    at_s, added = samples(recorder)["scrape_series_added"]
    first = [2.0] if start_s == -300 else [0.0]
    assert added == first + [0.0] * (len(at_s) - 1)
    assert samples(recorder)["up"][1] == [1.0] * len(samples(recorder)["up"][0])


def test_a_series_vanishes_only_beyond_its_rank():
    """The rank of a series is the first share that still leaves it, as on a served page."""
    recorder, ranks = make_recorder(past_s=0), rank_series(small_catalogue())
    for share in (0.0, *ranks):
        path = ScrapePath(vanished_share=share)
        present = recorder.present_series(SimpleNamespace(exporter_up=True, scrape_path=path))
        assert present.tolist() == (ranks >= share).tolist()


@pytest.mark.parametrize(
    ("up", "delay_s", "late_s"), [(True, 3.0, 3.0), (True, 10.0, 0.0), (False, 12.0, 12.0)]
)
def test_what_a_fault_of_the_path_did_to_a_scrape_depends_on_whether_it_failed(up, delay_s, late_s):
    """A cut counts for one that failed; a delay for that as well, and where it was in time."""
    recorder, noted = make_recorder(past_s=0), []
    recorder.scrape_effects = SimpleNamespace(
        note=lambda snapshot, outcome, scrapes: noted.append((snapshot.now_ns, outcome, scrapes)),
        note_counters=lambda now_ns, levels: noted.append((now_ns, levels.tolist())),
    )
    record_exactly(recorder, [Reading(5, 2, 1)], up=up)
    path = ScrapePath(delay_s=delay_s, cut_share=0.4, extra_series=7)
    recorder.count_effects(SimpleNamespace(now_ns=15, scrape_path=path), 2)
    expected = ScrapeOutcome(
        refused=not up,
        late_s=late_s,
        cut_share=0.0 if up else 0.4,
        missing=0 if up else 3,
        further=0,  # its report has no sample of any
    )
    assert noted == [(15, expected, 2), *([(15, [5.0, 2.0])] if up else [])]


@pytest.mark.parametrize("seed", range(5))
def test_the_history_does_not_depend_on_how_a_run_is_divided(seed):
    """Into parts of any number of scrapes, across every change of depth and step."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, 50, size=(8, 3)).astype(np.float64)
    total = round((27 * HOUR_S + 600) / SCRAPE_S)
    picks = random.integers(0, 8, total)
    cuts = sorted({0, total, *random.integers(1, total, 12).tolist()})
    histories = []
    for edges in ([0, total], cuts):
        recorder = make_recorder(requests_total=26 * HOUR_S, errors_total=900.0)
        for first, last in pairwise(edges):
            record_rows(recorder, -27 * HOUR_S + first * SCRAPE_S, rows, picks[first:last])
        histories.append(samples(recorder))
    assert histories[0] == histories[1]
    for name, column in (("requests_total", 0), ("errors_total", 1)):
        times_s, values = histories[0][name]
        assert sorted(values) == values
        since = picks[round((times_s[0] + 27 * HOUR_S) / SCRAPE_S) :]
        assert values[-1] - values[0] == rows[since, column].sum()


@pytest.mark.parametrize("restarts", [True, False])
def test_a_restart_is_measured_even_if_no_rule_reads_a_counter(restarts):
    """One that did not happen is not: what is kept shows it, and the declaration does not."""
    world = make(fault("counter_reset", start_s=20.0, duration_s=20.0))
    catalogue = catalogue_world(world.snapshot())
    recorder = Recorder(
        catalogue, lambda name: Need(300.0 * (name == "agentaskit_task_queue_depth"))
    )
    for at_s in (SCRAPE_S, 2 * SCRAPE_S, 3 * SCRAPE_S):
        while (change_s := world.next_change_ns() / 1e9) <= at_s:
            world.advance(change_s)
            if restarts and change_s == 20.0:
                recorder.restart(recorder.read(world.snapshot()))
        world.advance(at_s)
        snapshot = world.snapshot()
        recorder.record(at_s, recorder.read(snapshot), recorder.arrival(snapshot))
        recorder.count_effects(snapshot)
    (effect,) = recorder.scrape_effects.complete(world.effects())
    assert (effect.measured, effect.expected) == (float(restarts), 1.0)
