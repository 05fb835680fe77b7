"""Messages are lost, flood inboxes and wait in them, as declared."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from simulator.faults.kinds.bus import _mean_waiting
from simulator.kernel import loop as k
from simulator.kernel.state import messages_waiting
from simulator.topology import Tier
from tests.simulator.faults.samples import (
    assert_near,
    between,
    effect,
)
from tests.simulator.worlds import fault, make

WORKERS = slice(4, 40)


def test_bus_partition_loses_what_crosses_it_and_nothing_else():
    """Leads on one side: all messages between the sides are dropped, those within arrive."""
    world = make(fault("bus_partition", loss=1.0, tiers=("lead",)))
    before, after = between(world, 1.0, 11.0)
    dropped = after.messages_dropped - before.messages_dropped
    sent = after.messages_sent - before.messages_sent
    assert before.messages_dropped == 0
    assert effect(after, "bus_partition") == dropped
    # One of ten is a dispatch. Workers send 30 % upward, the rest to one of 39, 4 of them leads.
    expected = 0.9 * 0.95 * (307 / 1024 + 717 / 1024 * 4 / 39) + 0.9 * 0.05 * 717 / 1024 * 36 / 39
    assert_near(dropped / sent, expected, 3 * sqrt(expected / sent))
    to_leads = after.messages_delivered[0] - before.messages_delivered[0]
    assert to_leads < 0.05 * sent


def test_bus_partitions_that_overlap_each_take_their_part():
    """Half of what crosses one is lost, three quarters of what crosses both."""
    lost = []
    for losses in ((1.0,), (0.5,), (0.5, 0.5)):
        faults = [
            fault("bus_partition", name=f"cut {number}", loss=loss, tiers=("lead",))
            for number, loss in enumerate(losses)
        ]
        lost.append(between(make(*faults), 1.0, 21.0)[1].messages_dropped)
    for count, share in zip(lost[1:], (0.5, 0.75), strict=True):
        assert_near(count / lost[0], share, sqrt(share * (1 - share) / lost[0]) + 0.005)


def test_bus_partition_with_a_small_loss_is_not_hidden_by_a_large_one_elsewhere():
    """A full cut around one worker leaves the tenth that is lost around the leads a tenth."""
    leads = fault("bus_partition", name="leads", loss=0.1, tiers=("lead",))
    worker = fault("bus_partition", name="one", loss=1.0, tiers=("worker",), fraction=1 / 36)
    few, both, cut = (
        between(make(*faults), 1.0, 21.0)[1].messages_dropped
        for faults in ((leads,), (leads, worker), (worker,))
    )
    assert few < both < few + cut
    assert both == pytest.approx(few + cut, rel=0.05)


def test_message_flood_reaches_its_targets_as_a_poisson_stream():
    """5000 a second more for the workers, evenly, and none for the leads."""
    flood = fault("message_flood", rate_per_s=5000.0, tiers=("worker",))
    before, after = between(make(flood, rate=0.0), 1.0, 11.0)
    sent = after.messages_sent - before.messages_sent
    assert_near(sent, 50_000, sqrt(50_000))
    assert effect(after, "message_flood") == sent
    assert after.messages_delivered[0] == 0
    assert after.messages_dropped == 0
    assert after.network_sent_bytes[0] / sent == pytest.approx(256 + 1023.5, rel=0.02)


def test_message_flood_spreads_evenly_over_its_targets():
    """Each of 36 workers gets its 36th: chi-square of what they handled."""
    world = make(fault("message_flood", rate_per_s=9000.0, tiers=("worker",)), rate=0.0)
    world.advance(21.0)
    world.snapshot()
    waiting = messages_waiting(world._state)
    handled = (world._state.inbox[:, k.TAKEN] - waiting)[WORKERS]
    chi_square = ((handled - handled.mean()) ** 2 / handled.mean()).sum()
    assert abs(chi_square - 35) < 4 * sqrt(70)


def test_message_floods_of_two_rates_keep_their_proportion():
    """Leads get 1000 a second, workers 3000."""
    floods = (
        fault("message_flood", name="to leads", rate_per_s=1000.0, tiers=("lead",)),
        fault("message_flood", name="to workers", rate_per_s=3000.0, tiers=("worker",)),
    )
    _, after = between(make(*floods, rate=0.0), 1.0, 21.0)
    handled = after.messages_delivered
    assert_near(handled[0] / handled.sum(), 0.25, sqrt(0.25 * 0.75 / handled.sum()))


@pytest.mark.parametrize("times", [4.0, 0.25])
def test_message_flood_that_changes_its_rate_stretches_the_gap_that_is_left(times):
    """Four times as fast, a quarter of the wait: a Poisson process whose time runs otherwise."""
    flood = fault("message_flood", rate_per_s=1000.0, tiers=("lead",))
    world = make(flood, rate=0.0)
    world.advance(1.00037)
    left_ns = world._state.head[k.NEXT_FLOOD] - world.now_ns
    assert left_ns > 0
    world.change(replace(flood, parameters=replace(flood.parameters, rate_per_s=1000.0 * times)))
    assert world._state.head[k.NEXT_FLOOD] - world.now_ns == pytest.approx(left_ns / times, abs=2)


@pytest.mark.parametrize(("utilisation", "waiting"), [(0.5, 0.75), (0.8, 2.4)])
def test_inboxes_hold_as_many_messages_as_the_formula_says(utilisation, waiting):
    """Measured on four inboxes, beside Pollaczek and Khinchine's mean of M/D/1."""
    assert _mean_waiting(np.array([utilisation])) == pytest.approx(waiting)
    rate = 4 * 1000.0 * utilisation
    world = make(fault("message_flood", rate_per_s=rate, tiers=("lead",)), rate=0.0)
    counts = []
    for step in range(1500):
        world.advance(1.0 + 0.02 * step)
        world.snapshot()
        counts.append(messages_waiting(world._state)[:4].mean())
    assert np.mean(counts) == pytest.approx(waiting, rel=0.1)


