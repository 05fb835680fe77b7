"""Who is blamed at each bound of the evidence: on it, and a little beyond."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.judge.failures.test_culprit import (
    COMPARISON,
    FIRED,
    HELD,
    LATE,
    NEVER,
    SIBLING,
    blamed,
)

EXPECTATION = {**FIRED, "resolved_s": 900.0}
"""It resolved too late, which is the expectation's fault where nothing else is wrong."""
SLOW = replace(SIBLING, **LATE)


def came(nearest, **changes):
    """Return a condition that never held, whose value came so near."""
    return replace(NEVER, comparisons=(replace(COMPARISON, nearest=nearest, **changes),))


MEASURED = [
    (came(40.0, at_s=180.0), "rule", "25% of the way"),
    (came(40.0, at_s=179.9), "rule", "had no value from the onset"),
    (came(1010.0, healthy=1000.0, healthy_spread=0.0), "expectation", "does not move"),
    (came(1010.5, healthy=1000.0, healthy_spread=0.0), "fault", "moved its value"),
    (came(23.0), "expectation", "does not move"),
    (came(23.5), "fault", "moved its value"),
    (came(17.0, operator="<", threshold=10.0), "expectation", "does not move"),
    (came(12.0, operator="<", threshold=10.0), "fault", "80% of the way to < 10"),
    (came(24.9), "fault", "6% of the way to > 100"),
    (came(25.0), "rule", "6% of the way to > 100: its threshold is out of reach"),
    (came(59.9), "rule", "50% of the way to > 100: its threshold is out of reach"),
    (came(60.0), "fault", "50% of the way to > 100: too weak"),
    (came(9.9, healthy=0.0), "rule", "10% of the way to > 100: its threshold is out of reach"),
    (came(10.0, healthy=0.0), "fault", "10% of the way to > 100: too weak"),
    (came(19.9, operator="<", healthy_spread=0.0, threshold=0.0), "expectation", "does not"),
    (came(10.0, healthy=0.0, threshold=1000.0), "rule", "1% of the way to > 1,000"),
    (came(9.9, healthy=0.0, threshold=1000.0), "rule", "less than 1% of the way"),
    (came(-20.0), "rule", "from a healthy mean of 20 to -20, -50% of the way to > 100"),
    (came(23.5, operator="<", threshold=10.0), "fault", "-35% of the way to < 10"),
]


@pytest.mark.parametrize(("numbers", "suspect", "because"), MEASURED)
def test_how_far_a_value_came_decides_to_the_very_bound(numbers, suspect, because):
    """Its noise, a hundredth, a quarter, half of the way."""
    blame, reason = blamed(numbers)
    assert (blame, because in reason) == (suspect, True), reason


TIMED = [
    ({"not_before_s": 190.0}, EXPECTATION, "expectation", "it resolved 6m after its cause"),
    ({"not_before_s": 190.1}, EXPECTATION, "rule", "before any fault began"),
    ({}, {**FIRED, "fires_within_s": 300.0}, "expectation", "it fired 5m10s after the onset"),
    ({}, {**FIRED, "fires_within_s": 299.9}, "expectation", "its `for` alone is 5m"),
    ({"longest_for_s": 100.0}, {**FIRED, "fires_within_s": 200.0}, "expectation", "`for` alone"),
    ({"longest_for_s": 99.9}, {**FIRED, "fires_within_s": 200.0}, "rule", "longest of the others"),
    ({}, {**LATE, "lost_pending": ((0.0, 30.0),)}, "fault", "it was pending twice, at first early"),
    ({}, {**LATE, "lost_pending": ((-1.0, 30.0),)}, "expectation", "7m is too short"),
    ({}, {**LATE, "lost_pending": ((120.0, 130.0),)}, "fault", "too unsteady to keep it up"),
    ({}, {**LATE, "lost_pending": ((120.1, 130.0),)}, "expectation", "7m is too short"),
    ({"siblings": [SLOW]}, {**LATE, "pending_s": 210.0}, "fault", "gone acts slowly: B fired too"),
    ({"siblings": [SLOW]}, {**LATE, "pending_s": 209.9}, "expectation", "7m is too short"),
    ({"siblings": [SLOW, SIBLING]}, LATE, "expectation", "7m is too short"),
    ({"siblings": [replace(SLOW, firing_s=420.0)]}, LATE, "expectation", "7m is too short"),
    ({}, {**FIRED, "resolves_after_s": 60.0}, "expectation", "it resolved 1m after its cause"),
    ({}, {**FIRED, "resolves_after_s": 60.1}, "rule", "while its window still sees the cause"),
    ({}, {**FIRED, "fires_after_s": 310.0}, "expectation", "it resolved 1m after its cause"),
    ({}, {**FIRED, "fires_after_s": 310.1}, "rule", "before its cause can have brought it"),
    ({}, {**FIRED, "pends_for_s": 301.0}, "expectation", "it resolved 1m after its cause"),
    ({}, {**FIRED, "pends_for_s": 301.1}, "rule", "it was pending for 5m, its `for` is 5m"),
    (
        {"siblings": [replace(SIBLING, resolved_s=None)]},
        EXPECTATION,
        "expectation",
        "it resolved 6m after its cause",
    ),
    (
        {"siblings": [replace(SIBLING, resolved_s=None), SIBLING]},
        {**FIRED, "resolved_s": None},
        "expectation",
        "its window still sees the cause",
    ),
    ({}, {**EXPECTATION, "cause": None, "cause_end_s": None}, "expectation", "15m after the start"),
]


@pytest.mark.parametrize(("case", "changes", "suspect", "because"), TIMED)
def test_when_an_alert_came_decides_to_the_very_bound(case, changes, suspect, because):
    """What came at its limit is in time."""
    blame, reason = blamed(HELD, case=case, **changes)
    assert (blame, because in reason) == (suspect, True), reason
