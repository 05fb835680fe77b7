"""Which slice a sender lets go next, without a thread; and the whole receipt of what it sent."""

from __future__ import annotations

import threading
from collections import deque
from types import SimpleNamespace

import pytest

from tests.verifier.stores.pieces import SERIES, piece
from tests.verifier.stores.scripted_store import ScriptedStore
from verifier.errors import JudgeError
from verifier.stores import confirmation, connection, sender
from verifier.stores.address import StoreAddress, read_url
from verifier.stores.audit import AuditResult
from verifier.stores.connection import Abandoned
from verifier.stores.parcel_writer import Traffic
from verifier.stores.receipt import HeldDifference, Receipt
from verifier.stores.sender import Sender, SendingSetup
from verifier.stores.slices import WrittenSeries, slices

NOWHERE = StoreAddress(read_url("http://a/w"), read_url("http://a"))
SAMPLES = 14 * 100 + 41 + 96
"""Of a piece."""


class BlockedError(Exception):
    """Somebody waits."""


class BlockingCondition(threading.Condition):
    """A condition on which nobody waits: it says for how long they would."""

    def wait(self, timeout=None):
        """Raise instead."""
        raise BlockedError(timeout)


def sender_with(*pieces, held_max=16_000_000):
    """Return a sender that no thread works for, with some pieces admitted."""
    way = Sender(NOWHERE, SendingSetup(held_max=held_max))
    way._changed = BlockingCondition()
    way._series = WrittenSeries.of(SERIES)
    own = [each for number in pieces for each in slices(piece(number))]
    for each in own:
        way._admit(each)
    return way, own


def test_no_more_is_under_way_than_is_allowed_but_for_one_slice():
    """Just as much as that is; a single one that is larger must go, too."""
    way, _ = sender_with(0, 1, held_max=2 * SAMPLES)
    assert way._held == 2 * SAMPLES
    with pytest.raises(BlockedError):
        sender_with(0, 1, held_max=2 * SAMPLES - 1)
    way, _ = sender_with(0, held_max=1)
    assert way._held == SAMPLES


def test_what_failed_is_raised_before_anything_more_is_admitted():
    """Whether there is room or not."""
    for held_max in (1, 10 * SAMPLES):
        way, _ = sender_with(0, held_max=held_max)
        way._failure = JudgeError("no")
        with pytest.raises(JudgeError, match=r"^no$"):
            way._admit(next(slices(piece(1))))
        assert way._held == SAMPLES


def test_a_slice_waits_for_every_shard_of_its_series_alone():
    """And no shard of the next goes before all of this one are taken."""
    way, (first, second) = sender_with(0, 1)
    shards = set(way._series.shards.tolist())
    assert first.unsent == second.unsent == shards
    assert [len(waiting) for waiting in way._waiting] == [
        2 * (number in shards) for number in range(8)
    ]
    for shard in sorted(shards):
        assert way._next_of(range(8)) == shard
        way._waiting[shard].popleft()
    assert way._next_of(range(8)) is None
    first.unsent.clear()
    assert way._next_of(range(8)) == min(shards)
    assert way._next_of(range(max(shards), 8)) == max(shards)
    second.unsent.clear()
    assert way._next_of(range(8)) is None


def test_slices_are_ready_when_they_were_taken_long_enough_ago(monkeypatch):
    """All that are, in order; else it waits for the first that will be."""
    monkeypatch.setattr(sender.time, "monotonic", lambda: 100.0)
    way, own = sender_with(0, 1, 2)
    with pytest.raises(BlockedError) as none_taken:
        way._await_safe()
    assert none_taken.value.args == (None,)
    for each, asked_from_s in zip(own, (102.0, 101.5, 90.0), strict=True):
        each.asked_from_s = asked_from_s
    for each in own[:2]:
        each.unsent.clear()
    with pytest.raises(BlockedError) as not_yet:
        way._await_safe()
    assert not_yet.value.args == (1.5,)
    own[1].asked_from_s = 100.001
    with pytest.raises(BlockedError) as soon:
        way._await_safe()
    assert soon.value.args == (0.01,)
    own[0].asked_from_s = 100.0
    own[2].unsent.clear()
    assert way._await_safe() == [own[0], own[2]]
    way._ended.set()
    with pytest.raises(Abandoned):
        way._await_safe()


