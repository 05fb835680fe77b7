"""What the reader of an alert reads: the annotations of all nineteen, rendered by Prometheus."""

from __future__ import annotations

import json
import re

import pytest


def histogram(name, fast, slow):
    """Return series of which everything falls between `fast` and `slow`, 100 a minute."""
    bucket = f"agentaskit_{name}_seconds_bucket"
    return {
        f'{bucket}{{le="{fast}"}}': "0+0x40",
        f'{bucket}{{le="{slow}"}}': "0+100x40",
        f'{bucket}{{le="+Inf"}}': "0+100x40",
    }


def requests(good, bad):
    """Return requests a minute, answered well and badly."""
    name = "http_requests_total"
    return {f'{name}{{status="200"}}': f"0+{good}x40", f'{name}{{status="500"}}': f"0+{bad}x40"}


QUEUE = 'agentaskit_task_queue_depth{priority="low"}'
# alert: (series, further labels of the alert, summary, what the description must say)
RENDERED = {
    "AvailabilitySLOBreach": (
        requests(995, 5),
        {},
        "Availability is 99.50 %, below the SLO of 99.9 %",
        (
            "99.50 % of the HTTP requests of the last 5 minutes were answered without a 5xx "
            "status; "
            "the objective is 99.9 %."
        ),
    ),
    "ErrorBudgetExhausted": (
        requests(996, 4),
        {},
        "Only -300.0 % of the 30-day error budget is left",
        (
            "-300.0 % of the error budget of the last 30 days remains (0.1 % of the requests may "
            "fail; "
            "a negative figure means it is overspent). The limit is 10 %."
        ),
    ),
    "FastBurnRateHigh": (
        requests(980, 20),
        {},
        "The error budget burns 20.0 times too fast over 1 hour",
        (
            "Over the last hour errors came 20.0 times as fast as the 99.9 % objective allows; "
            "the limit is 14.4 (2 % of a 30-day budget in one hour)."
        ),
    ),
    "SlowBurnRateHigh": (
        requests(993, 7),
        {},
        "The error budget burns 7.0 times too fast over 6 hours",
        (
            "Over the last 6 hours errors came 7.0 times as fast as the 99.9 % objective allows; "
            "the limit is 6.0 (5 % of a 30-day budget in six hours)."
        ),
    ),
    "P95LatencySLOBreach": (
        histogram("response_duration", 0.05, 0.1),
        {},
        "P95 response time is 97.5 ms, above the SLO of 50 ms",
        (
            "The slowest 5 % of the responses of the last 5 minutes took at least 97.5 ms; "
            "the objective for P95 is 50 ms."
        ),
    ),
    "P99LatencySLOBreach": (
        histogram("response_duration", 0.1, 0.2),
        {},
        "P99 response time is 199.0 ms, above the SLO of 100 ms",
        (
            "The slowest 1 % of the responses of the last 5 minutes took at least 199.0 ms; "
            "the objective for P99 is 100 ms."
        ),
    ),
    "AgentStartupTimeSLOBreach": (
        histogram("agent_startup_duration", 0.1, 0.2),
        {},
        "P95 agent start-up time is 195.0 ms, above the SLO of 100 ms",
        (
            "The slowest 5 % of the agents started in the last 5 minutes took at least 195.0 ms "
            "to become ready; the objective for P95 is 100 ms."
        ),
    ),
    "TaskThroughputBelowTarget": (
        {"agentaskit_tasks_processed_total": "0+480000x40"},
        {},
        "Only 8000 tasks/s are processed, below the target of 10000",
        (
            "8000 tasks/s were processed over the last minute, all tiers together; "
            "the target is 10000 tasks/s."
        ),
    ),
    "MessageThroughputBelowTarget": (
        {"agentaskit_inter_agent_messages_total": "0+5400000x40"},
        {},
        "Only 90000 messages/s pass between agents, below the target of 100000",
        (
            "90000 inter-agent messages/s were sent over the last minute; "
            "the target is 100000 messages/s."
        ),
    ),
    "HighTaskProcessingTime": (
        histogram("task_duration", 1, 2),
        {},
        "P95 task processing time is 1.95 s, above 1 s",
        (
            "The slowest 5 % of the tasks finished in the last 5 minutes took at least 1.95 s; "
            "the limit for P95 is 1 s."
        ),
    ),
    "AgentStartupSlow": (
        histogram("agent_startup_duration", 0.1, 0.2),
        {},
        "P95 agent start-up time is 195.0 ms, above 100 ms",
        (
            "The slowest 5 % of the agents started in the last 5 minutes took at least 195.0 ms "
            "to become ready; the limit for P95 is 100 ms."
        ),
    ),
    "HighAgentChurnRate": (
        {"agentaskit_agents_started_total": "0+9000x40"},
        {},
        "150 agents/s are started, above 100",
        (
            "Agents were started at 150 per second over the last 5 minutes; "
            "above 100 per second the fleet restarts more than it works."
        ),
    ),
    "AgentCapacityNearLimit": (
        {
            'agentaskit_active_agents{tier="micro"}': "600x40",
            'agentaskit_active_agents{tier="specialist"}': "250x40",
        },
        {},
        "91.59% of the 928 agents are active, above 90 %",
        (
            "91.59% of the fleet of 928 agents is active; above 90 % little is left for a surge "
            "or for agents that fail."
        ),
    ),
    "HighMemoryUsage": (
        {'agentaskit_memory_bytes{tier="micro"}': f"{12 * 1024**3}x40"},
        {},
        "Agents use 12GiB of memory, above 10 GiB",
        "All tiers together hold 12GiB of memory; the limit is 10 GiB.",
    ),
    "HighCPUUtilization": (
        {'node_cpu_seconds_total{cpu="0",mode="idle"}': "0+6x40"},
        {},
        "CPU utilisation is 90.0 %, above 80 %",
        (
            "The hosts were busy 90.0 % of the last 5 minutes, averaged over all CPUs; "
            "the limit is 80 %."
        ),
    ),
    "HighTaskQueueDepth": (
        {QUEUE: "1500x40"},
        {"priority": "low"},
        "1500 low tasks are queued, above 1000",
        (
            "The queue of low tasks holds 1500 tasks; above 1000 tasks arrive faster than agents "
            "take them."
        ),
    ),
    "CriticalTaskQueueDepth": (
        {QUEUE: "6000x40"},
        {"priority": "low"},
        "6000 low tasks are queued, above 5000",
        "The queue of low tasks holds 6000 tasks; above 5000 tasks time out or are refused.",
    ),
    "MessageQueueBackpressure": (
        {"agentaskit_inter_agent_messages_dropped_total": "0+12000x40"},
        {},
        "200 messages/s are dropped, above 100",
        (
            "Full inboxes dropped 200 inter-agent messages per second over the last minute; "
            "the limit is 100 per second."
        ),
    ),
    "SandboxPoolExhaustion": (
        {
            'agentaskit_sandbox_pool_available{sandbox_type="B"}': "5x40",
            'agentaskit_sandbox_pool_total{sandbox_type="B"}': "200x40",
        },
        {"sandbox_type": "B"},
        "Sandbox pool B has 2.5% of its slots free, below 10 %",
        (
            "Only 2.5% of the slots of sandbox pool B are available; the limit is 10 %. "
            "Tasks that need it wait while they hold their agent."
        ),
    ),
}


