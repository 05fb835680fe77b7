"""The state of a new world at time 0, laid out from its topology.

`World` calls `build` once. The fixed tiers and the floor of the scaled ones are running and idle;
the rest is stopped. Nothing here simulates or draws a number.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from simulator.kernel import loop as k
from simulator.kernel import machine_code
from simulator.kernel.state import (
    LINE,
    aligned_zeros,
    groups_of,
    ns,
    reads_per_event,
    tables_of,
    view,
)
from simulator.snapshot import DURATION_BOUNDS_S

if TYPE_CHECKING:
    from simulator.kernel.state import Group, Integers, Reals, State, Tables
    from simulator.topology import Topology


def build(topology: Topology) -> State:
    """The state of `topology` at time 0; streams are not yet filled."""
    k.compile_kernel()
    machine_code.keep(k.run, k.__file__)
    w, x = _layout(tables_of(topology))
    state = view(topology, w, x)
    _set_clocks(state.head, topology)
    _set_parameters(state, topology)
    _set_cursors(state, topology)
    _set_bounds(w)
    state.due[:] = k.NEVER
    state.agent_real[:] = 1.0
    groups = groups_of(topology)
    _set_groups(state, topology, groups)
    _set_agents(state, topology, groups)
    _link_lists(state, groups)
    for row, priority in enumerate(topology.priorities):
        state.priority[row, k.DEPTH_LIMIT] = priority.queue_limit
        state.priority[row, k.WAIT_NS] = ns(priority.wait_limit_s)
    for row, pool in enumerate(topology.sandboxes):
        state.pool[row, k.TOTAL] = pool.slots
    background = round(topology.cpu_background_share * topology.cpus_per_host * k.MILLI)
    state.host[:, k.BACKGROUND_CORES] = background
    return state


def _layout(tables: Tables) -> tuple[Integers, Reals]:
    """Both arrays, empty, with the place of every table in the head; tables begin at a line."""
    head = np.zeros(k.HEAD_SIZE, np.int64)
    sizes = []
    for first, kind in ((k.TABLES_AT, tables.integers), (k.REAL_HEAD_SIZE, tables.reals)):
        end = first
        for column, shape in kind.values():
            begins = -(-end // LINE) * LINE
            head[column] = begins
            end = begins + prod(shape)
        sizes.append(end)
    w = aligned_zeros(sizes[0])
    w[: k.HEAD_SIZE] = head
    return w, np.zeros(sizes[1])


def _set_clocks(head: Integers, topology: Topology) -> None:
    """When each kind of event comes first, and what is there at time 0."""
    token_cost = _token_cost_ns(topology)
    for column, value in (
        (k.NEXT_ARRIVAL, k.NEVER),
        (k.NEXT_FLOOD, k.NEVER),
        (k.NEXT_CONTROL, k.TICK_NS),
        (k.NEXT_TICK, k.TICK_NS),
        (k.NEXT_EXPIRY, k.NEVER),
        (k.TOKENS_NS, min(token_cost * topology.rate_limit_burst, k.CLOCK_MAX_NS)),
        (k.DESIRED, topology.active_floor),
    ):
        head[column] = value


def _token_cost_ns(topology: Topology) -> int:
    """Nanoseconds that earn one token of the rate limit."""
    return round(1e9 / topology.rate_limit_per_s)


def _set_parameters(state: State, topology: Topology) -> None:
    """Everything that the kernel reads of the topology, in the kernel's units."""
    scaled = sum(tier.agents for tier in topology.tiers if tier.scales)
    token_cost = _token_cost_ns(topology)
    for column, value in (
        (k.AGENTS, topology.fleet),
        (k.LEAVES, len(state.due) // 2),
        (k.GROUPS, len(state.classes_of_group)),
        (k.SCALED_AGENTS, scaled),
        (k.FIXED_AGENTS, topology.fleet - scaled),
        (k.FLOOR, topology.active_floor),
        (k.TOKEN_COST_NS, token_cost),
        # More than CLOCK_MAX_NS of tokens no world could use.
        (k.TOKEN_LIMIT_NS, min(token_cost * topology.rate_limit_burst, k.CLOCK_MAX_NS)),
        (k.RETRIES, topology.max_retries),
        (k.INBOX_LIMIT, topology.inbox_limit),
        (k.FIRST_MESSAGES, topology.messages_at_first_result),
        (k.LAST_MESSAGES, topology.messages_at_completion),
        (k.UPWARD_PARTS, round(topology.message_upward_share * k.SHARE_PARTS)),
        (k.MESSAGE_BYTES, topology.message_bytes_min),
        (k.REQUEST_BYTES, topology.request_bytes),
        (k.RESPONSE_BYTES, topology.response_bytes),
        (k.OVERHEAD_NS, ns(topology.gateway_overhead_s)),
        (k.MERGE_NS, ns(topology.merge_s)),
        (k.WATCHDOG_NS, ns(topology.watchdog_s)),
        (k.BACKOFF_NS, ns(topology.restart_backoff_s)),
        (k.BACKOFF_LIMIT_NS, ns(topology.restart_backoff_limit_s)),
        # Millionths of an agent in a tick: per second x 1e6 x TICK_NS / 1e9.
        (k.RECYCLE_PER_TICK, round(topology.recycle_per_s * k.TICK_NS / 1000)),
        (k.HOSTS, topology.hosts),
        (k.HOST_CAPACITY, k.MILLI * topology.cpus_per_host),
        (k.BUSY_CORES, round(k.MILLI * topology.cpu_per_busy_agent)),
        (k.MESSAGE_CPU_NS, ns(topology.cpu_per_message_s)),
        (k.RING_ROOM, state.ring.shape[1]),
        (k.STARTS_PER_S, topology.scale_up_per_s),
        (k.STOPS_PER_S, topology.scale_down_per_s),
    ):
        state.head[column] = value
    state.real_head[k.FIRST_SHARE] = topology.first_result_share
    state.real_head[k.UTILISATION] = topology.target_utilisation
    # The fleet is scaled once a second: a shorter memory than that is none.
    state.real_head[k.SCALING_GAIN] = min(1.0, 1.0 / topology.scaling_memory_s)


def _set_cursors(state: State, topology: Topology) -> None:
    """Every stream is read to its end, so that the first refill draws all of it."""
    per_event = reads_per_event(topology)
    # An arrival reads its task and the gap to the next one: two rows must be there.
    for cursor, last, block, spare in (
        (k.TASK_CURSOR, k.TASK_LAST, state.gaps, 2),
        (k.BIT_CURSOR, k.BIT_LAST, state.bits, per_event),
        (k.START_CURSOR, k.START_LAST, state.starts, per_event),
        (k.FACTOR_CURSOR, k.FACTOR_LAST, state.factors, k.POOLS * per_event),
        (k.CRASH_CURSOR, k.CRASH_LAST, state.crash_bits, per_event),
        (k.FLOOD_CURSOR, k.FLOOD_LAST, state.flood_gaps, 2),
    ):
        state.head[cursor] = len(block)
        state.head[last] = len(block) - spare
    state.real_head[k.GAP_LEFT] = np.inf


def _set_bounds(w: Integers) -> None:
    """The histograms' bounds, and for every slot of durations the cell in which to begin."""
    bounds = np.array([ns(bound) for bound in DURATION_BOUNDS_S] + [k.NEVER], np.int64)
    w[k.BOUNDS : k.BOUND_OF] = bounds
    slots = np.arange(k.BOUND_SLOTS, dtype=np.int64) << k.BOUND_SHIFT
    cells = np.searchsorted(bounds, slots)
    w[k.BOUND_OF : k.RECENT_AT] = cells.astype(np.uint8).view(np.int64)


def _set_groups(state: State, topology: Topology, groups: list[Group]) -> None:
    """Which classes a group takes, and in which order groups are asked to take a class; -1 ends."""
    state.classes_of_group[:] = state.groups_of_class[:] = -1
    names = [task_class.name for task_class in topology.classes]
    for group, takes in enumerate(groups):
        numbers = sorted(names.index(name) for name in takes)
        state.classes_of_group[group, : len(numbers)] = numbers
    for number, name in enumerate(names):
        able = [group for group, takes in enumerate(groups) if name in takes]
        # Those who take nothing else come first: generalists are kept for the other class.
        able.sort(key=lambda group: (len(groups[group]), group))
        state.groups_of_class[number, : len(able)] = able


def _set_agents(state: State, topology: Topology, groups: list[Group]) -> None:
    """Every agent's tier, group, host and parent; those that run at time 0 are idle."""
    agent = state.agent
    agent[:, k.LIST] = agent[:, k.PLACE] = -1
    agent[:, k.HOST] = np.arange(len(agent)) % topology.hosts
    fixed = sum(tier.agents for tier in topology.tiers if not tier.scales)
    to_run = max(topology.active_floor - fixed, 0)
    first = 0
    above = (0, 0)
    for number, tier in enumerate(topology.tiers):
        rows = slice(first, first + tier.agents)
        agent[rows, k.TIER] = number
        agent[rows, k.GROUP] = groups.index(tuple(sorted(tier.takes)))
        agent[rows, k.SCALES] = int(tier.scales)
        local = np.arange(tier.agents)
        if number == 0:
            # Nobody is above the first tier: there each reports to the next one.
            agent[rows, k.PARENT] = (local + 1) % tier.agents
        else:
            agent[rows, k.PARENT] = above[0] + local * above[1] // tier.agents
        above = (first, tier.agents)
        running = tier.agents if not tier.scales else min(to_run, tier.agents)
        to_run -= running if tier.scales else 0
        _run_from_the_start(state, np.arange(first, first + running))
        first += tier.agents


def _run_from_the_start(state: State, agents: Integers) -> None:
    """Put `agents` into the directory, idle."""
    places = state.head[k.RUNNING] + np.arange(len(agents))
    state.agent[agents, k.STATE] = k.IDLE
    state.agent[agents, k.PLACE] = places
    state.directory[places] = agents
    state.head[k.RUNNING] += len(agents)


def _link_lists(state: State, groups: list[Group]) -> None:
    """Lists of the idle by group, then of the stopped, then of those who wait for a slot: none."""
    agent = state.agent
    state.lists[:] = -1
    state.lists[:, k.LENGTH] = 0
    for group in range(len(groups)):
        idle = (agent[:, k.GROUP] == group) & (agent[:, k.STATE] == k.IDLE)
        _link(state, group, np.flatnonzero(idle))
    _link(state, len(groups), np.flatnonzero(agent[:, k.STATE] == k.STOPPED))


def _link(state: State, which: int, members: Integers) -> None:
    """Make `members` the list `which`, in their order."""
    state.lists[which, k.LENGTH] = len(members)
    if not len(members):
        return
    state.lists[which, [k.HEAD, k.TAIL]] = members[[0, -1]]
    state.agent[members, k.LIST] = which
    state.agent[members, k.PREVIOUS_LINK] = np.append(-1, members[:-1])
    state.agent[members, k.NEXT_LINK] = np.append(members[1:], -1)
