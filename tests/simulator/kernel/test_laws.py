"""The laws of the world, exact in integers at every snapshot: random scenarios, a huge fleet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import SANDBOXES, SandboxPool, Topology
from simulator.world import World
from tests.simulator.kernel.laws import broken_laws, broken_ties, decreased_counters
from tests.simulator.random_worlds import OF_ONE_WORLD, random_scenario
from tests.simulator.worlds import fault, make, station

SCENARIOS = 200


def check(world, before, seed):
    """Take a snapshot, check every law on it and the one `before`, and return it."""
    after = world.snapshot()
    failures = broken_laws(after, world.topology) + broken_ties(world)
    if before is not None:
        failures += [f"{name} never falls" for name in decreased_counters(before, after)]
    assert not failures, (
        f"seed {seed}, t = {world.now_s:.9f} s, broken: {'; '.join(failures)}\n"
        f"replay: pytest tests/simulator/kernel/test_laws.py -k '[{seed}]'\n{world.plan}"
    )
    return after


@pytest.mark.sampled(40)
@pytest.mark.parametrize(
    "seed", [pytest.param(s, marks=[pytest.mark.long] * (s % 2)) for s in range(SCENARIOS)]
)
def test_every_law_holds_at_every_snapshot(seed):
    """Under any faults, in any small system, nothing appears from nowhere or disappears."""
    topology, plan = random_scenario(seed)
    world = World(topology, plan, seed)
    rng = np.random.default_rng([seed, 1])
    before = check(world, None, seed)
    for instant_s in np.sort(rng.uniform(0, 5, 16)):
        world.advance(instant_s)
        before = check(world, before, seed)
    assert before.tasks_arrived.sum() > 0


def test_the_random_scenarios_cover_every_fault_and_outcome():
    """Together they have every kind of fault, overlapping ones, and every outcome of a task."""
    kinds = {fault.kind for seed in range(SCENARIOS) for fault in random_scenario(seed)[1].faults}
    assert kinds == set(OF_ONE_WORLD)
    totals = np.zeros(5, np.int64)
    for seed in range(0, SCENARIOS, 10):
        topology, plan = random_scenario(seed)
        world = World(topology, plan, seed)
        for instant_s in range(1, 5):
            world.advance(instant_s)
            s = world.snapshot()
            totals[4] += s.sandbox_leaked.sum()  # given back when the fault ends
        totals[:4] += [
            s.http_requests.min(), s.tasks_retried.sum(), s.tasks_timed_out.sum(),
            s.messages_dropped,
        ]  # fmt: skip
    assert (totals > 0).all()


@pytest.mark.parametrize(
    ("table", "place", "law"),
    [
        ("priority", (2, k.ARRIVED), "arrived = rejected + queued + in flight + ended + timed out"),
        ("priority", (0, k.COMPLETED), "every processed task is timed"),
        ("priority", (1, k.RETRIED), "retried by priority = undispatched by tier"),
        ("tier", (1, k.DISPATCHED), "dispatched = undispatched + in flight + finished"),
        ("head", (k.SENT,), "sent = delivered + waiting + dropped"),
        ("head", (k.STARTED,), "every start is timed"),
        ("head", (k.RECEIVED_MESSAGE_BYTES,), "bytes received were sent"),
        ("pool", (1, k.LEAKED), "no part of a pool is negative"),
        ("http", (k.OK,), "every answer is timed by the gateway"),
        ("http", (k.UNAVAILABLE,), "rejected = 429 + 503"),
        ("histogram", (k.TASK_DURATION, 4), "every processed task is timed"),
        ("host", (0, k.IDLE_NS), "CPU modes add up to the time passed"),
    ],
)
def test_one_planted_miscount_is_noticed(table, place, law):
    """A single wrong counter breaks the law that guards it, by name."""
    world = make()
    world.advance(2)
    assert broken_laws(world.snapshot(), world.topology) == []
    getattr(world._state, table)[place] += 100_000_000
    assert law in broken_laws(world.snapshot(), world.topology)


@pytest.mark.parametrize(
    ("table", "place", "by", "tie"),
    [
        ("pool", (0, k.IN_USE), 1, "slots in use are held by agents"),
        ("head", (k.QUEUED,), 1, "queues and lanes agree"),
        ("host", (2, k.BUSY), 1, "hosts know how many of theirs work"),
        ("directory", (3,), 1, "the directory holds exactly the running"),
        ("due", (1,), -5, "the tournament's nodes are minima"),
        ("head", (k.FACTOR_CURSOR,), 1 << 20, "no stream was read beyond its end"),
    ],
)
def test_one_planted_error_in_the_tables_is_noticed(table, place, by, tie):
    """The checks of the kernel's own tables can fail as well."""
    world = make()
    world.advance(2)
    assert broken_ties(world) == []
    getattr(world._state, table)[place] += by
    assert tie in broken_ties(world)


