"""The nineteen alerts against the contract, written out here once more by hand."""

from __future__ import annotations

import copy

import pytest

from tests.observability.names import EXPORTED, canonical, metrics_of

WARNING, CRITICAL = {"severity": "warning"}, {"severity": "critical"}
ERRORS = (
    'sum(rate(http_requests_total{{status=~"5.."}}[{0}])) / sum(rate(http_requests_total[{0}]))'
)


def quantile(share, name):
    """Return the quantile of a histogram of the last 5 minutes."""
    return f"histogram_quantile({share}, sum by (le) (rate(agentaskit_{name}_bucket[5m])))"


RESPONSE, STARTUP = "response_duration_seconds", "agent_startup_duration_seconds"
CPU_IDLE = 'avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))'
CONTRACT = {
    "slo.yaml": {
        "AvailabilitySLOBreach": (
            f"100 * (1 - {ERRORS.format('5m')}) < 99.9",
            "5m",
            CRITICAL | {"slo": "availability"},
        ),
        "ErrorBudgetExhausted": (
            f"100 * (0.001 - {ERRORS.format('30d')}) / 0.001 < 10",
            "10m",
            WARNING | {"slo": "error_budget"},
        ),
        "FastBurnRateHigh": (
            f"{ERRORS.format('1h')} / 0.001 > 14.4",
            "2m",
            CRITICAL | {"slo": "burn_rate", "window": "fast"},
        ),
        "SlowBurnRateHigh": (
            f"{ERRORS.format('6h')} / 0.001 > 6.0",
            "15m",
            WARNING | {"slo": "burn_rate", "window": "slow"},
        ),
        "P95LatencySLOBreach": (
            f"{quantile(0.95, RESPONSE)} * 1000 > 50",
            "5m",
            WARNING | {"slo": "latency", "percentile": "p95"},
        ),
        "P99LatencySLOBreach": (
            f"{quantile(0.99, RESPONSE)} * 1000 > 100",
            "5m",
            WARNING | {"slo": "latency", "percentile": "p99"},
        ),
        "AgentStartupTimeSLOBreach": (
            f"{quantile(0.95, STARTUP)} * 1000 > 100",
            "5m",
            WARNING | {"slo": "startup_time"},
        ),
    },
    "performance.yaml": {
        "TaskThroughputBelowTarget": (
            "sum(rate(agentaskit_tasks_processed_total[1m])) < 10000",
            "5m",
            WARNING | {"component": "orchestrator"},
        ),
        "MessageThroughputBelowTarget": (
            "sum(rate(agentaskit_inter_agent_messages_total[1m])) < 100000",
            "5m",
            WARNING | {"component": "messaging"},
        ),
        "HighTaskProcessingTime": (
            f"{quantile(0.95, 'task_duration_seconds')} > 1.0",
            "5m",
            WARNING | {"component": "tasks"},
        ),
        "AgentStartupSlow": (
            f"{quantile(0.95, STARTUP)} * 1000 > 100",
            "5m",
            WARNING | {"component": "agents"},
        ),
        "HighAgentChurnRate": (
            "rate(agentaskit_agents_started_total[5m]) > 100",
            "5m",
            WARNING | {"component": "agents"},
        ),
        "AgentCapacityNearLimit": (
            "sum(agentaskit_active_agents) / 928 > 0.9",
            "10m",
            WARNING | {"component": "orchestrator"},
        ),
        "HighMemoryUsage": (
            "sum(agentaskit_memory_bytes) > 10 * 1024 * 1024 * 1024",
            "5m",
            WARNING | {"component": "resources"},
        ),
        "HighCPUUtilization": (
            f"100 * (1 - {CPU_IDLE}) > 80",
            "10m",
            WARNING | {"component": "resources"},
        ),
    },
    "backpressure.yaml": {
        "HighTaskQueueDepth": (
            "agentaskit_task_queue_depth > 1000",
            "5m",
            WARNING | {"component": "orchestrator"},
        ),
        "CriticalTaskQueueDepth": (
            "agentaskit_task_queue_depth > 5000",
            "2m",
            CRITICAL | {"component": "orchestrator"},
        ),
        "MessageQueueBackpressure": (
            "rate(agentaskit_inter_agent_messages_dropped_total[1m]) > 100",
            "3m",
            WARNING | {"component": "messaging"},
        ),
        "SandboxPoolExhaustion": (
            "agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.1",
            "2m",
            WARNING | {"component": "sandbox"},
        ),
    },
}


