"""With which `for` or threshold an alert would have fired: what is named is tried, and fires."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.evaluation.engine import evaluate
from verifier.evidence.firing_bounds import (
    ComparedValues,
    FiringBounds,
    FiringWindow,
    HeldTime,
    kept_value,
    lasting_score,
    longest_wait_s,
    threshold_between,
)
from verifier.evidence.measurement import AlertView, measure
from verifier.evidence.silence import WatchedRun
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Prometheus

STORED = history(
    {
        labels("depth", queue="a"): row("3*10 7*4 9 3*26"),
        labels("depth", queue="b"): row("1 6*2 1*38"),
        labels("depth", queue="falling"): row("3*10 9*4 7.4*12 3*15"),
        labels("depth", queue="twice"): row("3*10 9*4 3*2 9*12 3*13"),
        labels("depth", queue="ending"): row("3*10 9*4 x" + " .*26"),
        labels("noise"): row("3 5 " * 20 + "6"),
        labels("calmed"): row("4*4 3*24 7*4 3*9"),
        labels("peaked"): row("8 3*27 7*4 3*9"),
    }
)
"""`a` is above 5 from 150 s to 210 s of ten minutes, `b` from 15 s to 30 s; `calmed` and `peaked`
are at 7 from 420 s to 465 s."""
ONSET_S = 140.0
NAMES = ("a", "falling", "twice", "ending")
A, FALLING, TWICE, ENDING = (f'depth{{queue="{name}"}}' for name in NAMES)


@pytest.fixture(scope="module")
def server():
    """Start a Prometheus that holds ten minutes of queues."""
    with Prometheus() as started:
        started.push(STORED)
        yield started


def numbers_of(server, files, *, not_before_s=ONSET_S, due_s=600.0, cause_end_s=-math.inf):
    """Measure an alert that has to fire in a window."""
    run = WatchedRun(server, files, EPOCH_S, 600.0, WHOLE)
    window = FiringWindow(not_before_s, due_s, cause_end_s)
    return measure(run, *files.alerts[0], AlertView(onset_s=ONSET_S, window=window))


def episodes(server, files):
    """Return the episodes of these rules' alerts, on the real engine."""
    timelines = evaluate(server, files, start_s=0.0, end_s=600.0).timelines
    return [episode for each in timelines for episode in each.episodes]


def fired_s(server, files):
    """Return when the alerts of these rules fired, on the real engine."""
    return [episode.firing_s for episode in episodes(server, files)]


@pytest.mark.parametrize(
    ("expr", "window", "longest_s"),
    [
        (f"{A} > 5", {}, 60.0),
        (f"{A} > 5", {"due_s": 180.0}, 30.0),
        (f"{A} > 5", {"due_s": 151.0}, 0.0),
        (f"{A} > 5", {"due_s": 149.0}, None),
        # It would have been pending before its cause: of its own, or by another series.
        (f"{A} > 5", {"not_before_s": 151.0}, None),
        ("depth > 5", {}, None),
        # Never, and where its own state decides.
        (f"{A} > 20", {}, None),
        (f"{A} > 5 unless on() ALERTS", {}, None),
    ],
)
def test_the_longest_for_that_is_named_fires_when_it_is_tried(
    server, tmp_path, expr, window, longest_s
):
    """In time, and no `for` that is one evaluation longer does; else none is named."""
    written = {"alert": "A", "expr": expr}
    numbers = numbers_of(server, rules(tmp_path, {**written, "for": "10m"}), **window)
    assert numbers.firing_for_s == longest_s
    if longest_s is None:
        return
    due_s = window.get("due_s", math.inf)
    (at_s,) = fired_s(server, rules(tmp_path, {**written, "for": f"{longest_s:g}s"}))
    assert at_s == 150.0 + longest_s <= due_s
    (later_s,) = fired_s(server, rules(tmp_path, {**written, "for": f"{longest_s + 15:g}s"}))
    assert later_s is None or later_s > due_s


