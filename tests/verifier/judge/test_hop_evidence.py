"""The hop at which an alert broke that never fired, or fired or resolved late."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.verifier.judge.ledgers import (
    DEADLINES,
    FIRES,
    LEDGER,
    evidence,
    notification,
    outcome_of,
    timeline,
    verdicts,
)
from tests.verifier.judge.small_scenario import GOOD, verdict_on
from verifier.evaluation.timeline import Episode
from verifier.judge.hop_evidence import NotificationDeadlines
from verifier.judge.notification_checks import DeliveryChecks
from verifier.judge.notification_matching import MatchedNotification
from verifier.judge.verdict import Delivery


@pytest.mark.parametrize(
    ("changes", "hop", "reason"),
    [
        ({"without_effect": frozenset({"gone"})}, "world", "gone had no effect"),
        ({"failed_scrapes_s": (200.0, 215.0)}, "scrape", "2 scrapes failed meanwhile"),
        ({"failed_scrapes_s": (180.0, 600.0)}, "scrape", "2 scrapes failed meanwhile"),
        ({"failed_scrapes_s": (179.0, 601.0)}, "rule", "no scrape failed meanwhile"),
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
    for failed_s in (300.0, 650.0):  # up to its firing, beyond its limit
        failed = verdicts(ledger, late, failed_scrapes_s=(failed_s,))
        assert outcome_of(failed)[:2] == (False, "scrape")
    stuck = [timeline("Throughput", (210.0, 510.0, 1000.0))]
    ledger = (notification("firing", 541.0), notification("resolved", 1041.0))
    assert outcome_of(verdicts(ledger, stuck, failed_scrapes_s=(300.0,)))[:2] == (False, "rule")
    assert outcome_of(verdicts(ledger, stuck, failed_scrapes_s=(800.0,)))[:2] == (False, "scrape")
    assert outcome_of(verdicts(ledger, stuck, failed_scrapes_s=(1020.0,)))[:2] == (False, "rule")


def test_an_alert_that_fired_at_its_limit_broke_when_it_had_to_resolve():
    """It was in time, and may resolve whenever it likes where no limit says otherwise."""
    lines = [timeline("Throughput", (210.0, 600.0, 1000.0))]
    ledger = (
        notification("firing", 631.0, since_s=600.0),
        notification("resolved", 1041.0, since_s=600.0),
    )
    assert outcome_of(verdicts(ledger, lines, failed_scrapes_s=(300.0,)))[:2] == (False, "rule")
    assert outcome_of(verdicts(ledger, lines, failed_scrapes_s=(800.0,)))[:2] == (False, "scrape")
    early = [timeline("Throughput", (150.0, 510.0, 780.0))]
    free = (FIRES.replace(", resolves_within: 3m", ""),)
    failed = verdicts(LEDGER, early, free, failed_scrapes_s=(800.0,))
    assert outcome_of(failed)[:2] == (False, "scrape")


@pytest.mark.parametrize(
    ("fired_at_s", "unmuted_at_s", "muted", "excused"),
    [
        ([250.0], {}, (), True),
        ([201.0], {}, (), True),
        ([200.0], {}, (), False),
        ([50.0, 250.0], {}, (), False),
        ([50.0, 250.0], {"slack": 260.0, "sre": 260.0}, (), True),
        ([50.0], {"slack": 260.0}, (), False),
        ([50.0], {"sre": 260.0}, (), False),
        ([250.0], {}, ("sre",), False),
        ([210.0, 250.0], {}, (), True),
    ],
    ids=[
        "it has just fired",
        "it is due in a moment",
        "it is due now",
        "an earlier one is overdue, a later one is not",
        "both are due since they are not muted",
        "of two receivers the second is overdue",
        "of two receivers the first is overdue",
        "one receiver is muted for good",
        "none of two is due",
    ],
)
def test_a_missing_notification_is_excused_only_if_none_of_any_receiver_was_due(
    fired_at_s, unmuted_at_s, muted, excused
):
    """Each firing and each receiver counts: one that is overdue is missed, whatever the others."""
    evidence = SimpleNamespace(
        ended_s=300.0,
        why_muted=lambda _labels, name, *_times: "muted by night" if name in muted else None,
        unmuted_s=lambda _labels, name, from_s, _until: max(from_s, unmuted_at_s.get(name, 0.0)),
    )
    case = SimpleNamespace(
        labels={},
        episodes=[Episode(at_s, at_s, at_s + 30.0) for at_s in fired_at_s],
        verdict=SimpleNamespace(expected="fires", receivers=("slack", "sre")),
        notified_firing=set(),
    )
    deadlines = NotificationDeadlines(due_s=100.0, early_s=0.0)
    assert DeliveryChecks([case], evidence, deadlines).not_due_yet(case) == excused


@pytest.mark.parametrize(
    ("muted_until_s", "resolved_s", "muted"),
    [(200.0, 100.0, True), (200.0, 250.0, False), (300.0, None, True), (299.0, None, False)],
    ids=["while it fired", "not to its end", "to the end of the run", "not to that end"],
)
def test_a_receiver_counts_as_muted_if_it_was_for_as_long_as_the_alert_fired(
    muted_until_s, resolved_s, muted
):
    """To its end, or to the end of the run at 300 s; afterwards it may be unmuted."""

    def why_muted(_labels, _name, start_s, end_s):
        """Return the reason where the whole period is muted."""
        return "muted by night" if start_s >= 0 and end_s <= muted_until_s else None

    evidence = SimpleNamespace(ended_s=300.0, why_muted=why_muted, routed=lambda _: ["pager"])
    case = SimpleNamespace(labels={}, episodes=[Episode(10.0, 20.0, resolved_s)])
    checks = DeliveryChecks([case], evidence, None)
    assert checks.mutings(case, []) == ({"pager": "muted by night"} if muted else {})
    assert checks.is_muted_throughout(case, "pager", case.episodes[0]) == muted


class MutedRouting:
    """A routing that mutes one receiver up to a minute, first `by night` and then `by day`."""

    def __init__(self, until_s, *, name="slack", night_s=float("inf"), unsent_ends=()):
        """Times are Unix seconds, as those of a routing are."""
        self.until_s, self.name, self.night_s = until_s, name, night_s
        self.unsent_ends = dict(unsent_ends)

    def muting(self, _labels, receiver, date_s):
        """Say what mutes a receiver on a date."""
        if receiver != self.name or date_s >= self.until_s:
            return None
        return "muted by night" if date_s < self.night_s else "muted by day"

    def receivers_of(self, _labels):
        """Lead everything to that receiver."""
        return (self.name,)


def test_a_receiver_is_unmuted_with_the_minute_of_its_date():
    """The scenario begins 20 s into a minute; the reason is that of the beginning."""
    known = evidence(routing=MutedRouting(1060.0 * 60, night_s=1059.0 * 60), date_s=63_500.0)
    assert known.unmuted_s((), "slack", 0.0, 500.0) == 100.0
    assert known.unmuted_s((), "slack", 30.0, 90.0) == 90.0
    assert known.unmuted_s((), "slack", 200.0, 500.0) == 200.0
    assert known.unmuted_s((), "pager", 0.0, 500.0) == 0.0
    assert known.why_muted((), "slack", 0.0, 100.0) == "muted by night"
    assert known.why_muted((), "slack", 60.0, 100.0) == "muted by day"
    assert known.why_muted((), "slack", 0.0, 101.0) is None


LASTING = (210.0, 510.0, 1700.0)
FREE = FIRES.replace(", resolves_within: 3m", "")
ANYBODY = FREE.replace("receivers: [slack], ", "")


@pytest.mark.parametrize(
    ("until_s", "expectation", "ledger", "ok", "remark"),
    [
        # Due from 900 s on, whenever it fired, and said so.
        (900.0, FREE, (931.0,), True, "slack was muted by night until 15m"),
        (900.0, FREE, (1231.0,), False, "slack was notified 5m31s after it fired"),
        # Nobody is named: the receiver that the routes lead to is not due yet.
        (1500.0, ANYBODY, (), True, "no notification was due yet"),
        (900.0, ANYBODY, (), False, "nobody was notified"),
        # It was muted for as long as it fired.
        (1800.0, FREE, (), False, "slack was never notified (slack: muted by night)"),
    ],
)
def test_a_notification_is_due_once_its_receiver_is_not_muted(
    until_s, expectation, ledger, ok, remark
):
    """Counted from there, in scenario seconds."""
    sent = [notification("firing", at_s) for at_s in ledger]
    lines = [timeline("Throughput", LASTING)]
    results = verdicts(sent, lines, (expectation,), routing=MutedRouting(until_s))
    assert (outcome_of(results)[0], remark in outcome_of(results)[2]) == (ok, True)


def test_only_what_is_notified_as_firing_was_postponed():
    """Up to its end at the most: then nothing of it is due any more."""
    known = evidence(routing=MutedRouting(900.0))
    checks = DeliveryChecks([], known, DEADLINES)
    episode = Episode(*GOOD)
    of = [
        MatchedNotification(Delivery(receiver="slack", status=status, at_s=930.0), episode)
        for status in ("firing", "resolved")
    ]
    cases = [SimpleNamespace(labels=(), notifications=[each]) for each in of]
    assert [checks.postponed(each) for each in cases] == [
        ["slack was muted by night until 13m"],
        [],
    ]


def test_a_receiver_that_was_muted_in_one_firing_of_two_was_not_muted():
    """The other had to reach it."""
    checks = DeliveryChecks([], evidence(routing=MutedRouting(900.0)), DEADLINES)
    twice = [Episode(*GOOD), Episode(1200.0, 1260.0, 1500.0)]
    case = SimpleNamespace(labels=(), episodes=twice)
    assert checks.mutings(case, ["slack"]) == {}
    case.episodes = twice[:1]
    assert checks.mutings(case, ["slack"]) == {"slack": "muted by night"}


def test_a_muted_label_set_is_not_excused_by_another_that_was_notified():
    """It came and went while its receiver was muted, which is said."""
    queue = "{alert: Queue, receivers: [slack], fires_within: 14m}"
    low = timeline("Queue", (930.0, 960.0, 1400.0), priority="low")
    short = timeline("Queue", (330.0, 390.0, 450.0), priority="high")
    sent = (notification("firing", 991.0, since_s=960.0, alert="Queue", priority="low"),)
    seen = frozenset({tuple(sorted((*short.labels, ("alertname", "Queue"))))})
    muted = MutedRouting(900.0)
    results = verdicts(sent, [short, low], (queue,), routing=muted, seen_by_alertmanager=seen)
    judged = {dict(v.labels).get("priority"): v for v in results if v.alert == "Queue"}
    assert (judged["high"].ok, judged["low"].ok) == (False, True)
    assert "muted by night" in judged["high"].reason


def test_an_end_that_is_never_sent_is_alertmanagers_whatever_else_failed():
    """Its attempts that failed were others; nor does a muting count that ended with the alert."""
    never = MutedRouting(0.0, unsent_ends={"slack": "its send_resolved is false"})
    results = verdicts(LEDGER[:1], routing=never, failed_notifications=1)
    assert outcome_of(results)[1:] == (
        "alertmanager",
        "slack was never notified that it resolved (slack: its send_resolved is false)",
    )
    for until_s, why in ((840.0, " (slack: muted by night then)"), (780.0, "")):
        results = verdicts(LEDGER[:1], routing=MutedRouting(until_s))
        reason = outcome_of(results)[2].removesuffix("; slack was muted by night until 13m")
        assert reason == f"slack was never notified that it resolved{why}"


@pytest.mark.parametrize(
    ("status", "at_s", "news", "ok"),
    [
        ("resolved", 765.0, True, True),
        ("resolved", 764.9, True, False),
        ("resolved", 1110.0, True, True),
        ("resolved", 1110.1, True, False),
        ("resolved", 1110.1, False, True),
        ("firing", 840.0, True, True),
        ("firing", 840.1, True, False),
        ("firing", 1110.0, False, True),
        ("firing", 1110.1, False, False),
    ],
)
def test_a_notification_may_come_at_its_deadline_and_no_later(status, at_s, news, ok):
    """Nor earlier than clocks may differ; a repeat is late only of an alert that is over."""
    sent = MatchedNotification(Delivery(receiver="slack", status=status, at_s=at_s), Episode(*GOOD))
    checks = DeliveryChecks([], evidence(), DEADLINES)
    case = SimpleNamespace(labels=())
    assert (checks.wrong_time(case, sent, news=news) is None) is ok


def test_what_is_due_at_the_very_end_of_a_run_was_due():
    """Neither is an alert short that fired for as long as a notification may take."""
    assert not verdict_on(verdicts(LEDGER[:1], ended_s=1110.0)).ok
    first = timeline("Queue", (210.0, 270.0, 780.0), priority="low")
    lasting = timeline("Queue", (330.0, 390.0, 720.0), priority="high")
    sent = (notification("firing", 301.0, since_s=270.0, alert="Queue", priority="low"),)
    queue = "{alert: Queue, receivers: [slack], fires_within: 7m}"
    results = verdicts(sent, [first, lasting], (queue,))
    assert [v.ok for v in results if v.alert == "Queue"] == [True, False]


def test_who_was_told_of_the_end_alone_was_not_told_that_it_fires():
    """And what notified one receiver had reached Alertmanager, if its list shows it or not."""
    assert not verdict_on(verdicts(LEDGER[1:], expectations=(ANYBODY,))).ok
    both = FIRES.replace("[slack]", "[slack, sre]")
    results = verdicts(LEDGER, expectations=(both,), seen_by_alertmanager=frozenset())
    assert outcome_of(results)[2] == (
        "it fired for 4m30s, Alertmanager had it: sre was never notified"
    )
