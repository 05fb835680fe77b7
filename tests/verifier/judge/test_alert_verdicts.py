"""The closed verdict: every rule of it with a planted violation that is caught by name."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from scenarios.loader import parse_scenario
from tests.verifier.judge.small_scenario import (
    ALERTS,
    FIRES,
    GOOD,
    scenario_with,
    timeline,
    verdict_on,
)
from verifier.judge.alert_verdicts import judge, missing_history
from verifier.judge.expectation_matching import FIRINGS_MAX


def test_an_alert_that_meets_its_expectation_is_ok():
    """Its times count from the onset of its cause."""
    verdicts = judge(scenario_with(FIRES), ALERTS, [timeline("Throughput", GOOD, severity="w")])
    verdict = verdict_on(verdicts, "Throughput")
    assert (verdict.expected, verdict.ok, verdict.cause) == ("fires", True, "gone")
    assert (verdict.pending_s, verdict.firing_s, verdict.resolved_s) == (30.0, 330.0, 600.0)
    assert (verdict.onset_s, verdict.cause_end_s) == (180.0, 540.0)
    assert verdict.labels == (("severity", "w"),)
    assert verdict.reason == "fired 5m30s after the onset, resolved 1m after the end of its cause"
    assert all(verdict.ok for verdict in verdicts)
    assert [verdict.alert for verdict in verdicts] == list(ALERTS)


@pytest.mark.parametrize(
    ("episodes", "reason"),
    [
        ([], "never fired"),
        ([(210.0, None, 240.0)], "never fired, it was only pending"),
        ([(210.0, 601.0, 780.0)], "fired 7m1s after the onset, 1s past its limit of 7m"),
        ([(150.0, 450.0, 780.0)], "its condition held 30s before its cause began"),
        ([(210.0, 510.0, None)], "still firing when the scenario ended, due 3m after its cause"),
        (
            [(210.0, 510.0, 930.0)],
            "resolved 3m30s after the end of its cause, 30s past its limit of 3m",
        ),
        (
            [GOOD, (800.0, 900.0, 1000.0)],
            "resolved 4m40s after the end of its cause, 1m40s past its limit of 3m",
        ),
        (
            [(150.0, 900.0, None)],
            (
                "its condition held 30s before its cause began; fired 12m after the onset, 5m past"
                " its limit of 7m; still firing when the scenario ended, due 3m after its cause"
            ),
        ),
    ],
)
def test_an_alert_that_misses_its_expectation_fails_with_the_reason(episodes, reason):
    """Too late, too early, too long, again, or not at all."""
    timelines = [timeline("Throughput", *episodes)] if episodes else []
    verdict = verdict_on(judge(scenario_with(FIRES), ALERTS, timelines), "Throughput")
    assert (verdict.expected, verdict.ok, verdict.reason) == ("fires", False, reason)


def test_the_bounds_themselves_are_in_time():
    """Firing and resolving exactly at the bound holds."""
    timelines = [timeline("Throughput", (210.0, 600.0, 900.0))]
    assert verdict_on(judge(scenario_with(FIRES), ALERTS, timelines), "Throughput").ok


FLAPPING = ((190.0, 240.0, 300.0), (320.0, 380.0, 450.0), (500.0, 560.0, 780.0))


@pytest.mark.parametrize(
    ("episodes", "early_s", "reason"),
    [
        (
            FLAPPING,
            (120.0, 270.0),
            "fired 1m after the onset, 3 times in all, resolved 1m after the end of its cause",
        ),
        # Again after its cause: twice, and no all-clear while it lasted.
        (
            (GOOD, (800.0, 820.0, 840.0)),
            (),
            "fired 5m30s after the onset, twice in all, resolved 2m after the end of its cause",
        ),
        # Pending again is not firing again.
        (
            (GOOD, (800.0, None, 840.0)),
            (),
            "fired 5m30s after the onset, resolved 1m after the end of its cause",
        ),
    ],
)
def test_an_alert_that_fires_again_says_how_often_and_what_looked_like_an_all_clear(
    episodes, early_s, reason
):
    """It passes: its expectation is about the first time that it fires, and the last resolve."""
    timelines = [timeline("Throughput", *episodes)]
    verdict = verdict_on(judge(scenario_with(FIRES), ALERTS, timelines), "Throughput")
    spans = [(firing - 180.0, end - 180.0) for _, firing, end in episodes if firing is not None]
    assert (verdict.ok, list(verdict.firings)) == (True, spans)
    assert (verdict.early_resolves_s, verdict.reason) == (early_s, reason)


@pytest.mark.parametrize(
    ("episode", "reason"),
    [
        ((-300.0, -60.0, None), "fired 1m before the start; it has no cause in this scenario"),
        (
            (-300.0, -60.0, 90.0),
            (
                "fired 1m before the start, resolved 1m30s after the start;"
                " it has no cause in this scenario"
            ),
        ),
        ((60.0, 500.0, None), "fired 8m20s after the start, 1m20s past its limit of 7m"),
    ],
)
def test_an_alert_without_a_cause_says_so_and_counts_from_the_start(episode, reason):
    """There is no onset that it could have fired before."""
    without = "name: s\nstory: x\nseed: 1\nduration: 30m\nexpectations:\n"
    scenario = parse_scenario(f"{without}  - {{alert: Throughput, fires_within: 7m}}\n", "s.yaml")
    timelines = [timeline("Throughput", episode)]
    assert verdict_on(judge(scenario, ALERTS, timelines)).reason == reason


def test_of_an_alert_that_still_fires_the_count_says_no_end():
    """The last firing has none."""
    scenario = scenario_with("{alert: Throughput, fires_within: 7m}")
    episodes = (FLAPPING[0], (320.0, 380.0, None))
    verdict = verdict_on(judge(scenario, ALERTS, [timeline("Throughput", *episodes)]), "Throughput")
    assert verdict.firings == ((60.0, 120.0), (200.0, None))
    assert verdict.reason == "fired 1m after the onset of its cause, twice in all"


def test_only_so_many_firings_are_kept():
    """And the count says that there may be more; the last resolve is that of all."""
    episodes = [(200.0 + n, 200.0 + n, 200.5 + n) for n in range(FIRINGS_MAX + 20)]
    timelines = [timeline("Throughput", *episodes)]
    verdict = verdict_on(judge(scenario_with(FIRES), ALERTS, timelines), "Throughput")
    assert (len(verdict.firings), verdict.resolved_s) == (FIRINGS_MAX, 139.5)
    assert f"at least {FIRINGS_MAX} times in all" in verdict.reason


@pytest.mark.parametrize("expected", [FIRES, "{alert: Throughput, silent: true}"])
def test_what_was_only_pending_did_not_resolve(expected):
    """No notification was sent, so there is none that reads as an all-clear."""
    scenario = scenario_with(expected, more="pending: forbidden\n")
    timelines = [timeline("Throughput", (210.0, None, 240.0))]
    verdict = verdict_on(judge(scenario, ALERTS, timelines), "Throughput")
    assert (verdict.ok, verdict.resolved_s, verdict.firings) == (False, None, ())
    assert verdict.resolved_early_s is None


def test_an_alert_need_not_resolve_unless_it_is_expected_to():
    """Without `resolves_within` it may fire to the end."""
    scenario = scenario_with("{alert: Throughput, fires_within: 7m}")
    verdict = verdict_on(
        judge(scenario, ALERTS, [timeline("Throughput", (210.0, 510.0, None))]), "Throughput"
    )
    assert (verdict.ok, verdict.resolved_s) == (True, None)


def test_an_alert_that_is_not_expected_fails_the_scenario_by_name():
    """The verdict is closed, also before the fault."""
    timelines = [timeline("Throughput", GOOD), timeline("Latency", (15.0, 60.0, 90.0), le="x")]
    verdict = verdict_on(judge(scenario_with(FIRES), ALERTS, timelines), "Latency")
    assert (verdict.expected, verdict.ok, verdict.labels) == ("unexpected", False, (("le", "x"),))
    assert verdict.reason == "unexpected: it fired at 1m"
    assert (verdict.pending_s, verdict.firing_s, verdict.onset_s) == (15.0, 60.0, 0.0)


def test_a_rule_that_is_always_true_is_detected():
    """A rule that was planted among the rules and fires from the first moment is not overlooked."""
    verdicts = judge(scenario_with(), (*ALERTS, "Planted"), [timeline("Planted", (0.0, 0.0, None))])
    assert verdict_on(verdicts, "Planted").expected == "unexpected"


def test_pending_alone_is_silence_unless_it_is_forbidden():
    """A scenario may forbid that an unexpected alert is even pending."""
    timelines = [timeline("Queue", (300.0, None, 330.0))]
    allowed = verdict_on(judge(scenario_with(FIRES), ALERTS, timelines), "Queue")
    assert (allowed.expected, allowed.ok) == ("silent", True)
    assert allowed.reason == "stayed silent, it was only pending, from 5m"
    strict = scenario_with(FIRES, more="pending: forbidden\n")
    forbidden = verdict_on(judge(strict, ALERTS, timelines), "Queue")
    assert (forbidden.expected, forbidden.ok) == ("unexpected", False)
    assert forbidden.reason == "unexpected: it was only pending, from 5m"


def test_a_silent_alert_that_fires_fails():
    """Also when it is silent under some labels only."""
    scenario = scenario_with("{alert: Queue, labels: {priority: high}, silent: true}")
    quiet = verdict_on(judge(scenario, ALERTS, []), "Queue")
    assert (quiet.expected, quiet.ok, quiet.reason) == ("silent", True, "stayed silent")
    loud = verdict_on(judge(scenario, ALERTS, [timeline("Queue", GOOD, priority="high")]), "Queue")
    assert (loud.expected, loud.ok) == ("silent", False)
    assert loud.reason == "it fired at 8m30s, it must stay silent"


def test_pending_breaks_a_silence_only_where_it_is_forbidden():
    """The same option holds for alerts that are named silent."""
    timelines = [timeline("Queue", (300.0, None, 330.0))]
    silent = "{alert: Queue, silent: true}"
    assert verdict_on(judge(scenario_with(silent), ALERTS, timelines), "Queue").ok
    strict = scenario_with(silent, more="pending: forbidden\n")
    assert not verdict_on(judge(strict, ALERTS, timelines), "Queue").ok


def test_an_explained_alert_may_fire_or_not():
    """Firing before the cause that explains it is not explained."""
    scenario = scenario_with("{alert: Latency, explained: queues grow, cause: gone}")
    absent = verdict_on(judge(scenario, ALERTS, []), "Latency")
    fired = verdict_on(judge(scenario, ALERTS, [timeline("Latency", GOOD)]), "Latency")
    early = verdict_on(
        judge(scenario, ALERTS, [timeline("Latency", (100.0, 200.0, 300.0))]), "Latency"
    )
    assert (absent.expected, absent.ok, absent.firing_s) == ("explained", True, None)
    assert (fired.ok, fired.reason, fired.firing_s) == (True, "queues grow", 330.0)
    assert (early.ok, early.reason) == (False, "its condition held 1m20s before its cause began")


def test_labels_select_the_series_that_is_expected():
    """An expectation with labels leaves the other label sets of its alert unexpected."""
    scenario = scenario_with("{alert: Queue, labels: {priority: low}, fires_within: 7m}")
    low, high = timeline("Queue", GOOD, priority="low"), timeline("Queue", GOOD, priority="high")
    verdicts = [v for v in judge(scenario, ALERTS, [low, high]) if v.alert == "Queue"]
    assert [(v.expected, v.labels) for v in verdicts] == [
        ("fires", (("priority", "low"),)),
        ("unexpected", (("priority", "high"),)),
    ]


def test_the_most_precise_expectation_speaks_for_a_series():
    """A general one takes what no other names."""
    scenario = scenario_with(
        "{alert: Queue, fires_within: 7m}", "{alert: Queue, labels: {priority: high}, silent: true}"
    )
    low, high = timeline("Queue", GOOD, priority="low"), timeline("Queue", GOOD, priority="high")
    verdicts = [v for v in judge(scenario, ALERTS, [low, high]) if v.alert == "Queue"]
    assert [(v.expected, v.ok) for v in verdicts] == [("fires", True), ("silent", False)]


def test_every_series_of_an_expected_alert_has_to_resolve():
    """The first one meets the bound on firing; all of them the bound on resolving."""
    scenario = scenario_with("{alert: Queue, fires_within: 7m, resolves_within: 3m}")
    late = timeline("Queue", (210.0, 700.0, 890.0), priority="low")
    stuck = timeline("Queue", (210.0, 710.0, None), priority="normal")
    verdicts = judge(scenario, ALERTS, [stuck, timeline("Queue", GOOD, priority="high"), late])
    results = {dict(v.labels)["priority"]: v.ok for v in verdicts if v.alert == "Queue"}
    assert results == {"high": True, "low": True, "normal": False}


def test_two_causes_each_need_their_own_firing():
    """An alert expected from two faults must fire for both."""
    more = "  - {name: again, fault: agent_hang, start: 15m, duration: 5m}\n"
    scenario = scenario_with(
        "{alert: Queue, cause: gone, fires_within: 7m, resolves_within: 3m}",
        "{alert: Queue, cause: again, fires_within: 7m, resolves_within: 3m}",
        more=more,
    )
    both = [timeline("Queue", GOOD, (950.0, 1250.0, 1300.0))]
    results = [
        (v.cause, v.ok, v.firing_s) for v in judge(scenario, ALERTS, both) if v.alert == "Queue"
    ]
    assert results == [("gone", True, 330.0), ("again", True, 350.0)]
    only_first = [timeline("Queue", GOOD)]
    results = [(v.cause, v.ok) for v in judge(scenario, ALERTS, only_first) if v.alert == "Queue"]
    assert results == [("gone", True), ("again", False)]


def test_an_incident_of_the_past_counts_from_the_start():
    """Its alert may be active from before the scenario; what was over by then is not judged."""
    more = (
        "history:\n  incidents:\n"
        "    - {name: old, fault: task_failure, ago: 2h, duration: 1h, parameters: {share: 0.1}}\n"
    )
    scenario = scenario_with("{alert: Queue, cause: old, fires_within: 15m}", more=more)
    firing_since = [
        timeline("Queue", (-5000.0, -4400.0, None)),
        timeline("Latency", (-90.0, -60.0, -30.0)),
    ]
    verdicts = judge(scenario, ALERTS, firing_since)
    assert (verdict_on(verdicts, "Queue").ok, verdict_on(verdicts, "Queue").firing_s) == (
        True,
        -4400.0,
    )
    assert verdict_on(verdicts, "Latency").expected == "silent"


def test_a_scenario_without_its_fault_fails():
    """Nothing happens, so what was expected is missing."""
    verdicts = judge(scenario_with(FIRES), ALERTS, [])
    assert [verdict.ok for verdict in verdicts] == [False, True, True]


def test_an_expected_alert_that_no_rule_defines_is_a_mistake():
    """It is reported with its place in the scenario, all of them together."""
    scenario = scenario_with("{alert: Throughputs, fires_within: 7m}", "{alert: X, silent: true}")
    with pytest.raises(InputError) as caught:
        judge(scenario, ALERTS, [])
    assert str(caught.value).splitlines() == [
        "s.yaml:8:13: no rule is called 'Throughputs', did you mean 'Throughput'?",
        "s.yaml:9:13: no rule is called 'X', the rules define 3 others",
    ]


def test_a_window_without_its_history_is_named():
    """Six hours are not thirty days; a metric that is not read needs nothing."""
    needed = {"http_requests_total": 2_592_000.0, "up": 300.0, "idle": 0.0}
    reasons = missing_history(needed, {"http_requests_total": 21_600.0, "up": 300.0})
    assert reasons == (
        "http_requests_total: a window of 30d needs as much history before the start, there is 6h",
    )
    assert missing_history(needed, {"http_requests_total": 2_592_000.0, "up": 300.0}) == ()
    assert len(missing_history(needed, {"http_requests_total": 2_592_000.0, "up": 285.0})) == 1


@pytest.mark.parametrize(
    ("keys", "receivers", "due"),
    [
        ("", None, False),
        (", resolves_within: 3m", None, True),
        (", resolves_within: 3m, notifies_resolved: false", None, False),
        (", receivers: [slack], notifies_resolved: true", ("slack",), True),
        (", receivers: []", (), False),
    ],
)
def test_a_verdict_names_who_had_to_be_notified(keys, receivers, due):
    """Of its resolution too: with a bound on resolving, unless the expectation says otherwise."""
    scenario = scenario_with(f"{{alert: Throughput, fires_within: 7m{keys}}}")
    for timelines in ([], [timeline("Throughput", GOOD)]):
        verdict = verdict_on(judge(scenario, ALERTS, timelines), "Throughput")
        assert (verdict.receivers, verdict.notifies_resolved) == (receivers, due)


def test_times_are_written_to_a_tenth_of_a_second():
    """What is finer in real time is the machine's, not the alert's."""
    timelines = [timeline("Throughput", (210.0, 510.1234, 930.0567))]
    assert verdict_on(judge(scenario_with(FIRES), ALERTS, timelines), "Throughput").reason == (
        "resolved 3m30.1s after the end of its cause, 30.1s past its limit of 3m"
    )
