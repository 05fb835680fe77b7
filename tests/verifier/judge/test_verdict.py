"""The verdict of a scenario and of a run follow from their parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.judge.small_scenario import outcome
from tests.verifier.outcomes import alert, difference, fired
from verifier.judge.verdict import AlertVerdict, PanelVerdict, overall
from verifier.panels.answers import PanelComparison


def test_the_verdict_of_a_scenario_follows_from_its_parts():
    """One alert or panel that is not ok fails it; what could not be judged is invalid."""
    bad_alert = AlertVerdict(alert="A", labels=(), expected="unexpected", ok=False, reason="fired")
    bad_panel = PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=False, reason="nothing")
    assert outcome().verdict == "pass"
    assert outcome(alerts=(bad_alert,)).verdict == "fail"
    assert outcome(panels=(bad_panel,)).verdict == "fail"
    assert outcome(alerts=(bad_alert,), invalid=("no history",)).verdict == "invalid"
    assert outcome(clocks=(difference(),)).verdict == "pass"
    assert outcome(clocks=(difference(), difference(ok=False))).verdict == "fail"
    assert replace(outcome(), wall_s=0.0).times_real_time == 0.0
    assert (outcome().times_real_time, outcome().virtual_s) == (300.0, 1800.0)


def test_a_run_passes_only_when_every_scenario_does():
    """A failure is certain even beside what could not be judged; an empty run proves nothing."""
    failed = outcome(alerts=(replace(outcome().alerts[0], ok=False),))
    invalid = outcome(invalid=("no history",))
    assert overall([outcome(), outcome()]) == "pass"
    assert overall([outcome(), invalid]) == "invalid"
    assert overall([failed, invalid]) == "fail"
    assert overall([]) == "invalid"


@pytest.mark.parametrize(
    ("firings", "early_s"),
    [
        (((30.0, 200.0), (300.0, None)), (200.0,)),
        (((30.0, 539.0), (545.0, 600.0)), (539.0,)),
        (((30.0, 540.0),), ()),
        (((-90.0, 0.0), (30.0, 600.0)), ()),
    ],
    ids=["while it lasted", "just before its end", "with its end", "with its onset"],
)
def test_only_what_resolves_while_its_cause_lasts_looks_like_an_all_clear(firings, early_s):
    """And only of an alert that had to fire by it."""
    assert fired("A", firings=firings).early_resolves_s == early_s
    assert fired("A", expected="explained", firings=firings).early_resolves_s == ()


def test_how_early_an_alert_resolved_is_said_of_one_that_had_to_fire():
    """With the end of its cause it was not early."""
    assert fired("A", resolved_s=500.0).resolved_early_s == 40.0
    assert fired("A", resolved_s=540.0).resolved_early_s is None
    assert fired("A", expected="explained", resolved_s=500.0).resolved_early_s is None
    assert fired("A").resolved_limit_s == 720.0


def test_a_silence_is_vacuous_where_it_was_kept_and_none_was_due():
    """What fired kept none, and what had to fire failed by that already."""
    assert alert("A", "silent", vacuous="no metric").is_vacuous
    assert not alert("A", "silent", vacuous="no metric", firing_s=3.0).is_vacuous
    assert not alert("A", "fires", vacuous="no metric").is_vacuous


@pytest.mark.parametrize("ok", [True, False])
@pytest.mark.parametrize(
    ("truth", "untrue"),
    [
        (None, False),
        (PanelComparison("requests", (30.0,), ""), False),
        (PanelComparison("requests", (30.0,), "twice as much"), True),
    ],
)
def test_a_panel_is_untrue_where_it_shows_something_else_accepted_or_not(truth, untrue, *, ok):
    """One that nobody compared is not."""
    panel = PanelVerdict(dashboard="B", panel="P", query="x", ok=ok, reason="", truth=truth)
    assert panel.is_untrue is untrue
