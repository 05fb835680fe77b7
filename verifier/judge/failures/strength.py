"""How much stronger a fault would have to be, where what was measured of a run shows it.

Called for a fault that moved a value nearly to its threshold. Nothing is named beyond twice its
strength, nor beyond the bounds of its kind: what a fault does is seldom proportional for long.
Pure.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final

from simulator.faults.parameters import parameter_facts

if TYPE_CHECKING:
    from simulator.faults.fault import Fault
    from verifier.evidence.measurement import ComparisonNumbers

TIMES_MAX: Final = 2.0
"""A fault that would have to be stronger than this many times is too weak, by how much is open."""
PROPORTIONAL: Final = ("share", "loss", "rate_per_s", "bytes_per_s")
"""Numbers of which twice as much is twice the fault; of a `factor` it is what exceeds 1."""


def needed_strength(fault: Fault | None, numbers: ComparisonNumbers) -> str | None:
    """Say with which strength a fault would have kept a condition up for the rule's `for`.

    None where that was not measured, is too far off, or is more than the kind allows.
    """
    healthy, kept, limit = numbers.healthy, numbers.sustained, numbers.threshold
    if fault is None or healthy is None or kept is None or limit is None or kept == healthy:
        return None
    # Rounded up, and never the very threshold: `>` needs a little more.
    times = (math.floor((limit - healthy) / (kept - healthy) * 10) + 1) / 10
    number = _stronger(fault, times) if 1 < times <= TIMES_MAX else None
    if number is None:
        return None
    return f"{times:g} times as strong (`{number}`) it would reach it, if its effect grows alike"


def _stronger(fault: Fault, times: float) -> str | None:
    """Return the only number of a fault, so many times as strong; None where it cannot be."""
    numbers = parameter_facts(type(fault.parameters))
    if len(numbers) != 1 or numbers[0].field not in (*PROPORTIONAL, "factor"):
        return None
    field, bound = numbers[0].field, numbers[0].bound
    value = float(getattr(fault.parameters, field))
    stronger = 1 + (value - 1) * times if field == "factor" else value * times
    rounded = _up(stronger)
    return f"{field}: {rounded:f}" if bound.holds(float(rounded)) else None


def _up(value: float) -> Decimal:
    """Return a number with three digits, rounded up."""
    exact = Decimal(f"{value:.9g}")
    step = Decimal(1).scaleb(exact.adjusted() - 2)
    return ((exact / step).to_integral_value(rounding=ROUND_CEILING) * step).normalize()
