"""How long an alert is pending before it fires, where an expectation says so."""

from __future__ import annotations

import pytest

from tests.verifier.judge.small_scenario import ALERTS, scenario_with, timeline, verdict_on
from verifier.evidence.measurement import ConditionNumbers
from verifier.judge.alert_verdicts import judge
from verifier.judge.failures.culprit import FailedCase, likely_culprit
from verifier.time_compression import TimeCompression, allow_for_inertia

PENDS = "{alert: Throughput, fires_within: 7m, resolves_within: 3m, pends_for: 5m}"


def verdict(*episodes, expectation=PENDS):
    """Return the verdict on an alert with these episodes."""
    return verdict_on(
        judge(scenario_with(expectation), ALERTS, [timeline("Throughput", *episodes)])
    )


@pytest.mark.parametrize(
    ("firing_s", "reason"),
    [
        (510.0, None),
        (510.9, None),
        (525.0, "was pending for 5m15s before it fired, it must be 5m"),
        (480.0, "was pending for 4m30s before it fired, it must be 5m"),
        (210.0, "was pending for 0s before it fired, it must be 5m"),
    ],
)
def test_another_time_is_a_failure_and_the_rules(firing_s, reason):
    """To a second; without the key any time will do."""
    judged = verdict((210.0, firing_s, 780.0))
    assert (judged.ok, judged.reason if reason else None) == (reason is None, reason)
    assert verdict((210.0, firing_s, 780.0), expectation=PENDS.replace(", pends_for: 5m", "")).ok
    if reason:
        numbers = ConditionNumbers(270.0, 570.0, 210.0, ())
        culprit = likely_culprit(FailedCase(verdict=judged, numbers=numbers))
        assert culprit.suspect == "rule"
        assert culprit.because.endswith(", its `for` is 4m30s")


def test_the_episode_that_fired_counts():
    """Not one before, that was only pending."""
    assert verdict((190.0, None, 205.0), (210.0, 510.0, 780.0)).ok
    assert not verdict((190.0, None, 205.0), (210.0, 450.0, 780.0)).ok


@pytest.mark.parametrize("factor", [1.0, 30.0])
def test_in_real_time_it_is_not_judged(factor):
    """An evaluation there may be minutes of the scenario."""
    scenario = scenario_with(PENDS)
    assert scenario.expectations[0].pends_for_s == 300.0
    (after,) = allow_for_inertia(scenario, TimeCompression(factor)).expectations
    assert after.pends_for_s is None
