"""The two clocks: what agrees, what a race may move, and that one evaluation makes a difference."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from documents.mistakes import Place
from tests.verifier.alerts import rule_files
from tests.verifier.real_time.test_replay import leaking_world, two_scrapes_a_second
from verifier.evaluation.timeline import Episode, Timeline
from verifier.pack.history_depth import HistoryDepths
from verifier.pack.rules import RecordingRule, RuleFiles, RuleGroup
from verifier.real_time.clock_comparison import (
    COMMIT_S,
    ComparedRun,
    _first_evaluation_s,
    _ObservedSchedule,
    _paired,
    _under_way,
    busy_share,
    compare,
    evaluate_at,
    stored_records,
)
from verifier.real_time.replay import Scrapes, replay_scrapes
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import Prometheus, Series

START_S = 1_750_000_000.0
CLOCK = ScenarioClock(START_S, 30.0)
INTERVAL_S = 1.0
SHIFT_S = INTERVAL_S * CLOCK.factor
"""One evaluation in scenario seconds."""


def scrapes(offset_s=0.4, took_s=0.01, count=200):
    """Scrapes twice a second, `offset_s` after each evaluation."""
    at_s = START_S + offset_s + 0.5 * np.arange(count)
    return Scrapes(at_s, np.zeros(count, np.int64), np.full(count, took_s))


def timeline(*episodes, alert="Slow"):
    """An alert's timeline, scenario seconds."""
    return Timeline(alert, (), tuple(Episode(*each) for each in episodes))


def differences(virtual, real, **options):
    """Compare two timelines of the one alert."""
    run = ComparedRun(CLOCK, **{"scrapes": scrapes(), **options})
    return compare([virtual] if virtual else [], [real] if real else [], rule_files(), run)


def shifted(timeline, by_s):
    """The same timeline, later."""
    return replace(
        timeline,
        episodes=tuple(
            Episode(*(None if at is None else at + by_s for at in (e.pending_s, e.firing_s,
                                                                   e.resolved_s)))
            for e in timeline.episodes
        ),
    )  # fmt: skip


SAME = timeline((300.0, 600.0, 900.0))


def test_equal_timelines_agree_in_every_transition():
    """Three transitions, all at the same evaluation."""
    compared = differences(SAME, SAME)
    assert [(difference.transition, difference.ok) for difference in compared] == [
        ("pending", True),
        ("firing", True),
        ("resolved", True),
    ]
    assert {difference.reason for difference in compared} == {"the same evaluation"}


@pytest.mark.parametrize("by_s", [SHIFT_S, -SHIFT_S])
@pytest.mark.parametrize("side", ["virtual", "real"])
def test_a_shift_by_one_evaluation_in_either_clock_is_a_difference(side, by_s):
    """In every transition, with its size and its direction."""
    moved = shifted(SAME, by_s)
    compared = differences(moved, SAME) if side == "virtual" else differences(SAME, moved)
    assert not any(difference.ok for difference in compared)
    later = (by_s > 0) == (side == "real")
    assert {difference.reason for difference in compared} == {
        f"30.0 s {'later' if later else 'earlier'} in real time"
    }


def test_a_single_transition_that_moved_is_a_difference():
    """The others agree."""
    moved = timeline((300.0, 600.0 + SHIFT_S, 900.0))
    assert [difference.ok for difference in differences(SAME, moved)] == [True, False, True]


def test_a_scrape_under_way_may_cost_one_scrape_and_one_evaluation():
    """An evaluation may see samples that are being stored, or not: a race, as the reason states."""
    racing = scrapes(offset_s=-0.005, took_s=0.02)
    compared = differences(SAME, shifted(SAME, SHIFT_S), scrapes=racing)
    assert all(difference.ok for difference in compared)
    assert compared[0].reason == "30.0 s later in real time, where a scrape was under way"
    assert compared[0].allowed_s == pytest.approx((0.5 + INTERVAL_S) * CLOCK.factor)
    assert not any(
        difference.ok
        for difference in differences(SAME, shifted(SAME, 2 * SHIFT_S), scrapes=racing)
    )


@pytest.mark.parametrize("racing_s", [300.0, 300.0 + SHIFT_S])
def test_a_scrape_under_way_at_one_of_the_instants_that_decide_is_enough(racing_s):
    """In either clock; a transition whose instants are all of another time gets no allowance."""
    single = Scrapes(np.array([CLOCK.unix_s(racing_s) - 0.005, START_S + 80.0, START_S + 80.5]),
                  np.zeros(3, np.int64), np.full(3, 0.02))  # fmt: skip
    compared = differences(SAME, shifted(SAME, SHIFT_S), scrapes=single)
    # `for` counts from pending, so firing came late by the same race.
    assert [difference.ok for difference in compared] == [True, True, False]


