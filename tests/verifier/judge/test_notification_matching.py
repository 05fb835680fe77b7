"""Which episode of an alert a notification belongs to, by its labels and by its times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.judge.ledgers import (
    CLOCK,
    DEADLINES,
    FIRES,
    LEDGER,
    evidence,
    notification,
    timeline,
    verdicts,
)
from tests.verifier.judge.small_scenario import ALERTS, GOOD, scenario_with, verdict_on
from verifier.judge.alert_verdicts import judge
from verifier.judge.notification_matching import match
from verifier.judge.notification_verdicts import judge_deliveries


def test_a_notification_of_what_never_fired_is_an_unexpected_alert():
    """Also when the alert was pending; it is silent no longer."""
    pending = timeline("Latency", (300.0, None, 330.0))
    ghost = notification("firing", 400.0, since_s=390.0, alert="Latency")
    results = verdicts((*LEDGER, ghost), [timeline("Throughput", GOOD), pending])
    verdict = verdict_on(results, "Latency")
    assert (verdict.expected, verdict.ok, verdict.broke_at) == ("unexpected", False, "alertmanager")
    assert verdict.reason == "slack was notified of it at 6m40s, but it did not fire in Prometheus"
    assert verdict.labels == (("severity", "warning"),)
    assert verdict_on(results).ok


@pytest.mark.parametrize(
    ("pending", "others"),
    [
        ((), []),
        (((300.0, None, 330.0),), []),
        (((300.0, None, 330.0), "le"), [("silent", (("le", "1"), ("severity", "warning")))]),
    ],
    ids=["it was never pending", "it was pending", "others of its labels were pending"],
)
def test_what_was_notified_without_firing_is_not_called_silent_too(pending, others):
    """A silence that has no labels speaks for all of them; one with others stays as it is."""
    ghost = notification("firing", 400.0, since_s=390.0, alert="Latency")
    labels = {"le": "1"} if len(pending) > 1 else {}
    silent = [timeline("Latency", pending[0], **labels)] if pending else []
    results = verdicts((*LEDGER, ghost), [timeline("Throughput", GOOD), *silent])
    assert [(v.expected, v.labels) for v in results if v.alert == "Latency"] == [
        *others,
        ("unexpected", (("severity", "warning"),)),
    ]


def test_a_notification_with_other_labels_matches_no_alert():
    """What Alertmanager notifies must be what fired in Prometheus, label by label."""
    changed = [replace(each, labels=(*each.labels, ("zone", "x"))) for each in LEDGER]
    results = [v for v in verdicts(changed) if v.alert == "Throughput"]
    assert [(v.expected, v.ok) for v in results] == [("fires", False), ("unexpected", False)]


def test_a_notification_of_a_time_at_which_it_did_not_fire_matches_no_alert():
    """The alert fired from 510 s to 780 s; the notification names 1200 s."""
    results = verdicts((*LEDGER, notification("firing", 1230.0, since_s=1200.0)))
    assert [v.ok for v in results if v.alert == "Throughput"] == [True, False]


def test_each_label_set_of_an_alert_is_notified_separately():
    """A short one that joins a group may be left out; one that lasts may not."""
    first = timeline("Queue", (210.0, 270.0, 780.0), priority="low")
    short = timeline("Queue", (330.0, 390.0, 450.0), priority="high")
    long = timeline("Queue", (330.0, 390.0, 780.0), priority="high")
    queue = "{alert: Queue, receivers: [slack], fires_within: 7m, resolves_within: 3m}"
    ledger = (
        notification("firing", 301.0, since_s=270.0, alert="Queue", priority="low"),
        notification("resolved", 841.0, since_s=270.0, alert="Queue", priority="low"),
    )
    left_out = verdicts(ledger, [first, short], (queue,))
    assert [(v.ok, len(v.deliveries)) for v in left_out if v.alert == "Queue"] == [
        (True, 2),
        (True, 0),
    ]
    lost = [v for v in verdicts(ledger, [first, long], (queue,)) if v.alert == "Queue"]
    assert [v.ok for v in lost] == [True, False]
    assert (
        lost[1].reason == "it fired for 6m30s, Alertmanager never had it: slack was never notified"
    )


def test_a_notification_of_another_label_set_stands_for_its_own_receivers_alone():
    """What one receiver got of a group that goes on is no news for the other."""
    first = timeline("Queue", (210.0, 270.0, 780.0), priority="low")
    short = timeline("Queue", (330.0, 390.0, 450.0), priority="high")
    queue = "{alert: Queue, receivers: [slack, sre], fires_within: 7m, resolves_within: 3m}"
    ledger = (
        notification("firing", 301.0, since_s=270.0, alert="Queue", priority="low"),
        notification("resolved", 841.0, since_s=270.0, alert="Queue", priority="low"),
    )
    judged = [v for v in verdicts(ledger, [first, short], (queue,)) if v.alert == "Queue"]
    assert [v.reason.rpartition(": ")[2] for v in judged] == ["sre was never notified"] * 2


def test_a_short_episode_after_a_long_one_is_no_excuse():
    """The long one would have had to be notified, whichever comes first."""
    first = timeline("Queue", (210.0, 270.0, 1080.0), priority="low")
    ledger = (
        notification("firing", 301.0, since_s=270.0, alert="Queue", priority="low"),
        notification("resolved", 1141.0, since_s=270.0, alert="Queue", priority="low"),
    )
    queue = "{alert: Queue, receivers: [slack], fires_within: 7m, resolves_within: 10m}"
    short, long = (870.0, 900.0, 930.0), (330.0, 390.0, 780.0)
    early, late = (330.0, 360.0, 390.0), (480.0, 510.0, 900.0)
    for episodes in ((long, short), (early, late)):
        flapping = timeline("Queue", *episodes, priority="high")
        judged = [v for v in verdicts(ledger, [first, flapping], (queue,)) if v.alert == "Queue"]
        assert [v.ok for v in judged] == [True, False]
        assert judged[1].reason.startswith("it fired for 6m30s, Alertmanager never had it")


def test_a_short_label_set_may_be_notified_as_resolved_only():
    """Alertmanager lists an alert as resolved that came and went between two turns of a group."""
    first = timeline("Queue", (210.0, 270.0, 780.0), priority="low")
    short = timeline("Queue", (330.0, 390.0, 450.0), priority="high")
    queue = "{alert: Queue, receivers: [slack], fires_within: 7m, resolves_within: 3m}"
    ledger = (
        notification("firing", 301.0, since_s=270.0, alert="Queue", priority="low"),
        notification("resolved", 601.0, since_s=390.0, alert="Queue", priority="high"),
        notification("resolved", 841.0, since_s=270.0, alert="Queue", priority="low"),
    )
    assert all(v.ok for v in verdicts(ledger, [first, short], (queue,)))


def test_episodes_belong_to_their_own_causes():
    """The alert fires for each of two faults; a delivery of one does not stand for the other."""
    again = "  - {name: again, fault: agent_hang, start: 15m, duration: 3m}\n"
    expected = (
        "{alert: Throughput, cause: %s, receivers: [slack], fires_within: 7m, resolves_within: 4m}"
    )
    scenario = scenario_with(expected % "gone", expected % "again", more=again)
    results = [timeline("Throughput", GOOD, (930.0, 1230.0, 1300.0))]
    judged = judge(scenario, ALERTS, results)
    second = (
        notification("firing", 1261.0, since_s=1230.0),
        notification("resolved", 1411.0, since_s=1230.0),
    )
    whole = judge_deliveries(
        judged, results, (*LEDGER, *second), evidence=evidence(), deadlines=DEADLINES
    )
    assert [(v.cause, v.ok, len(v.deliveries)) for v in whole[:2]] == [
        ("gone", True, 2),
        ("again", True, 2),
    ]
    half = judge_deliveries(judged, results, LEDGER, evidence=evidence(), deadlines=DEADLINES)
    assert [(v.cause, v.ok) for v in half[:2]] == [("gone", True), ("again", False)]


def test_a_second_episode_within_one_turn_of_its_group_need_not_be_notified():
    """It resolved and fired again before the group's turn: to Alertmanager nothing changed."""
    twice = [timeline("Throughput", (210.0, 510.0, 600.0), (610.0, 640.0, 780.0))]
    ledger = (notification("firing", 541.0), notification("resolved", 841.0, since_s=640.0))
    assert verdict_on(verdicts(ledger, twice)).ok
    # The second episode notified hours later, as a repeat with a new start, is not late either.
    long = [timeline("Throughput", (210.0, 510.0, 600.0), (610.0, 640.0, None))]
    repeat = (notification("firing", 541.0), notification("firing", 1700.0, since_s=640.0))
    assert verdict_on(verdicts(repeat, long, (FIRES.replace(", resolves_within: 3m", ""),))).ok


