"""Dashboards as people have them, with the answers that Grafana would give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.field.boards import FieldRun, board, panel, variables

REQUESTS = "sum(rate(http_requests_total[5m]))"
LOGS = '{app="gateway"} |= "error"'
PROMETHEUS = {"type": "prometheus", "uid": "p"}
ALL = {"text": ["All"], "value": ["$__all"]}


def test_a_step_follows_the_least_interval_of_panel_and_query(field: FieldRun) -> None:
    """Min interval, min step, points, the old factor; `$__rate_interval` as the least step."""
    rate = "sum(rate(http_requests_total[$__interval]))"
    content = board(
        panel("panel", "sum(increase(http_requests_total[$__interval]))", interval="1m"),
        panel("query", {"expr": rate, "interval": "2m"}),
        panel("points", rate, maxDataPoints=60),
        panel("factor", {"expr": rate, "intervalFactor": 4, "step": 60}),
        panel("bound", rate, interval=">=5m"),
        panel("narrow", rate, gridPos={"w": 1, "h": 4}, timeFrom="6h"),
        panel("own", {"expr": rate, "interval": "$__rate_interval"}),
        panel("rate", "sum(rate(http_requests_total[$__rate_interval]))", interval="2m"),
    )
    windows = [query.partition("[")[2].partition("]")[0] for query in field.queries(content)]
    assert windows == ["1m", "2m", "1m", "1m", "5m", "5m", "1m", "135s"]


def test_a_variable_may_be_the_least_step(field: FieldRun) -> None:
    """An interval variable in the query's min step, and in the panel's."""
    step = {"name": "step", "type": "interval", "query": "1m,10m", "current": {"value": "10m"}}
    rate = "sum(rate(http_requests_total[$__interval]))"
    content = board(
        panel("query", {"expr": rate, "interval": "$step"}),
        panel("panel", rate, interval="$step"),
        **variables(step),
    )
    assert [query[29:32] for query in field.queries(content)] == ["10m", "10m"]


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("Loki", {}),
        (
            "${DS_LOGS}",
            {"__inputs": [{"name": "DS_LOGS", "type": "datasource", "pluginId": "loki"}]},
        ),
        (
            {"uid": "$logs"},
            variables({"name": "logs", "type": "datasource", "query": "loki"}),
        ),
        ({"type": "loki", "uid": "x"}, {}),
        ("team-loki (eu)", {}),
        ({"uid": "${DS_LOKI}"}, {}),
        ({"uid": "P8E80F9AEF21F6940"}, {}),  # which says nothing: the query does
    ],
)
def test_logs_are_not_judged_by_name_and_the_others_are(
    field: FieldRun, source: Any, fields: dict[str, Any]
) -> None:
    """However a dashboard names the source."""
    content = board(
        panel("Requests", REQUESTS, datasource=PROMETHEUS),
        panel("Errors as text", LOGS, datasource=source),
        **fields,
    )
    assert field.not_judged(content) == [("Errors as text", "it asks Loki")]
    assert field.queries(content) == [REQUESTS]


def test_other_sources_are_named_each_by_its_kind(field: FieldRun) -> None:
    """SQL, metrics of a cloud, expressions, other panels; a mixed panel query by query."""
    mixed = [
        {"expr": REQUESTS, "datasource": PROMETHEUS},
        {"expr": LOGS, "datasource": {"type": "loki", "uid": "l"}},
        {"type": "math", "expression": "$A * 2", "datasource": {"type": "__expr__"}},
    ]
    content = board(
        panel("SQL", {"rawSql": "select 1"}, datasource={"type": "grafana-postgresql-datasource"}),
        panel("Cloud", {"metricName": "CPU"}, datasource="CloudWatch"),
        panel("Panel", {"panelId": 1}, datasource="-- Dashboard --"),
        panel("Plugin", {"query": "x"}, datasource={"type": "acme-things-datasource"}),
        panel("Mixed", *mixed, datasource="-- Mixed --"),
        panel("Hidden", {"expr": "no_such", "hide": True}),
    )
    assert field.not_judged(content) == [
        ("SQL", "it asks PostgreSQL"),
        ("Cloud", "it asks CloudWatch"),
        ("Panel", "it asks another panel"),
        ("Plugin", "it asks acme-things-datasource"),
        ("Mixed", "it asks Loki"),
        ("Mixed", "it calculates with what other queries return, in Grafana"),
        ("Hidden", "its queries are hidden"),
    ]
    assert field.queries(content) == [REQUESTS]


@pytest.mark.parametrize(
    "source",
    [None, "default", "Prometheus", "prod-eu", "-- Mixed --", {"uid": "${ds}"}, "$datasource"],
)
def test_what_does_not_look_like_another_kind_is_prometheus(field: FieldRun, source: Any) -> None:
    """A name of one's own, the default, a variable that nothing defines."""
    assert field.queries(board(panel("P", REQUESTS, datasource=source))) == [REQUESTS]


