"""The counts of a run: each alert once, what is worst anywhere; and its headline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from tests.verifier.outcomes import alert, failing, fired, outcome, unjudged
from verifier.errors import NotJudged
from verifier.judge.verdict import PanelVerdict
from verifier.panels.answers import PanelComparison
from verifier.report.tally import counts, headline, silent_of, verdict_line

MUTE = {"vacuous": "no metric x exists"}
ACCEPTED = alert("Mute", "silent", **MUTE, accepted="its exporter is another")
SLOW = alert("Slow", "silent", **MUTE, could_fire_in="healthy-day")
VACUOUS = alert("Dead", "silent", ok=False, **MUTE)
DEAD = NotJudged("alert Join", "Prometheus cannot evaluate it", Place("mine.yaml", 5, 11))


@pytest.mark.parametrize(
    ("alerts", "changes", "text"),
    [
        ((fired("A"), ACCEPTED), {}, "1 alert fired as expected, 1 could not have fired, as acc"),
        ((SLOW,), {}, "1 alert stayed silent"),
        ((VACUOUS, fired("A")), {}, "1 alert could not have fired, 1 fired as expected"),
        ((fired("A", ok=False), fired("A")), {}, "1 alert failed"),
        ((), {"not_judged": (DEAD,)}, "1 alert not judged"),
        ((alert("A", "explained"),), {}, "1 alert stayed silent"),
        ((alert("A", "explained", firing_s=1.0),), {}, "0 alerts fired as expected"),
    ],
)
def test_every_alert_is_counted_once(alerts, changes, text):
    """By the worst that it did; what could not be judged is not silent."""
    changed = {"panels": (), "alerts": alerts, **changes}
    assert counts([outcome(**changed)]).partition("; ")[2].startswith(text)


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        ([outcome()], "PASS: 1 of 1 scenarios pass"),
        ([failing()], "FAIL: 0 of 1 scenarios pass"),
        ([unjudged()], "INVALID: 0 of 1 scenarios pass"),
        ([outcome(), unjudged()], "INVALID: 1 of 2 scenarios pass"),
        ([outcome(), failing(), unjudged(), outcome()], "FAIL: 2 of 4 scenarios pass"),
    ],
)
def test_what_could_not_be_judged_does_not_pass(outcomes, line):
    """Nor does what fails: only a pass is counted as one."""
    assert verdict_line(outcomes).partition("; ")[0] == line


def test_panels_that_did_not_answer_and_were_accepted_are_counted():
    """A pass that leaves them out would say that all is well."""
    panel = PanelVerdict(
        dashboard="B", panel="P", query="up", ok=True, reason="nothing", accepted="known"
    )
    line = counts([outcome(panels=(panel, panel))])
    assert line.endswith("; 1 panel did not answer, as accepted")
    both = (panel, replace(panel, ok=False, accepted=None))
    assert counts([outcome(panels=both)]).endswith("; 1 panel did not answer")
    assert "panel" not in counts([outcome(panels=(replace(panel, accepted=None),))])


def test_a_panel_that_shows_something_else_is_not_among_those_that_did_not_answer():
    """It answered. One that is not as in the world in one scenario is that in the run."""
    mute = PanelVerdict(dashboard="B", panel="P", query="up", ok=False, reason="nothing")
    compared = PanelComparison("requests", (30.0,), "twice as much")
    untrue = replace(mute, panel="Q", reason="twice as much", truth=compared)
    assert counts([outcome(panels=(untrue,))]).endswith("silent; 1 panel not as in the world")
    line = counts([outcome(panels=(untrue, mute)), outcome(panels=(untrue,))])
    assert line.endswith("; 1 panel did not answer; 1 panel not as in the world")


def test_what_could_not_have_fired_is_not_counted_as_silent():
    """In a scenario and in the run."""
    quiet = alert("Quiet", "silent")
    assert silent_of(outcome(alerts=(fired("A"), quiet, ACCEPTED, SLOW))) == "1 of 4"


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([outcome()], "drop passes"),
        ([failing()], "bad fails"),
        ([outcome(), outcome("other")], "All 2 scenarios pass"),
        ([outcome(), failing(), failing("worse")], "2 of 3 scenarios fail"),
        ([outcome(), failing(), unjudged()], "1 of 3 scenarios fails"),
        ([outcome(), unjudged()], "1 of 2 scenarios could not be judged in full"),
    ],
)
def test_the_headline_says_of_how_many_scenarios_the_verdict_is_true(outcomes, text):
    """It claims no more than that: alerts may have kept silent everywhere."""
    assert headline(outcomes) == text
