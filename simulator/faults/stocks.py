"""Measures of what faults build up or take away: agents, messages, slots and bytes.

Read from states that no fault sets, at the end of a stretch. What ought to be there is reckoned
from the declaration and from what the fault met, restarts included. See `measures` for which is
whose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.faults import catalogue as f
from simulator.faults.accounts import Account, EffectEstimate, Interval, count_provisioned
from simulator.faults.declared_effect import strength_at
from simulator.faults.workload import arrivals_of_agents
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from numpy.typing import NDArray

_REACTION_S = 2.0
"""The orchestrator scales once a second, so it has surely answered to what was asked before."""
_BURSTS = 4.0
"""Tasks send several messages at once, so inboxes vary by more than those of a Poisson stream."""


def read_capacity(stretch: Interval, account: Account) -> EffectEstimate:
    """Agents up or starting, against the reservation, as far and as fast as a fleet can grow."""
    ripe_ns = stretch.passed_ns - round(_REACTION_S * 1e9)
    reserved = max(
        round(one.fault.parameters.agents * strength_at(one.fault, ripe_ns))
        for one in stretch.declared.struck
        if isinstance(one.fault.parameters, f.CapacityDemand)
    )
    able = (stretch.s.agent[:, k.STATE] != k.CRASH) & ~np.isfinite(stretch.declared.looping())
    growing_s = max(account.lived_ns / 1e9 - _REACTION_S, 0.0)
    grown = account.provisioned + stretch.topology.scale_up_per_s * growing_s
    expected = min(reserved, int(able.sum()), grown)
    base = account.provisioned
    return EffectEstimate(count_provisioned(stretch.s), base, max(expected, base))


def fill_inboxes(stretch: Interval, account: Account) -> NDArray[np.float64]:
    """How many messages ought to wait in each target's inbox.

    Who is given more than it can handle falls behind by the difference, until its inbox is full; a
    restart begins anew. Who can bear it has the mean of a queue with constant service (M/D/1).
    """
    t, s = stretch.topology, stretch.s
    coming = _coming(stretch)
    service_s = t.inbox_service_s * stretch.declared.factors(f.SlowConsumer)
    busy = coming * service_s
    started = s.agent[:, k.STARTED_AT] > stretch.before.now_ns
    since_ns = np.maximum(s.agent[:, k.STARTED_AT], stretch.before.now_ns)
    passed_s = (stretch.after.now_ns - since_ns) / 1e9
    behind = np.where(started, 0.0, account.due) + (coming - 1 / service_s) * passed_s
    calm = np.minimum(busy, 0.99)
    waiting = calm + calm**2 / (2 * (1 - calm))
    due = np.where(busy < 1, np.minimum(waiting, coming * account.lived_ns / 1e9), behind)
    found: NDArray[np.float64] = np.clip(due, 0.0, t.inbox_limit)
    return found


def _coming(stretch: Interval) -> NDArray[np.float64]:
    """Messages that come to each agent in a second."""
    if stretch.seconds == 0:
        return np.zeros(stretch.topology.fleet)
    given = stretch.after.dispatched - stretch.before.dispatched
    flooded = stretch.after.flooded - stretch.before.flooded
    sent = stretch.after.sent - stretch.before.sent - int(given.sum()) - flooded
    found = arrivals_of_agents(stretch.topology, stretch.s, given, sent) / stretch.seconds
    found += stretch.declared.flood_of_agents() * (stretch.s.agent[:, k.PLACE] >= 0)
    return found


def read_inboxes(stretch: Interval, account: Account) -> EffectEstimate:
    """Messages that wait at a target, on average over targets and time."""
    s, t = stretch.s, stretch.topology
    mine = account.aim.agents[s.agent[account.aim.agents, k.PLACE] >= 0]
    if not len(mine):
        return EffectEstimate()
    busy = np.minimum(_coming(stretch)[mine] * t.inbox_service_s, 0.99)
    calm = np.minimum(busy + busy**2 / (2 * (1 - busy)), t.inbox_limit)
    due = account.due[mine]
    weight = stretch.seconds
    return EffectEstimate(
        weight * float(s.agent[mine, k.WAITING].mean()),
        weight * float(calm.mean()),
        weight * float(np.maximum(due, calm).mean()),
        weight**2
        * float((due + np.where(due < t.inbox_limit / 2, due**2, 0.0)).mean())
        / len(mine),
        weight**2 * _BURSTS * float((calm + calm**2).mean()) / len(mine),
        weight,
    )


def read_leaked_slots(stretch: Interval, account: Account) -> EffectEstimate:
    """Slots lost, against the share, as far as executions ended that could leak theirs."""
    s, pools = stretch.s, list(account.aim.pools)
    total = s.pool[pools, k.TOTAL]
    begun = (stretch.after.executions - account.onset.executions)[pools]
    ended = begun + (account.onset.in_use - stretch.after.in_use)[pools]
    wanted = np.rint(stretch.declared.shares(f.SandboxLeak)[pools] * total)
    expected = np.minimum(np.minimum(wanted, total - s.pool[pools, k.DOWN]), np.maximum(ended, 0))
    return EffectEstimate(float(s.pool[pools, k.LEAKED].sum()), 0.0, float(expected.sum()))


def read_slots_down(stretch: Interval, account: Account) -> EffectEstimate:
    """Slots down, against the share of those that had not leaked."""
    s, pools = stretch.s, list(account.aim.pools)
    total = s.pool[pools, k.TOTAL]
    wanted = np.rint(stretch.declared.shares(f.SandboxCrash)[pools] * total)
    expected = np.minimum(wanted, total - s.pool[pools, k.LEAKED])
    return EffectEstimate(float(s.pool[pools, k.DOWN].sum()), 0.0, float(expected.sum()))


def leak(stretch: Interval, account: Account) -> NDArray[np.float64]:
    """How many bytes each target ought to have leaked since its last start."""
    parameters, s = account.fault.parameters, stretch.s
    assert isinstance(parameters, f.MemoryLeak)  # noqa: S101
    strength = max(x for _, aim, x in stretch.declared.of(f.MemoryLeak) if aim is account.aim)
    mine = account.aim.agents
    began = s.agent[mine, k.STARTED_AT]
    passed_s = (stretch.after.now_ns - np.maximum(began, stretch.before.now_ns)) / 1e9
    kept = np.where(began > stretch.before.now_ns, 0.0, account.due[mine])
    running = s.agent[mine, k.PLACE] >= 0
    due = np.zeros(len(account.due))
    due[mine] = np.where(running, kept + parameters.bytes_per_s * strength * passed_s, 0.0)
    return due


def read_leaked_bytes(stretch: Interval, account: Account) -> EffectEstimate:
    """Bytes that targets have leaked and not given back by a restart."""
    parameters = account.fault.parameters
    assert isinstance(parameters, f.MemoryLeak)  # noqa: S101
    leaked = stretch.s.agent[account.aim.agents, k.LEAKED_BYTES].sum()
    # Memory leaks by the tick, so at any time the last part of one is not there yet.
    due = np.maximum(account.due - parameters.bytes_per_s * k.TICK_NS / 1e9, 0.0)
    return EffectEstimate(float(leaked), 0.0, float(due.sum()))
