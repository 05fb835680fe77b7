"""Before which instant an alert can neither fire nor resolve, where an expectation says so."""

from __future__ import annotations

import pytest

from tests.verifier.judge.small_scenario import ALERTS, scenario_with, timeline, verdict_on
from verifier.judge.alert_verdicts import judge
from verifier.judge.failures.culprit import FailedCase, likely_culprit
from verifier.time_compression import TimeCompression, allow_for_inertia

EARLIEST = (
    "{alert: Throughput, fires_within: 7m, resolves_within: 3m, fires_after: 5m,"
    " resolves_after: 30s}"
)


def verdict(*episodes, expectation=EARLIEST):
    """Return the verdict on an alert with these episodes; its cause lasts from 180 to 720 s."""
    return verdict_on(
        judge(scenario_with(expectation), ALERTS, [timeline("Throughput", *episodes)])
    )


@pytest.mark.parametrize(
    ("episode", "reason"),
    [
        ((190.0, 480.0, 750.0), None),
        ((190.0, 479.0, 750.0), "fired 4m59s after the onset, it cannot before 5m"),
        ((190.0, 480.0, 749.0), "resolved 29s after the end of its cause, it cannot before 30s"),
        ((190.0, 480.0, 600.0), "resolved 2m before the end of its cause, it cannot before 30s"),
    ],
)
def test_an_alert_that_is_too_early_fails_and_its_rule_is_blamed(episode, reason):
    """To the evaluation; without the keys it passes."""
    judged = verdict(episode)
    assert (judged.ok, judged.reason if reason else None) == (reason is None, reason)
    plain = EARLIEST.replace(", fires_after: 5m, resolves_after: 30s", "")
    assert verdict(episode, expectation=plain).ok
    if reason:
        culprit = likely_culprit(FailedCase(verdict=judged, numbers=None))
        assert culprit.suspect == "rule"


def test_one_that_still_fires_has_not_resolved_too_early():
    """It is late, if anything."""
    judged = verdict((190.0, 480.0, None))
    assert "cannot" not in judged.reason


def test_where_it_resolves_for_good_counts():
    """Not where it was silent for a while between two firings."""
    assert verdict((190.0, 480.0, 600.0), (610.0, 700.0, 760.0)).ok


@pytest.mark.parametrize("factor", [1.0, 30.0])
def test_in_real_time_they_are_not_judged(factor):
    """An evaluation there may be minutes of the scenario."""
    (after,) = allow_for_inertia(scenario_with(EARLIEST), TimeCompression(factor)).expectations
    assert (after.fires_after_s, after.resolves_after_s) == (None, None)