def differences(rules, contract):
    """Return one line for everything in which the rules differ from the contract."""
    differences = []
    for file, alerts in contract.items():
        names = [rule["alert"] for rule in rules[file]]
        differences += [f"{file}: {name} is missing" for name in alerts if name not in names]
        differences += [
            f"{file}: {name} is not in the contract" for name in names if name not in alerts
        ]
        for rule in rules[file]:
            if rule["alert"] not in alerts:
                continue
            expr, duration, labels = alerts[rule["alert"]]
            if canonical(rule["expr"]) != canonical(expr):
                differences.append(f"{rule['alert']}: expr")
            if rule["for"] != duration:
                differences.append(f"{rule['alert']}: for")
            if rule["labels"] != labels:
                differences.append(f"{rule['alert']}: labels")
    return differences


def test_the_nineteen_have_the_condition_for_and_labels_of_the_contract(rules):
    """Every one of them, and no other, in the file where users expect it."""
    assert differences(rules, CONTRACT) == []
    assert [len(alerts) for alerts in CONTRACT.values()] == [7, 8, 4]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda r: r.update(expr=r["expr"].replace("99.9", "99.5")), "expr"),
        (lambda r: r.update(expr=r["expr"].replace("[5m]", "[10m]")), "expr"),
        (lambda r: r.update(expr=r["expr"].replace("5..", "5.*")), "expr"),
        (lambda r: r.update({"for": "6m"}), "for"),
        (lambda r: r["labels"].update(severity="warning"), "labels"),
        (lambda r: r["labels"].update(component="gateway"), "labels"),
    ],
)
def test_a_changed_rule_is_caught(rules, change, difference):
    """The comparison sees a threshold, a window, a matcher, a `for` and a label that differ."""
    changed = copy.deepcopy(rules)
    change(changed["slo.yaml"][0])
    assert differences(changed, CONTRACT) == [f"AvailabilitySLOBreach: {difference}"]


def test_a_missing_and_a_foreign_rule_are_caught(rules):
    """A renamed alert is one that is missing and one that does not belong there."""
    changed = copy.deepcopy(rules)
    changed["backpressure.yaml"][0]["alert"] = "QueueDeep"
    assert differences(changed, CONTRACT) == [
        "backpressure.yaml: HighTaskQueueDepth is missing",
        "backpressure.yaml: QueueDeep is not in the contract",
    ]


def test_every_group_is_evaluated_every_30_seconds(groups):
    """In all four files."""
    assert {group["interval"] for read in groups.values() for group in read} == {"30s"}


def test_no_extra_has_the_name_of_one_of_the_nineteen(every_rule):
    """Otherwise the extras would change the contract by the back door."""
    names = [rule["alert"] for rule in every_rule]
    assert len(names) == len(set(names)) >= 19 + 5


def test_promtool_accepts_every_alert_file_and_refuses_a_broken_one(pack, run_tool, tmp_path):
    """`promtool check rules` applies the checks of Prometheus itself at start-up."""
    files = sorted((pack / "alerts").iterdir())
    status, output = run_tool("promtool", "check", "rules", *files)
    assert status == 0, output
    assert output.count("SUCCESS") == 4
    broken = tmp_path / "broken.yaml"
    broken.write_text(files[0].read_text().replace("> 1000", "> > 1000"))
    assert run_tool("promtool", "check", "rules", broken)[0] != 0


def test_every_metric_of_every_rule_is_exported(every_rule):
    """`up` is Prometheus's own. A name that is not exported makes a rule that never fires."""
    for rule in every_rule:
        assert metrics_of(rule["expr"]) <= EXPORTED | {"up"}, rule["alert"]
    assert not metrics_of("agentaskit_queue_depth > 1") <= EXPORTED


def test_every_rule_says_summary_description_and_runbook(every_rule, pack):
    """The link ends in the name of a runbook that is there."""
    for rule in every_rule:
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}, rule["alert"]
        url = f"observability/runbooks/{rule['alert']}.md"
        assert notes["runbook_url"].startswith("https://")
        assert notes["runbook_url"].endswith(url)
        assert (pack.parent / url).is_file()


def test_no_annotation_holds_the_residue_of_another_template_language(pack):
    """`{% raw %}` of Jinja would reach the reader literally."""
    for path in (pack / "alerts").iterdir():
        assert "{%" not in path.read_text(), path
