"""How work and messages spread over agents, against small systems that a reader can work out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.faults.declared_effect import ActiveFault, DeclaredEffect
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.targets import FaultTargets
from simulator.faults.workload import (
    _pause_s,
    agents_by_tier,
    crossing_share,
    mean_task_s,
    messages_per_s,
    running,
)
from simulator.kernel import loop as k
from simulator.topology import TaskClass
from tests.simulator.worlds import make

LEADS, WORKERS = np.arange(4), np.arange(4, 40)


def plain(**changes):
    """Return a world in which nothing but work takes time: 100 ms a task, no inbox, no merge."""
    classes = tuple(
        TaskClass(name=name, share=share, mean_service_s=0.1, distribution="deterministic")
        for name, share in (("work", 0.9), ("coordination", 0.1))
    )
    settings = {"classes": classes, "inbox_service_s": 1e-9, "triple_share": 0.0,
                "dependency_share": 0.0, "message_upward_share": 0.0}  # fmt: skip
    return make(**{**settings, **changes})


def mean_of(world, tasks_per_s, *faults):
    """Return the mean time of a task while `faults` are in effect."""
    declared = DeclaredEffect(world.topology, [ActiveFault(f, t, 0, 0, 0) for f, t in faults])
    mean_s, _ = mean_task_s(world.topology, world._state, declared, np.array(tasks_per_s))
    return mean_s


def targets(agents):
    """Return targets of these agents."""
    return FaultTargets(agents, (0, 1, 2, 3), (0, 1, 2))


def test_who_runs_is_counted_by_tier():
    """4 leads and 36 workers; one that left the directory is not counted."""
    world = plain()
    assert agents_by_tier(world._state, world.topology).tolist() == [4, 36]
    world._state.agent[5, k.PLACE] = -1
    assert agents_by_tier(world._state, world.topology).tolist() == [4, 35]
    assert running(world._state).sum() == 39


def test_a_task_takes_its_service_time():
    """100 ms, and 50 on a tier that is twice as fast."""
    assert mean_of(plain(), [1.0, 9.0]) == pytest.approx(0.1, rel=1e-6)


def test_slower_agents_take_fewer_tasks():
    """Half of 36 workers ten times as slow: at a high rate as many tasks as they can hold.

    All rest equally long, p: 18 / (0.1 + p) + 18 / (1 + p) = 100 a second.
    """
    world = plain()
    slow = (FAULTS["task_slowdown"](factor=10.0), targets(WORKERS[:18]))
    pause_s = _pause_s(np.array([0.1, 1.0]), np.array([18, 18]), 100.0)
    assert 18 / (0.1 + pause_s) + 18 / (1 + pause_s) == pytest.approx(100.0)
    fast, slower = 18 / (0.1 + pause_s), 18 / (1 + pause_s)
    expected = (fast * 0.1 + slower * 1.0) / (fast + slower)
    assert mean_of(world, [0.0, 100.0], slow) == pytest.approx(expected, rel=1e-6)


def test_a_group_with_more_to_do_than_it_can_do_never_rests():
    """The pause is 0, not below."""
    assert _pause_s(np.array([0.1]), np.array([4]), 1000.0) == 0.0


@pytest.mark.parametrize("slowest_s", [0.01, 0.1, 1.0, 40.0])
@pytest.mark.parametrize("tasks_per_s", [1.0, 30.0, 300.0])
def test_agents_of_any_speeds_take_what_comes(slowest_s, tasks_per_s):
    """However far the slowest is from the others: begun beyond the pause, the search would stay."""
    held_s, agents = np.array([0.01, 0.02, slowest_s]), np.array([50, 3, 400])
    pause_s = _pause_s(held_s, agents, tasks_per_s)
    assert (agents / (held_s + pause_s)).sum() == pytest.approx(tasks_per_s, rel=2e-9)


def test_failures_end_at_the_first_result_and_calls_wait():
    """A fifth of the work is done by then; a tenth of the tasks waits two seconds more."""
    failing = (FAULTS["task_failure"](share=1.0), targets(np.arange(40)))
    assert mean_of(plain(), [1.0, 9.0], failing) == pytest.approx(0.02, rel=1e-6)
    waiting = (FAULTS["dependency_outage"](share=1e-9, latency_s=2.0), targets(np.arange(40)))
    calling = plain(dependency_share=0.1)
    assert mean_of(calling, [1.0, 9.0], waiting) == pytest.approx(0.1 + 0.2, rel=1e-6)


def test_the_spread_of_a_task_is_twice_its_square_and_that_of_a_call_its_latency():
    """0.1 s of work; and two seconds more for a tenth of the tasks."""
    world = plain(dependency_share=0.1)
    waiting = ActiveFault(
        FAULTS["dependency_outage"](share=1e-9, latency_s=2.0), targets(np.arange(40)), 0, 0, 0
    )
    for faults, square in (((), 2 * 0.1**2), ((waiting,), 2 * 0.3**2 + 0.1 * 2.0**2)):
        declared = DeclaredEffect(world.topology, faults)
        of_tasks = mean_task_s(world.topology, world._state, declared, np.array([1.0, 9.0]))
        assert of_tasks[1] == pytest.approx(square, rel=1e-6)


def test_a_merge_is_paid_by_triple_verified_tasks_alone():
    """Half of the tasks take the longest of three runs and a second more."""
    world = plain(triple_share=0.5, merge_s=1.0)
    assert mean_of(world, [1.0, 9.0]) == pytest.approx(0.05 + 0.05 * 1.219 + 0.5, rel=1e-6)


def test_an_agent_that_does_not_run_gets_nothing():
    """No message of a peer, no task, and nothing of a flood."""
    world = plain()
    world._state.agent[5, k.PLACE] = -1
    rates = messages_per_s(interval_of(world, [0, 350], 3900, 10.0, flood=5.0))
    assert rates[5] == 0.0
    assert rates[6] == pytest.approx(3900 / 39 / 10 + 1.0 + 5.0)


def test_messages_to_a_parent_that_does_not_run_go_to_peers():
    """As the kernel sends them; a share of the hierarchy is kept in 1024ths."""
    world = plain(message_upward_share=0.3)
    world._state.agent[LEADS, k.PLACE] = -1
    rates = messages_per_s(interval_of(world, [0, 0], 3600, 10.0))
    assert rates.tolist() == [0.0] * 40
    rates = messages_per_s(interval_of(world, [0, 360], 3600, 10.0))
    assert rates[WORKERS] == pytest.approx(np.full(36, 10.0 + 1.0))
    world = plain(message_upward_share=0.3)
    rates = messages_per_s(interval_of(world, [0, 360], 3600, 10.0))
    assert rates[WORKERS] == pytest.approx(np.full(36, 360 * (717 / 1024) / 40 + 1.0))


def test_hung_agents_take_no_tasks():
    """All slow workers hang: what is left is as fast as ever."""
    world = plain()
    world._state.agent[WORKERS[:18], k.STATE] = k.HANGING
    slow = (FAULTS["task_slowdown"](factor=10.0), targets(WORKERS[:18]))
    assert mean_of(world, [0.0, 100.0], slow) == pytest.approx(0.1, rel=1e-6)


def test_messages_cross_a_partition_in_proportion_to_who_runs():
    """All from workers to peers: from inside 9 to 31 others, from outside 27 to the 9 inside."""
    world = plain()
    inside, dispatched = WORKERS[:9], np.array([0, 360])
    expected = (9 * 31 + 27 * 9) / 36 / 39
    share = crossing_share(world.topology, world._state, dispatched, inside)
    assert share == pytest.approx(expected)


def test_messages_up_the_hierarchy_cross_where_the_parent_is_apart():
    """All go to the parent, a lead: none of them stays with the workers."""
    world = plain(message_upward_share=1.0)
    dispatched = np.array([0, 360])
    assert crossing_share(world.topology, world._state, dispatched, LEADS) == pytest.approx(1.0)
    assert crossing_share(world.topology, world._state, dispatched, np.arange(40)) == 0.0


def interval_of(world, dispatched, sent, seconds, flood=0.0):
    """Return what `messages_per_s` reads of an interval."""
    declared = SimpleNamespace(flood_of_agents_per_s=np.full(40, flood))
    return SimpleNamespace(
        topology=world.topology, state=world._state, seconds=seconds, declared=declared,
        dispatched=np.array(dispatched), messages_between_agents=sent,
    )  # fmt: skip


def test_messages_come_from_agents_tasks_and_floods():
    """3900 in ten seconds to 40 peers, each worker's own tasks, and five a second of a flood."""
    world = plain()
    rates = messages_per_s(interval_of(world, [0, 360], 4000, 10.0, flood=5.0))
    assert rates[WORKERS] == pytest.approx(np.full(36, 4000 / 40 / 10 + 1.0 + 5.0))
    assert rates[LEADS] == pytest.approx(np.full(4, 4000 / 40 / 10 + 5.0))


