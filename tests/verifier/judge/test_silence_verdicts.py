"""Silence that proves nothing keeps a verdict from being a pass, unless somebody accepted it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from scenarios.scenario import Acceptance
from tests.verifier.judge.small_scenario import ALERTS, FIRES, GOOD, scenario_with, timeline
from tests.verifier.outcomes import alert, fired, outcome
from verifier.errors import NotJudged
from verifier.evidence.silence import Silence
from verifier.judge.alert_verdicts import judge
from verifier.judge.silence_verdicts import judge_silence, settle_not_judged

DEAD = "no metric x exists"


def silence(alert="Queue", vacuous=DEAD, **changes):
    """Return what the silence of one alert is worth."""
    values = {"labels": (), "place": "rules.yaml:1:1", "vacuous": vacuous}
    return Silence(alert, **{**values, **changes})


def verdicts_with(*silences, scenario=None, timelines=(), longest=("s", 1800.0)):
    """Return the verdicts on the small scenario without expectations, by alert."""
    scenario = scenario or scenario_with()
    verdicts = judge(scenario, ALERTS, timelines)
    return judge_silence(verdicts, silences, scenario, longest=longest)


def verdict(alert, verdicts):
    """Return the only verdict on an alert."""
    (only,) = [each for each in verdicts if each.alert == alert]
    return only


def test_an_alert_that_could_not_have_fired_is_not_ok():
    """The others are."""
    verdicts = verdicts_with(silence())
    assert [each.ok for each in verdicts] == [True, False, True]
    dead = verdict("Queue", verdicts)
    assert (dead.expected, dead.vacuous) == ("silent", DEAD)
    assert dead.reason == f"silent, but it could not have fired: {DEAD}"
    assert dead.is_vacuous


@pytest.mark.parametrize("key", ["silent: true", "explained: it may come"])
def test_an_expectation_of_silence_does_not_make_it_worth_more(key):
    """Neither does an explanation of an alert that did not fire."""
    scenario = scenario_with(f"{{alert: Queue, {key}}}")
    assert not verdict("Queue", verdicts_with(silence(), scenario=scenario)).ok


def test_an_accepted_alert_is_ok_with_the_reason():
    """By its name alone."""
    scenario = replace(scenario_with(), accepted=(Acceptance("Queue", "another exporter has it"),))
    verdicts = verdicts_with(silence(), silence("Latency"), scenario=scenario)
    accepted = verdict("Queue", verdicts)
    assert (accepted.ok, accepted.accepted) == (True, "another exporter has it")
    assert not verdict("Latency", verdicts).ok


def test_an_alert_that_must_fire_is_not_accepted():
    """It says why it could not."""
    scenario = scenario_with("{alert: Queue, fires_within: 7m}")
    scenario = replace(scenario, accepted=(Acceptance("Queue", "never mind"),))
    failed = verdict("Queue", verdicts_with(silence(), scenario=scenario))
    assert not failed.ok
    assert failed.reason == f"never fired, and could not have: {DEAD}"


@pytest.mark.parametrize(
    ("pending_s", "when"),
    [
        (190.0, "3m10s after the start"),
        (0.0, "0s after the start"),
        (-20.0, "20s before the start"),
    ],
)
@pytest.mark.parametrize(
    "expectation", ["{alert: Throughput, fires_within: 7m}", "{alert: Throughput, silent: true}"]
)
def test_an_alert_that_was_pending_to_the_end_is_not_called_silent(expectation, pending_s, when):
    """Its `for` is what kept it from firing, and its condition held."""
    pending = timeline("Throughput", (pending_s, None, None))
    slow = silence("Throughput", vacuous=None, too_slow_s=3600.0)
    scenario = scenario_with(expectation)
    verdicts = verdicts_with(slow, scenario=scenario, timelines=[pending])
    said = verdict("Throughput", verdicts).reason
    assert f"pending, first {when}" in said
    assert "could not have" in said
    assert "silent, but" not in said


def test_an_alert_that_is_too_slow_for_every_scenario_is_vacuous():
    """What begins in the scenario cannot last for its `for`."""
    slow = silence(vacuous=None, too_slow_s=3600.0)
    verdicts = verdicts_with(slow)
    assert not verdict("Queue", verdicts).ok
    assert verdict("Queue", verdicts).vacuous == (
        "its `for` of 1h is longer than the scenario's 30m: nothing that begins in it can make it"
        " fire; a longer `duration` would let it"
    )


def test_an_alert_that_is_too_slow_for_one_scenario_is_not_held_against_the_run():
    """Where another scenario of the run is long enough."""
    slow = silence(vacuous=None, too_slow_s=3600.0)
    spared = verdict("Queue", verdicts_with(slow, longest=("healthy-day", 86_400.0)))
    assert (spared.ok, spared.could_fire_in) == (True, "healthy-day")
    dead = silence(too_slow_s=3600.0)
    assert not verdict("Queue", verdicts_with(dead, longest=("healthy-day", 86_400.0))).ok


@pytest.mark.parametrize(
    ("longest_s", "could_fire_in"),
    [(1800.0, None), (2000.0, None), (3600.0, None), (3601.0, "other")],
)
def test_another_scenario_is_long_enough_only_if_the_rule_can_fire_in_it(longest_s, could_fire_in):
    """Being longer than this one does not suffice, nor does being as long as the `for`."""
    slow = silence(vacuous=None, too_slow_s=3600.0)
    slept = verdict("Queue", verdicts_with(slow, longest=("other", longest_s)))
    assert (slept.ok, slept.could_fire_in) == (could_fire_in is not None, could_fire_in)


def test_a_dead_rule_beside_one_of_its_name_that_fired_has_its_own_verdict():
    """Their labels tell them apart."""
    fired = timeline("Queue", GOOD, severity="low")
    scenario = scenario_with("{alert: Queue, fires_within: 7m}")
    verdicts = verdicts_with(
        silence(labels=(("severity", "high"),)), scenario=scenario, timelines=[fired]
    )
    assert [(each.ok, each.labels) for each in verdicts if each.alert == "Queue"] == [
        (True, (("severity", "low"),)),
        (False, (("severity", "high"),)),
    ]


def test_two_dead_rules_of_one_name_both_say_why():
    """Each with its own reason."""
    verdicts = verdicts_with(silence(), silence(vacuous="no metric y exists"))
    assert verdict("Queue", verdicts).vacuous == f"{DEAD}; no metric y exists"


def test_of_an_alert_that_was_not_judged_no_silence_is_reported():
    """It keeps the verdict from being a pass until it is accepted by name."""
    place = Place("rules.yaml", 5, 11)
    unjudged = NotJudged("alert Twice", "the engine cannot evaluate it", place)
    silent = outcome(
        alerts=(alert("Twice", "silent"), alert("Fine", "silent")), not_judged=(unjudged,)
    )
    settled = settle_not_judged(silent, ["Twice", "Fine"], ())
    assert [verdict.alert for verdict in settled.alerts] == ["Fine"]
    assert settled.verdict == "invalid"
    accepted = settle_not_judged(silent, ["Twice", "Fine"], [Acceptance("Twice", "known")])
    assert accepted.verdict == "pass"
    assert accepted.not_judged[0].reason == "the engine cannot evaluate it; accepted: known"
    assert settle_not_judged(silent, ["Twice", "Fine"], [Acceptance("Fine", "x")]) == settled


def test_a_rule_that_was_judged_speaks_for_its_name():
    """Of two rules of one name the other may have been silent, or fired."""
    place = Place("rules.yaml", 5, 11)
    unjudged = NotJudged("alert Twice", "the engine cannot evaluate it", place)
    silent = outcome(alerts=(alert("Twice", "silent"),), not_judged=(unjudged,))
    assert settle_not_judged(silent, ["Twice", "Twice"], ()).alerts == silent.alerts
    firing = outcome(alerts=(fired("Twice"),), not_judged=(unjudged,))
    assert settle_not_judged(firing, ["Twice"], ()).alerts == firing.alerts


def test_a_dead_rule_behind_one_of_its_name_that_fired_gets_a_verdict_of_its_own():
    """The timeline is the other rule's: what is expected was met, and not by this one."""
    scenario = scenario_with(FIRES)
    dead = silence("Throughput", shadowed=True)
    verdicts = verdicts_with(dead, scenario=scenario, timelines=[timeline("Throughput", GOOD)])
    both = [each for each in verdicts if each.alert == "Throughput"]
    assert [(each.expected, each.ok) for each in both] == [("fires", True), ("silent", False)]
    assert "what fired is another rule of its name (rules.yaml:1:1 is this)" in both[1].reason


