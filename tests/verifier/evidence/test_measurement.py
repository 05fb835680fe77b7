"""The numbers of a condition: the value nearest to its threshold, when, and how long it held."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.evidence.firing_bounds import BEFORE_EVALUATIONS, FiringWindow, HeldTime
from verifier.evidence.measurement import AlertView, DecisiveInstant, measure
from verifier.evidence.silence import WatchedRun
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Prometheus

STORED = history(
    {
        labels("depth", priority="high"): row("3*10 7*4 9 3*26"),
        labels("depth", priority="low"): row("1*20 8*2 1*19"),
        labels("limit"): row("10*41"),
        labels("zero"): row("0*41"),
        labels("ramp"): [float(place) for place in range(41)],
    }
)
NOT_FULL = {labels("served_total"): [150.0 * place for place in range(57)]}
"""Ten a second, from four minutes before the start on."""


@pytest.fixture(scope="module")
def server():
    """Start a Prometheus that holds ten minutes of a queue's depth."""
    with Prometheus() as started:
        started.push(STORED)
        started.push(history(NOT_FULL, start_s=-240.0))
        started.push(history({labels("past"): row("9*8 5*40")}, start_s=-120.0))
        yield started


def numbers_of(server, tmp_path, expr, *, factor=1.0, view=None, **keys):
    """Measure the condition of one alert over ten minutes."""
    files = rules(tmp_path, {"alert": "A", "expr": expr, **keys})
    run = WatchedRun(server, files, EPOCH_S, 600.0, WHOLE, factor=factor)
    return measure(run, *files.alerts[0], view)


@pytest.mark.parametrize(
    ("expr", "measured"),
    [
        ("depth > 20", (20.0, 9.0, 210.0, None)),
        ("depth > 5", (5.0, 9.0, 210.0, 60.0)),
        ("20 < depth", (20.0, 9.0, 210.0, None)),
        ("depth >= 4 * 5", (20.0, 9.0, 210.0, None)),
        ("depth < 0", (0.0, 1.0, 0.0, None)),
        ("depth == 6", (6.0, 7.0, 150.0, None)),
        ("depth > on() group_left limit", (None, -1.0, 210.0, None)),
        ("depth > scalar(limit)", (None, -1.0, 210.0, None)),
        ("sum(depth) > 12", (12.0, 11.0, 300.0, None)),
        ("(depth > 5) > 8", (5.0, 9.0, 210.0, 60.0)),
    ],
)
def test_the_value_nearest_to_the_threshold_is_found(server, tmp_path, expr, measured):
    """Threshold, value, time, and for how long the comparison held."""
    first = numbers_of(server, tmp_path, expr).comparisons[0]
    assert (first.threshold, first.nearest, first.at_s, first.held_s) == measured


@pytest.mark.parametrize(
    ("expr", "measured"),
    [
        # One queue at a time was ever deeper than 5.
        ("count(depth > 5) >= 3", (3.0, 1.0, 150.0, None)),
        ("3 <= count(depth > 5)", (3.0, 1.0, 150.0, None)),
        ("count(depth > 5 < 8) >= 3", (3.0, 1.0, 150.0, None)),
        ("limit + on() group_left() count(depth > 5) > 90", (90.0, 11.0, 150.0, None)),
        ("limit > on() group_left() (count(depth > 5) * 6)", (None, 4.0, 150.0, 60.0)),
        ("sum(depth unless depth < 5) > 20", (20.0, 9.0, 210.0, None)),
        ("max_over_time((depth > 8)[1m:15s]) > 20", (20.0, 9.0, 210.0, None)),
        ("sum(absent(depth > 5)) > 1", (1.0, 1.0, 0.0, None)),
        ("(count(depth > 5) or vector(0)) > 2", (2.0, 1.0, 150.0, None)),
        # Of a chain every comparison decides.
        ("(count(depth > 5) > 0) > 4", (0.0, 1.0, 150.0, 60.0)),
        ("0 < count(depth > 5) < 1", (0.0, 1.0, 150.0, 60.0)),
    ],
)
def test_only_the_comparisons_that_decide_are_opened(server, tmp_path, expr, measured):
    """A filter below them stays: it makes the value that is compared."""
    first = numbers_of(server, tmp_path, expr).comparisons[0]
    assert (first.threshold, first.nearest, first.at_s, first.held_s) == measured


def test_a_value_that_a_filter_never_let_be_there_is_not_measured(server, tmp_path):
    """And is nowhere near a threshold; of a chain what is compared is one value."""
    assert numbers_of(server, tmp_path, "count(depth > 99) >= 1").comparisons == ()
    chain = numbers_of(server, tmp_path, "(count(depth > 5) > 1) > 4").comparisons
    assert [(each.condition, each.nearest) for each in chain] == [
        ("count(depth > 5) > 1", 1.0),
        ("(count(depth > 5) > 1) > 4", 1.0),
    ]


