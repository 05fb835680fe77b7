"""The hop at which an alert broke that never fired, or fired or resolved late."""

from __future__ import annotations

import pytest

from tests.verifier.judge.ledgers import notification, outcome_of, timeline, verdicts


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