def test_a_thousand_waiters_granted_at_once_do_not_read_a_stream_beyond_its_end():
    """The most that one command can read of a stream is there, even near the end of its block."""
    crash = fault("sandbox_crash", share=1.0, start_s=0.0, duration_s=1.0)
    pools = tuple(SandboxPool(name=name, slots=1000, share=0) for name in SANDBOXES)
    topology = station(1000, triple_share=1.0, sandboxes=pools)
    world = World(topology, Plan(load=Load(rate=3000.0), faults=(crash,)), 1)
    world.advance(0.99)
    assert world.snapshot().in_flight_by_tier.sum() == 1000
    head = world._state.head
    head[k.FACTOR_CURSOR] = head[k.FACTOR_LAST]
    world.advance(1.0)
    assert world.snapshot().sandbox_in_use.tolist() == [1000] * 3
    assert broken_ties(world) == []


def test_a_counter_that_falls_is_noticed():
    """Two snapshots in the wrong order: every counter of a busy world falls."""
    world = make()
    world.advance(1)
    before = world.snapshot()
    world.advance(2)
    counters = decreased_counters(world.snapshot(), before)
    assert {"tasks_arrived", "http_requests", "task_duration", "cpu_ns", "now_ns"} <= set(counters)


def hundredfold():
    """Return the default system with a hundred times the agents, slots and CPUs."""
    base = Topology()
    return replace(
        base,
        tiers=tuple(replace(tier, agents=100 * tier.agents) for tier in base.tiers),
        sandboxes=tuple(replace(pool, slots=100 * pool.slots) for pool in base.sandboxes),
        priorities=tuple(replace(priority, queue_limit=100_000) for priority in base.priorities),
        active_floor=100 * base.active_floor,
        rate_limit_per_s=3e6,
        rate_limit_burst=500_000,
        hosts=100 * base.hosts,
        recycle_per_s=500.0,
    )


@pytest.mark.ci
def test_ninety_two_thousand_agents_obey_every_law_at_a_million_tasks_a_second():
    """Healthy first, then under faults that affect thousands at once, slot waiters included."""
    topology = hundredfold()
    assert topology.fleet == 92_800
    faults = (
        fault("crash_loop", alive_s=0.05, start_s=0.15, fraction=0.2),
        fault("sandbox_crash", share=0.9, start_s=0.2, duration_s=0.05),
        fault("agent_crash", rate_per_s=10_000.0, start_s=0.15),
    )
    world = World(topology, Plan(load=Load(rate=1e6), faults=faults), 1)
    before = None
    for instant_s in (0.125, 0.21, 0.3):
        world.advance(instant_s)
        after = world.snapshot()
        assert broken_laws(after, topology) + broken_ties(world) == []
        assert before is None or decreased_counters(before, after) == []
        before = after
        if instant_s == 0.125:
            assert after.tasks_arrived.sum() == pytest.approx(125_000, rel=0.01)
            assert after.http_requests[0] > 75_000
            assert after.http_requests[1:].sum() < 100
    assert before.agents_crashed > 15_000
    assert before.tasks_retried.sum() > 1000
