"""Packs for tests of the SLO check: the bundled one, one in an older form, and edits of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from documents.mistakes import Place
from documents.yaml_reader import parse
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles, RuleGroup
from verifier.slo.alignment import differences
from verifier.slo.check import check
from verifier.slo.objectives import objectives
from verifier.slo.policy import read_policy
from verifier.slo.sentences import lines

PACK = Path(__file__).resolve().parents[3] / "observability"
FAST = {"slo": "burn_rate", "window": "fast"}
"""Labels of the alert on the policy's fast window."""
NOW = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)


def edit(path, right, wrong):
    """Replace `right` by `wrong` in a file; it must be there."""
    text = path.read_text()
    assert right in text, (path, right)
    path.write_text(text.replace(right, wrong, 1))


def failed(pack):
    """Return {step: reasons} of the steps that fail."""
    steps = check(pack, checked_at=NOW).steps
    return {step.name: "\n".join(step.reasons) for step in steps if step.status == "fail"}


def statuses(pack):
    """Return {step: status} of all steps."""
    return {step.name: step.status for step in check(pack, checked_at=NOW).steps}


OLDER_RULES = r"""---
groups:
  - name: slo
    rules:
      - alert: AvailabilitySLOBreach
        expr: |
          100 * (1 - (sum(rate(http_requests_total{status=~"5.."}[5m]))
          / sum(rate(http_requests_total[5m])))) < 99.9
        labels: {severity: critical, slo: availability}
        annotations: {summary: "{% raw %}{{ $value | humanizePercentage }}{% endraw %}"}
      - alert: ErrorBudgetExhausted
        expr: |
          100 * ((1 - 0.999) - (sum(rate(http_requests_total{status=~"5.."}[30d]))
          / sum(rate(http_requests_total[30d])))) / (1 - 0.999) < 10
        labels: {severity: warning, slo: error_budget}
        annotations: {summary: budget}
      - alert: FastBurnRateHigh
        expr: |
          (sum(rate(http_requests_total{status=~"5.."}[1h]))
          / sum(rate(http_requests_total[1h]))) / (1 - 0.999) > 14.4
        labels: {severity: critical, slo: burn_rate, window: fast}
        annotations: {summary: fast}
      - alert: SlowBurnRateHigh
        expr: |
          (sum(rate(http_requests_total{status=~"5.."}[6h]))
          / sum(rate(http_requests_total[6h]))) / (1 - 0.999) > 6.0
        labels: {severity: warning, slo: burn_rate, window: slow}
        annotations: {summary: slow}
      - alert: P95LatencySLOBreach
        expr: histogram_quantile(0.95, rate(agentaskit_response_duration_seconds_bucket[5m])) > 0.05
        labels: {severity: warning, slo: latency, percentile: p95}
        annotations: {summary: p95}
      - alert: P99LatencySLOBreach
        expr: 0.1 < histogram_quantile(0.99, rate(agentaskit_response_duration_seconds_bucket[5m]))
        labels: {severity: warning, slo: latency, percentile: p99}
        annotations: {summary: p99}
      - alert: AgentStartupTimeSLOBreach
        expr: histogram_quantile(0.95, rate(agentaskit_agent_startup_duration_seconds_bucket[5m]))
          * 1000 > 100
        labels: {severity: warning, slo: startup_time}
        annotations: {summary: startup}
      - alert: TaskThroughputBelowTarget
        expr: sum(rate(agentaskit_tasks_processed_total[1m])) < 10000
        labels: {severity: warning}
        annotations: {summary: tasks}
      - alert: HighMemoryUsage
        expr: sum(agentaskit_memory_bytes) / 1024 / 1024 / 1024 > 10
        labels: {severity: warning}
        annotations: {summary: memory}
"""


def older_dashboard(throughput=10000, memory=10240, burn_rate=14.4):
    """Return a dashboard as Grafana 5 to 7 wrote them: `graph`, no datasource, rows."""
    errors = (
        'sum(rate(http_requests_total{status=~"5.."}[1h])) / sum(rate(http_requests_total[1h]))'
    )
    graphs = [
        {
            "title": "Tasks",
            "type": "graph",
            "targets": [{"expr": "sum(rate(agentaskit_tasks_processed_total[1m]))"}],
            "alert": {"conditions": [{"evaluator": {"type": "lt", "params": [throughput]}}]},
        },
        {
            "title": "Memory",
            "type": "graph",
            "targets": [{"expr": "sum by (tier) (agentaskit_memory_bytes) / 1024 / 1024"}],
            "thresholds": [{"value": memory, "op": "gt"}],
        },
        {
            "title": "Burn",
            "type": "singlestat",
            "targets": [{"expr": f"({errors}) / (1 - 0.999)"}],
            "thresholds": f"1,{burn_rate}",
        },
    ]
    return json.dumps({"title": "Older", "rows": [{"panels": graphs}]})


def alert(expr, labels):
    """Return an alert on `expr`, of no file."""
    place = Place("rules.yaml", 1, 1)
    return AlertRule("Burn", expr, 0.0, 0.0, tuple(sorted(labels.items())), (), place)


def disagreements(expr, labels=FAST, *, policy="", recordings=()):
    """Return as one text what the policy has against an alert on `expr` with these labels.

    `policy` is added below `availability`; `recordings` are (name, expr) or (name, expr, labels).
    """
    text = (PACK / "slo" / "policies.yaml").read_text()
    text = text.replace("availability:\n", f"availability:\n{policy}", 1)
    reading = read_policy(parse(text, "policies.yaml"))
    assert not reading.invalid, reading.invalid
    assert not reading.missing, reading.missing
    place = Place("rules.yaml", 2, 1)
    rules = [
        RecordingRule(name, recorded, tuple(dict(*labels).items()), place)
        for name, recorded, *labels in recordings
    ]
    rule = alert(expr, labels)
    group = RuleGroup("g", "rules.yaml", 30.0, (*rules, rule))
    files = RuleFiles((group,))
    [objective] = [each for each in objectives(reading.policy) if each.labels == labels]
    return "\n".join(lines(differences(reading.policy, files, objective)))
