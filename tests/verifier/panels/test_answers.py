"""Panels asked of a real Prometheus: what shows something, what does not, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from documents.mistakes import Place
from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from verifier.dashboards.reader import load_dashboards
from verifier.evidence.emptiness import EmptinessCheck
from verifier.evidence.stock import Stock
from verifier.pack.panels import Query
from verifier.panels.answers import PanelAnswer, PanelWindow, answer_panels
from verifier.panels.emptiness import HEALTHY, NO_ALERT, explained
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WINDOW = PanelWindow(EPOCH_S, EPOCH_S + 60, scrape_s=15.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Return a Prometheus with two queues, one of which is named by a pattern's own sign."""
    with Prometheus() as running:
        running.push(
            history(
                {
                    labels("queue_depth", priority="low", queue="a.b"): row("0*5"),
                    labels("queue_depth", priority="high", queue="a+b"): row("7*5"),
                    labels("done_total", priority="high"): row("0 1 2 3 4"),
                }
            )
        )
        yield running


def answers(
    server: Prometheus,
    tmp_path: Path,
    exprs: dict[str, Any],
    *variables: dict[str, Any],
    window: PanelWindow = WINDOW,
) -> dict[str, PanelAnswer]:
    """Ask a dashboard with a panel for each expression."""
    panels = [
        {"title": title, "targets": [{"expr": expr} if isinstance(expr, str) else expr]}
        for title, expr in exprs.items()
    ]
    board = tmp_path / "board.json"
    board.write_text(json.dumps({"panels": panels, "templating": {"list": list(variables)}}))
    asked = answer_panels(server, load_dashboards([board]).panels, window)
    return {answer.panel.title: answer for answer in asked}


def test_a_panel_is_ok_only_when_it_shows_something(server: Prometheus, tmp_path: Path) -> None:
    """Nothing, NaN only and an engine's error each have their reason; one ends no other."""
    exprs = {
        "good": "queue_depth",
        "empty": "queue_depht",
        "nan": "queue_depth / 0 * 0",
        "nan in part": "queue_depth * on(priority) (done_total / done_total)",
        "nan of a series": "queue_depth / queue_depth",
        "bad": "queue_depth + on() queue_depth",
        "not promql": "queue_depth ((",
    }
    shown = answers(server, tmp_path, exprs)
    assert (shown["good"].ok, shown["good"].reason) == (True, "")
    assert len(shown["good"].series) == 2
    assert not shown["empty"].ok
    assert (shown["nan"].ok, shown["nan"].reason) == (False, "query returns NaN only")
    for title in ("nan in part", "nan of a series"):
        assert (shown[title].ok, shown[title].reason) == (True, ""), title
    assert shown["bad"].reason.startswith("query fails: ")
    assert "parse error" in shown["not promql"].reason


def test_an_instant_query_is_asked_at_the_end(server: Prometheus, tmp_path: Path) -> None:
    """As Grafana asks a table; a range that is asked for beside it wins."""
    exprs = {
        "instant": {"expr": "done_total", "instant": True},
        "both": {"expr": "done_total", "instant": True, "range": True},
    }
    shown = answers(server, tmp_path, exprs)
    assert [len(shown[title].series[0].values) for title in exprs] == [1, 5]
    assert shown["instant"].series[0].values.tolist() == [4.0]
    earlier = {"expr": "done_total == 2", "instant": True}
    shown |= answers(server, tmp_path, {"earlier": earlier})
    assert shown["earlier"].series[0].times_s.tolist() == [EPOCH_S + 30]
    assert [shown[title].step_s for title in ("instant", "both", "earlier")] == [0.0, 15.0, 15.0]


@pytest.mark.parametrize(
    ("window", "step_s", "points"),
    [
        ((0.0, 7500.0, 15.0), 15.0, 501),
        ((0.0, 7515.0, 15.0), 30.0, 251),
        ((0.0, 0.3, 0.1, 150.0), 0.1, 4),  # whatever the division rounds
        ((0.0, 100.0, 15.0), 15.0, 7),
    ],
)
def test_a_panel_has_about_so_many_points_the_last_of_them_at_the_end(
    window: tuple[float, ...], step_s: float, points: int
) -> None:
    """Never closer than scrapes; of a long scenario every n-th."""
    grid = PanelWindow(*window).grid(Query("up", "", Place("board.json")))
    assert (grid.step_s, grid.end_s) == (step_s, window[1])
    assert grid.start_s == pytest.approx(grid.end_s - (points - 1) * step_s, abs=1e-9)


