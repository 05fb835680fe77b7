"""Panels as rows: those that failed, are accepted, empty by right, or asked by nobody, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from documents.mistakes import Place
from exporter.history.samples import EPOCH_S
from scenarios.scenario import Acceptance
from verifier.drawing import panel_rows as drawing
from verifier.drawing.panel_rows import ENTRIES_MAX, PanelAnswers, panel_rows
from verifier.drawing.panel_status import QUERY_MAX
from verifier.drawing.series_rows import LINES_MAX, DrawnTime
from verifier.drawing.value_mappings import mapped_text
from verifier.pack.panels import LeftOutPanel, Panel, Query
from verifier.panels.answers import EMPTY, PanelAnswer
from verifier.panels.emptiness import HEALTHY
from verifier.servers.prometheus import Series

TIME = DrawnTime(EPOCH_S, 60.0)
VALUES = Series({"tier": "L1"}, np.array([EPOCH_S, EPOCH_S + 60]), np.array([1.0, 2.0]))


def answer(line: int, *, reason: str = "", expr: str = "up", **options) -> PanelAnswer:
    """Return the answer to a query of panel `P<line>`; its `reason` makes it fail."""
    place = Place("board.json", line, 1)
    query = Query(expr, "", place, instant=options.get("instant", False))
    panel = Panel("Board", f"P{line}", options.get("kind", "timeseries"), (query,), place, {})
    series = () if reason else options.get("series", (VALUES,))
    return PanelAnswer(panel, query, ok=not reason, reason=reason, series=series)


def left_out(line: int, reason: str = "it asks Loki") -> LeftOutPanel:
    """Return panel `P<line>`, which nobody asks."""
    return LeftOutPanel("Board", f"P{line}", reason, Place("board.json", line, 1), ("{app='x'}",))


SHOWN = PanelAnswers(
    answers=(
        answer(1),
        answer(2, reason=EMPTY, expr="gone"),
        answer(3, reason="query fails: parse error"),
        replace(answer(5, reason=HEALTHY), ok=True, is_empty=True),
        answer(6),
        answer(6, reason=EMPTY),
    ),
    left_out=(left_out(4), left_out(1, "it asks Tempo")),
    accepted=(Acceptance("Board / P3", "known"),),
)
EXPECTED = [
    ("P1", None, ("a query is not judged: it asks Tempo",), ("up",)),
    ("P2", "failed", (EMPTY,), ("gone",)),
    ("P3", "accepted", ("query fails: parse error; accepted: known",), ("up",)),
    ("P4", "not-judged", ("it asks Loki",), ("{app='x'}",)),
    ("P5", "empty", (HEALTHY,), ("up",)),
    ("P6", "failed", (EMPTY,), ("up",)),
]


def drawn(shown: PanelAnswers) -> list[tuple[object, ...]]:
    """Return what is said of each panel, in order."""
    rows = panel_rows(shown, TIME)
    assert [row.id for row in rows] == [f"panel:{number}" for number in range(len(rows))]
    return [(row.title, row.status, row.notes, row.queries) for row in rows]


def test_each_panel_says_what_was_judged_of_it_and_what_it_asks():
    """In the order of the file; a panel of which one query is left out is drawn once."""
    assert drawn(SHOWN) == EXPECTED


@pytest.mark.parametrize(
    ("planted", "titles"),
    [
        (replace(SHOWN, left_out=()), ["P1", "P4"]),
        (replace(SHOWN, accepted=()), ["P3"]),
        (replace(SHOWN, answers=SHOWN.answers[:5]), ["P6"]),
        (replace(SHOWN, answers=(*SHOWN.answers[:3], answer(5), *SHOWN.answers[4:])), ["P5"]),
    ],
)
def test_a_planted_answer_changes_what_is_said_of_its_panel_alone(planted, titles):
    """What is left out of the answers, the acceptances or the panels that nobody asked is seen."""
    said = drawn(planted)
    assert [each[0] for each in EXPECTED if each not in said] == titles


FULL, BARE = answer(1), replace(answer(1, reason=HEALTHY), ok=True, is_empty=True)
FAILED = answer(1, reason=EMPTY)
KNOWN = (Acceptance("Board / P1", "known"),)


@pytest.mark.parametrize(
    ("answers", "accepted", "status"),
    [
        ([FULL], (), None),
        ([FULL, FULL], KNOWN, None),
        ([BARE], (), "empty"),
        ([BARE, BARE], (), "empty"),
        ([FULL, BARE], (), None),
        ([BARE, FULL], (), None),
        ([FULL, FAILED], (), "failed"),
        ([FAILED, BARE], (), "failed"),
        ([FULL, FAILED], KNOWN, "accepted"),
        ([FAILED, BARE], KNOWN, "accepted"),
    ],
)
def test_a_panel_of_several_queries_has_one_status(answers, accepted, status):
    """It failed where one of them did, and is empty only where all of them are."""
    (row,) = panel_rows(PanelAnswers(tuple(answers), accepted=accepted), TIME)
    assert row.status == status


@pytest.mark.parametrize(
    ("kind", "instant", "drawn_as"),
    [
        ("timeseries", False, "line"),
        ("timeseries", True, "table"),
        ("table", True, "table"),
        ("table-old", False, "table"),
        ("bargauge", False, "bars"),
        ("bargauge", True, "bars"),
        ("barchart", True, "bars"),
        ("gauge", True, "gauge"),
        ("stat", True, "stat"),
        ("heatmap", False, "heatmap"),
    ],
)
def test_a_panel_is_drawn_as_what_it_is(kind, instant, drawn_as):
    """Values of one instant make no curve."""
    (row,) = panel_rows(PanelAnswers((answer(1, kind=kind, instant=instant),)), TIME)
    assert row.kind == drawn_as


@pytest.mark.parametrize(
    ("kind", "most"), [("timeseries", LINES_MAX), ("bargauge", ENTRIES_MAX), ("table", ENTRIES_MAX)]
)
def test_what_is_not_drawn_of_many_series_is_said(kind, most):
    """As many as can be told apart; no word where all are drawn."""
    series = tuple(replace(VALUES, labels={"n": str(n)}) for n in range(ENTRIES_MAX + 3))
    (row,) = panel_rows(PanelAnswers((answer(1, kind=kind, series=series),)), TIME)
    assert len(row.series) == most
    assert row.notes == (f"{ENTRIES_MAX + 3 - most} more series are not drawn",)
    (row,) = panel_rows(PanelAnswers((answer(1, kind=kind, series=series[:most]),)), TIME)
    assert (len(row.series), row.notes) == (most, ())


def test_values_levels_and_limits_of_a_panel_are_in_one_unit():
    """In seconds, where the dashboard counts milliseconds."""
    asked = answer(1, kind="gauge")
    steps = {"steps": [{"value": None, "color": "green"}, {"value": 200, "color": "red"}]}
    defaults = {"unit": "ms", "min": 100, "max": 500, "thresholds": steps}
    panel = replace(asked.panel, raw={"fieldConfig": {"defaults": defaults}})
    (row,) = panel_rows(PanelAnswers((replace(asked, panel=panel),)), TIME)
    assert row.unit == "s"
    assert row.limits == (0.1, 0.5)
    assert [line.value for line in row.thresholds] == [-np.inf, 0.2]
    assert row.series[0].values.tolist() == [0.001, 0.002]


def test_of_a_long_query_the_beginning_is_shown_and_of_many_panels_the_first(monkeypatch):
    """A file of somebody makes no endless report."""
    monkeypatch.setattr(drawing, "PANELS_MAX", 2)
    rows = panel_rows(PanelAnswers(tuple(answer(n, expr="a" * 9999) for n in range(5))), TIME)
    assert [row.queries for row in rows] == [("a" * QUERY_MAX + " …",)] * 2


@pytest.mark.parametrize(
    ("grafana", "unit", "value"),
    [("reqps", "req/s", 2.0), ("ms", "s", 0.002), ("kbytes", "bytes", 2048.0), ("USD", "USD", 2.0)],
)
def test_a_unit_is_written_as_grafana_does_and_values_go_with_it(grafana, unit, value):
    """One that is not known stays as it is written."""
    asked = answer(1)
    raw = {"fieldConfig": {"defaults": {"unit": grafana}}}
    (row,) = panel_rows(PanelAnswers((replace(asked, panel=replace(asked.panel, raw=raw)),)), TIME)
    assert (row.unit, row.series[0].values[-1]) == (unit, pytest.approx(value))


@pytest.mark.parametrize(
    ("limits", "level"), [({"min": 0, "max": 10}, 5.0), ({}, 1.5), ({"max": 10}, 5.5)]
)
def test_thresholds_in_percent_are_of_the_range(limits, level):
    """Between the limits of the panel, or else its values; absolute ones stay as they are."""
    steps = [{"color": "red", "value": None}, {"color": "green", "value": 50}]
    for mode, expected in (("percentage", level), ("absolute", 50.0)):
        defaults = {**limits, "thresholds": {"mode": mode, "steps": steps}}
        shown = answer(1, kind="bargauge")
        panel = replace(shown.panel, raw={"fieldConfig": {"defaults": defaults}})
        row = panel_rows(PanelAnswers(answers=(replace(shown, panel=panel),)), TIME)[0]
        assert [line.value for line in row.thresholds] == [-np.inf, expected]


def test_what_is_not_applied_of_a_panel_is_said():
    """And of one that has nothing of it, nothing."""
    shown = answer(1)
    raw = {
        "transformations": [{"id": "organize"}],
        "fieldConfig": {"defaults": {"mappings": [{"type": "value"}]}, "overrides": [1]},
    }
    panel = replace(shown.panel, raw=raw)
    rows = [
        panel_rows(PanelAnswers(answers=(each,)), TIME)[0]
        for each in (replace(shown, panel=panel), shown)
    ]
    notes = [row.notes for row in rows]
    assert notes == [("not applied here: transformations, value mappings, overrides",), ()]


@pytest.mark.parametrize(("reason", "is_empty"), [(EMPTY, False), (HEALTHY, True)])
def test_what_would_have_made_others_of_its_series_is_said_of_a_panel_without_any(reason, is_empty):
    """After the reason: renamed or hidden fields may be why somebody sees something in Grafana."""
    asked = replace(answer(1, reason=reason), ok=is_empty, is_empty=is_empty)
    defaults = {"mappings": [{"type": "regex"}]}
    raw = {"transformations": [{"id": "organize"}], "fieldConfig": {"defaults": defaults}}
    panel = replace(asked.panel, raw=raw)
    (row,) = panel_rows(PanelAnswers((replace(asked, panel=panel),)), TIME)
    assert row.notes == (reason, "not applied here: transformations")


STATES = [
    {
        "type": "value",
        "options": {"0": {"text": "down"}, "x": {"text": "x"}, "5": {"color": "red"}},
    },
    {"type": "range", "options": {"from": 0, "to": 10, "result": {"text": "low"}}},
    {"type": "range", "options": {"from": 100, "to": None, "result": {"text": "much"}}},
    {"type": "special", "options": {"match": "null+nan", "result": {"text": "none"}}},
]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([7.0, 0.0], "down"),
        ([0.0], "down"),
        ([10.0], "low"),
        ([10.5], ""),
        ([5.0], ""),  # the first that fits has a colour alone
        ([100.0], "much"),
        ([np.inf], "much"),
        ([0.0, np.nan], "none"),
    ],
)
def test_a_value_mapping_is_what_is_shown_in_place_of_the_newest_value(values, text):
    """Of the value as it was answered, whatever its unit; the first that fits."""
    times_s = EPOCH_S + np.arange(len(values))
    asked = answer(1, kind="stat", series=(Series({}, times_s, np.array(values)),))
    raw = {"fieldConfig": {"defaults": {"unit": "ms", "mappings": STATES}}}
    (row,) = panel_rows(PanelAnswers((replace(asked, panel=replace(asked.panel, raw=raw)),)), TIME)
    assert (row.series[0].shown, row.notes) == (text, ())


def test_a_value_mapping_of_a_curve_or_by_a_pattern_is_said_not_to_be_applied():
    """A curve has no one value; a mapping that is no object maps nothing."""
    for kind, mappings in (
        ("timeseries", STATES),
        ("stat", [{"type": "regex", "options": {"pattern": ".*", "result": {"text": "x"}}}]),
        ("stat", [{"type": 1, "value": "1", "text": "x"}]),
    ):
        asked = answer(1, kind=kind)
        panel = replace(asked.panel, raw={"fieldConfig": {"defaults": {"mappings": mappings}}})
        (row,) = panel_rows(PanelAnswers((replace(asked, panel=panel),)), TIME)
        assert (row.series[0].shown, row.notes) == ("", ("not applied here: value mappings",))
    assert mapped_text([None, {"type": "value", "options": {"1": None}}], 1.0) == ""
    assert mapped_text("x", 1.0) == mapped_text(STATES[:3], None) == ""
    assert mapped_text(STATES, None) == "none"


@pytest.mark.parametrize(
    ("span_nulls", "drawn_s"),
    [
        (None, [0.0, 15.0, 30.0, 105.0, 120.0]),
        (False, [0.0, 15.0, 30.0, 105.0, 120.0]),
        (True, [0.0, 15.0, 120.0]),
        (200_000, [0.0, 15.0, 120.0]),
        (60_000, [0.0, 15.0, 55.0, 80.0, 120.0]),
    ],
)
def test_a_line_crosses_a_gap_only_where_its_panel_says_so(span_nulls, drawn_s):
    """As `spanNulls` has it: never, always, or across gaps that are shorter; in milliseconds."""
    times_s = EPOCH_S + np.array([0.0, 15.0, 120.0])
    shown = replace(answer(1, series=(Series({}, times_s, np.ones(3)),)), step_s=15.0)
    raw = {"fieldConfig": {"defaults": {"custom": {"spanNulls": span_nulls}}}}
    shown = replace(shown, panel=replace(shown.panel, raw=raw))
    (row,) = panel_rows(PanelAnswers((shown,)), DrawnTime(EPOCH_S, 120.0))
    assert row.times_s.tolist() == drawn_s
