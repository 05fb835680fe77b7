"""Tests of an alert, from phases and an engine's answers: what each shows, and when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.verifier.alerts import rule_files
from verifier.derive import promtool, timelines
from verifier.derive.problem import AlertProblem, problem_leaves
from verifier.derive.search import Near, Worlds
from verifier.derive.series.leaves import Layout, plan_series
from verifier.derive.series.levels import Level
from verifier.derive.series.worlds import Timing
from verifier.promql.parsing import parse

MINUTE = Timing(60.0, 60.0)


def problem_of(expr, *, for_s=0.0, keep_s=0.0, twins=()):
    """Return an alert as a problem, evaluated every minute; `twins` are the `for` of namesakes."""
    rule = rule_files("Deep", expr=expr).alerts[0][1]
    rule = replace(rule, for_s=for_s, keep_firing_for_s=keep_s, labels=(("team", "a"),))
    others = [replace(rule, for_s=other_s, labels=(("team", "b"),)) for other_s in twins]
    tree = parse(expr)
    leaves = problem_leaves(tree, {})
    return AlertProblem(rule, (*others, rule), tree, leaves, {}, MINUTE)


def worlds_of(problem, fire=6.0, near=(5.0,), deep=0.0, *, conditions=1):
    """Return worlds in which the only selector, or its lack, fires."""
    series = plan_series(problem.leaves, Layout())

    def world(value):
        level = Level("absent", 0.0) if value is None else Level("gauge", value)
        return dict.fromkeys(series, level)

    nears = tuple(Near((n,), tuple(map(world, near))) for n in range(conditions))
    return Worlds(series, world(fire), nears, world(deep))


def samples(text):
    """Return the samples of promtool's notation, None for none."""
    values = []
    for word in text.split():
        first, _, times = word.partition("x")
        if first in ("stale", "_"):
            values += [None] * int(times or 1)
        else:
            values += [float(first.partition("+")[0])] * (int(times or 0) + 1)
    return values


def answered(questions, holds):
    """Return the answers of an engine by whose word `holds(samples so far)` is the condition."""
    answers = []
    for question in questions:
        (series,) = question.series or [None]
        values = samples(series.values) if series else []
        so_far = [values[: round(time_s / 60) + 1] for _, time_s in question.asks]
        answers.append(
            tuple(
                promtool.TestAnswer((((("x", "1"),), 1.0),) if holds(each) else ())
                for each in so_far
            )
        )
    return answers


def shown(asking, holds):
    """Return what comes of a try: the values, and at which minute which alerts are there."""
    try:
        questions = next(asking)
        while True:
            questions = asking.send(answered(questions, holds))
    except StopIteration as end:
        test = end.value
    if test is None:
        return None
    words = []
    for time_s, alerts in test.expected:
        named = [dict(each) for each in alerts]
        assert all(each["alertname"] == "Deep" and each["x"] == "1" for each in named)
        states = "".join(f"{each['team']}-{each['alertstate'][0]} " for each in named)
        words.append(f"{time_s / 60:g} {states}".strip())
    return test.kind, test.name, [each.values for each in test.series], words


def beyond(limit, window=1):
    """Return a condition that holds while one of the last samples is above a limit."""
    return lambda values: any(value is not None and value > limit for value in values[-window:])


@pytest.mark.parametrize(
    ("waits", "values", "states"),
    [
        ({}, "5+0x1 6+0x2 5+0x3", ["0", "1", "2 a-f", "4 a-f", "5", "8"]),
        ({"for_s": 60.0}, "5+0x1 6+0x3 5+0x3", ["0", "1", "2 a-p", "3 a-f", "5 a-f", "6", "9"]),
        ({"for_s": 90.0}, "5+0x1 6+0x4 5+0x3",
         ["0", "1", "2 a-p", "3 a-p", "4 a-f", "6 a-f", "7", "10"]),
        ({"for_s": 120.0, "keep_s": 120.0}, "5+0x1 6+0x4 5+0x5",
         ["0", "1", "2 a-p", "3 a-p", "4 a-f", "8 a-f", "9", "12"]),
        ({"twins": (60.0,)}, "5+0x1 6+0x2 5+0x3",
         ["0", "1", "2 a-f b-p", "3 a-f b-f", "4 a-f b-f", "5", "8"]),
    ],
)  # fmt: skip
def test_an_alert_fires_beyond_its_threshold_and_resolves_beside_it(waits, values, states):
    """Shown at both ends, where something changes and just before; namesakes stand beside it."""
    problem = problem_of("a > 5", **waits)
    maker = timelines.TestMaker(problem, worlds_of(problem), ", way 2")
    assert shown(maker.fires(), beyond(5)) == (
        "fires", "Deep fires, then resolves, way 2", [values], states,
    )  # fmt: skip


