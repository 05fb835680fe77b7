"""The burns that show what alerts do: at which rates, and for how long each is watched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from documents.yaml_reader import parse
from tests.verifier.slo.packs import PACK
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles, RuleGroup
from verifier.slo.measurement.burns import (
    NEIGHBOURS,
    OUTAGE_S,
    SLACK_S,
    Burn,
    alone,
    evaluated,
    plan_burns,
)
from verifier.slo.policy import Window, read_policy

POLICY = replace(
    read_policy(parse((PACK / "slo" / "policies.yaml").read_text(), "policies.yaml")).policy,
    target_percent=99.9,
    windows=(Window("fast", 3600.0, 14.4, ()), Window("slow", 21600.0, 6.0, ())),
)


def alert(for_s: float) -> AlertRule:
    """Return an alert with this `for`."""
    return AlertRule("A", "x > 1", for_s, 0.0, (), (), Place("r.yaml", 1, 1))


@pytest.mark.parametrize("for_s", [0.0, 120.0, 3600.0])
def test_a_steady_burn_is_watched_until_every_window_has_seen_it_and_every_for_is_over(
    for_s: float,
) -> None:
    """A window is over its threshold after a share of it, of a burn below its rate when full."""
    burns = plan_burns(POLICY, (alert(0.0), alert(for_s)))
    steady = {burn.rate: burn for burn in burns if not burn.is_outage}
    assert {rate * near for rate in (1.0, 6.0, 14.4) for near in NEIGHBOURS} < {*steady}
    for rate, burn in steady.items():
        seen_s = max(3600.0 * min(1.0, 14.4 / rate), 21600.0 * min(1.0, 6.0 / rate))
        assert burn.watched_s == burn.lasts_s == pytest.approx(seen_s + for_s + SLACK_S)
        assert burn.is_steady


def test_outages_are_watched_until_the_longest_window_and_for_have_passed() -> None:
    """A short one, and one that spends the budget of thirty days."""
    short, spent = (burn for burn in plan_burns(POLICY, (alert(120.0),)) if burn.is_outage)
    assert (short.rate, short.lasts_s) == (pytest.approx(1000.0), OUTAGE_S)
    assert short.watched_s == pytest.approx(21600.0 + 120.0 + SLACK_S)
    assert not short.is_steady
    assert spent.lasts_s == spent.watched_s == pytest.approx(0.95 * 2592 + 120.0 + SLACK_S)


def test_without_a_target_there_is_nothing_to_burn() -> None:
    """A policy may lack it; another check says so."""
    assert plan_burns(replace(POLICY, target_percent=None), (alert(0.0),)) == []


def test_an_alert_that_waits_long_is_watched_until_it_has_waited() -> None:
    """The budget is spent before its `for` is over: the outage goes on, and once as long again."""
    spent = plan_burns(POLICY, (alert(3600.0),))[-1]
    assert spent.lasts_s == spent.watched_s == pytest.approx(3600.0 + 3600.0 + SLACK_S)


def test_no_steady_burn_is_a_total_outage_or_more() -> None:
    """With a target of 90 % ten times the allowed rate is everything."""
    burns = plan_burns(replace(POLICY, target_percent=90.0), (alert(0.0),))
    assert [round(burn.rate, 6) for burn in burns] == [0.9, 1.1, 1.25, 5.4, 6.6, 10.0, 10.0]
    assert [burn.is_outage for burn in burns] == [False] * 5 + [True] * 2
    burns = plan_burns(replace(POLICY, target_percent=20.0), (alert(0.0),))
    assert [(burn.rate, burn.is_outage) for burn in burns[-3:]] == [
        (1.1, False),
        (1.25, True),
        (1.25, True),
    ]


@pytest.mark.parametrize(
    ("range_", "rate", "lasts_s", "watched_s", "is_evaluated"),
    [
        ("1h", 0.9, 60.0, 60.0, True),
        ("1d", 0.9, 60.0, 60.0, True),
        ("86401s", 0.9, 60.0, 60.0, False),
        ("30d", 1000.0, 1296.0, 2000.0, True),  # half of thirty days at the allowed rate
        ("30d", 1000.0, 1295.0, 2000.0, False),
        ("30d", 1000.0, 2000.0, 1295.0, False),
        ("30d", 500.0, 2592.0, 2592.0, True),
    ],
)
def test_a_rule_that_reads_further_back_than_a_day_needs_a_burn_that_moves_it(
    range_: str, rate: float, lasts_s: float, watched_s: float, *, is_evaluated: bool
) -> None:
    """By half of what its window allows; groups that are left without a rule are left out."""
    deep = replace(alert(0.0), expr=f"rate(x[{range_}]) > 1")
    recording = RecordingRule("r", "x", (), deep.position)
    groups = (
        RuleGroup("deep", "r.yaml", 30.0, (deep,)),
        RuleGroup("records", "r.yaml", 30.0, (recording,)),
    )
    left = evaluated(Burn("b", rate, lasts_s, watched_s), RuleFiles(groups)).groups
    assert left == (groups if is_evaluated else groups[1:])


def test_how_deep_an_alert_reads_is_seen_through_what_it_reads_of_recording_rules() -> None:
    """Be it through others and of other groups; what it does not read keeps it from nothing."""
    at = alert(0.0).position
    deep = RecordingRule("deep", "sum(rate(x[30d]))", (), at)
    outer, idle = RecordingRule("outer", "deep * 2", (), at), RecordingRule("idle", "deep", (), at)
    reader, other = replace(alert(0.0), expr="outer > 1"), replace(alert(0.0), expr="x > 2")
    group = RuleGroup("g", "r.yaml", 30.0, (other, idle, reader))
    rules = RuleFiles((RuleGroup("records", "r.yaml", 30.0, (deep, outer)), group))
    left = evaluated(Burn("b", 1.0, 60.0, 60.0), rules)
    assert [own for _, own in left.alerts] == [other]
    assert [own for _, own in left.recordings] == [deep, outer, idle]
    for own, records in ((reader, [deep, outer]), (other, [])):
        single = alone(rules, group, own)
        assert [each for _, each in single.alerts] == [own]
        assert [each for _, each in single.recordings] == records
