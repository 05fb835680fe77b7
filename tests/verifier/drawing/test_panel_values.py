"""What a panel's row holds of an answer: names, buckets, levels, texts, one after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from documents.mistakes import Place
from exporter.history.samples import EPOCH_S
from verifier.drawing.panel_rows import PanelAnswers, panel_rows
from verifier.drawing.panel_status import QUERY_MAX, shown_queries
from verifier.drawing.series_rows import LINES_MAX, DrawnTime, most_extreme
from verifier.drawing.value_mappings import TEXT_MAX, is_applied, mapped_text
from verifier.pack.panels import LeftOutPanel, Panel, Query
from verifier.panels.answers import PanelAnswer
from verifier.servers.prometheus import Series

TIME = DrawnTime(EPOCH_S, 60.0)
PLACE = Place("board.json", 3, 5)


def series(*values, **labels):
    """Return a series with a value every 30 s."""
    return Series(labels, EPOCH_S + 30.0 * np.arange(len(values)), np.array(values, float))


def panel(kind="timeseries", *queries, place=PLACE, title="P", **raw):
    """Return a panel of a dashboard with these queries, instant where their text is `now`."""
    asked = tuple(Query(text, "", place, instant=text == "now") for text in queries or ("up",))
    return Panel("Board", title, kind, asked, place, raw)


def row(shown, *answered, legend="", factor=1.0, step_s=30.0):
    """Return the row of a panel whose only query has these series."""
    query = replace(shown.queries[0], legend=legend)
    answer = PanelAnswer(shown, query, ok=True, reason="", series=answered, step_s=step_s)
    (only,) = panel_rows(PanelAnswers((answer,)), DrawnTime(EPOCH_S, 60.0, factor))
    return only


def configured(kind, **defaults):
    """Return a panel with these field defaults."""
    return panel(kind, fieldConfig={"defaults": defaults})


@pytest.mark.parametrize(
    ("legend", "name"),
    [
        ("", "tier=L1, zone=a"),
        ("__auto", "tier=L1, zone=a"),
        ("{{tier}} of {{ zone }}", "L1 of a"),
        ("all{{absent}}", "all"),
        ("{{__name__}}", "up"),
    ],
)
def test_a_series_is_named_by_its_legend_or_by_its_labels(legend, name):
    """A label that it has not is nothing."""
    drawn = row(panel(), series(1, 2, zone="a", tier="L1", __name__="up"), legend=legend)
    assert [(each.name, each.labels) for each in drawn.series] == [
        (name, (("tier", "L1"), ("zone", "a")))
    ]


def test_each_series_is_named_by_the_legend_of_its_own_query():
    """Of a panel with several."""
    shown = panel("timeseries", "a", "b")
    answers = [
        PanelAnswer(shown, replace(query, legend=query.expr), ok=True, reason="",
                    series=(series(1, 2),))
        for query in shown.queries
    ]  # fmt: skip
    (drawn,) = panel_rows(PanelAnswers(tuple(answers)), TIME)
    assert [each.name for each in drawn.series] == ["a", "b"]
    assert drawn.queries == ("a", "b")


def test_a_heatmap_shows_what_lies_in_each_bucket():
    """In the order of their bounds, never less than nothing; what has no bound is left out."""
    drawn = row(
        panel("heatmap"),
        series(9, 9, 9, le="+Inf"), series(1, 4, 0, le="0.5"), series(4, 3, 0, le="2"),
        series(5, 5, 5, le="x"), series(7, 7, 7),
    )  # fmt: skip
    assert [(each.name, each.values.tolist()) for each in drawn.series] == [
        ("0.5", [1.0, 4.0, 0.0]),
        ("2", [3.0, 0.0, 0.0]),
        ("+Inf", [5.0, 6.0, 9.0]),
    ]
    assert drawn.notes == ()


def test_of_very_many_buckets_the_lowest_are_drawn_and_nothing_is_said_to_be_missing():
    """As many as a heatmap can have."""
    drawn = row(panel("heatmap"), *(series(n, n, le=str(n)) for n in range(50)))
    assert [each.name for each in drawn.series] == [str(n) for n in range(40)]
    assert drawn.notes == ()


@pytest.mark.parametrize(
    ("kind", "custom", "queries", "drawn_as"),
    [
        ("timeseries", {}, ("up",), "line"),
        ("timeseries", {"stacking": {"mode": "normal"}}, ("up",), "stack"),
        ("timeseries", {"stacking": {"mode": "percent"}}, ("up",), "stack"),
        ("timeseries", {"stacking": {"mode": "none"}}, ("up",), "line"),
        ("timeseries", {}, ("now", "now"), "table"),
        ("timeseries", {}, ("now", "up"), "line"),
        ("singlestat", {}, ("up",), "stat"),
        ("piechart", {}, ("up",), "pie"),
    ],
)
def test_how_a_panel_is_drawn(kind, custom, queries, drawn_as):
    """A curve is a table only where every query is of one instant."""
    shown = panel(kind, *queries, fieldConfig={"defaults": {"custom": custom}})
    assert row(shown, series(1, 2)).kind == drawn_as


STEPS = {"steps": [{"value": None, "color": "green"}, {"value": 2}, {"value": "x"}]}


@pytest.mark.parametrize(
    ("kind", "custom", "levels"),
    [
        ("timeseries", {}, []),
        ("timeseries", {"thresholdsStyle": {"mode": "off"}}, []),
        ("timeseries", {"thresholdsStyle": {"mode": "line"}}, [2.0]),
        ("timeseries", {"stacking": {"mode": "normal"}}, []),
        (
            "timeseries",
            {"stacking": {"mode": "normal"}, "thresholdsStyle": {"mode": "area"}},
            [2.0],
        ),
        ("heatmap", {"thresholdsStyle": {"mode": "line"}}, []),
        ("gauge", {}, [-np.inf, 2.0]),
        ("table", {}, [-np.inf, 2.0]),
    ],
)
def test_levels_are_drawn_where_the_panel_draws_them(kind, custom, levels):
    """The colour below all of them is none of a curve."""
    drawn = row(configured(kind, custom=custom, thresholds=STEPS), series(1, 3, le="1"))
    assert [line.value for line in drawn.thresholds] == levels


@pytest.mark.parametrize(
    ("limits", "level"), [({}, 5.0), ({"min": 0}, 4.0), ({"max": 4}, 3.0), ({"min": -8}, 0.0)]
)
def test_a_level_in_percent_is_of_the_range_in_the_units_of_the_panel(limits, level):
    """From the least to the most of the values, where a limit is not given."""
    thresholds = {"mode": "percentage", "steps": [{"value": 50}]}
    drawn = row(configured("gauge", **limits, thresholds=thresholds), series(2, 6), series(8))
    assert [line.value for line in drawn.thresholds] == [level]


VALUE = {"type": "value", "options": {"x": {"text": "x"}, "1.5": {"text": "one and a half"}}}
RANGE = {"type": "range", "options": {"from": 0, "to": 10, "result": {"text": "low"}}}


def special(match):
    """Return a mapping of what is no value."""
    return {"type": "special", "options": {"match": match, "result": {"text": match}}}


@pytest.mark.parametrize(
    ("mapping", "value", "text"),
    [
        (VALUE, 1.5, "one and a half"),
        (VALUE, 1.0, ""),
        (VALUE, None, ""),
        (RANGE, 0.0, "low"),
        (RANGE, 10.0, "low"),
        (RANGE, -0.1, ""),
        (RANGE, 10.1, ""),
        (RANGE, np.nan, ""),
        (special("null"), None, "null"),
        (special("null"), np.nan, ""),
        (special("nan"), np.nan, "nan"),
        (special("nan"), None, ""),
        (special("nan"), 1.0, ""),
        (special("null+nan"), None, "null+nan"),
        (special("null+nan"), np.nan, "null+nan"),
        (special("true"), 1.0, ""),
        (special("null"), 0.0, ""),
    ],
)
def test_a_mapping_is_of_what_it_names_alone(mapping, value, text):
    """Both ends of a range are in it; a key that is no number is passed over."""
    assert mapped_text([mapping], value) == text


def test_the_first_mapping_that_fits_is_the_one_that_counts():
    """Also where it has no text: a colour stands for the value itself. A long text is cut."""
    coloured = {**RANGE, "options": {**RANGE["options"], "result": {"color": "red"}}}
    assert mapped_text([VALUE, RANGE], 1.5) == "one and a half"
    assert mapped_text([RANGE, VALUE], 1.5) == "low"
    assert mapped_text([coloured, RANGE], 1.5) == ""
    long = {"type": "value", "options": {"1": {"text": "x" * (TEXT_MAX + 1)}}}
    assert mapped_text([long], 1.0) == "x" * TEXT_MAX
    regex = {"type": "regex"}
    assert [is_applied(each) for each in ([VALUE, RANGE], [VALUE, regex], [], None)] == [
        True, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "shown"),
    [((1.5, np.nan), "nan"), ((np.nan, 1.5), "one and a half"), ((1.5, np.inf), "one and a half")],
)
def test_the_newest_value_is_shown_or_else_the_newest_number(values, shown):
    """A mapping of no number comes before one of the number that was there before it."""
    drawn = row(configured("stat", mappings=[VALUE, special("nan")]), series(*values))
    assert drawn.series[0].shown == shown


@pytest.mark.parametrize(
    ("span_nulls", "factor", "drawn_s"),
    [
        (60_000, 1.0, [0.0, 60.0]),
        (45_000, 1.0, [0.0, 30.0, 60.0]),
        (240_000, 4.0, [0.0, 240.0]),
        (180_000, 4.0, [0.0, 120.0, 240.0]),
        ("always", 1.0, [0.0, 15.0, 45.0, 60.0]),
    ],
)
def test_a_gap_that_a_line_crosses_is_of_the_time_of_the_scenario(span_nulls, factor, drawn_s):
    """Which may pass faster than that of the server; only `true` means every gap."""
    ends = Series({}, np.array([EPOCH_S, EPOCH_S + 60.0]), np.ones(2))
    shown = configured("timeseries", custom={"spanNulls": span_nulls})
    assert row(shown, ends, factor=factor, step_s=15.0).times_s.tolist() == drawn_s


def test_panels_stand_in_the_order_of_their_files_and_places():
    """By line, then by column; what nobody asked stands among them, with every reason once."""
    places = [Place("b.json", 9, 1), Place("a.json", 7, 9), Place("a.json", 7, 2),
              Place("a.json", 5, 20)]  # fmt: skip
    answers = tuple(
        PanelAnswer(shown, shown.queries[0], ok=True, reason="", series=(series(1),))
        for shown in (panel(place=each, title=f"{each.line}:{each.column}") for each in places)
    )
    asked = [LeftOutPanel("Board", "L", why, Place("a.json", 6, 1), ("q",)) for why in "xyx"]
    rows = panel_rows(PanelAnswers(answers, left_out=asked), TIME)
    assert [each.title for each in rows] == ["9:1", "5:20", "L", "7:2", "7:9"]
    assert (rows[2].notes, rows[2].queries) == (("x", "y"), ("q",))
    assert rows[2].text == "L, a panel of Board, not judged; x; y"


@pytest.mark.parametrize("more", [0, 1])
def test_a_query_is_cut_only_where_it_is_too_long(more):
    """Each stands once, without the space around it."""
    query = "a" * (QUERY_MAX + more)
    cut = "a" * QUERY_MAX + (" …" if more else "")
    assert shown_queries([f" {query}\n", query, "b"]) == (cut, "b")


@pytest.mark.parametrize(("low", "most"), [(False, [3, 4]), (True, [0, 1])])
def test_of_many_lines_the_most_extreme_are_drawn_in_their_order(monkeypatch, low, most):
    """A line without a value is none of them."""
    monkeypatch.setattr("verifier.drawing.series_rows.LINES_MAX", 2)
    values = [np.array(each) for each in ([1, 5.0], [0.5, np.nan], [3, 4.0], [2, 7.0], [9, 9.5])]
    assert most_extreme([*values, np.full(2, np.nan)], low=low) == most
    assert LINES_MAX == 8