def test_another_background_and_a_longer_phase_are_tried_where_the_first_does_not_do():
    """Resolved in the deep world, silent beside a value further off, and fired by a full window."""
    problem = problem_of("max_over_time(a[2m]) > 5")
    fires = timelines.TestMaker(problem, worlds_of(problem, near=(5.0, 4.0))).fires

    def resolves_at_zero(values):
        return any(v == 6 for v in values) and values[-1] != 0

    assert shown(fires(), resolves_at_zero)[2:] == (
        ["5+0x3 6+0x2 0+0x5"], ["0", "3", "4 a-f", "6 a-f", "7", "12"])  # fmt: skip
    assert shown(fires(), lambda values: values[-1] in (5, 6))[2][0].startswith("4+0x3 6+0x2 4")
    assert shown(fires(), lambda values: values[-5:] == [6] * 5)[2:] == (
        ["5+0x3 6+0x6 5+0x5"], ["0", "7", "8 a-f", "10 a-f", "11", "16"])  # fmt: skip
    assert shown(fires(), lambda values: values[-1] in (0, 4, 5, 6)) is None
    assert shown(fires(), lambda _: False) is None


def test_an_alert_stays_silent_at_each_of_its_thresholds():
    """At the nearest value that keeps it so, and with a pending state before at the most."""
    problem = problem_of("a > 5", for_s=120.0)
    maker = timelines.TestMaker(problem, worlds_of(problem, near=(5.0, 4.0)))
    name = "Deep stays silent at the threshold"
    assert shown(maker.threshold(0), beyond(5)) == ("threshold", name, ["5+0x3"], ["0", "3"])
    assert shown(maker.threshold(0), beyond(4)) == ("threshold", name, ["4+0x3"], ["0", "3"])
    assert shown(maker.threshold(0), lambda values: len(values) < 3)[2:] == (
        ["5+0x3"], ["0 a-p", "1 a-p", "2", "3"])  # fmt: skip
    assert shown(maker.threshold(0), lambda values: len(values) == 3) is None
    two = timelines.TestMaker(problem, worlds_of(problem, conditions=2))
    names = [shown(two.threshold(number), beyond(5))[1] for number in (0, 1)]
    assert names == [f"{name} of condition 1", f"{name} of condition 2"]
    unfiring = timelines.TestMaker(problem_of("a > 5"), worlds_of(problem))
    assert shown(unfiring.threshold(0), lambda values: len(values) == 1) is None


@pytest.mark.parametrize(
    ("expr", "window", "for_s", "values", "states"),
    [
        ("a > 5", 1, 120.0, "5+0x1 6+0x1 0+0x3", ["0", "1", "2 a-p", "3 a-p", "4", "7"]),
        ("a > 5", 1, 60.0, "5+0x1 6 0+0x3", ["0", "1", "2 a-p", "3", "6"]),
        (
            "max_over_time(a[2m]) > 5",
            2,
            240.0,
            "5+0x3 6+0x2 0+0x5",
            ["0", "3", "4 a-p", "7 a-p", "8", "12"],
        ),
        # The window alone is longer than the wait: what it keeps ends in a gap.
        ("max_over_time(a[3m]) > 5", 3, 120.0, None, None),
    ],
)
def test_an_alert_is_pending_for_one_evaluation_too_few(expr, window, for_s, values, states):
    """However long a window keeps what it has seen; None where it keeps it for too long."""
    problem = problem_of(expr, for_s=for_s)
    maker = timelines.TestMaker(problem, worlds_of(problem))
    result = shown(maker.almost_long_enough(), beyond(5, window))
    if values is None:
        assert result is None
        return
    what = "Deep is pending, one evaluation too short to fire"
    assert result == ("for", what, [values], states)


