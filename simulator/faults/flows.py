"""Measures of what faults make happen: crashes, failures, arrivals, losses, counted over a stretch.

What was done is read from counters that no fault sets; what had to come of it is reckoned from the
declaration, the topology's base and what the fault met. See `measures` for which is whose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.faults import catalogue as f
from simulator.faults.accounts import Account, EffectEstimate, Interval
from simulator.faults.workload import crossing_share, mean_task_s
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.faults.declared_effect import DeclaredEffect


def count_crashes(kind: type[f.Parameters]) -> Callable[[Interval, Account], EffectEstimate]:
    """Crashes of the whole fleet, against those that random crashes and loops make."""

    def count(stretch: Interval, _: Account) -> EffectEstimate:
        measured = stretch.after.crashed - stretch.before.crashed
        expected = _crashes_per_s(stretch, stretch.declared) * stretch.seconds
        base = _crashes_per_s(stretch, stretch.declared.without(kind)) * stretch.seconds
        return EffectEstimate(measured, base, expected, expected, base)

    return count


def _crashes_per_s(stretch: Interval, declared: DeclaredEffect) -> float:
    """Crashes a second: nobody crashes again before its backoff and its start are over.

    A loop's backoff is taken at its longest, so the first rounds may be quicker than this.
    """
    t = stretch.topology
    there = stretch.s.agent[:, k.STATE] != k.STOPPED
    start_s = t.startup_mean_s * declared.factors(f.SlowStart)
    alive_s = declared.looping()
    loops = there & np.isfinite(alive_s)
    rounds_s = t.restart_backoff_limit_s + start_s + alive_s
    found = float((1 / rounds_s[loops]).sum())
    targets = np.zeros(t.fleet, bool)
    wanted = 0.0
    for parameters, aim, strength in declared.of(f.AgentCrash):
        wanted += parameters.rate_per_s * strength
        targets[aim.agents] = True
    targets &= there & ~loops
    again_s = min(t.restart_backoff_s, t.restart_backoff_limit_s) + start_s + k.TICK_NS / 1e9
    return found + min(wanted, float((1 / again_s[targets]).sum()))


def count_hangs(stretch: Interval, account: Account) -> EffectEstimate:
    """Hangs, against the tasks that came to the tiers of the targets, in proportion.

    Each target hangs with its first task: `effects_of` cuts this off at those who stood there.
    """
    s, tiers = stretch.s, len(stretch.topology.tiers)
    running = np.bincount(s.agent[s.agent[:, k.PLACE] >= 0, k.TIER], minlength=tiers)
    mine = account.aim.agents
    struck = np.bincount(s.agent[mine[s.agent[mine, k.PLACE] >= 0], k.TIER], minlength=tiers)
    came = (stretch.after.dispatched - stretch.before.dispatched) / np.maximum(running, 1)
    met = np.where(running > 0, came * struck, 0.0)
    hung = stretch.after.hung - stretch.before.hung
    return EffectEstimate(hung, 0.0, float(met.sum()), float(met.sum()))


def time_starts(stretch: Interval, _: Account) -> EffectEstimate:
    """Seconds that starts took, those under way included, over the starts that began."""
    t, declared = stretch.topology, stretch.declared
    begun = stretch.after.starts - stretch.before.starts
    young = stretch.s.agent[:, k.STARTED_AT] > stretch.before.now_ns
    slow = declared.factors(f.SlowStart)[young]
    factor, square = (float(slow.mean()), float((slow**2).mean())) if len(slow) else (1.0, 1.0)
    mean_s = t.startup_mean_s
    # A start in progress at the onset, or at the end, may still have most of its time to take.
    variance = 2 * mean_s**2 * float(np.exp(t.startup_sigma**2))
    return EffectEstimate(
        (stretch.after.starting_ns - stretch.before.starting_ns) / 1e9,
        begun * mean_s,
        begun * mean_s * factor,
        begun * variance * square,
        begun * variance,
        begun,
    )


def time_tasks(
    kind: type[f.TaskSlowdown | f.DependencyOutage],
) -> Callable[[Interval, Account], EffectEstimate]:
    """Seconds that agents held tasks, those under way included, over the tasks they were given."""

    def count(stretch: Interval, _: Account) -> EffectEstimate:
        given = stretch.after.dispatched - stretch.before.dispatched
        tasks = float(given.sum())
        held_s = (stretch.after.working_ns - stretch.before.working_ns) / 1e9
        if tasks == 0 or stretch.seconds == 0:
            return EffectEstimate(held_s, over=tasks)
        per_s = given / stretch.seconds
        mean_s, square = mean_task_s(stretch.topology, stretch.s, stretch.declared, per_s)
        calm = stretch.declared.without(kind)
        base_s, base_square = mean_task_s(stretch.topology, stretch.s, calm, per_s)
        return EffectEstimate(
            held_s, base_s * tasks, mean_s * tasks, square * tasks, base_square * tasks, tasks
        )

    return count


def count_failures(
    kind: type[f.TaskFailure | f.DependencyOutage],
) -> Callable[[Interval, Account], EffectEstimate]:
    """Failed tasks of the tiers that are struck, against all that ended there.

    Within a tier slower agents end fewer tasks; in proportion, when there is enough to do.
    """

    def count(stretch: Interval, account: Account) -> EffectEstimate:
        s, declared = stretch.s, stretch.declared
        ended = stretch.after.finished - stretch.before.finished
        shares = declared.failing(), declared.without(kind).failing()
        weight = (s.agent[:, k.PLACE] >= 0) / declared.factors(f.TaskSlowdown)
        tiers = np.unique(s.agent[account.aim.agents, k.TIER])
        measured = expected = base = 0.0
        for tier in tiers:
            mine = s.agent[:, k.TIER] == tier
            total = weight[mine].sum()
            if total == 0:
                continue
            count = ended[tier].sum()
            measured += ended[tier, 1]
            expected += count * (weight[mine] * shares[0][mine]).sum() / total
            base += count * (weight[mine] * shares[1][mine]).sum() / total
        return EffectEstimate(
            float(measured), float(base), float(expected), float(expected), float(base)
        )

    return count


def count_arrivals(
    kind: type[f.TrafficSurge | f.TrafficDrop],
) -> Callable[[Interval, Account], EffectEstimate]:
    """Arrivals, against those the load asks for."""

    def count(stretch: Interval, _: Account) -> EffectEstimate:
        expected = stretch.asked(stretch.declared.traffic())
        base = stretch.asked(stretch.declared.without(kind).traffic())
        arrived = stretch.after.arrived - stretch.before.arrived
        return EffectEstimate(arrived, base, expected, expected, base, stretch.seconds)

    return count


def count_lost(stretch: Interval, account: Account) -> EffectEstimate:
    """Messages that a partition swallowed, against those that crossed it.

    Of what overlapping partitions swallow, at least this is one's own.
    """
    parameters = account.fault.parameters
    assert isinstance(parameters, f.BusPartition)  # noqa: S101
    given = stretch.after.dispatched - stretch.before.dispatched
    flooded = stretch.after.flooded - stretch.before.flooded
    sent = stretch.after.sent - stretch.before.sent - int(given.sum()) - flooded
    strength = max(s for p, a, s in stretch.declared.of(f.BusPartition) if a is account.aim)
    crossed = crossing_share(stretch.topology, stretch.s, given, account.aim.agents)
    expected = sent * crossed * parameters.loss * strength
    lost = stretch.after.partitioned - stretch.before.partitioned
    return EffectEstimate(lost, 0.0, expected, expected)


def count_flooded(stretch: Interval, _: Account) -> EffectEstimate:
    """Messages of floods."""
    expected = stretch.declared.flood_per_s() * stretch.seconds
    return EffectEstimate(stretch.after.flooded - stretch.before.flooded, 0.0, expected, expected)


def count_stolen(stretch: Interval, account: Account) -> EffectEstimate:
    """CPU seconds stolen, against the share; on a host that is asked for too much, of its part.

    What part that is shows in the background work, which asks for the same at all times.
    """
    t, hosts = stretch.topology, list(account.aim.hosts)
    steady = t.cpu_background_share * t.cpus_per_host * stretch.seconds
    background = (stretch.after.background_ns - stretch.before.background_ns)[hosts] / 1e9
    part = np.minimum(background / steady, 1.0) if steady > 0 else np.ones(len(hosts))
    share = stretch.declared.shares(f.CpuContention)[hosts]
    expected = float((share * part).sum()) * t.cpus_per_host * stretch.seconds
    stolen = (stretch.after.stolen_ns - stretch.before.stolen_ns)[hosts].sum()
    return EffectEstimate(float(stolen) / 1e9, 0.0, expected)