def test_a_for_that_was_short_enough_is_not_named(server, tmp_path):
    """It is not what kept the alert from firing."""
    files = rules(tmp_path, {"alert": "A", "expr": f"{A} > 5", "for": "30s"})
    assert numbers_of(server, files).firing_for_s is None


@pytest.mark.parametrize(
    ("rule", "window", "named"),
    [
        ((f"{A} > 20", "1m"), {}, (7.0, 5.0)),
        ((f"{A} >= 20", "1m"), {}, (7.0, 5.0)),
        ((f"{A} > 20", "0s"), {}, (9.0, 6.0)),
        ((f"-{A} < -20", "1m"), {}, (-7.0, -5.0)),
        # It must not resolve while its cause lasts: what held on to its end, or nothing.
        ((f"{A} > 20", "0s"), {"cause_end_s": 205.0}, (9.0, 6.0)),
        ((f"{A} > 20", "0s"), {"cause_end_s": 300.0}, (9.0, None)),
        ((f"{FALLING} > 20", "30s"), {}, (9.0, 6.0)),
        ((f"{FALLING} > 20", "30s"), {"cause_end_s": 300.0}, (9.0, 5.2)),
        ((f"{TWICE} > 20", "30s"), {"cause_end_s": 300.0}, (9.0, None)),
        ((f"{ENDING} > 20", "30s"), {"cause_end_s": 300.0}, (9.0, None)),
        ((f"{A} == 20", "1m"), {}, (7.0, None)),
        # Before its cause it was as far; it is noise; kept after it was due alone.
        ((f"{A} > 20", "2m"), {}, (None, None)),
        (("noise > 20", "0s"), {}, (6.0, None)),
        ((f"{A} > 20", "1m"), {"due_s": 195.0}, (None, None)),
        # The other series came nearly as far while all was well.
        (("depth > 20", "1m"), {}, (7.0, None)),
        # The last evaluations before a cause say what is healthy, but none before it may hold.
        (("calmed > 20", "30s"), {"not_before_s": 410.0}, (7.0, 5.0)),
        (("peaked > 20", "30s"), {"not_before_s": 410.0}, (7.0, None)),
        # Another comparison decides as well.
        ((f"{A} > 20 and {A} > 1", "1m"), {}, (7.0, None)),
    ],
)
def test_the_threshold_that_is_named_fires_when_it_is_tried(server, tmp_path, rule, window, named):
    """After the onset alone, to the end of its cause; none that a healthy system meets."""
    expr, wait = rule
    written = {"alert": "A", "for": wait}
    numbers = numbers_of(server, rules(tmp_path, {**written, "expr": expr}), **window).comparisons
    assert (numbers[0].sustained, numbers[0].firing_threshold) == named
    threshold = named[1]
    if threshold is not None:
        bound = expr.replace("-20", "20").replace("20", f"{threshold:g}")
        tried = episodes(server, rules(tmp_path, {**written, "expr": bound}))
        fired = [episode for episode in tried if episode.firing_s is not None]
        assert fired
        assert all(episode.firing_s > ONSET_S for episode in fired)
        end_s = window.get("cause_end_s", -math.inf)
        assert all((episode.resolved_s or math.inf) >= end_s for episode in fired)


@pytest.mark.parametrize(
    ("operator", "kept", "healthy", "threshold"),
    [
        (">", 0.07441, 0.00005, 0.038),
        ("<", 9106.0, 10260.0, 9600.0),
        (">", 7.54, 7.0, 7.4),
        (">", 7.4, 7.04, 7.392),
        (">", 5.0, 0.0, 2.5),
        (">=", 5.0, 4.761904, 5.0),
        # Too near to the healthy level: tomorrow it would fire without a cause.
        ("<", 10106.0, 10260.0, None),
        (">", 7.04, 7.01, None),
        (">", 7.0000001, 7.0, None),
        (">", 5.0, math.inf, None),
        ("<", math.inf, 5.0, None),
        (">", 5.0, -math.inf, 4.8),
        ("!=", 5.0, 1.0, None),
        (">=", 0.0, 0.0, None),
        ("<=", 0.0, 0.0, None),
        (">=", 5.0, 5.0, None),
    ],
)
def test_a_threshold_has_few_digits_midway_between_what_was_kept_and_what_is_healthy(
    operator, kept, healthy, threshold
):
    """Not too near to the healthy value, and the kept one is beyond it; none where none fits."""
    assert threshold_between(operator, kept, healthy) == threshold


