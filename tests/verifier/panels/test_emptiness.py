"""Why a panel shows nothing, from reasons that are planted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from documents.mistakes import Place
from verifier.pack.panels import Board, Panel, Query
from verifier.panels.answers import PanelAnswer, PanelWindow
from verifier.panels.emptiness import HEALTHY, NO_ALERT, explained
from verifier.servers.prometheus import Series

PLACE = Place("board.json")
WINDOW = PanelWindow(1000.0, 1600.0, 15.0)
SHOWN = (Series({}, np.array([1600.0]), np.array([1.0])),)


def said(expr, missing=(), *, ok=True, series=SHOWN, is_empty=False):
    """Return whether an answer is ok and why, where these names never had a value."""
    panel = Panel("B", "P", "stat", (), PLACE, {"title": "P"}, Board("B", (), 300.0))
    answer = PanelAnswer(
        panel, Query(expr, "", PLACE), ok, "it says", series, is_empty, hints=("look at $v",)
    )

    def reason(root, span):
        assert span == WINDOW.span(answer.query)
        names = [name for name in missing if name in root.text]
        return f"no {names[0]} here" if names else None

    (own,) = explained([answer], SimpleNamespace(reason=reason), WINDOW)
    return own.ok, own.reason


EMPTY = {"ok": False, "series": (), "is_empty": True}
NOT_A_NUMBER = {"ok": False}


@pytest.mark.parametrize(
    ("expr", "missing", "kind", "expected"),
    [
        ("a", (), {}, (True, "it says")),
        ("a", ("a",), {}, (True, "it says")),
        ("a >", ("a",), EMPTY, (False, "it says")),
        # Nothing is shown.
        ("a", ("a",), EMPTY, (False, "query returns nothing: no a here; look at $v")),
        ("a", (), EMPTY, (False, "it says; look at $v")),
        ("a > 5", (), EMPTY, (True, HEALTHY)),
        ("a and b", (), EMPTY, (True, HEALTHY)),
        ("a unless b", (), EMPTY, (True, HEALTHY)),
        ("a or b", (), EMPTY, (False, "it says; look at $v")),
        ("a + b", (), EMPTY, (False, "it says; look at $v")),
        ("absent(a)", (), EMPTY, (True, HEALTHY)),
        ("ALERTS", (), EMPTY, (True, NO_ALERT)),
        ("ALERTS > 5", (), EMPTY, (True, NO_ALERT)),
        # What is shown is no number: the first of the reasons is added.
        ("a / b", (), NOT_A_NUMBER, (False, "it says")),
        ("a / b", ("b", "a"), NOT_A_NUMBER, (False, "it says; no b here")),
        ("a / b or c / d", ("a", "c"), NOT_A_NUMBER, (False, "it says; no a here")),
        ("a / b or c / d", ("c",), NOT_A_NUMBER, (False, "it says; no c here")),
        # A constant alone is shown.
        ("a or vector(0)", ("a",), {}, (False, "a constant alone answers: no a here; look at $v")),
        ("a or vector(0)", (), {}, (True, "it says")),
        ("vector(0) or a", ("a",), {}, (False, "a constant alone answers: no a here; look at $v")),
        ("a or b or vector(0)", ("a",), {}, (True, "it says")),
        ("a or vector(0) or b", ("a",), {}, (True, "it says")),
        ("(a or vector(0)) or b", ("a",), {}, (True, "it says")),
        (
            "a or b or vector(0)",
            ("a", "b"),
            {},
            (False, "a constant alone answers: no a here; no b here; look at $v"),
        ),
        ("a or b", ("a", "b"), {}, (True, "it says")),
        (
            "sum(a or vector(0)) + (a or vector(0))",
            ("a",),
            {},
            (False, "a constant alone answers: no a here; look at $v"),
        ),
        ("vector(1) or vector(0)", (), {}, (True, "it says")),
    ],
)
def test_a_panel_that_shows_nothing_says_why(expr, missing, kind, expected):
    """And is healthy where a filter lets nothing through, of what is there."""
    assert said(expr, missing, **kind) == expected


def test_where_a_metric_does_not_exist_nothing_else_is_to_be_looked_at():
    """Its variables are not to blame."""
    assert said("metric", ("metric",), **EMPTY) == (False, "query returns nothing: no metric here")