def test_two_dead_rules_behind_one_that_fired_share_a_verdict_of_their_own():
    """With both reasons, and with one of them once where it is the same."""
    scenario = scenario_with("{alert: Queue, fires_within: 7m}")
    low = [timeline("Queue", GOOD, severity="low")]
    for second, reason in ((DEAD, DEAD), ("no metric y exists", f"{DEAD}; no metric y exists")):
        dead = [silence(labels=(("severity", "high"),), vacuous=each) for each in (DEAD, second)]
        verdicts = verdicts_with(*dead, scenario=scenario, timelines=low)
        assert [each.vacuous for each in verdicts if each.alert == "Queue"] == [None, reason]


def test_a_silence_without_labels_is_that_of_a_rule_that_sets_some():
    """No second verdict says the same; and one that fired with more labels speaks for its rule."""
    dead = silence(labels=(("severity", "high"),))
    assert not verdict("Queue", verdicts_with(dead)).ok
    scenario = scenario_with("{alert: Queue, fires_within: 7m}")
    firing = [timeline("Queue", GOOD, severity="high", le="1")]
    assert verdict("Queue", verdicts_with(dead, scenario=scenario, timelines=firing)).ok


def test_the_first_of_two_acceptances_is_the_one_that_counts():
    """An overlay's comes after the scenario's own."""
    accepted = (Acceptance("Queue", "first"), Acceptance("Queue", "second"))
    scenario = replace(scenario_with(), accepted=accepted)
    assert verdict("Queue", verdicts_with(silence(), scenario=scenario)).accepted == "first"


