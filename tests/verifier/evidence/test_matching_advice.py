"""Sides that never match: an advice has values when it is tried; none where nothing is right."""

from __future__ import annotations

import re

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.evaluation.engine import evaluate
from verifier.evidence.silence import WatchedRun, silences
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Prometheus, QueryError

END_S = 600.0
RISING = list(range(50))
STORED = history(
    {
        labels("errors_total", status="500", job="j"): RISING,
        labels("errors_total", status="503", job="j"): RISING,
        labels("done_total", tier="micro", job="j"): RISING,
        labels("done_total", tier="large", job="j"): RISING,
        labels("depth", priority="high", kind="depth", job="j"): row("3*50"),
        labels("depth", priority="low", kind="depth", job="j"): row("4*50"),
        labels("limit", priority="high", kind="limit", job="j"): row("9*50"),
        labels("limit", priority="low", kind="limit", job="j"): row("9*50"),
        labels("task_total", priority="high", tier="a", job="j"): RISING,
        labels("task_total", priority="high", tier="b", job="j"): RISING,
        labels("call_total", priority="high", kind="x", job="j"): RISING,
        labels("call_total", priority="high", kind="y", job="j"): RISING,
        labels("total", job="k"): row("9*50"),
        labels("other", queue="q"): row("9*50"),
        labels("joins_late", zone="a", job="j"): row("9*50"),
        labels("joins_late", zone="b", job="j"): row(".*20 9*10 .*20"),
        labels("one", site="s", job="j"): row("9*50"),
    },
    start_s=-60.0,
)


@pytest.fixture(scope="module")
def server():
    """Start a Prometheus that holds series of many shapes."""
    with Prometheus() as started:
        started.push(STORED)
        yield started


def reason_of(server, tmp_path, expr):
    """Return why the alert could not have fired."""
    files = rules(tmp_path, {"alert": "A", "expr": expr})
    timelines = evaluate(server, files, start_s=0.0, end_s=END_S).timelines
    return silences(WatchedRun(server, files, EPOCH_S, END_S, WHOLE), timelines)[-1].vacuous


def advised(expr, reason):
    """Return the expression that an advice leads to, None where none was given."""
    summed = re.search(r"sum both sides first: `([^`]+)`", reason)
    if summed:
        return f"{summed[1]} > 1e9"
    matched = re.search(r"match them with (on\(.+)$", reason)
    return re.sub(r" (/|and|>) ", rf" \1 {matched[1]} ", expr, count=1) if matched else None


@pytest.mark.parametrize(
    ("expr", "advice"),
    [
        (
            "rate(errors_total[2m]) / rate(done_total[2m]) > 1e9",
            "sum(rate(errors_total[2m])) / sum(rate(done_total[2m])) > 1e9",
        ),
        ("depth / limit > 1e9", "depth / on(priority) limit > 1e9"),
        ("errors_total / limit > 1e9", None),
        ("depth / one > 1e9", "depth / on(job) group_left() one > 1e9"),
        (
            "rate(task_total[2m]) / rate(call_total[2m]) > 1e9",
            (
                "sum by (priority) (rate(task_total[2m]))"
                " / sum by (priority) (rate(call_total[2m])) > 1e9"
            ),
        ),
        (
            "task_total / limit > 1e9",
            "task_total / on(priority) group_left() limit > 1e9",
        ),
        (
            "limit / task_total > 1e9",
            "limit / on(priority) group_right() task_total > 1e9",
        ),
        ("one / other > 1e9", "one / on() other > 1e9"),
        ("depth and other > 1e9", "depth and on() other > 1e9"),
        ("depth and errors_total > 1e9", "depth and on(job) errors_total > 1e9"),
        # Many to many for a part of the run, where sums may mean nothing.
        ("joins_late / one > 1e9", "joins_late / on(job) group_left() one > 1e9"),
        ("one / joins_late > 1e9", None),
        ("depth / errors_total > 1e9", None),
        ("depth > errors_total", None),
    ],
)
def test_the_matching_that_is_advised_has_values_when_it_is_tried(server, tmp_path, expr, advice):
    """At every evaluation; nothing is advised that the engine refuses."""
    reason = reason_of(server, tmp_path, expr)
    assert "never match" in reason
    assert advised(expr, reason) == advice
    if advice is not None:
        assert reason_of(server, tmp_path, advice) is None


def test_a_planted_advice_is_refused_by_the_engine(server, tmp_path):
    """What was advised before for sides of many series each: it is no query."""
    expr = "rate(errors_total[2m]) / on(job) rate(done_total[2m]) > 1e9"
    with pytest.raises(QueryError, match="many-to-many matching not allowed"):
        server.query(expr, EPOCH_S + END_S)
    assert advised(expr, reason_of(server, tmp_path, expr.replace(" on(job)", ""))) != expr
