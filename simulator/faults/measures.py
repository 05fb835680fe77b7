"""How the effect of each kind of fault is measured, and what counts as one.

`flows` and `stocks` do the measuring, `accounts` keeps the books. Faults of one kind that are in
effect at once are measured together: where they strike the same, nobody can tell them apart.

Half of what was declared counts as an effect. That is far from what chance, rounding and bounds
take away from an honest fault, and far from nothing. Where less must be expected for a reason (a
loop's backoff, a full inbox, the fleet's end), the expectation itself says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.faults import catalogue as f
from simulator.faults import flows, stocks
from simulator.faults.accounts import (
    Account,
    EffectEstimate,
    Interval,
    Measure,
    count_provisioned,
    mark,
)
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.faults.composition import FaultTargets
    from simulator.kernel.state import State
    from simulator.topology import Topology


def begin_account(
    topology: Topology, fault: f.Fault, aim: FaultTargets, s: State, peers: Iterable[Account]
) -> Account:
    """Open the account of a fault at its onset, before it strikes; `peers` are those in effect."""
    measures, state = MEASURES[type(fault.parameters)], s.agent[aim.agents, k.STATE]
    alike = (one for one in peers if type(one.fault.parameters) is type(fault.parameters))
    return Account(
        topology=topology,
        fault=fault,
        aim=aim,
        measures=measures,
        onset=mark(s),
        standing=int(((state >= k.IDLE) & (state <= k.HANGING)).sum()),
        hanging=int((state == k.HANGING).sum()),
        provisioned=min((count_provisioned(s), *(one.provisioned for one in alike))),
        amounts=tuple(EffectEstimate() for _ in measures),
        due=np.zeros(len(s.agent)),
    )


def _at_the_exporter(_: Interval, __: Account) -> EffectEstimate:
    """What a scrape meets is seen by the exporter alone, in `exporter.scrape_path`."""
    return EffectEstimate()


def _with_the_onset(account: Account, amount: EffectEstimate) -> EffectEstimate:
    """A crash loop begins with a crash of every target that stands."""
    return amount._replace(expected=amount.expected + account.standing)


def _once_each(account: Account, amount: EffectEstimate) -> EffectEstimate:
    """A target hangs at its first task, or did already; later rounds are not counted on."""
    expected = min(amount.expected + account.hanging, account.standing)
    measured = amount.measured + account.hanging
    return amount._replace(measured=measured, expected=expected, spread=expected)


def _in_part(account: Account, amount: EffectEstimate) -> EffectEstimate:
    """Work that began evenly over the lived time has not had all of its delay by then."""
    delay_s, lived_s = _delay_s(account.fault.parameters, account.topology), account.lived_ns / 1e9
    if delay_s <= 0 or lived_s <= 0:
        return amount
    had = 1 - delay_s / (2 * lived_s) if delay_s < lived_s else lived_s / (2 * delay_s)
    return amount._replace(expected=amount.base + (amount.expected - amount.base) * had)


def _delay_s(parameters: f.Parameters, t: Topology) -> float:
    """How much longer one start, task or call takes."""
    match parameters:
        case f.SlowStart(factor=factor):
            return (factor - 1) * t.startup_mean_s
        case f.TaskSlowdown(factor=factor):
            return (factor - 1) * max(one.mean_service_s for one in t.classes)
        case f.DependencyOutage(latency_s=latency_s):
            return latency_s
        case _:
            return 0.0


_NO_TARGET = "none of its targets was running, or too briefly"
_NO_TASK = "no task came to its targets"
_NO_CALL = "no task called the dependency"
_NO_LOAD = "the load asked for no arrivals"
_NO_TIME = "it lasted no time"
_path = (Measure(_at_the_exporter, "nobody scraped in its time"),)

MEASURES: dict[type[f.Parameters], tuple[Measure, ...]] = {
    f.AgentCrash: (Measure(flows.count_crashes(f.AgentCrash), _NO_TARGET),),
    f.CrashLoop: (Measure(flows.count_crashes(f.CrashLoop), _NO_TARGET, expect=_with_the_onset),),
    f.AgentHang: (Measure(flows.count_hangs, _NO_TASK, expect=_once_each),),
    f.SlowStart: (
        Measure(flows.time_starts, "none of its targets started", mean=True, expect=_in_part),
    ),
    f.TaskSlowdown: (
        Measure(flows.time_tasks(f.TaskSlowdown), _NO_TASK, mean=True, expect=_in_part),
    ),
    f.TaskFailure: (Measure(flows.count_failures(f.TaskFailure), _NO_TASK),),
    f.DependencyOutage: (
        Measure(flows.count_failures(f.DependencyOutage), _NO_CALL),
        Measure(
            flows.time_tasks(f.DependencyOutage),
            _NO_CALL,
            unit="seconds, mean task",
            mean=True,
            expect=_in_part,
        ),
    ),
    f.TrafficSurge: (Measure(flows.count_arrivals(f.TrafficSurge), _NO_LOAD, mean=True),),
    f.TrafficDrop: (Measure(flows.count_arrivals(f.TrafficDrop), _NO_LOAD, mean=True),),
    f.CapacityDemand: (
        Measure(
            stocks.read_capacity,
            "the fleet was as large already, or had no time to grow",
            adds=False,
        ),
    ),
    f.BusPartition: (Measure(flows.count_lost, "no message crossed it"),),
    f.MessageFlood: (Measure(flows.count_flooded, _NO_TIME),),
    f.SlowConsumer: (
        Measure(
            stocks.read_inboxes,
            "no message came to its targets",
            mean=True,
            sampled=True,
            due=stocks.fill_inboxes,
        ),
    ),
    f.SandboxLeak: (
        Measure(stocks.read_leaked_slots, "no execution ended in its pools", adds=False),
    ),
    f.SandboxCrash: (Measure(stocks.read_slots_down, "its pools had no slot to lose", adds=False),),
    f.MemoryLeak: (Measure(stocks.read_leaked_bytes, _NO_TARGET, adds=False, due=stocks.leak),),
    f.CpuContention: (Measure(flows.count_stolen, _NO_TIME),),
    f.ExporterDown: _path,
    f.CounterReset: _path,
    f.ScrapeSlow: _path,
    f.ScrapeTruncated: _path,
    f.SeriesVanish: _path,
    f.CardinalityBurst: _path,
}