def test_what_was_wrong_before_is_not_forgiven_with_a_silence():
    """It was pending where that is forbidden, accepted or not."""
    scenario = replace(
        scenario_with(more="pending: forbidden\n"), accepted=(Acceptance("Queue", "slow"),)
    )
    slow = silence(vacuous=None, too_slow_s=3600.0)
    pending = [timeline("Queue", (190.0, None, None))]
    verdicts = verdicts_with(slow, scenario=scenario, timelines=pending)
    assert (verdict("Queue", verdicts).ok, verdict("Queue", verdicts).accepted) == (False, "slow")


@pytest.mark.parametrize("changes", [{"pending_s": 30.0}, {"ok": False}])
def test_what_is_known_of_an_alert_that_was_not_judged_stays(changes):
    """That it was pending, or that it should have fired; its silence alone is left out."""
    unjudged = NotJudged("alert Twice", "the engine cannot evaluate it", Place("rules.yaml", 5, 11))
    known = outcome(alerts=(alert("Twice", "silent", **changes),), not_judged=(unjudged,))
    assert settle_not_judged(known, ["Twice"], ()).alerts == known.alerts


def test_what_never_kept_from_passing_needs_no_acceptance():
    """Its reason stays as it was."""
    place = Place("rules.yaml", 5, 11)
    known = NotJudged("alert Twice", "it is deprecated", place, keeps_from_passing=False)
    of_it = outcome(alerts=(), not_judged=(known,))
    settled = settle_not_judged(of_it, ["Twice"], [Acceptance("Twice", "known")])
    assert settled.not_judged == (known,)
