"""Arithmetic of readings: what stays linear in one core, and shares made of two counts.

Called by the reader. Labels are left to it: here only values are combined.
"""

from __future__ import annotations

from dataclasses import replace

from verifier.promql.conditions import ARITHMETIC, close
from verifier.slo.conditions.quantities import (
    EventCount,
    EventDifference,
    LinearReading,
    Share,
    constant,
)
from verifier.slo.conditions.unreadable import UnreadableConditionError


def negated(reading: LinearReading) -> LinearReading:
    """Return minus the reading."""
    return _linear(reading, -1.0, 0.0)


def combine(sign: str, left: LinearReading, right: LinearReading) -> LinearReading:
    """Return `left sign right`; raise UnreadableConditionError when it is not linear in a core."""
    if left.core is None and right.core is None:
        return _constants(sign, left.offset, right.offset)
    if left.core is not None and right.core is not None:
        return _cores(sign, left, right)
    if left.core is not None:
        return _with_number(sign, left, right.offset)
    return _number_with(sign, left.offset, right)


def _constants(sign: str, left: float, right: float) -> LinearReading:
    try:
        value = ARITHMETIC[sign](left, right)
    except (KeyError, ArithmeticError, ValueError) as error:
        raise UnreadableConditionError(f"{left:g} {sign} {right:g} is no number") from error
    if not isinstance(value, float):
        raise UnreadableConditionError(f"{left:g} {sign} {right:g} is no number")
    return constant(value)


def _with_number(sign: str, reading: LinearReading, number: float) -> LinearReading:
    if sign in ("+", "-"):
        return _linear(reading, 1.0, number if sign == "+" else -number)
    if sign == "*" and number:
        return _linear(reading, number, 0.0)
    if sign == "/" and number:
        return _linear(reading, 1 / number, 0.0)
    raise UnreadableConditionError(f"{sign!r} with {number:g} is not compared")


def _number_with(sign: str, number: float, reading: LinearReading) -> LinearReading:
    if sign in ("+", "-"):
        return _linear(reading, 1.0 if sign == "+" else -1.0, number)
    if sign == "*" and number:
        return _linear(reading, number, 0.0)
    raise UnreadableConditionError(f"{number:g} {sign} a quantity is not compared")


def _linear(reading: LinearReading, factor: float, summand: float) -> LinearReading:
    """Return `factor * reading + summand`."""
    absent = reading.when_absent
    return replace(
        reading,
        slope=reading.slope * factor,
        offset=reading.offset * factor + summand,
        when_absent=None if absent is None else absent * factor + summand,
    )


def _cores(sign: str, left: LinearReading, right: LinearReading) -> LinearReading:
    own, other = left.core, right.core
    plain = not left.offset and not right.offset and left.when_absent is right.when_absent is None
    if sign == "/" and plain and isinstance(other, EventCount):
        if isinstance(own, EventCount):
            return LinearReading(left.slope / right.slope, 0.0, Share(own, other), None)
        if isinstance(own, EventDifference) and own.events == other:
            ratio = left.slope / right.slope
            return LinearReading(-ratio, ratio, Share(own.left_out, other), None)
    if (
        sign == "-"
        and plain
        and isinstance(own, EventCount)
        and isinstance(other, EventCount)
        and close(left.slope, right.slope)
    ):
        return LinearReading(left.slope, 0.0, EventDifference(own, other), None)
    raise UnreadableConditionError(f"{sign!r} of two measured values is not compared")