def test_what_came_in_one_clock_only_is_a_difference():
    """An alert, an episode, or a single transition."""
    assert {difference.reason for difference in differences(SAME, None)} == {"in virtual time only"}
    assert {difference.reason for difference in differences(None, SAME)} == {"in real time only"}
    twice = timeline((300.0, 600.0, 900.0), (1200.0, None, 1260.0))
    assert [difference.ok for difference in differences(SAME, twice)] == [True] * 3 + [False] * 2
    compared = differences(SAME, timeline((300.0, 600.0, None)))
    assert [(difference.transition, difference.ok) for difference in compared][-1] == (
        "resolved",
        False,
    )


@pytest.mark.parametrize(("ended_s", "compared"), [(940.0, 2), (945.0, 3)])
def test_what_a_run_cannot_show_yet_at_its_end_is_no_difference(ended_s, compared):
    """An alert that did not fire at the last evaluation has not resolved there yet, as it seems.

    Both resolved: compared however late it was. Before the last evaluation and a half it must be
    seen on both sides.
    """
    active = timeline((300.0, 600.0, None))
    for sides in ((SAME, active), (active, SAME)):
        verdicts = [each.ok for each in differences(*sides, ended_s=ended_s)]
        assert verdicts == [True, True, False][:compared]
    late = differences(SAME, shifted(SAME, SHIFT_S), ended_s=930.0)
    assert [each.ok for each in late] == [False] * 3


def test_an_alert_pending_for_one_evaluation_on_one_side_is_a_race_or_a_difference():
    """Pending for one evaluation because a sample came late; without a scrape under way it fails.

    The episodes that follow are still compared with their own.
    """
    noisy = timeline((90.0, None, 120.0), (300.0, 600.0, 900.0))
    racing = differences(SAME, noisy, scrapes=scrapes(offset_s=-0.005, took_s=0.02))
    assert [(difference.transition, difference.ok) for difference in racing[:2]] == [
        ("pending", True),
        ("resolved", True),
    ]
    assert racing[0].reason == "in real time only, where a scrape was under way"
    assert {difference.reason for difference in racing[2:]} == {"the same evaluation"}
    without_race = differences(SAME, noisy)
    assert [difference.ok for difference in without_race] == [False, False, True, True, True]
    fired = timeline((90.0, 90.0, 120.0), (300.0, 600.0, 900.0))
    raced = differences(SAME, fired, scrapes=scrapes(offset_s=-0.005, took_s=0.02))
    assert [difference.ok for difference in raced] == [False, False, False, True, True, True]


@pytest.mark.parametrize(("apart_s", "ok"), [(45.05, True), (45.1, False)])
def test_a_race_moves_a_transition_by_one_scrape_and_one_evaluation_at_the_most(apart_s, ok):
    """But for the rounding of timestamps, and as long may an alert be pending on one side only."""
    racing = scrapes(offset_s=-0.005, took_s=0.02)
    late = differences(SAME, shifted(SAME, apart_s), scrapes=racing)
    assert {each.ok for each in late} == {ok}
    noisy = timeline((90.0, None, 90.0 + apart_s), (300.0, 600.0, 900.0))
    assert {each.ok for each in differences(SAME, noisy, scrapes=racing)[:2]} == {ok}


def test_a_scrape_under_way_at_the_end_of_an_episode_explains_all_of_it():
    """Whether it was seen there is whether the alert was pending at all."""
    noisy = timeline((90.0, None, 120.0), (300.0, 600.0, 900.0))
    single = Scrapes(
        np.array([CLOCK.unix_s(120.0) - 0.005, *(START_S + 80.0 + 0.5 * np.arange(3))]),
        np.zeros(4, np.int64),
        np.full(4, 0.02),
    )
    compared = differences(SAME, noisy, scrapes=single)
    assert [each.ok for each in compared] == [True] * 5


@pytest.mark.parametrize(("begins_s", "one_pair"), [(145.0, True), (146.0, False)])
def test_episodes_that_nearly_meet_are_the_same_whichever_side_was_first(begins_s, one_pair):
    """Up to what a race may cost; beyond, each stands alone, in time."""
    early, late = Episode(0.0, None, 100.0), Episode(begins_s, None, 200.0)
    pairs = [(early, late)] if one_pair else [(early, None), (None, late)]
    assert list(_paired([early], [late], 45.0)) == pairs
    assert list(_paired([late], [early], 45.0)) == [each[::-1] for each in pairs]


def test_a_machine_too_busy_is_recognised_by_its_scrapes():
    """A tenth of them over a tenth of a second; a quick refusal is no sign of that."""
    slow = scrapes()
    slow.took_s[::10] = 0.3
    assert busy_share(slow) == pytest.approx(0.1)
    assert busy_share(scrapes(count=0)) == 1.0  # nothing shows that it was not
    refused = replace(scrapes(), world_ns=np.full(200, -1))
    assert busy_share(refused) == 0.0


