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
