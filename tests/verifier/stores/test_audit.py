"""The last count of a store, by days, against stores that hold too little or too much."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S, STALE_BITS, Block
from verifier.stores.audit import Audit
from verifier.stores.slices import make_slice

LABELS = ((("__name__", "a"),), (("__name__", "b"),))
HOUR_MS = 3_600_000
START_MS = round(EPOCH_S * 1000)


class Held:
    """A store that holds so many samples of each series, of those asked for, but for a change."""

    def __init__(self, samples, change=lambda *_: (0, 0)):
        """Begin with nothing asked."""
        self.samples, self.change, self.asked = samples, change, []

    def counts(self, first_ms, last_ms):
        """Return how many samples of each series there are, both ends included."""
        self.asked.append(((first_ms - START_MS) // HOUR_MS, (last_ms - START_MS) // HOUR_MS))
        inside = [row for at, row in self.samples.items() if first_ms <= at <= last_ms]
        return np.sum(inside, axis=0, dtype=np.int64) + np.array(self.change(first_ms, last_ms))


def audited(hours):
    """Return an audit of an hour in each slice, and what a store holds that has all of it."""
    audit, samples = Audit(LABELS), {}
    for hour in hours:
        times_ms = START_MS + HOUR_MS * hour + np.array([0, HOUR_MS - 15_000])
        values = np.array([[1.0, 2.0], [3.0, np.nan]])
        audit.add(make_slice(Block(times_ms, np.array([0, 1]), values), 2))
        samples |= {int(times_ms[0]): (1, 1), int(times_ms[1]): (1, 0)}
    return audit, samples


def test_a_store_that_holds_everything_is_asked_day_by_day():
    """Each day from its first scrape to its last, none twice."""
    audit, samples = audited(range(50))
    store = Held(samples)
    result = audit.against(store)
    assert (result.missing, result.doubled, result.differences) == (0, 0, ())
    assert store.asked == [(0, 23), (24, 47), (48, 49)]
    assert audit.samples == 150
    assert audit.first_ms == START_MS
    assert audit.last_ms == START_MS + 50 * HOUR_MS - 15_000


def test_what_is_missing_and_what_is_doubled_do_not_make_up_for_each_other():
    """Each difference is named with its series, its day and both counts."""
    audit, samples = audited(range(26))
    store = Held(samples, lambda first_ms, _: (-2, 3) if first_ms > START_MS else (0, 0))
    result = audit.against(store)
    assert (result.missing, result.doubled) == (2, 3)
    first, second = result.differences
    assert (first.labels, first.sent, first.held) == (LABELS[0], 4, 2)
    assert (second.labels, second.sent, second.held) == (LABELS[1], 2, 5)
    day_ms = START_MS + 24 * HOUR_MS
    assert (first.first_ms, first.last_ms) == (day_ms, day_ms + 2 * HOUR_MS - 15_000)


def test_of_many_differences_the_first_ten_are_named_and_all_are_counted():
    """Two on each of eight days."""
    audit, samples = audited(range(0, 24 * 8, 12))
    result = audit.against(Held(samples, lambda *_: (-1, -1)))
    assert result.missing == 16
    assert len(result.differences) == 10


def test_the_mark_of_an_end_is_sent_and_never_counted_again():
    """No query sees it; nor is what is no sample at all sent."""
    ended = np.array([STALE_BITS], np.uint64).view(np.float64)[0]
    values = np.array([[1.0, ended, np.nan], [4.0, 5.0, 6.0]])
    piece = make_slice(Block(START_MS + np.arange(3) * 15_000, np.array([2, 0]), values), 3)
    assert (piece.samples, piece.counts.tolist()) == (5, [3, 0, 1])
    assert (piece.first_ms, piece.last_ms) == (START_MS, START_MS + 30_000)


def test_what_is_counted_leaves_the_slices_as_they_are():
    """They are still looked for one by one, each by its own counts."""
    audit = Audit(LABELS)
    pieces = [
        make_slice(Block(START_MS + at + np.arange(2), np.array([0, 1]), np.ones((2, 2))), 2)
        for at in (0, 15_000)
    ]
    for each in pieces:
        audit.add(each)
    assert [each.counts.tolist() for each in pieces] == [[2, 2], [2, 2]]


@pytest.mark.parametrize(("last_ms", "days"), [(-1, 1), (0, 2), (1, 2)])
def test_a_scrape_just_a_day_after_the_first_is_of_the_next_day(last_ms, days):
    """A day's scrapes are less than a day apart."""
    audit = Audit(LABELS[:1])
    first = START_MS + np.array([0, 1000])
    for times_ms in (first, first + 24 * HOUR_MS + last_ms - 1000):
        audit.add(make_slice(Block(times_ms, np.array([0]), np.ones((1, 2))), 1))
    spans = []

    class Nothing:
        """A store that holds nothing."""

        def counts(self, since_ms, until_ms):
            """Note what is asked for."""
            spans.append((since_ms, until_ms))
            return np.zeros(1, np.int64)

    result = audit.against(Nothing())
    assert (len(spans), result.missing) == (days, 4)
    assert spans[0][0] == START_MS
    assert spans[-1][1] == audit.last_ms == START_MS + 24 * HOUR_MS + last_ms