def test_the_series_of_the_alert_alone_are_measured(server, tmp_path):
    """Others, which contradict its labels, are left out."""
    numbers = numbers_of(server, tmp_path, "depth > 20", view=AlertView((("priority", "low"),)))
    assert numbers.comparisons[0].nearest == 8.0
    assert numbers.comparisons[0].labels == (("priority", "low"),)
    assert numbers.comparisons[0].last == 1.0


def test_the_whole_condition_is_measured_beside_its_comparisons(server, tmp_path):
    """Each side may hold without the whole."""
    numbers = numbers_of(server, tmp_path, "depth > 5 and on(priority) depth > 8", **{"for": "2m"})
    assert (numbers.for_s, numbers.held_s, numbers.held_from_s) == (120.0, 0.0, 210.0)
    assert [each.condition for each in numbers.comparisons] == ["depth > 5", "depth > 8"]


def test_one_evaluation_without_a_value_ends_the_time_that_a_condition_held(server, tmp_path):
    """What follows is another time; the longest counts, the first of them if equal."""
    numbers = numbers_of(server, tmp_path, "(ramp > 3) != 20")
    assert (numbers.held_s, numbers.held_from_s) == (285.0, 315.0)
    numbers = numbers_of(server, tmp_path, "(ramp > 3) != 22")
    assert (numbers.held_s, numbers.held_from_s) == (255.0, 60.0)


def test_a_part_of_a_condition_has_no_threshold_that_would_let_the_whole_fire(server, tmp_path):
    """Alone it has; and no `for` is named that is no shorter than the rule's own."""
    alone = numbers_of(server, tmp_path, "depth > 20")
    assert alone.comparisons[0].firing_threshold is not None
    both = numbers_of(server, tmp_path, "depth > 20 and depth > 19")
    assert [each.firing_threshold for each in both.comparisons] == [None, None]
    chain = numbers_of(server, tmp_path, "(depth > 5) > 20")
    assert [each.firing_threshold for each in chain.comparisons] == [None, None]
    waits = [numbers_of(server, tmp_path, "depth > 5", **{"for": f}) for f in ("2m", "1m", "30s")]
    assert [each.firing_for_s for each in waits] == [60.0, None, None]
    compressed = numbers_of(server, tmp_path, "depth > 5", factor=30.0, **{"for": "2m"})
    assert (compressed.for_s, compressed.firing_for_s) == (3600.0, 1800.0)
    view = AlertView(window=FiringWindow(due_s=5500.0))
    due = numbers_of(server, tmp_path, "depth > 5", factor=30.0, view=view, **{"for": "2m"})
    assert due.firing_for_s == 900.0, "whole intervals of the scenario"


def test_a_condition_that_never_held_was_held_for_no_time(server, tmp_path):
    """Not even for an instant."""
    assert numbers_of(server, tmp_path, "depth > 20").held_s is None


def test_times_are_those_of_the_scenario_when_time_is_compressed(server, tmp_path):
    """And windows and waits those of the rule as it was written."""
    numbers = numbers_of(
        server, tmp_path, "max_over_time(depth[15s]) > 20", factor=30.0, **{"for": "1m"}
    )
    assert numbers.for_s == 1800.0
    assert numbers.comparisons[0].at_s == 6300.0
    assert numbers.comparisons[0].condition == "max_over_time(depth[7m30s]) > 20"


def test_a_value_without_a_number_is_not_measured(server, tmp_path):
    """Only infinity is a number."""
    assert numbers_of(server, tmp_path, "zero / zero > 1").comparisons == ()
    assert numbers_of(server, tmp_path, "limit / zero < 1").comparisons[0].nearest == math.inf


def test_the_value_is_read_at_each_decisive_instant(server, tmp_path):
    """At the last evaluation up to it; nothing where the series is not there."""
    instants = [DecisiveInstant("cause", 149.0), DecisiveInstant("due", 215.0)]
    instants.append(DecisiveInstant("long before", -3600.0))
    instants.append(DecisiveInstant("after all", 640.0))
    numbers = numbers_of(server, tmp_path, "depth > 20", view=AlertView(instants=tuple(instants)))
    readings = [(each.moment, each.at_s, each.value) for each in numbers.comparisons[0].readings]
    assert readings == [("cause", 149.0, 3.0), ("due", 215.0, 9.0), ("long before", -3600.0, None),
                        ("after all", 640.0, None)]  # fmt: skip


@pytest.mark.parametrize(("onset_s", "healthy"), [(150.0, (3.0, 0.0)), (-60.0, (None, 0.0))])
def test_the_healthy_value_is_that_before_the_onset(server, tmp_path, onset_s, healthy):
    """Its mean and its deviation; unknown where nothing was stored before."""
    numbers = numbers_of(
        server, tmp_path, "depth > 20", view=AlertView(onset_s=onset_s)
    ).comparisons[0]
    assert (numbers.healthy, numbers.healthy_spread) == healthy


