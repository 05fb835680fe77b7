"""A failing trial made smaller: whatever can be left out while the same law still breaks is.

Greedy: candidates from the largest cut to the smallest, each carried out; the first that still
fails is the next trial, until none does or there were as many attempts as may be. The result prints
well as a scenario.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from simulator.bounds import BoundError
from simulator.faults.targets import Targets
from simulator.load import Load
from simulator.topology import Topology
from tests.swarm.run import Outcome, carry_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.swarm.trial import Trial

ATTEMPTS_MAX = 400
"""Half a minute, mostly; the result is the same on a slow machine."""
SHRINK_S = 120.0
"""Only what takes far longer is ended by the clock."""
HEAL_LEAST_MS = 100
RATE_LEAST = 5.0


def shrink(
    trial: Trial,
    failed: Outcome,
    *,
    most: int = ATTEMPTS_MAX,
) -> tuple[Trial, Outcome]:
    """Return a smaller trial that breaks one of the laws that `failed` broke, and its outcome.

    At most so many are carried out.
    """
    ends_s = time.monotonic() + SHRINK_S
    attempts = 0
    while True:
        for candidate in _smaller(trial):
            attempts += 1
            if attempts > most or time.monotonic() > ends_s:
                return trial, failed
            outcome = carry_out(candidate, drains=failed.quiet)
            if _same_law(outcome, failed):
                trial, failed = candidate, outcome
                break
        else:
            return trial, failed


def _same_law(outcome: Outcome, failed: Outcome) -> bool:
    """Whether a law broke in both; what follows its name (numbers, places) may differ."""
    return bool({_name(law) for law in outcome.laws} & {_name(law) for law in failed.laws})


def _name(law: str) -> str:
    return law.partition(":")[0].partition(", left")[0]


def _smaller(trial: Trial) -> Iterator[Trial]:
    """Yield trials that are a little simpler, the boldest first."""
    yield from _with_fewer(trial)
    for make in (_plainer_runs, _shorter_runs, _smaller_systems, _plainer_faults):
        for candidate in make(trial):
            if candidate != trial:
                yield candidate


def _with_fewer(trial: Trial) -> Iterator[Trial]:
    """Yield trials with half of a list, or with one member less."""
    for name in ("faults", "actions", "readings_ms"):
        members = getattr(trial, name)
        half = len(members) // 2
        if half > 0:
            yield replace(trial, **{name: members[:half]})
            yield replace(trial, **{name: members[half:]})
        for place in range(len(members) if len(members) != 2 * half or half > 1 else 1):
            yield replace(trial, **{name: members[:place] + members[place + 1 :]})


def _plainer_runs(trial: Trial) -> Iterator[Trial]:
    """Yield trials without a warm-up, with a plainer load."""
    shape = trial.shape
    yield replace(trial, warm_s=0.0)
    if shape.trace_s is not None:
        count = len(shape.trace_s)
        yield replace(trial, shape=Load(rate=round(max(count / trial.quiet_ms * 1000, 1.0), 3)))
        if count > 1:
            yield replace(trial, shape=Load(trace_s=shape.trace_s[: count // 2]))
        return
    yield replace(trial, shape=Load(rate=shape.rate))
    yield replace(trial, shape=replace(shape, burst=None))
    yield replace(trial, shape=replace(shape, daily=None))
    if shape.rate > RATE_LEAST:
        yield replace(trial, shape=replace(shape, rate=round(shape.rate / 2, 3)))


def _shorter_runs(trial: Trial) -> Iterator[Trial]:
    """Yield trials that heal earlier; what begins after that is left out."""
    for share in (0.5, 0.8):
        heal_ms = round(trial.heal_ms * share)
        if heal_ms >= HEAL_LEAST_MS:
            yield replace(
                trial,
                heal_ms=heal_ms,
                faults=tuple(f for f in trial.faults if f.start_s * 1000 < heal_ms),
                actions=tuple(a for a in trial.actions if a.at_ms <= heal_ms),
                readings_ms=tuple(at_ms for at_ms in trial.readings_ms if at_ms <= heal_ms),
            )


def _smaller_systems(trial: Trial) -> Iterator[Trial]:
    """Yield trials with a smaller fleet, and with more numbers as in the built-in system."""
    topology, built_in = trial.topology, Topology()
    halves = [replace(tier, agents=(tier.agents + 1) // 2) for tier in topology.tiers]
    yield from _with_topology(trial, tiers=tuple(halves))
    for number, tier in enumerate(topology.tiers):
        fewer = replace(tier, agents=1)
        tiers = (*topology.tiers[:number], fewer, *topology.tiers[number + 1 :])
        yield from _with_topology(trial, tiers=tiers)
    yield from _with_topology(trial, hosts=1)
    for field in fields(topology):
        usual = getattr(built_in, field.name)
        if field.name not in ("tiers", "hosts") and getattr(topology, field.name) != usual:
            yield from _with_topology(trial, **{field.name: usual})


def _with_topology(trial: Trial, **changes: object) -> Iterator[Trial]:
    try:
        yield replace(trial, topology=replace(trial.topology, **changes))
    except BoundError:
        return


def _plainer_faults(trial: Trial) -> Iterator[Trial]:
    """Yield trials in which one fault starts at once, has no ramp or targets everything."""
    for number, fault in enumerate(trial.faults):
        for changes in ({"ramp_s": 0.0}, {"targets": Targets()}, {"start_s": 0.0}):
            plain = (*trial.faults[:number], replace(fault, **changes), *trial.faults[number + 1 :])
            yield replace(trial, faults=plain)
