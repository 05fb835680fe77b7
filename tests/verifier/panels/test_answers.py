"""Panels asked of a real Prometheus: what shows something, what does not, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from verifier.dashboards.reader import load_dashboards
from verifier.panels.answers import PanelAnswer, PanelWindow, answer_panels
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WINDOW = PanelWindow(EPOCH_S, EPOCH_S + 60, scrape_s=15.0, stores_alerts=False)


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
    server: Prometheus, tmp_path: Path, exprs: dict[str, Any], *variables: dict[str, Any]
) -> dict[str, PanelAnswer]:
    """Ask a dashboard with a panel for each expression."""
    panels = [
        {"title": title, "targets": [{"expr": expr} if isinstance(expr, str) else expr]}
        for title, expr in exprs.items()
    ]
    board = tmp_path / "board.json"
    board.write_text(json.dumps({"panels": panels, "templating": {"list": list(variables)}}))
    asked = answer_panels(server, load_dashboards([board]).panels, WINDOW)
    return {answer.panel.title: answer for answer in asked}


def test_a_panel_is_ok_only_when_it_shows_something(server: Prometheus, tmp_path: Path) -> None:
    """Nothing, NaN only and an engine's error each have their reason; one ends no other."""
    exprs = {
        "good": "queue_depth",
        "empty": "queue_depht",
        "nan": "queue_depth / 0 * 0",
        "bad": "queue_depth + on() queue_depth",
        "not promql": "queue_depth ((",
        "alerts": "ALERTS",
    }
    shown = answers(server, tmp_path, exprs)
    assert (shown["good"].ok, shown["good"].reason) == (True, "")
    assert len(shown["good"].series) == 2
    assert not shown["empty"].ok
    assert (shown["nan"].ok, shown["nan"].reason) == (False, "query returns NaN only")
    assert "not judged" in shown["alerts"].reason
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
