"""What is looked for, sent again and given up, and what a writer does between, on a known clock."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history.samples import Block
from tests.verifier.histories import labels
from verifier.errors import JudgeError
from verifier.stores import confirmation, parcel_writer
from verifier.stores.confirmation import COMPARED, ROW_MAX, STRIDE, TIMES_MAX, Confirmation
from verifier.stores.connection import TryAgain
from verifier.stores.parcel_writer import ParcelWriter
from verifier.stores.slices import WrittenSeries, make_slice

COUNT = 5
LABELS = tuple(labels("m", n=str(number)) for number in range(COUNT))
NOTHING = Block(np.array([], np.int64), np.array([], np.intp), np.empty((0, 0)))


class MovedClock:
    """A monotonic clock that is moved by hand, or by who waits."""

    def __init__(self):
        """Begin at 100 s."""
        self.now_s, self.pauses = 100.0, []

    def monotonic(self):
        """Return the time."""
        return self.now_s

    def pause(self, seconds):
        """Wait."""
        self.pauses.append(seconds)
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch):
    """Let both modules go by a clock of the test."""
    own = MovedClock()
    monkeypatch.setattr(confirmation, "time", own)
    monkeypatch.setattr(parcel_writer, "time", own)
    return own


def slice_at(at_s, scrapes=4):
    """Return a slice of all series from so many seconds on."""
    times_ms = (1000 * (at_s + 15 * np.arange(scrapes))).astype(np.int64)
    values = np.arange(COUNT)[:, None] + np.ones((COUNT, scrapes))
    return make_slice(Block(times_ms, np.arange(COUNT), values), COUNT)


class Store:
    """A store that lacks some slices, has others too often, and holds some series otherwise."""

    def __init__(self, *, lacking=(), doubled=(), different=()):
        """Begin with nothing asked."""
        self.lacking, self.doubled, self.different = {*lacking}, {*doubled}, {*different}
        self.rows, self.missed, self.compared, self.labels = [], [], [], LABELS

    def counts_each(self, first_ms, step_ms, windows):
        """Return the counts of windows in a row."""
        self.rows.append((first_ms // 1000, step_ms // 1000, windows))
        starts = [(first_ms + number * step_ms) // 1000 for number in range(windows)]
        counts = [4 - (at in self.lacking) + (at in self.doubled) for at in starts]
        return np.array(counts)[:, None] * np.ones((1, COUNT), np.int64)

    def missing_of(self, block):
        """Return two series of a slice that is lacking."""
        at_s = int(block.timestamps_ms[0]) // 1000
        self.missed.append(at_s)
        if at_s not in self.lacking:
            return NOTHING
        return Block(block.timestamps_ms, block.series[:2], block.values[:2])

    def differs(self, block, row):
        """Return whether a series is held otherwise."""
        self.compared.append((int(block.timestamps_ms[0]) // 1000, row))
        return row in self.different

    def samples(self, number, first_ms, last_ms):
        """Return as many samples as the number of the series."""
        assert (first_ms, last_ms) == (1_000_000, 1_045_000)
        return np.arange(number), np.arange(number)


def checks(store, *, safe_s=15.0, doubt_s=5.0):
    """Return what confirms, and what it sent again."""
    sent = []
    writer = SimpleNamespace(
        traffic="traffic", write=lambda block, rows: sent.append((block, rows.tolist()))
    )
    return Confirmation(writer, store, safe_s=safe_s, doubt_s=doubt_s), sent


def test_slices_at_even_distances_are_asked_for_in_one_question(clock):
    """A gap, or too many of them, begins another; one alone is asked for by itself."""
    assert clock.pauses == []
    group = [slice_at(at) for at in (1000, 1060, 1120, 1200, 1260, 1400)]
    group += [slice_at(at) for at in range(2000, 2000 + 60 * (ROW_MAX + 2), 60)]
    store = Store()
    own, sent = checks(store)
    assert own.confirm(group) == group
    assert store.rows == [(1000, 60, 3), (1200, 60, 2), (1400, 600, 2), (2060, 60, ROW_MAX)]
    assert store.missed == [5060]
    assert own.samples == sum(each.samples for each in group)
    assert (own.lost, sent, own.traffic) == (0, [], "traffic")


def test_a_row_that_is_not_whole_is_asked_for_one_by_one(clock):
    """Too little or too much in one of them; what is there twice is for the audit to say."""
    assert clock.pauses == []
    for wrong in ({"lacking": [1060]}, {"doubled": [1060]}):
        store = Store(**wrong)
        own, _ = checks(store)
        group = [slice_at(at) for at in (1000, 1060, 1120)]
        whole = own.confirm(group)
        assert store.missed == [1000, 1060, 1120]
        assert whole == ([group[0], group[2]] if "lacking" in wrong else group)
        assert own.samples == 20 * len(whole)


def test_what_is_missing_is_doubted_then_sent_again_and_safe_later(clock):
    """Not at once: it may not be seen yet. Lost are the samples of what is missing."""
    store = Store(lacking=[1000])
    own, sent = checks(store)
    (each,) = group = [slice_at(1000)]
    assert own.confirm(group) == []
    assert (each.lacking_s, each.asked_from_s, each.sent_again) == (100.0, 101.0, 0)
    clock.now_s = 104.9
    assert own.confirm(group) == []
    assert (each.lacking_s, each.asked_from_s, sent) == (100.0, 105.9, [])
    clock.now_s = 105.0
    assert own.confirm(group) == []
    assert (each.lacking_s, each.asked_from_s, each.sent_again) == (0.0, 120.0, 1)
    assert (own.lost, own.samples) == (8, 0)
    ((part, rows),) = sent
    assert (part.series.tolist(), rows) == ([0, 1], [0, 1])
    store.lacking.clear()
    assert own.confirm(group) == group
    assert (own.lost, own.samples) == (8, 20)


def test_a_slice_that_lacked_something_is_asked_for_by_itself(clock):
    """Until it was sent again."""
    assert clock.now_s == 100.0
    store = Store(lacking=[1000, 1060])
    own, _ = checks(store)
    group = [slice_at(at) for at in (1000, 1060)]
    own.confirm(group)
    own.confirm(group)
    assert len(store.rows) == 1
    clock.now_s = 105.0
    own.confirm(group)
    own.confirm(group)
    assert len(store.rows) == 2


def test_a_store_that_keeps_nothing_is_sent_to_so_often_and_no_more(clock):
    """Then the run ends."""
    store = Store(lacking=[1000])
    own, sent = checks(store, doubt_s=0.0)
    (each,) = group = [slice_at(1000)]
    for _ in range(TIMES_MAX):
        assert own.confirm(group) == []
    assert (each.sent_again, len(sent), clock.now_s) == (TIMES_MAX, TIMES_MAX, 100.0)
    with pytest.raises(JudgeError, match=f"20 were sent {TIMES_MAX + 1} times"):
        own.confirm(group)


def test_other_series_are_compared_each_time_and_those_held_otherwise_are_named(clock):
    """A few of each slice, all along the series in turn."""
    assert clock.pauses == []
    store = Store(different=[2])
    own, _ = checks(store)
    own.confirm([slice_at(1000)])
    own.confirm([slice_at(1000)])
    turn = [(STRIDE * (number + 1)) % COUNT for number in range(2 * COMPARED)]
    assert store.compared == [(1000, row) for row in turn]
    assert len(own.changed) == turn.count(2) > 0
    changed = own.changed[0]
    assert (changed.labels, changed.sent, changed.held) == (LABELS[2], 4, 2)
    assert (changed.first_ms, changed.last_ms) == (1_000_000, 1_045_000)


class ScriptedWrites:
    """A connection that takes a write, or does not, as a script says."""

    def __init__(self, *script):
        """Begin with nothing written."""
        self.script, self.bodies = deque(script), []

    def write(self, body):
        """Take a body, or raise."""
        act = self.script.popleft() if self.script else ""
        if act == "busy":
            raise TryAgain("busy")
        if act == "broke":
            raise TryAgain("broke off", taken=True)
        self.bodies.append(body)


class OnceMore:
    """Patience that tries again at once, and remembers what was said and waited for."""

    def __init__(self, clock):
        """Say nothing yet."""
        self.said, self.say, self.pause = [], None, clock.pause
        self.say = self.said.append

    def persist(self, attempt, *, retried):
        """Try until it succeeds."""
        while True:
            try:
                return attempt()
            except TryAgain:
                retried()


def writer_of(clock, missing, *script):
    """Return a writer whose store lacks these rows, asked again and again, and its parts."""
    asked, left = [], list(missing)

    def missing_of(block):
        asked.append(block.series.tolist())
        rows = left.pop(0) if len(left) > 1 else left[0]
        return Block(block.timestamps_ms, block.series[rows], block.values[rows])

    connection, patience = ScriptedWrites(*script), OnceMore(clock)
    stored = SimpleNamespace(missing_of=missing_of)
    series = WrittenSeries.of(LABELS)
    writer = ParcelWriter(connection, stored, series, patience, readable_s=2.5)
    return writer, connection, patience, asked


def test_what_was_not_taken_is_sent_again_the_same_bytes(clock):
    """Nothing is asked for; each attempt more is counted."""
    writer, connection, patience, asked = writer_of(clock, [[]], "busy", "busy")
    writer.write(slice_at(10**9).block, np.array([1, 3]))
    traffic = writer.traffic
    assert (traffic.requests, traffic.retries) == (len(connection.bodies), 2) == (1, 2)
    assert traffic.bytes == sum(map(len, connection.bodies))
    assert (asked, patience.said, clock.pauses) == ([], [], [])


def test_what_may_have_been_taken_is_looked_for_before_anything_is_sent_again(clock):
    """For as long as it may not be seen; then what is missing alone is sent."""
    writer, connection, patience, asked = writer_of(clock, [[0, 1], [0]], "broke")
    writer.write(slice_at(10**9).block, np.array([1, 3]))
    assert asked == [[1, 3]] * 4
    assert clock.pauses == [1.0, 1.0, 0.5]
    assert patience.said == ["broke off; looking at what it has taken ..."]
    assert (writer.traffic.requests, writer.traffic.retries) == (1, 1)
    plain, again, *_ = writer_of(clock, [[]])
    plain.write(slice_at(10**9).block, np.array([1]))
    assert connection.bodies == again.bodies


def test_what_was_taken_after_all_is_not_sent_again(clock):
    """As soon as it is seen."""
    writer, connection, _, asked = writer_of(clock, [[1], []], "broke")
    writer.write(slice_at(10**9).block, np.array([1, 3]))
    assert (connection.bodies, clock.pauses, len(asked)) == ([], [1.0], 2)
    assert (writer.traffic.requests, writer.traffic.retries, writer.traffic.bytes) == (0, 1, 0)


def test_of_fewer_series_than_are_compared_each_is_compared_once():
    """One that is held otherwise is told once."""
    compared = []

    class Other(Store):
        """A store that holds every series otherwise."""

        def missing_of(self, _):
            """Lack nothing."""
            return NOTHING

        def differs(self, _, row):
            """Note what is compared."""
            compared.append(row)
            return True

        def samples(self, *_):
            """Return no sample."""
            return np.array([], np.int64), np.array([])

    for count in (1, 2, COMPARED, COMPARED + 1):
        compared.clear()
        times_ms = 1000 * np.arange(4)
        own = make_slice(Block(times_ms, np.arange(count), np.ones((count, 4))), COUNT)
        confirming = Confirmation(None, Other(), safe_s=1.0, doubt_s=1.0)
        assert confirming.confirm([own]) == [own]
        assert len(compared) == len(confirming.changed) == min(count, COMPARED)
        assert len({*compared}) == len(compared)
        assert [(each.sent, each.held) for each in confirming.changed] == [(4, 0)] * len(compared)
