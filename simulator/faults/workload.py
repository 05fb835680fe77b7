"""Who works and who hears how much, reckoned from the topology, the agents that run and the tasks.

Used by `measures` for what a fault lets one expect. Pure arithmetic over the agents that stand
there now; it reads no parameter that a fault sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.faults import catalogue as f
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.kernel.state import State
    from simulator.topology import Topology

    Reals = NDArray[np.float64]
    Integers = NDArray[np.int64]

_LONGEST_OF_THREE = 1.219
"""Mean of the longest of a triple-verified task's three runs, in units of its work: the factors of
`streams` are lognormal with mean 1 and sigma 0.25 (numerically)."""
_STEPS = 40


def mean_task_s(
    t: Topology, s: State, declared: DeclaredEffect, per_s: Reals
) -> tuple[float, float]:
    """The mean of how long an agent holds a task, and of its square (twice, for its spread).

    `per_s` are tasks by tier. Agents of a group share what comes to it, and rest equally long
    between two tasks: who takes longer takes fewer. The rest follows from what comes.
    """
    work_s = (
        declared.factors(f.TaskSlowdown)
        / np.array([one.speed for one in t.tiers])[s.agent[:, k.TIER]]
    )
    work_s *= 1 - declared.failing() * (1 - t.first_result_share)
    work_s *= 1 + t.triple_share * (_LONGEST_OF_THREE - 1)
    extra_s = t.inbox_service_s + t.triple_share * t.merge_s
    latency_s = declared.latency_s()
    extra_s += t.dependency_share * latency_s
    able = (s.agent[:, k.PLACE] >= 0) & (s.agent[:, k.STATE] != k.HANGING)
    tier_of_group = _groups(t, s)
    mean = square = 0.0
    for tiers, service_s in tier_of_group:
        coming = float(per_s[tiers].sum())
        mine = able & np.isin(s.agent[:, k.TIER], tiers)
        if coming == 0 or not mine.any():
            continue
        holds, agents = np.unique(work_s[mine] * service_s + extra_s, return_counts=True)
        pause = _pause_s(holds, agents, coming)
        taken = agents / (holds + pause)
        mean += coming * float((taken * holds).sum() / taken.sum())
        square += coming * 2 * float((taken * holds**2).sum() / taken.sum())
    total = float(per_s.sum())
    return mean / total, square / total + t.dependency_share * latency_s**2


def _groups(t: Topology, s: State) -> list[tuple[list[int], float]]:
    """Tiers that share their tasks, each with the mean service time of what they take."""
    found: dict[int, list[int]] = {}
    for tier in range(len(t.tiers)):
        first = int(np.argmax(s.agent[:, k.TIER] == tier))
        found.setdefault(int(s.agent[first, k.GROUP]), []).append(tier)
    groups = []
    for tiers in found.values():
        takes = [one for one in t.classes if one.name in t.tiers[tiers[0]].takes]
        share = sum(one.share for one in takes)
        if share > 0:
            service = sum(one.share * one.mean_service_s for one in takes) / share
            groups.append((tiers, service))
    return groups


def _pause_s(holds: Reals, agents: Integers, per_s: float) -> float:
    """How long agents rest between tasks so that together they take `per_s` a second; 0 or more.

    Newton's method on a convex falling function, from the left: it never steps over the root.
    """
    pause = 0.0
    for _ in range(_STEPS):
        rates = 1 / (holds + pause)
        over = float((agents * rates).sum()) - per_s
        if over <= per_s * 1e-9:
            break
        pause += over / float((agents * rates**2).sum())
    return pause


def _senders(s: State, t: Topology, given: Integers) -> Reals:
    """The share of the messages that each agent sends: its tier's share of the tasks, evenly."""
    running = s.agent[:, k.PLACE] >= 0
    tier = s.agent[:, k.TIER]
    count = np.bincount(tier[running], minlength=len(t.tiers))
    share = given / max(int(given.sum()), 1) / np.maximum(count, 1)
    found: Reals = np.where(running, share[tier], 0.0)
    return found


def _upward(s: State, t: Topology) -> Reals:
    """The share of each agent's messages that goes up the hierarchy."""
    parents_run = s.agent[s.agent[:, k.PARENT], k.PLACE] >= 0
    return np.where(parents_run, round(t.message_upward_share * 1024) / 1024, 0.0)


def crossing_share(t: Topology, s: State, given: Integers, inside: Integers) -> float:
    """The share of the messages between agents that go from `inside` to outside, or back."""
    running = s.agent[:, k.PLACE] >= 0
    side = np.zeros(len(s.agent), bool)
    side[inside] = True
    mine = int((running & side).sum())
    total = int(running.sum())
    others = np.where(side, total - mine, mine) / max(total - 1, 1)
    upward = _upward(s, t)
    apart = side != side[s.agent[:, k.PARENT]]
    senders = _senders(s, t, given)
    return float((senders * (upward * apart + (1 - upward) * others)).sum())


def arrivals_of_agents(t: Topology, s: State, given: Integers, sent: int) -> Reals:
    """How many of `sent` messages, and of the tasks `given` to their tier, come to each agent."""
    running = s.agent[:, k.PLACE] >= 0
    senders, upward = _senders(s, t, given), _upward(s, t)
    found = np.zeros(len(s.agent))
    np.add.at(found, s.agent[:, k.PARENT], senders * upward)
    peers = float((senders * (1 - upward)).sum()) / max(int(running.sum()), 1)
    found = (found + np.where(running, peers, 0.0)) * sent
    tier = s.agent[:, k.TIER]
    count = np.bincount(tier[running], minlength=len(t.tiers))
    found += np.where(running, (given / np.maximum(count, 1))[tier], 0.0)
    return found
