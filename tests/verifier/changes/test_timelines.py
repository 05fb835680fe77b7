"""What differs between two timelines is paired, counted and said; what is the same is not."""

from __future__ import annotations

import pytest

from verifier.changes.timelines import change_text, compare
from verifier.evaluation.timeline import Episode, Timeline


def line(*episodes, labels=()):
    """Return the timeline of an alert."""
    return Timeline("High", tuple(labels), tuple(Episode(*times) for times in episodes))


def said(before, after):
    """Return what changed from one list of episodes to another."""
    (change,) = compare([line(*before)], [line(*after)])
    return change_text(change, before="before", after="now")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([(0, 60, 300)], [(0, 60, 300)], "the same"),
        ([(0, 60, 300)], [(0, 30, 300)], "fires 30s earlier now"),
        ([(0, 60, 300)], [(0, 60, 420)], "resolves 2m later now"),
        ([(0, 60, 300)], [], "1 firing only before"),
        ([], [(0, 60, 300), (600, 660, 900)], "2 firings only now"),
        ([(0, None, 60)], [(0, 60, 120)], "1 firing only now"),
        ([(0, 60, None)], [(0, 60, 300)], "resolves in time alone now"),
        ([(0, 60, 300)], [(0, 60, None)], "resolves no more now"),
        ([(0, None, 30)], [], "pending, without firing, only before"),
        ([(0, None, 30)], [(15, None, 30)], "begins to pend 15s later now"),
        ([(0, None, 30)], [(0, None, 60)], "ends to pend 30s later now"),
        ([(0, None, 60)], [(0, None, 30)], "ends to pend 30s earlier now"),
        ([(0, None, None)], [(0, None, None)], "the same"),
        ([(0, 60, None)], [(0, 60, None)], "the same"),
        ([(0, 60, 300)], [(30, 60, 300)], "begins to pend 30s later now"),
        ([], [(0, None, 30), (60, None, 90)], "pending, without firing, only now (2 times)"),
        (
            [(0, 60, 300), (400, 460, 500)],
            [(0, 60, None), (900, 960, 990)],
            "1 firing only before, 1 firing only now, resolves no more now",
        ),
        (
            [(0, 60, 300), (400, 460, 500)],
            [(0, 90, 300), (400, 440, 500)],
            "fires 20s earlier now, fires 30s later now",
        ),
        (
            [(0, 60, 300), (400, 460, 500)],
            [(0, 60, 310), (400, 460, 530)],
            "resolves 10s to 30s later (2 times) now",
        ),
        (
            [(0, 60, 300), (400, 460, 500)],
            [(0, 60, 310), (400, 460, None)],
            "resolves 10s later (2 times) now",
        ),
        ([(0, 10, 1000)], [(0, 10, 200), (400, 410, 1000)], "1 firing only now, resolves 13m20s"),
    ],
)
def test_what_changed_is_said(before, after, text):
    """Firings first; times of being pending only where nothing else differs."""
    assert said(before, after).startswith(text)


def test_alerts_are_paired_by_name_and_key():
    """A label that a rule sets itself need not keep two apart."""
    before = [line((0, 60, 300), labels=[("job", "a"), ("severity", "page")])]
    after = [line((0, 60, 300), labels=[("job", "a"), ("severity", "warning")])]
    assert len(compare(before, after)) == 2
    (change,) = compare(before, after, lambda own: own.labels[:1])
    assert change.is_same


def test_a_planted_difference_of_a_millisecond_is_none_and_of_a_second_is():
    """Times of evaluations are whole milliseconds, and floats."""
    (same,) = compare([line((0, 60, 300))], [line((0, 60.0005, 300))])
    (other,) = compare([line((0, 60, 300))], [line((0, 61, 300))])
    assert (same.is_same, other.is_same) == (True, False)


@pytest.mark.parametrize(
    ("before", "after"),
    [([(0, 60, 300)], [(300, 360, 600)]), ([(300, 360, 600)], [(0, 60, 300)])],
)
def test_an_episode_that_ends_as_another_begins_is_not_that_one_moved(before, after):
    """They share no instant: at its end an alert is active no more."""
    assert said(before, after) == "1 firing only before, 1 firing only now"


