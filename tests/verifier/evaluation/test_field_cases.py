"""Rules from the field that hang on when they are evaluated, and others of their kinds.

Boiled down from public reports: a `for` longer than what is watched, rules that read themselves or
alert states, windows no wider than a scrape, offsets into the future, labels that change with the
value. What a server would have seen at each evaluation decides.
"""

from __future__ import annotations

import pytest

from tests.verifier.histories import rules
from tests.verifier.simulations import scenario_of, verify

QUIET = "duration: 20m\nload: {rate: 1000}\n"
LEAK = """\
duration: 20m
load: {rate: 1000}
faults:
- {name: leaking, fault: sandbox_leak, start: 8m, duration: 8m, targets: {sandboxes: [B]},
   parameters: {share: 0.95}}
expectations:
"""
DROP = """\
duration: 12m
load: {rate: 1000}
faults:
- {name: gone, fault: traffic_drop, start: 3m, duration: 6m, parameters: {share: 0.4}}
expectations:
"""
FREE = 'agentaskit_sandbox_pool_available{sandbox_type="B"}'
NEVER_OVER = "100 - (rate(agentaskit_memory_bytes[30m]) / agentaskit_memory_bytes * 100) < 200"
WINDOW_AHEAD = f"min_over_time({FREE}[1m] offset -3m) < 40"


def judged(tmp_path, scenario, *written, interval="30s"):
    """Judge a scenario by rules of one group."""
    return verify(scenario_of(scenario), rules(tmp_path, *written, interval=interval))


def unexpected(outcome):
    """Return the alerts that fired and were not to."""
    return {alert.alert for alert in outcome.alerts if not alert.ok and alert.firing_s is not None}


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "alert",
    [
        # As reported: always true, with a `for` of an hour, of a week, and for speed of a day.
        {"expr": "sum(agentaskit_active_agents) < 5000", "for": "1h"},
        {"expr": NEVER_OVER, "for": "1d"},
        pytest.param({"expr": NEVER_OVER, "for": "1w"}, marks=pytest.mark.long),
        {
            "expr": '1 - clamp_max(((sum(rate(agentaskit_tasks_processed_total{outcome="ok"}[5m]))'
            " * 300) or vector(0)), 1)",
            "for": "60m",
        },
        # Of other shapes: through a recording rule, by `keep_firing_for`, with a window as well.
        {"expr": "min_over_time(agents:sum[2h]) > 0", "for": "90m"},
        {"expr": "count_over_time(agents:sum[45m]) > 80", "for": "40m", "keep_firing_for": "2h"},
        {"expr": "absent(agentaskit_of_nobody)", "for": "3h"},
    ],
)
def test_what_held_all_of_the_past_fires_however_long_its_for(tmp_path, alert):
    """Its silence within twenty minutes would mean nothing."""
    record = {"record": "agents:sum", "expr": "sum(agentaskit_active_agents)"}
    outcome = judged(tmp_path, QUIET, record, {"alert": "Always", **alert})
    assert unexpected(outcome) == {"Always"}
    assert all(alert.firing_s < 0 for alert in outcome.alerts if alert.firing_s is not None)


def test_what_did_not_hold_before_needs_its_for_from_the_fault_on(tmp_path):
    """The past counts as it was: a leak of eight minutes is none of ten."""
    short, long = ({"alert": f"For{m}", "expr": f"{FREE} < 200", "for": f"{m}m"} for m in (5, 10))
    expected = "- {alert: For5, fires_within: 8m}\n- {alert: For10, silent: true}\n"
    outcome = judged(tmp_path, LEAK + expected, short, long)
    fired = {alert.alert: alert.firing_s is not None for alert in outcome.alerts}
    assert fired == {"For5": True, "For10": False}


def test_rules_that_read_themselves_are_judged(tmp_path):
    """The last known value; of other shapes: a latch, a smoothed value, two in a circle."""
    outcome = judged(
        tmp_path,
        LEAK + "- {alert: PoolLow, fires_within: 5m}\n- {alert: WasLow, fires_within: 5m}\n"
        "- {alert: Smooth, fires_within: 8m}\n- {alert: Pair, fires_within: 5m}\n",
        {"record": "pool:free:last", "expr": f"{FREE} or pool:free:last"},
        {"alert": "PoolLow", "expr": "pool:free:last < 40"},
        {"record": "pool:low", "expr": f"max({FREE} < bool 40) > 0 or pool:low"},
        {"alert": "WasLow", "expr": "pool:low == 1"},
        {
            "record": "pool:smooth",
            "expr": f"0.5 * max({FREE}) + 0.5 * max(pool:smooth) or max({FREE})",
        },
        {"alert": "Smooth", "expr": "pool:smooth < 60"},
        {"record": "pool:ping", "expr": f"max({FREE}) or max(pool:pong)"},
        {"record": "pool:pong", "expr": "max(pool:ping)"},
        {"alert": "Pair", "expr": "pool:pong < 40"},
        interval="1m",
    )
    assert unexpected(outcome) == set()
    episodes = {alert.alert: alert for alert in outcome.alerts}
    assert all(alert.firing_s is not None for alert in episodes.values())
    assert episodes["PoolLow"].resolved_s is not None
    assert episodes["WasLow"].resolved_s is None  # latched


