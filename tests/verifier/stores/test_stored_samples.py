"""What a store is asked, word for word, and what is made of its answers; nothing is sent."""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qsl

import numpy as np
import pytest

from exporter.history.samples import STALE, Block, History
from verifier.errors import JudgeError
from verifier.servers.prometheus.remote_write import REQUEST_COLUMNS_MAX
from verifier.stores.connection import Patience
from verifier.stores.slices import SHARDS, WrittenSeries, slices
from verifier.stores.stored_samples import StoredSamples

LABELS = (
    (("__name__", "b"), ("job", "j"), ("q", 'x"\\')),
    (("__name__", "a"), ("job", "j")),
    (("__name__", "b"), ("job", "j"), ("q", "y"), ("r", "z")),
)
START_MS = 1_000_000
LAST_MS = START_MS + 60_000
TIMES_MS = START_MS + 15_000 * np.arange(5)


class AnsweringConnection:
    """Answers questions one after another, and remembers them."""

    def __init__(self, *results):
        """Begin with nothing asked."""
        self.results, self.asked = list(results), []

    def ask(self, path, body):
        """Return the next answer."""
        self.asked.append((path, dict(parse_qsl(body.decode()))))
        result = self.results.pop(0)
        return result if isinstance(result, bytes) else json.dumps({"data": {"result": result}})


def asker(*results):
    """Return one that asks about three series, and its connection."""
    connection = AnsweringConnection(*results)
    return StoredSamples(connection, LABELS, Patience(threading.Event())), connection


def item(labels, *, value=None, values=None):
    """Return one series of an answer."""
    own = {"metric": labels}
    return own | ({"value": [0, value]} if value is not None else {"values": values})


def test_counts_are_asked_metric_by_metric_of_a_closed_interval():
    """By the labels that all share; what is not ours, or twice there, is told apart."""
    stored, connection = asker(
        [item({"job": "j", "q": "y", "r": "z", "extra": "e"}, value="4"),
         item({"job": "j", "q": 'x"\\'}, value="2"), item({"job": "j", "q": "y"}, value="9")],
        [item({"job": "j", "q": ""}, value="3"), item({"job": "j"}, value="1e0")],
    )  # fmt: skip
    assert stored.counts(START_MS, LAST_MS).tolist() == [2, 4, 4]
    assert connection.asked == [
        ("/api/v1/query", {
            "query": f'count_over_time({{__name__="{name}", job="j"}}[60001ms])',
            "time": "1060.000", "nocache": "1",
        })
        for name in "ba"
    ]  # fmt: skip


def test_counts_of_some_series_ask_for_their_metrics_alone():
    """Each once, by name; of the others 0 is said."""
    stored, connection = asker([], [item({"job": "j", "q": "y", "r": "z"}, value="5")])
    series = np.array([2, 1, 0])
    assert stored.counts(START_MS, LAST_MS, series).tolist() == [0, 0, 5]
    assert ['"a"' in form["query"] for _, form in connection.asked] == [True, False]
    stored, connection = asker([item({"job": "j"}, value="5")])
    assert stored.counts(START_MS, LAST_MS, np.array([1])).tolist() == [0, 5, 0]


def test_counts_of_windows_in_a_row_are_one_question_for_each_metric():
    """A window ends a millisecond before the next begins."""
    stored, connection = asker(
        [item({"job": "j", "q": "y", "r": "z"}, values=[[1029.999, "2"], [1089.999, "7"]]),
         item({"q": "other"}, values=[[1029.999, "2"]]), {"metric": {"q": "y", "r": "z"}}],
        [item({"job": "j"}, values=[[1059.999, "1"]])],
    )  # fmt: skip
    assert stored.counts_each(START_MS, 30_000, 3).tolist() == [[0, 0, 2], [0, 1, 0], [0, 0, 7]]
    assert connection.asked == [
        ("/api/v1/query_range", {
            "query": f'count_over_time({{__name__="{name}", job="j"}}[30000ms])',
            "start": "1029.999", "end": "1089.999", "step": "30.000", "nocache": "1",
        })
        for name in "ba"
    ]  # fmt: skip


def test_the_samples_of_a_series_are_those_with_just_its_labels():
    """Times in milliseconds, values as they are written."""
    stored, connection = asker(
        [item({"__name__": "a", "job": "j"}, values=[[1000.0005, "1.5"], [1015, "NaN"]]),
         {"metric": {"__name__": "a"}}],
    )  # fmt: skip
    times_ms, values = stored.samples(1, START_MS, LAST_MS)
    assert times_ms.tolist() == [1_000_000, 1_015_000]
    assert values.tolist() == [1.5, pytest.approx(np.nan, nan_ok=True)]
    assert connection.asked[0][1] == {
        "query": '{__name__="a", job="j"}[60001ms]', "time": "1060.000", "nocache": "1",
    }  # fmt: skip
    stored, connection = asker([item({"job": "j", "q": 'x"\\', "r": "z"}, values=[[1000, "1"]])])
    assert stored.samples(0, START_MS, LAST_MS)[0].tolist() == []
    assert connection.asked[0][1]["query"] == '{__name__="b", job="j", q="x\\"\\\\"}[60001ms]'


