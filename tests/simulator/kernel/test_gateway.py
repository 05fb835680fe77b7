"""The gateway of the loop: its rate limit, and what backpressure turns away."""

from __future__ import annotations

import pytest

from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import PRIORITIES, Priority
from simulator.world import World
from tests.simulator.worlds import small


@pytest.mark.parametrize("limit", [100.0, 333.0])
def test_the_rate_limit_admits_its_rate_and_its_burst_and_no_more(limit):
    """A token bucket: at most burst + rate x time pass, and under pressure exactly that many."""
    topology = small(rate_limit_per_s=limit, rate_limit_burst=50)
    world = World(topology, Plan(load=Load(rate=900.0)), 1)
    for second in range(1, 21):
        world.advance(second)
        s = world.snapshot()
        admitted = s.tasks_arrived.sum() - s.http_requests[1]
        assert admitted <= 50 + limit * second + 1e-6
        assert admitted >= 50 + limit * second - 3


def test_backpressure_sheds_low_first_then_normal_and_never_the_others():
    """Level by level under a load beyond any fleet; high and critical tasks are never shed."""
    wide = tuple(
        Priority(name=name, share=share, queue_limit=limit, wait_limit_s=600.0)
        for name, share, limit in zip(
            PRIORITIES, (0.01, 0.01, 0.49, 0.49), (1000, 1000, 2000, 2000), strict=True
        )
    )
    world = World(small(priorities=wide), Plan(load=Load(rate=2500.0)), 4)
    levels, before = [], world.snapshot()
    for step in range(1, 400):
        world.advance(step / 20)
        after = world.snapshot()
        refused = after.tasks_rejected - before.tasks_rejected
        if before.backpressure_level < 2 and after.backpressure_level < 2:
            assert refused.sum() == 0
        if before.backpressure_level < 3 and after.backpressure_level < 3:
            assert refused[:3].sum() == 0
        levels.append(after.backpressure_level)
        before = after
    assert before.tasks_rejected[:2].sum() == 0
    assert (before.tasks_rejected[2:] > 0).all()
    assert set(levels) >= {0, 1, 2, 3}
