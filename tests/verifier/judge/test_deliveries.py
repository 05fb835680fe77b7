"""From Prometheus to the receiver: every planted fault of a ledger is caught, at its hop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import InputError
from scenarios.loader import parse_scenario
from verifier.evaluation.timeline import Episode, Timeline
from verifier.judge.deliveries import check_receivers_exist, judge_deliveries
from verifier.judge.hop_evidence import HopEvidence, NotificationDeadlines
from verifier.judge.judgement import judge
from verifier.scenario_clock import ScenarioClock
from verifier.servers.ledger import Notification

ALERTS = ("Throughput", "Queue", "Latency")
SCENARIO = """\
name: s
story: From 3m to 12m something is wrong.
seed: 1
duration: 30m
faults:
  - {name: gone, fault: agent_hang, start: 3m, duration: 9m}
expectations:
"""
FIRES = "{alert: Throughput, receivers: [slack], fires_within: 7m, resolves_within: 3m}"
GOOD = (210.0, 510.0, 780.0)
CLOCK = ScenarioClock(start_s=1_700_000_000.0, factor=30.0)
"""Time compressed thirty times; the deadlines below cover a group_interval of 5m."""
DEADLINES = NotificationDeadlines(due_s=330.0, early_s=15.0)
NAMED = (("alertname", "Throughput"), ("severity", "warning"))
SEEN = frozenset({NAMED})


def scenario_with(*expectations):
    """Return a scenario with one fault from 180 s to 720 s and these expectations."""
    return parse_scenario(SCENARIO + "".join(f"  - {one}\n" for one in expectations), "s.yaml")


def timeline(alert="Throughput", *episodes, **labels):
    """Return a timeline of (pending, firing, resolved) episodes."""
    labels = {"severity": "warning", **labels}
    return Timeline(alert, tuple(sorted(labels.items())), tuple(Episode(*one) for one in episodes))


def notification(
    status, at_s, *, since_s=510.0, receiver="slack", alert="Throughput", times=1, **labels
):
    """Return a notification that arrived at `at_s` scenario seconds, of what fired at `since_s`."""
    labels = {"alertname": alert, "severity": "warning", **labels}
    return Notification(
        receiver=receiver,
        status=status,
        group_key=f"{{}}:{{alertname={alert}}}",
        fingerprint=str(hash(tuple(labels.items()))),
        labels=tuple(sorted(labels.items())),
        annotations=(),
        starts_at_s=CLOCK.unix_s(since_s),
        ends_at_s=None,
        received_s=CLOCK.unix_s(at_s),
        deliveries=times,
    )


LEDGER = (notification("firing", 541.0), notification("resolved", 841.0))


def evidence(**changes):
    """Return the evidence of a run of half an hour in which nothing went wrong."""
    return HopEvidence(
        **{"clock": CLOCK, "ended_s": 1800.0, "seen_by_alertmanager": SEEN, **changes}
    )


def verdicts(ledger=LEDGER, timelines=None, expectations=(FIRES,), **changes):
    """Return the verdicts on a ledger."""
    timelines = [timeline("Throughput", GOOD)] if timelines is None else timelines
    judged = judge(scenario_with(*expectations), ALERTS, timelines)
    return judge_deliveries(
        judged, timelines, ledger, evidence=evidence(**changes), deadlines=DEADLINES
    )


def verdict_on(results, alert="Throughput"):
    """Return the only verdict on `alert`."""
    (verdict,) = [verdict for verdict in results if verdict.alert == alert]
    return verdict


def outcome_of(results, alert="Throughput"):
    """Return whether the verdict on `alert` is ok, the hop that broke, and the reason."""
    verdict = verdict_on(results, alert)
    return verdict.ok, verdict.broke_at, verdict.reason


def test_an_alert_that_reached_its_receiver_holds():
    """Each notification in scenario seconds from the start, in order."""
    results = verdicts()
    assert all(verdict.ok for verdict in results)
    assert [verdict.alert for verdict in results] == list(ALERTS)
    verdict = verdict_on(results)
    assert [(d.receiver, d.status, round(d.at_s, 3)) for d in verdict.deliveries] == [
        ("slack", "firing", 541.0),
        ("slack", "resolved", 841.0),
    ]
    assert verdict.reason == "fired 5m30s after the onset, resolved 1m after the end of its cause"
    assert verdict.broke_at is None


PLANTED = {
    "the firing one is missing": (
        LEDGER[1:],
        {},
        "alertmanager",
        "it fired for 4m30s, Alertmanager had it: slack was never notified",
    ),
    "nothing arrived and Alertmanager never had it": (
        (),
        {"seen_by_alertmanager": frozenset()},
        "alertmanager",
        "it fired for 4m30s, Alertmanager never had it: slack was never notified",
    ),
    "nothing arrived and its attempts failed": (
        (),
        {"failed_notifications": 3},
        "receiver",
        (
            "slack was never notified: 3 of Alertmanager's attempts failed, so it broke at the"
            " receiver"
        ),
    ),
    "the resolved one is missing": (
        LEDGER[:1],
        {},
        "alertmanager",
        "slack was never notified that it resolved",
    ),
    "the resolved one could not be delivered": (
        LEDGER[:1],
        {"failed_notifications": 1},
        "receiver",
        "slack was never notified that it resolved",
    ),
    "it went to the wrong receiver": (
        tuple(replace(each, receiver="pager") for each in LEDGER),
        {},
        "alertmanager",
        (
            "pager was notified, expected only slack: Alertmanager routed it elsewhere; it fired"
            " for 4m30s, Alertmanager had it: slack was never notified"
        ),
    ),
    "it went to another receiver too": (
        (
            *LEDGER,
            notification("firing", 541.0, receiver="pager"),
            notification("resolved", 841.0, receiver="pager"),
        ),
        {},
        "alertmanager",
        "pager was notified, expected only slack: Alertmanager routed it elsewhere",
    ),
    "it was late": (
        (notification("firing", 843.0), notification("resolved", 845.0)),
        {},
        "alertmanager",
        "slack was notified 5m33s after it fired, due within 5m30s",
    ),
    "its resolution was notified late": (
        (LEDGER[0], notification("resolved", 1200.0)),
        {"failed_notifications": 2},
        "receiver",
        "slack was notified 7m after it resolved, due within 5m30s",
    ),
    "it was notified as firing long after it had resolved": (
        (*LEDGER, notification("firing", 1500.0)),
        {},
        "alertmanager",
        (
            "slack was notified that it fires 12m after it had resolved;"
            " slack was never notified that it resolved"
        ),
    ),
    "its resolution was notified before it resolved": (
        (LEDGER[0], notification("resolved", 700.0)),
        {},
        "alertmanager",
        "slack was notified at 11m40s that it resolved, but it was still firing",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_of_the_ledger_is_caught_at_its_hop(fault):
    """One mutation of the good ledger, one verdict with the reason."""
    ledger, changes, hop, reason = PLANTED[fault]
    assert outcome_of(verdicts(ledger, **changes)) == (False, hop, reason)


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


def test_a_notification_with_other_labels_matches_no_alert():
    """What Alertmanager notifies must be what fired in Prometheus, label by label."""
    changed = [replace(each, labels=(*each.labels, ("zone", "x"))) for each in LEDGER]
    results = [v for v in verdicts(changed) if v.alert == "Throughput"]
    assert [(v.expected, v.ok) for v in results] == [("fires", False), ("unexpected", False)]


def test_a_notification_of_a_time_at_which_it_did_not_fire_matches_no_alert():
    """The alert fired from 510 s to 780 s; the notification names 1200 s."""
    results = verdicts((*LEDGER, notification("firing", 1230.0, since_s=1200.0)))
    assert [v.ok for v in results if v.alert == "Throughput"] == [True, False]


def test_repeats_count_once():
    """Retries, restarts and repeated groups are nothing new."""
    again = tuple(replace(each, deliveries=4) for each in LEDGER)
    verdict = verdict_on(verdicts(again))
    assert (verdict.ok, [d.deliveries for d in verdict.deliveries]) == (True, [4, 4])


def test_every_named_receiver_must_be_notified_of_firing_and_resolving():
    """A receiver that misses everything and one that misses the resolution are both named."""
    both = FIRES.replace("[slack]", "[slack, sre]")
    ledger = (*LEDGER, notification("firing", 541.0, receiver="sre"))
    assert outcome_of(verdicts(LEDGER, expectations=(both,)))[2].endswith("sre was never notified")
    assert outcome_of(verdicts(ledger, expectations=(both,))) == (
        False,
        "alertmanager",
        "sre was never notified that it resolved",
    )
    whole = (*ledger, notification("resolved", 841.0, receiver="sre"))
    assert verdict_on(verdicts(whole, expectations=(both,))).ok


def test_without_receivers_somebody_must_be_notified():
    """Whoever it is."""
    any_ = FIRES.replace("receivers: [slack], ", "")
    assert verdict_on(verdicts(expectations=(any_,))).ok
    assert outcome_of(verdicts((), expectations=(any_,))) == (
        False,
        "alertmanager",
        "it fired for 4m30s, Alertmanager had it: nobody was notified",
    )


def test_an_alert_that_must_not_be_notified_may_fire():
    """Inhibited or muted: Alertmanager must have had it, and notified nobody."""
    muted = FIRES.replace("[slack]", "[]")
    assert verdict_on(verdicts((), expectations=(muted,))).ok
    assert outcome_of(verdicts(expectations=(muted,))) == (
        False,
        "alertmanager",
        "slack was notified, expected nobody: Alertmanager routed it elsewhere",
    )
    lost = verdicts((), expectations=(muted,), seen_by_alertmanager=frozenset())
    assert outcome_of(lost) == (
        False,
        "alertmanager",
        "Alertmanager never had it, so nothing shows that it would notify nobody",
    )


def test_whether_its_resolution_must_be_notified_can_be_set():
    """It is due with resolves_within, unless the expectation says otherwise."""
    no = FIRES.replace("fires_within", "notifies_resolved: false, fires_within")
    yes = "{alert: Throughput, notifies_resolved: true, fires_within: 7m}"
    silent = "{alert: Throughput, fires_within: 7m}"
    for expectation, ok in ((no, True), (yes, False), (silent, True), (FIRES, False)):
        assert verdict_on(verdicts(LEDGER[:1], expectations=(expectation,))).ok is ok, expectation


def test_a_notification_that_was_not_due_when_the_run_ended_is_no_failure():
    """A notification may come as late as its group's next turn; the end came before that."""
    late = [timeline("Throughput", (210.0, 510.0, None))]
    firing = FIRES.replace(", resolves_within: 3m", "")
    soon = verdicts((), late, (firing,), ended_s=800.0)
    assert verdict_on(soon).ok
    assert verdict_on(soon).reason.endswith("no notification was due yet when the run ended")
    assert not verdict_on(verdicts((), late, (firing,), ended_s=850.0)).ok
    # Resolved at 780 s: its notice is due by 1110 s.
    assert verdict_on(verdicts(LEDGER[:1], ended_s=1100.0)).ok
    assert not verdict_on(verdicts(LEDGER[:1], ended_s=1120.0)).ok


