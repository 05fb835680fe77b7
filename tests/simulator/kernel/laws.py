"""The laws that hold in the world at every instant, exactly, in integers: checks for the tests.

`broken_laws` reads one snapshot, `decreased_counters` two in time order, `broken_ties` the kernel's
own tables. Each returns the names of what does not hold, so that a failure says what was violated.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from simulator.kernel import loop as k
from simulator.kernel.state import messages_waiting
from simulator.snapshot import DURATION_BOUNDS_S, STATUSES, DurationHistogram
from tests.simulator.worlds import due_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simulator.kernel.state import State
    from simulator.snapshot import Snapshot
    from simulator.topology import Topology
    from simulator.world import World

CPU_SLACK_NS = 16
"""Nanoseconds that rounding down may lose of one CPU: 5 accounts, 4 shares, 6 divisions."""
GAUGES = {
    "cells",
    "seed", "tasks_in_flight", "queue_depth", "in_flight_by_tier", "backpressure_level",
    "saturation", "arrival_rate", "agents", "memory_bytes", "messages_waiting", "sandbox_total",
    "sandbox_in_use", "sandbox_leaked", "sandbox_down", "sandbox_available", "faults",
    "exporter_up", "scrape_path",
}  # fmt: skip
HISTOGRAMS = (
    "http_request_duration", "response_duration", "task_duration", "startup_duration",
)  # fmt: skip
BOUNDS_NS = np.rint(np.array(DURATION_BOUNDS_S) * 1e9).astype(np.int64)
STAGES = {
    k.STOPPED: (k.NOTHING,),
    k.STARTING: (k.COMES_UP,),
    k.IDLE: (k.NOTHING, k.DIES),
    k.WORKING: (k.FIRST_RESULT, k.RELEASES, k.ENDS, k.WAITS_SLOT),
    k.HANGING: (k.WATCHED,),
    k.CRASH: (k.COMES_BACK,),
}
"""What an agent in a state may be waiting for."""


def broken_laws(s: Snapshot, topology: Topology, *, skipped_ns: int = 0) -> list[str]:
    """Names of the laws that snapshot `s` of a world of `topology` does not obey.

    Of the world's time, `skipped_ns` were passed over without being simulated.
    """
    laws = {**_tasks(s), **_requests(s), **_others(s), **_processors(s, skipped_ns)}
    laws |= {**_durations(s), **_faults(s)}
    fleet = [tier.agents for tier in topology.tiers]
    limits = [priority.queue_limit for priority in topology.priorities]
    laws["agents by state sum to the tier"] = np.array_equal(s.agents.sum(axis=1), fleet)
    laws["queue depth is within its limit"] = (s.queue_depth <= limits).all()
    laws["saturation is of the fullest queue"] = s.saturation == (s.queue_depth / limits).max()
    return [name for name, holds in laws.items() if not holds]


def _tasks(s: Snapshot) -> dict[str, bool]:
    ended = s.tasks_processed.sum(axis=1)
    waiting = s.queue_depth + s.tasks_in_flight
    kept = s.tasks_rejected + s.tasks_timed_out + waiting + ended
    at_work = s.undispatched + s.in_flight_by_tier + s.finished.sum(axis=1)
    return {
        "arrived = rejected + queued + in flight + ended + timed out": np.array_equal(
            s.tasks_arrived, kept
        ),
        "dispatched = undispatched + in flight + finished": np.array_equal(s.dispatched, at_work),
        "in flight by tier = by priority": s.in_flight_by_tier.sum() == s.tasks_in_flight.sum(),
        "finished by tier = processed by priority": np.array_equal(
            s.finished.sum(axis=0), s.tasks_processed.sum(axis=0)
        ),
        "in flight = busy and hung agents": np.array_equal(
            s.in_flight_by_tier, s.agents[:, 3:5].sum(axis=1)
        ),
        "retried by priority = undispatched by tier": (
            s.tasks_retried.sum() == s.undispatched.sum()
        ),
        "every processed task is timed": s.task_duration.counts.sum() == s.tasks_processed.sum(),
    }


def _requests(s: Snapshot) -> dict[str, bool]:
    answers = dict(zip(STATUSES, s.http_requests.tolist(), strict=True))
    answered = int(s.http_requests.sum())
    unanswered = int(s.tasks_arrived.sum()) - answered
    open_tasks = int((s.queue_depth + s.tasks_in_flight).sum())
    return {
        "requests answered once at most": 0 <= unanswered <= open_tasks,
        "rejected = 429 + 503": s.tasks_rejected.sum() == answers["429"] + answers["503"],
        "504 only for time-outs": answers["504"] <= s.tasks_timed_out.sum(),
        "500 only for failures": answers["500"] <= s.tasks_processed[:, 1].sum(),
        "completed tasks were answered 200": s.tasks_processed[:, 0].sum() <= answers["200"],
        "every answer is timed by the gateway": s.http_request_duration.counts.sum() == answered,
        "every answer is timed by the orchestrator": s.response_duration.counts.sum() == answered,
        "the gateway adds to the orchestrator's time": (
            s.http_request_duration.sum_ns >= s.response_duration.sum_ns
        ),
    }


def _others(s: Snapshot) -> dict[str, bool]:
    messages = int(s.messages_delivered.sum()) + s.messages_waiting + s.messages_dropped
    slots = s.sandbox_available + s.sandbox_in_use + s.sandbox_leaked + s.sandbox_down
    parts = (s.sandbox_available, s.sandbox_in_use, s.sandbox_leaked, s.sandbox_down)
    counted = (s.agents, s.queue_depth, s.tasks_in_flight, s.memory_bytes, s.cpu_ns)
    return {
        "sent = delivered + waiting + dropped": s.messages_sent == messages,
        "slots = available + in use + leaked + down": np.array_equal(s.sandbox_total, slots),
        "no part of a pool is negative": all((part >= 0).all() for part in parts),
        "executions cover what is in use": (s.sandbox_executions >= s.sandbox_in_use).all(),
        "nothing counted is negative": all((count >= 0).all() for count in counted)
        and s.messages_waiting >= 0,
        "every start is timed": s.startup_duration.counts.sum() == s.agents_started,
        "bytes received were sent": (
            int(s.network_received_bytes[0]) <= int(s.network_sent_bytes[0])
        ),
        "backpressure level is 0 to 4": 0 <= s.backpressure_level <= 4,
    }


def _processors(s: Snapshot, skipped_ns: int) -> dict[str, bool]:
    used, passed_ns = s.cpu_ns.sum(axis=1), s.now_ns - skipped_ns
    holds = (used <= passed_ns).all() and (used > passed_ns - CPU_SLACK_NS).all()
    return {"CPU modes add up to the time passed": holds}


def _durations(s: Snapshot) -> dict[str, bool]:
    """A histogram's sum lies between the lower and the upper bounds of what its cells hold."""
    laws = {}
    for name in HISTOGRAMS:
        histogram = getattr(s, name)
        counts = histogram.counts
        least = int((counts[1:] * BOUNDS_NS).sum())
        most = int((counts[:-1] * BOUNDS_NS).sum())
        fits = least <= histogram.sum_ns and (counts[-1] > 0 or histogram.sum_ns <= most)
        laws[f"the sum of {name} is within its cells"] = fits and (counts >= 0).all()
    return laws