def test_rules_that_read_alert_states_are_judged(tmp_path):
    """A count of alerts; of other shapes: one that is inhibited, one that counts over time."""
    outcome = judged(
        tmp_path,
        LEAK + "- {alert: PoolLow, fires_within: 5m}\n- {alert: Some, fires_within: 5m}\n"
        "- {alert: Window, fires_within: 6m}\n- {alert: Calm, silent: true}\n",
        {"alert": "PoolLow", "expr": f"{FREE} < 40", "for": "1m"},
        {
            "alert": "Some",
            "expr": 'count(ALERTS{alertstate="firing", alertname!~"Some|Many"}) > 0',
        },
        {"alert": "Many", "expr": 'count(ALERTS{alertstate="firing", alertname!="Many"}) > 9'},
        {"alert": "Calm", "expr": f'{FREE} < 40 unless on() ALERTS{{alertname="PoolLow"}}'},
        {
            "alert": "Window",
            "expr": 'sum_over_time(ALERTS{alertname="PoolLow", alertstate="firing"}[5m]) > 3',
        },
        interval="1m",
    )
    assert unexpected(outcome) == set()
    assert {alert.alert for alert in outcome.alerts if alert.firing_s is not None} == {
        "PoolLow",
        "Some",
        "Window",
    }


NARROW = [
    "rate(http_requests_total[15s])",
    # Of other shapes: another function, a window below a scrape, another metric.
    "increase(http_requests_total[14s])",
    "irate(http_requests_total[5s])",
    "rate(agentaskit_tasks_processed_total[15s])",
]
AHEAD = [
    f"{FREE} offset -4m < 40",
    # Of other shapes: a window that ends ahead, a subquery ahead, the end of a range.
    WINDOW_AHEAD,
    f"min_over_time({FREE}[5m:15s] offset -4m) < 40",
    f"{FREE} @ end() < 40",
]
TEMPLATES = {
    "{{ if lt $value 0.1 }}critical{{ else }}warning{{ end }}": {"critical", "warning"},
    # Of other shapes: a number as text, a pipeline of functions, a comparison of labels.
    '{{ printf "%.0f" $value }}': {"0"},
    "{{ $value | humanizePercentage | len }}": {"5", "6"},
    '{{ if eq $labels.sandbox_type "B" }}critical{{ end }}': {"critical"},
}


@pytest.fixture(scope="module")
def drop(tmp_path_factory):
    """Judge a drop of traffic by what reads windows no wider than a scrape; two alerts of each."""
    expected = "".join(f"- {{alert: Low{n}, fires_within: 5m}}\n" for n in range(len(NARROW)))
    written = [
        alert
        for n, narrow in enumerate(NARROW)
        for alert in (
            {"alert": f"Low{n}", "expr": f"sum({narrow}) < 8000", "for": "2m"},
            {"alert": f"Unseen{n}", "expr": f"absent({narrow})", "for": "2m"},
        )
    ]
    return judged(tmp_path_factory.mktemp("drop"), DROP + expected, *written)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("narrow", NARROW)
def test_a_window_no_wider_than_a_scrape_holds_no_rate(drop, narrow):
    """Scrapes and evaluations never fall on the same millisecond, so it holds one sample."""
    number = NARROW.index(narrow)
    (low,) = [alert for alert in drop.alerts if alert.alert == f"Low{number}"]
    assert low.firing_s is None
    assert not low.ok
    assert unexpected(drop) == {f"Unseen{n}" for n in range(len(NARROW))}


@pytest.fixture(scope="module")
def leak(tmp_path_factory):
    """Judge a leak by what looks ahead, and by alerts whose severity is a template."""
    names = [f"Ahead{n}" for n in range(len(AHEAD))]
    expected = "".join(f"- {{alert: {name}, fires_within: 8m}}\n" for name in names)
    share = "agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.5"
    written = [
        {"alert": name, "expr": ahead, "for": "1m"}
        for name, ahead in zip(names, AHEAD, strict=True)
    ]
    for number, template in enumerate(TEMPLATES):
        expected += f"- {{alert: RunsDry{number}, fires_within: 5m}}\n"
        labels = {"severity": template}
        written.append({"alert": f"RunsDry{number}", "expr": share, "labels": labels})
    return judged(tmp_path_factory.mktemp("leak"), LEAK + expected, *written)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("ahead", AHEAD)
def test_an_alert_never_comes_before_its_cause(leak, ahead):
    """At a rule's time the future is not stored."""
    (verdict,) = [each for each in leak.alerts if each.alert == f"Ahead{AHEAD.index(ahead)}"]
    if ahead == WINDOW_AHEAD:
        assert verdict.firing_s is None  # the whole window lies ahead
    else:
        assert (verdict.ok, verdict.reason[:5]) == (True, "fired")
        assert verdict.pending_s > 0


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_severity_by_template_is_what_the_engine_makes_of_it(leak, template):
    """When the label changes with the value, the alert of the other severity starts anew."""
    alert = f"RunsDry{list(TEMPLATES).index(template)}"
    severities = {
        dict(verdict.labels).get("severity") for verdict in leak.alerts if verdict.alert == alert
    }
    assert severities & TEMPLATES[template]
    assert leak.not_judged == ()
