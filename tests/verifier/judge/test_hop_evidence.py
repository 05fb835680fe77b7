"""The hop at which an alert broke that never fired, or fired or resolved late."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.verifier.judge.ledgers import notification, outcome_of, timeline, verdicts
from verifier.evaluation.timeline import Episode
from verifier.judge.hop_evidence import NotificationDeadlines
from verifier.judge.notification_checks import DeliveryChecks


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