def _faults(s: Snapshot) -> dict[str, bool]:
    names = [fault.name for fault in s.faults]
    return {
        "faults in effect have names of their own": len(set(names)) == len(names),
        "faults in effect have begun and are not over": all(
            fault.began_ns <= s.now_ns < fault.ends_ns for fault in s.faults
        ),
        "a fault is at most as strong as declared": all(
            0 <= fault.magnitude <= fault.declared for fault in s.faults
        ),
    }


def decreased_counters(before: Snapshot, after: Snapshot) -> list[str]:
    """Names of the counters and histograms of `before` that are lower in `after`."""
    names = []
    for field in fields(before):
        if field.name in GAUGES:
            continue
        old, new = getattr(before, field.name), getattr(after, field.name)
        if isinstance(old, DurationHistogram):
            fell = (new.counts < old.counts).any() or new.sum_ns < old.sum_ns
        else:
            fell = np.any(np.asarray(new) < np.asarray(old))
        if fell:
            names.append(field.name)
    return names


def broken_ties(world: World, *, just_changed: bool = False) -> list[str]:
    """Names of the ties between the kernel's tables that are broken; the kernel must be settled.

    When a fault has `just_changed` at this instant, events may be due at this very instant: they
    happen as soon as the world is advanced again.
    """
    s = world._state
    soonest_ns = int(s.head[k.NOW]) + int(not just_changed)
    ties = {**_tables(s), **_agents(s), **_stages(s), **_inboxes(s), **_queues(s)}
    ties["nothing is due in the past"] = due_at(s).min() >= soonest_ns
    ties |= _clocks(s, soonest_ns)
    return [name for name, holds in ties.items() if not holds]