def test_the_first_of_several_that_overlap_one_is_its_own_and_times_keep_their_sign():
    """What is later is positive, and an end that never comes is infinitely later."""
    (change,) = compare([line((0, 60, 300))], [line((0, 90, 200), (250, 260, 280))])
    assert (change.appears, change.disappears) == (1, 0)
    assert (change.fires_later_s, change.resolves_later_s) == ((30,), (-100,))
    (change,) = compare([line((0, 60, 300))], [line((0, 60, None))])
    assert change.resolves_later_s == (float("inf"),)
    (change,) = compare([line((400, 460, 500), (0, 60, 300))], [line((0, 60, 300))])
    assert [pair.is_same for pair in change.pairs] == [True, False]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([(0, 60, 300)], [(0, 60, 300.001)], "the same"),
        ([(0, 60, 300)], [(0, 60, 300.0011)], "resolves 1.1ms later now"),
        ([(0, 60, 300)], [(0, None, 300)], "1 firing only before"),
        ([(0, 60, 300)], [(0, None, 400)], "1 firing only before"),
        (
            [(0, 60, 300), (400, 460, 500)],
            [(0, 60, 310), (400, 460, 510)],
            "resolves 10s later (2 times) now",
        ),
        ([(0, 60, None)], [(0, 60, 300)], "resolves in time alone now"),
        ([(0, None, None)], [(0, None, 60)], "ends to pend in time alone now"),
        ([(0, None, 60)], [(0, None, None)], "ends to pend no more now"),
        ([(0, 60, 300)], [(30, 60, 300)], "begins to pend 30s later now"),
        ([(30, 60, 300)], [(0, 60, 300)], "begins to pend 30s earlier now"),
        (
            [(0, None, 30), (60, None, 90)],
            [(9, None, 30), (69, None, 90)],
            "begins to pend 9s later (2 times) now",
        ),
        (
            [(0, None, 30)],
            [(60, None, 90)],
            "pending, without firing, only before, pending, without firing, only now",
        ),
    ],
)
def test_the_whole_of_what_changed_is_said(before, after, text):
    """To the millisecond; what never ends differs from any end."""
    assert said(before, after) == text


def test_alerts_come_in_the_order_of_their_names_whichever_side_has_them():
    """A firing that became a pending one is gone."""
    first, second, third = (Timeline(name, (), (Episode(0, 60, 300),)) for name in "ABC")
    changes = compare([third, second], [first, second])
    assert [each.alert for each in changes] == ["A", "B", "C"]
    assert [(each.appears, each.disappears) for each in changes] == [(1, 0), (0, 0), (0, 1)]
    (change,) = compare([line((0, 60, 300))], [line((0, None, 200))])
    assert (change.appears, change.disappears, change.resolves_later_s) == (0, 1, ())
    (change,) = compare([line((0, None, 200))], [line((0, 60, 300))])
    assert (change.appears, change.disappears, change.resolves_later_s) == (1, 0, ())


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ([(0, 60, 300)], [(0, 60, 300)], True),
        ([(0, 60, 300)], [(1, 60, 300)], False),
        ([(0, 60, 300)], [(0, 61, 300)], False),
        ([(0, 60, 300)], [(0, 60, 301)], False),
        ([(0, 60, None)], [(0, 60, None)], True),
        ([(0, None, 30)], [(0, None, 30)], True),
        ([(0, None, 30)], [(0, 15, 30)], False),
        ([(0, 60, 300), (400, 460, 500)], [(0, 60, 300), (400, 460, 500)], True),
        ([(0, 60, 300), (400, 460, 500)], [(0, 60, 300), (400, 460, 520)], False),
        ([(0, 60, 300), (400, 460, 500)], [(0, 60, 300)], False),
        ([(0, 60, 300)], [(0, 60, 300), (400, None, 500)], False),
    ],
)
def test_an_alert_is_the_same_only_where_every_time_of_every_episode_is(before, after, is_same):
    """Its beginnings and its ends, of what was pending alone too."""
    (change,) = compare([line(*before)], [line(*after)])
    assert change.is_same is is_same
