"""The margin of an alert that did as expected: the numbers of a failure, without a question."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from tests.verifier.simulations import scenario_of
from verifier.drawing.condition_rows import ask_conditions
from verifier.evidence.measurement import AlertView, DecisiveInstant, measure
from verifier.evidence.silence import WatchedRun
from verifier.judge.alert_verdicts import judge
from verifier.judge.failures import explanation
from verifier.judge.failures import margin as margin_module
from verifier.judge.failures.explanation import FailureExplainer
from verifier.judge.failures.margin import margin
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Prometheus, Series

INSTANTS = (DecisiveInstant("when it fired", 205.0), DecisiveInstant("before", -60.0))


@pytest.fixture(scope="module")
def server():
    """Start a Prometheus that holds ten minutes of a queue's depth, and three hours of another."""
    with Prometheus() as started:
        started.push(history({labels("depth", queue="a"): row("3*10 7*4 9 3*26")}))
        started.push(history({labels("depth", queue="b"): row("1*20 8*2 1*19")}))
        started.push(history({labels("gap"): row(". 4 .*38 .")}))
        started.push(history({labels("long"): row("2*400 5 2*399")}))
        yield started


def margin_of(server, tmp_path, expr, *, end_s=600.0, speaks=True, view=None, factor=1.0):
    """Return the margin and the numbers of one alert, once its condition was drawn."""
    files = rules(tmp_path, {"alert": "A", "expr": expr, "for": "1m"})
    run = WatchedRun(server, files, EPOCH_S, end_s, WHOLE, factor=factor)
    measured = measure(run, *files.alerts[0], view).comparisons
    ask_conditions(run, lambda _: speaks)
    run.stock.server = None  # whatever asks now fails
    return margin(run, *files.alerts[0], view or AlertView()), measured


@pytest.mark.parametrize(
    ("expr", "view"),
    [
        ("depth > 5", None),
        ("(depth - 3) / (depth - 3) > 1", AlertView((("queue", "a"),))),
        ("depth > 5", AlertView((("queue", "b"),))),
        ("depth < 5", AlertView((("queue", "a"),))),
        ("20 < depth", None),
        ("depth < 0", None),
        ("depth > 5 and on(queue) depth > 8", None),
        ("sum(depth) > on() group_left() sum(depth) * 2", None),
        ("gap > 1", None),
    ],
)
def test_the_margin_has_the_numbers_that_a_failure_would_have(server, tmp_path, expr, view):
    """Nearest value, when, of which series, for how long it held, and the last."""
    factor = 1.0 if view is None else 30.0
    known, measured = margin_of(server, tmp_path, expr, view=view, factor=factor)
    assert known
    for each, other in zip(known, measured, strict=True):
        assert (each.condition, each.operator) == (other.condition, other.operator)
        assert (each.threshold, each.labels) == (other.threshold, other.labels)
        assert (each.nearest, each.at_s) == pytest.approx((other.nearest, other.at_s))
        assert (each.held_s, each.last) == (other.held_s, other.last)


def test_a_margin_reads_the_decisive_instants_of_the_scenario(server, tmp_path):
    """What came before its start was not drawn."""
    view = AlertView((("queue", "a"),), INSTANTS)
    ((numbers,), _) = margin_of(server, tmp_path, "depth > 5", view=view)
    assert [(each.moment, each.value) for each in numbers.readings] == [("when it fired", 7.0)]
    at_it = AlertView((("queue", "a"),), (DecisiveInstant("x", 0.0), DecisiveInstant("y", 210.0)))
    ((numbers,), _) = margin_of(server, tmp_path, "depth > 5", view=at_it)
    assert [each.value for each in numbers.readings] == [3.0, 9.0]
    # Compressed thirty times, the evaluations lie further apart in the scenario.
    instants = tuple(DecisiveInstant("then", at_s) for at_s in (6300.0, 6540.0, 18600.0, 18700.0))
    late = AlertView((("queue", "a"),), instants)
    ((numbers,), _) = margin_of(server, tmp_path, "depth > 5", view=late, factor=30.0)
    assert [each.value for each in numbers.readings] == [9.0, 9.0, 3.0, None]


def test_a_long_silence_has_the_margin_of_what_was_drawn(server, tmp_path):
    """At every n-th evaluation: the peak between two of them is not seen, nor claimed."""
    ((thin,), (whole,)) = margin_of(server, tmp_path, "long > 9", end_s=12_000.0, speaks=False)
    assert whole.nearest == 5.0
    assert thin.nearest in (2.0, 5.0)
    assert thin.last == 2.0
    assert math.isclose(thin.threshold, 9.0)


def test_nothing_is_said_of_what_was_not_drawn(server, tmp_path):
    """Of a condition without a comparison, of one that nobody asked, of one that is never there."""
    assert margin_of(server, tmp_path, "absent(depth)")[0] == ()
    assert margin_of(server, tmp_path, "nowhere > 1")[0] == ()
    files = rules(tmp_path, {"alert": "A", "expr": "depth > 5"})
    run = WatchedRun(server, files, EPOCH_S, 600.0, WHOLE)
    assert margin(run, *files.alerts[0], AlertView()) == ()


def test_what_is_told_of_very_many_alerts_is_bounded(server, tmp_path, monkeypatch):
    """The first have a margin: each costs a look at all series of its condition."""
    files = rules(tmp_path, *({"alert": f"A{n}", "expr": "depth > 50"} for n in range(3)))
    run = WatchedRun(server, files, EPOCH_S, 600.0, WHOLE)
    ask_conditions(run, lambda _: True)
    monkeypatch.setattr(explanation, "MARGINS_MAX", 2)
    scenario = scenario_of("duration: 10m\n")
    explainer = FailureExplainer(run, scenario, {}, ("x", 600.0))
    verdicts = explainer.explain(judge(scenario, ["A0", "A1", "A2"], []))
    assert [len(each.margin) for each in verdicts] == [1, 1, 0]
    monkeypatch.setattr(margin_module, "SERIES_MAX", 2)
    assert [len(each.margin) for each in explainer.explain(verdicts[2:])] == [1]
    monkeypatch.setattr(margin_module, "SERIES_MAX", 1)
    assert [each.margin for each in explainer.explain(verdicts[2:])] == [()]


@pytest.mark.parametrize(
    ("until_s", "factor", "last"),
    [(600.0, 1.0, 4.0), (585.0, 1.0, 4.0), (584.0, 1.0, None), (585.0, 30.0, 4.0)],
)
def test_the_last_value_is_that_of_the_last_evaluation_but_one_at_the_earliest(
    tmp_path, until_s, factor, last
):
    """A series that ended before has none."""
    times_s = EPOCH_S + until_s - 15.0 * np.arange(20)[::-1]
    values = np.array([1.0, 7.0, *[4.0] * 18])
    run = SimpleNamespace(
        span=lambda *_: SimpleNamespace(scenario=None),
        stock=SimpleNamespace(known=lambda *_: (15.0, [Series({"queue": "a"}, times_s, values)])),
        epoch_s=EPOCH_S, end_s=600.0, factor=factor,
    )  # fmt: skip
    files = rules(tmp_path, {"alert": "A", "expr": "depth > 5"})
    (numbers,) = margin(run, *files.alerts[0], AlertView())
    assert (numbers.nearest, numbers.last, numbers.held_s) == (7.0, last, 0.0)
    assert numbers.at_s == (until_s - 18 * 15.0) * factor
