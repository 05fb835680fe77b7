"""The kind of a source: what it states, else what its variable is, else what its name tells."""

from __future__ import annotations

from typing import Any

import pytest

from verifier.dashboards.data_sources import (
    EXPRESSION,
    GRAFANA,
    MIXED,
    OTHER_PANEL,
    PROMETHEUS,
    DataSources,
    is_log_query,
)

SOURCES = DataSources()
SOURCES.add_input({"name": "DS_A", "type": "datasource", "pluginId": "loki"})
SOURCES.add_input({"name": "DS_B", "type": "constant", "pluginId": "loki"})
SOURCES.add_input({"name": "DS_C", "type": "datasource", "pluginName": "acme"})
SOURCES.add_input({"name": "DS_D", "type": "datasource", "pluginId": "zipkin", "pluginName": "x"})
SOURCES.add_variable({"name": "logs", "query": "loki"})
SOURCES.add_variable({"name": "loki_like", "query": "prometheus"})


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (None, "as its panel"),
        ("", "as its panel"),
        ("default", "as its panel"),
        ({}, "as its panel"),
        ({"type": "prometheus", "uid": "loki"}, PROMETHEUS),
        ({"type": "loki", "uid": "prometheus"}, "Loki"),
        ({"type": "mixed"}, MIXED),
        ({"type": "datasource", "uid": "${DS_A}"}, "Loki"),
        ("$logs", "Loki"),
        ("[[logs]]", "Loki"),
        ({"uid": "$loki_like"}, PROMETHEUS),  # declared: its name says nothing
        ("${DS_LOKI}", "Loki"),  # not declared: its name is all there is
        ("${DS_B}", PROMETHEUS),
        ("team-loki (eu)", "Loki"),
        ("P8E80F9AEF21F6940", PROMETHEUS),
        ({"type": "datasource", "uid": "grafana"}, GRAFANA),
        ({"type": "datasource", "uid": "-- Dashboard --"}, OTHER_PANEL),
        ({"type": "datasource"}, "as its panel"),
        ({"type": "grafana", "uid": "x"}, GRAFANA),
        ({"type": "__expr__", "uid": "prometheus"}, EXPRESSION),
        ({"uid": "-100"}, EXPRESSION),
        ({"name": "Tempo"}, "Tempo"),
        ({"uid": "loki", "name": "Tempo"}, "Loki"),
        ({"type": "$logs", "uid": "tempo"}, "Tempo"),
        ({"type": "acme-source", "uid": "loki"}, "acme-source"),  # a kind of its own
        ({"type": "mixed", "uid": "loki"}, MIXED),
        ("-- Mixed --", MIXED),
        ("-- Grafana --", GRAFANA),
        ("${logs:raw}", "Loki"),
        ("${DS_C}", "acme"),
        ("${DS_D}", "Zipkin"),
        ("[[DS_TEMPO]]", "Tempo"),
        ("$DS_MYSQL", "MySQL"),
        ("of $logs", "Loki"),  # no reference: its words tell
        ("acme-source", PROMETHEUS),
        ("VictoriaMetrics", PROMETHEUS),
        ("victoriametrics-logs-datasource", "VictoriaLogs"),
        ("logs of victoria", "Loki"),
        ("Mimir logs", PROMETHEUS),
        ("promscale-postgres", PROMETHEUS),
        ("azure prometheus", PROMETHEUS),
        ("Logs (Elastic)", "Loki"),
        ("elastic logs", "Elasticsearch"),
    ],
)
def test_a_source_has_the_kind_that_is_said_most_plainly(source: Any, kind: str) -> None:
    """Whether it is a name, a reference or both."""
    assert SOURCES.kind(source, "as its panel") == kind


@pytest.mark.parametrize(
    ("expr", "is_log"),
    [
        ('{job="x"} |= "error"', True),
        ('{job="x"} |~ "error"', True),
        ('{job="x"} != "error"', True),
        ("{job='x'} !~ `error`", True),
        ('{job="x"} != 1', False),
        ('a{job="x"} != b', False),
        ('{job="x"} | json', True),
        ('sum(rate({job="x"} | logfmt | level="a" [5m]))', True),
        ('{job="x"} | line_format "{{.a}}"', True),
        ('{job="x"} | jsonish', False),
        ('bytes_rate({job="x"}[5m])', True),
        ("bytes_over_time(x[5m])", True),
        ("my_bytes_rate(x)", False),
        ('count_over_time({job="x"}[5m])', False),
    ],
)
def test_a_query_of_logs_is_told_by_what_only_logs_have(expr: str, *, is_log: bool) -> None:
    """Filters of lines and parsers; a comparison of series is none."""
    assert is_log_query(expr) == is_log


@pytest.mark.parametrize(
    ("target", "panel", "asks"),
    [
        ({"expr": "up"}, None, True),
        ({"expr": "up"}, "loki", False),
        ({"expr": "up"}, "-- Mixed --", True),
        ({"expr": "up", "datasource": "prometheus"}, "loki", True),
        ({"expr": "up", "datasource": "loki"}, "prometheus", False),
        ({"expr": '{a="b"} |= "c"'}, None, False),
        ({}, "prometheus", True),
    ],
)
def test_a_query_asks_what_it_says_else_what_its_panel_says(
    target: dict[str, Any], panel: Any, *, asks: bool
) -> None:
    """Unless it is one of logs."""
    assert SOURCES.asks_prometheus(target, panel) == asks
