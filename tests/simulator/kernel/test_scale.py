"""A hundred times the fleet: the same laws, nothing averaged away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from tests.simulator.kernel.laws import broken_laws, broken_ties, decreased_counters
from tests.simulator.worlds import fault


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


def test_ninety_two_thousand_agents_obey_every_law_at_a_million_tasks_a_second():
    """Healthy first, then under faults that affect thousands at once, slot waiters included."""
    topology = hundredfold()
    assert topology.fleet == 92_800
    faults = (
        fault("crash_loop", alive_s=0.05, start_s=0.3, fraction=0.2),
        fault("sandbox_crash", share=0.9, start_s=0.35, duration_s=0.1),
        fault("agent_crash", rate_per_s=10_000.0, start_s=0.3),
    )
    world = World(topology, Plan(load=Load(rate=1e6), faults=faults), 1)
    before = None
    for instant_s in (0.25, 0.36, 0.5):
        world.advance(instant_s)
        after = world.snapshot()
        assert broken_laws(after, topology) + broken_ties(world) == []
        assert before is None or decreased_counters(before, after) == []
        before = after
        if instant_s == 0.25:
            assert after.tasks_arrived.sum() == pytest.approx(250_000, rel=0.01)
            assert after.http_requests[0] > 200_000
            assert after.http_requests[1:].sum() < 100
    assert before.agents_crashed > 15_000
    assert before.tasks_retried.sum() > 1000
