"""A reading has the value of its formula: each formula is computed with numbers as well."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from verifier.slo.conditions.arithmetic import combine, negated
from verifier.slo.conditions.quantities import (
    EventCount,
    EventDifference,
    LinearReading,
    Share,
    constant,
)
from verifier.slo.conditions.unreadable import UnreadableConditionError

COUNTS = {"errors": 3.0, "requests": 8.0}


@dataclass(frozen=True)
class Formula:
    """A reading on which Python's own operators work."""

    reading: LinearReading

    def _with(self, sign, other, *, turned=False):
        other = other if isinstance(other, Formula) else Formula(constant(float(other)))
        left, right = (other, self) if turned else (self, other)
        return Formula(combine(sign, left.reading, right.reading))

    def __add__(self, other):
        """Combine by `+`."""
        return self._with("+", other)

    def __radd__(self, other):
        """Combine by `+`, the number first."""
        return self._with("+", other, turned=True)

    def __sub__(self, other):
        """Combine by `-`."""
        return self._with("-", other)

    def __rsub__(self, other):
        """Combine by `-`, the number first."""
        return self._with("-", other, turned=True)

    def __mul__(self, other):
        """Combine by `*`."""
        return self._with("*", other)

    def __rmul__(self, other):
        """Combine by `*`, the number first."""
        return self._with("*", other, turned=True)

    def __truediv__(self, other):
        """Combine by `/`."""
        return self._with("/", other)

    def __rtruediv__(self, other):
        """Combine by `/`, the number first."""
        return self._with("/", other, turned=True)

    def __mod__(self, other):
        """Combine by `%`."""
        return self._with("%", other)

    def __pow__(self, other):
        """Combine by `^`."""
        return self._with("^", other)

    def __neg__(self):
        """Turn the sign."""
        return Formula(negated(self.reading))


def counted(name, absent=None):
    """Return the reading of a count."""
    events = EventCount(name, frozenset(), "rate", 300.0)
    return Formula(LinearReading(1.0, 0.0, events, None, absent))


E, T = counted("errors"), counted("requests")


def core_value(core):
    """Return what a core is with these counts."""
    match core:
        case EventCount():
            return COUNTS[core.metric]
        case EventDifference():
            return core_value(core.events) - core_value(core.left_out)
        case Share():
            return core_value(core.numerator) / core_value(core.denominator)
    raise AssertionError(core)


LINEAR = [
    lambda e, t: e / t,
    lambda e, t: 100 * (e / t),
    lambda e, t: (e / t) * 100,
    lambda e, t: (e * 100) / t,
    lambda e, t: (100 * e) / (2 * t),
    lambda e, t: (e / 4) / (t / 2),
    lambda e, t: 1 - e / t,
    lambda e, t: 1 + e / t,
    lambda e, t: e / t - 1,
    lambda e, t: e / t + 1,
    lambda e, t: -(e / t),
    lambda e, t: -(1 - e / t) * 100,
    lambda e, t: (1 - e / t) / 0.001,
    lambda e, t: (0.001 - e / t) / 0.001,
    lambda e, t: 2 - (3 + 4 * (1 - (e / t) / 5)) / 6,
    lambda e, t: (t - e) / t,
    lambda e, t: 100 * ((t - e) / t),
    lambda e, t: ((t - e) * 3) / (t * 2),
    lambda e, t: (3 * t - 3 * e) / (2 * t),
    lambda e, t: 7 - ((t - e) / t) * 2,
    lambda e, _t: e * 5 + 2,
    lambda e, t: t - e,
    lambda e, t: 3 * t - 3 * e,
]


@pytest.mark.parametrize("index", range(len(LINEAR)))
def test_a_reading_has_the_value_of_its_formula(index):
    """Complements, per cent, multiples of the budget."""
    formula = LINEAR[index]
    reading = formula(E, T).reading
    value = formula(*COUNTS.values())
    assert reading.at_core(core_value(reading.core)) == pytest.approx(value)
    assert reading.core_at(value) == pytest.approx(core_value(reading.core))


