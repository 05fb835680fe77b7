"""What one probe is: the rules that it evaluates, whether the alert fired, how near it came."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.verifier.alerts import recording, rule_files
from tests.verifier.outcomes import alert, fired, outcome
from verifier.evaluation.timeline import Episode, Timeline
from verifier.near_miss import probing
from verifier.near_miss.probing import Nearness, has_fired, has_fired_in, rules_of
from verifier.pack.rules import RuleFiles, RuleGroup

EPOCH_S = 1000.0


def timelines(*episodes):
    """Return the timelines of an alert, one for each episode."""
    return [Timeline("Low", (), (Episode(*each),)) for each in episodes]


def test_of_all_rules_those_of_the_alert_and_the_recordings_stay():
    """Groups without any are left out, all else is as it was."""
    (group,) = rule_files("Low", interval_s=15.0).groups
    (low,) = group.rules
    others = (replace(low, alert="High"), recording("r", "up"), low)
    rules = RuleFiles((
        RuleGroup("first", "a.yaml", 15.0, others, limit=3),
        RuleGroup("second", "a.yaml", 15.0, (replace(low, alert="High"),)),
    ))  # fmt: skip
    (kept,) = rules_of(rules, "Low").groups
    assert kept == RuleGroup("first", "a.yaml", 15.0, others[1:], limit=3)


@pytest.mark.parametrize(
    ("episodes", "has"),
    [
        ([], False),
        ([(10.0, None, 20.0)], False),
        ([(10.0, 20.0, 30.0)], True),
        ([(10.0, 20.0, None)], True),
        ([(-50.0, -40.0, -10.0)], False),
        ([(-50.0, -40.0, 0.0)], False),
        ([(-50.0, -40.0, 5.0)], True),
        ([(10.0, None, 20.0), (30.0, 40.0, None)], True),
    ],
)
def test_an_alert_fired_where_it_did_so_in_the_scenario_itself(episodes, has):
    """What resolved by its start is past."""
    assert has_fired(timelines(*episodes)) is has


def test_an_alert_of_a_judged_scenario_fired_where_any_of_its_verdicts_says_so():
    """And no other alert's."""
    run = outcome(alerts=(alert("Low"), fired("Low"), alert("High")))
    assert [has_fired_in(run, name) for name in ("Low", "High", "Odd")] == [True, False, False]


def near(expr, values, episodes, *, for_s=60.0, before=()):
    """Return how near an alert came, with these values of its series in the scenario."""
    (group,) = rule_files("Low", interval_s=15.0, expr=expr).groups
    rules = RuleFiles((replace(group, rules=(replace(group.rules[0], for_s=for_s),)),))
    series = [
        SimpleNamespace(
            values=np.array([*before, *each], float),
            times_s=EPOCH_S + 15.0 * (np.arange(len(before) + len(each)) - len(before)),
        )
        for each in values
    ]
    asked = []

    def over(text, span):
        asked.append((text, span))
        return SimpleNamespace(series=series)

    run = SimpleNamespace(
        rules=rules, epoch_s=EPOCH_S, end_s=300.0, stock=SimpleNamespace(over=over),
        span=lambda group, rule: (group.name, rule.alert),
    )  # fmt: skip
    nearness = probing._nearness(run, timelines(*episodes))
    read = "(up) - (down)" if "down" in expr else "up"
    assert asked in ([], [(read, ("group", "Low"))])
    return nearness


@pytest.mark.parametrize(
    ("expr", "values", "nearest"),
    [
        ("up < 5", [[9.0, 6.0, 8.0]], (6.0, 5.0)),
        ("up <= 5", [[9.0, 4.0, 8.0]], (4.0, 5.0)),
        ("up > 5", [[1.0, 3.0], [2.0, 4.0]], (4.0, 5.0)),
        ("5 < up", [[1.0, float("nan"), 3.0, float("inf")]], (3.0, 5.0)),
        ("up > 5", [], (None, None)),
        ("up > 5", [[float("nan")]], (None, None)),
        ("up == 5", [[1.0]], (None, None)),
        ("up > 5 and up < 9", [[1.0]], (None, None)),
        ("up > down", [[1.0]], (1.0, 0.0)),
    ],
)  # fmt: skip
def test_the_value_nearest_to_the_threshold_is_of_any_series(expr, values, nearest):
    """Or the one furthest beyond; of numbers in the scenario itself alone."""
    nearness = near(expr, values, [], before=(0.0, 100.0) if values else ())
    assert (nearness.value, nearness.threshold) == nearest


@pytest.mark.parametrize(
    ("episodes", "held_s"),
    [
        ([], 0.0),
        ([(30.0, None, 75.0)], 30.0),
        ([(30.0, None, 45.0)], 0.0),
        ([(30.0, None, 40.0)], 0.0),
        ([(280.0, None, None)], 20.0),
        ([(30.0, 90.0, 200.0)], 60.0),
        ([(30.0, None, 60.0), (100.0, None, 145.0)], 30.0),
        ([(-90.0, None, -10.0), (30.0, None, 60.0)], 15.0),
    ],
)
def test_a_condition_held_from_its_first_evaluation_to_its_last(episodes, held_s):
    """The longest time in the scenario, up to the whole `for`."""
    assert near("up == 5", [], episodes) == Nearness(None, None, held_s, 60.0)


def test_of_several_rules_of_an_alert_the_nearest_counts():
    """By the share of its threshold."""
    (group,) = rule_files("Low", expr="up < 5").groups
    rules = RuleFiles((replace(group, rules=tuple(
        replace(group.rules[0], expr=f"up < {limit}") for limit in (50, 8, 5)
    )),))  # fmt: skip
    series = [SimpleNamespace(values=np.array([9.0]), times_s=np.array([EPOCH_S]))]
    run = SimpleNamespace(
        rules=rules, epoch_s=EPOCH_S, end_s=300.0, span=lambda *_: None,
        stock=SimpleNamespace(over=lambda *_: SimpleNamespace(series=series)),
    )  # fmt: skip
    assert probing._nearness(run, []) == Nearness(9.0, 8.0, 0.0, 0.0)
    assert probing._nearness(SimpleNamespace(rules=RuleFiles(())), []) is None
