"""The verdict of a scenario and of a run follow from their parts."""

from __future__ import annotations

from dataclasses import replace

from tests.verifier.judge.small_scenario import outcome
from verifier.judge.verdict import AlertVerdict, PanelVerdict, overall


def test_the_verdict_of_a_scenario_follows_from_its_parts():
    """One alert or panel that is not ok fails it; what could not be judged is invalid."""
    bad_alert = AlertVerdict(alert="A", labels=(), expected="unexpected", ok=False, reason="fired")
    bad_panel = PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=False, reason="nothing")
    assert outcome().verdict == "pass"
    assert outcome(alerts=(bad_alert,)).verdict == "fail"
    assert outcome(panels=(bad_panel,)).verdict == "fail"
    assert outcome(alerts=(bad_alert,), invalid=("no history",)).verdict == "invalid"
    assert outcome().times_real_time == 300.0


def test_a_run_passes_only_when_every_scenario_does():
    """A failure is certain even beside what could not be judged; an empty run proves nothing."""
    failed = outcome(alerts=(replace(outcome().alerts[0], ok=False),))
    invalid = outcome(invalid=("no history",))
    assert overall([outcome(), outcome()]) == "pass"
    assert overall([outcome(), invalid]) == "invalid"
    assert overall([failed, invalid]) == "fail"
    assert overall([]) == "invalid"
