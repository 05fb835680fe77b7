"""The state of a new world: sound tables, the agents that run, the parent of each."""

from __future__ import annotations

import numpy as np

from simulator.kernel import loop as k
from simulator.kernel.initial_state import build
from simulator.kernel.state import ns
from simulator.snapshot import DURATION_BOUNDS_S
from simulator.topology import Tier, Topology
from tests.simulator.random_worlds import random_topology
from tests.simulator.worlds import small


def test_fixed_tiers_and_the_floor_of_the_scaled_ones_run():
    """93 agents of the four fixed tiers, and scaled ones up to the floor of 700."""
    state = build(Topology())
    running = state.agent[:, k.STATE] == k.IDLE
    assert running.sum() == state.head[k.RUNNING] == 700
    assert running[state.agent[:, k.SCALES] == 0].all()
    assert (state.agent[~running, k.STATE] == k.STOPPED).all()


def test_every_agent_is_in_one_list_and_those_that_run_in_the_directory():
    """In random systems: the idle by group, the stopped; no agent waits."""
    for seed in range(20):
        topology = random_topology(np.random.default_rng(seed))
        state = build(topology)
        assert state.lists[:, k.LENGTH].sum() == topology.fleet
        assert (state.lists[-k.POOLS :, k.LENGTH] == 0).all()
        directory = np.sort(state.directory[: state.head[k.RUNNING]])
        assert np.array_equal(directory, np.flatnonzero(state.agent[:, k.STATE] == k.IDLE))


def test_parents_are_one_tier_up_and_the_first_tier_is_a_ring():
    """The children of a tier are spread evenly over the one above."""
    parents = build(small()).agent[:, k.PARENT]
    assert parents[:4].tolist() == [1, 2, 3, 0]
    assert np.bincount(parents[4:], minlength=4).tolist() == [9, 9, 9, 9]


def test_the_memory_of_demand_is_a_share_of_each_second_and_never_more_than_all_of_it():
    """Four seconds of memory take a quarter of what is new; half a second takes all of it."""
    gains = [build(small(scaling_memory_s=s)).real_head[k.SCALING_GAIN] for s in (4.0, 1.0, 0.5)]
    assert gains == [0.25, 1.0, 1.0]


def test_restarts_may_be_rarer_than_one_a_second():
    """Half a restart a second is a twentieth of one in a tick, in millionths."""
    state = build(small(recycle_per_s=0.5))
    assert state.head[k.RECYCLE_PER_TICK] == k.MICRO // 20


def test_a_token_costs_the_nearest_nanosecond():
    """Two thirds of one are one more."""
    assert build(small(rate_limit_per_s=150_000.0)).head[k.TOKEN_COST_NS] == 6667


def test_specialised_agents_are_asked_before_generalists():
    """A generalist is kept for the class that no other agent takes."""
    tiers = (
        Tier(name="both", agents=2, takes=("work", "coordination")),
        Tier(name="worker", agents=2, takes=("work",)),
    )
    state = build(small(tiers=tiers))
    tier_of = dict(state.agent[:, [k.GROUP, k.TIER]].tolist())
    groups = state.groups_of_class[0].tolist()
    assert [tier_of[group] for group in groups if group >= 0] == [1, 0]


def test_the_slot_of_a_duration_is_never_beyond_its_cell():
    """Searching on from the slot's cell finds the first bound that is not below the duration."""
    w = build(small()).w
    bounds = w[k.BOUNDS : k.BOUND_OF]
    assert bounds[:-1].tolist() == [ns(bound) for bound in DURATION_BOUNDS_S]
    durations = np.concatenate([bounds[:-1], bounds[:-1] + 1, bounds[:-1] - 1])
    slots = np.minimum(durations >> k.BOUND_SHIFT, k.BOUND_SLOTS - 1)
    cells = w[k.BOUND_OF : k.RECENT_AT].view(np.uint8)
    assert (cells[slots] <= np.searchsorted(bounds, durations)).all()
