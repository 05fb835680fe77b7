"""What the engine is asked to draw conditions: enough points, each question once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import rules
from verifier.drawing import condition_rows, series_rows
from verifier.drawing.condition_rows import ConditionPart, ask_conditions, row_of
from verifier.drawing.series_rows import DrawnTime
from verifier.evidence.silence import WatchedRun
from verifier.evidence.stock import EvaluationSpan
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Series

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from verifier.servers.prometheus import RangeQuery

END_S = 3607.0
"""The last evaluation of every 15 s is 7 s before the end, the 241st of the scenario."""
WIDE = "sum(rate(a[30d])) > 1"
NARROW = "sum(rate(a[5m])) > 1"


class RecordingServer:
    """Answers nothing, and keeps what it was asked."""

    version = "3.5.3"

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.asked: list[RangeQuery] = []

    def query_ranges(self, queries: Sequence[RangeQuery]) -> list[list[Series]]:
        """Keep the queries."""
        self.asked += queries
        return [[] for _ in queries]


def asked(tmp_path: Path, *written: str, active: Sequence[str] = (), end_s: float = END_S):
    """Return what is asked of rules named A, B, ... with these expressions, `active` did much."""
    named = [{"alert": chr(ord("A") + i), "expr": expr} for i, expr in enumerate(written)]
    server = RecordingServer()
    run = WatchedRun(server, rules(tmp_path, *named), EPOCH_S, end_s, WHOLE)
    ask_conditions(run, active.__contains__)
    return server.asked


def points(query: RangeQuery) -> int:
    """Return how many points a query asks for."""
    return int((query.end_s - query.start_s) / query.step_s + 1e-9) + 1


def last_s(query: RangeQuery) -> float:
    """Return the last of them, in seconds of the scenario."""
    return query.start_s + (points(query) - 1) * query.step_s - EPOCH_S


@pytest.mark.parametrize(
    ("operator", "fires", "kept"),
    [
        (">", "above", "high"),
        (">=", "above", "high"),
        ("<", "below", "low"),
        ("<=", "below", "low"),
        ("==", None, "high"),
        ("!=", None, "high"),
    ],
)
def test_the_side_on_which_it_fires_follows_from_the_comparison(
    monkeypatch, operator, fires, kept
) -> None:
    """And of many series the nearest to it are drawn."""
    monkeypatch.setattr(series_rows, "LINES_MAX", 1)
    times_s = np.array([EPOCH_S, EPOCH_S + 15.0])
    answer = [
        Series({"x": name}, times_s, np.full(2, value))
        for name, value in (("low", 1.0), ("high", 9.0))
    ]
    span = EvaluationSpan(EPOCH_S, EPOCH_S, EPOCH_S + 15.0, 15.0)
    part = ConditionPart("A", 0, "x", f"x {operator} 5", operator, 5.0, span)
    row = row_of(part, answer, DrawnTime(EPOCH_S, 15.0))
    assert [line.fires for line in row.thresholds] == [fires]
    assert [series.labels for series in row.series] == [(("x", kept),)]


@pytest.mark.parametrize("factor", [1.0, 4.0])
@pytest.mark.parametrize(
    ("evaluations", "whole"), [([0, 1, 2, 3], [0, 1, 2, 3, 4]), ([0, 1, 4, 5], [0, 1, 2, 3, 4, 5])]
)
def test_a_curve_is_broken_where_evaluations_are_missing_and_nowhere_else(
    factor, evaluations, whole
) -> None:
    """Also where the seconds of the scenario pass faster than those of the server."""
    unix_s = EPOCH_S + 15.0 * np.array(evaluations)
    answer = [Series({}, unix_s, 10.0 + np.array(evaluations))]
    span = EvaluationSpan(EPOCH_S, EPOCH_S, EPOCH_S + 75.0, 15.0)
    part = ConditionPart("A", 0, "x", "x > 5", ">", 5.0, span)
    row = row_of(part, answer, DrawnTime(EPOCH_S, 75.0 * factor, factor))
    assert row.times_s.tolist() == [15.0 * factor * number for number in whole]
    drawn = dict(zip(whole, row.series[0].values, strict=True))
    assert {number: value for number, value in drawn.items() if not np.isnan(value)} == {
        number: 10.0 + number for number in evaluations
    }


def enough(tmp_path: Path) -> list[str]:
    """Return complaints about how many points are asked for; none if all is well."""
    (wide,), (narrow,) = asked(tmp_path, WIDE), asked(tmp_path, NARROW)
    (active,) = asked(tmp_path, WIDE, active="A")
    (day,) = asked(tmp_path, NARROW, end_s=86400.0)
    bounds = {
        "wide": (points(wide), 24, 30),
        "narrow": (points(narrow), 241, 241),
        "active": (points(active), 241, 241),
        "day": (points(day), 200, 251),
    }
    off = [name for name, (n, least, most) in bounds.items() if not least <= n <= most]
    return off + [f"last {last_s(q)}" for q in (wide, narrow, active) if last_s(q) != 3600.0]


def test_only_silent_rules_of_wide_windows_and_long_scenarios_are_asked_for_fewer_points(tmp_path):
    """The last evaluation is always among them."""
    assert enough(tmp_path) == []


@pytest.mark.parametrize(
    ("constant", "value", "complaint"),
    [
        ("WIDE_POINTS", 4, "wide"),
        ("WIDE_POINTS", 10**6, "wide"),
        ("WINDOW_POINTS", 10**6, "wide"),
        ("SILENT_POINTS", 10**6, "day"),
        ("SILENT_POINTS", 20, "narrow"),
    ],
)
def test_too_few_and_too_many_points_are_noticed(tmp_path, monkeypatch, constant, value, complaint):
    """Each constant, planted too small or too large."""
    monkeypatch.setattr(condition_rows, constant, value)
    assert complaint in enough(tmp_path)


def test_a_narrow_window_that_is_taken_for_a_wide_one_is_noticed(tmp_path, monkeypatch):
    """Every window planted as one of 30 days."""
    as_wide = condition_rows.all_reads("rate(a[30d])")
    monkeypatch.setattr(condition_rows, "all_reads", lambda _: as_wide)
    assert "narrow" in enough(tmp_path)


@pytest.mark.parametrize(
    "expr",
    [
        "sum(rate(a[30d])) / sum(rate(a[5m])) > 1",
        "sum(rate(a[30d])) / sum(b) > 1",
        "max_over_time(a[30d]) > 1",
        "last_over_time(a[30d]) > 1",
        "sum(irate(a[30d])) > 1",
    ],
)
def test_what_moves_at_once_is_asked_at_every_evaluation(tmp_path, expr):
    """A window that is wide says nothing where a narrow one, or one sample, decides."""
    assert [points(query) for query in asked(tmp_path, expr)] == [241]


def test_what_parts_have_in_common_is_asked_once(tmp_path):
    """Of two rules and of two parts of one; the same on other points is another question."""
    assert len(asked(tmp_path, NARROW, "sum(rate(a[5m])) > 5", f"{NARROW} and a > 5")) == 2
    assert len(asked(tmp_path, WIDE, WIDE, active="A")) == 2


def test_every_row_has_an_id_of_its_own(tmp_path):
    """Rules of one name are numbered on; those of another name begin anew."""
    named = [{"alert": name, "expr": f"a > {i}"} for i, name in enumerate("ABA")]
    run = WatchedRun(RecordingServer(), rules(tmp_path, *named), EPOCH_S, END_S, WHOLE)
    rows = condition_rows.condition_rows(run, DrawnTime(EPOCH_S, END_S), lambda _: True)
    assert [row.id for row in rows] == ["alert:A:0", "alert:B:0", "alert:A:1"]
    assert [row.thresholds[0].value for row in rows] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(("most", "drawn"), [(0, 0), (1, 2), (2, 2), (3, 3), (9, 4)])
def test_of_very_many_rules_the_first_are_drawn(tmp_path, monkeypatch, most, drawn):
    """Each with all its parts: as many rules as it takes to have so many rows."""
    monkeypatch.setattr(condition_rows, "ROWS_MAX", most)
    queries = asked(tmp_path, "a > 1 and b > 1", "c > 1", "d > 1", active="ABC")
    assert [query.expr for query in queries] == ["a", "b", "c", "d"][:drawn]


@pytest.mark.parametrize(
    ("expr", "drawn"),
    [
        ("1 < a", [("a", "1 < a", "> 1")]),
        ("a > on() b or c", [("(a) - on () (b)", "a > on () b", "> 0"), ("c", "c", "has a value")]),
        (
            "a != 3 or absent(b) or (c < 3 and d == 5)",
            [
                ("a", "a != 3", "!= 3"),
                ("absent(b)", "absent(b)", "has a value"),
                ("c", "c < 3", "< 3"),
                ("d", "d == 5", "== 5"),
            ],
        ),
        ("a == bool 1", [("a == bool 1", "a == bool 1", "has a value")]),
        ("a > 6 * pi() and c > 2", [("c", "c > 2", "> 2")]),
        (
            "a > 1 and b > 1 and c > 1 and d > 1 and e > 1",
            [(name, f"{name} > 1", "> 1") for name in "abcd"],
        ),
    ],
)
def test_each_comparison_of_a_condition_has_a_row_and_so_has_what_compares_nothing(
    tmp_path, expr, drawn
):
    """Four at the most; one whose threshold is no number has none."""
    server = RecordingServer()
    run = WatchedRun(server, rules(tmp_path, {"alert": "A", "expr": expr}), EPOCH_S, END_S, WHOLE)
    rows = condition_rows.condition_rows(run, DrawnTime(EPOCH_S, END_S), lambda _: True)
    shown = [(row.title, row.thresholds[0].label) for row in rows]
    assert [(query.expr, *each) for query, each in zip(server.asked, shown, strict=True)] == drawn
    assert [row.id for row in rows] == [f"alert:A:{n}" for n in range(len(drawn))]


def test_what_compares_nothing_is_drawn_where_it_has_a_value():
    """1 there and 0 elsewhere, at every evaluation, of all series together."""
    span = EvaluationSpan(EPOCH_S, EPOCH_S, EPOCH_S + 75.0, 15.0)
    answer = [
        Series({}, np.array([EPOCH_S, EPOCH_S + 30.0]), np.array([1.0, np.nan])),
        Series({"a": "b"}, np.array([EPOCH_S + 60.1]), np.array([0.0])),
        Series({"a": "c"}, np.array([EPOCH_S + 75.0]), np.array([-2.0])),
    ]
    part = ConditionPart("A", 2, "absent(x)", "absent(x[1m])", "", 0.5, span)
    row = row_of(part, answer, DrawnTime(EPOCH_S, 75.0))
    assert row.times_s.tolist() == [0.0, 15.0, 30.0, 45.0, 60.0, 75.0]
    assert [(each.name, each.values.tolist()) for each in row.series] == [
        ("has a value", [1.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    ]
    assert (row.id, row.kind, row.limits) == ("alert:A:2", "step", (0.0, 1.0))
    assert row.text == "A: whether absent(x[1m]) has a value"


@pytest.mark.parametrize(
    ("expr", "end_s", "seen"),
    [
        (WIDE, 3607.0, (0.0, 150.0, 25)),
        (WIDE, 3667.0, (60.0, 150.0, 25)),
        (NARROW, 3750.0, (0.0, 15.0, 251)),
        (NARROW, 3765.0, (15.0, 30.0, 126)),
    ],
)
def test_a_silent_rule_is_asked_backwards_from_its_last_evaluation(tmp_path, expr, end_s, seen):
    """At every n-th, so few that they stay within the bound: first, step and how many."""
    (query,) = asked(tmp_path, expr, end_s=end_s)
    assert (query.start_s - EPOCH_S, query.step_s, points(query)) == seen