def test_an_alert_that_still_fires_at_the_end_need_not_have_resolved():
    """Neither its resolution nor the notification of it was due."""
    firing = FIRES.replace(", resolves_within: 3m", "")
    results = verdicts(LEDGER[:1], [timeline("Throughput", (210.0, 510.0, None))], (firing,))
    assert verdict_on(results).ok
    # Alertmanager notifies the resolution while the stack stops: after the end of the run.
    after = (LEDGER[0], notification("resolved", 1810.0))
    assert verdict_on(verdicts(after, [timeline("Throughput", (210.0, 510.0, None))], (firing,))).ok


def test_an_alert_that_fired_for_a_moment_only_still_had_to_reach_somebody():
    """Shorter than group_wait: nobody is notified, which an expectation is there to find."""
    short = [timeline("Throughput", (210.0, 510.0, 520.0))]
    assert outcome_of(verdicts((), short)) == (
        False,
        "alertmanager",
        "it fired for 10s, Alertmanager had it: slack was never notified",
    )


def test_label_sets_of_one_alert_are_notified_one_by_one():
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
    text = SCENARIO.replace(
        "expectations:\n",
        "  - {name: again, fault: agent_hang, start: 15m, duration: 3m}\nexpectations:\n",
    )
    text += "".join(
        f"  - {{alert: Throughput, cause: {cause}, receivers: [slack], fires_within: 7m,"
        " resolves_within: 4m}\n"
        for cause in ("gone", "again")
    )
    results = [timeline("Throughput", GOOD, (930.0, 1230.0, 1300.0))]
    judged = judge(parse_scenario(text, "s.yaml"), ALERTS, results)
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
    text = SCENARIO.replace("expectations:\n", more + "expectations:\n")
    text += "  - {alert: Queue, cause: old, receivers: [slack], fires_within: 15m}\n"
    results = [timeline("Queue", (min(since_s, -600.0), since_s, None))]
    judged = judge(parse_scenario(text, "s.yaml"), ALERTS, results)
    ledger = [notification("firing", -4370.0, since_s=-4400.0, alert="Queue")]
    assert verdict_on(
        judge_deliveries(judged, results, ledger, evidence=evidence(), deadlines=DEADLINES), "Queue"
    ).ok
    assert not verdict_on(
        judge_deliveries(judged, results, [], evidence=evidence(), deadlines=DEADLINES), "Queue"
    ).ok


