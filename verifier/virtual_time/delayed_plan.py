"""A plan that begins between two scrapes.

The record of virtual time has a scrape every fifteen seconds of its own clock. A scenario that is
scraped at an offset begins so much later than that clock as the offset is short of an interval; its
faults then begin at their very own instants. Pure; called by `verifier.virtual_time`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.target import SCRAPE_S
from simulator.load import Stage
from simulator.plan import Plan

if TYPE_CHECKING:
    from simulator.load import Load


def lead_s(scrape_offset_s: float) -> float:
    """Return how long after a scrape a scenario begins whose own scrapes come at this offset."""
    return SCRAPE_S - scrape_offset_s if scrape_offset_s > 0 else 0.0


def delayed(plan: Plan, by_s: float) -> Plan:
    """Return `plan` with everything `by_s` later, its load of any form too."""
    if by_s == 0:
        return plan
    faults = tuple(replace(fault, start_s=fault.start_s + by_s) for fault in plan.faults)
    return Plan(load=_delayed_load(plan.load, by_s), faults=faults)


def _delayed_load(load: Load, by_s: float) -> Load:
    stages, daily, trace_s = load.stages, load.daily, load.trace_s
    if stages:
        stages = (Stage(duration_s=by_s, target=load.rate), *stages)
    if daily is not None:
        daily = replace(daily, peak_s=daily.peak_s + by_s)
    if trace_s is not None:
        trace_s = tuple(at_s + by_s for at_s in trace_s)
    return replace(load, stages=stages, daily=daily, trace_s=trace_s)
