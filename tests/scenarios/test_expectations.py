"""Expectations count from their causes, and name who must be notified."""

# ruff: noqa: E501 - a mutation and its message are read in one line
from __future__ import annotations

import pytest

from documents.mistakes import InputError
from scenarios.expectations import causes_of
from scenarios.loader import parse_scenario
from tests.scenarios.good import GOOD


def test_expectations_count_from_their_cause():
    """Limits count from onset and end of a fault; from the scenario's start for an incident."""
    quiet, never, maybe = parse_scenario(GOOD, "good.yaml").expectations
    assert (quiet.expected, quiet.onset_s, quiet.end_s, quiet.not_before_s) == (
        "fires",
        180.0,
        720.0,
        180.0,
    )
    assert (quiet.labels, quiet.fires_within_s) == ((("severity", "warning"),), 480.0)
    assert (quiet.place.line, quiet.place.column) == (38, 12)
    assert (never.expected, maybe.expected) == ("silent", "explained")
    assert (maybe.onset_s, maybe.end_s, maybe.not_before_s) == (0.0, 0.0, -7200.0)


def test_causes_of_a_scenario_that_was_read_are_those_of_its_file():
    """An overlay's expectations count from them: faults, and incidents of the past."""
    scenario = parse_scenario(GOOD, "good.yaml")
    causes = causes_of(scenario)
    for expectation in scenario.expectations:
        if (cause := causes.get(expectation.cause)) is not None:
            times = (expectation.onset_s, expectation.end_s, expectation.not_before_s)
            assert (cause.onset_s, cause.end_s, cause.began_s) == times
    began = {name: cause.began_s for name, cause in causes.items()}
    assert began == {"gone": 180.0, "loop": 60.0, "old": -7200.0}


def test_an_expectation_may_name_who_must_be_notified():
    """Any receiver, none, or those that are named; and whether of its end too."""
    text = GOOD.replace("explained: why not", "explained: why not, receivers: [pager, slack]")
    text = text.replace("    fires_within: 8m", "    receivers: []\n    fires_within: 8m", 1)
    text += "  - {alert: Late, cause: loop, notifies_resolved: true, fires_within: 8m}\n"
    quiet, never, maybe, late = parse_scenario(text, "good.yaml").expectations
    assert (quiet.receivers, never.receivers, maybe.receivers) == ((), None, ("pager", "slack"))
    assert (quiet.notifies_resolved, late.notifies_resolved) == (None, True)


def test_an_alert_may_be_expected_once_for_each_cause():
    """Two faults may make the same alert fire, one after the other."""
    twice = (
        GOOD + "  - {alert: Quiet, labels: {severity: warning}, cause: loop, fires_within: 8m}\n"
    )
    assert len(parse_scenario(twice, "good.yaml").expectations) == 4


def test_the_only_fault_is_the_cause_by_itself():
    """Without faults the scenario's start is the cause of what its load does."""
    alone = "name: good\nstory: x\nseed: 1\nduration: 9m\n{}expectations: [{{alert: A, fires_within: 5m}}]\n"
    fault = "faults: [{name: f, fault: agent_hang, start: 2m, duration: 1m}]\n"
    (with_fault,) = parse_scenario(alone.format(fault), "good.yaml").expectations
    (without,) = parse_scenario(alone.format(""), "good.yaml").expectations
    assert (with_fault.cause, with_fault.onset_s) == ("f", 120.0)
    assert (without.cause, without.onset_s) == (None, 0.0)


def test_the_reason_that_a_report_leaves_to_be_filled_in_is_none():
    """Pasted as it is, it says nothing."""
    with pytest.raises(InputError, match="explained must be the reason, in your own words"):
        parse_scenario(
            GOOD.replace("explained: why not", "explained: <why it may fire here>"), "good.yaml"
        )


@pytest.mark.parametrize("key", ["fires_after", "resolves_after"])
def test_how_early_an_alert_can_be_is_said_of_one_that_must_fire_and_within_its_limit(key):
    """A silent or an explained one has no such time; of two limits the later is not the first."""
    limits = "    fires_within: 8m\n    resolves_within: 8m"
    assert limits in GOOD
    text = GOOD.replace(limits, f"{limits}\n    {key}: 2m", 1)
    times_s = [getattr(e, f"{key}_s") for e in parse_scenario(text, "good.yaml").expectations]
    assert sorted(times_s, key=str) == [120.0, None, None]
    late = key.replace("after", "within")
    with pytest.raises(InputError, match=f"{key} must be at most {late}, .m, got 9m"):
        parse_scenario(text.replace(f"{key}: 2m", f"{key}: 9m"), "good.yaml")
    text = GOOD.replace("explained: why not", f"explained: why not, {key}: 2m")
    with pytest.raises(InputError, match=f"{key} must be used with fires_within"):
        parse_scenario(text, "good.yaml")


def test_how_long_an_alert_is_pending_is_said_of_one_that_must_fire():
    """A silent or an explained one has no such time."""
    text = GOOD.replace("    fires_within: 8m", "    fires_within: 8m\n    pends_for: 2m30s", 1)
    waits_s = [
        expectation.pends_for_s for expectation in parse_scenario(text, "good.yaml").expectations
    ]
    assert sorted(waits_s, key=str) == [150.0, None, None]
    text = GOOD.replace("explained: why not", "explained: why not, pends_for: 2m")
    with pytest.raises(InputError, match="pends_for must be used with fires_within"):
        parse_scenario(text, "good.yaml")


def test_whether_the_end_is_notified_may_be_said_either_way():
    """Not at all is not the same as no."""
    for text, expected in (("true", True), ("false", False)):
        late = f"  - {{alert: Late, cause: loop, notifies_resolved: {text}, fires_within: 8m}}\n"
        assert (
            parse_scenario(GOOD + late, "good.yaml").expectations[-1].notifies_resolved is expected
        )


def test_the_order_of_labels_is_of_no_account():
    """Of two expectations with the same labels the second is one too many."""
    first = "  - {alert: Two, silent: true, labels: {a: x, b: y}}\n"
    second = first.replace("{a: x, b: y}", "{b: y, a: x}")
    assert parse_scenario(GOOD + second, "good.yaml").expectations[-1].labels == (
        ("a", "x"),
        ("b", "y"),
    )
    with pytest.raises(InputError, match="Two is expected twice"):
        parse_scenario(GOOD + first + second, "good.yaml")
