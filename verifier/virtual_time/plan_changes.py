"""Which changes of a plan change the world, and which only what its scrapes bring.

Called by the simulation of a scenario: an exporter that is down, slow or restarted leaves the world
in its steady state. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulator.faults.kinds.catalogue import SCRAPE_PATH_FAULTS
from simulator.load import Load

if TYPE_CHECKING:
    from simulator.faults.fault import Fault
    from simulator.plan import Plan

ROUNDING_S: Final = 1e-6
"""Edges are whole nanoseconds: an instant that is near an edge is taken for it."""


def changes_world(plan: Plan, from_s: float, to_s: float) -> bool:
    """Whether anything but the scrapes' own path may change after `from_s`, up to `to_s`.

    Seconds since the plan began. A load that is not one rate may change at any time.
    """
    if plan.load != Load(rate=plan.load.rate):
        return True
    return any(_changes(fault, from_s, to_s) for fault in plan.faults)


def _changes(fault: Fault, from_s: float, to_s: float) -> bool:
    if fault.kind in SCRAPE_PATH_FAULTS:
        return False
    spans = (fault.start_s, fault.start_s + fault.ramp_s), (fault.end_s, fault.end_s)
    return any(
        begins_s <= to_s + ROUNDING_S and from_s - ROUNDING_S <= ends_s
        for begins_s, ends_s in spans
    )