def test_in_no_time_no_messages_come():
    """An interval of no length divides by nothing."""
    assert messages_per_s(interval_of(plain(), [0, 0], 0, 0.0)).tolist() == [0.0] * 40


def test_a_busy_world_agrees_with_what_is_expected_of_it():
    """Messages and times of the kernel's own counters, within 5 %: no arithmetic is shared."""
    world = make(seed=5)
    world.advance(2.0)
    s, t = world._state, world.topology
    before = world.snapshot()
    world.advance(12.0)
    after = world.snapshot()
    dispatched = after.dispatched - before.dispatched
    sent = after.messages_sent - before.messages_sent - int(dispatched.sum())
    rates = messages_per_s(interval_of(world, dispatched, sent, 10.0))
    delivered = (after.messages_delivered - before.messages_delivered) / 10.0
    by_tier = np.bincount(s.agent[:, k.TIER], weights=rates)
    assert by_tier == pytest.approx(delivered, rel=0.05)
    base = DeclaredEffect(t, ())
    mean_s, _ = mean_task_s(t, s, base, dispatched / 10.0)
    durations = after.task_duration.sum_ns - before.task_duration.sum_ns
    count = (after.task_duration.counts - before.task_duration.counts).sum()
    assert durations / count / 1e9 == pytest.approx(mean_s, rel=0.05)
