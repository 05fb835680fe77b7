"""A speed that changes: what is in progress goes on at the new one, and nothing outlives its fault.

Expectations are of times that a test can work out by hand: one task, one start, one message.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import SANDBOXES, SandboxPool, Topology
from simulator.world import World
from tests.simulator.kernel.laws import broken_laws, broken_ties
from tests.simulator.worlds import fault, make, small, station

SECOND = 10**9
FIXED = {"distribution": "deterministic", "dependency_share": 0.0}
ONE_SLOT = tuple(
    SandboxPool(name=name, slots=1, share=share)
    for name, share in zip(SANDBOXES, (1.0, 0.0, 0.0), strict=True)
)
"""Pools of which one takes every task, in its only slot."""


def one_task(*faults, server=1, **changes):
    """Return a station that gets one task of 10 ms, at 1 s."""
    topology = station(server, **{**FIXED, **changes})
    return World(topology, Plan(load=Load(trace_s=(1.0,)), faults=faults), 5)


def ended_s(world, until_s=60.0, step_s=0.001):
    """Return when the world's only task was completed, to the millisecond."""
    while not world._state.priority[:, k.COMPLETED].sum() and world.now_s < until_s:
        world.advance(world.now_s + step_s)
    world.snapshot()  # settles what is kept lazily, which the laws are about
    assert broken_ties(world) == []
    return world.now_s


def held_s(world):
    """Return how long the world's only completed task held its agent, exactly."""
    ended_s(world)
    return int(world._state.histogram_sum[k.TASK_DURATION]) / 1e9


def test_the_rest_of_a_task_is_scaled_when_a_slowdown_begins_and_ends():
    """4 ms of 10 ms are done, then 8 ms at a quarter of the speed do 2 more, then the last 4."""
    slow = fault("task_slowdown", factor=4.0, start_s=1.004, duration_s=0.008)
    assert held_s(one_task(slow)) == pytest.approx(0.016, abs=1e-8)
    assert held_s(one_task()) == pytest.approx(0.010, abs=1e-8)


def test_a_world_that_did_not_retime_would_be_found(monkeypatch):
    """Planted: nothing moves when a speed changes. The task then takes its 10 ms, or 40."""
    slow = fault("task_slowdown", factor=4.0, start_s=1.004, duration_s=0.008)
    world = one_task(slow)
    monkeypatch.setattr(k, "run", _without(k.run, k.RETIME))
    assert held_s(world) == pytest.approx(0.010, abs=1e-8)


def _without(run, skipped):
    """Return the kernel's entry without one of its commands."""
    return lambda w, x, command, which: k.DONE if command == skipped else run(w, x, command, which)


def test_a_task_that_waits_for_its_slot_works_at_the_speed_of_the_time_when_it_has_it():
    """Dispatched at a thousandth of the speed to a pool without a slot; then the faults end."""
    faults = (
        fault("task_slowdown", factor=1000.0, start_s=0.5, duration_s=1.0),
        fault("sandbox_crash", share=1.0, start_s=0.5, duration_s=2.0),
    )
    assert held_s(one_task(*faults, sandboxes=ONE_SLOT)) == pytest.approx(1.510, abs=1e-6)


def test_another_try_has_the_work_of_the_task_and_not_the_slowed_work_of_the_lost_one():
    """Begun at a thousandth of the speed, lost with its slot; the faults end before it goes on."""
    faults = (
        fault("task_slowdown", factor=1000.0, start_s=0.5, duration_s=1.0),
        fault("sandbox_crash", share=1.0, start_s=1.2, duration_s=0.8),
    )
    world = one_task(*faults, sandboxes=ONE_SLOT)
    assert ended_s(world) == pytest.approx(2.010, abs=2e-3)
    assert world.snapshot().tasks_retried.sum() == 1


def test_the_three_runs_of_a_triple_verified_task_are_scaled_and_the_merge_is_not():
    """Twice as slow throughout: both worlds draw the same factors, and merge for 5 ms."""
    pools = tuple(SandboxPool(name=name, slots=1, share=0.0) for name in SANDBOXES)
    triple = {"sandboxes": pools, "triple_share": 1.0, "merge_s": 0.005}
    slow = fault("task_slowdown", factor=2.0, start_s=1.0 + 1e-9, duration_s=5.0)
    alone_s, slow_s = held_s(one_task(**triple)), held_s(one_task(slow, **triple))
    assert slow_s - 0.005 == pytest.approx(2 * (alone_s - 0.005), abs=1e-7)
    within_merge = fault("task_slowdown", factor=50.0, start_s=alone_s + 0.999, duration_s=5.0)
    assert held_s(one_task(within_merge, **triple)) == pytest.approx(alone_s, abs=1e-8)


def test_a_pending_call_of_the_dependency_returns_when_the_outage_ends():
    """A call waits 10 s; after one of them the outage ends, and the rest of the wait with it."""
    outage = fault("dependency_outage", share=1e-9, latency_s=10.0, start_s=0.5, duration_s=1.5)
    world = one_task(outage, dependency_share=1.0)
    assert held_s(world) == pytest.approx(1.010, abs=1e-6)


def test_an_agent_that_starts_comes_up_at_the_speed_of_the_time():
    """A start a million times as long is not under way for days when its cause is over."""
    slow = fault("slow_start", factor=1e6, start_s=0.5, duration_s=2.0)
    crash = fault("agent_crash", rate_per_s=400.0, start_s=0.6, duration_s=1.0)
    world = make(slow, crash)
    world.advance(2.4)
    assert (world._state.agent[:, k.STATE] == k.STARTING).sum() > 10
    world.advance(4.0)
    assert (world._state.agent[:, k.STATE] == k.STARTING).sum() == 0


