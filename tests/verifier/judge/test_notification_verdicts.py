"""From Prometheus to the receiver: every planted fault of a ledger is caught, at its hop."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from documents.mistakes import InputError, Place
from tests.verifier.judge.ledgers import (
    FIRES,
    LEDGER,
    notification,
    outcome_of,
    timeline,
    verdicts,
)
from tests.verifier.judge.small_scenario import ALERTS, GOOD, scenario_with, verdict_on
from verifier.judge.notification_verdicts import check_receivers_exist, routing_findings


def test_an_alert_that_reached_its_receiver_is_ok():
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


def test_without_named_receivers_any_receiver_must_be_notified():
    """Whichever it is."""
    any_ = FIRES.replace("receivers: [slack], ", "")
    assert verdict_on(verdicts(expectations=(any_,))).ok
    assert outcome_of(verdicts((), expectations=(any_,))) == (
        False,
        "alertmanager",
        "it fired for 4m30s, Alertmanager had it: nobody was notified",
    )


def test_an_alert_that_must_not_be_notified_may_fire():
    """Inhibited or muted: Alertmanager must have had it, and notified no receiver."""
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


def test_an_alert_that_fires_anew_need_not_be_known_as_resolved():
    """The last that its receiver knows is right: it fires again, and has not resolved since."""
    again = [timeline("Throughput", GOOD, (900.0, 960.0, None))]
    ledger = (*LEDGER, notification("firing", 1000.0, since_s=960.0))
    assert "never notified that it resolved" not in verdict_on(verdicts(ledger, again)).reason
    over = [timeline("Throughput", GOOD, (900.0, 960.0, 1200.0))]
    assert "slack was never notified that it resolved" in verdict_on(verdicts(ledger, over)).reason


def test_an_alert_that_fired_only_briefly_must_still_reach_a_receiver():
    """Shorter than group_wait: no receiver is notified, which an expectation has to detect."""
    short = [timeline("Throughput", (210.0, 510.0, 520.0))]
    assert outcome_of(verdicts((), short)) == (
        False,
        "alertmanager",
        "it fired for 10s, Alertmanager had it: slack was never notified",
    )


def test_an_explained_alert_may_notify_the_receivers_it_names_or_any():
    """It may fire or not; if it lasts, those named must be notified, and no other."""
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


def test_of_several_hops_that_broke_the_first_is_named():
    """It fired too late, and then nobody was notified."""
    late = "{alert: Throughput, receivers: [slack], fires_within: 1m, resolves_within: 9m}"
    lasting = [timeline("Throughput", (210.0, 510.0, 900.0))]
    ok, broke_at, reason = outcome_of(verdicts((), lasting, expectations=(late,)))
    assert (ok, broke_at) == (False, "rule")
    assert "slack was never notified" in reason


def test_an_unexpected_alert_lists_the_receivers_it_notified():
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
    assert verdict.reason == ("unexpected: it fired at 1m10s; slack was notified")


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
    both = scenario_with(FIRES.replace("[slack]", "[slack, x]"))
    with pytest.raises(InputError):
        check_receivers_exist(both, ["slack"])


def test_an_explained_alert_that_came_too_early_broke_at_no_hop():
    """It need not have fired at all, so nothing failed to bring it about."""
    early = "{alert: Throughput, explained: it may, cause: gone}"
    before = [timeline("Throughput", (100.0, 510.0, 780.0))]
    assert outcome_of(verdicts(LEDGER, before, (early,))) == (
        False,
        None,
        "its condition held 1m20s before its cause began",
    )


def test_a_silence_that_was_broken_is_said_beside_a_notification_of_another_time():
    """Both are wrong; the second does not stand for the first."""
    silent = "{alert: Latency, silent: true}"
    lines = [timeline("Latency", (15.0, 70.0, 130.0))]
    ghost = notification("firing", 900.0, since_s=870.0, alert="Latency")
    results = [v for v in verdicts((ghost,), lines, (silent,)) if v.alert == "Latency"]
    assert [(v.expected, v.ok) for v in results] == [("silent", False), ("unexpected", False)]


def findings(*expectations, more=""):
    """Return what is to know of a routing in a scenario, and where its expectations stand."""
    scenario = scenario_with(*expectations, more=more)
    routing = SimpleNamespace(
        findings=("a.yml:1:1: of itself",),
        timed_routes=(Place("a.yml", 5, 3),),
        unsent_ends={"slack": "send_resolved of its slack_configs is false by default"},
    )
    return routing_findings(scenario, routing)


def test_a_scenario_with_a_date_of_its_own_needs_no_word_of_its_timed_routes():
    """Any other is judged as of the day on which every history begins."""
    own, timed = findings()
    assert own == "a.yml:1:1: of itself"
    assert timed.startswith("a.yml:5:3: the time intervals of this route are judged as of ")
    assert timed.endswith(" UTC, when s starts: set its starts_at to choose another time")
    assert findings(more="starts_at: 2026-03-02T09:00:00Z\n") == ("a.yml:1:1: of itself",)


def test_a_receiver_that_is_not_told_of_the_end_is_named_where_that_is_expected():
    """Not where it is left open, or not expected, and of no receiver that is told."""
    ends = "{{alert: Throughput, receivers: [{}], fires_within: 7m, resolves_within: 3m{}}}"
    both = ends.format("page, slack", ", notifies_resolved: true")
    (_, _, said) = findings(both)
    assert said.startswith("s.yaml:")
    assert said.endswith(
        "Throughput expects slack to be notified that it resolved, but send_resolved of its"
        " slack_configs is false by default"
    )
    assert len(findings(both, both.replace("Throughput", "Queue"))) == 4
    for name, rest in (
        ("slack", ""),
        ("slack", ", notifies_resolved: false"),
        ("page", ", notifies_resolved: true"),
    ):
        assert len(findings(ends.format(name, rest))) == 2, (name, rest)
    assert len(findings(both.replace("receivers: [page, slack], ", ""))) == 2
