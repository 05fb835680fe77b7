"""The state of a new world: sound tables, the agents that run, the parent of each."""

from __future__ import annotations

import numpy as np
import pytest

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


HEAD = {
    k.AGENTS: 40, k.GROUPS: 2, k.SCALED_AGENTS: 36, k.FIXED_AGENTS: 4, k.FLOOR: 30, k.DESIRED: 30,
    k.RUNNING: 30, k.TOKEN_COST_NS: 400, k.TOKEN_LIMIT_NS: 2800, k.TOKENS_NS: 2800, k.RETRIES: 5,
    k.INBOX_LIMIT: 77, k.FIRST_MESSAGES: 2, k.LAST_MESSAGES: 9, k.UPWARD_PARTS: 176,
    k.MESSAGE_BYTES: 99, k.REQUEST_BYTES: 111, k.RESPONSE_BYTES: 222, k.OVERHEAD_NS: 3_000_000,
    k.MERGE_NS: 4_000_000, k.WATCHDOG_NS: 5_000_000, k.BACKOFF_NS: 6_000_000,
    k.BACKOFF_LIMIT_NS: 7_000_000, k.RECYCLE_PER_TICK: 70_000, k.HOSTS: 4, k.HOST_CAPACITY: 3000,
    k.BUSY_CORES: 26, k.MESSAGE_CPU_NS: 31_000, k.RING_ROOM: 10_001, k.STARTS_PER_S: 12,
    k.STOPS_PER_S: 13, k.NEXT_TICK: k.TICK_NS, k.NEXT_CONTROL: k.TICK_NS, k.NEXT_ARRIVAL: k.NEVER,
    k.NEXT_FLOOD: k.NEVER, k.NEXT_EXPIRY: k.NEVER, k.NOW: 0, k.EPOCH: 0, k.TOKENS_AT: 0,
}  # fmt: skip


def test_every_number_of_the_topology_is_there_in_the_unit_of_the_kernel():
    """Each another one, so that none can stand for its neighbour."""
    state = build(
        small(
            active_floor=30, rate_limit_per_s=2.5e6, rate_limit_burst=7, max_retries=5,
            inbox_limit=77, messages_at_first_result=2, messages_at_completion=9,
            message_upward_share=0.1715, message_bytes_min=99, request_bytes=111,
            response_bytes=222, gateway_overhead_s=0.003, merge_s=0.004, watchdog_s=0.005,
            restart_backoff_s=0.006, restart_backoff_limit_s=0.007, recycle_per_s=0.7,
            cpus_per_host=3, cpu_per_busy_agent=0.0256, cpu_per_message_s=31e-6,
            scale_up_per_s=12, scale_down_per_s=13, first_result_share=0.35,
            target_utilisation=0.45, cpu_background_share=0.11,
        )
    )  # fmt: skip
    assert {column: int(state.head[column]) for column in HEAD} == HEAD
    reals = state.real_head[[k.FIRST_SHARE, k.UTILISATION, k.GAP_LEFT, k.RATE, k.FLOOD_RATE]]
    assert reals.tolist() == [0.35, 0.45, np.inf, 0.0, 0.0]
    assert state.host[:, k.BACKGROUND_CORES].tolist() == [330] * 4
    assert state.priority[:, [k.DEPTH_LIMIT, k.WAIT_NS]].tolist() == [[10_000, 30 * 10**9]] * 4
    assert state.pool[:, k.TOTAL].tolist() == [8, 8, 8]
    assert state.agent[:, k.HOST].tolist() == [0, 1, 2, 3] * 10
    assert (state.agent[:, k.TIER] == state.agent[:, k.SCALES]).all()


def test_a_bucket_is_never_larger_than_the_clock_can_count():
    """Ten million tokens that each take a quarter of an hour are more than anyone can use."""
    state = build(small(rate_limit_per_s=1e-3, rate_limit_burst=10_000_000))
    assert state.head[[k.TOKENS_NS, k.TOKEN_LIMIT_NS]].tolist() == [k.CLOCK_MAX_NS] * 2


@pytest.mark.parametrize(
    ("floor", "running"), [(1, [4, 0, 0]), (4, [4, 0, 0]), (7, [4, 3, 0]), (12, [4, 5, 3])]
)
def test_the_floor_is_filled_tier_by_tier_after_the_fixed_ones(floor, running):
    """A floor below the fixed tiers stops none of them; the scaled ones are filled in turn."""
    tiers = (
        Tier(name="lead", agents=4, takes=("coordination",)),
        Tier(name="first", agents=5, takes=("work",), scales=True),
        Tier(name="second", agents=6, takes=("work", "coordination"), scales=True),
    )
    state = build(small(tiers=tiers, active_floor=floor))
    is_running = state.agent[:, k.STATE] == k.IDLE
    assert np.bincount(state.agent[is_running, k.TIER], minlength=3).tolist() == running
    assert state.agent[:, k.PARENT].tolist() == [
        1, 2, 3, 0, 0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8,
    ]  # fmt: skip
    assert sorted(state.classes_of_group.tolist()) == [[0, -1], [0, 1], [1, -1]]


def test_every_stream_is_read_to_its_end_and_lasts_for_one_more_event():
    """An arrival reads two rows, a tick a number for each agent, a grant three for each."""
    state = build(small())
    event = 40 + 9 + 300
    spares = {
        k.TASK_CURSOR: (k.TASK_LAST, state.gaps, 2),
        k.BIT_CURSOR: (k.BIT_LAST, state.bits, event),
        k.START_CURSOR: (k.START_LAST, state.starts, event),
        k.FACTOR_CURSOR: (k.FACTOR_LAST, state.factors, 3 * event),
        k.CRASH_CURSOR: (k.CRASH_LAST, state.crash_bits, event),
        k.FLOOD_CURSOR: (k.FLOOD_LAST, state.flood_gaps, 2),
    }
    for cursor, (last, block, spare) in spares.items():
        assert state.head[[cursor, last]].tolist() == [len(block), len(block) - spare]
