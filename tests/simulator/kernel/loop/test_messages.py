"""The bus, the flood and the accounts of durations, step by step: who receives what, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.kernel.state import durations_ns
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import small

UPWARD = 307
"""Of 1024 parts, what 30 % come to."""


@pytest.fixture
def bench():
    """Return 4 leads and 36 workers, all running; agents 4 and 20 report to the leads 0 and 1."""
    return Bench(small())


def message(place, *, running=40, up=1023, loss=1023, extra=0):
    """Return a draw whose parts are these: the peer's place, direction, loss, random bytes."""
    high = -(-(place << k.DRAW_BITS) // running)
    return high << k.HIGH_SHIFT | loss << k.LOSS_SHIFT | up << k.UPWARD_SHIFT | extra


def receivers(bench, sender, *draws):
    """Send a message for each draw and return who took how many."""
    head = bench.s.head
    bench.s.bits[head[k.BIT_CURSOR] :][: len(draws)] = draws
    before = bench.s.inbox[:, k.TAKEN].copy()
    bench.send(sender, 0, len(draws))
    taken = bench.s.inbox[:, k.TAKEN] - before
    return {int(agent): int(taken[agent]) for agent in np.flatnonzero(taken)}


@pytest.mark.parametrize(("sender", "parent"), [(4, 0), (20, 1), (39, 3), (0, 1), (3, 0)])
def test_a_share_of_the_messages_goes_to_the_parent_whatever_its_place(bench, sender, parent):
    """307 of 1024; the lead in the first place of the directory is a parent as any other."""
    draws = [message(30, up=up) for up in (0, UPWARD - 1, UPWARD, 1023)]
    assert receivers(bench, sender, *draws) == {parent: 2, 30: 2}


def test_without_a_running_parent_all_messages_go_to_peers(bench):
    """The last of the directory stands in the place of the one that left it."""
    bench.leave_directory(0)
    draws = [message(place, running=39, up=0) for place in (0, 5, 38)]
    assert receivers(bench, 4, *draws) == {39: 1, 5: 1, 38: 1}


def test_a_message_to_oneself_goes_to_the_next_of_those_that_run(bench):
    """After the last of the directory comes the first, also when not all agents run."""
    assert receivers(bench, 20, message(20)) == {21: 1}
    assert receivers(bench, 39, message(39)) == {0: 1}
    bench.leave_directory(3)
    assert receivers(bench, 38, message(38, running=39)) == {0: 1}


def test_bytes_are_sent_with_every_message_and_received_with_those_that_fit(bench):
    """256 and the random part; an inbox of one message drops the second."""
    head = bench.s.head
    head[k.INBOX_LIMIT] = 1
    assert receivers(bench, 20, message(7, extra=100), message(7, extra=20), message(9)) == {
        7: 1, 9: 1,
    }  # fmt: skip
    assert head[[k.SENT, k.DROPPED, k.PARTITIONED, k.BIT_CURSOR]].tolist() == [3, 1, 0, 3]
    assert head[[k.SENT_MESSAGE_BYTES, k.RECEIVED_MESSAGE_BYTES]].tolist() == [888, 612]


@pytest.mark.parametrize(
    ("sender", "receiver", "kept"),
    [(20, 10, 512), (10, 20, 512), (20, 11, 768), (20, 12, 384), (10, 12, 768), (20, 21, 1024)],
)
def test_a_message_must_survive_every_partition_that_it_crosses(bench, sender, receiver, kept):
    """Two of them, which lose a half and a quarter: the shares that survive are multiplied."""
    head = bench.s.head
    head[k.PARTITION] = 2
    bench.s.partition_loss[:2] = 512, 256
    bench.s.agent[[10, 11, 12], k.SIDE] = 1, 2, 3
    for loss in {kept - 1, min(kept, 1023)}:
        assert bench.lost_between(sender, receiver, message(0, loss=loss)) == (loss >= kept)
    draws = [message(receiver, loss=loss, extra=8) for loss in (0, kept - 1, 1023)]
    lost = int(kept < 1024)
    assert receivers(bench, sender, *draws) == {receiver: 3 - lost}
    assert head[[k.SENT, k.DROPPED, k.PARTITIONED]].tolist() == [3, lost, lost]
    received = [3 * 264, (3 - lost) * 264]
    assert head[[k.SENT_MESSAGE_BYTES, k.RECEIVED_MESSAGE_BYTES]].tolist() == received


def test_one_partition_loses_messages_as_well(bench):
    """With no other beside it; those on one side of it lose none."""
    bench.s.head[k.PARTITION] = 1
    bench.s.partition_loss[0] = k.SHARE_PARTS
    bench.s.agent[[10, 11], k.SIDE] = 1
    assert receivers(bench, 20, message(10, loss=0), message(12, loss=0)) == {12: 1}
    assert receivers(bench, 10, message(11), message(12)) == {11: 1}


def test_a_dispatch_waits_no_longer_than_an_inbox_can_hold(bench):
    """However full it is; one that is nearly so takes its message after the last."""
    inbox = bench.s.inbox[20]
    inbox[[k.FREE_AT, k.INBOX_NS]] = 7 + k.INBOX_MAX * 10 - 10, 10
    for _ in range(2):
        assert bench.accept(20, 7) == inbox[k.FREE_AT] == 7 + k.INBOX_MAX * 10


def test_a_flood_reaches_running_targets_with_room(bench):
    """To the first agent, to one that does not run, to a full inbox, to one with room."""
    s, head = bench.s, bench.s.head
    s.flood_targets[:4] = 0, 5, 6, 7
    head[[k.FLOOD_TARGETS, k.INBOX_LIMIT]] = 4, 1
    bench.leave_directory(5)
    s.inbox[6, k.FREE_AT] = 10
    s.flood_bits[:4] = [message(place, running=4, extra=place) for place in range(4)]
    s.flood_gaps[:4] = 0.5, 2.0, 1e30, 3.0
    s.real_head[k.FLOOD_RATE] = 0.001
    next_at = []
    for _ in range(4):
        bench.flood(5)
        next_at.append(int(head[k.NEXT_FLOOD]))
    assert next_at == [505, 2005, 5 + int(k.WAIT_MAX_NS), 3005]
    assert s.inbox[[0, 5, 6, 7], k.TAKEN].tolist() == [1, 0, 0, 1]
    counters = [k.FLOODED, k.SENT, k.DROPPED, k.FLOOD_CURSOR]
    assert head[counters].tolist() == [4, 4, 2, 4]
    assert head[[k.SENT_MESSAGE_BYTES, k.RECEIVED_MESSAGE_BYTES]].tolist() == [1030, 515]


def test_every_duration_is_counted_in_the_first_cell_whose_bound_is_not_below_it(bench):
    """At each bound exactly, and a nanosecond beyond; and the zero."""
    bounds = bench.s.w[k.BOUNDS : k.BOUND_OF].tolist()
    expected = [0] * k.BOUND_CELLS
    bench.observe(k.TASK_DURATION, 0)
    expected[0] += 1
    for cell, bound in enumerate(bounds[:-1]):
        for duration, place in ((bound, cell), (bound + 1, cell + 1)):
            bench.observe(k.TASK_DURATION, duration)
            expected[place] += 1
    assert bench.s.histogram[k.TASK_DURATION].tolist() == expected
    assert bench.s.histogram.sum() == sum(expected) == bench.s.recent_count[k.TASK_DURATION]


def test_the_sum_of_durations_is_carried_and_the_ring_of_the_last_goes_round(bench):
    """To the nanosecond, in each row its own."""
    s, row = bench.s, k.STARTUP_DURATION
    s.histogram_sum[row] = k.CARRY_NS - 5
    s.recent_count[row] = k.RECENT - 1
    for duration in (7, 9):
        bench.observe(row, duration)
    assert (s.histogram_sum[row], s.histogram_carried[row]) == (11, 1)
    assert durations_ns(s, row) == k.CARRY_NS + 11
    assert s.recent[row, [-1, 0, 1]].tolist() == [7, 9, 0]
    assert s.recent_count.tolist() == [0, 0, 0, k.RECENT + 1]


def test_an_answer_is_one_status_two_durations_and_the_bytes_of_a_response(bench):
    """The orchestrator's own duration leaves out half a millisecond of the gateway."""
    s = bench.s
    for status, duration in ((k.TIMEOUT, 10**7), (k.OK, 5 * 10**5)):
        bench.answer(status, duration)
    assert s.http.tolist() == [1, 0, 0, 0, 1]
    assert s.histogram_sum.tolist() == [10_500_000, 9_500_000, 0, 0]
    assert s.histogram.sum(axis=1).tolist() == [2, 2, 0, 0]
    assert s.head[[k.SENT_REQUEST_BYTES, k.RECEIVED_REQUEST_BYTES]].tolist() == [2 * 8192, 0]
