"""A lane shows what a verdict asks for: its windows, its failure, and the episodes that it had."""

from __future__ import annotations

from dataclasses import replace

import pytest

from charts.chart import LaneEpisode, LaneNotification
from tests.verifier.outcomes import alert, delivery, fired
from verifier.drawing.lanes import LANES_MAX, decisive_s, lanes
from verifier.evaluation.timeline import Episode, Timeline

END_S = 1200.0
FIRED = fired("A")
"""From 180 s on, for 360 s: it must fire within 420 s and resolve within 180 s of the end."""


def lane(verdict, *timelines):
    """Return the lane of a verdict."""
    return next(each for each in lanes([verdict], timelines, END_S) if each.alert == verdict.alert)


@pytest.mark.parametrize(
    ("changes", "must_fire", "must_resolve"),
    [
        ({}, (180.0, 600.0), (720.0, 900.0)),
        ({"cause_end_s": None}, (180.0, 600.0), (180.0, 360.0)),
        ({"resolves_within_s": None}, (180.0, 600.0), None),
        ({"onset_s": 0.0}, (0.0, 420.0), (540.0, 720.0)),
        ({"fires_within_s": None}, None, None),
        ({"expected": "explained"}, None, None),
    ],
)
def test_the_windows_begin_and_end_with_the_cause(changes, must_fire, must_resolve):
    """To fire from its onset on, to resolve from its end on, in seconds of the scenario."""
    drawn = lane(replace(FIRED, **changes))
    assert (drawn.must_fire, drawn.must_resolve) == (must_fire, must_resolve)


LATE = {"firing_s": 420.5}
UNRESOLVED = {"resolved_s": None}


@pytest.mark.parametrize(
    ("changes", "at_s"),
    [
        ({"firing_s": None, "pending_s": None}, 600.0),
        ({"firing_s": None, "onset_s": 900.0}, END_S),
        (LATE, 600.0),
        ({**LATE, "onset_s": 900.0}, END_S),
        (UNRESOLVED, 900.0),
        ({"resolved_s": 720.5}, 900.0),
        ({**UNRESOLVED, "onset_s": 600.0}, END_S),
        ({**UNRESOLVED, "firing_s": 420.0}, 900.0),
        ({"fires_within_s": None}, 510.0),
        ({"firing_s": 420.0, "resolved_s": 720.0}, 600.0),  # in time: what failed was the way
        ({**UNRESOLVED, "resolves_within_s": None}, 510.0),
        ({"expected": "unexpected"}, 510.0),
        ({"expected": "unexpected", "firing_s": None}, 210.0),
        ({"expected": "unexpected", "firing_s": None, "pending_s": None}, END_S),
        ({"expected": "unexpected", "firing_s": -300.0}, 0.0),
        ({"expected": "unexpected", "firing_s": 1100.0}, END_S),
    ],
)
def test_a_failure_is_drawn_where_it_was_decided(changes, at_s):
    """At a limit that passed, where what must not come began; never beyond the scenario."""
    verdict = replace(FIRED, ok=False, reason="why", **changes)
    assert decisive_s(verdict, END_S) == at_s
    failure = lane(verdict).failure
    assert (failure.at_s, failure.reason) == (at_s, "why")
    assert lane(replace(verdict, ok=True)).failure is None


EPISODES = (Episode(200.0, 500.0, None), Episode(900.0, None, 910.0))
LABELLED = Timeline("A", (("queue", "low"), ("severity", "page")), EPISODES)


def test_a_lane_has_every_episode_and_notification():
    """Those that never fired, too."""
    sent = (delivery("pager", 511.0), delivery("pager", 930.0, "resolved"))
    drawn = lane(replace(FIRED, labels=LABELLED.labels, deliveries=sent), LABELLED)
    assert drawn.episodes == (LaneEpisode(200.0, 500.0, None), LaneEpisode(900.0, None, 910.0))
    assert drawn.notifications == (
        LaneNotification("pager", "firing", 511.0),
        LaneNotification("pager", "resolved", 930.0),
    )


@pytest.mark.parametrize(
    ("labels", "is_drawn"),
    [
        (LABELLED.labels, True),
        ((("queue", "low"),), True),
        ((), True),
        ((("queue", "high"),), False),
        ((*LABELLED.labels, ("more", "x")), False),
    ],
)
def test_a_verdict_has_the_timeline_that_its_labels_fit(labels, *, is_drawn):
    """All of them, exactly where there is such a timeline; each timeline is drawn once."""
    verdict = replace(FIRED, labels=labels)
    drawn = lanes([verdict], [LABELLED], END_S)
    assert len(drawn) == (1 if is_drawn else 2)
    assert sum(len(each.episodes) for each in drawn) == 2
    assert {each.labels for each in drawn} == {LABELLED.labels, *(() if is_drawn else (labels,))}


def test_the_timeline_with_the_very_labels_of_a_verdict_is_preferred():
    """Another one that has more labels stands before it."""
    exact = replace(LABELLED, labels=(("queue", "low"),), episodes=EPISODES[:1])
    other_alert = replace(LABELLED, alert="B", labels=exact.labels)
    drawn = lanes([replace(FIRED, labels=exact.labels)], [LABELLED, other_alert, exact], END_S)
    assert [(each.alert, each.labels, len(each.episodes)) for each in drawn] == [
        ("A", exact.labels, 1),
        ("A", LABELLED.labels, 2),
        ("B", exact.labels, 2),
    ]


def test_what_failed_comes_first_and_what_shows_nothing_last():
    """And of very many lanes the last are left out."""
    verdicts = [
        alert("silent", "silent"),
        alert("explained unfired", "explained"),
        alert("fires unseen"),
        alert("explained", "explained"),
        alert("unexpected", "unexpected"),
        alert("failed silent", "silent", ok=False),
        fired("fires"),
    ]
    active = ("explained", "unexpected", "fires", "nobody's")
    timelines = [Timeline(name, (), EPISODES) for name in active]
    names = [each.alert for each in lanes(verdicts, timelines, END_S)]
    assert names == [
        "failed silent",
        "fires unseen",
        "fires",
        "unexpected",
        "explained",
        "nobody's",
        "explained unfired",
        "silent",
    ]
    many = lanes([alert("silent", "silent")] * LANES_MAX + [fired("fires")], timelines, END_S)
    assert (len(many), many[0].alert) == (LANES_MAX, "fires")
