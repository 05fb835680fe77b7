"""Failures say numbers, the bound that would have held, and what to paste."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.yaml_reader import parse
from scenarios.scenario import Incident
from tests.verifier.judge.small_scenario import (
    ALERTS,
    FIRES,
    GOOD,
    outcome,
    scenario_with,
    timeline,
    verdict_on,
)
from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers, DecisiveValue
from verifier.judge.alert_verdicts import judge
from verifier.judge.failures.overlay import (
    active_fault,
    is_over,
    overlay_lines,
    since_onset,
    stanza,
)
from verifier.judge.failures.sentences import (
    bounds_that_would_hold,
    changes_that_would_fire,
    failure_sentences,
)
from verifier.judge.verdict import FailureEvidence


def comparison(condition="x > 0.9", nearest=0.62, held_s=None, **changes):
    """Return one comparison, measured; its value came nearest at 10m of the scenario."""
    values = {
        "operator": ">",
        "threshold": 0.9,
        "at_s": 600.0,
        "labels": (),
        "last": 0.1,
        "held_s": held_s,
    }
    return ComparisonNumbers(condition, nearest=nearest, **{**values, **changes})


def numbers(*comparisons, held_s=None, held_from_s=None, firing_for_s=None):
    """Return a condition with a `for` of two minutes, measured."""
    comparisons = comparisons or (comparison(),)
    return ConditionNumbers(120.0, held_s, held_from_s, comparisons, firing_for_s)


def verdict(*episodes, expectation=FIRES):
    """Return the verdict on an alert with these episodes."""
    timelines = [timeline("Throughput", *episodes)] if episodes else []
    return verdict_on(judge(scenario_with(expectation), ALERTS, timelines))


def test_a_condition_that_never_held_says_how_near_it_came():
    """The value, when, and the threshold."""
    assert failure_sentences(verdict(), numbers()) == [
        "its value came nearest with 0.62 7m after the onset, it must be > 0.9"
    ]


def test_each_side_of_a_condition_is_told_apart():
    """By its text; how long the one held that held."""
    both = numbers(comparison(), comparison("y > 1", 12.0, 45.0, threshold=1.0))
    assert failure_sentences(verdict(), both) == [
        "`x > 0.9`: the value came nearest with 0.62 7m after the onset, it must be > 0.9",
        (
            "`y > 1`: the value reached 12 7m after the onset, its threshold is > 1, and held for"
            " 45s at the longest"
        ),
    ]


def test_a_condition_that_held_too_briefly_says_for_how_long():
    """And which `for` it did not last."""
    brief = numbers(comparison(held_s=45.0, nearest=0.95), held_s=45.0, held_from_s=210.0)
    assert failure_sentences(verdict((210.0, None, 270.0)), brief)[0] == (
        "its condition held for 45s at the longest, from 30s after the onset on, its `for` is 2m"
    )


def test_one_that_need_not_fire_says_what_its_value_was_and_not_what_would_fire_it():
    """Its condition held where it must not have been pending."""
    pending = replace(verdict((210.0, None, 270.0)), expected="silent")
    brief = numbers(comparison(held_s=45.0, nearest=0.95), held_s=45.0, held_from_s=210.0)
    (sentence,) = failure_sentences(pending, brief)
    assert sentence.startswith("its value reached 0.95")


def test_an_alert_that_did_not_wait_as_it_should_says_when_its_condition_held():
    """From when to when; one that fired at its very limit was in time."""
    at_it = ((300.0, None, 330.0), (480.0, 600.0, 780.0))
    held = numbers(comparison(), held_s=300.0, held_from_s=480.0)
    (sentence,) = failure_sentences(verdict(*at_it), held)
    assert sentence.startswith("its condition held from 5m after the onset to 10m after the onset")
    assert bounds_that_would_hold(verdict((210.0, 601.0, 900.0)), 1800.0) == ("fires_within: 7m1s",)


def test_an_alert_that_fired_before_the_start_is_told_with_its_value_then():
    """And not with one of later alone; planted, the reading of another instant says nothing."""
    early = verdict((-90.0, -30.0, 60.0), expectation="{alert: Throughput, silent: true}")
    fired = DecisiveValue("when it fired", -30.0, 0.93)
    beyond = comparison(held_s=90.0, nearest=0.97, readings=(fired,))
    assert failure_sentences(early, numbers(beyond)) == [
        "its value was 0.93 30s before the start, when it fired",
        "its value reached 0.97 at 10m, its threshold is > 0.9",
    ]
    same = replace(beyond, readings=(replace(fired, value=0.97),))
    assert len(failure_sentences(early, numbers(same))) == 1
    at_start = replace(beyond, at_s=0.0, readings=())
    assert "its value reached 0.97 at 0s," in failure_sentences(early, numbers(at_start))[0]
    at_onset = numbers(comparison(at_s=180.0))
    assert "0.62 0s after the onset" in failure_sentences(verdict(), at_onset)[0]
    other = replace(beyond, readings=(replace(fired, moment="at the start"),))
    assert len(failure_sentences(early, numbers(other))) == 1
    past = replace(other, at_s=-88.2)
    assert "0.97 1m28.2s before the start" in failure_sentences(early, numbers(past))[0]


@pytest.mark.parametrize(
    ("episodes", "sentence"),
    [
        (
            [(300.0, None, 330.0), (390.0, 700.0, 780.0)],
            "it had been pending once before, 2m after the onset for 30s, and had to begin anew",
        ),
        (
            [(300.0, None, 330.0), (345.0, None, 360.0), (390.0, 700.0, 780.0)],
            (
                "it had been pending 2 times before, first 2m after the onset for 30s, and had to"
                " begin anew"
            ),
        ),
        (
            [(300.0, None, 330.0), (390.0, None, 420.0)],
            "it was pending 2 times, never for its `for`",
        ),
    ],
)
def test_an_alert_that_was_pending_time_and_again_says_so(episodes, sentence):
    """What came after its first firing is no part of it, nor is an alert that was in time."""
    measured = numbers(held_s=310.0, held_from_s=390.0)
    assert sentence in failure_sentences(verdict(*episodes), measured)
    in_time = verdict((200.0, None, 205.0), GOOD, (900.0, None, 910.0))
    assert in_time.lost_pending == ((20.0, 25.0),)
    assert not any("pending" in each for each in failure_sentences(in_time, measured))


@pytest.mark.parametrize(
    ("wait_s", "threshold", "sentence"),
    [
        (45.0, None, "with `for: 45s` or less it would have fired in time"),
        (0.0, None, "with `for: 0s` it would have fired in time"),
        (45.0, 0.61, "with `for: 45s` or less it would have fired in time"),
        (45.0, 0.61, "with `> 0.61` it would have fired in time"),
        (None, 0.61, "with `> 0.61` it would have fired in time"),
        (None, 12000.0, "with `> 12000` it would have fired in time"),
        (None, 5e-06, "with `> 0.000005` it would have fired in time"),
    ],
)
def test_what_would_have_let_it_fire_is_named_as_a_rule_holds_it(wait_s, threshold, sentence):
    """The `for`, the threshold, or each of them by itself; only for an alert that never fired."""
    measured = numbers(comparison(firing_threshold=threshold), firing_for_s=wait_s)
    assert sentence in failure_sentences(verdict(), measured)
    assert changes_that_would_fire(verdict((210.0, 601.25, 780.0)), measured) == ()
    assert changes_that_would_fire(verdict(), numbers()) == ()


@pytest.mark.parametrize(
    ("episodes", "bounds"),
    [
        ([(210.0, 601.25, 780.0)], ("fires_within: 7m2s",)),
        ([(210.0, 510.0, 930.0)], ("resolves_within: 3m30s",)),
        ([(210.0, 510.0, 930.25)], ("resolves_within: 3m31s",)),
        ([(210.0, 700.0, 1000.0)], ("fires_within: 8m40s", "resolves_within: 4m40s")),
        ([(210.0, 510.0, None)], ()),
        ([], ()),
    ],
)
def test_the_bounds_that_would_have_held_are_named(episodes, bounds):
    """In whole seconds; none where it never came, or never ended."""
    assert bounds_that_would_hold(verdict(*episodes), 1200.0) == bounds


@pytest.mark.parametrize(
    ("duration_s", "bounds"),
    [
        (1000.0, ("fires_within: 8m41s", "resolves_within: 4m40s")),
        (999.0, ("fires_within: 8m41s",)),
        (701.0, ("fires_within: 8m41s",)),
        (700.5, ()),
    ],
)
def test_no_bound_is_named_that_ends_after_the_scenario(duration_s, bounds):
    """A scenario with such a limit is refused; what fires so late nobody can expect of it."""
    assert bounds_that_would_hold(verdict((210.0, 700.5, 1000.0)), duration_s) == bounds


def test_an_alert_that_does_not_resolve_says_its_value_at_the_end():
    """It shows whether the condition still holds."""
    assert failure_sentences(verdict((210.0, 510.0, None)), numbers()) == [
        "at the end `x > 0.9` had the value 0.1"
    ]


BRIEF = "{alert: Queue, cause: gone, fires_within: 1m, resolves_within: 1m}"


def unexpected(*episodes):
    """Return the verdict on an alert that nobody expected, and its scenario."""
    scenario = scenario_with()
    timelines = [timeline("Queue", *episodes)]
    return verdict_on(judge(scenario, ALERTS, timelines), "Queue"), scenario


@pytest.mark.parametrize(
    ("episode", "text"),
    [
        (GOOD, "{alert: Queue, cause: gone, fires_within: 6m, resolves_within: 2m}"),
        ((210.0, 510.0, None), "{alert: Queue, cause: gone, fires_within: 6m}"),
        (
            (210.0, 210.0, 300.0),
            f"{BRIEF}  # it resolved 7m before gone ended: an all-clear too soon?",
        ),
        ((0.0, 0.0, None), "{alert: Queue, explained: <why it may fire here>}"),
        # In real time, after the scenario's end: no limit of it would be taken.
        ((210.0, 1800.5, None), "{alert: Queue, explained: <why it may fire here>}"),
    ],
)
def test_an_unexpected_alert_brings_the_expectation_to_paste(episode, text):
    """With its cause, and bounds with some room; explained where no fault had begun."""
    assert stanza(*unexpected(episode)) == text


def test_what_is_pasted_for_an_alert_of_a_cell_names_the_cell():
    """Another cell's alert would not be the one that was seen."""
    failed, scenario = unexpected(GOOD)
    failed = replace(failed, labels=(("cell", "0"), ("instance", "x/cells/0"), ("tier", "micro")))
    pasted = '{alert: Queue, labels: {cell: "0"}, cause: gone, fires_within: 6m, resolves_within'
    assert stanza(failed, scenario).startswith(pasted)


