"""How tasks and messages spread over agents: from the topology, who runs, and what was dispatched.

Used by the measures of `kinds` to work out what a fault must come to. Pure arithmetic over the
agents as they are now; it reads no parameter that a fault sets.
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.kernel import loop as k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.measure import Interval
    from simulator.kernel.state import State
    from simulator.topology import Topology

    Integers = NDArray[np.int64]
    Reals = NDArray[np.float64]

_LONGEST_OF_THREE: Final = 1.219
"""Mean of the longest of a triple-verified task's three runs, in units of its work: the factors of
`streams` are lognormal with mean 1 and sigma 0.25 (numerically)."""
_NEWTON_STEPS: Final = 40
"""More than the few that convergence takes; a bound on the loop."""


def running(s: State) -> NDArray[np.bool_]:
    """Which agents are running: idle, busy or hung."""
    places: Integers = s.agent[:, k.PLACE]
    return places >= 0


def mean_task_s(
    t: Topology, s: State, declared: DeclaredEffect, tasks_per_s: Reals
) -> tuple[float, float]:
    """The mean of how long an agent holds a task, and of its square (twice, for its spread).

    `tasks_per_s` is by tier. Agents of a group share the group's tasks, and rest equally long
    between two of them: a slower agent takes fewer. The rest follows from how many tasks come.
    """
    speeds = np.array([tier.speed for tier in t.tiers])
    tier_of_agent = s.agent[:, k.TIER].copy()  # one column of a wide table: read six times here
    work_s = declared.task_slowness() / speeds[tier_of_agent]
    work_s *= 1 - declared.failing_share() * (1 - t.first_result_share)
    work_s *= 1 + t.triple_share * (_LONGEST_OF_THREE - 1)
    extra_s = t.inbox_service_s + t.triple_share * t.merge_s
    latency_s = declared.latency_s()
    extra_s += t.dependency_share * latency_s
    able = running(s) & (s.agent[:, k.STATE] != k.HANGING)
    mean = square = 0.0
    for tiers, service_s in _groups(t, s):
        group_per_s = float(tasks_per_s[tiers].sum())
        in_group = np.zeros(len(t.tiers), bool)
        in_group[tiers] = True
        members = able & in_group[tier_of_agent]
        if group_per_s == 0 or not members.any():
            continue
        held_s, agents = np.unique(work_s[members] * service_s + extra_s, return_counts=True)
        pause_s = _pause_s(held_s, agents, group_per_s)
        taken = agents / (held_s + pause_s)
        mean += group_per_s * float((taken * held_s).sum() / taken.sum())
        square += group_per_s * 2 * float((taken * held_s**2).sum() / taken.sum())
    total = float(tasks_per_s.sum())
    return mean / total, square / total + t.dependency_share * latency_s**2


def _groups(t: Topology, s: State) -> list[tuple[list[int], float]]:
    """Tiers that share their tasks, each with the mean service time of what they take."""
    tiers_of_group: dict[int, list[int]] = {}
    for tier in range(len(t.tiers)):
        first = int(np.argmax(s.agent[:, k.TIER] == tier))
        tiers_of_group.setdefault(int(s.agent[first, k.GROUP]), []).append(tier)
    groups = []
    for tiers in tiers_of_group.values():
        takes = t.tiers[tiers[0]].takes
        classes = [task_class for task_class in t.classes if task_class.name in takes]
        share = fsum(task_class.share for task_class in classes)
        if share > 0:
            work_s = fsum(task_class.share * task_class.mean_service_s for task_class in classes)
            groups.append((tiers, work_s / share))
    return groups


def _pause_s(held_s: Reals, agents: Integers, tasks_per_s: float) -> float:
    """How long agents rest between tasks so that they take `tasks_per_s` together; 0 or more.

    Newton's method on a convex falling function, from the left: it never steps over the root. It
    begins where all agents would, if each held its tasks for as long as the slowest.
    """
    pause_s = max(0.0, float(agents.sum()) / tasks_per_s - float(held_s.max()))
    for _ in range(_NEWTON_STEPS):
        rates = 1 / (held_s + pause_s)
        excess = float((agents * rates).sum()) - tasks_per_s
        if excess <= tasks_per_s * 1e-9:
            break
        pause_s += excess / float((agents * rates**2).sum())
    return pause_s


def agents_by_tier(s: State, t: Topology) -> Integers:
    """How many agents of each tier are running."""
    return np.bincount(s.agent[running(s), k.TIER], minlength=len(t.tiers))


def _sender_shares(s: State, t: Topology, dispatched: Integers) -> Reals:
    """The share of the messages that each agent sends: its tier's share of the tasks, evenly."""
    share = dispatched / max(int(dispatched.sum()), 1) / np.maximum(agents_by_tier(s, t), 1)
    shares: Reals = np.where(running(s), share[s.agent[:, k.TIER]], 0.0)
    return shares


def _upward_shares(s: State, t: Topology) -> Reals:
    """The share of each agent's messages that goes up the hierarchy."""
    # As the kernel rounds it.
    upward = round(t.message_upward_share * k.SHARE_PARTS) / k.SHARE_PARTS
    parent_runs = s.agent[s.agent[:, k.PARENT], k.PLACE] >= 0
    return np.where(parent_runs, upward, 0.0)


def crossing_share(t: Topology, s: State, dispatched: Integers, inside: Integers) -> float:
    """The share of the messages between agents that go from `inside` to outside, or back."""
    is_running = running(s)
    is_inside = np.zeros(len(s.agent), bool)
    is_inside[inside] = True
    running_inside = int((is_running & is_inside).sum())
    total = int(is_running.sum())
    opposite = np.where(is_inside, total - running_inside, running_inside)
    peers = opposite / max(total - 1, 1)
    upward = _upward_shares(s, t)
    parent_apart = is_inside != is_inside[s.agent[:, k.PARENT]]
    senders = _sender_shares(s, t, dispatched)
    return float((senders * (upward * parent_apart + (1 - upward) * peers)).sum())


def messages_per_s(interval: Interval) -> Reals:
    """Messages that come to each agent in a second: from agents, dispatches and floods."""
    t, s = interval.topology, interval.state
    if interval.seconds == 0:
        return np.zeros(t.fleet)
    dispatched, sent = interval.dispatched, interval.messages_between_agents
    arrivals = _arrivals_of_agents(t, s, dispatched, sent) / interval.seconds
    arrivals += interval.declared.flood_of_agents_per_s * running(s)
    return arrivals


def _arrivals_of_agents(t: Topology, s: State, dispatched: Integers, sent: int) -> Reals:
    """How many of `sent` messages, and of the tasks `dispatched` to its tier, each agent gets."""
    is_running = running(s)
    senders, upward = _sender_shares(s, t, dispatched), _upward_shares(s, t)
    arrivals = np.zeros(len(s.agent))
    np.add.at(arrivals, s.agent[:, k.PARENT], senders * upward)
    peers = float((senders * (1 - upward)).sum()) / max(int(is_running.sum()), 1)
    arrivals = (arrivals + np.where(is_running, peers, 0.0)) * sent
    tasks = (dispatched / np.maximum(agents_by_tier(s, t), 1))[s.agent[:, k.TIER]]
    arrivals += np.where(is_running, tasks, 0.0)
    return arrivals