def _tables(s: State) -> dict[str, bool]:
    due, leaves = s.due, len(s.due) // 2
    awaited = np.flatnonzero(due[leaves:] != k.NEVER)
    children = due.reshape(-1, 4)[1:].min(axis=1)
    return {
        "the tournament's nodes are minima": np.array_equal(due[1 : leaves // 2], children),
        "a key names its agent": np.array_equal(due[leaves + awaited] & k.KEY_MASK, awaited),
        "the epoch is near": 0 <= s.head[k.NOW] - s.head[k.EPOCH] <= k.EPOCH_NS + k.TICK_NS,
        "no stream was read beyond its end": all(
            0 <= s.head[cursor] <= len(block)
            for cursor, block in (
                (k.TASK_CURSOR, s.tasks),
                (k.BIT_CURSOR, s.bits),
                (k.START_CURSOR, s.starts),
                (k.FACTOR_CURSOR, s.factors),
                (k.CRASH_CURSOR, s.crash_bits),
                (k.FLOOD_CURSOR, s.flood_bits),
            )
        ),
    }


def _agents(s: State) -> dict[str, bool]:
    agent = s.agent
    groups = int(s.head[k.GROUPS])
    running = np.flatnonzero(agent[:, k.PLACE] >= 0)
    directory = s.directory[: s.head[k.RUNNING]]
    state = agent[:, k.STATE]
    working = (state == k.WORKING) | (state == k.HANGING)
    held = agent[:, k.HELD] * (state == k.WORKING)
    idle = (state == k.IDLE) & (agent[:, k.STAGE] == k.NOTHING)
    return {
        "the directory holds exactly the running": np.array_equal(np.sort(directory), running)
        and np.array_equal(agent[directory, k.PLACE], np.arange(len(directory))),
        "slots in use are held by agents": all(
            s.pool[p, k.IN_USE] == ((held >> p) & 1).sum() for p in range(3)
        ),
        "hosts know how many of theirs work": np.array_equal(
            s.host[:, k.BUSY], np.bincount(agent[working, k.HOST], minlength=len(s.host))
        ),
        "the idle are listed by group": all(
            sorted(_members(s, g)) == np.flatnonzero(idle & (agent[:, k.GROUP] == g)).tolist()
            for g in range(groups)
        ),
        "the stopped are listed": sorted(_members(s, groups))
        == np.flatnonzero(state == k.STOPPED).tolist(),
    }


def _clocks(s: State, soonest_ns: int) -> dict[str, bool]:
    head, lanes = s.head, s.lanes
    firsts = [
        int(s.ring[lane, lanes[lane, k.HEAD], k.Q_QUEUED_AT] + s.priority[lane // 2, k.WAIT_NS])
        for lane in range(k.LANE_COUNT)
        if lanes[lane, k.LENGTH]
    ]
    pending = head[[k.NEXT_TICK, k.NEXT_EXPIRY, k.NEXT_ARRIVAL, k.NEXT_FLOOD]]
    return {
        "ticks, time-outs, arrivals and floods are not due in the past": (
            pending.min() >= soonest_ns
        ),
        "the next tick is at most a tick away": head[k.NEXT_TICK] <= head[k.NOW] + k.TICK_NS,
        "the control event is the next tick or time-out": (
            head[k.NEXT_CONTROL] == min(head[k.NEXT_TICK], head[k.NEXT_EXPIRY])
        ),
        "no task waits longer than its limit": (
            not firsts or soonest_ns <= min(firsts) >= head[k.NEXT_EXPIRY]
        ),
        "tokens are within their bucket": 0 <= head[k.TOKENS_NS] <= head[k.TOKEN_LIMIT_NS],
        "restarts are not saved up": 0 <= head[k.RECYCLE_CREDIT] <= k.MICRO,
    }


def _stages(s: State) -> dict[str, bool]:
    agent = s.agent
    state, stage, place = agent[:, k.STATE], agent[:, k.STAGE], agent[:, k.PLACE]
    due = due_at(s)
    working = state == k.WORKING
    running = ((state == k.IDLE) & (stage == k.NOTHING)) | working | (state == k.HANGING)
    needed = (agent[:, k.META] >> k.NEED_SHIFT) & k.ALL_POOLS
    return {
        "every agent is in a stage of its state": all(
            _among(stage[state == number], stages).all() for number, stages in STAGES.items()
        ),
        "exactly the running have a place": np.array_equal(running, place >= 0),
        "exactly who waits for somebody else has nothing due": np.array_equal(
            (stage == k.NOTHING) | (stage == k.WAITS_SLOT), due == k.NEVER
        ),
        "an agent holds slots that its task needs": (
            (agent[working, k.HELD] & ~needed[working]) == 0
        ).all(),
        "who runs has no backoff left": (agent[running, k.BACKOFF] == 0).all(),
        "no backoff is above its limit": (agent[:, k.BACKOFF] <= s.head[k.BACKOFF_LIMIT_NS]).all(),
        "no task is tried too often": (
            (agent[working, k.META] >> k.ATTEMPT_SHIFT) <= s.head[k.RETRIES]
        ).all(),
        "only what runs leaks": (
            agent[_among(state, (k.STOPPED, k.STARTING, k.CRASH)), k.LEAKED_BYTES] == 0
        ).all(),
    }


def _among(values: NDArray[np.int64], allowed: Iterable[int]) -> NDArray[np.bool_]:
    """Whether each is one of a few numbers: what `np.isin` says, in a twentieth of the time."""
    return np.logical_or.reduce([values == number for number in allowed])


def _inboxes(s: State) -> dict[str, bool]:
    waiting = messages_waiting(s)
    some = waiting > 0
    lost = s.priority[:, [k.RETRIED, k.FAILED]].sum()
    return {
        "only who runs has messages": (s.agent[some, k.PLACE] >= 0).all(),
        # A place is kept for the dispatch, and for one more whenever a task was lost meanwhile.
        "no inbox is above its limit": (waiting <= s.head[k.INBOX_LIMIT] + 1 + lost).all(),
        "no more wait than were taken": (waiting <= s.inbox[:, k.TAKEN]).all(),
    }


def _in_order(s: State, lane: int) -> bool:
    """Whether a lane's tasks stand in the order in which they were queued."""
    length = int(s.lanes[lane, k.LENGTH])
    slots = (s.lanes[lane, k.HEAD] + np.arange(length)) % s.head[k.RING_ROOM]
    return bool((np.diff(s.ring[lane, slots, k.Q_QUEUED_AT]) >= 0).all())


def _queues(s: State) -> dict[str, bool]:
    groups = int(s.head[k.GROUPS])
    return {
        "queues and lanes agree": s.head[k.QUEUED]
        == s.priority[:, k.DEPTH].sum()
        == s.lanes[:, k.LENGTH].sum(),
        "no agent idles while a task waits for its group": not any(
            s.lists[g, k.LENGTH] and s.lanes[(2 * p) + c, k.LENGTH]
            for g in range(groups)
            for c in s.classes_of_group[g]
            if c >= 0
            for p in range(4)
        ),
        "lanes are first in, first out": all(_in_order(s, lane) for lane in range(k.LANE_COUNT)),
        "no agent waits for a slot that is free": all(
            s.lists[groups + 1 + p, k.LENGTH] == 0
            or s.pool[p, k.TOTAL] == s.pool[p, [k.IN_USE, k.LEAKED, k.DOWN]].sum()
            for p in range(3)
        ),
    }


def _members(s: State, which: int) -> list[int]:
    """The agents of a list, walked from its head; its length and links must agree."""
    members = []
    agent = int(s.lists[which, k.HEAD])
    while agent >= 0 and len(members) <= len(s.agent):
        assert s.agent[agent, k.LIST] == which
        members.append(agent)
        agent = int(s.agent[agent, k.NEXT_LINK])
    assert len(members) == s.lists[which, k.LENGTH]
    return members