def test_rules_are_evaluated_at_the_instants_of_the_run():
    """A group that evaluated at .25 s past the second does so again, and the leak at 4 s shows."""
    expr = "agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.1"
    rules = rule_files("Empty", expr=expr)
    observed = Series({"alertname": "Empty", "alertstate": "firing"}, np.array([START_S + 5.25]),
                  np.ones(1))  # fmt: skip
    clock = ScenarioClock(START_S, 1.0)
    with Prometheus() as server:
        server.push(replay_scrapes(leaking_world(), two_scrapes_a_second(START_S)))
        timelines = evaluate_at(server, rules, [observed], clock=clock, end_s=START_S + 12)
    assert len(timelines) == 3
    for timeline in timelines:
        ((began_s, fired_s, resolved_s),) = ((e.pending_s, e.firing_s, e.resolved_s)
                                             for e in timeline.episodes)  # fmt: skip
        assert began_s == fired_s
        assert began_s in (4.25, 5.25, 6.25)
        assert resolved_s in (7.25, 8.25)


@pytest.mark.parametrize(
    ("at_s", "is_under_way"),
    [
        (9.9, False),
        (9.997, False),
        (9.999, True),
        (10.0, True),
        (10.0 + 0.3 + COMMIT_S - 0.001, True),
        (10.0 + 0.3 + COMMIT_S + 0.001, False),
        (20.0, True),
        (20.0 + COMMIT_S - 0.001, True),
        (20.0 + COMMIT_S + 0.001, False),
    ],
)
def test_a_scrape_is_under_way_from_its_timestamp_until_rules_see_it(at_s, is_under_way):
    """As long as it took, and its commit; each by its own duration."""
    two = Scrapes(np.array([10.0, 20.0]), np.zeros(2, np.int64), np.array([0.3, 0.0]))
    assert _under_way(two, at_s) is is_under_way


def test_only_what_one_rule_records_shows_when_its_group_was_evaluated():
    """Of two rules of a name nobody can tell whose sample it is."""
    asked = []

    def stored(name, start_s, end_s):
        asked.append((name, start_s, end_s))
        return [Series({"__name__": name, "x": x}, np.zeros(1), np.ones(1)) for x in "ab"]

    server = SimpleNamespace(stored=stored)
    rules = tuple(
        RecordingRule(name, "up", (), Place("r.yaml", 1, 1)) for name in ("a", "b", "c", "b")
    )
    groups = (RuleGroup("g", "r.yaml", 1.0, rules[:2]), RuleGroup("h", "r.yaml", 1.0, rules[2:]))
    series = stored_records(server, RuleFiles(groups), 5.0, 9.0)
    assert asked == [("a", 5.0, 9.0), ("c", 5.0, 9.0)]
    assert [each.labels["__name__"] for each in series] == ["a", "a", "c", "c"]


@pytest.mark.parametrize(
    ("first_s", "starts_s"),
    [(None, 0.0), (0.0, 0.0), (0.25, 0.25), (1.25, 0.25), (7.5, 0.5), (3.0, 0.0), (-2.75, -2.75)],
)
def test_a_group_is_evaluated_on_from_what_shows_of_it(first_s, starts_s):
    """Back to the start in whole intervals; from before the start on where it shows that."""
    (group,) = rule_files(interval_s=1.0).groups
    first = {} if first_s is None else {("rules.yaml", "group"): first_s, ("other", "group"): 0.9}
    grid = _ObservedSchedule(0.0, 60.0, HistoryDepths(()), first).grid(group, group.rules[0])
    assert (grid.start_s, grid.end_s, grid.interval_s) == (pytest.approx(starts_s), 60.0, 1.0)


def test_the_first_evaluation_of_a_group_is_that_of_any_of_its_rules():
    """By the names of its alerts and records; not by those of another group."""
    record = RecordingRule("r", "up", (), Place("rules.yaml", 2, 1))
    (group,) = rule_files("Slow").groups
    group = replace(group, rules=(*group.rules, record))
    observed = [
        Series({"__name__": "ALERTS", "alertname": "Slow"}, np.array([5.0, 1.0]), np.ones(2)),
        Series({"__name__": "r"}, np.array([4.0]), np.ones(1)),
        Series({"__name__": "ALERTS", "alertname": "Other"}, np.array([3.0]), np.ones(1)),
        Series({"__name__": "s"}, np.array([2.0]), np.ones(1)),
    ]
    assert _first_evaluation_s(group, observed) == 4.0
    assert _first_evaluation_s(group, observed[:1]) == 5.0
    assert _first_evaluation_s(group, observed[2:]) is None