def test_what_had_resolved_when_the_scenario_began_is_not_judged():
    """Everybody may have been notified of an incident of the past."""
    ledger = (
        *LEDGER,
        notification("firing", -500.0, since_s=-530.0, alert="Latency"),
        notification("resolved", 20.0, since_s=-530.0, alert="Latency"),
    )
    over = timeline("Latency", (-600.0, -530.0, -10.0))
    for history in ([over], []):  # whether or not the record reaches back so far
        assert all(v.ok for v in verdicts(ledger, [timeline("Throughput", GOOD), *history]))


@pytest.mark.parametrize("since_s", [-4400.0, 0.0])
def test_an_alert_that_fires_since_before_the_start_was_notified_before_it(since_s):
    """A record that begins with the scenario shows it firing from its own beginning."""
    more = (
        "history:\n  incidents:\n"
        "    - {name: old, fault: task_failure, ago: 2h, duration: 1h, parameters: {share: 0.1}}\n"
    )
    expected = "{alert: Queue, cause: old, receivers: [slack], fires_within: 15m}"
    scenario = scenario_with(expected, more=more)
    results = [timeline("Queue", (min(since_s, -600.0), since_s, None))]
    judged = judge(scenario, ALERTS, results)
    ledger = [notification("firing", -4370.0, since_s=-4400.0, alert="Queue")]
    assert verdict_on(
        judge_deliveries(judged, results, ledger, evidence=evidence(), deadlines=DEADLINES), "Queue"
    ).ok
    assert not verdict_on(
        judge_deliveries(judged, results, [], evidence=evidence(), deadlines=DEADLINES), "Queue"
    ).ok