def test_message_flood_beyond_what_inboxes_hold_is_dropped():
    """4 leads handle 1000 a second each; of 8000 a second half is lost once inboxes are full."""
    world = make(fault("message_flood", rate_per_s=8000.0, tiers=("lead",)), rate=0.0)
    before, after = between(world, 5.0, 15.0)
    assert after.messages_waiting >= 4 * 250
    assert_near(after.messages_dropped - before.messages_dropped, 40_000, sqrt(80_000))


def test_slow_consumer_overflows_the_inboxes_of_its_targets():
    """Leads that handle 20 a second get 300 each: full inboxes, and all the rest dropped."""
    world = make(fault("slow_consumer", factor=50.0, tiers=("lead",)), inbox_limit=100)
    before, after = between(world, 1.0, 21.0)
    assert before.messages_dropped == 0
    waiting = messages_waiting(world._state)
    assert (waiting[:4] >= 95).all()
    assert waiting[WORKERS].max() < 20
    assert 90 <= effect(after, "slow_consumer") <= 100
    assert 90 <= after.faults[0].expected <= 100
    handled = after.messages_delivered[0] - before.messages_delivered[0]
    assert abs(handled - 4 * 20 * 20) <= 4 * 5
    assert after.messages_dropped > 10 * handled


def test_slow_consumer_slows_the_agents_that_wait_for_its_messages():
    """Workers get their tasks as messages: at 20 a second each, the fleet does as much as that."""
    world, calm = make(fault("slow_consumer", factor=50.0, tiers=("worker",))), make()
    before, after = between(world, 1.0, 21.0)
    handled = after.messages_delivered[1] - before.messages_delivered[1]
    assert 0.97 * 36 * 20 * 20 <= handled <= 36 * 20 * 20 + 36
    _, calm_after = between(calm, 1.0, 21.0)
    assert after.tasks_processed.sum() < 0.4 * calm_after.tasks_processed.sum()
    assert after.queue_depth.sum() > 4000


def test_a_restart_begins_a_new_backlog_in_an_inbox_and_in_what_is_expected_of_it():
    """Leads fall behind from 1 s on; each that dies, and is back before it is read, begins anew."""
    slow = fault("slow_consumer", factor=50.0, tiers=("lead",))
    crash = fault("agent_crash", rate_per_s=1.0, tiers=("lead",), start_s=10.0)
    world = make(slow, crash, inbox_limit=20_000, restart_backoff_s=0.1)
    world.advance(20.0)
    world.snapshot()
    started_s = world._state.agent[:4, k.STARTED_AT] / 1e9
    assert (started_s > 10.0).all()
    account = world._ledger.in_effect["slow_consumer"].account
    expected = account.expected_buildup[:4] / (20.0 - started_s)
    waiting = messages_waiting(world._state)[:4] / (20.0 - started_s)
    assert expected == pytest.approx(waiting, rel=0.3)


def test_a_consumer_as_quick_as_ever_has_the_inboxes_that_are_expected_without_the_fault():
    """Half busy with a flood: the mean of M/D/1, measured, expected and the base alike."""
    even = fault("slow_consumer", factor=1.0, tiers=("lead",))
    flood = fault("message_flood", rate_per_s=2000.0, tiers=("lead",), start_s=0.0)
    world = make(even, flood, rate=0.0)
    world.advance(61.0)
    effect = next(each for each in world.effects() if each.fault == "slow_consumer")
    assert effect.base == pytest.approx(0.75, rel=0.02)
    assert effect.expected == pytest.approx(effect.base, rel=0.02)
    assert effect.measured == pytest.approx(effect.base, rel=0.3)
    full = make(even, fault("message_flood", rate_per_s=1e4, tiers=("lead",), start_s=0.0),
                rate=0.0, inbox_limit=20)  # fmt: skip
    full.advance(11.0)
    effect = next(each for each in full.effects() if each.fault == "slow_consumer")
    assert effect.base == 20.0


def test_the_first_message_of_a_flood_comes_after_the_mean_gap():
    """One in a hundred seconds: after a hundred, not at once."""
    world = make(fault("message_flood", rate_per_s=0.01))
    world.advance(1.0)
    assert world._state.head[k.NEXT_FLOOD] == pytest.approx(101 * 10**9, abs=2)


def test_a_flood_reaches_every_agent_of_a_large_fleet():
    """More of them than the table of its targets has at least."""
    tiers = (
        Tier(name="lead", agents=4, takes=("coordination",)),
        Tier(name="worker", agents=5000, takes=("work",)),
    )
    world = make(fault("message_flood", rate_per_s=10.0), tiers=tiers)
    world.advance(1.0)
    count = world._state.head[k.FLOOD_TARGETS]
    assert np.unique(world._state.flood_targets[:count]).tolist() == list(range(5004))


def test_floods_share_the_table_in_proportion_and_each_has_its_place_and_reaches_far():
    """The hundredth part of a flood: 36 workers in 20 rows or so; a millionth: one row at least."""
    large = fault("message_flood", name="large", rate_per_s=1e5, tiers=("lead",))
    for rate_per_s, rows in ((500.0, 20), (0.1, 1)):
        little = fault("message_flood", name="little", rate_per_s=rate_per_s, tiers=("worker",))
        world = make(little, large)
        world.advance(1.0)
        table = world._state.flood_targets[: world._state.head[k.FLOOD_TARGETS]]
        workers = table[table >= 4]
        assert len(workers) == len(set(workers.tolist())) == rows
        assert rows == 1 or workers.max() >= 37
