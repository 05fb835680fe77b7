"""Which kind of data source a panel, a query or a variable asks.

Grafana names a source by its name, by type and identifier, by an input that is filled in at import,
or by a variable. What cannot be resolved and does not look like another kind is Prometheus.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documents.document import Value

PROMETHEUS: Final = "Prometheus"
EXPRESSION: Final = "an expression of Grafana's own"
GRAFANA: Final = "Grafana itself"
OTHER_PANEL: Final = "another panel"
MIXED: Final = "mixed"

_SPEAK_PROMQL: Final = ("mimir", "thanos", "cortex", "victoriametrics", "amazonprometheus")
"""Words of names of sources that are asked in PromQL, whatever else the name holds."""

_KINDS: Final = {
    "alertmanager": "Alertmanager",
    "athena": "Athena",
    "azure": "Azure Monitor",
    "bigquery": "BigQuery",
    "clickhouse": "ClickHouse",
    "cloudwatch": "CloudWatch",
    "datadog": "Datadog",
    "druid": "Druid",
    "dynatrace": "Dynatrace",
    "elastic": "Elasticsearch",
    "elasticsearch": "Elasticsearch",
    "flux": "InfluxDB",
    "github": "GitHub",
    "graphite": "Graphite",
    "infinity": "Infinity",
    "influx": "InfluxDB",
    "influxdb": "InfluxDB",
    "jaeger": "Jaeger",
    "jira": "Jira",
    "json": "JSON",
    "kairosdb": "KairosDB",
    "loki": "Loki",
    "logs": "Loki",
    "mongodb": "MongoDB",
    "mssql": "Microsoft SQL Server",
    "mysql": "MySQL",
    "newrelic": "New Relic",
    "opensearch": "OpenSearch",
    "opentsdb": "OpenTSDB",
    "oracle": "Oracle",
    "parca": "Parca",
    "postgres": "PostgreSQL",
    "postgresql": "PostgreSQL",
    "pyroscope": "Pyroscope",
    "redis": "Redis",
    "snowflake": "Snowflake",
    "splunk": "Splunk",
    "sqlite": "SQLite",
    "stackdriver": "Google Cloud Monitoring",
    "tempo": "Tempo",
    "testdata": "TestData",
    "timestream": "Timestream",
    "victorialogs": "VictoriaLogs",
    "zabbix": "Zabbix",
    "zipkin": "Zipkin",
}
"""Words of types and names of sources that are something else, and what to call those."""

_OWN: Final = {
    "__expr__": EXPRESSION,
    "-100": EXPRESSION,
    "-- Grafana --": GRAFANA,
    "grafana": GRAFANA,
    "-- Dashboard --": OTHER_PANEL,
    "-- Mixed --": MIXED,
}
_REFERENCE: Final = re.compile(r"\$\{([^}:]+)(?::[^}]*)?\}|\[\[(\w+)\]\]|\$(\w+)")
_LOG_QUERY: Final = re.compile(
    r"\}\s*(?:\|[=~]|!=\s*[\"`]|!~\s*[\"`])|\}[^\"`]*\|\s*(?:json|logfmt|pattern|regexp|unpack|"
    r"line_format|label_format|unwrap)\b|\b(?:bytes_rate|bytes_over_time)\("
)
"""What only the language of logs has: filters of lines, and parsers after a bar."""


class DataSources:
    """The sources that a dashboard names by an input or by a variable."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._kinds: dict[str, str] = {}

    def add_input(self, raw: Mapping[str, Value]) -> None:
        """Take an entry of `__inputs`."""
        if raw.get("type") == "datasource":
            kind = str(raw.get("pluginId") or raw.get("pluginName") or "")
            self._kinds[str(raw.get("name"))] = kind_of_type(kind)

    def add_variable(self, raw: Mapping[str, Value]) -> None:
        """Take a variable of type `datasource`; its query names the kind."""
        self._kinds[str(raw.get("name"))] = kind_of_type(str(raw.get("query") or ""))

    def kind(self, source: Value, default: str = PROMETHEUS) -> str:
        """Return what the `datasource` of a panel or a query is; `default` when it says nothing."""
        if isinstance(source, dict):
            stated = str(source.get("type") or "")
            name = str(source.get("uid") or source.get("name") or "")
            if stated and stated not in ("datasource", "mixed") and not _REFERENCE.search(stated):
                return _OWN.get(stated) or kind_of_type(stated)
            if stated == "mixed":
                return MIXED
            return self._of_text(name) if name else default
        return default if source in (None, "", "default") else self._of_text(str(source))

    def asks_prometheus(self, target: Mapping[str, Value], panel_source: Value) -> bool:
        """Return whether a panel's query is PromQL for a Prometheus, by what the two say."""
        kind = self.kind(target.get("datasource"), self.kind(panel_source))
        expr = target.get("expr")
        is_log = isinstance(expr, str) and is_log_query(expr)
        return kind in (PROMETHEUS, MIXED) and not is_log

    def _of_text(self, name: str) -> str:
        if name in _OWN:
            return _OWN[name]
        reference = _REFERENCE.fullmatch(name)
        if reference is None:
            return kind_of_name(name)
        variable = reference[1] or reference[2] or reference[3]
        return self._kinds.get(variable) or kind_of_name(variable)


def kind_of_name(name: str) -> str:
    """Return the kind that a name tells: another one where a word of it is that of one."""
    return _known_kind(name) or PROMETHEUS


def kind_of_type(stated: str) -> str:
    """Return the kind that a type tells; one that nobody here knows is a kind of its own."""
    return _known_kind(stated) or stated or PROMETHEUS


def _known_kind(name: str) -> str | None:
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    if "victoriametrics" in words and "logs" in words:
        return "VictoriaLogs"
    if any(word.startswith("prom") or "prometheus" in word for word in words):
        return PROMETHEUS
    if any(word in _SPEAK_PROMQL for word in words):
        return PROMETHEUS
    return next((_KINDS[word] for word in words if word in _KINDS), None)


def is_log_query(expr: str) -> bool:
    """Return whether a query is written in the language of Loki and cannot be PromQL."""
    return _LOG_QUERY.search(expr) is not None