@pytest.mark.parametrize(
    ("script", "retries", "lost"),
    [([], 0, 0), (["refuse:503", "refuse:429", "take"], 2, 0), (["lose"], 0, True)],
)
def test_a_receipt_says_all_that_was_sent(monkeypatch, script, retries, lost):
    """By every writer, and by what was sent again."""
    monkeypatch.setattr(connection, "BACK_OFF_S", 0.005)
    monkeypatch.setattr(confirmation, "ASK_AGAIN_S", 0.02)
    setup = SendingSetup(safe_s=0.0, readable_s=0.03, give_up_s=5.0)
    with ScriptedStore(script=deque(script)) as store, Sender(store.address, setup) as way:
        assert way.confirmed == way.sent == 0
        for number in range(2):
            way.take(piece(number))
        receipt = way.finish()
        assert way.confirmed == way.sent == 2 * SAMPLES
        assert way._held == 0
    again = 1 if lost else 0
    assert (receipt.samples, receipt.series, receipt.retries) == (2 * SAMPLES, 16, retries)
    assert receipt.requests == len(store.bodies) + again
    assert bool(receipt.lost) == bool(lost)
    if not lost:
        assert receipt.bytes == sum(map(len, store.bodies))
    first, last = piece(0).blocks[0].timestamps_ms[0], piece(1).blocks[0].timestamps_ms[-1]
    assert (receipt.first_ms, receipt.last_ms) == (first, last)
    assert (receipt.missing, receipt.doubled, receipt.changed, receipt.differences) == (0, 0, 0, ())
    assert 0 < receipt.seconds < 60
    assert not way._threads[0].is_alive()


def test_a_history_without_a_sample_is_none():
    """There is nothing to find again."""
    with Sender(NOWHERE) as way, pytest.raises(JudgeError, match="there was nothing to send"):
        way.finish()


def test_there_are_as_many_workers_as_are_asked_for_but_never_more_than_shards():
    """And one thread that confirms."""
    for workers, threads in ((1, 2), (3, 4), (20, 9)):
        with ScriptedStore() as store:
            setup = SendingSetup(workers=workers, safe_s=0.0, readable_s=0.03)
            with Sender(store.address, setup) as way:
                way.take(piece(0))
                assert (len(way._writers), len(way._threads)) == (threads - 1, threads)
                assert way.finish().whole


def test_the_first_failure_of_several_threads_is_the_one_that_is_raised():
    """What follows from it is not; and a thread that is abandoned has not failed."""
    way = Sender(NOWHERE)

    def fail(error):
        def work():
            raise error

        way._start(work)
        way._threads[-1].join()

    first = JudgeError("the first")
    for error in (Abandoned(), first, JudgeError("the second")):
        fail(error)
    assert way._failure is first
    with pytest.raises(JudgeError, match=r"^the first$"):
        way._raise_failure()
    assert way._ended.is_set()


def test_every_shard_has_one_writer_and_what_is_gone_is_doubted_for_a_third_of_the_time(
    monkeypatch,
):
    """After which it would be readable."""
    made, works = [], []
    monkeypatch.setattr(sender, "Confirmation", lambda *_, **times: made.append(times))
    way = Sender(NOWHERE, SendingSetup(workers=3, safe_s=7.0, readable_s=12.0))
    monkeypatch.setattr(way, "_start", works.append)
    way._begin(piece(0))
    assert made == [{"safe_s": 7.0, "doubt_s": 4.0}]
    *writing, confirming = works
    assert [each.args[0] for each in writing] == way._writers
    assert [list(each.args[1]) for each in writing] == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert confirming == way._confirm


def test_a_receipt_adds_up_what_all_threads_did_and_names_every_difference():
    """Counts that differ before samples that do; what was sent again counts as well."""
    counted, changed = (
        HeldDifference(SERIES[number], 1, 2, 3, held) for number, held in ((0, 2), (1, 3))
    )
    way = Sender(NOWHERE)
    way._series = WrittenSeries.of(SERIES)
    way._audit = SimpleNamespace(
        samples=7, first_ms=10, last_ms=20, against=lambda _: AuditResult(4, 5, (counted,))
    )
    way._writers = [SimpleNamespace(traffic=Traffic(1, 10, 100)) for _ in range(2)]
    way._confirmation = SimpleNamespace(
        traffic=Traffic(5, 50, 500), lost=6, changed=[changed], samples=7
    )
    way._began_s, way._taken_s = 2.0, 3.5
    assert way.finish() == Receipt(
        samples=7, series=16, first_ms=10, last_ms=20, requests=7, retries=70, bytes=700, lost=6,
        missing=4, doubled=5, changed=1, seconds=1.5, differences=(counted, changed),
    )  # fmt: skip