@pytest.mark.parametrize(
    ("episode", "since", "over"),
    [
        (GOOD, "that is 5m30s after the onset of gone, which began at 3m", False),
        ((720.0, 730.0, None), "that is 9m10s after the onset of gone, which began at 3m", True),
        ((0.0, 0.0, None), None, True),
        ((-230.0, -170.0, None), None, True),
        ((210.0, None, 300.0), None, False),
    ],
)
def test_an_unexpected_alert_is_placed_by_the_fault_that_had_begun(episode, since, over):
    """Which is how a `fires_within` would count; a fault that had ended is not in effect."""
    failed, scenario = unexpected(episode)
    assert since_onset(failed, scenario) == since
    assert is_over(failed, scenario) == over


def test_of_several_incidents_the_one_that_began_last_is_named():
    """Of those that had begun when the alert was pending, wherever they stand in the file."""
    failed, scenario = unexpected((-1000.0, -900.0, None))
    kind = scenario.plan.faults[0].parameters
    ages = {"old": 7200.0, "newest": 1800.0, "older": 86400.0, "later": 600.0}
    past = [
        Incident(name=name, parameters=kind, ago_s=ago_s, duration_s=60.0)
        for name, ago_s in ages.items()
    ]
    scenario = replace(scenario, past=replace(scenario.past, incidents=tuple(past)))
    assert active_fault(failed, scenario) == "newest"