@pytest.mark.parametrize("onset_s", [15.0, 45.5, 315.0, 450.0, 599.0])
def test_of_a_value_that_moves_the_evaluations_just_before_the_onset_are_healthy(
    server, tmp_path, onset_s
):
    """As many as a window of them, or as there are; that of the onset itself is none."""
    count = math.ceil(onset_s / 15.0)
    before = np.arange(max(0, count - BEFORE_EVALUATIONS), count)
    view = AlertView(onset_s=onset_s)
    numbers = numbers_of(server, tmp_path, "ramp > 50", view=view).comparisons[0]
    assert numbers.healthy == pytest.approx(before.mean())
    assert numbers.healthy_spread == pytest.approx(before.std())


@pytest.mark.parametrize(
    ("wait", "history_s", "healthy"),
    [
        # The history begins where it is needed for a `for` of 1m, and one that is longer or more
        # evaluations would look at windows that are not full.
        ("1m", math.inf, 10.0),
        # The scenario itself asks for less.
        ("5m", 240.0, 10.0),
        ("5m", -540.0, None),
        # What this test tries can fail.
        ("5m", math.inf, 145 / 18),
    ],
)
def test_only_full_windows_say_what_is_healthy(server, tmp_path, wait, history_s, healthy):
    """Neither evaluations before those that a rule remembers, nor such without a history."""
    view = AlertView(onset_s=45.0, history_s=history_s)
    expr = "rate(served_total[2m]) > 20"
    numbers = numbers_of(server, tmp_path, expr, view=view, **{"for": wait}).comparisons[0]
    assert numbers.healthy == (healthy if healthy is None else pytest.approx(healthy))


def test_a_value_came_nearest_since_the_onset(server, tmp_path):
    """Not before it, unless there is no later one; and of equals the first since then."""
    for onset_s, nearest in ((220.0, (8.0, 300.0)), (400.0, (3.0, 405.0)), (700.0, (9.0, 210.0))):
        view = AlertView(onset_s=onset_s)
        numbers = numbers_of(server, tmp_path, "depth > 20", view=view).comparisons[0]
        assert (numbers.nearest, numbers.at_s) == nearest
    numbers = numbers_of(server, tmp_path, "zero > 1", view=AlertView(onset_s=220.0))
    assert numbers.comparisons[0].at_s == 225.0


@pytest.mark.parametrize(
    ("expr", "wait", "sustained"),
    [("depth > 20", "0s", 9.0), ("depth > 20", "1m", 7.0), ("depth > 20", "2m", 3.0),
     ("depth < 1", "1m", 1.0), ("depth > 20", "30m", None)],
)  # fmt: skip
def test_the_value_that_was_kept_for_the_whole_for_is_told(server, tmp_path, expr, wait, sustained):
    """The threshold that would just have let it fire."""
    numbers = numbers_of(server, tmp_path, expr, **{"for": wait}).comparisons[0]
    assert numbers.sustained == sustained


@pytest.mark.parametrize(
    ("reached", "plateau"),
    [
        (HeldTime(150.0, 210.0), (7.4, 0.8)),
        (HeldTime(150.0, 195.0), (None, 0.0)),
        (None, (None, 0.0)),
    ],
)
def test_the_plateau_is_the_mean_while_the_cause_held_the_value(server, tmp_path, reached, plateau):
    """From when it was first reached; too few evaluations are none."""
    view = AlertView(reached=reached)
    numbers = numbers_of(server, tmp_path, "depth > 20", view=view).comparisons[0]
    assert (numbers.plateau, numbers.plateau_spread) == pytest.approx(plateau)


@pytest.mark.parametrize(
    ("expr", "instants", "furthest"),
    [
        # Of a condition that always held, an instant before the scenario may be the furthest.
        ("past > 1", [("fired", -30.0)], (-30.0, 9.0)),
        ("past > 1", [("fired", 30.0)], (0.0, 5.0)),
        ("past < 20", [("fired", -30.0)], (0.0, 5.0)),
        # It never held in the scenario: what held before it is no nearness.
        ("past > 8", [("before", -30.0)], (0.0, 5.0)),
    ],
)
def test_no_value_that_is_shown_is_further_than_the_furthest(
    server, tmp_path, expr, instants, furthest
):
    """Also of those that were read before the scenario began."""
    view = AlertView(instants=tuple(DecisiveInstant(*each) for each in instants))
    numbers = numbers_of(server, tmp_path, expr, view=view).comparisons[0]
    assert (numbers.at_s, numbers.nearest) == furthest