OTHER = counted("other")
REFUSED = [
    (lambda e, t: e * t, r"'\*' of two measured values"),
    (lambda e, t: e + t, "'[+]' of two measured values"),
    (lambda e, t: e % t, "'%' of two measured values"),
    (lambda e, t: (e / t) / (e / t), "'/' of two measured values"),
    (lambda e, t: (e / t) - (e / t), "'-' of two measured values"),
    (lambda e, t: (e / t) / t, "'/' of two measured values"),
    (lambda e, t: (e + 1) / t, "'/' of two measured values"),
    (lambda e, t: e / (t + 1), "'/' of two measured values"),
    (lambda e, t: (t + 1) - e, "'-' of two measured values"),
    (lambda e, t: t - (e + 1), "'-' of two measured values"),
    (lambda e, t: t - 2 * e, "'-' of two measured values"),
    (lambda e, t: (t - e) / OTHER, "'/' of two measured values"),
    (lambda e, t: (OTHER - e) / t, "'/' of two measured values"),
    (lambda e, t: t / (t - e), "'/' of two measured values"),
    (lambda e, t: t - (e / t), "'-' of two measured values"),
    (lambda e, t: (t - e) - e, "'-' of two measured values"),
    (lambda _e, t: counted("errors", 1.0) / t, "'/' of two measured values"),
    (lambda e, _t: e / counted("requests", 1.0), "'/' of two measured values"),
    (lambda e, t: (e / t) * 0, r"'\*' with 0"),
    (lambda e, t: 0 * (e / t), r"0 \* a quantity"),
    (lambda e, t: (e / t) / 0, "'/' with 0"),
    (lambda e, t: (e / t) % 2, "'%' with 2"),
    (lambda e, t: (e / t) ** 2, r"'\^' with 2"),
    (lambda e, t: 2 / (e / t), "2 / a quantity"),
]


@pytest.mark.parametrize("index", range(len(REFUSED)))
def test_what_is_not_linear_is_refused(index):
    """Each with the operator that makes it so."""
    formula, reason = REFUSED[index]
    with pytest.raises(UnreadableConditionError, match=f"^{reason}.* is not compared$"):
        formula(E, T)


@pytest.mark.parametrize(
    ("sign", "left", "right", "value"),
    [("+", 6, 4, 10), ("-", 6, 4, 2), ("*", 6, 4, 24), ("/", 6, 4, 1.5), ("^", 2, 3, 8),
     ("%", 7, 4, 3)],
)  # fmt: skip
def test_numbers_are_computed(sign, left, right, value):
    """They have no core."""
    reading = combine(sign, constant(float(left)), constant(float(right)))
    assert (reading.core, reading.offset) == (None, value)


@pytest.mark.parametrize(
    ("sign", "left", "right"),
    [("/", 1, 0), ("%", 1, 0), ("^", 0, -1), ("^", 1e300, 9), ("^", -8, 0.5), ("atan2", 1, 1)],
)
def test_what_is_no_number_is_refused(sign, left, right):
    """Infinite, imaginary, or by an operator that is not read."""
    with pytest.raises(UnreadableConditionError, match="is no number"):
        combine(sign, constant(float(left)), constant(float(right)))


@pytest.mark.parametrize("formula", LINEAR[1:2] + LINEAR[6:14])
def test_the_value_without_series_is_computed_as_the_quantity_is(formula):
    """Of `share or vector(0)` in any form."""
    ratio = combine("/", E.reading, T.reading)
    absent = Formula(replace(ratio, when_absent=0.25))

    class Whole:
        """Stands for the requests: what is divided by it is the share."""

    class Part:
        """Stands for the errors: divided, it is the share with its value without series."""

        def __truediv__(self, _):
            return absent

        def __neg__(self):
            return -absent

    assert formula(Part(), Whole()).reading.when_absent == pytest.approx(formula(0.25, 1.0))