@pytest.mark.parametrize("episode", [GOOD, (210.0, 210.0, 300.0)])
def test_what_is_pasted_makes_the_verdict_ok(episode):
    """The expectation is read as any other, with a remark behind it or without."""
    scenario = scenario_with(stanza(*unexpected(episode)))
    verdict = verdict_on(judge(scenario, ALERTS, [timeline("Queue", episode)]), "Queue")
    assert (verdict.ok, verdict.resolved_early_s) == (True, None if episode == GOOD else 420.0)


def test_the_report_prints_one_overlay_for_all_scenarios():
    """It is YAML with the scenario's name."""
    failed, scenario = unexpected(GOOD)
    evidence = FailureEvidence(overlay=stanza(failed, scenario))
    alerts = (judge(scenario, ("Queue",), [timeline("Queue", GOOD)])[0],)
    explained = replace(alerts[0], evidence=evidence)
    lines = overlay_lines([outcome(alerts=(explained, explained))])
    assert parse("\n".join(lines), "o.yaml").data == {
        "scenarios": {
            "s": {
                "expectations": [
                    {
                        "alert": "Queue",
                        "cause": "gone",
                        "fires_within": "6m",
                        "resolves_within": "2m",
                    }
                ]
            }
        }
    }
    assert overlay_lines([outcome()]) == []