def test_what_is_pending_too_short_has_ended_at_last():
    """Else it would not be known to be too short."""
    problem = problem_of("a > 5", for_s=60.0)
    maker = timelines.TestMaker(problem, worlds_of(problem))

    def again(values):
        return values[-1] == 6 or len(values) >= 7

    assert shown(maker.almost_long_enough(), again) is None


def test_most_of_a_window_is_a_gap_where_it_keeps_what_it_has_seen_for_longer_than_the_wait():
    """The sample before the gap and the one behind it: as long as the window holds both."""
    problem = problem_of("max_over_time(a[5m]) > 5", for_s=120.0)
    maker = timelines.TestMaker(problem, worlds_of(problem))

    def rises(values):
        present = [v for v in values[-6:] if v is not None]
        return any(earlier < later for earlier, later in pairwise(present))

    assert shown(maker.almost_long_enough(), rises)[2:] == (
        ["5+0x6 stale _x2 6 stale _x8"], ["0", "9", "10 a-p", "11 a-p", "12", "19"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("waits", "values", "states"),
    [
        ({}, "6+0x2 stale _x8", ["0 a-f", "2 a-f", "3", "11"]),
        ({"for_s": 120.0, "keep_s": 60.0}, "6+0x4 stale _x9",
         ["0 a-p", "1 a-p", "2 a-f", "5 a-f", "6", "14"]),
    ],
)  # fmt: skip
def test_the_series_end_while_the_alert_fires(waits, values, states):
    """Long enough for what is old to be forgotten."""
    problem = problem_of("a > 5", **waits)
    maker = timelines.TestMaker(problem, worlds_of(problem))
    name = "Deep when its series end"
    assert shown(maker.absent(), beyond(5)) == ("absent", name, [values], states)
    assert shown(maker.absent(), lambda _: False) is None


def test_series_that_end_while_an_alert_is_pending_are_shown_too():
    """It need not fire first."""
    problem = problem_of("a > 5", for_s=120.0)
    maker = timelines.TestMaker(problem, worlds_of(problem))
    assert shown(maker.absent(), lambda values: len(values) == 4)[3] == [
        "0",
        "2",
        "3 a-p",
        "4",
        "13",
    ]


def test_an_alert_that_fires_for_want_of_series_does_so_when_they_end():
    """It is then waited for as well."""
    problem = problem_of("absent(a)", for_s=120.0)
    maker = timelines.TestMaker(problem, worlds_of(problem, fire=None, near=(1.0,)))
    assert shown(maker.absent(), lambda values: values[-1] is None)[2:] == (
        ["1+0x1 stale _x10"], ["0", "1", "2 a-p", "3 a-p", "4 a-f", "12 a-f"],
    )  # fmt: skip


def test_an_answer_that_is_an_error_leaves_the_states_as_they_are():
    """As an evaluation that failed does; one with the same labels twice ends what there was."""
    problem = problem_of("a > 5")
    asking = timelines.TestMaker(problem, worlds_of(problem)).threshold(0)
    next(asking)
    held, twice = (
        promtool.TestAnswer((((("x", "1"),), 1.0),)),
        promtool.TestAnswer((((("x", "1"),), 1.0),) * 2),
    )
    fires = timelines.TestMaker(problem, worlds_of(problem)).absent()
    (question,) = next(fires)
    answers = [promtool.TestAnswer()] * len(question.asks)
    answers[1:4] = [held, promtool.TestAnswer(error="odd"), promtool.TestAnswer()]
    answers[6:8] = [held, twice]
    with pytest.raises(StopIteration) as end:
        fires.send([tuple(answers)])
    there = [(time_s / 60, len(alerts)) for time_s, alerts in end.value.value.expected]
    assert there == [(0, 0), (1, 1), (2, 1), (3, 0), (5, 0), (6, 1), (7, 0), (11, 0)]