@pytest.mark.parametrize(
    "answer",
    [b"no", b"[]", b"{}", b'{"data": {"result": [3]}}', b'{"data": {"result": [{"metric": 3}]}}'],
)
def test_an_answer_of_another_shape_ends_the_run(answer):
    """With what to look at."""
    stored, _ = asker(answer)
    with pytest.raises(JudgeError, match="does not answer as a Prometheus does"):
        stored.counts(START_MS, LAST_MS)


class CountedStore(StoredSamples):
    """A store that is known to hold some samples."""

    def __init__(self, held):
        """Hold times and values by the number of a series."""
        super().__init__(AnsweringConnection(), LABELS, Patience(threading.Event()))
        self.held = held

    def samples(self, number, first_ms, last_ms):
        """Return what is held within a closed interval."""
        times_ms, values = self.held.get(number, ([], []))
        inside = [
            (ms, v) for ms, v in zip(times_ms, values, strict=True) if first_ms <= ms <= last_ms
        ]
        return np.array([ms for ms, _ in inside], np.int64), np.array([v for _, v in inside], float)

    def counts(self, first_ms, last_ms, series=None):
        """Return how many of them there are."""
        assert series is not None
        return np.array([len(self.samples(n, first_ms, last_ms)[0]) for n in range(len(LABELS))])


def block(*rows, series=(0, 1, 2)):
    """Return a block of some series."""
    return Block(TIMES_MS, np.array(series), np.array(rows, float))


NAN = np.nan
ROWS = ([1, 2, 3, 4, 5], [NAN, STALE, NAN, NAN, NAN], [1, NAN, 3, NAN, 5])


@pytest.mark.parametrize(
    ("held", "series", "rows"),
    [
        ({0: 5, 2: 3}, [], []),
        ({0: 6, 2: 3}, [], []),  # more is for the audit to say
        # where anything is missing, an end alone is sent again
        ({0: 5}, [1, 2], [ROWS[1], ROWS[2]]),
        ({0: 2, 2: 3}, [0, 1], [[NAN, NAN, 3, 4, 5], ROWS[1]]),
        ({}, [0, 1, 2], ROWS),
    ],
)
def test_what_is_missing_is_returned_with_its_rows(held, series, rows):
    """Of a series that is there in part, only what is not."""
    there = {}
    for number, count in held.items():
        times = [ms for ms, v in zip(TIMES_MS, ROWS[number], strict=True) if not np.isnan(v)]
        times = [*times, LAST_MS][:count]
        there[number] = times, [1.0] * len(times)
    missing = CountedStore(there).missing_of(block(*ROWS))
    assert missing.series.tolist() == series
    assert missing.timestamps_ms.tolist() == TIMES_MS.tolist()
    expected = np.array(rows, float).reshape(len(series), 5)
    assert np.array_equal(missing.values.view(np.uint64) & 0x7FF0000000000002,
                          expected.view(np.uint64) & 0x7FF0000000000002)  # fmt: skip
    assert np.allclose(missing.values, expected, equal_nan=True)


def test_an_end_that_is_there_is_not_counted_and_what_is_whole_is_left_alone():
    """The same rows, asked for by their numbers in the run."""
    held = {2: (TIMES_MS.tolist(), [1.0] * 5)}
    missing = CountedStore(held).missing_of(block(ROWS[0], [STALE] + [1] * 4, series=(2, 0)))
    assert (missing.series.tolist(), missing.values.shape) == ([0], (1, 5))


SENT = [1.0, NAN, STALE, 4.0, 1e6]


@pytest.mark.parametrize(
    ("times", "values", "differs"),
    [
        ([0, 3, 4], [1.0, 4.0, 1e6], False),
        ([0, 3, 4], [1.0, 4.0, 1e6 * (1 + 0.9e-10)], False),
        ([0, 3, 4], [1.0, 4.0, 1e6 * (1 + 1.2e-10)], True),
        ([0, 2, 3, 4], [1.0, NAN, 4.0, 1e6], False),  # an end that is shown
        ([0, 2, 3, 4], [1.0, 2.0, 4.0, 1e6], True),
        ([0, 1, 3, 4], [1.0, NAN, 4.0, 1e6], False),
        ([0, 3], [1.0, 4.0], True),
        ([0, 3, 4], [1.0, NAN, 1e6], True),
        ([0, 2, 4], [1.0, 4.0, 1e6], True),
    ],
)
def test_the_very_samples_of_a_series_are_compared(times, values, differs):
    """By time, and by value but for the last digits."""
    stored = CountedStore({1: (TIMES_MS[times].tolist(), values)})
    assert stored.differs(block([0.0] * 5, SENT, series=(0, 1)), 1) == differs


