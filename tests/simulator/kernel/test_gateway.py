"""The gateway of the loop: its rate limit, and what backpressure turns away."""

from __future__ import annotations

import pytest

from simulator.kernel import loop as k
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import PRIORITIES, Priority
from simulator.world import World
from tests.simulator.kernel.uncompiled import Bench
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


SHED = {
    # by level, then by priority: what becomes of a task whose lowest bit is 0, and of the others
    1: {0: "pass", 1: "pass", 2: "pass", 3: "pass"},
    2: {0: "pass", 1: "pass", 2: "pass", 3: "half"},
    3: {0: "pass", 1: "pass", 2: "half", 3: "none"},
    4: {0: "pass", 1: "pass", 2: "none", 3: "none"},
}
PASSES = {
    "pass": [k.OK] * 8,
    "half": [k.TOO_MANY, k.OK] * 4,
    "none": [k.UNAVAILABLE] * 8,
}


@pytest.mark.parametrize("level", SHED)
def test_of_what_is_shed_by_half_every_second_is_turned_away(level):
    """Exactly every second draw, 429; what is shed as a whole, 503; every level and priority."""
    bench = Bench(small())
    bench.s.head[k.LEVEL] = level
    for priority, passes in SHED[level].items():
        statuses = [bench.refusal(priority, draw, 0) for draw in range(8)]
        assert statuses == PASSES[passes], priority


def test_a_task_that_is_shed_has_paid_its_token_and_one_without_a_token_is_turned_away_first():
    """The rate limit comes before backpressure; tokens come back with time, up to the burst."""
    bench = Bench(small(rate_limit_per_s=1000.0, rate_limit_burst=2))
    head = bench.s.head
    cost = head[k.TOKEN_COST_NS] = 10**6
    head[k.LEVEL] = 4
    statuses = [bench.refusal(priority, 0, 0) for priority in (3, 0, 3, 0)]
    assert statuses == [k.UNAVAILABLE, k.OK, k.TOO_MANY, k.TOO_MANY]
    assert [bench.refusal(0, 0, at) for at in (cost - 1, cost)] == [k.TOO_MANY, k.OK]
    assert [bench.refusal(0, 0, 10 * cost) for _ in range(3)] == [k.OK, k.OK, k.TOO_MANY]
