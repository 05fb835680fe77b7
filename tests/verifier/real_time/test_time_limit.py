"""A scenario cut by a time limit: what is still expected of it, and the notes on the rest."""

from __future__ import annotations

import pytest

from scenarios.library.files import library
from scenarios.loader import load_scenario
from tests.verifier.judge.test_notification_verdicts import scenario_with, timeline
from verifier.judge.alert_verdicts import judge
from verifier.real_time.time_limit import first_due_s, limit_scenario

FIRES = "{alert: Throughput, receivers: [slack], fires_within: 7m, resolves_within: 3m}"
"""Its cause lasts from 3m to 12m: it fires by 10m and resolves by 15m."""
ALERTS = ("Throughput", "Queue")


def test_a_limit_after_every_deadline_changes_nothing_but_the_duration():
    """A deadline at the limit is in time; a limit at the end cuts nothing."""
    scenario = scenario_with(FIRES)
    assert limit_scenario(scenario, 1800.0) == (scenario, ())
    limited, notes = limit_scenario(scenario, 900.0)
    assert (limited.duration_s, notes) == (900.0, ())
    assert limited.expectations == scenario.expectations


def test_a_deadline_to_resolve_beyond_the_limit_is_dropped_with_a_note():
    """It must still fire, and its receivers must still be notified."""
    limited, notes = limit_scenario(scenario_with(FIRES), 899.0)
    (expectation,) = limited.expectations
    assert (expectation.expected, expectation.fires_within_s, expectation.resolves_within_s) == (
        "fires",
        420.0,
        None,
    )
    assert expectation.receivers == ("slack",)
    assert notes == (
        (
            "Throughput was due to resolve by 15m, watched until 14m59s:"
            " whether it resolves was not judged"
        ),
    )


def test_an_alert_due_at_the_limit_must_have_fired_by_then():
    """A moment earlier it need not; what is due first of all alerts that must fire is known."""
    for until_s, expected in ((600.0, "fires"), (599.9, "explained")):
        (expectation,) = limit_scenario(scenario_with(FIRES), until_s)[0].expectations
        assert expectation.expected == expected
    later = "{alert: Queue, cause: gone, fires_within: 8m}"
    assert first_due_s(scenario_with(later, FIRES)) == 600.0
    assert first_due_s(scenario_with(later)) == 660.0
    assert first_due_s(scenario_with("{alert: Queue, explained: x}")) is None


def test_an_alert_due_beyond_the_limit_may_fire_and_need_not():
    """But not before its cause: the verdict stays closed."""
    limited, notes = limit_scenario(scenario_with(FIRES), 599.0)
    (expectation,) = limited.expectations
    assert (expectation.expected, expectation.receivers) == ("explained", ("slack",))
    assert notes == (
        "Throughput was due to fire by 10m, watched until 9m59s: whether it fires was not judged",
    )
    for episodes, ok in (((), True), (((210.0, 510.0, None),), True), (((0.0, 9.0, None),), False)):
        timelines = [timeline("Throughput", *episodes)] if episodes else []
        assert judge(limited, ALERTS, timelines)[0].ok is ok
    assert not judge(limited, ALERTS, [timeline("Queue", (0.0, 9.0, None))])[1].ok


def test_silent_and_explained_alerts_stay_so():
    """A shorter run makes neither weaker."""
    scenario = scenario_with("{alert: Throughput, silent: true}", "{alert: Queue, explained: x}")
    limited, notes = limit_scenario(scenario, 60.0)
    assert (limited.expectations, notes) == (scenario.expectations, ())


@pytest.mark.parametrize("until_s", [60.0, 780.0, 4000.0])
def test_no_bundled_scenario_expects_anything_beyond_the_limit(until_s):
    """Whatever the limit, all that is still expected is due before it; all else has its note."""
    for path in library():
        scenario = load_scenario(path)
        limited, notes = limit_scenario(scenario, until_s)
        changed = 0
        pairs = zip(scenario.expectations, limited.expectations, strict=True)
        for before, after in pairs:
            changed += before != after
            if after.fires_within_s is not None:
                assert after.onset_s + after.fires_within_s <= until_s
            if after.resolves_within_s is not None:
                assert after.end_s + after.resolves_within_s <= until_s
        assert len(notes) == changed