def test_a_history_is_cut_into_slices_of_so_many_scrapes():
    """Each counted by itself; the last is shorter."""
    scrapes = 2 * REQUEST_COLUMNS_MAX + 1
    times_ms = START_MS + 15_000 * np.arange(scrapes)
    values = np.ones((2, scrapes))
    values[1, REQUEST_COLUMNS_MAX:] = NAN
    values[1, REQUEST_COLUMNS_MAX] = STALE
    history = History(list(LABELS), [Block(times_ms, np.array([2, 0]), values)])
    cut = list(slices(history))
    most = REQUEST_COLUMNS_MAX
    assert [(each.samples, each.counts.tolist()) for each in cut] == [
        (2 * most, [most, 0, most]), (most + 1, [0, 0, most]), (1, [0, 0, 1]),
    ]  # fmt: skip
    assert [(each.first_ms, each.last_ms) for each in cut] == [
        (times_ms[0], times_ms[most - 1]),
        (times_ms[most], times_ms[2 * most - 1]),
        (times_ms[-1], times_ms[-1]),
    ]
    assert all(each.block.values.flags.c_contiguous for each in cut)


def test_a_series_is_in_one_shard_and_a_slice_has_its_rows_by_shard():
    """Whatever the place of the series in the block."""
    own = [(("__name__", "a"), ("n", str(number))) for number in range(64)]
    written = WrittenSeries.of(own)
    assert set(written.shards.tolist()) == set(range(SHARDS))
    assert WrittenSeries.of(own[::-1]).shards.tolist() == written.shards.tolist()[::-1]
    values = np.ones((64, 1))
    (each,) = slices(History(own, [Block(TIMES_MS[:1], np.arange(64)[::-1], values)]))
    rows = [each.rows_of(shard, written) for shard in range(SHARDS)]
    assert sorted(np.concatenate(rows).tolist()) == list(range(64))
    assert all((written.shards[63 - rows[shard]] == shard).all() for shard in range(SHARDS))


def test_a_label_that_some_series_share_is_not_asked_for_of_all():
    """What all share bounds the answer; what most share would leave out the others."""
    labels = [(("__name__", "a"), ("job", "j"), ("zone", zone)) for zone in ("x", "x", "y")]
    labels[1] = (*labels[1], ("pool", "p"))
    connection = AnsweringConnection([item({"job": "j", "zone": "y"}, value="5")])
    stored = StoredSamples(connection, labels, Patience(threading.Event()))
    assert stored.counts(START_MS, LAST_MS).tolist() == [0, 0, 5]
    ((_, form),) = connection.asked
    assert form["query"] == 'count_over_time({__name__="a", job="j"}[60001ms])'


def test_of_what_is_missing_only_series_that_hold_something_are_read():
    """Of one that is there in part what is there is not sent again; of one that is not, all is."""
    values = np.arange(15.0).reshape(3, 5)
    stored, connection = asker(
        [],
        [item({"job": "j", "q": 'x"\\'}, value="5"),
         item({"job": "j", "q": "y", "r": "z"}, value="2")],
        [item({"job": "j", "q": "y", "r": "z"}, values=[[1015, "11"], [1060, "14"]])],
    )  # fmt: skip
    part = stored.missing_of(Block(TIMES_MS, np.array([0, 1, 2]), values))
    assert part.series.tolist() == [1, 2]
    assert part.values[0].tolist() == [5.0, 6.0, 7.0, 8.0, 9.0]
    assert np.isnan(part.values[1]).tolist() == [False, True, False, False, True]
    assert len(connection.asked) == 3


def test_a_series_is_in_the_shard_of_its_labels_whichever_rows_a_block_has():
    """All eight are used."""
    many = [(("__name__", "a"), ("n", str(number))) for number in range(64)]
    series = WrittenSeries.of(many)
    assert {*series.shards.tolist()} == {*range(SHARDS)}
    assert series.shards.tolist() == WrittenSeries.of(many[::-1]).shards.tolist()[::-1]
    numbers = np.array([63, 5, 17, 0, 31])
    (own,) = slices(History(many, [Block(TIMES_MS, numbers, np.ones((5, 5)))]))
    rows = [own.rows_of(shard, series).tolist() for shard in range(SHARDS)]
    assert sorted(row for each in rows for row in each) == [0, 1, 2, 3, 4]
    for shard, each in enumerate(rows):
        assert all(series.shards[numbers[row]] == shard for row in each)


def test_series_that_differ_in_one_label_alone_are_told_apart_by_it():
    """Whichever it is, `job` too; a time that is rounded by a store is of its own window."""
    labels = [(("__name__", "a"), ("job", job)) for job in ("x", "y")]
    connection = AnsweringConnection(
        [item({"job": "y"}, value="5"), item({"job": "x"}, value="4")],
        [item({"job": "y"}, values=[[1029.998, "2"], [1059.998, "3"], [1090.001, "4"]])],
    )
    stored = StoredSamples(connection, labels, Patience(threading.Event()))
    assert stored.counts(START_MS, LAST_MS).tolist() == [4, 5]
    assert stored.counts_each(START_MS, 30_000, 3).tolist() == [[0, 2], [0, 3], [0, 4]]