def test_a_planted_threshold_that_only_touches_what_was_kept_does_not_fire(server, tmp_path):
    """What this file tries can fail: `> 7` is no remedy where 7 was kept."""
    files = rules(tmp_path, {"alert": "A", "expr": f"{A} > 7", "for": "1m"})
    assert fired_s(server, files) == [None]


def test_a_planted_threshold_that_an_early_peak_meets_is_pending_too_early(server, tmp_path):
    """What this file tries can fail: `> 5`, midway, holds six minutes before the cause as well."""
    files = rules(tmp_path, {"alert": "A", "expr": "peaked > 5", "for": "30s"})
    assert [episode.pending_s for episode in episodes(server, files)] == [0.0, 420.0]


def test_a_planted_threshold_next_to_the_furthest_value_resolves_early(server, tmp_path):
    """What this file tries can fail: `> 8` fires in time, and is over long before 300 s."""
    files = rules(tmp_path, {"alert": "A", "expr": f"{FALLING} > 8", "for": "30s"})
    (episode,) = episodes(server, files)
    assert (episode.firing_s, episode.resolved_s) == (180.0, 210.0)


def compared(*values):
    """Return the evaluations of a series every 15 s from the start, compared with > 20."""
    numbers = np.array(values, dtype=float)
    return ComparedValues(15.0 * np.arange(len(numbers)), numbers, numbers)


@pytest.mark.parametrize(
    ("held", "earlier", "window", "longest_s"),
    [
        ([(30.0, 75.0), (150.0, 165.0)], [], FiringWindow(30.0), 45.0),
        ([(30.0, 75.0)], [(29.0, 75.0)], FiringWindow(30.0), None),
        ([(30.0, 75.0)], [(-60.0, -1.0)], FiringWindow(30.0), 45.0),  # that is past
        ([(30.0, 75.0)], [(-60.0, 0.0)], FiringWindow(30.0), None),
        ([(30.0, 75.0)], [], FiringWindow(30.0, 60.0), 30.0),
        ([(30.0, 75.0)], [], FiringWindow(30.0, 30.0), 0.0),
        ([], [], FiringWindow(30.0), None),
    ],
)
def test_the_longest_wait_is_that_of_the_longest_time_in_its_window(
    held, earlier, window, longest_s
):
    """What held from the very beginning of its cause is not before it."""
    times = [HeldTime(*each) for each in held]
    others = [HeldTime(*each) for each in (*held, *earlier)]
    assert longest_wait_s(times, others, window, 15.0) == longest_s


def test_what_is_kept_from_the_first_moment_to_the_last_is_kept():
    """As long as the `for`, and with what is due at its very end."""
    series, whole = compared(7, 8, 9), FiringWindow(0.0, 30.0)
    assert kept_value(series, 3, whole, -math.inf) == 7.0
    assert kept_value(series, 4, whole, -math.inf) is None
    assert kept_value(series, 3, FiringWindow(0.0, 29.0), -math.inf) is None
    assert kept_value(series, 3, FiringWindow(1.0, 30.0), -math.inf) is None
    assert kept_value(series, 3, whole, 7.0) is None  # healthy is as near
    assert lasting_score(series, 3, whole, 15.0) == 7.0
    assert lasting_score(series, 3, FiringWindow(0.0, 29.0), 15.0) is None


def test_a_threshold_is_midway_to_the_nearest_healthy_value():
    """Not to the mean of them: half of them would be above it."""
    series = compared(*[3, 5] * 10, *[9] * 4)
    bounds = FiringBounds(">", 2, FiringWindow(300.0), 15.0)
    assert bounds.of(series, [series]) == (9.0, 7.0)
