"""Histories arrive whole, once, in order and within bounds, whatever the store does meanwhile."""

from __future__ import annotations

import re
import threading
import time
from collections import deque

import pytest

from exporter.history.samples import Block
from tests.verifier.stores.pieces import SERIES, piece
from tests.verifier.stores.scripted_store import ScriptedStore, read_request
from verifier.errors import JudgeError
from verifier.stores import confirmation, connection
from verifier.stores.confirmation import Confirmation
from verifier.stores.parcel_writer import ParcelWriter
from verifier.stores.sender import Sender, SendingSetup

QUICK = SendingSetup(safe_s=0.05, readable_s=0.1, give_up_s=5.0)


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch):
    """Waits of a hundredth of what they are."""
    monkeypatch.setattr(connection, "BACK_OFF_S", 0.005)
    monkeypatch.setattr(confirmation, "ASK_AGAIN_S", 0.02)


def send(store, setup=QUICK, pieces=2):
    """Send a few pieces; return the receipt."""
    with Sender(store.address, setup) as way:
        for number in range(pieces):
            way.take(piece(number))
        return way.finish()


def test_everything_arrives_once_and_is_found_again():
    """Gaps stay gaps, the end of a series is sent, every sample of a series comes in order."""
    with ScriptedStore() as store:
        receipt = send(store)
    assert receipt.whole
    assert receipt.samples == store.samples == 2 * (14 * 100 + 41 + 96)
    assert (receipt.series, receipt.retries, receipt.lost) == (16, 0, 0)
    assert all(times == sorted(times) for times in store.arrived.values())
    assert len(store.held[SERIES[0]]) == 2 * 41
    # Not before all of one piece is there comes any of the next: some stores would refuse it.
    first_ms = [min(ms for _, own in read_request(body) for ms, _ in own) for body in store.bodies]
    assert len(first_ms) > 6
    assert first_ms == sorted(first_ms)


def test_nothing_is_asked_for_before_the_store_had_time_to_make_it_safe(monkeypatch):
    """From when a piece was taken, however long the run has lasted by then."""
    taken_s, asked_s = {}, {}

    def write(writer, block, rows, real=ParcelWriter.write):
        real(writer, block, rows)
        taken_s[int(block.timestamps_ms[0])] = time.monotonic()

    def confirm(checks, group, real=Confirmation.confirm):
        for each in group:
            asked_s.setdefault(each.first_ms, time.monotonic())
        return real(checks, group)

    monkeypatch.setattr(ParcelWriter, "write", write)
    monkeypatch.setattr(Confirmation, "confirm", confirm)
    setup = SendingSetup(safe_s=0.1, readable_s=0.1)
    with ScriptedStore() as store, Sender(store.address, setup) as way:
        for number in range(2):
            way.take(piece(number))
            time.sleep(0.15)
        assert way.finish().whole
    assert sorted(asked_s) == sorted(taken_s)
    assert all(asked_s[ms] - taken_s[ms] >= setup.safe_s - 0.01 for ms in asked_s)


def test_requests_are_the_same_bytes_whatever_the_number_of_workers():
    """Shards are of the series, not of the threads."""
    sent = []
    for workers in (1, 2, 20):
        with ScriptedStore() as store:
            send(store, SendingSetup(workers=workers, safe_s=0.0, readable_s=0.1))
        sent.append(sorted(store.bodies))
    assert sent[0] == sent[1] == sent[2]


@pytest.mark.parametrize(
    "script",
    [
        ["refuse:503"],
        ["take", "refuse:500", "refuse:502"],
        ["refuse:429:0", "refuse:429"],
        ["take", "break"],
        ["take", "take", "take-and-break"],
        ["take-and-break", "take-and-break", "refuse:503", "take-and-break"],
        ["take", "lose"],
        ["take", "take", "forget"],
    ],
    ids=lambda script: script[-1],
)
def test_nothing_is_lost_and_nothing_doubled(script):
    """Refused, cut before or after it was taken, taken and gone, all of it gone."""
    with ScriptedStore(script=deque(script)) as store:
        receipt = send(store)
    assert receipt.whole
    assert receipt.samples == store.samples
    assert bool(receipt.lost) == (script[-1] in {"lose", "forget"})
    assert bool(receipt.retries) == (script[-1] != "lose")
    assert not store.script


def test_the_store_says_how_long_to_wait():
    """`Retry-After` is kept to, and beyond the patience it ends the run."""
    with ScriptedStore(script=deque(["refuse:429:1"])) as store:
        began_s = time.monotonic()
        assert send(store, pieces=1).whole
        assert time.monotonic() - began_s > 1
    with (
        ScriptedStore(script=deque(["refuse:429:60"] * 9)) as store,
        pytest.raises(JudgeError, match=r"is busy \(429: not now\); tried again for 5s"),
    ):
        send(store)


def test_what_is_refused_ends_the_run_with_one_line():
    """Status 400 is for good: nothing is tried again."""
    with ScriptedStore(script=deque(["refuse:400"] * 9)) as store:
        with pytest.raises(JudgeError, match=r"write refused a request \(400: not now\)$"):
            send(store)
        assert len(store.script) > 6


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>x</h1>",
         "404: a web page, '404 Not Found'"),
        (b"<html><body>no title</body></html>", "404: a web page"),
        (b"out of order: <html>", "404: out of order: <html>"),
    ],
)  # fmt: skip
def test_of_a_web_page_the_title_is_said_and_no_tag(page, said):
    """A web server that is no store; what a store says of its own is repeated."""
    with (
        ScriptedStore(script=deque(["refuse:404"] * 9), refusal=page) as store,
        pytest.raises(JudgeError, match=rf"{re.escape(said)}\); "),
    ):
        send(store)