@pytest.mark.parametrize("since_s", [510.0, 518.0, 532.0, 540.0])
def test_of_two_episodes_near_its_start_a_notification_belongs_to_the_nearest(since_s):
    """Both fired within the time by which clocks may differ, the first ended before the second."""
    flapping = timeline("Throughput", (480.0, 510.0, 515.0), (525.0, 540.0, 780.0))
    judged = [verdict_on(judge(scenario_with(FIRES), ALERTS, [flapping]))]
    sent = [notification("firing", 571.0, since_s=since_s)]
    (case,), unmatched = match(judged, [flapping], sent, clock=CLOCK, early_s=45.0)
    (notified,) = case.notifications
    assert notified.episode.firing_s == (510.0 if since_s < 525.0 else 540.0)
    assert unmatched == {}


def test_a_ledger_is_read_in_the_order_of_its_notifications_whatever_that_of_its_lines():
    """The last that a receiver knows is what arrived last."""
    verdict = verdict_on(verdicts(LEDGER[::-1]))
    assert verdict.ok
    assert [each.status for each in verdict.deliveries] == ["firing", "resolved"]


@pytest.mark.parametrize(("since_s", "known"), [(0.0, True), (-1.0, False)])
def test_a_notification_of_what_never_fired_is_unexpected_from_the_very_start_on(since_s, known):
    """What began before the scenario may be an incident of the past."""
    ghosts = [
        notification("firing", at_s, since_s=since_s, alert="Latency") for at_s in (30.0, 90.0)
    ]
    results = [v for v in verdicts((*LEDGER, *ghosts)) if v.alert == "Latency" and not v.ok]
    assert [v.reason for v in results] == [
        "slack was notified of it at 30s, but it did not fire in Prometheus"
    ] * known