def test_an_explained_alert_may_notify_whom_it_names_or_anybody():
    """It may fire or not; if it lasts, those named must be notified, and nobody else."""
    free = "{alert: Throughput, explained: it may}"
    named = "{alert: Throughput, receivers: [slack], explained: it may}"
    assert verdict_on(verdicts((), expectations=(free,))).ok
    assert verdict_on(verdicts(expectations=(free,))).ok
    assert verdict_on(verdicts((), [], expectations=(named,))).ok
    assert verdict_on(verdicts(expectations=(named,))).ok
    lasting = [timeline("Throughput", (210.0, 510.0, 900.0))]
    assert not verdict_on(verdicts((), lasting, expectations=(named,))).ok
    moment = [timeline("Throughput", (210.0, 510.0, 530.0))]
    assert verdict_on(verdicts((), moment, expectations=(named,))).ok
    other = tuple(replace(each, receiver="pager") for each in LEDGER)
    assert outcome_of(verdicts(other, expectations=(named,)))[2] == (
        "pager was notified, expected only slack: Alertmanager routed it elsewhere"
    )


def test_an_unexpected_alert_says_whom_it_notified():
    """It has failed already; who was notified is good to know."""
    results = verdicts(
        (*LEDGER, notification("firing", 100.0, since_s=70.0, alert="Latency")),
        [
            timeline("Throughput", GOOD),
            timeline("Latency", (15.0, 70.0, 130.0)),
        ],
    )
    verdict = verdict_on(results, "Latency")
    assert (verdict.ok, verdict.broke_at, len(verdict.deliveries)) == (False, None, 1)
    assert verdict.reason == (
        "it fired at 1m10s, but the scenario neither expects nor explains it; slack was notified"
    )


