"""Accounts of what faults do, kept interval by interval.

`world` records the interval between two changes of its plan for every fault in effect: the counters
at its two ends, and what was declared in between. Pure: recording makes a new account, so reading
in between changes nothing. Time that `World.skip_ns` passes over does not count. Which kind is
measured how stands in `kinds`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.faults.measure import Account, EffectEstimate, count_provisioned, read_counters
from simulator.kernel import loop as k
from simulator.snapshot import FaultEffect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.faults.fault import Fault
    from simulator.faults.measure import Interval
    from simulator.faults.targets import FaultTargets
    from simulator.kernel.state import State
    from simulator.topology import Topology

SAMPLE_NS: Final = 10**9
"""How often the world records faults whose measure is sampled."""
_CHANGES_NOTHING: Final = "a factor of 1 changes nothing"


def open_account(
    topology: Topology, fault: Fault, targets: FaultTargets, s: State, *, peers: Iterable[Account]
) -> Account:
    """Open the account of a fault at its onset, before it does anything.

    `peers` are the accounts of the faults of its kind in effect.
    """
    state = s.agent[targets.agents, k.STATE]
    provisioned = min((count_provisioned(s), *(peer.provisioned_at_onset for peer in peers)))
    return Account(
        topology=topology,
        targets=targets,
        onset=read_counters(s),
        running_at_onset=int(((state >= k.IDLE) & (state <= k.HANGING)).sum()),
        hung_at_onset=int((state == k.HANGING).sum()),
        provisioned_at_onset=provisioned,
        estimates=tuple(EffectEstimate() for _ in fault.parameters.measures()),
        expected_buildup=np.zeros(len(s.agent)),
    )


def record(fault: Fault, account: Account, interval: Interval) -> Account:
    """Return the account of `fault` with `interval` added."""
    elapsed_ns = interval.after.now_ns - interval.before.now_ns
    account = replace(account, elapsed_ns=account.elapsed_ns + elapsed_ns)
    estimates = []
    measures = fault.parameters.measures()
    for measure, sums in zip(measures, account.estimates, strict=True):
        if measure.buildup is not None:
            account = replace(account, expected_buildup=measure.buildup(interval, account))
        new = measure.estimate(interval, account)
        added = EffectEstimate(*(a + b for a, b in zip(sums, new, strict=True)))
        estimates.append(new if measure.latest else added)
    return replace(account, estimates=tuple(estimates))


def effects_of(
    fault: Fault, account: Account, began_ns: int, ended_ns: int | None
) -> tuple[FaultEffect, ...]:
    """What the fault did, in each of its measures; people are shown the first."""
    effects = []
    parameters = fault.parameters
    is_even = getattr(parameters, "factor", None) == 1
    for measure, sums in zip(parameters.measures(), account.estimates, strict=True):
        whole = sums.averaged() if measure.averaged else sums
        if measure.correct is not None:
            whole = measure.correct(account, whole)
        effects.append(
            FaultEffect(
                name=fault.name,
                fault=fault.kind,
                measured=float(whole.measured),
                base=float(whole.base),
                expected=float(whole.expected),
                unit=measure.unit or parameters.facts.effect_unit,
                least=measure.least_share,
                spread=float(np.sqrt(whole.spread)),
                noise=float(np.sqrt(whole.noise)),
                idle=_CHANGES_NOTHING if is_even else measure.idle,
                began_ns=began_ns,
                ended_ns=ended_ns,
            )
        )
    return tuple(effects)