def halved(values):
    """Return the values of a minute's steps in steps of 30 s.

    A window of one minute then holds two samples: in Prometheus 3 its left end is open.
    """
    start, growth, steps = re.fullmatch(r"([\d.]+)(?:\+([\d.]+))?x(\d+)", values).groups()
    step = "" if growth is None else f"+{float(growth) / 2:g}"
    return f"{start}{step}x{2 * int(steps)}"


def render(rule_files, rules, directory):
    """Write a promtool test that expects the text of `RENDERED` for every rule; return its path."""
    tests = []
    for rule in rules:
        series, labels, summary, description = RENDERED[rule["alert"]]
        url = rule["annotations"]["runbook_url"]
        expected = {
            "exp_labels": rule["labels"] | labels,
            "exp_annotations": {
                "summary": summary,
                "description": description,
                "runbook_url": url,
            },
        }
        test = {"alertname": rule["alert"], "eval_time": "30m", "exp_alerts": [expected]}
        inputs = [{"series": name, "values": halved(values)} for name, values in series.items()]
        tests.append({"interval": "30s", "input_series": inputs, "alert_rule_test": [test]})
    path = directory / "annotations.test.yaml"
    whole = {"rule_files": list(map(str, rule_files)), "tests": tests}
    path.write_text(json.dumps({"evaluation_interval": "1m"} | whole))
    return path


@pytest.fixture
def files(pack):
    """Return the three files of the contract."""
    return [pack / "alerts" / f"{name}.yaml" for name in ("slo", "performance", "backpressure")]


@pytest.mark.ci
def test_the_annotations_of_all_nineteen_read_well(files, nineteen, run_tool, tmp_path):
    """Summary, description, link and labels, by value, as Prometheus renders them."""
    assert len(nineteen) == len(RENDERED) == 19
    status, output = run_tool("promtool", "test", "rules", render(files, nineteen, tmp_path))
    assert status == 0, output


WRONG = {
    '{{ printf "%.2f" $value }} %, below': "{{ $value | humanizePercentage }}, below",
    "{{ $value | humanize1024 }}B of memory, above": "{% raw %}{{ $value }}{% endraw %}, above",
    "{{ $labels.priority }} tasks are": "{{ $labels.queue }} tasks are",
}
"""A percentage shown as 9950 %, Jinja residue, a label that is not there."""
PLANTED = [
    *("AvailabilitySLOBreach", "HighMemoryUsage", "HighTaskQueueDepth", "CriticalTaskQueueDepth"),
]
"""The alerts in which they stand."""


@pytest.mark.ci
def test_annotations_that_read_wrongly_are_detected(files, nineteen, run_tool, tmp_path):
    """Each of them, in the alert in which it stands."""
    copies, changed = [], set()
    for file in files:
        text = file.read_text()
        for right, wrong in WRONG.items():
            changed |= {wrong} if right in text else set()
            text = text.replace(right, wrong)
        copies.append(tmp_path / file.name)
        copies[-1].write_text(text)
    assert changed == set(WRONG.values())
    wrong = [*PLANTED, "AgentStartupSlow"]  # one reads as well as before
    some = [rule for rule in nineteen if rule["alert"] in wrong]
    assert len(some) == len(wrong)
    status, output = run_tool("promtool", "test", "rules", render(copies, some, tmp_path))
    assert status != 0, output
    assert re.findall(r"alertname: (\w+), time", output) == PLANTED
