"""What is asked for panels, and with which values, of a server that only notes it."""

from __future__ import annotations

import numpy as np
import pytest

from documents.mistakes import InputError, Place
from verifier.evidence.stock import EvaluationSpan
from verifier.pack.panels import Board, Option, Panel, Query, Variable
from verifier.panels.answers import EMPTY, REPEATS_MAX, PanelWindow, answer_panels
from verifier.panels.units import panel_unit
from verifier.servers.prometheus import RangeQuery, Series

PLACE = Place("board.json")
WINDOW = PanelWindow(1000.0, 1600.0, 15.0)
SHOWN = Series({}, np.array([1600.0]), np.array([1.0]))


class NotingServer:
    """Shows what is stored of a metric, and notes every question."""

    def __init__(self, *stored, at_the_end=True):
        """Store something, which shows at the end or only before it."""
        self.stored, self.at_the_end, self.asked = stored, at_the_end, []

    def query_ranges(self, queries):
        """Answer queries of metrics that are stored."""
        self.asked.append(list(queries))
        return [
            [SHOWN] if q.expr in self.stored and (self.at_the_end or q.start_s < q.end_s) else []
            for q in queries
        ]

    def metric_names(self):
        """Return what is stored."""
        self.asked.append("names")
        return [*self.stored]

    def label_sets(self, selector, start_s, end_s):
        """Return a series for each of many values."""
        self.asked.append((selector, start_s, end_s))
        return [{"v": f"{number:02}"} for number in range(REPEATS_MAX + 5)]


def panel(*queries, variables=(), repeats=()):
    """Return a panel that asks something."""
    board = Board("B", tuple(variables), 300.0)
    return Panel("B", "P", "stat", queries, PLACE, {"title": "P"}, board, repeats=repeats)


def asks(expr, **fields):
    """Return a query as it stands in the file."""
    return Query(expr, "", PLACE, template=expr, **fields)


def test_variables_know_the_end_of_the_window_and_ask_for_all_of_it():
    """Each board's once, whatever the number of its panels."""
    variable = Variable("v", "query", "label_values(up, v)", asks=True)
    own = panel(asks("$__to $__from $v"), variables=[variable])
    server = NotingServer()
    first, second = answer_panels(server, [own, own], WINDOW)
    assert first.query.expr == second.query.expr == "1600000 1300000 00"
    assert server.asked[0] == ("up", 1000.0, 1600.0)
    assert server.asked[2:] == [[]]
    assert (first.ok, first.is_empty, first.reason, first.step_s) == (False, True, EMPTY, 15.0)


def test_a_panel_is_repeated_so_often_at_most_and_says_for_what():
    """Nothing is said of a variable that has one choice."""
    many = Variable("v", "query", "label_values(up, v)", include_all=True, asks=True)
    single = Variable("w", "custom", options=(Option("x", "x"),))
    own = panel(asks("$v"), variables=[many, single], repeats=("v", "w", "gone"))
    answers = answer_panels(NotingServer(), [own], WINDOW)
    numbers = [f"{number:02}" for number in range(REPEATS_MAX)]
    assert [each.query.expr for each in answers] == numbers
    assert [each.panel.title for each in answers] == [f"P (v: {number})" for number in numbers]
    (alone,) = answer_panels(
        NotingServer(), [panel(asks("$w"), variables=[single], repeats=("w",))], WINDOW
    )
    assert (alone.panel.title, alone.query.expr) == ("P", "x")


def test_a_query_that_cannot_be_sent_says_why():
    """The others are answered."""

    def adapt(query):
        if query.expr == "bad":
            raise InputError("not on this clock")
        return asks("up")

    good, bad = answer_panels(
        NotingServer("up"), [panel(asks("x"), asks("bad"))], WINDOW, adapt=adapt
    )
    assert (good.ok, good.query.expr) == (True, "up")
    assert (bad.ok, bad.reason, bad.query.expr) == (False, "not on this clock", "bad")


def test_an_instant_query_is_asked_again_over_the_whole_where_it_may_show_something():
    """Not where a metric that it needs is not there."""
    server = NotingServer("up", at_the_end=False)
    queries = [asks(expr, instant=True) for expr in ("up", "gone", "(")]
    answers = answer_panels(server, [panel(*queries)], WINDOW)
    first, names, again = server.asked
    assert first == [RangeQuery(query.expr, 1600.0, 1600.0, 15.0) for query in queries]
    assert names == "names"
    assert again == [RangeQuery(expr, 1000.0, 1600.0, 15.0) for expr in ("up", "(")]
    assert [(each.ok, each.step_s) for each in answers] == [
        (True, 15.0), (False, 0.0), (False, 15.0),
    ]  # fmt: skip
    shown = NotingServer("up")
    answer_panels(shown, [panel(asks("up", instant=True))], WINDOW)
    assert shown.asked[1:] == [[]]


def test_all_that_a_dashboard_names_itself_is_no_lack_of_choices():
    """Nor is it a variable that has some."""
    own = Variable("v", "custom", include_all=True, all_value=".*", chosen=("$__all",))
    none = Variable("n", "custom", query="what it asks")
    used, unused = answer_panels(
        NotingServer(), [panel(asks('a{b=~"$v",c="$n"}'), asks("a"), variables=[own, none])], WINDOW
    )
    assert used.hints == ("variable $n has no choices, as what it asks returns nothing",)
    assert unused.hints == ()


@pytest.mark.parametrize(
    ("window", "step_s", "span"),
    [
        (PanelWindow(0.0, 100.0, 15.0), 30.0, (10.0, 10.0, 100.0, 30.0)),
        (PanelWindow(0.0, 100.0, 15.0, 10.0), 300.0, (10.0, 10.0, 100.0, 30.0)),
        (PanelWindow(0.0, 100.0, 0.1, 10.0), 1.0, (0.0, 0.0, 100.0, 0.2)),
        (PanelWindow(0.0, 100.0, 15.0), 600.0, (0.0, 0.0, 100.0, 100.0)),
        (PanelWindow(7.0, 7.0, 15.0), 15.0, (7.0, 7.0, 7.0, 1.0)),
    ],
)
def test_the_points_of_a_panel_end_with_the_window(window, step_s, span):
    """In its own step on the clock of the run; a window without a length has one point."""
    query = asks("up", step_s=step_s)
    assert window.span(query) == EvaluationSpan(*map(pytest.approx, span))
    assert window.instant(query) == RangeQuery("up", window.end_s, window.end_s, window.scrape_s)


@pytest.mark.parametrize(
    ("raw", "unit"),
    [
        ({"fieldConfig": {"defaults": {"unit": "s"}}}, "s"),
        ({"fieldConfig": {"defaults": {"unit": None}}}, ""),
        ({"fieldConfig": {"defaults": {}}}, ""),
        ({"fieldConfig": {"defaults": []}}, ""),
        ({"fieldConfig": None}, ""),
        ({}, ""),
    ],
)
def test_a_panel_without_a_unit_has_an_empty_name_of_it(raw, unit):
    """Whatever stands in its place."""
    assert panel_unit(Panel("B", "P", "stat", (), PLACE, raw)) == unit