def test_a_store_that_is_not_there_is_tried_for_as_long_as_is_said():
    """Nobody listens; then the run ends."""
    with ScriptedStore() as store:
        pass
    with pytest.raises(JudgeError, match=r"cannot be reached \(.*tried again for 200ms"):
        send(store, SendingSetup(safe_s=0.0, give_up_s=0.2))


def test_the_simulation_waits_for_a_slow_store():
    """No more is under way than is allowed; when the store goes on, so does the simulation."""
    setup = SendingSetup(safe_s=0.0, readable_s=0.1, held_max=3_500)
    with ScriptedStore() as store:
        store.gate.clear()
        with Sender(store.address, setup) as way:
            pieces = []

            def simulate():
                for number in range(5):
                    way.take(piece(number))
                    pieces.append(number)

            thread = threading.Thread(target=simulate)
            thread.start()
            thread.join(timeout=0.3)
            assert pieces == [0, 1]
            assert way._held <= 3_500
            store.gate.set()
            thread.join(timeout=10)
            assert way.finish().whole


def test_another_run_of_the_same_times_is_refused():
    """Two runs would be one; another time is not refused."""
    with ScriptedStore() as store:
        assert send(store, pieces=1).whole
        first_ms = int(piece(0).blocks[0].timestamps_ms[0])
        for span_ms, is_refused in (
            ((first_ms - 1000, first_ms), True),
            ((first_ms - 2000, first_ms - 1000), False),
        ):
            with Sender(store.address, QUICK, span_ms) as way:
                if is_refused:
                    with pytest.raises(JudgeError, match="holds 16 samples of the same series"):
                        way.take(piece(1))
                else:
                    way.take(piece(1))
                    assert way.finish().whole


# --- planted faults, each caught by what is asked at the end


def test_a_writer_that_forgets_a_batch_is_caught(monkeypatch):
    """Its samples are sent again; where nobody does that, the last count says what is missing."""
    whole = ParcelWriter.write
    left_out = []

    def forgetful(self, block, rows):
        if not left_out:
            left_out.append(rows)
            return
        whole(self, block, rows)

    monkeypatch.setattr(ParcelWriter, "write", forgetful)
    with ScriptedStore() as store:
        receipt = send(store)
        assert receipt.whole
        assert receipt.lost == 100 * len(left_out[0])
    left_out.clear()
    monkeypatch.setattr(Confirmation, "_are_whole", lambda *_: True)
    monkeypatch.setattr(Confirmation, "_is_whole", lambda *_: True)
    monkeypatch.setattr(Confirmation, "_compare", lambda *_: None)
    with ScriptedStore() as store:
        receipt = send(store)
    assert not receipt.whole
    assert receipt.missing == 100 * len(left_out[0])
    assert receipt.differences


def test_a_writer_that_sends_a_batch_again_with_another_time_is_caught(monkeypatch):
    """A millisecond later it is another sample: too many, and not those that were sent."""
    whole = ParcelWriter.write
    again = []

    def twice(self, block, rows):
        whole(self, block, rows)
        if not again:
            again.append(rows)
            whole(self, Block(block.timestamps_ms + 1, block.series, block.values), rows)

    monkeypatch.setattr(ParcelWriter, "write", twice)
    with ScriptedStore() as store:
        receipt = send(store)
    assert not receipt.whole
    assert receipt.doubled == 100 * len(again[0])
    assert receipt.missing == 0


def test_a_writer_that_moves_a_batch_is_caught_by_the_very_samples(monkeypatch):
    """As many samples, at other times: counts agree, and samples do not."""
    whole = ParcelWriter.write
    monkeypatch.setattr(
        ParcelWriter,
        "write",
        lambda self, block, rows: whole(
            self, Block(moved(block.timestamps_ms), block.series, block.values), rows
        ),
    )
    with ScriptedStore() as store:
        receipt = send(store, pieces=1)
    assert (receipt.missing, receipt.doubled, receipt.changed) == (0, 0, confirmation.COMPARED)
    assert not receipt.whole


def moved(times_ms):
    """Return times of which all but the first and the last are a millisecond later."""
    times_ms = times_ms.copy()
    times_ms[1:-1] += 1
    return times_ms


def test_a_store_that_changes_values_is_caught():
    """Of a few series in each slice the very samples are read."""

    def change(_, samples):
        return [(ms, bits ^ 1 << 40) for ms, bits in samples]

    with ScriptedStore(change=change) as store:
        receipt = send(store)
    assert receipt.changed
    assert not receipt.whole


def test_a_store_that_keeps_nothing_ends_the_run(monkeypatch):
    """It is not sent to for ever."""
    monkeypatch.setattr(confirmation, "TIMES_MAX", 2)
    with (
        ScriptedStore(script=deque(["lose"] * 999)) as store,
        pytest.raises(JudgeError, match="takes samples and does not keep them"),
    ):
        send(store, pieces=1)
