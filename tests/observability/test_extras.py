"""The extra alerts do what the nineteen cannot: each reason in extras.yaml, shown by promtool."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def timeline(every_rule, run_tool, tmp_path):
    """Return a function that asks promtool whether alerts fire at given times as expected.

    `expected` is {(alert, time): fires}; only the rules it names are evaluated, every `interval`.
    It returns promtool's exit status and output: status 0 when every expectation holds.
    """

    def run(expected, series, interval="1m"):
        names = {alert for alert, _ in expected}
        rules = [rule for rule in every_rule if rule["alert"] in names]
        assert len(rules) == len(names)
        samples = []
        for (alert, at), fires in expected.items():
            firing = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
            answer = [{"value": int(fires)}]
            expr = f"count({firing}) > bool 0 or vector(0)"
            samples.append({"expr": expr, "eval_time": at, "exp_samples": answer})
        inputs = [{"series": name, "values": values} for name, values in series.items()]
        test = {"interval": interval, "input_series": inputs, "promql_expr_test": samples}
        group = {"name": "extras", "rules": rules}
        (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [group]}))
        whole = {"rule_files": ["rules.yaml"], "evaluation_interval": interval, "tests": [test]}
        (tmp_path / "test.yaml").write_text(json.dumps(whole))
        return run_tool("promtool", "test", "rules", tmp_path / "test.yaml")

    return run


@pytest.fixture
def fires_as_expected(timeline):
    """Return a function that is true when every expectation holds, and would fail inverted."""

    def check(expected, series, interval="1m"):
        status, output = timeline(expected, series, interval)
        assert status == 0, output
        inverted = {alert: not fires for alert, fires in expected.items()}
        assert timeline(inverted, series, interval)[0] == 1
        return True

    return check


def outage(before, during, after):
    """Return requests with a full outage of `during` minutes, 1000 requests a minute."""
    good = f"0+1000x{before} {before * 1000}x{during} {before * 1000}+1000x{after}"
    bad = f"0x{before} 1000+1000x{during - 1} {during * 1000}x{after}"
    return {
        'http_requests_total{status="200"}': good,
        'http_requests_total{status="500"}': bad,
    }


def test_the_fast_burn_alert_with_a_short_window_resolves_minutes_after_the_outage(
    fires_as_expected,
):
    """The 1h window alone still fires half an hour later; both fire while it lasts."""
    expected = {
        ("FastBurnRateHigh", "68m"): True,
        ("ErrorBudgetBurnFast", "68m"): True,
        ("FastBurnRateHigh", "100m"): True,
        ("ErrorBudgetBurnFast", "77m"): False,
    }
    assert fires_as_expected(expected, outage(before=60, during=10, after=60))


def test_the_slow_burn_alert_with_a_short_window_resolves_within_the_hour(fires_as_expected):
    """The 6h window alone fires for hours after. In steps of 5 minutes."""
    expected = {
        ("SlowBurnRateHigh", "380m"): True,
        ("ErrorBudgetBurnSlow", "380m"): True,
        ("SlowBurnRateHigh", "500m"): True,
        ("ErrorBudgetBurnSlow", "415m"): False,
    }
    assert fires_as_expected(expected, outage(before=72, during=4, after=36), "5m")


def test_errors_too_slow_for_the_burn_alerts_are_caught_by_the_creeping_one(fires_as_expected):
    """Three times the allowed rate for four days: budget gone in ten, no burn-rate alert."""
    steps = 4 * 24 * 2
    series = {
        'http_requests_total{status="200"}': f"0+9970x{steps}",
        'http_requests_total{status="500"}': f"0+30x{steps}",
    }
    expected = {
        ("ErrorBudgetBurnCreeping", "4d"): True,
        ("SlowBurnRateHigh", "4d"): False,
        ("FastBurnRateHigh", "4d"): False,
    }
    assert fires_as_expected(expected, series, "30m")


@pytest.mark.parametrize("series", [{'up{job="agentaskit"}': "0x30"}, {"other": "1x30"}])
def test_a_dead_target_and_a_forgotten_one_raise_alerts(fires_as_expected, series):
    """All nineteen are silent then."""
    expected = {
        ("AgentaskitTargetDown", "20m"): True,
        ("ThroughputUnknown", "20m"): True,
        ("TaskThroughputBelowTarget", "20m"): False,
    }
    assert fires_as_expected(expected, series)


def test_a_healthy_target_raises_no_alert(fires_as_expected):
    """The alerts on absence are silent while the metrics are there."""
    series = {
        'up{job="agentaskit"}': "1x30",
        "agentaskit_tasks_processed_total": "0+700000x30",
        "agentaskit_inter_agent_messages_total": "0+7000000x30",
        'http_requests_total{status="200"}': "0+700000x30",
    }
    expected = {
        ("AgentaskitTargetDown", "20m"): False,
        ("ThroughputUnknown", "20m"): False,
        ("NoRequests", "20m"): False,
    }
    assert fires_as_expected(expected, series)


def test_no_requests_at_all_raise_an_alert_although_availability_is_not_a_number(fires_as_expected):
    """0/0 is NaN and never below 99.9."""
    series = {f'http_requests_total{{status="{status}"}}': "5x30" for status in (200, 500)}
    expected = {
        ("NoRequests", "20m"): True,
        ("AvailabilitySLOBreach", "20m"): False,
    }
    assert fires_as_expected(expected, series)


@pytest.mark.parametrize(
    ("metric", "single", "summed"),
    [
        ("agentaskit_agents_started_total", "HighAgentChurnRate", "AgentChurnHigh"),
        (
            "agentaskit_inter_agent_messages_dropped_total",
            "MessageQueueBackpressure",
            "MessagesDropped",
        ),
    ],
)
def test_a_rate_shared_by_two_instances_is_only_caught_in_the_sum(
    fires_as_expected, metric, single, summed
):
    """60/s on each of two instances: no series is above 100/s, the sum is.

    Two samples a minute: a window of one minute holds two of them in every engine.
    """
    series = {f'{metric}{{instance="{name}"}}': "0+1800x60" for name in "ab"}
    expected = {
        (summed, "20m"): True,
        (single, "20m"): False,
    }
    assert fires_as_expected(expected, series, "30s")


def test_one_saturated_cpu_raises_an_alert_although_the_average_is_low(fires_as_expected):
    """One CPU never idle, three half idle: 62 % on average."""
    series = {
        f'node_cpu_seconds_total{{instance="a",cpu="{cpu}",mode="idle"}}': f"0+{idle}x40"
        for cpu, idle in enumerate((0, 30, 30, 30))
    }
    expected = {
        ("CPUSaturated", "30m"): True,
        ("HighCPUUtilization", "30m"): False,
    }
    assert fires_as_expected(expected, series)


def buckets(name, slow):
    """Return a histogram of 100 requests a minute of which `slow` take 50 to 100 ms."""
    counts = {"0.05": 100 - slow, "0.1": 100, "+Inf": 100}
    return {f'{name}_bucket{{le="{le}"}}': f"0+{count}x40" for le, count in counts.items()}


@pytest.mark.parametrize(("http_slow", "fires"), [(2, True), (20, False)])
def test_response_times_that_disagree_raise_an_alert(fires_as_expected, http_slow, fires):
    """The response time breaks the objective; the HTTP time with it, or alone not."""
    series = buckets("agentaskit_response_duration_seconds", 20)
    series |= buckets("http_request_duration_seconds", http_slow)
    expected = {
        ("ResponseTimesDisagree", "35m"): fires,
    }
    assert fires_as_expected(expected, series)
