"""Which expectation an episode belongs to: the most precise one, of several the latest cause."""

from __future__ import annotations

import pytest

from tests.verifier.judge.small_scenario import (
    ALERTS,
    FIRES,
    GOOD,
    scenario_with,
    timeline,
    verdict_on,
)
from verifier.judge.alert_verdicts import judge
from verifier.judge.expectation_matching import assign


def test_an_episode_belongs_to_the_expectation_that_names_its_labels():
    """One without labels takes the label sets that no other names."""
    low = "{alert: Queue, labels: {priority: low}, fires_within: 7m}"
    scenario = scenario_with("{alert: Queue, fires_within: 7m}", low)
    named = timeline("Queue", (200.0, 260.0, 700.0), priority="low")
    other = timeline("Queue", (210.0, 270.0, 700.0), priority="high")
    assigned = assign(scenario.expectations, [named, other])
    labels = [[episodes.timeline.labels for episodes in each] for each in assigned.expected]
    assert labels == [[(("priority", "high"),)], [(("priority", "low"),)]]
    assert list(assigned.unexpected) == []


def test_of_two_causes_the_later_one_that_had_begun_counts():
    """An episode before both belongs to the earlier."""
    again = "  - {name: again, fault: agent_hang, start: 15m, duration: 3m}\n"
    expected = "{alert: Throughput, cause: %s, fires_within: 7m}"
    scenario = scenario_with(expected % "gone", expected % "again", more=again)
    episodes = [(100.0, 150.0, 170.0), (210.0, 510.0, 780.0), (930.0, 1230.0, 1300.0)]
    assigned = assign(scenario.expectations, [timeline("Throughput", *episodes)])
    starts_s = [
        [episode.pending_s for each in label_sets for episode in each.episodes]
        for label_sets in assigned.expected
    ]
    assert starts_s == [[100.0, 210.0], [930.0]]


def test_what_resolved_before_the_start_is_left_out():
    """It is history, which no expectation is about."""
    scenario = scenario_with(FIRES)
    past = timeline("Throughput", (-600.0, -500.0, -10.0))
    assigned = assign(scenario.expectations, [past, timeline("Latency", (5.0, None, 35.0))])
    assert list(assigned.expected[0]) == []
    assert [each.timeline.alert for each in assigned.unexpected] == ["Latency"]


@pytest.mark.parametrize("expected", [FIRES, "{alert: Throughput, explained: it may, cause: gone}"])
@pytest.mark.parametrize(
    ("episodes", "early"),
    [
        ([(100.0, 150.0, 170.0), GOOD], True),
        ([GOOD, (800.0, 820.0, 840.0)], False),
        ([(100.0, None, 130.0), GOOD], False),
        ([(180.0, 200.0, 300.0), GOOD], False),
    ],
    ids=["the first of two", "neither", "it did not fire then", "with its cause"],
)
def test_an_alert_that_ever_fires_before_its_cause_is_early_though_it_fires_again(
    expected, episodes, early
):
    """Any firing that its cause cannot have brought about counts, not the last one alone."""
    timelines = [timeline("Throughput", *episodes)]
    verdict = verdict_on(judge(scenario_with(expected), ALERTS, timelines), "Throughput")
    assert verdict.ok is not early
    assert ("its condition held 1m20s before its cause began" in verdict.reason) is early


def test_whichever_label_set_fires_first_meets_the_bound_on_firing():
    """In whatever order they come, and though the first fires once more later than any other."""
    scenario = scenario_with("{alert: Queue, fires_within: 7m}")
    late = timeline("Queue", (210.0, 700.0, 890.0), priority="low")
    twice = timeline("Queue", GOOD, (900.0, 950.0, 990.0), priority="high")
    verdicts = [v for v in judge(scenario, ALERTS, [late, twice]) if v.alert == "Queue"]
    assert [(v.ok, v.firing_s) for v in verdicts] == [(True, 330.0), (True, 520.0)]


def test_a_fraction_of_a_second_past_a_limit_is_past_it():
    """Limits are not rounded: neither that on firing nor that on resolving."""
    for episode in ((210.0, 600.5, 780.0), (210.0, 510.0, 900.5)):
        timelines = [timeline("Throughput", episode)]
        assert not verdict_on(judge(scenario_with(FIRES), ALERTS, timelines)).ok


def test_only_what_was_pending_before_the_first_firing_is_lost():
    """Pending again afterwards is not: the alert had done what it must."""
    episodes = ((190.0, None, 200.0), GOOD, (800.0, None, 830.0))
    timelines = [timeline("Throughput", *episodes)]
    verdict = verdict_on(judge(scenario_with(FIRES), ALERTS, timelines))
    assert (verdict.ok, verdict.lost_pending) == (True, ((10.0, 20.0),))


@pytest.mark.parametrize(
    ("episode", "summary"),
    [
        ((-60.0, -30.0, 90.0), "it fired before the start"),
        ((0.0, 0.0, 90.0), "it fired at 0s"),
        ((-60.0, None, 90.0), "it was only pending, from before the start"),
        ((0.0, None, 90.0), "it was only pending, from 0s"),
        ((5.04, None, 90.0), "it was only pending, from 5s"),
    ],
)
def test_what_an_alert_did_is_said_with_its_time_from_the_start_on(episode, summary):
    """The start itself is no time before it."""
    strict = scenario_with(FIRES, more="pending: forbidden\n")
    verdict = verdict_on(judge(strict, ALERTS, [timeline("Queue", episode)]), "Queue")
    assert (verdict.ok, verdict.reason) == (False, f"unexpected: {summary}")


def test_what_resolves_as_the_scenario_starts_is_history_too():
    """A moment later it is not."""
    for resolved_s, ok in ((0.0, True), (0.5, False)):
        timelines = [timeline("Latency", (-600.0, -500.0, resolved_s))]
        verdicts = judge(scenario_with(FIRES), ALERTS, timelines)
        assert verdict_on(verdicts, "Latency").ok is ok


def test_an_episode_that_begins_with_a_cause_belongs_to_it():
    """At the very moment; an alert that fires at once did so after its onset, not before."""
    again = "  - {name: again, fault: agent_hang, start: 15m, duration: 3m}\n"
    expected = "{alert: Throughput, cause: %s, fires_within: 7m}"
    scenario = scenario_with(expected % "gone", expected % "again", more=again)
    timelines = [timeline("Throughput", GOOD, (900.0, 900.0, 960.0))]
    first, second = judge(scenario, ALERTS, timelines)[:2]
    assert (first.ok, second.ok, second.firing_s) == (True, True, 0.0)
    assert second.reason.startswith("fired 0s after the onset")


def test_of_two_incidents_of_the_past_the_later_one_is_that_of_an_episode():
    """Limits count from the start for both, and yet each began at its own time."""
    incident = "{name: %s, fault: task_failure, ago: %s, duration: 30m, parameters: {share: 0.1}}"
    more = f"history:\n  incidents:\n    - {incident % ('old', '3h')}\n"
    more += f"    - {incident % ('recent', '1h')}\n"
    expected = "{alert: Queue, cause: %s, fires_within: 15m}"
    scenario = scenario_with(expected % "recent", expected % "old", more=more)
    assigned = assign(scenario.expectations, [timeline("Queue", (-3000.0, -2900.0, 60.0))])
    assert [len(each) for each in assigned.expected] == [1, 0]
    assigned = assign(scenario.expectations, [timeline("Queue", (-9000.0, -8900.0, 60.0))])
    assert [len(each) for each in assigned.expected] == [0, 1]