def test_the_choices_of_a_query_are_those_that_are_stored(
    server: Prometheus, tmp_path: Path
) -> None:
    """A value of another world gives way to the first there is; all of them are escaped."""
    gone = {
        "name": "gone",
        "type": "query",
        "query": "label_values(queue_depth, priority)",
        "current": {"value": "urgent"},
    }
    every = {
        "name": "every",
        "type": "query",
        "query": "label_values(queue_depth, queue)",
        "includeAll": True,
        "current": {"value": "$__all"},
    }
    exprs = {"gone": 'queue_depth{priority="$gone"}', "every": 'queue_depth{queue=~"$every"}'}
    shown = answers(server, tmp_path, exprs, gone, every)
    assert shown["gone"].query.expr == 'queue_depth{priority="high"}'
    assert shown["every"].query.expr == r'queue_depth{queue=~"(a\\+b|a\\.b)"}'
    assert len(shown["every"].series) == 2


def test_everything_is_matched_as_text_where_the_dashboard_writes_an_equals_sign(
    server: Prometheus, tmp_path: Path
) -> None:
    """Grafana sends `=` as it is written: such a panel is empty there, too."""
    every = {
        "name": "every",
        "type": "query",
        "query": "label_values(queue_depth, queue)",
        "includeAll": True,
        "allValue": ".*",
        "current": {"value": "$__all"},
    }
    shown = answers(server, tmp_path, {"equals": 'queue_depth{queue="$every"}'}, every)
    assert shown["equals"].query.expr == 'queue_depth{queue=".*"}'
    assert not shown["equals"].ok


def test_a_variable_may_depend_on_another_and_name_a_metric(
    server: Prometheus, tmp_path: Path
) -> None:
    """In whatever order they stand; a regular expression cuts the name out of a result."""
    queue = {
        "name": "queue",
        "type": "query",
        "query": {"query": 'label_values($metric{priority="$priority"}, queue)', "refId": "A"},
    }
    priority = {"name": "priority", "type": "custom", "query": "urgent : high, low"}
    metric = {
        "name": "metric",
        "type": "query",
        "query": 'query_result(topk(1, {__name__=~"queue_.*"}))',
        "regex": "/^(\\w+)\\{/",
    }
    shown = answers(
        server, tmp_path, {"nested": '$metric{queue="$queue"}'}, queue, priority, metric
    )
    assert shown["nested"].query.expr == 'queue_depth{queue="a+b"}'
    assert shown["nested"].ok


def test_a_repeated_panel_is_asked_for_every_choice(server: Prometheus, tmp_path: Path) -> None:
    """Each drawn panel is judged by itself."""
    board = tmp_path / "board.json"
    every = {
        "name": "p",
        "type": "query",
        "query": "label_values(priority)",
        "includeAll": True,
        "multi": True,
        "current": {"value": ["$__all"]},
    }
    panel = {"title": "P", "repeat": "p", "targets": [{"expr": 'done_total{priority="$p"}'}]}
    board.write_text(json.dumps({"panels": [panel], "templating": {"list": [every]}}))
    asked = answer_panels(server, load_dashboards([board]).panels, WINDOW)
    assert [(a.panel.title, a.query.expr, a.ok) for a in asked] == [
        ("P (p: high)", 'done_total{priority="high"}', True),
        ("P (p: low)", 'done_total{priority="low"}', False),
    ]


def test_a_panel_repeated_for_two_variables_is_asked_with_both_fixed(
    server: Prometheus, tmp_path: Path
) -> None:
    """Its row's and its own: no choice of one is asked with all of the other."""
    board = tmp_path / "board.json"
    variables = [
        {"name": name, "type": "custom", "query": ", ".join(choices), "multi": True,
         "includeAll": True, "current": {"value": ["$__all"]}}
        for name, choices in {"r": ("high", "low"), "p": ("1", "2")}.items()
    ]  # fmt: skip
    panel = {"title": "P", "repeat": "p", "targets": [{"expr": 'up{priority="$r", part="$p"}'}]}
    row = {"type": "row", "title": "R", "repeat": "r", "collapsed": True, "panels": [panel]}
    board.write_text(json.dumps({"panels": [row], "templating": {"list": variables}}))
    asked = answer_panels(server, load_dashboards([board]).panels, WINDOW)
    assert sorted(a.query.expr for a in asked) == [
        f'up{{priority="{priority}", part="{part}"}}'
        for priority in ("high", "low")
        for part in "12"
    ]


def explain(
    server: Prometheus, tmp_path: Path, expr: str, *variables: dict[str, Any]
) -> PanelAnswer:
    """Ask one expression, and why it shows nothing if it does not."""
    shown = answers(server, tmp_path, {"P": expr}, *variables).values()
    check = EmptinessCheck(Stock(server), alerts=("Known",))
    (answer,) = explained(shown, check, WINDOW)
    return answer


