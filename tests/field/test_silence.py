"""Rules whose silence or failure says nothing by itself: what the verdict says of it.

Each kind as it was reported, and in three further shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.verifier.histories import rules
from tests.verifier.simulations import scenario_of, verify

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

QUIET = "duration: 20m\n"
ERRORS = 'http_requests_total{code=~"5.."}'
QUEUE = "agentaskit_task_queue_depth"


def verdicts_on(
    folder: Path, written: dict[str, str], *, expectations: str = "", **keys: Any
) -> tuple[ScenarioOutcome, dict[str, AlertVerdict]]:
    """Judge alerts by their expressions on twenty quiet minutes; `for` is five of them."""
    listed = [{"alert": name, "expr": expr, "for": "5m", **keys} for name, expr in written.items()]
    outcome = verify(scenario_of(QUIET + expectations), rules(folder, *listed, interval="30s"))
    return outcome, {alert.alert: alert for alert in outcome.alerts}


DEAD = {
    "QueueLong": ("agentaskit_tasks_queue_depth > 1000", f"did you mean {QUEUE}?"),
    "QueueLongUrgent": (f'{QUEUE}{{priority="urgent"}} > 100', "priority is critical, high, low"),
    "ErrorsHigh": (
        f"sum(rate({ERRORS}[5m])) / sum(rate(http_requests_total[5m])) > 0.05",
        "http_requests_total has no label code, did you mean 'status'?",
    ),
    "Mismatched": (
        f"sum by (priority) ({QUEUE}) / sum by (tier) (agentaskit_active_agents) > 1",
        "never match",
    ),
    "NoBuckets": (
        "histogram_quantile(0.9, sum(rate(http_request_duration_seconds_bucket[5m]))) > 1",
        "has no label le",
    ),
    "HalfThere": (
        "max_over_time(sum(agentaskit_active_agents)[5m:1m]) > 1e6 or process_open_fds > 100",
        "no metric process_open_fds exists",
    ),
}


def test_rules_that_read_what_nobody_shows_are_no_pass(tmp_path: Path) -> None:
    """A name, a value, a label; sides that never match, a sum without le, one side of an or."""
    outcome, verdicts = verdicts_on(tmp_path, {name: expr for name, (expr, _) in DEAD.items()})
    assert outcome.verdict == "fail"
    for name, (_, reason) in DEAD.items():
        assert not verdicts[name].ok
        assert reason in (verdicts[name].vacuous or ""), name


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("expr", "wait"),
    [
        ("sum(agentaskit_active_agents) < 5000", "1h"),
        (
            "100 - rate(agentaskit_memory_bytes[30m]) / agentaskit_memory_bytes * 100 < 200",
            "2h",
        ),
        (f"sum({QUEUE}) >= 0", "45m"),
        ("up == 1", "3h"),
    ],
)
def test_a_condition_that_held_all_along_is_no_pass(tmp_path: Path, expr: str, wait: str) -> None:
    """Its `for` is longer than the scenario, but it had the past to wait in."""
    outcome, _ = verdicts_on(tmp_path, {"A": expr}, **{"for": wait})
    assert outcome.verdict == "fail"
    assert all("it fired before the start" in alert.reason for alert in outcome.alerts)


def test_a_wait_that_does_not_fit_is_no_pass(tmp_path: Path) -> None:
    """Even when somebody expects that silence."""
    outcome, verdicts = verdicts_on(
        tmp_path,
        {"A": f"sum({QUEUE}) > 1e6"},
        expectations="expectations:\n- {alert: A, silent: true}\n",
        **{"for": "20m"},
    )
    assert outcome.verdict == "fail"
    assert "its `for` of 20m is longer than the scenario's 20m" in (verdicts["A"].vacuous or "")


WINDOWS = {
    "TrafficLow": "sum(rate(http_requests_total[15s])) < 8000",
    "Instant": "irate(http_requests_total[20s]) > 1e9",
    "Grown": "delta(agentaskit_active_agents[15s]) > 1e6",
    "Both": f"{QUEUE} > 1e6 and on() sum(increase(http_requests_total[10s])) > 1",
}


def test_a_window_of_one_scrape_never_has_a_value(tmp_path: Path) -> None:
    """In virtual time as on a server: scrapes and evaluations never fall together."""
    _, verdicts = verdicts_on(
        tmp_path, {**WINDOWS, "TrafficUnseen": "absent(rate(http_requests_total[15s]))"}
    )
    for name in ("TrafficLow", "Grown", "Both"):
        assert "its window of" in (verdicts[name].vacuous or ""), name
        assert "one scrape" in (verdicts[name].vacuous or ""), name
    assert verdicts["TrafficUnseen"].reason.startswith("unexpected: it fired")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "expr",
    [
        f"{QUEUE} >= 0 and on() (hour() >= 8 < 17) and on() (day_of_week() > 0 < 6)",
        f"{QUEUE} > 1e6 unless on() day_of_week() == 0",
        f"{QUEUE} >= 0 and on() month(vector(time())) == 12",
        f"sum({QUEUE}) >= 0 and on() minute() > 59",
    ],
)
def test_a_rule_that_reads_the_clock_says_what_time_it_was(tmp_path: Path, expr: str) -> None:
    """The scenario names none."""
    outcome, _ = verdicts_on(tmp_path, {"Office": expr})
    assert any("began on Monday, 2026-01-05 at 00:00 UTC" in text for text in outcome.findings)


def test_sound_rules_of_the_same_shapes_pass(tmp_path: Path) -> None:
    """What exists may be silent."""
    sound = {
        "QueueLong": f"{QUEUE} > 1e6",
        "ErrorsHigh": (
            'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))'
            " > 0.5"
        ),
        "Gone": "absent(agentaskit_active_agents)",
        "Traffic": "sum(rate(http_requests_total[1m])) < 100",
    }
    outcome, verdicts = verdicts_on(tmp_path, sound)
    assert outcome.verdict == "pass"
    assert all(alert.vacuous is None for alert in verdicts.values())