def test_two_alerts_of_the_same_labels_are_notified_each_by_itself():
    """The second firing of the one is none of the other, which began to fire before it."""
    flapping = timeline("Throughput", (190.0, 210.0, 300.0), (400.0, 510.0, 780.0))
    other = timeline("Latency", (250.0, 300.0, 700.0))
    ledger = (*LEDGER, notification("firing", 331.0, since_s=300.0, alert="Latency"))
    results = verdicts(ledger, [flapping, other])
    delivered = {v.alert: [round(each.at_s) for each in v.deliveries] for v in results}
    assert delivered == {"Throughput": [541, 841], "Latency": [331], "Queue": []}


def test_a_label_set_of_another_cause_is_no_excuse_for_a_short_one():
    """Its group was notified of the first fault, and of the second nobody was."""
    again = "  - {name: again, fault: agent_hang, start: 15m, duration: 3m}\n"
    expected = "{alert: Queue, cause: %s, receivers: [slack], fires_within: 7m}"
    scenario = scenario_with(expected % "gone", expected % "again", more=again)
    first = timeline("Queue", GOOD, priority="low")
    short = timeline("Queue", (930.0, 960.0, 990.0), priority="high")
    ledger = [notification("firing", 541.0, alert="Queue", priority="low")]
    judged = judge(scenario, ALERTS, [first, short])
    results = judge_deliveries(
        judged, [first, short], ledger, evidence=evidence(), deadlines=DEADLINES
    )
    assert [(v.cause, v.ok) for v in results if v.alert == "Queue"] == [
        ("gone", True),
        ("again", False),
    ]


@pytest.mark.parametrize(
    ("episode", "since_s", "belongs"),
    [
        ((480.0, 510.0, 512.0), 525.0, True),  # as far apart as clocks may be
        ((480.0, 510.0, 512.0), 526.0, False),
        ((480.0, 510.0, 600.0), 599.0, True),  # a later start that a repeat names
        ((480.0, 510.0, 600.0), 600.0, False),
        ((0.0, 0.0, 100.0), -900.0, True),  # a record that begins with the scenario
        ((-60.0, 16.0, 100.0), -900.0, False),
        ((0.0, 0.0, 100.0), 300.0, False),
    ],
)
def test_how_far_a_notification_may_be_from_its_episode(episode, since_s, belongs):
    """By its start: near that of the episode, within it, or before all that was recorded."""
    line = timeline("Throughput", episode)
    judged = [verdict_on(judge(scenario_with(FIRES), ALERTS, [line]))]
    sent = [notification("firing", 700.0, since_s=since_s)]
    (case,), _ = match(judged, [line], sent, clock=CLOCK, early_s=15.0)
    assert bool(case.notifications) is belongs


def test_a_verdict_that_counts_from_an_odd_onset_has_its_own_episode():
    """Its time to fire is a difference, and the sum of both is a little more than the instant."""
    line = timeline("Throughput", (200.0, 500.2, 700.0))
    first = verdict_on(judge(scenario_with(FIRES), ALERTS, [line]))
    odd = replace(first, onset_s=180.1, firing_s=500.2 - 180.1)
    assert odd.onset_s + odd.firing_s > 500.2
    (case,), _ = match([odd], [line], (), clock=CLOCK, early_s=15.0)
    assert case.episodes == list(line.episodes)
