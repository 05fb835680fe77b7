"""What every kind must have, and the bounds of its numbers: checked where they are declared."""

from __future__ import annotations

import re

import pytest

from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import Bound, parameter_facts


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bound_is_what_is_checked(fault):
    """The number at an inclusive limit is taken; one just beyond any limit is refused."""
    facts = parameter_facts(FAULTS[fault])
    valid = {fact.field: _inside(fact.bound) for fact in facts}
    for fact in facts:
        bound = fact.bound
        for limit, beyond in ((bound.least, -1e-9), (bound.most, 1e-9), (bound.above, 0.0)):
            if limit is None:
                continue
            if limit != bound.above:
                FAULTS[fault](**{**valid, fact.field: limit})
            rule = re.escape(f"{fault}: {fact.field} must be {bound.rule}, got ")
            with pytest.raises(ValueError, match=rule):
                FAULTS[fault](**{**valid, fact.field: limit + beyond * max(1, abs(limit))})
        with pytest.raises(ValueError, match=" must be "):
            FAULTS[fault](**{**valid, fact.field: float("nan")})


def _inside(bound):
    """Return a number that a bound holds."""
    return bound.least if bound.least is not None else 1.0


def test_a_bound_has_its_rule_as_text():
    """Every form that a bound may have."""
    assert Bound(least=1).rule == "at least 1"
    assert Bound(above=0).rule == "above 0"
    assert Bound(least=0, most=5, unit="s").rule == "0 to 5 s"
    assert Bound(above=0, most=5, unit="s").rule == "above 0 and at most 5 s"
    assert Bound(most=5).rule == "at most 5"