@pytest.mark.parametrize(
    "expr",
    [
        "queue_depth > 1000",
        "sum by (priority) (queue_depth > 1000)",
        "queue_depth > 1000 and on(priority) done_total",
        "queue_depth unless queue_depth",
        "absent(queue_depth)",
        "topk(3, queue_depth < 0)",
        "max_over_time((queue_depth > 1000)[1m:15s])",
        "queue_depth > on(priority) group_left() (done_total * 1000 + 1000)",
    ],
)
def test_a_filter_that_nothing_passes_is_healthy(
    server: Prometheus, tmp_path: Path, expr: str
) -> None:
    """A panel that shows what is wrong is empty when all is well."""
    answer = explain(server, tmp_path, expr)
    assert (answer.ok, answer.reason) == (True, HEALTHY)


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ("queue_dept", "no metric queue_dept exists, did you mean queue_depth?"),
        ("queue_dept > 1000", "no metric queue_dept exists, did you mean queue_depth?"),
        ('queue_depth{priority="hihg"} > 9', "did you mean 'high'?"),
        ('queue_depth{prio="high"} > 9', "queue_depth has no label prio, did you mean 'priority'?"),
        ("queue_depth / done_total", "the sides of `/` in queue_depth / done_total never match"),
        ("queue_depth and on(queue) done_total > 9", "never match"),
        ("rate(done_total[10s])", "its window of 10s holds one scrape at most"),
        ("histogram_quantile(0.9, queue_depth)", "has no label le"),
        ("count(queue_dept > 1000) or vector(0)", "a constant alone answers: no metric queue_dept"),
        ("(vector(0) or sum(queue_dept)) + 1", "a constant alone answers: no metric queue_dept"),
        ("queue_depth / scalar(queue_dept)", "query returns NaN only; no metric queue_dept exists"),
        ('ALERTS{alertname="Unknown"}', "no rule defines the alert Unknown"),
    ],
)
def test_what_does_not_exist_or_never_matches_fails_with_the_nearest_word(
    server: Prometheus, tmp_path: Path, expr: str, reason: str
) -> None:
    """A constant that answers for series that do not exist hides it from who looks."""
    answer = explain(server, tmp_path, expr)
    assert not answer.ok
    assert reason in answer.reason


@pytest.mark.parametrize(
    "expr",
    [
        "count(queue_depth > 1000) or vector(0)",
        "sum(queue_dept) or sum(queue_depth)",
        "sum(queue_dept) or sum(queue_depth) or vector(0)",
        "sum(queue_dept) or vector(0) or sum(queue_depth)",
        "queue_depth unless on(priority) maintenance",
        "absent(queue_dept)",
        "vector(1)",
    ],
)
def test_a_panel_may_read_what_does_not_exist_where_something_else_answers(
    server: Prometheus, tmp_path: Path, expr: str
) -> None:
    """Names of two versions side by side, what is taken away, what must be absent."""
    answer = explain(server, tmp_path, expr)
    assert (answer.ok, answer.reason) == (True, "")


def test_an_alert_that_never_came_is_no_failure(server: Prometheus, tmp_path: Path) -> None:
    """A list of firing alerts is empty when all is well."""
    answer = explain(server, tmp_path, 'ALERTS{alertname="Known"}')
    assert (answer.ok, answer.reason) == (True, NO_ALERT)


def test_what_variables_have_to_do_with_it_is_said(server: Prometheus, tmp_path: Path) -> None:
    """All choices after `=`, and a variable that has none."""
    every = {
        "name": "q",
        "type": "query",
        "query": "label_values(queue_depth, queue)",
        "includeAll": True,
        "current": {"value": "$__all"},
    }
    none = {"name": "n", "type": "query", "query": "label_values(queue_dept, queue)"}
    equals = explain(server, tmp_path, 'queue_depth{queue="$q"}', every)
    assert "$q stands for all choices" in equals.reason
    unknown = explain(server, tmp_path, 'queue_dept{queue="$q"}', every)
    assert "stands for all" not in unknown.reason  # the metric is to blame, and not its choices
    typed = {"name": "t", "type": "textbox", "query": "low"}
    assert "choices" not in explain(server, tmp_path, 'queue_depth{queue="$t"}', typed).reason
    empty = explain(server, tmp_path, 'queue_depth{queue="$n"}', none)
    assert "variable $n has no choices, as label_values(queue_dept, queue) returns" in empty.reason
    assert "stands for all" not in empty.reason