def test_an_inbox_is_handled_at_the_speed_of_the_time():
    """Messages that a million times slower inboxes kept are gone a second after the fault."""
    world = make(fault("slow_consumer", factor=1e6, start_s=0.5, duration_s=2.0))
    world.advance(2.4)
    assert world.snapshot().messages_waiting > 150
    world.advance(4.0)
    snapshot = world.snapshot()
    assert snapshot.messages_waiting < 60
    assert broken_laws(snapshot, world.topology) == []


def test_a_task_begins_when_its_own_message_is_handled_also_at_another_speed():
    """An inbox with messages before the task's: each is handled in turn, at the new speed."""
    world = make(fault("slow_consumer", factor=100.0, start_s=0.5, duration_s=2.0))
    world.advance(2.5 - 1e-9)
    agent, inbox = world._state.agent, world._state.inbox
    working = agent[:, k.STATE] == k.WORKING
    before = (agent[:, k.READY_AT] - agent[:, k.CALL_NS] - inbox[:, k.FREE_AT]) / 100_000_000
    waits = working & (agent[:, k.READY_AT] > world.now_ns)
    assert waits.sum() > 5
    world.advance(2.5)
    after = (agent[:, k.READY_AT] - agent[:, k.CALL_NS] - inbox[:, k.FREE_AT]) / 1_000_000
    assert np.allclose(after[waits], before[waits])


def test_cpu_that_a_neighbour_takes_slows_what_is_at_work_and_gives_it_back():
    """A core is asked for 1.5 times over for a second: of 10 ms work, 1 s does two thirds."""
    settings = {
        "hosts": 1, "cpus_per_host": 1, "cpu_per_busy_agent": 1.0, "cpu_background_share": 0.0,
        "cpu_per_message_s": 0.0,
    }  # fmt: skip
    work = station(1, **FIXED).classes
    slow_work = tuple(
        type(entry)(name=entry.name, share=entry.share, mean_service_s=2.0,
                    distribution="deterministic")
        for entry in work
    )  # fmt: skip
    stolen = fault("cpu_contention", share=0.5, start_s=1.5, duration_s=0.9)
    world = one_task(stolen, classes=slow_work, **settings)
    # Contention is looked at ten times a second: at 1.5 s, and again when it is over, at 2.4 s.
    assert held_s(world) == pytest.approx(2.0 + 0.9 * (1 - 1 / 1.5), abs=0.001)
    assert held_s(one_task(classes=slow_work, **settings)) == pytest.approx(2.0, abs=1e-6)


def test_a_second_after_a_slowdown_of_a_million_the_fleet_works_as_before():
    """The built-in fleet: 928 agents were held for half an hour once."""
    slow = fault("task_slowdown", factor=1e6, start_s=1.0, duration_s=2.0)
    world = World(Topology(), Plan(faults=(slow,)), 3)
    world.advance(3.0)
    assert int(world._state.head[k.QUEUED]) > 0
    world.advance(25.0)
    busy = (world._state.agent[:, k.STATE] == k.WORKING).sum()
    assert busy < 0.9 * world.topology.fleet
    now_ns = world.now_ns
    assert (world._state.agent[:, k.DISPATCHED_AT][world._state.agent[:, k.STATE] == k.WORKING]
            > now_ns - 20 * SECOND).all()  # fmt: skip
    assert broken_laws(world.snapshot(), world.topology) == []


def slots_for_tasks_without_work():
    """Return a world in which tasks wait for slots that are down, and then take no time."""
    pools = tuple(SandboxPool(name=name, slots=2, share=0.33) for name in SANDBOXES)
    topology = small(sandboxes=pools, triple_share=0.0, first_result_share=0.0)
    crash = fault("sandbox_crash", share=1.0, start_s=0.5, duration_s=100.0)
    world = World(topology, Plan(load=Load(rate=400.0), faults=(crash,)), 3)
    world.advance(2.0)
    assert broken_ties(world) == []
    return world


def test_what_a_live_end_makes_due_at_once_happens_at_once():
    """Slots come back to tasks whose first result takes no time: it is due now, and comes now."""
    world = slots_for_tasks_without_work()
    world.end("sandbox_crash")
    assert broken_ties(world) == []


def test_what_was_left_due_now_is_detected(monkeypatch):
    """Planted: `end` changes the parameters and leaves the rest to the next advance."""
    world = slots_for_tasks_without_work()
    monkeypatch.setattr(World, "_refresh_now", World._refresh)
    world.end("sandbox_crash")
    assert broken_ties(world) == ["nothing is due in the past"]


def test_the_rest_of_a_task_in_one_sandbox_is_scaled_as_that_of_any_other():
    """Also when its first result is back: only the merge of three runs takes its time anyhow."""
    slow = fault("task_slowdown", factor=4.0, start_s=1.004, duration_s=0.008)
    for first_result_share in (0.0, 0.2, 0.9):
        world = one_task(slow, sandboxes=ONE_SLOT, first_result_share=first_result_share)
        assert held_s(world) == pytest.approx(0.016, abs=1e-6), first_result_share


@pytest.mark.parametrize(("more_s", "ends_s"), [(0.0, 2.0), (2.0, 3.0), (6.0, 5.0)])
def test_of_a_call_only_what_is_left_takes_the_new_latency(more_s, ends_s):
    """Of 2 s one has passed when the latency grows; the second one takes as many times as long."""
    outages = (
        fault("dependency_outage", name=name, share=1e-6, latency_s=latency_s, start_s=start_s)
        for name, latency_s, start_s in (("first", 2.0, 0.5), ("further", more_s, 2.0))
    )
    world = one_task(*outages, dependency_share=1.0)
    assert held_s(world) == pytest.approx(ends_s + 0.010, abs=1e-6)