def test_variables_stand_for_what_grafana_sends(field: FieldRun) -> None:
    """Empty text, a value in the name of a metric, a list of labels, named windows."""
    listed = variables(
        {"name": "filter", "type": "textbox", "query": "", "current": {"value": ""}},
        {"name": "kind", "type": "custom", "query": "tasks_processed,inter_agent_messages"}
        | {"current": {"text": "tasks_processed", "value": "tasks_processed"}},
        {"name": "cut", "type": "custom", "query": "priority,outcome", "multi": True}
        | {"includeAll": True, "current": ALL},
        {"name": "window", "type": "custom", "query": "short : 2m, long : 30m", "current": {}},
        {"name": "status", "type": "query", "includeAll": True, "multi": True, "current": ALL}
        | {"query": {"query": "label_values(http_requests_total, status)", "refId": "A"}},
        {"name": "job", "type": "query", "query": "label_values(up, job)"}
        | {"current": {"value": "another"}},
        {"name": "metric", "type": "query", "query": "metrics(http_requests_.*)"},
    )
    tasks = "agentaskit_tasks_processed_total"
    content = board(
        panel("1", "sum(rate(http_requests_total{${filter}}[5m]))"),
        panel("2", "sum(rate(agentaskit_${kind:text}_total[5m]))"),
        panel("3", f"sum by (${{cut:csv}}) (rate({tasks}[5m]))"),
        panel("4", "sum(rate(http_requests_total[$window]))"),
        panel("5", 'sum(rate(http_requests_total{status=~"$status"}[5m]))'),
        panel("6", 'up{job="[[job]]"}'),
        panel("7", "sum(rate(${metric}[$__range]))"),
        panel("8", 'count({__name__=~"${metric:pipe}"})'),
        **listed,
    )
    assert field.queries(content) == [
        "sum(rate(http_requests_total{}[5m]))",
        "sum(rate(agentaskit_tasks_processed_total[5m]))",
        "sum by (priority,outcome) (rate(agentaskit_tasks_processed_total[5m]))",
        "sum(rate(http_requests_total[2m]))",
        'sum(rate(http_requests_total{status=~"(200|429|500|503|504)"}[5m]))',
        'up{job="agentaskit"}',
        "sum(rate(http_requests_total[3600s]))",
        'count({__name__=~"http_requests_total"})',
    ]


def test_an_empty_filter_is_no_failure_and_missing_series_are(field: FieldRun) -> None:
    """What is wrong now: nothing, when all is well; unless what is looked at does not exist."""
    content = board(
        panel("down", {"expr": "up == 0", "format": "table", "instant": True}),
        panel("counted", "count(agentaskit_task_queue_depth > 1000) or vector(0)"),
        panel("overfull", "agentaskit_task_queue_depth > 1000"),
        panel("also", "topk(5, rate(http_requests_total{status='500'}[5m]) > 100)"),
        panel("misspelt", "agentaskit_task_que_depth > 1000"),
        panel("hidden by zero", "count(agentaskit_task_que_depth > 1000) or vector(0)"),
        panel("other label", 'agentaskit_task_queue_depth{prio="high"} > 1000'),
    )
    verdicts = field.judge(content)
    assert [title for title, verdict in verdicts.items() if verdict.ok] == [
        "down", "counted", "overfull", "also",
    ]  # fmt: skip
    for title in ("misspelt", "hidden by zero"):
        assert "did you mean agentaskit_task_queue_depth" in verdicts[title].reason
    assert "no label prio, did you mean" in verdicts["other label"].reason


def test_texts_in_backticks_have_no_escapes(field: FieldRun) -> None:
    """As the query builder writes them, and beside other quotes."""
    errors = "sum(rate(http_requests_total{status=~`5\\d\\d`}[$__rate_interval]))"
    mixed = "label_replace(up, `a`, '$1', \"job\", `(.*)`)"
    both = 'sum(rate(http_requests_total{status=~`[2-5]\\d+`, status!="200"}[5m]))'
    assert len(field.queries(board(panel("1", errors), panel("2", mixed), panel("3", both)))) == 3