@pytest.mark.parametrize(
    ("changes", "hop", "reason"),
    [
        ({"without_effect": frozenset({"gone"})}, "world", "gone had no effect"),
        ({"failed_scrapes_s": (200.0, 215.0)}, "scrape", "2 scrapes failed meanwhile"),
        ({"failed_scrapes_s": (100.0, 1700.0)}, "rule", "no scrape failed meanwhile"),
    ],
)
def test_an_alert_that_never_fired_broke_before_alertmanager(changes, hop, reason):
    """In the world, at the scrape, or at the rule: the first on the way."""
    place = "in the world" if hop == "world" else f"at the {hop}"
    assert outcome_of(verdicts((), [], **changes)) == (
        False,
        hop,
        f"never fired; {reason}, so it broke {place}",
    )


def test_an_alert_that_fired_or_resolved_late_broke_before_alertmanager_too():
    """Scrapes count that failed while it should have fired or resolved."""
    late = [timeline("Throughput", (210.0, 700.0, 780.0))]
    ledger = (
        notification("firing", 731.0, since_s=700.0),
        notification("resolved", 841.0, since_s=700.0),
    )
    assert outcome_of(verdicts(ledger, late))[:2] == (False, "rule")
    assert outcome_of(verdicts(ledger, late, failed_scrapes_s=(300.0,)))[:2] == (False, "scrape")
    stuck = [timeline("Throughput", (210.0, 510.0, 1000.0))]
    ledger = (notification("firing", 541.0), notification("resolved", 1041.0))
    assert outcome_of(verdicts(ledger, stuck, failed_scrapes_s=(300.0,)))[:2] == (False, "rule")
    assert outcome_of(verdicts(ledger, stuck, failed_scrapes_s=(800.0,)))[:2] == (False, "scrape")


def test_a_receiver_that_alertmanager_does_not_have_is_a_mistake():
    """It is reported with its place, before anything runs."""
    scenario = scenario_with(FIRES, "{alert: Queue, receivers: [x], explained: it may}")
    check_receivers_exist(scenario, ["slack", "x"])
    with pytest.raises(InputError) as caught:
        check_receivers_exist(scenario, ["slacks", "pager"])
    assert str(caught.value).splitlines() == [
        "s.yaml:8:13: no receiver of Throughput is called 'slack', did you mean 'slacks'?",
        "s.yaml:9:13: no receiver of Queue is called 'x', Alertmanager has slacks and pager",
    ]
